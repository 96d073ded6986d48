//! A user whom Graph challenged for claims goes to Entra twice in one sign-in: the first time says who it is, the second
//! carries what Graph asked of that user's next access token (continuous access evaluation, authentication contexts).
//!
//! Twice, because before the first return nobody knows who signs in, and the claims are nobody else's business. Owns
//! the redirect; what is asked for waits with the user's object (`agent::user_grants`), and the grant's object sees to
//! it that there is no third trip. If either does not answer, the sign-in goes on as it is: Graph still decides, and
//! asks again.

use crate::agent::{AgentName, Command, GrantCommand, GrantReply, Reply, UserCommand, UserReply};
use crate::exchange::Exchange;
use crate::identity::UserId;
use crate::log::{Event, Kind};
use crate::web::{Request, Response};

use super::callback::{Identity, Return};
use super::consent::{call, entra, new_state};
use super::entra::Again;
use super::entra::claims::Claims;
use super::{binding, upstream_secrets};

/// The redirect to Entra, where Graph asked for something that this sign-in did not carry. The tokens it brought are
/// dropped.
pub(super) async fn begin(
    exchange: &Exchange,
    request: &Request,
    back: &Return,
    identity: &Identity,
) -> Option<Response> {
    if back.claims.is_some() {
        return None;
    }
    let claims = take(exchange, identity.user).await?;
    let (state, _) = new_state(exchange, back.grant);
    let command = GrantCommand::SendBack { state: state.digest(), claims: claims.clone() };
    let Ok(GrantReply::Done) = call(exchange, back.grant, command).await else { return None };
    exchange.ports.log.write(&Event {
        grant_id: Some(back.grant.to_string()),
        user_id: Some(identity.user.to_string()),
        client_id: Some(&back.asked.client_id),
        ..exchange.context.event(Kind::OauthSentBack)
    });
    let config = &exchange.config;
    let (nonce, challenge) = (upstream_secrets::nonce(config, &state), upstream_secrets::challenge(config, &state));
    let again = Again { scopes: back.asked.scopes, claims: &claims, account: identity.profile.email.as_deref() };
    let url = entra(exchange).challenge_url(&state, nonce.expose(), &challenge, &again);
    Some(binding::set_cookie(Response::redirect(url), request, config, (back.grant, state.expose())))
}

async fn take(exchange: &Exchange, user: UserId) -> Option<Claims> {
    let command = Command::User(UserCommand::TakeChallenge);
    match exchange.ports.agents.call(&AgentName::User(user), &command).await {
        Ok(Reply::User(Ok(UserReply::Claims(claims)))) => claims,
        Ok(_) | Err(_) => None,
    }
}
