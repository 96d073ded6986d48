//! `GET /callback`: the browser comes back from Entra.
//!
//! 1. The `state` is genuine, unexpired, and this browser holds its cookie: otherwise a page, and no call anywhere.
//! 2. The grant's object consumes the `state`, and knows where the client is answered.
//! 3. Entra's code becomes tokens; the `id_token` says who the user is.
//! 4. The object issues our code; the browser takes it to the client. Or the browser goes to Entra once more, where
//!    Graph asks for claims that this sign-in did not carry (`second_trip`).
//!
//! An administrator's consent comes back here as well; its `state` tells, and `admin_consent` has it.
//!
//! From step 2 on every failure goes to the client, and ends the grant that never was.

use std::fmt::Display;

use crate::agent::{AuthorizationRequest, GrantCommand, GrantError, GrantReply, MicrosoftTokens, Profile};
use crate::crypto::Secret;
use crate::exchange::Exchange;
use crate::identity::{GrantId, ScopeSet, UserId};
use crate::jose::JoseError;
use crate::log::{Event, Kind};
use crate::web::{Request, Response};

use super::authorize::{log_refusal, refuse_locally};
use super::consent::{abandon, call, entra};
use super::entra::claims::Claims;
use super::entra::{EntraError, Help};
use super::error::{AuthorizeError, LocalError};
use super::id_token::{self, IdTokenError};
use super::params::Params;
use super::redirect::ReturnAddress;
use super::token::{self, TokenError, TokenKeys};
use super::{admin_consent, binding, second_trip, upstream_secrets};

/// A sign-in whose state was consumed.
pub(super) struct Return {
    pub(super) grant: GrantId,
    state: Secret,
    pub(super) asked: AuthorizationRequest,
    /// What Graph asked for and this sign-in carried.
    pub(super) claims: Option<Claims>,
}

/// What a good return leads to.
enum Next {
    Code(Secret),
    SecondTrip(Response),
}

/// Why step 3 or 4 failed: what the client hears, and what the log does.
pub(crate) struct Failure {
    pub(crate) answer: AuthorizeError,
    pub(crate) reason: String,
}

impl Failure {
    fn new(answer: AuthorizeError, reason: &dyn Display) -> Self {
        Self { answer, reason: reason.to_string() }
    }
}

/// `GET /callback`.
pub async fn handle(exchange: &Exchange, request: &Request) -> Response {
    let params = Params::parse(request.query.as_deref().unwrap_or_default().as_bytes());
    if admin_consent::is_reply(&params) {
        return admin_consent::end(exchange, request, &params);
    }
    let back = match begin(exchange, request, &params).await {
        Ok(back) => back,
        Err(error) => return refuse_locally(exchange, "callback", error),
    };
    let to = ReturnAddress { redirect_uri: &back.asked.redirect_uri, state: back.asked.state.as_deref() };
    let issuer = &exchange.config.public_url;
    let response = match finish(exchange, request, &back, &params).await {
        Ok(Next::Code(code)) => to.code(issuer, &code),
        Ok(Next::SecondTrip(response)) => return response,
        Err(failure) => {
            abandon(exchange, back.grant).await;
            log_failure(exchange, &back, &failure);
            to.refuse(issuer, &failure.answer.refusal())
        }
    };
    binding::clear_cookie(response, back.grant)
}

/// Steps 1 and 2.
async fn begin(exchange: &Exchange, request: &Request, params: &Params) -> Result<Return, LocalError> {
    if params.repeated() {
        return Err(LocalError::Malformed);
    }
    let text = params.get("state").ok_or(LocalError::Malformed)?;
    let keys = TokenKeys::new(&exchange.config.keys.encryption);
    let stamp = keys.read(token::Kind::State, text, exchange.context.now).map_err(|error| match error {
        TokenError::Forged => LocalError::ForgedState,
        TokenError::Expired => LocalError::ExpiredState,
    })?;
    if !binding::holds(request, &exchange.config, stamp.grant, text) {
        return Err(LocalError::OtherBrowser);
    }
    let state = Secret::new(text);
    let command = GrantCommand::BeginSignIn { state: state.digest(), access: exchange.access.clone() };
    match call(exchange, stamp.grant, command).await {
        Ok(GrantReply::Approved(asked)) => Ok(Return { grant: stamp.grant, state, asked, claims: None }),
        Ok(GrantReply::Challenged(asked, claims)) => {
            Ok(Return { grant: stamp.grant, state, asked, claims: Some(claims) })
        }
        Err(Some(GrantError::OtherIdentity)) => Err(LocalError::OtherIdentity),
        Err(Some(GrantError::StateInvalid | GrantError::Unknown | GrantError::Revoked)) => Err(LocalError::UsedState),
        Ok(_) | Err(_) => Err(LocalError::Unavailable),
    }
}

/// What a return from Entra brought.
pub(crate) struct Identity {
    pub(crate) user: UserId,
    pub(crate) profile: Profile,
    pub(crate) tokens: MicrosoftTokens,
}

/// What the browser was sent to Entra with.
#[derive(Clone, Copy)]
pub(crate) struct Sent<'a> {
    pub(crate) state: &'a Secret,
    pub(crate) scopes: ScopeSet,
    pub(crate) claims: Option<&'a Claims>,
}

/// Step 3.
pub(crate) async fn identify(exchange: &Exchange, params: &Params, sent: Sent<'_>) -> Result<Identity, Failure> {
    if let Some(error) = params.get("error") {
        let (suberror, description) = (params.get("error_subcode"), params.get("error_description"));
        return Err(of_entra(&EntraError::of_redirect(error, suberror, description)));
    }
    let code = params.get("code").map(Secret::new).ok_or_else(|| of_entra(&EntraError::Malformed))?;
    let verifier = upstream_secrets::verifier(&exchange.config, sent.state);
    let signed_in = entra(exchange).exchange_code(&code, &verifier, sent.scopes, sent.claims).await;
    let signed_in = signed_in.map_err(|error| of_entra(&error))?;
    let nonce = upstream_secrets::nonce(&exchange.config, sent.state);
    let identity = id_token::verify(exchange, &signed_in.id_token, &nonce).await;
    let (user, profile) = identity.map_err(of_id_token)?;
    Ok(Identity { user, profile, tokens: signed_in.tokens })
}

/// Steps 3 and 4.
async fn finish(exchange: &Exchange, request: &Request, back: &Return, params: &Params) -> Result<Next, Failure> {
    let sent = Sent { state: &back.state, scopes: back.asked.scopes, claims: back.claims.as_ref() };
    let identity = identify(exchange, params, sent).await?;
    if let Some(response) = second_trip::begin(exchange, request, back, &identity).await {
        return Ok(Next::SecondTrip(response));
    }
    let Identity { user, profile, tokens } = identity;
    let command = GrantCommand::FinishSignIn { user, profile, tokens };
    match call(exchange, back.grant, command).await {
        Ok(GrantReply::Code(code)) => {
            log_sign_in(exchange, back, user);
            Ok(Next::Code(code))
        }
        Err(None) => Err(Failure::new(AuthorizeError::Unavailable, &"the grant did not answer")),
        Err(Some(error)) => Err(Failure::new(AuthorizeError::Failed, &error)),
        Ok(_) => Err(Failure::new(AuthorizeError::Failed, &"the grant answered something else")),
    }
}

fn of_entra(error: &EntraError) -> Failure {
    let answer = match error {
        EntraError::SignInNeeded { .. } | EntraError::Denied { .. } => AuthorizeError::SignInRefused(error.help()),
        EntraError::ConsentNeeded { .. } => AuthorizeError::SignInRefused(Some(Help::CONSENT)),
        EntraError::Unavailable { .. } => AuthorizeError::Unavailable,
        EntraError::RefusesServer { .. } => AuthorizeError::ServerRefused,
        EntraError::Malformed => AuthorizeError::Failed,
    };
    Failure::new(answer, &error.reason())
}

fn of_id_token(error: IdTokenError) -> Failure {
    let answer = match error {
        IdTokenError::TenantNotAllowed => AuthorizeError::TenantNotAllowed,
        IdTokenError::NotGenuine(JoseError::KeysUnavailable) => AuthorizeError::Unavailable,
        IdTokenError::NotGenuine(_)
        | IdTokenError::Issuer
        | IdTokenError::KeyIssuer
        | IdTokenError::Audience
        | IdTokenError::Expired
        | IdTokenError::NotYetValid
        | IdTokenError::Nonce => AuthorizeError::Failed,
    };
    Failure::new(answer, &error)
}

fn log_failure(exchange: &Exchange, back: &Return, failure: &Failure) {
    if !matches!(failure.answer, AuthorizeError::SignInRefused(_)) {
        return log_refusal(exchange, "callback", &failure.reason, Some(&back.asked.client_id));
    }
    exchange.ports.log.write(&Event {
        grant_id: Some(back.grant.to_string()),
        client_id: Some(&back.asked.client_id),
        reason: Some(&failure.reason),
        ..exchange.context.event(Kind::OauthDenied)
    });
}

fn log_sign_in(exchange: &Exchange, back: &Return, user: UserId) {
    exchange.ports.log.write(&Event {
        grant_id: Some(back.grant.to_string()),
        user_id: Some(user.to_string()),
        access_subject: exchange.access.as_ref().map(|identity| identity.sub.as_str()),
        client_id: Some(&back.asked.client_id),
        ..exchange.context.event(Kind::OauthSignedIn)
    });
}
