//! Who the person is, by Entra: `openid profile` and nothing else, so the tokens that come along open nothing and are
//! dropped. The registered redirect URI is `/callback`, which tells by the kind of its `state` whose return it is.
//!
//! As in the sign-in of a client: PKCE, nonce, a `state` of our own making and the cookie that binds it to this browser
//! and this Access identity. The `state` is not consumed anywhere, because nothing is stored here: the cookie goes with
//! the return, and Entra takes a code once.

use crate::crypto::Secret;
use crate::exchange::Exchange;
use crate::identity::{GrantId, ScopeSet};
use crate::limits::{self, Party};
use crate::log::{Event, Kind};
use crate::oauth::callback::{Identity, Sent, identify};
use crate::oauth::consent::entra;
use crate::oauth::params::Params;
use crate::oauth::token::{self, Stamp, TokenError, TokenKeys};
use crate::oauth::{binding, cookie, upstream_secrets};
use crate::ports::Limit;
use crate::web::{Request, Response};

use super::error::{self, AccountError};
use super::session::Session;
use super::to_page;

/// Sends the browser to Entra.
pub(super) async fn begin(exchange: &Exchange, request: &Request) -> Result<Response, AccountError> {
    limits::check(exchange, Limit::Authorize, &Party::network(exchange, request)).await?;
    let (config, random) = (&exchange.config, exchange.ports.random.as_ref());
    // No grant comes of it; the id names the sign-in.
    let id = GrantId::random(random);
    let expires_at = exchange.context.now + cookie::MAX_AGE_SECONDS;
    let stamp = Stamp { user: None, grant: id, scopes: ScopeSet::default(), expires_at };
    let state = TokenKeys::new(&config.keys.encryption).mint(random, token::Kind::AccountState, &stamp);
    let (nonce, challenge) = (upstream_secrets::nonce(config, &state), upstream_secrets::challenge(config, &state));
    let url = entra(exchange).identity_url(&state, nonce.expose(), &challenge);
    let bound = bound(exchange, state.expose());
    Ok(binding::set_cookie(Response::redirect(url), request, config, (id, &bound)))
}

/// Whether this return to `/callback` is of a sign-in that began here.
pub fn returns(request: &Request) -> bool {
    let params = Params::parse(request.query.as_deref().unwrap_or_default().as_bytes());
    params.get("state").is_some_and(|state| token::Kind::AccountState.is_form_of(state))
}

/// `GET /callback` of such a sign-in.
pub async fn finish(exchange: &Exchange, request: &Request) -> Response {
    let params = Params::parse(request.query.as_deref().unwrap_or_default().as_bytes());
    let (id, state) = match begun(exchange, request, &params) {
        Ok(begun) => begun,
        Err(error) => return error::refuse(exchange, error),
    };
    let sent = Sent { state: &state, scopes: ScopeSet::default(), claims: None };
    let response = match identify(exchange, &params, sent).await {
        Ok(identity) => signed_in(exchange, identity).unwrap_or_else(|error| error::refuse(exchange, error)),
        Err(failure) => error::refuse_because(exchange, AccountError::from(&failure), &failure.reason),
    };
    binding::clear_cookie(response, id)
}

/// The `state` is genuine, unexpired, and this browser and this person hold its cookie.
fn begun(exchange: &Exchange, request: &Request, params: &Params) -> Result<(GrantId, Secret), AccountError> {
    if params.repeated() {
        return Err(AccountError::Malformed);
    }
    let text = params.get("state").ok_or(AccountError::Malformed)?;
    let keys = TokenKeys::new(&exchange.config.keys.encryption);
    let stamp = keys.read(token::Kind::AccountState, text, exchange.context.now).map_err(|error| match error {
        TokenError::Forged => AccountError::OtherBrowser,
        TokenError::Expired => AccountError::Expired,
    })?;
    if binding::holds(request, &exchange.config, stamp.grant, &bound(exchange, text)) {
        Ok((stamp.grant, Secret::new(text)))
    } else {
        Err(AccountError::OtherBrowser)
    }
}

fn signed_in(exchange: &Exchange, identity: Identity) -> Result<Response, AccountError> {
    exchange.ports.log.write(&Event {
        user_id: Some(identity.user.to_string()),
        access_subject: exchange.access.as_ref().map(|access| access.sub.as_str()),
        ..exchange.context.event(Kind::AccountSignedIn)
    });
    Session::new(exchange, identity.user, identity.profile).keep(exchange, to_page(exchange, ""))
}

/// What the binding cookie signs: the `state`, and who came through Access.
fn bound(exchange: &Exchange, state: &str) -> String {
    let subject = exchange.access.as_ref().map_or("", |identity| &identity.sub);
    format!("{state}\n{subject}")
}
