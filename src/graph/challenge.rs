//! The claims challenge of continuous access evaluation, as Graph sends it in `WWW-Authenticate` (RFC 9110 section
//! 11.6.1). Reads text of others: bounded, tolerant of what it does not know, and silent about what it cannot read.
//! Does not say what the claims mean.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Longest header value, all challenges together.
const LONGEST: usize = 16 * 1024;

/// Padded or not: both are sent.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a Bearer challenge says, as far as it matters here.
#[derive(Default)]
struct Challenge {
    bearer: bool,
    error: Option<String>,
    claims: Option<String>,
}

/// The claims, as text that should be JSON, of the first Bearer challenge that asks for more of them. Several headers
/// are read as one, joined by commas.
pub fn claims(header: &str) -> Option<String> {
    if header.len() > LONGEST {
        return None;
    }
    let mut challenge = Challenge::default();
    for item in split(header) {
        let item = item.trim();
        let end = item.find(|character: char| character == '=' || character.is_whitespace()).unwrap_or(item.len());
        let (word, rest) = item.split_at(end);
        let rest = rest.trim_start();
        if let Some(value) = rest.strip_prefix('=') {
            challenge.learn(word, value);
        } else if !word.is_empty() {
            if let Some(claims) = challenge.asked() {
                return Some(claims);
            }
            challenge = Challenge { bearer: word.eq_ignore_ascii_case("bearer"), ..Challenge::default() };
            if let Some((name, value)) = rest.split_once('=') {
                challenge.learn(name.trim_end(), value);
            }
        }
    }
    challenge.asked()
}

impl Challenge {
    /// The first of two parameters of one name counts.
    fn learn(&mut self, name: &str, value: &str) {
        let place = if name.eq_ignore_ascii_case("error") {
            &mut self.error
        } else if name.eq_ignore_ascii_case("claims") {
            &mut self.claims
        } else {
            return;
        };
        if place.is_none() {
            *place = unquote(value.trim());
        }
    }

    fn asked(&self) -> Option<String> {
        let insufficient = self.bearer && self.error.as_deref() == Some("insufficient_claims");
        let encoded = self.claims.as_deref().filter(|_| insufficient)?;
        // Both alphabets are sent.
        let standard = encoded.replace('-', "+").replace('_', "/");
        String::from_utf8(BASE64.decode(standard).ok()?).ok()
    }
}

/// The parts between commas that are not within a quoted string.
fn split(header: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    header.split(move |character| {
        if escaped {
            escaped = false;
            return false;
        }
        match character {
            '"' => quoted = !quoted,
            '\\' => escaped = quoted,
            _ => {}
        }
        character == ',' && !quoted
    })
}

/// A token, or what a quoted string stands for. `None` where the string does not end.
fn unquote(value: &str) -> Option<String> {
    let Some(quoted) = value.strip_prefix('"') else { return Some(value.to_owned()) };
    let mut text = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some(text),
            '\\' => text.push(characters.next()?),
            character => text.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    const ASKED: &str = r#"{"access_token":{"acrs":{"essential":true,"value":"c1?>~"}}}"#;

    fn graphs(claims: &str) -> String {
        format!(
            "Bearer realm=\"\", authorization_uri=\"https://login.example/a,b\", error=\"insufficient_claims\", \
             claims=\"{claims}\""
        )
    }

    #[test]
    fn claims_are_found_among_challenges_in_either_alphabet() {
        let (standard, url_safe) = (STANDARD.encode(ASKED), URL_SAFE_NO_PAD.encode(ASKED));
        let plain = graphs(&standard);
        for header in [
            plain.clone(),
            graphs(&url_safe),
            format!("Negotiate abc==, {plain}"),
            format!("{plain}, Bearer error=\"invalid_token\""),
            format!("Bearer error=\"invalid_token\", claims=\"bm8\", {plain}"),
            format!("Basic realm=\"say \\\"hi, Bearer\\\", x\",{plain}"),
            format!("bearer ERROR = insufficient_claims ,, CLAIMS = {url_safe}"),
        ] {
            assert_eq!(claims(&header).as_deref(), Some(ASKED), "{header}");
        }
    }

    #[test]
    fn nothing_else_is_a_challenge_for_claims() {
        let encoded = STANDARD.encode(ASKED);
        for header in [
            String::new(),
            "Bearer".to_owned(),
            format!("Bearer claims=\"{encoded}\""),
            format!("Bearer error=\"invalid_token\", claims=\"{encoded}\""),
            format!("Basic error=\"insufficient_claims\", claims=\"{encoded}\""),
            format!("Bearer error=\"insufficient_claims\", Basic claims=\"{encoded}\""),
            format!("Bearer error=\"insufficient_claims\", realm=\"claims={encoded}"),
            format!("Bearer error=\"insufficient_claims\", claims=\"{encoded}"),
            graphs("%%%"),
            graphs("/////w=="),
            graphs(&STANDARD.encode("x".repeat(LONGEST))),
        ] {
            assert_eq!(claims(&header), None, "{header}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_without_a_panic(text in "[Bberac=,\"\\\\ \u{e9}]{0,60}|\\PC{0,200}") {
            let _ = claims(&text);
            let _ = claims(&graphs(&text));
        }

        #[test]
        fn whatever_was_asked_is_what_is_read(asked in "\\PC{0,200}", before in "[a-z ,=]{0,40}") {
            let header = format!("Basic realm=\"{before}\", {}", graphs(&STANDARD.encode(&asked)));
            prop_assert_eq!(claims(&header), Some(asked));
        }
    }
}
