//! Bodies with which the gateway itself refuses.

use serde_json::{Value, json};

use crate::reply::{self, Reply};

/// One `AiGatewayError`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatewayError {
    /// The gateway's own number.
    pub code: u16,
    /// The HTTP status.
    pub status: u16,
    /// The sentence.
    pub message: &'static str,
}

impl GatewayError {
    /// The refusal of a number; an unknown one is a plain 2002.
    pub fn of(code: u16) -> Self {
        let (status, message) = match code {
            2001 => (400, "Please configure AI Gateway in the Cloudflare dashboard"),
            2003 => (429, "Rate limited"),
            2005 => (500, "Failed to get response from provider"),
            2008 => (400, "Invalid provider"),
            2009 => (401, "Unauthorized"),
            2019 => (400, "Invalid chat completions format"),
            2029 => (400, "Request blocked due to DLP policies"),
            2030 => (400, "Response blocked due to DLP policies"),
            2041 | 2045 => (429, "Spend limit exceeded"),
            7003 => (404, "Model or route not found"),
            _ => (400, "Invalid request"),
        };
        Self { code, status, message }
    }

    /// The body, key by key as observed live.
    pub fn body(self) -> Value {
        let Self { code, status, message } = self;
        json!({
            "success": false, "result": [], "messages": [],
            "error": [{"code": code, "message": message}],
            "name": "AiGatewayError", "httpCode": status, "internalCode": code,
            "message": message, "description": message,
        })
    }

    /// The answer. A rate limit carries no `Retry-After`.
    pub fn reply(self) -> Reply {
        let answer = reply::body(self.status, "application/json", self.body().to_string());
        if matches!(self.code, 2029 | 2030) {
            return reply::with(answer, "cf-aig-dlp", "{\"action\":\"BLOCK\"}");
        }
        answer
    }
}

/// A refusal by an account policy: `error` is an object.
pub fn policy(status: u16, message: &str) -> Reply {
    let body = json!({
        "success": false, "result": null, "messages": [],
        "error": {"type": "policy", "message": message},
    });
    reply::body(status, "application/json", body.to_string())
}
