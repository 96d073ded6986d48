//! What the person at the browser is shown, where nothing may be sent to a client or there is none.

use super::SOON;
use crate::limits::{self, RateLimited};
use crate::oauth::client_document::DocumentError;
use crate::ports::KvError;

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

impl From<KvError> for LocalError {
    fn from(error: KvError) -> Self {
        match error {
            KvError::Unavailable => Self::Unavailable,
            KvError::Throttled => Self::Throttled,
        }
    }
}
