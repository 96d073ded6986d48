//! Client authentication at the token endpoint: secret in the body or by Basic, never both; or an assertion, where the
//! application has a certificate.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::assertion;
use super::error::EntraError;
use crate::App;
use crate::call::{Call, Pairs};

/// Refuses unless the one registered application shows its secret, or signs with its certificate if it has one.
pub fn authenticate(app: &App, call: &Call, form: &Pairs, tenant: &str) -> Result<(), EntraError> {
    let basic = basic_credentials(call);
    if basic.is_some() && form.get("client_secret").is_some() {
        return Err(EntraError::new(
            "invalid_request",
            90_023,
            "The client credentials were sent in more than one way.",
        ));
    }
    let (id, secret) = match &basic {
        Some((id, secret)) => (Some(id.as_str()), Some(secret.as_str())),
        None => (form.get("client_id"), form.get("client_secret")),
    };
    let Some(id) = id else {
        return Err(EntraError::new(
            "invalid_request",
            900_144,
            "The request body must contain the following parameter: 'client_id'.",
        ));
    };
    if id != app.settings.client_id {
        return Err(EntraError::new(
            "unauthorized_client",
            700_016,
            "Application was not found in the directory 'Contoso'.",
        ));
    }
    if let Some(certificate) = &app.settings.client_certificate {
        return assertion::authenticate(app, certificate, form, tenant);
    }
    match secret {
        None => Err(EntraError::new(
            "invalid_client",
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        )),
        Some(secret) if secret == app.settings.client_secret.expose() => Ok(()),
        Some(_) => Err(EntraError::new("invalid_client", 7_000_215, "Invalid client secret provided.")),
    }
}

fn basic_credentials(call: &Call) -> Option<(String, String)> {
    let encoded = call.header("authorization")?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    // RFC 6749 § 2.3.1: both halves are form-encoded.
    let pairs = Pairs::parse(&format!("id={id}&secret={secret}"));
    Some((pairs.get("id")?.to_owned(), pairs.get("secret")?.to_owned()))
}
