//! The `claims` parameter (OpenID Connect Core § 5.5), as far as Entra reads it for an access token, and what of it a
//! token carries.
//!
//! `nbf` is met by every new token; `acrs` (an authentication context) only by a person at the sign-in page, so a
//! refresh meets it where the sign-in of its refresh token did.

use serde_json::{Map, Value, json};

use super::error::EntraError;
use crate::call::Pairs;

/// Members of the `access_token` part of a claims request.
pub type Claims = Map<String, Value>;

/// Reads the parameter; absent asks for nothing.
pub fn parse(pairs: &Pairs) -> Result<Claims, EntraError> {
    let Some(text) = pairs.filled("claims") else { return Ok(Claims::new()) };
    let malformed = || EntraError::new("invalid_request", 9_000_410, "Malformed JSON in the 'claims' parameter.");
    let Ok(Value::Object(parts)) = serde_json::from_str::<Value>(text) else { return Err(malformed()) };
    let known = |name: &String| matches!(name.as_str(), "access_token" | "id_token" | "userinfo");
    if !parts.keys().all(known) || !parts.values().all(Value::is_object) {
        return Err(malformed());
    }
    Ok(parts.get("access_token").and_then(Value::as_object).cloned().unwrap_or_default())
}

/// Refuses an authentication context that the sign-in did not meet.
pub fn need_no_person(asked: &Claims, met: &Claims) -> Result<(), EntraError> {
    match asked.get("acrs") {
        Some(acrs) if met.get("acrs") != Some(acrs) => {
            let text = "Due to a configuration change made by your administrator, or because you moved to a new \
                        location, you must use multi-factor authentication to access the resource.";
            Err(EntraError { suberror: Some("basic_action"), ..EntraError::new("interaction_required", 50076, text) })
        }
        _ => Ok(()),
    }
}

/// Whether a token that was issued for `asked` says that its client understands challenges.
pub fn understands(asked: &Claims) -> bool {
    asked.get("xms_cc") == Some(&json!({"values": ["cp1"]}))
}

/// Whether a token that was issued for `asked` answers this challenge.
pub fn answers(asked: &Claims, challenge: &Value) -> bool {
    let parts = challenge.get("access_token").and_then(Value::as_object);
    parts.is_some_and(|parts| parts.iter().all(|(name, value)| asked.get(name) == Some(value)))
}
