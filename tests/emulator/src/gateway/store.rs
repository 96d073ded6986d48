//! The gateway's log store and cache.

use std::collections::HashMap;

use axum::body::Bytes;
use serde::Serialize;
use serde_json::Value;
use time::{Duration, OffsetDateTime};

/// How long an answer is cached for everybody.
const CACHE_SECONDS: i64 = 300;

/// One log entry, as the control interface and the page show it.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    /// Log id.
    pub id: String,
    /// When, RFC 3339.
    pub at: String,
    /// Gateway id, as asked for.
    pub gateway: String,
    /// Model or route, as asked for.
    pub route: String,
    /// Status of the gateway's answer.
    pub status: u16,
    /// Number of the gateway's own error.
    pub code: Option<u16>,
    /// The metadata that was kept.
    pub metadata: Value,
    /// The request's inputs, unless payloads are not collected.
    pub payload: Option<Value>,
    /// The answer's body, unless payloads are not collected.
    pub response: Option<String>,
    /// Whether the answer came from the cache.
    pub cached: bool,
    /// How often the provider was called.
    pub attempts: u32,
    /// Headers of the binding's request.
    pub request_headers: Value,
    /// The `gateway` options of the call.
    pub options: Value,
    /// Feedback patched on later.
    pub patch: Option<Value>,
}

/// A provider's answer.
#[derive(Clone, Debug)]
pub struct Provided {
    /// HTTP status.
    pub status: u16,
    /// Content type.
    pub content_type: String,
    /// Body.
    pub body: Bytes,
}

/// Logs and cache.
#[derive(Default)]
pub struct GatewayStore {
    /// All entries, oldest first.
    pub logs: Vec<LogEntry>,
    /// Whether dynamic routes answer with `cf-aig-log-id`.
    pub log_id: bool,
    cache: HashMap<String, (OffsetDateTime, Provided)>,
}

impl GatewayStore {
    /// A cached answer that is still fresh.
    pub fn cached(&self, key: &str) -> Option<Provided> {
        let (until, provided) = self.cache.get(key)?;
        (*until > OffsetDateTime::now_utc()).then(|| provided.clone())
    }

    /// Caches an answer.
    pub fn remember(&mut self, key: String, provided: &Provided) {
        let until = OffsetDateTime::now_utc() + Duration::seconds(CACHE_SECONDS);
        self.cache.insert(key, (until, provided.clone()));
    }
}
