//! What the gateway's log keeps of a call: metadata by its rules, payloads unless refused.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::binding::original;
use super::run::Outcome;
use super::store::LogEntry;
use crate::App;
use crate::call::Call;
use crate::json::text;
use crate::reply::{self, Reply};

/// The metadata in the order it was sent, which a JSON map would lose.
#[derive(Default)]
struct Ordered(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Ordered;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// Keeps the first five entries of the sent metadata; one value that is no scalar loses them all.
pub fn kept_metadata(body: &[u8]) -> Value {
    #[derive(Deserialize)]
    struct Gateway {
        #[serde(default)]
        metadata: Ordered,
    }
    #[derive(Deserialize)]
    struct Options {
        gateway: Gateway,
    }
    #[derive(Deserialize)]
    struct Body {
        options: Options,
    }
    let Ok(body) = serde_json::from_slice::<Body>(body) else {
        return json!({});
    };
    first_five(body.options.gateway.metadata)
}

/// The same rules for the header `cf-aig-metadata`.
pub fn header_metadata(header: &str) -> Value {
    first_five(serde_json::from_str(header).unwrap_or_default())
}

fn first_five(Ordered(entries): Ordered) -> Value {
    let scalar = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
    if !entries.iter().all(|(_, value)| scalar(value)) {
        return json!({});
    }
    Value::Object(entries.into_iter().take(5).collect())
}

/// Logs a call as its headers and options allow, and dresses the answer.
pub fn record(app: &App, call: &Call, body: &Value, outcome: Outcome) -> Reply {
    let mut gateway = body.pointer("/options/gateway").cloned().unwrap_or(Value::Null);
    crate::json::remove(&mut gateway, "metadata");
    let id = format!("01{}", Uuid::new_v4().simple()).to_uppercase();
    let payloads = original(call, "cf-aig-collect-log-payload") != Some("false");
    let collected =
        original(call, "cf-aig-collect-log") != Some("false") && gateway.get("collectLog") != Some(&Value::Bool(false));
    let entry = LogEntry {
        id: id.clone(),
        at: OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
        gateway: text(&gateway, "/id").to_owned(),
        route: original(call, "cf-consn-model-id").unwrap_or("").to_owned(),
        status: outcome.reply.status().as_u16(),
        code: outcome.code,
        metadata: kept_metadata(&call.body),
        payload: body.get("inputs").filter(|_| payloads).cloned(),
        response: outcome.response.filter(|_| payloads),
        cached: outcome.cached,
        attempts: outcome.attempts,
        request_headers: original_headers(call),
        options: gateway,
        patch: None,
    };
    let mut world = app.world();
    let shows_id = world.gateway.log_id;
    if collected {
        world.gateway.logs.push(entry);
    }
    let reply = reply::with(outcome.reply, "cf-ray", &format!("{:x}-EMU", Uuid::new_v4().as_u64_pair().0));
    if shows_id { reply::with(reply, "cf-aig-log-id", &id) } else { reply }
}

fn original_headers(call: &Call) -> Value {
    let headers = call.headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("mf-header-")?;
        Some((name.to_owned(), Value::from(value.to_str().unwrap_or(""))))
    });
    Value::Object(headers.collect())
}
