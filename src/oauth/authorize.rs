//! `GET /authorize` (RFC 6749 section 4.1.1): proves client and redirect URI before anything may be redirected, judges the
//! rest of the request, and shows the consent page. Stores nothing. What the user decides is `consent`.

use crate::agent::AuthorizationRequest;
use crate::crypto;
use crate::exchange::Exchange;
use crate::limits::{self, Party};
use crate::log::{Event, Kind};
use crate::ports::Limit;
use crate::web::{Request, Response};

use super::client::{self, Client, FindError};
use super::consent;
use super::error::{AuthorizeError, LocalError};
use super::page;
use super::params::Params;
use super::redirect::ReturnAddress;
use super::transaction::{self, Transaction, Transactions};
use super::{cookie, redirect_uri, resource, scopes};

pub use super::consent::decide;

const MAX_STATE: usize = 2048;

/// 32 bytes in base64url.
const CHALLENGE_LENGTH: usize = 43;

/// `GET /authorize`.
pub async fn show(exchange: &Exchange, request: &Request) -> Response {
    let params = Params::parse(request.query.as_deref().unwrap_or_default().as_bytes());
    let (client, redirect_uri) = match prove(exchange, request, &params).await {
        Ok(proven) => proven,
        Err(error) => return refuse_locally(exchange, "authorize", error),
    };
    // A state that came twice, or is too long, is nobody's: it is not sent back.
    let state = params.get("state").filter(|state| state.len() <= MAX_STATE && !params.is_repeated("state"));
    let answer = judge(exchange, &params, &client, &redirect_uri)
        .and_then(|authorization| ask(exchange, request, authorization));
    answer.unwrap_or_else(|error| {
        log_refusal(exchange, "authorize", &error.to_string(), Some(&client.client_id));
        ReturnAddress { redirect_uri: &redirect_uri, state }.refuse(&exchange.config.public_url, &error.refusal())
    })
}

/// The client, and where it may be answered.
async fn prove(exchange: &Exchange, request: &Request, params: &Params) -> Result<(Client, String), LocalError> {
    if params.is_repeated("client_id") || params.is_repeated("redirect_uri") {
        return Err(LocalError::Malformed);
    }
    let client_id = params.get("client_id").ok_or(LocalError::UnknownClient)?;
    limits::check(exchange, Limit::Authorize, &Party::network(exchange, request)).await?;
    let client = client::find(exchange, client_id).await.map_err(|error| match error {
        FindError::Unknown => LocalError::UnknownClient,
        FindError::Document(error) => LocalError::Document(error),
        FindError::Unavailable(error) => error.into(),
    })?;
    let asked = params.get("redirect_uri").ok_or(LocalError::RedirectUri)?;
    if !client.redirect_uris.iter().any(|registered| redirect_uri::matches(registered, asked)) {
        return Err(LocalError::RedirectUri);
    }
    Ok((client, asked.to_owned()))
}

/// The rest, in the order in which clients are told: form, resource, response type, PKCE, scope.
fn judge(
    exchange: &Exchange,
    params: &Params,
    client: &Client,
    redirect_uri: &str,
) -> Result<AuthorizationRequest, AuthorizeError> {
    let config = &exchange.config;
    if params.repeated() {
        return Err(AuthorizeError::Repeated);
    }
    let state = params.get("state");
    if state.is_some_and(|state| state.len() > MAX_STATE) {
        return Err(AuthorizeError::StateTooLong);
    }
    let asked = resource::requested(&config.public_url, params).map_err(|_| AuthorizeError::InvalidTarget)?;
    judge_form(params)?;
    let code_challenge = judge_pkce(params)?;
    let scopes = match params.get("scope") {
        Some(names) => scopes::requested(config, names).map_err(|_| AuthorizeError::Scope)?,
        None => None,
    };
    Ok(AuthorizationRequest {
        client_id: client.client_id.clone(),
        client_name: client.client_name.clone(),
        redirect_uri: redirect_uri.to_owned(),
        code_challenge,
        state: state.map(str::to_owned),
        scopes: scopes.unwrap_or_else(|| scopes::supported(config)),
        resource: asked.unwrap_or_else(|| resource::default(&config.public_url)),
    })
}

fn judge_form(params: &Params) -> Result<(), AuthorizeError> {
    match params.get("response_type") {
        None => return Err(AuthorizeError::NoResponseType),
        Some("code") => {}
        Some(_) => return Err(AuthorizeError::ResponseType),
    }
    if params.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(AuthorizeError::ResponseMode);
    }
    if params.get("request").is_some() {
        return Err(AuthorizeError::RequestObject);
    }
    if params.get("request_uri").is_some() { Err(AuthorizeError::RequestUri) } else { Ok(()) }
}

/// PKCE with S256 for every client. No method means `plain` (RFC 7636 section 4.3), which is refused like any other.
fn judge_pkce(params: &Params) -> Result<String, AuthorizeError> {
    let challenge = params.get("code_challenge").ok_or(AuthorizeError::NoChallenge)?;
    if params.get("code_challenge_method") != Some("S256") {
        return Err(AuthorizeError::ChallengeMethod);
    }
    let is_digest = challenge.len() == CHALLENGE_LENGTH
        && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_digest { Ok(challenge.to_owned()) } else { Err(AuthorizeError::Challenge) }
}

/// Hands the browser its transaction and shows the consent page.
fn ask(
    exchange: &Exchange,
    request: &Request,
    authorization: AuthorizationRequest,
) -> Result<Response, AuthorizeError> {
    let random = exchange.ports.random.as_ref();
    let transaction = Transaction {
        id: crypto::random_text::<16>(random),
        request: authorization,
        access: exchange.access.as_ref().map(|identity| identity.sub.clone()),
        expires_at: exchange.context.now + cookie::MAX_AGE_SECONDS,
    };
    let sealed =
        Transactions::new(&exchange.config).seal(random, &transaction).map_err(|_| AuthorizeError::TooLarge)?;
    let response = consent::page(exchange, &transaction);
    Ok(transaction::set_cookie(response, request, &transaction.id, &sealed))
}

/// Logs the rule that refused and tells the person.
pub(super) fn refuse_locally(exchange: &Exchange, route: &'static str, error: LocalError) -> Response {
    log_refusal(exchange, route, &error.to_string(), None);
    let page = page::message(exchange, error.notice());
    match error.retry_after() {
        Some(seconds) => page.with("retry-after", seconds),
        None => page,
    }
}

/// One `oauth.refused` line.
pub(crate) fn log_refusal(exchange: &Exchange, route: &'static str, reason: &str, client_id: Option<&str>) {
    exchange.ports.log.write(&Event {
        access_subject: exchange.access.as_ref().map(|identity| identity.sub.as_str()),
        client_id,
        route: Some(route),
        reason: Some(reason),
        ..exchange.context.event(Kind::OauthRefused)
    });
}
