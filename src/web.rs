//! HTTP as the core sees it: requests, responses, the security headers and CORS.
//!
//! Owns the shapes only. Which route answers what is `app`; which error becomes which status is `app` too.

mod watch;

use std::borrow::Cow;
use std::fmt;

use futures_util::future::LocalBoxFuture;
use serde::Serialize;

pub use watch::{StreamEnd, Watch};

use crate::log::{Event, Kind};

/// The request headers that anything here reads; the edge copies these and no others, because each look-up crosses
/// from Wasm to JavaScript.
pub const READ_HEADERS: &[&str] = &[
    "accept",
    "access-control-request-method",
    "authorization",
    "cf-access-jwt-assertion",
    "cf-connecting-ip",
    "cf-ray",
    "content-type",
    "cookie",
    "host",
    "last-event-id",
    "mcp-method",
    "mcp-name",
    #[cfg(feature = "conformance")]
    "mcp-param-region",
    "mcp-protocol-version",
    "mcp-session-id",
    "origin",
    "sec-fetch-site",
];

/// An HTTP method that some route answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// DELETE
    Delete,
    /// OPTIONS
    Options,
    /// Any other
    Other,
}

impl Method {
    /// Reads the upper-case name.
    pub fn parse(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }

    /// The name for log lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other => "OTHER",
        }
    }
}

/// A request as it came in, body read and within the route's limit.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path, still percent-encoded.
    pub path: String,
    /// Query without the question mark.
    pub query: Option<String>,
    /// The headers of [`READ_HEADERS`] that were present.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Request {
    /// A header by its lower-case name, without the white space around it, which is not part of it (RFC 9110 section 5.5)
    /// and which workerd leaves there. Two of one name arrive joined by a comma.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(key, _)| *key == name)?;
        Some(value.trim_matches([' ', '\t']))
    }

    /// The value of one cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.header("cookie")?
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// Whether the media type is exactly `expected`, parameters aside.
    pub fn has_media_type(&self, expected: &str) -> bool {
        self.header("content-type")
            .and_then(|value| value.split(';').next())
            .is_some_and(|value| value.trim().eq_ignore_ascii_case(expected))
    }
}

/// What every handler knows about the request beside its bytes.
#[derive(Clone, Debug)]
pub struct Context {
    /// UUID of this request: response header, log line, gateway metadata, Graph's `client-request-id`, tool error.
    pub request_id: String,
    /// Cloudflare's ray.
    pub ray_id: Option<String>,
    /// Unix seconds at arrival.
    pub now: u64,
}

impl Context {
    /// An event of this request: the ids that join its log lines are in it.
    pub fn event(&self, kind: Kind) -> Event<'_> {
        Event { request_id: Some(&self.request_id), ray_id: self.ray_id.as_deref(), ..Event::new(kind) }
    }
}

/// The stream that a response hands to the client; the edge holds it open and feeds it from the object's socket.
#[derive(Debug)]
pub struct StreamSpec {
    /// The object that owns the stream.
    pub agent: crate::agent::AgentName,
    /// How the stream is taken up there.
    pub attach: crate::agent::Attach,
    /// Bytes that go out first (the `endpoint` event).
    pub prelude: String,
    /// What is done once the stream is connected.
    pub work: Option<Work>,
    /// Where there is no work: whether somebody is there.
    pub watch: Option<Watch>,
}

/// Work under way while its stream is open. Comes to the event that ends the stream, or to nothing where the object ends
/// it.
pub struct Work(pub LocalBoxFuture<'static, Option<String>>);

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Work(…)")
    }
}

/// A response's body.
#[derive(Debug)]
pub enum Body {
    /// None.
    Empty,
    /// All of it.
    Bytes(Cow<'static, [u8]>),
    /// Server-sent events.
    Stream(Box<StreamSpec>),
}

/// A response header: name in lower case, value.
pub type Header = (&'static str, Cow<'static, str>);

/// A response.
#[derive(Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case; a name may repeat (`set-cookie`).
    pub headers: Vec<Header>,
    /// Body.
    pub body: Body,
}

impl Response {
    /// A response without a body.
    pub const fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Empty }
    }

    /// A JSON answer.
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        // Our own types serialise; if one ever did not, an empty 500 is the honest answer.
        serde_json::to_vec(value).map_or_else(|_| Self::empty(500), |bytes| Self::json_bytes(status, bytes))
    }

    /// A JSON answer from bytes that are JSON already.
    pub fn json_bytes(status: u16, bytes: impl Into<Cow<'static, [u8]>>) -> Self {
        Self { status, headers: vec![("content-type", "application/json".into())], body: Body::Bytes(bytes.into()) }
    }

    /// A plain-text answer that is never stored.
    pub fn text(status: u16, text: impl Into<Cow<'static, str>>) -> Self {
        let bytes = match text.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        Self {
            status,
            headers: vec![("content-type", "text/plain; charset=utf-8".into()), ("cache-control", "no-store".into())],
            body: Body::Bytes(bytes),
        }
    }

    /// A page. Nothing is loaded from anywhere, no script runs, nobody frames it; its style has `nonce`.
    /// `form-action` is left out on purpose: Chromium checks it along the whole redirect chain after the consent
    /// POST, and the chain ends at the client.
    pub fn html(status: u16, page: String, nonce: &str) -> Self {
        Self::document(status, page, format!("default-src 'none'; style-src 'nonce-{nonce}'"))
    }

    /// A page on which nothing is decided, with one script of ours that has `nonce`.
    pub fn html_with_script(status: u16, page: String, nonce: &str) -> Self {
        Self::document(
            status,
            page,
            format!("default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'"),
        )
    }

    fn document(status: u16, page: String, sources: String) -> Self {
        let policy = sources + "; base-uri 'none'; frame-ancestors 'none'";
        Self {
            status,
            headers: vec![
                ("content-type", "text/html; charset=utf-8".into()),
                ("cache-control", "no-store".into()),
                ("content-security-policy", policy.into()),
                ("x-frame-options", "DENY".into()),
                ("referrer-policy", "no-referrer".into()),
            ],
            body: Body::Bytes(page.into_bytes().into()),
        }
    }

    /// A redirect after which the browser uses GET (RFC 9700 section 4.12 forbids 307 and 308 here).
    pub fn redirect(location: String) -> Self {
        Self {
            status: 302,
            headers: vec![
                ("location", location.into()),
                ("cache-control", "no-store".into()),
                ("referrer-policy", "no-referrer".into()),
            ],
            body: Body::Empty,
        }
    }

    /// The wrong method for this path.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        Self::text(405, "method not allowed\n").with("allow", allow)
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_ref())
    }

    /// The body as text; empty for streams.
    pub fn body_text(&self) -> Cow<'_, str> {
        match &self.body {
            Body::Bytes(bytes) => String::from_utf8_lossy(bytes),
            Body::Empty | Body::Stream(_) => Cow::Borrowed(""),
        }
    }
}

/// The answer to a CORS preflight. Names every header, because a wildcard never covers `Authorization`.
pub fn preflight(origin: Option<&str>, methods: &'static str) -> Response {
    let response = Response::empty(204)
        .with("access-control-allow-methods", methods)
        .with(
            "access-control-allow-headers",
            "Authorization, Content-Type, Accept, Mcp-Session-Id, MCP-Protocol-Version, Last-Event-ID, Mcp-Method, Mcp-Name",
        )
        .with("access-control-max-age", "86400");
    with_cors(response, origin)
}

/// Lets the page at `origin` read the answer, never with credentials.
pub fn with_cors(response: Response, origin: Option<&str>) -> Response {
    let Some(origin) = origin else { return response };
    response
        .with("access-control-allow-origin", origin.to_owned())
        .with("vary", "Origin")
        .with("access-control-expose-headers", "WWW-Authenticate, Retry-After, Mcp-Session-Id, X-Request-Id")
}

#[cfg(test)]
mod tests;
