//! Graph's error body.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

/// One refusal.
#[derive(Clone, Debug)]
pub struct GraphError {
    /// HTTP status.
    pub status: u16,
    /// The code clients branch on.
    pub code: &'static str,
    /// The sentence they must not branch on.
    pub message: String,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

impl GraphError {
    /// A refusal without further headers.
    pub fn new(status: u16, code: &'static str, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), headers: Vec::new() }
    }

    /// 400 `BadRequest`.
    pub fn bad(message: &str) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 404 of a path nobody serves.
    pub fn no_segment(segment: &str) -> Self {
        Self::new(404, "BadRequest", &format!("Resource not found for the segment '{segment}'."))
    }

    /// 404 of an Outlook item.
    pub fn no_item() -> Self {
        Self::new(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    }

    /// 400 of an id that is not even of the right form.
    pub fn malformed_id() -> Self {
        Self::new(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    }

    /// The body with its two ids.
    pub fn body(&self, request_id: &str, client_request_id: &str) -> Value {
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
        let date = OffsetDateTime::now_utc().format(&format).unwrap_or_default();
        json!({"error": {
            "code": self.code, "message": self.message,
            "innerError": {"date": date, "request-id": request_id, "client-request-id": client_request_id},
        }})
    }
}
