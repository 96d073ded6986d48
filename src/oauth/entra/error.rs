//! Why Entra gave no tokens: the classes of refusal, from the token endpoint and from the redirect to `/callback`.
//!
//! `error` and `suberror` decide. Microsoft's AADSTS numbers serve help texts and log lines only; descriptions are read
//! for that number and never shown or logged, because they may name the user.

use std::fmt;

use oauth2::{ErrorResponse, RequestTokenError};
use serde::{Deserialize, Serialize};

use super::help::Help;
use crate::ports::UpstreamError;

/// Why Entra gave no tokens. The text of a class is its word in the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntraError {
    /// The user must sign in again.
    #[error("sign_in_needed")]
    SignInNeeded {
        /// Microsoft's AADSTS number.
        code: Option<u32>,
    },
    /// A permission was never consented to; perhaps only an administrator can.
    #[error("consent_needed")]
    ConsentNeeded {
        /// Microsoft's AADSTS number.
        code: Option<u32>,
    },
    /// The user refused, or was refused.
    #[error("denied")]
    Denied {
        /// Microsoft's AADSTS number.
        code: Option<u32>,
    },
    /// No answer, or one that asks to come back later.
    #[error("unavailable")]
    Unavailable {
        /// In so many seconds.
        retry_after: Option<u64>,
    },
    /// Entra refuses this server: its credential, its registration, or what it asks for.
    #[error("server_refused")]
    RefusesServer {
        /// Microsoft's AADSTS number.
        code: Option<u32>,
    },
    /// An answer that this server cannot read.
    #[error("malformed")]
    Malformed,
}

impl EntraError {
    /// The class of an `error`. Texts and numbers decide nothing: Microsoft changes them.
    pub fn classify(error: &str, suberror: Option<&str>, code: Option<u32>) -> Self {
        match (error, suberror) {
            ("access_denied", _) => Self::Denied { code },
            ("temporarily_unavailable" | "server_error", _) => Self::Unavailable { retry_after: None },
            ("consent_required", _) | (_, Some("consent_required")) => Self::ConsentNeeded { code },
            ("invalid_grant" | "interaction_required" | "login_required", _) => Self::SignInNeeded { code },
            (_, Some(suberror)) if asks_for_the_user(suberror) => Self::SignInNeeded { code },
            _ => Self::RefusesServer { code },
        }
    }

    /// The class of the error in a redirect to us. Of the description only the number is taken.
    pub fn of_redirect(error: &str, suberror: Option<&str>, description: Option<&str>) -> Self {
        Self::classify(error, suberror, description.and_then(number))
    }

    const fn code(&self) -> Option<u32> {
        match self {
            Self::SignInNeeded { code }
            | Self::ConsentNeeded { code }
            | Self::Denied { code }
            | Self::RefusesServer { code } => *code,
            Self::Unavailable { .. } | Self::Malformed => None,
        }
    }

    /// What its number means, where that is known.
    pub fn help(&self) -> Option<Help> {
        self.code().and_then(Help::of)
    }

    /// Class, explanation and number, for the log.
    pub fn reason(&self) -> String {
        let word = self.help().map(|help| format!(" {}", help.word)).unwrap_or_default();
        let number = self.code().map(|code| format!(" AADSTS{code}")).unwrap_or_default();
        format!("{self}{word}{number}")
    }
}

/// Sub-errors that only the user can mend, whatever the error is called.
fn asks_for_the_user(suberror: &str) -> bool {
    matches!(
        suberror,
        "basic_action"
            | "additional_action"
            | "message_only"
            | "user_password_expired"
            | "bad_token"
            | "token_expired"
            | "protection_policy_required"
    )
}

/// The number of a description such as `AADSTS65001: …`.
fn number(description: &str) -> Option<u32> {
    let (_, rest) = description.split_once("AADSTS")?;
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

/// The error document without its description.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Refusal {
    error: String,
    suberror: Option<String>,
    #[serde(default)]
    error_codes: Vec<u32>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)
    }
}

impl ErrorResponse for Refusal {}

/// What the far end said on the level of HTTP.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) retry_after: Option<u64>,
}

/// The class of a failed call.
pub(super) fn refusal(error: RequestTokenError<UpstreamError, Refusal>, answered: Answered) -> EntraError {
    let Answered { status, retry_after } = answered;
    if status == 429 || status >= 500 {
        return EntraError::Unavailable { retry_after };
    }
    match error {
        RequestTokenError::ServerResponse(refusal) => {
            let code = refusal.error_codes.first().copied();
            match EntraError::classify(&refusal.error, refusal.suberror.as_deref(), code) {
                EntraError::Unavailable { .. } => EntraError::Unavailable { retry_after },
                class => class,
            }
        }
        RequestTokenError::Request(UpstreamError::Timeout | UpstreamError::Unreachable) => {
            EntraError::Unavailable { retry_after: None }
        }
        RequestTokenError::Request(UpstreamError::TooLarge)
        | RequestTokenError::Parse(..)
        | RequestTokenError::Other(_) => EntraError::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirects_description_gives_its_number_and_nothing_else() {
        let text = "AADSTS90094: adele@contoso.example needs approval. Trace ID: 1";
        let error = EntraError::of_redirect("consent_required", None, Some(text));
        assert_eq!(error.reason(), "consent_needed no_consent AADSTS90094");
        for (text, code) in [("AADSTS", None), ("AADSTS99999999999: x", None), ("x AADSTS7: y", Some(7)), ("7", None)] {
            assert_eq!(
                EntraError::of_redirect("access_denied", None, Some(text)),
                EntraError::Denied { code },
                "{text}"
            );
        }
    }

    #[test]
    fn a_number_does_not_change_the_class() {
        for code in [None, Some(65001), Some(7_000_222), Some(50076), Some(1)] {
            assert_eq!(EntraError::classify("access_denied", None, code), EntraError::Denied { code });
            assert_eq!(EntraError::classify("invalid_client", None, code), EntraError::RefusesServer { code });
            assert_eq!(EntraError::classify("consent_required", None, code), EntraError::ConsentNeeded { code });
        }
    }
}
