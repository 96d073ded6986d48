//! What a user's grants are and how they end, for the account page and for operators.
//!
//! The user's object says which there are, each grant's object what it is. A grant whose object does not answer is
//! shown all the same, so that it can be ended.

use futures_util::future::join_all;

use crate::agent::{
    AgentName, Command, Description, GrantCommand, GrantError, GrantReply, Reply, UserCommand, UserReply,
};
use crate::exchange::Exchange;
use crate::identity::{GrantId, UserId};

use super::consent::call;

/// An object did not answer; what it should have done may be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an object did not answer")]
pub struct Unavailable;

/// One grant of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// As its object describes it.
    Known(Description),
    /// Its object did not answer.
    Silent(GrantId),
}

/// The grants that stand, oldest sign-in first.
pub async fn list(exchange: &Exchange, user: UserId) -> Result<Vec<Held>, Unavailable> {
    let ids = ids(exchange, user).await?;
    let described = join_all(ids.into_iter().map(|grant| describe(exchange, user, grant))).await;
    Ok(described.into_iter().flatten().collect())
}

/// Ends one grant; `false` where the user has none of this id.
pub async fn end(exchange: &Exchange, user: UserId, grant: GrantId) -> Result<bool, Unavailable> {
    let outcome = call(exchange, grant, GrantCommand::RevokeByUser { user }).await;
    exchange.isolate.confirmed.forget_grant(grant);
    match outcome {
        Ok(_) => Ok(true),
        Err(Some(GrantError::OtherIdentity | GrantError::Unknown | GrantError::Revoked)) => Ok(false),
        Err(_) => Err(Unavailable),
    }
}

/// Ends every grant that can be reached, and fails where one could not; the ones that ended.
pub async fn end_all(exchange: &Exchange, user: UserId) -> Result<Vec<GrantId>, Unavailable> {
    let ids = ids(exchange, user).await?;
    let outcomes = join_all(ids.iter().map(|grant| end(exchange, user, *grant))).await;
    let mut ended = Vec::new();
    for (grant, outcome) in ids.into_iter().zip(outcomes) {
        if outcome? {
            ended.push(grant);
        }
    }
    Ok(ended)
}

async fn ids(exchange: &Exchange, user: UserId) -> Result<Vec<GrantId>, Unavailable> {
    match exchange.ports.agents.call(&AgentName::User(user), &Command::User(UserCommand::List)).await {
        Ok(Reply::User(Ok(UserReply::Grants(ids)))) => Ok(ids),
        Ok(_) | Err(_) => Err(Unavailable),
    }
}

async fn describe(exchange: &Exchange, user: UserId, grant: GrantId) -> Option<Held> {
    match call(exchange, grant, GrantCommand::Describe { user }).await {
        Ok(GrantReply::Described(description)) => Some(Held::Known(description)),
        // It ended, and its user's object has not heard of it yet.
        Err(Some(GrantError::Revoked | GrantError::Unknown | GrantError::OtherIdentity)) => None,
        Ok(_) | Err(_) => Some(Held::Silent(grant)),
    }
}
