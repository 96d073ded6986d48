//! `SEND_POLICY`: what may reach other people in a user's name, and who has to agree first.
//!
//! Owns the words of the setting and what they may say. Everything that goes out is held against it in one place,
//! `tools::policy`.

use serde::{Deserialize, Serialize};

use super::{ConfigError, Fault};

const NAME: &str = "SEND_POLICY";

/// What an operator allows to go out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendPolicy {
    /// The organisation's own domains; empty: that of the signed-in user's address.
    pub own: Vec<String>,
    /// Where recipients may be, beside the own domains; `None`: anywhere.
    pub domains: Option<Vec<String>>,
    /// How many recipients outside the own domains one action may have; `None`: as many as Microsoft takes.
    pub external: Option<usize>,
    /// How often something may go out in one user's name.
    pub rate: Option<Rate>,
    /// What a person is asked about first.
    pub confirm: Confirm,
    /// What happens to that where the client cannot ask anybody.
    pub fallback: Fallback,
    /// Nothing goes out at all: mails are kept as drafts, everything else is refused.
    pub draft_only: bool,
}

/// So many in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// At most.
    pub most: u32,
    /// Seconds.
    pub within: u64,
}

/// What a person is asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Confirm {
    /// Everything that reaches somebody else.
    #[default]
    Always,
    /// What leaves the organisation.
    External,
    /// Nothing.
    Never,
}

/// What happens where a person should be asked and the client cannot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fallback {
    /// It goes out: the client's own approval of tool calls is the guard.
    #[default]
    Send,
    /// A mail is kept as a draft, which goes out with the digest of what the user was shown; all else is refused.
    Draft,
    /// It is refused.
    Refuse,
}

impl SendPolicy {
    /// Parses `word=value` and `draft-only`, separated by semicolons. Every word that is wrong is named.
    pub(super) fn parse(text: &str) -> Result<Self, Vec<ConfigError>> {
        let mut policy = Self::default();
        let mut seen = Vec::new();
        let mut faults = Vec::new();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (word, value) = part.split_once('=').map_or((part, ""), |(word, value)| (word.trim(), value.trim()));
            let outcome = if seen.contains(&word) { Err("each word once") } else { policy.take(word, value) };
            seen.push(word);
            faults.extend(outcome.err());
        }
        let faults: Vec<_> =
            faults.into_iter().map(|expected| ConfigError { name: NAME, fault: Fault::Invalid(expected) }).collect();
        if faults.is_empty() { Ok(policy) } else { Err(faults) }
    }

    fn take(&mut self, word: &str, value: &str) -> Result<(), &'static str> {
        match word {
            "own" => self.own = domains(value).ok_or("own=domains separated by commas")?,
            "domains" => self.domains = Some(domains(value).ok_or("domains=domains separated by commas")?),
            "external" => self.external = Some(value.parse().map_err(|_| "external=a whole number, 0 for none")?),
            "rate" => {
                self.rate = Some(Rate::parse(value).ok_or("rate=1 to 1000 a minute, hour or day, such as 30/h")?);
            }
            "confirm" => {
                self.confirm = match value {
                    "always" => Confirm::Always,
                    "external" => Confirm::External,
                    "never" => Confirm::Never,
                    _ => return Err("confirm=always, external or never"),
                };
            }
            "fallback" => {
                self.fallback = match value {
                    "send" => Fallback::Send,
                    "draft" => Fallback::Draft,
                    "refuse" => Fallback::Refuse,
                    _ => return Err("fallback=send, draft or refuse"),
                };
            }
            "draft-only" if value.is_empty() => self.draft_only = true,
            _ => return Err("own=, domains=, external=, rate=, confirm=, fallback= or draft-only, set apart by ;"),
        }
        Ok(())
    }
}

impl Rate {
    fn parse(text: &str) -> Option<Self> {
        let (most, unit) = text.split_once('/')?;
        let within = match unit.trim() {
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        let most = most.trim().parse().ok().filter(|most| (1..=1000).contains(most))?;
        Some(Self { most, within })
    }
}

fn domains(text: &str) -> Option<Vec<String>> {
    text.split(',').map(|name| domain(name.trim())).collect()
}

/// A domain as mail knows it: lower-case, in ASCII (`xn--…`), no wildcard.
fn domain(text: &str) -> Option<String> {
    let name = text.to_ascii_lowercase();
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let canonical = matches!(url::Host::parse(&name), Ok(url::Host::Domain(parsed)) if parsed == name);
    (canonical && name.contains('.') && name.split('.').all(is_label)).then_some(name)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let faults = SendPolicy::parse(text).err().unwrap_or_default();
        faults.iter().map(|fault| fault.to_string().replace("SEND_POLICY: expected ", "")).collect()
    }

    #[test]
    fn every_word_says_one_thing() {
        let text = "own=contoso.example, Contoso.onmicrosoft.example; domains=fabrikam.example;external=5; rate=30/h; \
                    confirm=external; fallback=draft; draft-only;";
        let expected = SendPolicy {
            own: vec!["contoso.example".to_owned(), "contoso.onmicrosoft.example".to_owned()],
            domains: Some(vec!["fabrikam.example".to_owned()]),
            external: Some(5),
            rate: Some(Rate { most: 30, within: 3600 }),
            confirm: Confirm::External,
            fallback: Fallback::Draft,
            draft_only: true,
        };
        assert_eq!(SendPolicy::parse(text).unwrap(), expected);
    }

    #[test]
    fn without_a_word_a_person_is_asked_where_one_can_be_and_nothing_is_refused() {
        let policy = SendPolicy::default();
        assert_eq!((policy.confirm, policy.fallback, policy.draft_only), (Confirm::Always, Fallback::Send, false));
        assert_eq!((policy.own.len(), policy.domains, policy.external, policy.rate), (0, None, None, None));
    }

    #[test]
    fn every_wrong_word_is_named_and_an_unknown_one_refuses_the_deployment() {
        for (text, expected) in [
            ("domains=", "domains=domains separated by commas"),
            ("domains=*.contoso.example", "domains=domains separated by commas"),
            ("domains=contoso", "domains=domains separated by commas"),
            ("domains=contoso.example.", "domains=domains separated by commas"),
            ("domains=c%6fntoso.example", "domains=domains separated by commas"),
            ("own=bücher.example", "own=domains separated by commas"),
            ("own=10.0.0.1", "own=domains separated by commas"),
            ("external=some", "external=a whole number, 0 for none"),
            ("external=-1", "external=a whole number, 0 for none"),
            ("rate=0/h", "rate=1 to 1000 a minute, hour or day, such as 30/h"),
            ("rate=5/week", "rate=1 to 1000 a minute, hour or day, such as 30/h"),
            ("confirm=Always", "confirm=always, external or never"),
            ("fallback=", "fallback=send, draft or refuse"),
            ("external=1;external=2", "each word once"),
        ] {
            assert_eq!(faults(text), [expected], "{text}");
        }
        for unknown in ["internal", "draft-only=no", "confirm", "recipients=5"] {
            assert_eq!(faults(unknown).len(), 1, "{unknown}");
        }
        assert_eq!(faults("external=x; rate=x; colour=red").len(), 3, "all at once");
    }
}
