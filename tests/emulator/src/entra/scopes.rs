//! The `scope` parameter: one resource, known forms, never more than was consented to.

use super::error::EntraError;
use super::sessions::Consent;

const OPENID: &[&str] = &["openid", "profile", "email", "offline_access"];
const GRAPH: &str = "https://graph.microsoft.com/";

/// Limits a consent to the scopes asked for; one that was never granted is refused.
pub fn narrow(consent: &Consent, asked: Option<&str>) -> Result<Consent, EntraError> {
    let Some(asked) = asked else {
        return Ok(consent.clone());
    };
    let mut scopes = parse_scopes(asked)?;
    if let Some(new) = scopes.iter().find(|scope| !consent.scopes.contains(scope) && *scope != ".default") {
        let text = format!("The user or administrator has not consented to use the application with '{new}'.");
        return Err(EntraError {
            suberror: Some("consent_required"),
            ..EntraError::new("invalid_grant", 65001, &text)
        });
    }
    // Entra answers an id_token and a refresh token when the consent has them, asked for again or not.
    let kept = consent.scopes.iter().filter(|scope| OPENID.contains(&scope.as_str()));
    for scope in kept {
        if !scopes.contains(scope) {
            scopes.push(scope.clone());
        }
    }
    Ok(Consent { scopes, ..consent.clone() })
}

/// Splits a `scope` parameter, takes Graph's prefix away and refuses a second resource.
pub fn parse_scopes(scope: &str) -> Result<Vec<String>, EntraError> {
    let mut scopes = Vec::new();
    for one in scope.split(' ').filter(|one| !one.is_empty()) {
        let name = one.strip_prefix(GRAPH).unwrap_or(one);
        if name.contains("://") {
            return Err(EntraError::new(
                "invalid_scope",
                28000,
                "Provided value for the input parameter scope is not valid because it contains more than one resource.",
            ));
        }
        let known = OPENID.contains(&name) || name == ".default" || name.contains('.');
        if !known || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_') {
            return Err(EntraError::new(
                "invalid_scope",
                70011,
                &format!("The provided value for the input parameter 'scope' is not valid: {one}."),
            ));
        }
        scopes.push(name.to_owned());
    }
    if scopes.is_empty() {
        return Err(EntraError::new(
            "invalid_request",
            900_144,
            "The request body must contain the following parameter: 'scope'.",
        ));
    }
    Ok(scopes)
}
