//! What Microsoft's AADSTS numbers mean to people: a word for the log, a sentence for the client and its user.
//!
//! Numbers decide nothing (see [`super::EntraError::classify`]); an unknown one only goes unexplained. Source: "Microsoft
//! Entra authentication and authorization error codes".

/// The explanation of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Help {
    /// For the log.
    pub word: &'static str,
    /// For the client's `error_description`.
    pub sentence: &'static str,
}

impl Help {
    /// Where a permission lacks consent, which may not be the user's to give.
    pub const CONSENT: Self = Self {
        word: "no_consent",
        sentence: "A permission lacks consent: an administrator can give it for everybody at /admin-consent of this server",
    };

    /// The explanation of a number.
    pub const fn of(code: u32) -> Option<Self> {
        let (word, sentence) = match code {
            65001 | 90094 => return Some(Self::CONSENT),
            50072 | 50074 | 50076 | 50078 | 50079 => {
                ("second_factor", "Microsoft asks for a second factor: sign in again and complete it")
            }
            65004 => ("declined", "The user declined the permissions at Microsoft"),
            53000..=53004 => (
                "conditional_access",
                "A Conditional Access policy of the organization refuses this device, place or sign-in",
            ),
            50105 => ("not_assigned", "The user is not assigned to this application: an administrator can assign it"),
            50020 | 50034 => {
                ("other_tenant", "The account does not belong to the organization that this server serves")
            }
            50057 => ("account_disabled", "The account is disabled"),
            50173 => ("session_revoked", "The Microsoft session was revoked: sign in again"),
            70008 | 700_082 => ("inactive", "The Microsoft sign-in expired after a time without use: sign in again"),
            70043 => ("sign_in_frequency", "The organization asks for a fresh sign-in: sign in again"),
            54005 => ("code_reused", INTERRUPTED),
            501_481 => ("pkce", INTERRUPTED),
            7_000_215 => ("client_secret_wrong", SERVER_REFUSED),
            7_000_222 => ("client_secret_expired", SERVER_REFUSED),
            700_027 => ("certificate_refused", SERVER_REFUSED),
            700_016 => ("app_unknown", SERVER_REFUSED),
            500_021 | 500_212 | 500_213 => {
                ("tenant_restrictions", "The user's network does not allow sign-ins to this organization")
            }
            50196 => ("request_loop", "Microsoft saw too many equal requests: wait some minutes, then sign in again"),
            _ => return None,
        };
        Some(Self { word, sentence })
    }
}

const INTERRUPTED: &str = "The sign-in was interrupted: start it again";

/// Said where Entra refuses this server itself.
pub const SERVER_REFUSED: &str = "Microsoft refuses this server: its operator has to mend its registration";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_explanation_is_fit_for_an_error_description_and_a_log_line() {
        let known: Vec<_> = (0..8_000_000).filter_map(Help::of).collect();
        assert_eq!(known.len(), 31);
        for help in known {
            // RFC 6749 section 4.1.2.1: printable ASCII without quotes and backslashes.
            let fits = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(help.sentence.len() < 120 && help.sentence.bytes().all(fits), "{}", help.sentence);
            assert!(help.word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", help.word);
        }
    }
}
