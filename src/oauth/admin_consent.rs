//! `GET /admin-consent`: sends an administrator to Microsoft's page, where the permissions of this server are approved for
//! the whole organization; and what is said when Microsoft sends the browser back to `/callback`.
//!
//! The way back has a `state` of its own kind, bound to the browser, so that nobody can be shown "approved" by a link.
//! What the reply says is shown and believed for nothing: it authorizes nobody, stores nothing, and causes no call. What
//! was really approved shows at the next sign-in, in the scopes that Microsoft grants.

use crate::exchange::Exchange;
use crate::identity::{GrantId, ScopeSet};
use crate::limits::{self, Party};
use crate::log::{Event, Kind};
use crate::ports::Limit;
use crate::web::{Request, Response};

use super::authorize::refuse_locally;
use super::consent::entra;
use super::entra::EntraError;
use super::error::{AdminConsent, LocalError};
use super::params::Params;
use super::token::{self, Stamp, TokenError, TokenKeys};
use super::{binding, cookie, page, scopes};

const STATE: token::Kind = token::Kind::AdminConsent;

/// `GET /admin-consent`. Counts as the beginning of a sign-in.
pub async fn begin(exchange: &Exchange, request: &Request) -> Response {
    if let Err(error) = limits::check(exchange, Limit::Authorize, &Party::network(exchange, request)).await {
        return refuse_locally(exchange, "admin-consent", error.into());
    }
    let (config, random) = (&exchange.config, exchange.ports.random.as_ref());
    // Names the cookie; no grant of this id is ever opened.
    let grant = GrantId::random(random);
    let expires_at = exchange.context.now + cookie::MAX_AGE_SECONDS;
    let stamp = Stamp { user: None, grant, scopes: ScopeSet::default(), expires_at };
    let state = TokenKeys::new(&config.keys.encryption).mint(random, STATE, &stamp);
    log(exchange, "asked");
    let url = entra(exchange).admin_consent_url(&state, scopes::offered(config));
    binding::set_cookie(Response::redirect(url), request, config, (grant, state.expose()))
}

/// Whether a request to `/callback` comes from there. A sign-in's state together with `admin_consent` does not.
pub fn is_reply(params: &Params) -> bool {
    params.get("admin_consent").is_some() || params.get("state").is_some_and(|state| STATE.is_form_of(state))
}

/// The browser is back.
pub fn end(exchange: &Exchange, request: &Request, params: &Params) -> Response {
    match read(exchange, request, params) {
        Ok((grant, outcome)) => binding::clear_cookie(page::message(exchange, outcome.notice()), grant),
        Err(error) => refuse_locally(exchange, "callback", error),
    }
}

fn read(exchange: &Exchange, request: &Request, params: &Params) -> Result<(GrantId, AdminConsent), LocalError> {
    if params.repeated() {
        return Err(LocalError::Malformed);
    }
    let text = params.get("state").ok_or(LocalError::Malformed)?;
    let keys = TokenKeys::new(&exchange.config.keys.encryption);
    let stamp = keys.read(STATE, text, exchange.context.now).map_err(|error| match error {
        TokenError::Forged => LocalError::ForgedState,
        TokenError::Expired => LocalError::ExpiredState,
    })?;
    if !binding::holds(request, &exchange.config, stamp.grant, text) {
        return Err(LocalError::OtherBrowser);
    }
    Ok((stamp.grant, outcome(exchange, params)?))
}

fn outcome(exchange: &Exchange, params: &Params) -> Result<AdminConsent, LocalError> {
    if let Some(error) = params.get("error") {
        let error = EntraError::of_redirect(error, params.get("error_subcode"), params.get("error_description"));
        log(exchange, &error.reason());
        return Ok(if matches!(error, EntraError::Denied { .. }) {
            AdminConsent::Denied
        } else {
            AdminConsent::Failed
        });
    }
    if params.get("admin_consent") != Some("True") {
        return Err(LocalError::Malformed);
    }
    log(exchange, "reported");
    Ok(AdminConsent::Reported)
}

fn log(exchange: &Exchange, reason: &str) {
    exchange.ports.log.write(&Event {
        access_subject: exchange.access.as_ref().map(|identity| identity.sub.as_str()),
        reason: Some(reason),
        ..exchange.context.event(Kind::OauthAdminConsent)
    });
}
