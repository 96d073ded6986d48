//! Building answers. No business rule lives here.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::Value;

/// An HTTP answer.
pub type Reply = Response<Body>;

/// Marks an answer that must never be sent: the connection is cut instead.
#[derive(Clone, Copy)]
pub struct Unreachable;

/// An answer with a body and its content type.
pub fn body(status: u16, content_type: &'static str, bytes: impl Into<Body>) -> Reply {
    let mut reply = Response::new(bytes.into());
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = HeaderValue::from_static(content_type);
    reply.headers_mut().insert(header::CONTENT_TYPE, content_type);
    reply
}

/// A JSON answer.
pub fn json(status: u16, value: &Value) -> Reply {
    body(status, "application/json; charset=utf-8", value.to_string())
}

/// An HTML page that loads nothing and runs nothing.
pub fn html(status: u16, page: String) -> Reply {
    let reply = body(status, "text/html; charset=utf-8", page);
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    with(with(reply, "content-security-policy", policy), "cache-control", "no-store")
}

/// An answer with neither body nor content type.
pub fn empty(status: u16) -> Reply {
    let mut reply = body(status, "text/plain", Body::empty());
    reply.headers_mut().remove(header::CONTENT_TYPE);
    reply
}

/// A redirect by 302, the status Entra uses.
pub fn found(location: &str) -> Reply {
    with(empty(302), "location", location)
}

/// A redirect after a form post.
pub fn see_other(location: &str) -> Reply {
    with(empty(303), "location", location)
}

/// The same answer with one header more; a value that is no header value is left out.
pub fn with(mut reply: Reply, name: &'static str, value: &str) -> Reply {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().append(HeaderName::from_static(name), value);
    }
    reply
}

/// A connection that breaks instead of an answer.
pub fn unreachable() -> Reply {
    let mut reply = empty(500);
    reply.extensions_mut().insert(Unreachable);
    reply
}

/// Escapes text for HTML content and attribute values.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
