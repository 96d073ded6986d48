//! What leaves the Worker: plain HTTPS, and calls of the AI binding.

use async_trait::async_trait;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// A request that leaves the Worker.
#[derive(Clone, Debug, Default)]
pub struct OutboundRequest {
    /// Upper-case method.
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// `None` sends no body.
    pub body: Option<Vec<u8>>,
    /// The most that the answer's body may hold, in bytes: nothing is read beyond it. `None` leaves the port's own
    /// limit.
    pub max_answer: Option<usize>,
}

/// The answer to an [`OutboundRequest`] or a gateway call.
#[derive(Clone, Debug, Default)]
pub struct OutboundResponse {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl OutboundResponse {
    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Retry-After in seconds from `now`, given as seconds or as an HTTP date (RFC 9110 section 10.2.3).
    pub fn retry_after(&self, now: u64) -> Option<u64> {
        let value = self.header("retry-after")?.trim();
        value.parse().ok().or_else(|| {
            let date = OffsetDateTime::parse(value, &Rfc2822).ok()?.unix_timestamp();
            Some(u64::try_from(date).ok()?.saturating_sub(now))
        })
    }
}

/// Why a call out of the Worker gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// No answer within the time limit: the far end may have acted.
    #[error("no answer within the time limit")]
    Timeout,
    /// The connection failed or broke: the far end may have acted.
    #[error("the connection failed")]
    Unreachable,
    /// The answer was larger than the caller takes.
    #[error("the answer was too large")]
    TooLarge,
}

/// Plain HTTPS: Entra, JWK sets, Access certificates, clients' documents, and Graph from the gateway's handler. Never
/// follows a redirect, never sends `Origin`.
#[async_trait(?Send)]
pub trait Upstream {
    /// Whether a stranger may choose the host: every request goes out by the public way in of its host, never behind
    /// it to an origin of the Worker's own zone.
    fn is_strictly_public(&self) -> bool;

    /// Sends within `limit_ms`.
    async fn send(&self, request: OutboundRequest, limit_ms: u64) -> Result<OutboundResponse, UpstreamError>;
}

/// One `env.AI.run` call.
#[derive(Clone, Debug)]
pub struct AiCall {
    /// `dynamic/<route>`.
    pub model: String,
    /// JSON text of the inputs.
    pub inputs: String,
    /// JSON text of the options: `gateway`, `returnRawResponse`, `extraHeaders`.
    pub options: String,
    /// Our own time limit; the call is aborted after it.
    pub limit_ms: u64,
}

/// Cloudflare's AI binding.
#[async_trait(?Send)]
pub trait AiGateway {
    /// Runs the route and returns its raw response.
    async fn run(&self, call: AiCall) -> Result<OutboundResponse, UpstreamError>;
}
