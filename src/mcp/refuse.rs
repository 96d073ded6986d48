//! Refusals at the HTTP level: the one place where a reason becomes a status, a header and a body.
//!
//! Refusals within JSON-RPC are `protocol::RpcError`.

use serde_json::value::RawValue;

use super::Endpoint;
use super::challenge::{Challenge, challenge};
use super::protocol::{Answer, RpcError, render};
use crate::agent::GrantError;
use crate::config::Config;
use crate::limits;
use crate::web::Response;

/// Seconds after which a client may try again what storage or the object's absence made fail.
const RETRY_AFTER: &str = "2";

/// For the person who sees it where a client does not sign in for more by itself.
const INSUFFICIENT_SCOPE: &str = r#"{"error":"insufficient_scope","error_description":"This sign-in does not include a permission that is needed: sign in again and agree to it. The tool authenticate says which one."}"#;

/// Why the grant's object did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// It said no.
    #[error(transparent)]
    Refused(#[from] GrantError),
    /// It did not answer, or not to the question.
    #[error("the grant's object did not answer")]
    Unavailable,
    /// The client did not wait for it.
    #[error("the client has gone")]
    Gone,
}

/// 401: no token, or one that does not count. 403: a token that counts, but not for this.
pub(super) fn unauthorized(config: &Config, endpoint: Endpoint, kind: Challenge) -> Response {
    let (status, body) = match kind {
        Challenge::Missing(_) => (401, r#"{"error":"unauthorized"}"#),
        Challenge::InvalidToken(_) => (401, r#"{"error":"invalid_token"}"#),
        Challenge::InsufficientScope(_) => (403, INSUFFICIENT_SCOPE),
    };
    Response::json_bytes(status, body.as_bytes().to_vec())
        .with("www-authenticate", challenge(config, endpoint.resource(), kind))
        .with("cache-control", "no-store")
}

/// A refused message: a JSON-RPC error under an HTTP error status.
pub(super) fn message(status: u16, id: Option<&RawValue>, error: RpcError) -> Response {
    let body = render(id, &Answer::Error(error));
    Response::json_bytes(status, body.into_bytes()).with("cache-control", "no-store")
}

/// 404, on which a client initialises anew. The same for a session that never was, one that has ended and one that is
/// another caller's, so that nothing is learnt by trying.
pub(super) fn unknown_session(id: Option<&RawValue>) -> Response {
    message(404, id, RpcError::new(-32600, "unknown or ended session: initialize again"))
}

/// 404: the stream on which the answer would go has no connection, because a deploy or a network took it away. At once,
/// so that its client does not wait for an answer that cannot come, and nothing is done whose outcome it would not learn.
pub(super) fn not_connected() -> Response {
    message(404, None, RpcError::invalid_request("the stream of this session is not connected: connect again"))
}

/// 400 and no 404, which would say that the session is over. The same for an event that never was, one that is too old
/// and one of another session.
pub(super) fn unknown_event() -> Response {
    message(400, None, RpcError::invalid_request("unknown Last-Event-ID: connect without one"))
}

/// What the object's refusal means to the client.
pub(super) fn failed(config: &Config, endpoint: Endpoint, failure: &Failure) -> Response {
    match failure {
        Failure::Refused(error) => refused(config, endpoint, error),
        Failure::Unavailable => unavailable(),
        // Nobody reads it but the log.
        Failure::Gone => Response::empty(499),
    }
}

/// A refusal that came too late for a status.
pub(super) fn told(failure: &Failure) -> RpcError {
    match failure {
        Failure::Refused(error) => RpcError::new(-32603, format!("{error}: connect again")),
        Failure::Unavailable | Failure::Gone => RpcError::new(-32603, "temporarily unavailable: try again"),
    }
}

fn refused(config: &Config, endpoint: Endpoint, error: &GrantError) -> Response {
    match error {
        GrantError::Unknown | GrantError::Revoked | GrantError::TokenInvalid => {
            unauthorized(config, endpoint, Challenge::InvalidToken("the token was revoked"))
        }
        GrantError::SignInNeeded => {
            unauthorized(config, endpoint, Challenge::InvalidToken("the user must sign in to Microsoft again"))
        }
        GrantError::InsufficientScope { scopes } => {
            unauthorized(config, endpoint, Challenge::InsufficientScope(*scopes))
        }
        GrantError::OtherIdentity => Response::text(403, "this sign-in belongs to another Access identity\n"),
        GrantError::SessionEnded => unknown_session(None),
        GrantError::EventUnknown => unknown_event(),
        GrantError::NotConnected => not_connected(),
        GrantError::Storage | GrantError::EntraUnavailable | GrantError::EntraRefusesServer => unavailable(),
        // None of these answers a question that this layer asks; a 500 says that the fault is ours.
        GrantError::Exists
        | GrantError::StateInvalid
        | GrantError::OtherClient
        | GrantError::RedirectMismatch
        | GrantError::VerifierMismatch
        | GrantError::ResourceMismatch
        | GrantError::ScopeExceeded
        | GrantError::CodeInvalid
        | GrantError::CodeReused
        | GrantError::TokenReused
        | GrantError::AssertionReused => Response::text(500, "the server cannot answer this\n"),
    }
}

/// 429: too many tokens that were none.
pub(super) fn rate_limited() -> Response {
    Response::text(429, "too many failed authentications: try again later\n").with("retry-after", limits::RETRY_AFTER)
}

fn unavailable() -> Response {
    Response::text(503, "temporarily unavailable\n").with("retry-after", RETRY_AFTER)
}
