//! `POST /revoke` (RFC 7009): a refresh token ends its grant, an access token only itself. A token that is unknown, over
//! or another client's is answered like a success and changes nothing.

use crate::agent::GrantCommand;
use crate::crypto::Secret;
use crate::exchange::Exchange;
use crate::identity::GrantId;
use crate::web::{Request, Response};

use super::authorize::log_refusal;
use super::consent::call;
use super::error::TokenRequestError;
use super::token::{Kind, TokenKeys};
use super::token_endpoint::{Asking, read_form};
use crate::agent::GrantError;

/// `POST /revoke`.
pub async fn handle(exchange: &Exchange, request: &Request) -> Response {
    match revoke(exchange, request).await {
        Ok(()) => Response::empty(200).with("cache-control", "no-store").with("pragma", "no-cache"),
        Err(error) => {
            log_refusal(exchange, "revoke", &error.to_string(), None);
            error.response()
        }
    }
}

async fn revoke(exchange: &Exchange, request: &Request) -> Result<(), TokenRequestError> {
    let form = read_form(request)?;
    let grant = form.get("token").and_then(|token| genuine(exchange, token));
    let proven = Asking { exchange, request, form: &form, grant }.authenticate().await?;
    let token = form.get("token").ok_or(TokenRequestError::Missing("token"))?;
    let Some(grant) = grant else { return Ok(()) };
    let command = GrantCommand::Revoke { token: Secret::new(token), client_id: proven.client.client_id.clone() };
    let outcome = call(exchange, grant, proven.once(command)).await;
    // What this isolate noted of the grant goes at once; other isolates' notes last a minute, and calls never rely on
    // them.
    exchange.isolate.confirmed.forget_grant(grant);
    match outcome {
        Err(None | Some(GrantError::Storage)) => Err(TokenRequestError::Unavailable),
        Err(Some(error @ GrantError::AssertionReused)) => Err(error.into()),
        Ok(_) | Err(Some(_)) => Ok(()),
    }
}

/// The grant of a refresh or access token that was issued here. `token_type_hint` is not needed: a token says what it
/// is.
fn genuine(exchange: &Exchange, token: &str) -> Option<GrantId> {
    let keys = TokenKeys::new(&exchange.config.keys.encryption);
    let read = |kind| keys.read(kind, token, exchange.context.now).ok();
    [Kind::Refresh, Kind::Access].into_iter().find_map(read).map(|stamp| stamp.grant)
}
