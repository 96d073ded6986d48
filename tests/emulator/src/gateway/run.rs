//! One `env.AI.run` on a dynamic route: the checks in their order, the cache, the provider, the log.

use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::binding::original;
use super::error::{GatewayError, policy};
use super::provider::{self, Attempts};
use super::store::Provided;
use super::{GATEWAY, ROUTE, log};
use crate::App;
use crate::call::Call;
use crate::faults::{Fault, Target};
use crate::json::{flag, items, text};
use crate::reply::{self, Reply};

/// Refusals before the provider is called.
const BEFORE: &[&str] = &[
    "2001",
    "2003",
    "2005",
    "2008",
    "2009",
    "2029",
    "2041",
    "2045",
    "7003",
    "policy-deny",
    "policy-spend",
    "unreachable",
    "cache-hit",
    "slow",
    "2030",
    "act-then-timeout",
    "act-then-2005",
];
/// Keys that the binding takes out of the options before it sends them.
const STRIPPED: &[&str] = &["prefix", "extraHeaders", "sessionOptions", "signal"];

/// What became of a call.
pub struct Outcome {
    /// The answer.
    pub reply: Reply,
    /// Number of the gateway's own error.
    pub code: Option<u16>,
    /// Body of the answer, for the log.
    pub response: Option<String>,
    /// Whether it came from the cache.
    pub cached: bool,
    /// How often the provider was called.
    pub attempts: u32,
}

impl Outcome {
    fn refused(code: u16) -> Self {
        let error = GatewayError::of(code);
        let response = Some(error.body().to_string());
        Self { reply: error.reply(), code: Some(code), response, cached: false, attempts: 0 }
    }

    fn plain(reply: Reply) -> Self {
        Self { reply, code: None, response: None, cached: false, attempts: 0 }
    }
}

/// `POST https://workers-binding.ai/ai-gateway/run?version=3`.
pub async fn handle(app: &App, call: &Call) -> Reply {
    let Some(body) = call.json().filter(Value::is_object) else {
        return GatewayError::of(2002).reply();
    };
    let null = Value::Null;
    let (inputs, gateway) = (body.get("inputs").unwrap_or(&null), body.pointer("/options/gateway").unwrap_or(&null));
    let model = original(call, "cf-consn-model-id").unwrap_or("");
    let outcome = match check(call, &body, model) {
        Ok(()) => perform(app, inputs, gateway).await,
        Err(code) => Outcome::refused(code),
    };
    log::record(app, call, &body, outcome)
}

fn check(call: &Call, body: &Value, model: &str) -> Result<(), u16> {
    let json_type = original(call, "content-type").or(call.header("content-type"));
    if !json_type.is_some_and(|kind| kind.starts_with("application/json")) {
        return Err(2002);
    }
    if original(call, "cf-consn-sdk-version").is_none() {
        return Err(2002);
    }
    let options = body.get("options");
    if STRIPPED.iter().any(|key| options.and_then(|o| o.get(key)).is_some()) {
        return Err(2002);
    }
    if text(body, "/options/gateway/id") != GATEWAY {
        return Err(2001);
    }
    let Some(route) = model.strip_prefix("dynamic/") else {
        return Err(2008);
    };
    if route != ROUTE {
        return Err(7003);
    }
    if is_chat(body.get("inputs").unwrap_or(&Value::Null)) { Ok(()) } else { Err(2019) }
}

fn is_chat(inputs: &Value) -> bool {
    let roles = ["system", "developer", "user", "assistant", "tool"];
    let messages = items(inputs, "/messages");
    let stream = inputs.get("stream").is_none_or(Value::is_boolean);
    let message_ok = |message: &Value| {
        let content = message.get("content");
        roles.contains(&text(message, "/role")) && content.is_some_and(|c| c.is_string() || c.is_array())
    };
    stream && !messages.is_empty() && messages.iter().all(message_ok)
}

async fn perform(app: &App, inputs: &Value, gateway: &Value) -> Outcome {
    let request = (text(inputs, "/method"), text(inputs, "/path"));
    let ordered = app.world().faults.take(Target::Gateway, BEFORE, request);
    let attempts = Attempts::parse(gateway);
    if let Some(fault) = &ordered
        && let Some(outcome) = ordered_failure(app, inputs, attempts, fault).await
    {
        return outcome;
    }
    let key = cache_key(gateway, inputs);
    if !flag(gateway, "/skipCache")
        && let Some(provided) = app.world().gateway.cached(&key)
    {
        return answered(&provided, true, 0);
    }
    let (provided, tries) = provider::call(app, inputs, attempts).await;
    let Some(provided) = provided else {
        return Outcome { attempts: tries, ..Outcome::refused(2005) };
    };
    if !flag(gateway, "/skipCache") && provided.status == 200 {
        app.world().gateway.remember(key, &provided);
    }
    let hit = ordered.is_some_and(|fault| fault.fault == "cache-hit");
    answered(&provided, hit, tries)
}

/// The key leaves `Authorization` out, which is how one person's answer reaches another.
fn cache_key(gateway: &Value, inputs: &Value) -> String {
    let custom = text(gateway, "/cacheKey");
    if !custom.is_empty() {
        return custom.to_owned();
    }
    let parts = json!([inputs.get("method"), inputs.get("path"), inputs.get("body")]);
    // Requests without the contract's keys differ only in their messages.
    let parts = if inputs.get("path").is_some() { parts } else { json!(inputs.get("messages")) };
    format!("{:x}", Sha256::digest(parts.to_string()))
}

fn answered(provided: &Provided, cached: bool, attempts: u32) -> Outcome {
    let mut reply = reply::body(provided.status, "application/json", provided.body.clone());
    if let Ok(kind) = provided.content_type.parse() {
        reply.headers_mut().insert("content-type", kind);
    }
    let reply = reply::with(reply, "cf-aig-cache-status", if cached { "HIT" } else { "MISS" });
    let reply = reply::with(reply, "cf-aig-step", "0");
    let reply = reply::with(reply, "cf-aig-provider", "custom-graph-handler");
    let response = Some(String::from_utf8_lossy(&provided.body).into_owned());
    Outcome { reply, code: None, response, cached, attempts }
}

async fn ordered_failure(app: &App, inputs: &Value, attempts: Attempts, fault: &Fault) -> Option<Outcome> {
    let once = Attempts { max: 1, ..attempts };
    let wait = |default: u64| Duration::from_millis(fault.delay_ms.unwrap_or(default));
    match fault.fault.as_str() {
        "unreachable" => Some(Outcome::plain(reply::unreachable())),
        "cache-hit" => None,
        "slow" => {
            tokio::time::sleep(wait(1000)).await;
            None
        }
        "policy-deny" => Some(Outcome::plain(policy(403, "Request denied by account policy"))),
        "policy-spend" => Some(Outcome::plain(policy(429, "Account spending limit reached"))),
        "act-then-timeout" => {
            let (_, tries) = provider::call(app, inputs, once).await;
            tokio::time::sleep(wait(60_000)).await;
            Some(Outcome { attempts: tries, ..Outcome::plain(reply::unreachable()) })
        }
        "act-then-2005" => {
            let (_, tries) = provider::call(app, inputs, once).await;
            Some(Outcome { attempts: tries, ..Outcome::refused(2005) })
        }
        "2030" => {
            let (_, tries) = provider::call(app, inputs, once).await;
            Some(Outcome { attempts: tries, ..Outcome::refused(2030) })
        }
        number => number.parse().ok().map(Outcome::refused),
    }
}
