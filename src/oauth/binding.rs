//! What binds a sign-in to the browser in which it was approved: `__Host-m365-sign-in-{grant}`, an HMAC of the `state`
//! under `COOKIE_SECRET`. It is set with the redirect to Entra, never before the approval, so a `state` that somebody
//! else obtained finds no cookie here (CVE-2026-27124 is the lack of it elsewhere).

use crate::config::Config;
use crate::crypto;
use crate::identity::GrantId;
use crate::web::{Request, Response};

use super::cookie;

const PREFIX: &str = "__Host-m365-sign-in-";

fn value(config: &Config, state: &str) -> String {
    crypto::encode(&config.keys.cookie_signing.derive("browser binding").mac(&[state.as_bytes()]))
}

fn name(grant: GrantId) -> String {
    format!("{PREFIX}{grant}")
}

/// Binds this browser to the sign-in.
pub fn set_cookie(response: Response, request: &Request, config: &Config, (grant, state): (GrantId, &str)) -> Response {
    cookie::set(cookie::make_room(response, request, PREFIX), &name(grant), &value(config, state))
}

/// Whether this browser approved the sign-in with this state.
pub fn holds(request: &Request, config: &Config, grant: GrantId, state: &str) -> bool {
    let expected = value(config, state);
    request.cookie(&name(grant)).is_some_and(|cookie| crypto::equal(cookie.as_bytes(), expected.as_bytes()))
}

/// The sign-in is over.
pub fn clear_cookie(response: Response, grant: GrantId) -> Response {
    cookie::clear(response, &name(grant))
}
