//! What can go wrong at `/account`, by cause, and how the person is told.

use askama::Template;

use crate::exchange::Exchange;
use crate::limits::{self, RateLimited};
use crate::oauth::authorize::log_refusal;
use crate::oauth::callback::Failure;
use crate::oauth::entra::Help;
use crate::oauth::error::AuthorizeError;
use crate::oauth::page;
use crate::oauth::user_grants::Unavailable;
use crate::web::Response;

/// Why the account page did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum AccountError {
    #[error("malformed request")]
    Malformed,
    #[error("sent by another site")]
    CrossSite,
    #[error("no session")]
    NoSession,
    #[error("another Access identity")]
    OtherIdentity,
    #[error("forged action")]
    ForgedAction,
    #[error("another browser, or a forged state")]
    OtherBrowser,
    #[error("expired state")]
    Expired,
    #[error("Microsoft did not sign the user in")]
    Refused(Option<Help>),
    #[error("Microsoft refuses this server")]
    ServerRefused,
    #[error("the user's organization is not allowed here")]
    TenantNotAllowed,
    #[error("the sign-in failed")]
    Failed,
    #[error("unavailable")]
    Unavailable,
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
}

impl From<Unavailable> for AccountError {
    fn from(_: Unavailable) -> Self {
        Self::Unavailable
    }
}

impl From<&Failure> for AccountError {
    fn from(failure: &Failure) -> Self {
        match failure.answer {
            AuthorizeError::SignInRefused(help) => Self::Refused(help),
            AuthorizeError::Denied => Self::Refused(None),
            AuthorizeError::ServerRefused => Self::ServerRefused,
            AuthorizeError::TenantNotAllowed => Self::TenantNotAllowed,
            AuthorizeError::Unavailable => Self::Unavailable,
            AuthorizeError::Repeated
            | AuthorizeError::StateTooLong
            | AuthorizeError::InvalidTarget
            | AuthorizeError::NoResponseType
            | AuthorizeError::ResponseType
            | AuthorizeError::ResponseMode
            | AuthorizeError::RequestObject
            | AuthorizeError::RequestUri
            | AuthorizeError::NoChallenge
            | AuthorizeError::ChallengeMethod
            | AuthorizeError::Challenge
            | AuthorizeError::Scope
            | AuthorizeError::TooLarge
            | AuthorizeError::Failed => Self::Failed,
        }
    }
}

impl AccountError {
    /// What Microsoft's number says, where one came.
    fn help(self) -> Option<&'static str> {
        if let Self::Refused(help) = self { help.map(|help| help.sentence) } else { None }
    }

    const fn notice(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::Malformed => (400, "This request is damaged", "Nothing was changed. Open the page again."),
            Self::CrossSite => (
                403,
                "This request came from another site",
                "Nothing was changed. If you wanted this, do it on the page itself.",
            ),
            Self::NoSession => (
                403,
                "You are not signed in here any more",
                "Nothing was changed. A sign-in to this page lasts ten minutes: sign in again and repeat it.",
            ),
            Self::OtherIdentity => (
                403,
                "You came here as somebody else",
                "This page was opened by another person in this browser. Nothing was changed. Sign in again.",
            ),
            Self::ForgedAction => (
                403,
                "This button is no longer valid",
                "Nothing was changed. You signed in again since the page was loaded: open it again and repeat it.",
            ),
            Self::OtherBrowser => (
                403,
                "This sign-in was not started here",
                "Start it in this browser, on the page itself. If you did not start it, close this page.",
            ),
            Self::Expired => (400, "This sign-in is over", "It took more than ten minutes. Start it again."),
            Self::Refused(_) => (
                403,
                "Microsoft did not sign you in",
                "You cancelled it, or your organization asks for more. Your connected apps are not affected.",
            ),
            Self::ServerRefused => (
                503,
                "Microsoft refuses this server",
                "Nothing was changed. Its operator has to mend its registration.",
            ),
            Self::TenantNotAllowed => (
                403,
                "Your organization is not served here",
                "You signed in with an account of another organization. Sign in again and choose another account.",
            ),
            Self::Failed => (500, "The sign-in failed", "Try it once more. If it fails again, ask your administrator."),
            Self::Unavailable => (
                503,
                "Not everything could be done",
                "A part of this server did not answer. Wait a moment, open the page again and look what is left.",
            ),
            Self::RateLimited(RateLimited) => {
                (429, "Too many sign-ins", "Your network began too many sign-ins. Wait a minute, then start again.")
            }
        }
    }
}

#[derive(Template)]
#[template(path = "account-error.html")]
struct ErrorPage<'a> {
    nonce: &'a str,
    title: &'a str,
    text: &'a str,
    help: Option<&'a str>,
    request_id: &'a str,
}

/// Logs the rule that refused and tells the person.
pub(super) fn refuse(exchange: &Exchange, error: AccountError) -> Response {
    refuse_because(exchange, error, &error.to_string())
}

/// The same with a reason for the log that says more.
pub(super) fn refuse_because(exchange: &Exchange, error: AccountError, reason: &str) -> Response {
    log_refusal(exchange, "account", reason, None);
    let nonce = page::nonce(exchange);
    let (status, title, text) = error.notice();
    let shown = ErrorPage { nonce: &nonce, title, text, help: error.help(), request_id: &exchange.context.request_id };
    let response = page::show(status, &shown, &nonce);
    match error {
        AccountError::RateLimited(_) => response.with("retry-after", limits::RETRY_AFTER),
        AccountError::Unavailable => response.with("retry-after", "5"),
        AccountError::Malformed
        | AccountError::CrossSite
        | AccountError::NoSession
        | AccountError::OtherIdentity
        | AccountError::ForgedAction
        | AccountError::OtherBrowser
        | AccountError::Expired
        | AccountError::Refused(_)
        | AccountError::ServerRefused
        | AccountError::TenantNotAllowed
        | AccountError::Failed => response,
    }
}
