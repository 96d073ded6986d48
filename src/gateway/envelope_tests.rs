//! The envelope as it is written, and as somebody who captured one would use it.

use super::*;
use crate::crypto::Key;
use crate::support::SeededRandom;

const NOW: u64 = 1_772_442_000;
const TOKEN: &str = "eyJ0eXAi.graph-token.signature";

fn sealer(seed: u8) -> Sealer<'static> {
    let root = Keyring { current: Key::new([seed; 32]), previous: None };
    Sealer::new(Box::leak(Box::new(EncryptionKeys::derive(&root))))
}

fn sealed(content: Content<'_>) -> String {
    let headers = [("if-match", "W/\"1\"".to_owned())];
    let outgoing =
        Outgoing { request_id: "r-1", method: "POST", path: "/v1.0/me/sendMail?a=b", headers: &headers, content };
    let random = SeededRandom::new(7);
    sealer(1).seal(&random, NOW, &outgoing, &Secret::new(TOKEN)).unwrap().to_text().unwrap()
}

fn open(text: &str, now: u64) -> Result<Opened, EnvelopeError> {
    sealer(1).open(&Envelope::parse(text)?, now)
}

#[test]
fn an_envelope_opens_as_it_was_sealed() {
    let text = sealed(Content::Text("{\"a\":\"\u{fc}\"}"));
    let opened = open(&text, NOW + 1).unwrap();
    assert_eq!(opened.token.expose(), TOKEN);
    assert_eq!(opened.body.unwrap(), "{\"a\":\"\u{fc}\"}".as_bytes());
    let binary = open(&sealed(Content::Binary(&[0, 255, 1])), NOW).unwrap();
    assert_eq!(binary.body.unwrap(), [0, 255, 1]);
    assert_eq!(open(&sealed(Content::Empty), NOW).unwrap().body, None);
}

#[test]
fn the_token_is_nowhere_in_the_text() {
    let text = sealed(Content::Empty);
    assert!(!text.contains(TOKEN) && !text.contains("eyJ") && !text.contains("graph-token"), "{text}");
}

#[test]
fn an_envelope_lives_less_than_a_minute() {
    let text = sealed(Content::Empty);
    assert!(open(&text, NOW + LIFETIME - 1).is_ok());
    assert_eq!(open(&text, NOW + LIFETIME).unwrap_err(), EnvelopeError::Expired);
    assert_eq!(open(&text, NOW - SKEW - 1).unwrap_err(), EnvelopeError::Expired);
}

#[test]
fn a_seal_for_more_than_a_minute_is_refused_though_it_is_genuine() {
    let times = |issued: u64, expires: u64| (u128::from(issued) << 64 | u128::from(expires)).to_be_bytes();
    assert_eq!(validate_times(&times(NOW, NOW + LIFETIME + 1), NOW), Err(EnvelopeError::Expired));
    assert_eq!(validate_times(&times(NOW, NOW - 1), NOW - 2), Err(EnvelopeError::Expired));
    assert_eq!(validate_times(&times(NOW, NOW + LIFETIME), NOW), Ok(()));
}

#[test]
fn a_captured_seal_vouches_for_no_other_request() {
    let text = sealed(Content::Text("{\"to\":\"adele\"}"));
    for (from, to) in [
        ("r-1", "r-2"),
        ("POST", "PUT"),
        ("sendMail", "sendMails"),
        ("?a=b", "?a=c"),
        ("adele", "mallory"),
        ("if-match", "if-none-match"),
        ("W/", "X/"),
    ] {
        assert!(text.contains(from));
        assert_eq!(open(&text.replacen(from, to, 1), NOW).unwrap_err(), EnvelopeError::ForeignSeal, "{to}");
    }
}

#[test]
fn another_key_opens_nothing() {
    let text = sealed(Content::Empty);
    let envelope = Envelope::parse(&text).unwrap();
    assert_eq!(sealer(2).open(&envelope, NOW).unwrap_err(), EnvelopeError::ForeignSeal);
}

#[test]
fn what_is_not_exactly_an_envelope_is_refused() {
    let text = sealed(Content::Text("x"));
    for (from, to) in [
        ("\"v\":1", "\"v\":2"),
        ("\"v\":1", "\"v\":1,\"host\":\"evil.example\""),
        ("\"body\":\"x\"", "\"body\":\"x\",\"bodyBase64\":\"eA==\""),
        ("\"body\":\"x\"", "\"bodyBase64\":\"*\""),
    ] {
        assert_eq!(open(&text.replacen(from, to, 1), NOW).unwrap_err(), EnvelopeError::Malformed, "{to}");
    }
    for credential in ["Basic x", "Bearer", "Bearer *", ""] {
        let start = text.find(SCHEME).unwrap();
        let end = start + text[start..].find('"').unwrap();
        let other = format!("{}{credential}{}", &text[..start], &text[end..]);
        assert_eq!(open(&other, NOW).unwrap_err(), EnvelopeError::Unsealed, "{credential:?}");
    }
}
