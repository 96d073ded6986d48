//! The consent page, and `POST /authorize`: the user's decision.
//!
//! Every client is asked for every time, because anybody can register one ("confused deputy" in MCP's security best
//! practices). The decision counts only from the page itself: same origin, the transaction's cookie and id together, the
//! same Access identity; and once, because approving it twice opens the same grant.

use crate::agent::{AgentName, Command, GrantCommand, GrantError, GrantReply, Reply};
use crate::config::Config;
use crate::crypto::Secret;
use crate::exchange::Exchange;
use crate::identity::{GrantId, ScopeSet};
use crate::log::{Event, Kind};
use crate::web::{Request, Response};

use super::authorize::refuse_locally;
use super::client_id::{self, Origin};
use super::entra::Entra;
use super::error::{AuthorizeError, LocalError};
use super::page::{self, ConsentPage};
use super::params::Params;
use super::redirect::ReturnAddress;
use super::token::{self, Stamp, TokenKeys};
use super::transaction::{self, Transaction, Transactions};
use super::{binding, cookie, display, redirect_uri, scopes, upstream_secrets};

/// Asks the person.
pub(super) fn page(exchange: &Exchange, transaction: &Transaction) -> Response {
    let asked = &transaction.request;
    let nonce = page::nonce(exchange);
    let host = redirect_uri::shown_host(&asked.redirect_uri);
    // Whoever writes the directory behind Access writes the address.
    let person = exchange.access.as_ref().and_then(|identity| {
        identity.email.as_deref().and_then(display::clean).or_else(|| display::clean(&identity.sub))
    });
    let page = ConsentPage {
        nonce: &nonce,
        client_name: asked.client_name.as_deref(),
        client_id: &asked.client_id,
        document_host: client_id::document_host(&asked.client_id),
        by_operator: client_id::parse(&asked.client_id) == Ok(Origin::Operator),
        redirect_host: &host,
        is_on_this_device: redirect_uri::is_on_this_device(&asked.redirect_uri),
        permissions: scopes::in_plain_words(asked.scopes),
        signed_in: person.as_deref(),
        transaction: &transaction.id,
    };
    page::show(200, &page, &nonce)
}

/// `POST /authorize`.
pub async fn decide(exchange: &Exchange, request: &Request) -> Response {
    let outcome = match read(exchange, request) {
        Ok((transaction, true)) => approve(exchange, request, &transaction).await,
        Ok((transaction, false)) => Ok(deny(exchange, &transaction)),
        Err(error) => Err(error),
    };
    outcome.unwrap_or_else(|error| refuse_locally(exchange, "authorize", error))
}

/// The transaction, and whether it was approved. Anything but `approve` is no.
fn read(exchange: &Exchange, request: &Request) -> Result<(Transaction, bool), LocalError> {
    if !is_same_origin(&exchange.config, request) {
        return Err(LocalError::CrossSite);
    }
    if !request.has_media_type("application/x-www-form-urlencoded") {
        return Err(LocalError::Malformed);
    }
    let form = Params::parse(&request.body);
    if form.repeated() {
        return Err(LocalError::Malformed);
    }
    let id = form.get("transaction").ok_or(LocalError::NoTransaction)?;
    let transaction = Transactions::new(&exchange.config).open(request, id, exchange.context.now);
    let transaction = transaction.ok_or(LocalError::NoTransaction)?;
    if transaction.access.as_deref() != exchange.access.as_ref().map(|identity| identity.sub.as_str()) {
        return Err(LocalError::OtherIdentity);
    }
    Ok((transaction, form.get("decision") == Some("approve")))
}

/// Browsers send `Origin: null` from a page with `Referrer-Policy: no-referrer`, so `Sec-Fetch-Site` decides where it is
/// sent, and `Origin` where it is not.
pub(crate) fn is_same_origin(config: &Config, request: &Request) -> bool {
    let ours = |origin: &str| origin == config.public_url.origin;
    match (request.header("sec-fetch-site"), request.header("origin")) {
        (Some(site), Some(origin)) => site == "same-origin" && (origin == "null" || ours(origin)),
        (Some(site), None) => site == "same-origin",
        (None, Some(origin)) => ours(origin),
        (None, None) => false,
    }
}

async fn approve(exchange: &Exchange, request: &Request, transaction: &Transaction) -> Result<Response, LocalError> {
    let config = &exchange.config;
    let grant = Transactions::new(config).grant(transaction).ok_or(LocalError::Unavailable)?;
    let (state, expires_at) = new_state(exchange, grant);
    let open = GrantCommand::Open {
        grant,
        request: transaction.request.clone(),
        state: state.digest(),
        access: exchange.access.clone(),
        expires_at,
    };
    match call(exchange, grant, open).await {
        Ok(_) => {}
        Err(Some(GrantError::Exists | GrantError::Revoked)) => return Err(LocalError::Decided),
        Err(_) => return Err(LocalError::Unavailable),
    }
    log_decision(exchange, Kind::OauthApproved, transaction, Some(grant));
    let entra = entra(exchange);
    let (nonce, challenge) = (upstream_secrets::nonce(config, &state), upstream_secrets::challenge(config, &state));
    let url = entra.authorize_url(&state, nonce.expose(), &challenge, transaction.request.scopes);
    let response = binding::set_cookie(Response::redirect(url), request, config, (grant, state.expose()));
    Ok(transaction::clear_cookie(response, &transaction.id))
}

/// A `state` for Entra, and when it is void.
pub(super) fn new_state(exchange: &Exchange, grant: GrantId) -> (Secret, u64) {
    let expires_at = exchange.context.now + cookie::MAX_AGE_SECONDS;
    let stamp = Stamp { user: None, grant, scopes: ScopeSet::default(), expires_at };
    let keys = TokenKeys::new(&exchange.config.keys.encryption);
    (keys.mint(exchange.ports.random.as_ref(), token::Kind::State, &stamp), expires_at)
}

fn deny(exchange: &Exchange, transaction: &Transaction) -> Response {
    log_decision(exchange, Kind::OauthDenied, transaction, None);
    let asked = &transaction.request;
    let to = ReturnAddress { redirect_uri: &asked.redirect_uri, state: asked.state.as_deref() };
    let response = to.refuse(&exchange.config.public_url, &AuthorizeError::Denied.refusal());
    transaction::clear_cookie(response, &transaction.id)
}

fn log_decision(exchange: &Exchange, kind: Kind, transaction: &Transaction, grant: Option<GrantId>) {
    exchange.ports.log.write(&Event {
        grant_id: grant.map(|grant| grant.to_string()),
        access_subject: transaction.access.as_deref(),
        client_id: Some(&transaction.request.client_id),
        ..exchange.context.event(kind)
    });
}

/// Entra as this exchange reaches it.
pub(crate) fn entra(exchange: &Exchange) -> Entra<'_> {
    Entra {
        microsoft: &exchange.config.microsoft,
        redirect_uri: exchange.config.public_url.join("/callback"),
        upstream: exchange.ports.upstream.as_ref(),
        ps256: exchange.ports.ps256.as_ref(),
        random: exchange.ports.random.as_ref(),
        now: exchange.context.now,
    }
}

/// Sends a step to the grant's object; `Err(None)` where it did not answer.
pub(crate) async fn call(
    exchange: &Exchange,
    grant: GrantId,
    command: GrantCommand,
) -> Result<GrantReply, Option<GrantError>> {
    let command = Command::Grant(command);
    let result = match exchange.ports.agents.call(&AgentName::Grant(grant), &command).await {
        Ok(Reply::Grant(result)) => result.map_err(Some),
        Ok(Reply::Called(_) | Reply::Published(_) | Reply::User(_) | Reply::Admission(_)) | Err(_) => Err(None),
    };
    if matches!(result, Err(Some(GrantError::Revoked | GrantError::CodeReused | GrantError::TokenReused))) {
        // Lists are answered on the strength of a note; where the end is learnt, it must not outlive the grant.
        exchange.isolate.confirmed.forget_grant(grant);
    }
    result
}

/// Ends a sign-in that came to nothing. If the object does not answer, its own alarm ends it.
pub(super) async fn abandon(exchange: &Exchange, grant: GrantId) {
    let _ = call(exchange, grant, GrantCommand::AbandonSignIn).await;
}
