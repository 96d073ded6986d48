//! What can go wrong at each OAuth endpoint, by cause; and the one place where causes become the few codes of RFC 6749,
//! RFC 7591, RFC 8707 and RFC 7009, or a page for the person.

use std::borrow::Cow;

use serde::Serialize;

use crate::agent::GrantError;
use crate::limits::{self, RateLimited};
use crate::ports::KvError;
use crate::web::Response;

use super::client_assertion::AssertionError;
use super::client_document::DocumentError;
use super::entra::{Help, SERVER_REFUSED};

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

/// What only the person at the browser may hear: nothing proves where else it could go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum LocalError {
    #[error("unknown client")]
    UnknownClient,
    #[error("client document: {0}")]
    Document(DocumentError),
    #[error("redirect_uri is missing or not registered")]
    RedirectUri,
    #[error("malformed request")]
    Malformed,
    #[error("no transaction of this browser")]
    NoTransaction,
    #[error("sent by another site")]
    CrossSite,
    #[error("another Access identity")]
    OtherIdentity,
    #[error("decided before")]
    Decided,
    #[error("forged state")]
    ForgedState,
    #[error("expired state")]
    ExpiredState,
    #[error("another browser")]
    OtherBrowser,
    #[error("used state")]
    UsedState,
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    #[error("storage throttled")]
    Throttled,
    #[error("storage unavailable")]
    Unavailable,
}

/// A page's content.
#[derive(Clone, Copy, Debug)]
pub struct Notice {
    /// HTTP status.
    pub status: u16,
    /// Heading.
    pub title: &'static str,
    /// What happened and what to do.
    pub text: &'static str,
}

const fn notice(status: u16, title: &'static str, text: &'static str) -> Notice {
    Notice { status, title, text }
}

impl LocalError {
    /// When it is worth another try, in seconds, where that can be said.
    pub const fn retry_after(self) -> Option<&'static str> {
        match self {
            Self::RateLimited(RateLimited) => Some(limits::RETRY_AFTER),
            Self::Throttled | Self::Unavailable => Some(SOON),
            Self::UnknownClient
            | Self::Document(_)
            | Self::RedirectUri
            | Self::Malformed
            | Self::NoTransaction
            | Self::CrossSite
            | Self::OtherIdentity
            | Self::Decided
            | Self::ForgedState
            | Self::ExpiredState
            | Self::OtherBrowser
            | Self::UsedState => None,
        }
    }

    /// The page.
    pub const fn notice(self) -> Notice {
        match self {
            Self::UnknownClient => notice(
                400,
                "This app is not known here",
                "Its registration may have expired. Remove the connection in the app, add it again, and retry.",
            ),
            Self::Document(error) => notice(400, "This app could not be identified", error.explanation()),
            Self::RedirectUri => notice(
                400,
                "This link cannot be trusted",
                "It would send the sign-in to an address that the app never registered. Nothing was sent anywhere.",
            ),
            Self::Malformed => notice(400, "This link is damaged", "Go back to the app and start the sign-in again."),
            Self::NoTransaction => notice(
                403,
                "This page is no longer valid",
                "It was opened in another browser, is more than ten minutes old, or was answered before. Go back to the app and start the sign-in again.",
            ),
            Self::CrossSite => {
                notice(403, "This request came from another site", "Nothing was approved. Start from the app itself.")
            }
            Self::OtherIdentity => notice(
                403,
                "You are signed in as somebody else",
                "The sign-in was started by another person. Go back to the app and start it again.",
            ),
            Self::Decided => {
                notice(409, "This request was answered before", "Go back to the app and start the sign-in again.")
            }
            Self::ForgedState | Self::OtherBrowser => notice(
                403,
                "This sign-in was not started here",
                "Finish it in the browser in which you approved the app. If you did not start it, close this page.",
            ),
            Self::ExpiredState | Self::UsedState => notice(
                400,
                "This sign-in is over",
                "It took more than ten minutes or was finished before. Go back to the app and start it again.",
            ),
            Self::RateLimited(RateLimited) => notice(
                429,
                "Too many sign-ins at once",
                "Too many were started from your network just now. Wait a minute, then start again.",
            ),
            Self::Throttled | Self::Unavailable => {
                notice(503, "The sign-in is unavailable", "Wait a moment, then start again from the app.")
            }
        }
    }
}

/// What Microsoft says of an administrator's consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the notices say it")]
pub enum AdminConsent {
    Reported,
    Denied,
    Failed,
}

impl AdminConsent {
    /// The page.
    pub const fn notice(self) -> Notice {
        match self {
            Self::Reported => notice(
                200,
                "Microsoft says that the permissions were approved",
                "People of your organization can now sign in. Who was connected before disconnects in the app and connects again.",
            ),
            Self::Denied => notice(
                200,
                "The permissions were not approved",
                "Nothing has changed. An administrator of your organization can open this server's /admin-consent again at any time.",
            ),
            Self::Failed => notice(
                200,
                "The approval did not work",
                "Microsoft answered with an error, and nothing has changed. The operator of this server finds the reason in its log.",
            ),
        }
    }
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

impl From<KvError> for LocalError {
    fn from(error: KvError) -> Self {
        match error {
            KvError::Unavailable => Self::Unavailable,
            KvError::Throttled => Self::Throttled,
        }
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
