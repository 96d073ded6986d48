//! The custom provider `graph-handler`: one attempt or several at the Worker's handler.

use std::time::Duration;

use serde_json::{Value, json};

use super::store::Provided;
use crate::App;
use crate::json::{items, text};

/// How often and how patiently the provider is called.
#[derive(Clone, Copy, Debug)]
pub struct Attempts {
    /// Upper limit of tries.
    pub max: u32,
    /// Pause between two tries.
    pub delay: Duration,
    /// Limit of one try.
    pub timeout: Duration,
}

impl Attempts {
    /// Reads the `gateway` options; without `retries` the gateway tries again on its own account.
    pub fn parse(options: &Value) -> Self {
        let number = |pointer: &str| options.pointer(pointer).and_then(Value::as_u64);
        Self {
            max: number("/retries/maxAttempts").map_or(2, |max| u32::try_from(max).unwrap_or(5).clamp(1, 5)),
            delay: Duration::from_millis(number("/retries/retryDelayMs").unwrap_or(100).min(5000)),
            timeout: Duration::from_millis(number("/requestTimeoutMs").unwrap_or(30_000)),
        }
    }
}

/// Calls the handler until it answers below 500 or the attempts are used up.
///
/// Returns the last answer, if there was one, and the number of calls made.
pub async fn call(app: &App, inputs: &Value, attempts: Attempts) -> (Option<Provided>, u32) {
    let body = chat_body(inputs);
    let mut last = None;
    for attempt in 1..=attempts.max {
        last = once(app, &body, attempts.timeout).await;
        if last.as_ref().is_some_and(|answer| answer.status < 500) {
            return (last, attempt);
        }
        if attempt < attempts.max {
            tokio::time::sleep(attempts.delay).await;
        }
    }
    (last, attempts.max)
}

/// Everything but `messages` and `stream` is dropped, and of a message everything but role and text.
fn chat_body(inputs: &Value) -> Value {
    let messages: Vec<Value> = items(inputs, "/messages")
        .iter()
        .map(|message| json!({"role": text(message, "/role"), "content": message.get("content")}))
        .collect();
    let stream = crate::json::flag(inputs, "/stream");
    json!({"model": "microsoft-graph", "messages": messages, "stream": stream})
}

async fn once(app: &App, body: &Value, timeout: Duration) -> Option<Provided> {
    let url = format!("{}/graph-handler/v1/chat/completions", app.settings.worker);
    let request = app.http.post(url).bearer_auth(app.settings.handler_key.expose()).timeout(timeout).json(body);
    let answer = request.send().await.ok()?;
    let status = answer.status().as_u16();
    let content_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or("application/octet-stream").to_owned();
    Some(Provided { status, content_type, body: answer.bytes().await.ok()? })
}
