//! `/operator/grants?user=<tid>:<oid>[&grant=<id>]`: GET lists a user's grants, DELETE ends one or all of them.

use serde::Serialize;

use crate::agent::Description;
use crate::exchange::Exchange;
use crate::identity::{GrantId, UserId};
use crate::oauth::params::Params;
use crate::oauth::redirect_uri;
use crate::oauth::user_grants::{self, Held};
use crate::web::{Method, Request, Response};

use super::{Deed, answer, log, not_found, refusal};

#[derive(Serialize)]
struct Listed {
    grants: Vec<Row>,
}

#[derive(Serialize)]
struct Ended {
    revoked: Vec<GrantId>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Row {
    Known(Box<Known>),
    Silent { grant: GrantId, unreachable: bool },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    grant: GrantId,
    client_id: String,
    client_name: Option<String>,
    redirect_host: String,
    scope: String,
    created_at: u64,
    last_used_at: u64,
    ends_at: u64,
    sign_in_needed: bool,
}

/// `/operator/grants`; `rest` is what follows.
pub async fn handle(exchange: &Exchange, request: &Request, rest: &str) -> Response {
    if !rest.is_empty() {
        return not_found();
    }
    let query = Params::parse(request.query.as_deref().unwrap_or_default().as_bytes());
    let Some(user) = query.get("user").and_then(UserId::parse).filter(|_| !query.repeated()) else {
        return refusal(400, "user must be <tenant id>:<object id>, once");
    };
    let grant = match query.get("grant").map(str::parse::<GrantId>) {
        None => None,
        Some(Ok(grant)) => Some(grant),
        Some(Err(_)) => return refusal(400, "grant is not a grant's id"),
    };
    match request.method {
        Method::Get => list(exchange, user).await,
        Method::Delete => end(exchange, user, grant).await,
        Method::Head | Method::Post | Method::Options | Method::Other => Response::method_not_allowed("GET, DELETE"),
    }
}

async fn list(exchange: &Exchange, user: UserId) -> Response {
    note(exchange, "grants.list", user, None);
    match user_grants::list(exchange, user).await {
        Ok(grants) => answer(200, &Listed { grants: grants.into_iter().map(row).collect() }),
        Err(_) => refusal(503, "the user's object did not answer; try again"),
    }
}

async fn end(exchange: &Exchange, user: UserId, grant: Option<GrantId>) -> Response {
    note(exchange, if grant.is_some() { "grants.revoke" } else { "grants.revoke-all" }, user, grant);
    let ended = match grant {
        Some(grant) => {
            user_grants::end(exchange, user, grant).await.map(|ended| Vec::from_iter(ended.then_some(grant)))
        }
        None => user_grants::end_all(exchange, user).await,
    };
    match ended {
        Ok(revoked) => answer(200, &Ended { revoked }),
        Err(_) => refusal(503, "not every grant could be ended; list what is left and try again"),
    }
}

fn row(held: Held) -> Row {
    match held {
        Held::Known(known) => Row::Known(Box::new(described(known))),
        Held::Silent(grant) => Row::Silent { grant, unreachable: true },
    }
}

fn described(known: Description) -> Known {
    Known {
        grant: known.grant,
        client_id: known.client_id,
        client_name: known.client_name,
        redirect_host: redirect_uri::shown_host(&known.redirect_uri),
        scope: known.scopes.to_string(),
        created_at: known.created_at,
        last_used_at: known.last_used_at,
        ends_at: known.ends_at,
        sign_in_needed: known.sign_in_needed,
    }
}

fn note(exchange: &Exchange, what: &'static str, user: UserId, grant: Option<GrantId>) {
    let (user, grant) = (user.to_string(), grant.map(|grant| grant.to_string()));
    log(exchange, &Deed { what, user_id: Some(&user), grant_id: grant.as_deref(), client_id: None });
}
