//! What can go wrong at each OAuth endpoint, by cause; and the one place where causes become the few codes of RFC 6749,
//! RFC 7591, RFC 8707 and RFC 7009, or a page for the person.
//!
//! What clients are told at `/authorize` is `authorize`, what the person is shown is `notice`; here are the endpoints
//! that clients call themselves.

mod authorize;
mod notice;

use std::borrow::Cow;

use serde::Serialize;

use crate::agent::GrantError;
use crate::limits::{self, RateLimited};
use crate::ports::KvError;
use crate::web::Response;

use super::client_assertion::AssertionError;
use super::client_document::DocumentError;

pub use authorize::AuthorizeError;
pub use notice::{AdminConsent, LocalError, Notice};

/// Seconds after which storage that failed or was throttled is worth another try.
const SOON: &str = "5";

/// An OAuth error as it goes over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The registered code.
    #[serde(rename = "error")]
    pub code: &'static str,
    /// For the client's developer.
    #[serde(rename = "error_description")]
    pub description: &'static str,
}

const fn refusal(code: &'static str, description: &'static str) -> Refusal {
    Refusal { code, description }
}

/// Why a registration was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum RegisterError {
    #[error("not a JSON object of client metadata")]
    Malformed,
    #[error("too large")]
    TooLarge,
    #[error("redirect_uris")]
    RedirectUris,
    #[error("token_endpoint_auth_method")]
    AuthMethod,
    #[error("application_type")]
    ApplicationType,
    #[error("a web application with a redirect URI on the user's device")]
    WebOnDevice,
    #[error("grant_types or response_types")]
    Flow,
    #[error("a metadata URI")]
    MetadataUri,
    #[error("registration is closed")]
    Closed,
    #[error("the day's registrations are used up")]
    DailyCap { retry_after: u64 },
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    #[error("storage throttled")]
    Throttled,
    #[error("storage unavailable")]
    Unavailable,
}

impl RegisterError {
    /// RFC 7591 section 3.2.2.
    pub fn response(self) -> Response {
        let bad = |description| (400, refusal("invalid_client_metadata", description));
        let (status, refusal) = match self {
            Self::Malformed => bad("The body must be a JSON object of client metadata"),
            Self::TooLarge => (413, refusal("invalid_client_metadata", "The body is larger than 16 KiB")),
            Self::RedirectUris => (
                400,
                refusal(
                    "invalid_redirect_uri",
                    "redirect_uris must be 1 to 10 absolute URIs: https, or http on a loopback host; without fragment, user information or wildcard",
                ),
            ),
            Self::AuthMethod => {
                bad("token_endpoint_auth_method must be none, client_secret_basic or client_secret_post")
            }
            Self::ApplicationType => bad("application_type must be native or web"),
            Self::WebOnDevice => (
                400,
                refusal("invalid_redirect_uri", "application_type web takes https alone; an app on a device is native"),
            ),
            Self::Flow => bad("grant_types must be authorization_code and refresh_token, response_types code"),
            Self::MetadataUri => bad("client_uri, logo_uri, policy_uri and tos_uri must be http or https"),
            Self::Closed => (403, refusal("access_denied", "Clients are registered by this server's operator only")),
            Self::DailyCap { retry_after } => return too_many(retry_after.to_string()),
            Self::RateLimited(RateLimited) => return too_many(limits::RETRY_AFTER),
            Self::Throttled => return too_many(SOON),
            Self::Unavailable => return unavailable(),
        };
        uncached(status, &refusal)
    }
}

/// Why the token or revocation endpoint refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum TokenRequestError {
    #[error("not a form")]
    MediaType,
    #[error("too large")]
    TooLarge,
    #[error("a parameter came twice")]
    Repeated,
    #[error("missing {0}")]
    Missing(&'static str),
    #[error("two ways of client authentication")]
    TwoCredentials,
    #[error("client authentication failed")]
    InvalidClient { basic: bool },
    #[error("client document: {0}")]
    Document(DocumentError),
    #[error("client assertion: {0}")]
    Assertion(#[from] AssertionError),
    #[error("unsupported grant type")]
    GrantType,
    #[error("malformed code_verifier")]
    Verifier,
    #[error("resource is not this server")]
    InvalidTarget,
    #[error("scope names nothing that this server hands out")]
    Scope,
    #[error("a code or token that was not issued here, or has expired")]
    NotGenuine,
    #[error(transparent)]
    Grant(#[from] GrantError),
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    #[error("storage throttled")]
    Throttled,
    #[error("storage unavailable")]
    Unavailable,
}

impl TokenRequestError {
    /// Whether the client did not prove itself: what a network that guesses meets again and again.
    pub const fn is_of_the_client(&self) -> bool {
        matches!(self, Self::InvalidClient { .. } | Self::Document(_) | Self::Assertion(_))
    }

    /// RFC 6749 section 5.2, RFC 7009 section 2.2.1.
    pub fn response(&self) -> Response {
        let invalid = |description| refusal("invalid_request", description);
        let refused = match self {
            Self::MediaType => invalid("The body must be application/x-www-form-urlencoded"),
            Self::TooLarge => invalid("The body is larger than 16 KiB"),
            Self::Repeated => invalid("A parameter came more than once"),
            Self::Missing(_) => invalid("A required parameter is missing"),
            Self::TwoCredentials => invalid("Use one way of client authentication"),
            Self::InvalidClient { basic } => return invalid_client(*basic),
            // Which of them it was is for the log: to a stranger every failure of a client is one.
            Self::Document(_) | Self::Assertion(_) | Self::Grant(GrantError::AssertionReused) => {
                return invalid_client(false);
            }
            Self::GrantType => refusal("unsupported_grant_type", "Use authorization_code or refresh_token"),
            Self::Verifier => invalid("code_verifier must be 43 to 128 unreserved characters"),
            Self::InvalidTarget => refusal("invalid_target", "resource is not this server"),
            Self::Scope => refusal("invalid_scope", "scope names nothing that this server hands out"),
            Self::NotGenuine => refusal("invalid_grant", "The code or token is unknown, used or expired"),
            Self::RateLimited(RateLimited) => return too_many(limits::RETRY_AFTER),
            Self::Throttled => return too_many(SOON),
            Self::Unavailable => return unavailable(),
            Self::Grant(error) => match of_grant(error) {
                Some(refusal) => refusal,
                None => return unavailable(),
            },
        };
        uncached(400, &refused)
    }
}

/// `None` where nothing was decided and the client should come back.
const fn of_grant(error: &GrantError) -> Option<Refusal> {
    match error {
        GrantError::EntraUnavailable | GrantError::EntraRefusesServer | GrantError::Storage => None,
        GrantError::AssertionReused => Some(refusal("invalid_client", "Client authentication failed")),
        GrantError::ResourceMismatch => Some(refusal("invalid_target", "resource differs from the authorization")),
        GrantError::ScopeExceeded => Some(refusal("invalid_scope", "scope exceeds the authorization")),
        GrantError::SignInNeeded => Some(refusal("invalid_grant", "The user must sign in to Microsoft again")),
        GrantError::RedirectMismatch => Some(refusal("invalid_grant", "redirect_uri differs from the authorization")),
        GrantError::VerifierMismatch => Some(refusal("invalid_grant", "code_verifier does not fit the challenge")),
        GrantError::Unknown
        | GrantError::Revoked
        | GrantError::Exists
        | GrantError::StateInvalid
        | GrantError::OtherIdentity
        | GrantError::OtherClient
        | GrantError::CodeInvalid
        | GrantError::CodeReused
        | GrantError::TokenInvalid
        | GrantError::TokenReused
        | GrantError::InsufficientScope { .. }
        | GrantError::SessionEnded
        | GrantError::NotConnected
        | GrantError::EventUnknown => Some(refusal("invalid_grant", "The code or token is unknown, used or expired")),
    }
}

impl From<KvError> for RegisterError {
    fn from(error: KvError) -> Self {
        match error {
            KvError::Unavailable => Self::Unavailable,
            KvError::Throttled => Self::Throttled,
        }
    }
}

impl From<KvError> for TokenRequestError {
    fn from(error: KvError) -> Self {
        match error {
            KvError::Unavailable => Self::Unavailable,
            KvError::Throttled => Self::Throttled,
        }
    }
}

/// The caller asked too often.
fn too_many(retry_after: impl Into<Cow<'static, str>>) -> Response {
    uncached(429, &refusal("temporarily_unavailable", "Too many requests, try again later"))
        .with("retry-after", retry_after)
}

/// Nothing was decided.
fn unavailable() -> Response {
    uncached(503, &refusal("temporarily_unavailable", "Try again later")).with("retry-after", SOON)
}

fn invalid_client(basic: bool) -> Response {
    let response = uncached(401, &refusal("invalid_client", "Client authentication failed"));
    if basic { response.with("www-authenticate", "Basic realm=\"m365-mcp\", charset=\"UTF-8\"") } else { response }
}

/// JSON that no cache may keep (RFC 6749 section 5.1).
pub fn uncached(status: u16, body: &impl Serialize) -> Response {
    Response::json(status, body).with("cache-control", "no-store").with("pragma", "no-cache")
}
