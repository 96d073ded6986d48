//! The gateway's HTTPS address with the custom provider `microsoft-graph`:
//! `https://gateway.ai.cloudflare.com/v1/{account}/{gateway}/custom-microsoft-graph/{path}`.
//!
//! Method, query, headers and body pass as they are; `cf-aig-*` headers end here.

use axum::http::HeaderMap;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::GATEWAY;
use super::error::{GatewayError, policy};
use super::log::header_metadata;
use super::store::LogEntry;
use crate::App;
use crate::call::Call;
use crate::faults::Target;
use crate::graph;
use crate::reply::{self, Reply};

const FAULTS: &[&str] = &[
    "2001",
    "2003",
    "2005",
    "2008",
    "2009",
    "2029",
    "2030",
    "2041",
    "2045",
    "7003",
    "policy-deny",
    "policy-spend",
    "act-then-2005",
    "unreachable",
    "cache-hit",
];

/// Answers a request to the gateway's HTTPS address.
pub async fn handle(app: &App, call: &Call) -> Reply {
    let (reply, code) = match check(app, call) {
        Ok(path) => forward(app, call, path).await,
        Err(code) => (GatewayError::of(code).reply(), Some(code)),
    };
    record(app, call, &reply, code);
    reply
}

/// The path below the provider, or the number of the refusal.
fn check<'a>(app: &App, call: &'a Call) -> Result<&'a str, u16> {
    let rest = call.path.strip_prefix("/v1/").ok_or(2002_u16)?;
    let mut parts = rest.splitn(4, '/');
    let (_account, gateway) = (parts.next(), parts.next());
    if gateway != Some(GATEWAY) {
        return Err(2001);
    }
    let token = call.header("cf-aig-authorization").and_then(|value| value.strip_prefix("Bearer "));
    if token != Some(app.settings.gateway_token.expose()) {
        return Err(2009);
    }
    if parts.next() != Some("custom-microsoft-graph") {
        return Err(2008);
    }
    parts.next().ok_or(2008)
}

async fn forward(app: &App, call: &Call, path: &str) -> (Reply, Option<u16>) {
    let path = format!("/{path}");
    let ordered = app.world().faults.take(Target::Gateway, FAULTS, (call.method.as_str(), &path));
    let upstream = Call { path, headers: upstream_headers(&call.headers), ..call.clone() };
    let refuse = |code: u16| (GatewayError::of(code).reply(), Some(code));
    match ordered.as_ref().map(|fault| fault.fault.as_str()) {
        Some("unreachable") => (reply::unreachable(), None),
        Some("policy-deny") => (policy(403, "Request denied by account policy"), None),
        Some("policy-spend") => (policy(429, "Account spending limit reached"), None),
        Some(after @ ("2030" | "act-then-2005")) => {
            graph::handle(app, &upstream).await;
            refuse(if after == "2030" { 2030 } else { 2005 })
        }
        Some("cache-hit") => {
            let answer = graph::handle(app, &upstream).await;
            (reply::with(answer, "cf-aig-cache-status", "HIT"), None)
        }
        Some(number) => refuse(number.parse().unwrap_or(2002)),
        None => {
            let answer = graph::handle(app, &upstream).await;
            (reply::with(answer, "cf-aig-cache-status", "MISS"), None)
        }
    }
}

fn upstream_headers(headers: &HeaderMap) -> HeaderMap {
    let kept = headers.iter().filter(|(name, _)| !name.as_str().starts_with("cf-aig-"));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn record(app: &App, call: &Call, reply: &Reply, code: Option<u16>) {
    if call.header("cf-aig-collect-log") == Some("false") {
        return;
    }
    let payloads = call.header("cf-aig-collect-log-payload") != Some("false");
    let body = String::from_utf8_lossy(&call.body).into_owned();
    let entry = LogEntry {
        id: format!("01{}", Uuid::new_v4().simple()).to_uppercase(),
        at: OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
        gateway: GATEWAY.to_owned(),
        route: "custom-microsoft-graph".to_owned(),
        status: reply.status().as_u16(),
        code,
        metadata: header_metadata(call.header("cf-aig-metadata").unwrap_or("{}")),
        payload: payloads.then(|| json!({"method": call.method.as_str(), "path": call.path, "body": body})),
        attempts: u32::from(code.is_none()),
        request_headers: Value::Null,
        ..LogEntry::default()
    };
    app.world().gateway.logs.push(entry);
}
