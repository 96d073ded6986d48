//! Entra's error shape: `error`, `error_description` with its AADSTS number, ids and a timestamp.

use serde_json::json;
use time::OffsetDateTime;
use time::macros::format_description;
use uuid::Uuid;

use crate::reply::{self, Reply};

/// One refusal.
#[derive(Clone, Debug)]
pub struct EntraError {
    /// The OAuth error.
    pub error: &'static str,
    /// The AADSTS number.
    pub code: u32,
    /// The sentence after the number.
    pub text: String,
    /// The finer cause, on some conditional-access refusals.
    pub suberror: Option<&'static str>,
}

impl EntraError {
    /// A refusal without `suberror`.
    pub fn new(error: &'static str, code: u32, text: &str) -> Self {
        Self { error, code, text: text.to_owned(), suberror: None }
    }

    /// `error_description` as it also appears on redirects.
    pub fn description(&self) -> String {
        format!("AADSTS{}: {}", self.code, self.text)
    }

    fn status(&self) -> u16 {
        match self.error {
            "invalid_client" => 401,
            "temporarily_unavailable" => 503,
            _ => 400,
        }
    }

    /// The token endpoint's answer.
    pub fn reply(&self) -> Reply {
        let now = OffsetDateTime::now_utc();
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");
        let timestamp = now.format(&format).unwrap_or_default();
        let (trace, correlation) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
        let description =
            format!("{} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}", self.description());
        let mut body = json!({
            "error": self.error, "error_description": description, "error_codes": [self.code],
            "timestamp": timestamp, "trace_id": trace, "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
        });
        if let Some(suberror) = self.suberror {
            crate::json::set(&mut body, "suberror", suberror);
        }
        let answer = reply::json(self.status(), &body);
        reply::with(reply::with(answer, "cache-control", "no-store, no-cache"), "pragma", "no-cache")
    }
}
