//! `POST /token` (RFC 6749 sections 4.1.3 and 6): reads the form, refuses who asks too often, proves the client, refuses
//! what is forged without asking anybody, and lets the grant's object decide the rest. Single use and rotation are the
//! object's.

use std::rc::Rc;

use serde::Serialize;

use crate::agent::{GrantCommand, GrantReply, TokenSet};
use crate::crypto::{Digest, Secret};
use crate::exchange::Exchange;
use crate::identity::GrantId;
use crate::limits::{self, Party, RateLimited};
use crate::log::{Event, Kind};
use crate::ports::Limit;
use crate::web::{Request, Response};

use super::authorize::log_refusal;
use super::client::Client;
use super::client_auth::{self, Authenticated};
use super::consent::call;
use super::error::{TokenRequestError, uncached};
use super::params::Params;
use super::token::{self, TokenKeys};
use super::{resource, scopes};

const MAX_BODY: usize = 16 * 1024;

#[derive(Serialize)]
struct Answer<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    refresh_token: &'a str,
    scope: String,
    resource: &'a str,
}

/// `POST /token`.
pub async fn handle(exchange: &Exchange, request: &Request) -> Response {
    let result = match read_form(request) {
        Ok(form) => respond(exchange, request, &form).await,
        Err(error) => Err(error),
    };
    result.unwrap_or_else(|error| {
        log_refusal(exchange, "token", &error.to_string(), None);
        error.response()
    })
}

/// The form of the token and revocation endpoints.
pub(super) fn read_form(request: &Request) -> Result<Params, TokenRequestError> {
    if !request.has_media_type("application/x-www-form-urlencoded") {
        return Err(TokenRequestError::MediaType);
    }
    if request.body.len() > MAX_BODY {
        return Err(TokenRequestError::TooLarge);
    }
    let form = Params::parse(&request.body);
    if form.repeated() { Err(TokenRequestError::Repeated) } else { Ok(form) }
}

async fn respond(exchange: &Exchange, request: &Request, form: &Params) -> Result<Response, TokenRequestError> {
    let grant_type = form.get("grant_type").ok_or(TokenRequestError::Missing("grant_type"))?;
    if !matches!(grant_type, "authorization_code" | "refresh_token") {
        return Err(TokenRequestError::GrantType);
    }
    let redeems = grant_type == "authorization_code";
    let (kind, name) = if redeems { (token::Kind::Code, "code") } else { (token::Kind::Refresh, "refresh_token") };
    let grant = form.get(name).and_then(|text| genuine(exchange, kind, text));
    let asking = Asking { exchange, request, form, grant };
    asking.limit().await?;
    let proven = asking.authenticate().await?;
    let client = proven.client.clone();
    let (grant, command) =
        if redeems { redeem(exchange, form, &client, grant)? } else { refresh(exchange, form, &client, grant)? };
    match call(exchange, grant, proven.once(command)).await {
        Ok(GrantReply::Tokens(tokens)) => {
            for ended in &tokens.ended {
                // Here at once; another isolate's note lasts a minute, and no call relies on one.
                exchange.isolate.confirmed.forget_grant(*ended);
            }
            log_tokens(exchange, grant, &client, (grant_type, &tokens));
            if redeems {
                renew(exchange, &client);
            }
            Ok(answer(&tokens))
        }
        Err(Some(error)) => Err(TokenRequestError::Grant(error)),
        Ok(_) | Err(None) => Err(TokenRequestError::Unavailable),
    }
}

/// A form with what can be told of its sender without asking anybody.
pub(super) struct Asking<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) request: &'a Request,
    pub(super) form: &'a Params,
    /// Whose code or token it holds, where that is genuine.
    pub(super) grant: Option<GrantId>,
}

impl Asking<'_> {
    /// A holder counts by the grant, so that nobody else can use up its share: not the neighbours behind one address,
    /// who with a hosted client are all of its users, and not whoever knows its client id.
    async fn limit(&self) -> Result<(), RateLimited> {
        let party = self.grant.map_or_else(|| Party::network(self.exchange, self.request), Party::grant);
        limits::check(self.exchange, Limit::Token, &party).await
    }

    /// The proven client. Strangers whose network failed too often are refused before they are looked at; a holder
    /// never is.
    pub(super) async fn authenticate(&self) -> Result<Authenticated, TokenRequestError> {
        let stranger = self.grant.is_none().then(|| Party::network(self.exchange, self.request));
        if let Some(network) = &stranger {
            limits::refuse_failing(self.exchange, network)?;
        }
        let proven = client_auth::authenticate(self.exchange, self.request, self.form).await;
        let failed = proven.as_ref().is_err_and(TokenRequestError::is_of_the_client);
        if let (true, Some(network)) = (failed, &stranger) {
            limits::count_failure(self.exchange, network).await?;
        }
        proven
    }
}

/// A client that people sign in with does not expire under them. A grant lasts 30 days, so sign-ins come often enough, and
/// refreshes stay free of writes.
fn renew(exchange: &Exchange, client: &Client) {
    let Some(renewed) = client.renewed(exchange.context.now) else { return };
    let (kv, now) = (Rc::clone(&exchange.ports.kv), exchange.context.now);
    // Not kept anew is kept as long as before, no worse; the next sign-in tries again.
    exchange.ports.background.run(Box::pin(async move {
        let _ = renewed.save(kv.as_ref(), now).await;
    }));
}

fn redeem(
    exchange: &Exchange,
    form: &Params,
    client: &Client,
    grant: Option<GrantId>,
) -> Result<(GrantId, GrantCommand), TokenRequestError> {
    let code = form.get("code").ok_or(TokenRequestError::Missing("code"))?;
    let verifier = form.get("code_verifier").ok_or(TokenRequestError::Missing("code_verifier"))?;
    if !is_verifier(verifier) {
        return Err(TokenRequestError::Verifier);
    }
    let resource = requested_resource(exchange, form)?;
    let grant = grant.ok_or(TokenRequestError::NotGenuine)?;
    let command = GrantCommand::Redeem {
        code: Secret::new(code),
        client_id: client.client_id.clone(),
        redirect_uri: form.get("redirect_uri").map(str::to_owned),
        code_challenge: Digest::of(verifier.as_bytes()).to_string(),
        resource,
    };
    Ok((grant, command))
}

fn refresh(
    exchange: &Exchange,
    form: &Params,
    client: &Client,
    grant: Option<GrantId>,
) -> Result<(GrantId, GrantCommand), TokenRequestError> {
    let token = form.get("refresh_token").ok_or(TokenRequestError::Missing("refresh_token"))?;
    let resource = requested_resource(exchange, form)?;
    let scopes = match form.get("scope") {
        Some(names) => scopes::requested(&exchange.config, names).map_err(|_| TokenRequestError::Scope)?,
        None => None,
    };
    let grant = grant.ok_or(TokenRequestError::NotGenuine)?;
    let command = GrantCommand::Refresh {
        token: Secret::new(token),
        client_id: client.client_id.clone(),
        scopes,
        resource,
        access: exchange.access.clone(),
    };
    Ok((grant, command))
}

fn requested_resource(exchange: &Exchange, form: &Params) -> Result<Option<String>, TokenRequestError> {
    resource::requested(&exchange.config.public_url, form).map_err(|_| TokenRequestError::InvalidTarget)
}

/// The object to ask; a text that was not issued here, or is too old, wakes none.
fn genuine(exchange: &Exchange, kind: token::Kind, text: &str) -> Option<GrantId> {
    let keys = TokenKeys::new(&exchange.config.keys.encryption);
    keys.read(kind, text, exchange.context.now).map(|stamp| stamp.grant).ok()
}

/// RFC 7636 section 4.1.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~'))
}

fn answer(tokens: &TokenSet) -> Response {
    let answer = Answer {
        access_token: tokens.access.expose(),
        token_type: "Bearer",
        expires_in: tokens.expires_in,
        refresh_token: tokens.refresh.expose(),
        scope: tokens.scopes.to_string(),
        resource: &tokens.resource,
    };
    uncached(200, &answer)
}

fn log_tokens(exchange: &Exchange, grant: GrantId, client: &Client, (reason, tokens): (&str, &TokenSet)) {
    exchange.ports.log.write(&Event {
        grant_id: Some(grant.to_string()),
        user_id: Some(tokens.user.to_string()),
        client_id: Some(&client.client_id),
        reason: Some(reason),
        ..exchange.context.event(Kind::OauthToken)
    });
}
