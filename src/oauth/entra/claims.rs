//! The `claims` parameter of Entra's endpoints (`OpenID` Connect Core section 5.5).
//!
//! It always says `xms_cc=cp1`: this client understands claims challenges (continuous access evaluation). What a
//! challenge asks for is merged into it. Only the `access_token` member of a challenge is passed on, and only within a
//! bound: it comes from Graph over the gateway, and goes to Entra on the user's behalf.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Longest challenge, as JSON; Graph's are of some hundred bytes.
pub const LONGEST: usize = 2048;

const ACCESS_TOKEN: &str = "access_token";

/// What a challenge asks of the next access token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims(Map<String, Value>);

/// Text of others: not for a log.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims(…)")
    }
}

impl Claims {
    /// Reads the JSON of a challenge. `None` where it is too long, no claims request, or asks for nothing.
    pub fn parse(json: &str) -> Option<Self> {
        if json.len() > LONGEST {
            return None;
        }
        let Value::Object(mut members) = serde_json::from_str(json).ok()? else { return None };
        match members.remove(ACCESS_TOKEN)? {
            Value::Object(asked) if !asked.is_empty() => Some(Self(asked)),
            Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                None
            }
        }
    }

    /// The claims as JSON that [`Claims::parse`] reads.
    pub fn to_json(&self) -> String {
        json!({ ACCESS_TOKEN: self.0 }).to_string()
    }
}

/// The parameter's value, with what a challenge asked for.
pub fn parameter(challenge: Option<&Claims>) -> String {
    let mut asked = challenge.map(|claims| claims.0.clone()).unwrap_or_default();
    asked.insert("xms_cc".to_owned(), json!({ "values": ["cp1"] }));
    json!({ ACCESS_TOKEN: asked }).to_string()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_challenge_is_merged_with_the_capability_and_cannot_take_it_away() {
        assert_eq!(parameter(None), r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#);
        let challenge = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"},"xms_cc":{"values":[]}}}"#;
        assert_eq!(
            parameter(Claims::parse(challenge).as_ref()),
            r#"{"access_token":{"acrs":{"essential":true,"value":"c1"},"xms_cc":{"values":["cp1"]}}}"#
        );
    }

    #[test]
    fn nothing_but_a_bounded_request_for_the_access_token_is_passed_on() {
        let both = r#"{"id_token":{"email":null},"access_token":{"nbf":{"value":"1"}},"userinfo":{}}"#;
        let claims = Claims::parse(both).unwrap();
        assert_eq!(claims.to_json(), r#"{"access_token":{"nbf":{"value":"1"}}}"#);
        assert_eq!(Claims::parse(&claims.to_json()), Some(claims));
        let long = format!(r#"{{"access_token":{{"x":"{}"}}}}"#, "y".repeat(LONGEST));
        for useless in ["", "null", "[]", r#""access_token""#, r#"{"access_token":{}}"#, r#"{"access_token":1}"#, &long]
        {
            assert_eq!(Claims::parse(useless), None, "{useless}");
        }
    }

    /// Something that is nearly a challenge.
    fn nearly() -> impl Strategy<Value = String> {
        let member =
            "\"(nbf|acrs|xms_cc|[a-z\\\\\"{}]{0,4})\":(null|1|\"[^\"\\\\]{0,9}\"|\\{\"value\":\"c1\"\\}|\\[\\])";
        let members = prop::collection::vec(member, 0..4).prop_map(|members| members.join(","));
        let part = prop_oneof![8 => Just("access_token"), 1 => Just("id_token"), 1 => Just("access_token\\u0000")];
        prop_oneof![
            4 => (part, members).prop_map(|(part, members)| format!("{{\"{part}\":{{{members}}}}}")),
            1 => "\\PC{0,80}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_read_asks_for_the_access_token_alone_and_always_declares_the_capability(text in nearly()) {
            let claims = Claims::parse(&text);
            prop_assert_eq!(claims.as_ref().and_then(|claims| Claims::parse(&claims.to_json())), claims.clone());
            let sent: Value = serde_json::from_str(&parameter(claims.as_ref())).unwrap();
            let mut asked = sent.as_object().unwrap().clone();
            let mut asked = asked.remove(ACCESS_TOKEN).and_then(|asked| asked.as_object().cloned()).unwrap();
            prop_assert_eq!(sent.as_object().unwrap().len(), 1);
            prop_assert_eq!(asked.remove("xms_cc"), Some(json!({ "values": ["cp1"] })));
            let mut read = claims.map(|claims| claims.0).unwrap_or_default();
            read.remove("xms_cc");
            prop_assert_eq!(asked, read);
        }

        #[test]
        fn nothing_longer_than_the_bound_is_read(length in LONGEST..LONGEST * 4) {
            let text = format!("{{\"access_token\":{{\"x\":\"{}\"}}}}", "y".repeat(length));
            prop_assert_eq!(Claims::parse(&text), None);
        }
    }
}
