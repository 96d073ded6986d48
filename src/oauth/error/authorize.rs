//! What a client hears of its authorization request, by a redirect.

use super::{Refusal, refusal};
use crate::oauth::entra::{Help, SERVER_REFUSED};

/// What goes back to a client whose redirect URI is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum AuthorizeError {
    #[error("a parameter came twice")]
    Repeated,
    #[error("state is longer than 2048 characters")]
    StateTooLong,
    #[error("resource is not this server")]
    InvalidTarget,
    #[error("response_type is missing")]
    NoResponseType,
    #[error("response_type must be code")]
    ResponseType,
    #[error("response_mode must be query")]
    ResponseMode,
    #[error("request objects are not supported")]
    RequestObject,
    #[error("request_uri is not supported")]
    RequestUri,
    #[error("code_challenge is missing")]
    NoChallenge,
    #[error("code_challenge_method must be S256")]
    ChallengeMethod,
    #[error("code_challenge is not a SHA-256 in base64url")]
    Challenge,
    #[error("scope names nothing that this server hands out")]
    Scope,
    #[error("the request is too large")]
    TooLarge,
    #[error("the user denied the request")]
    Denied,
    #[error("Microsoft did not sign the user in")]
    SignInRefused(Option<Help>),
    #[error("Microsoft refuses this server")]
    ServerRefused,
    #[error("the user's organization is not allowed here")]
    TenantNotAllowed,
    #[error("the sign-in is unavailable")]
    Unavailable,
    #[error("the sign-in failed")]
    Failed,
}

impl AuthorizeError {
    /// RFC 6749 section 4.1.2.1, RFC 8707 section 2, `OpenID` Connect Core section 3.1.2.6.
    pub const fn refusal(self) -> Refusal {
        match self {
            Self::Repeated => refusal("invalid_request", "A parameter came more than once"),
            Self::StateTooLong => refusal("invalid_request", "state is longer than 2048 characters"),
            Self::InvalidTarget => refusal("invalid_target", "resource is not this server"),
            Self::NoResponseType => refusal("invalid_request", "response_type is missing"),
            Self::ResponseType => refusal("unsupported_response_type", "response_type must be code"),
            Self::ResponseMode => refusal("invalid_request", "response_mode must be query"),
            Self::RequestObject => refusal("request_not_supported", "Request objects are not supported"),
            Self::RequestUri => refusal("request_uri_not_supported", "request_uri is not supported"),
            Self::NoChallenge => refusal("invalid_request", "code_challenge is missing: PKCE is required"),
            Self::ChallengeMethod => refusal("invalid_request", "code_challenge_method must be S256"),
            Self::Challenge => refusal("invalid_request", "code_challenge is not a SHA-256 in base64url"),
            Self::Scope => refusal("invalid_scope", "scope names nothing that this server hands out"),
            Self::TooLarge => refusal("invalid_request", "The request is too large"),
            Self::Denied => refusal("access_denied", "The user denied the request"),
            Self::SignInRefused(Some(help)) => refusal("access_denied", help.sentence),
            Self::SignInRefused(None) => refusal("access_denied", "Microsoft did not sign the user in"),
            // What a 503 is elsewhere (RFC 6749 section 4.1.2.1): nothing is wrong with the request.
            Self::ServerRefused => refusal("temporarily_unavailable", SERVER_REFUSED),
            Self::TenantNotAllowed => refusal("access_denied", "The user's organization is not allowed here"),
            Self::Unavailable => refusal("temporarily_unavailable", "The sign-in is unavailable, try again later"),
            Self::Failed => refusal("server_error", "The sign-in failed"),
        }
    }
}
