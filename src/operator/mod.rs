//! `/operator/…`: what operators may do over HTTP, for `npm run operator` and other scripts of theirs.
//!
//! | module | what |
//! |---|---|
//! | [`grants`] | `/operator/grants`: list and end a user's grants |
//! | [`clients`] | `/operator/clients`: clients that are registered by hand |
//!
//! Owns who may come in, and how every answer and log line here looks. The one key is `OPERATOR_KEY`, a bearer token
//! (RFC 6750 section 2.1): without that setting there is nothing here. A person's Access identity is not asked for,
//! because scripts have none; no page of any origin may read the answers.

pub mod clients;
pub mod grants;

use serde::Serialize;

use crate::exchange::Exchange;
use crate::log::{Event, Kind};
use crate::web::{Request, Response};

/// What every path here begins with.
pub const PREFIX: &str = "/operator/";

/// Answers a request below [`PREFIX`].
pub async fn handle(exchange: &Exchange, request: &Request) -> Response {
    let Some(key) = &exchange.config.operator_key else { return not_found() };
    let shown = bearer(request).map(crate::crypto::Secret::new);
    // Digests, so that neither content nor length of the key shows in the time this takes.
    if !shown.is_some_and(|shown| shown.digest().matches(&key.digest())) {
        exchange.ports.log.write(&exchange.context.event(Kind::OperatorRefused));
        return refusal(401, "OPERATOR_KEY is missing or wrong").with("www-authenticate", "Bearer");
    }
    let path = request.path.strip_prefix(PREFIX).unwrap_or_default();
    let (area, rest) = path.split_once('/').unwrap_or((path, ""));
    match area {
        "clients" => clients::handle(exchange, request, rest).await,
        "grants" => grants::handle(exchange, request, rest).await,
        _ => not_found(),
    }
}

fn bearer(request: &Request) -> Option<&str> {
    let (scheme, key) = request.header("authorization")?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// What an operator did, for the log: the deed as one word, and to what.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deed<'a> {
    /// `grants.revoke`, `clients.create` and the like.
    pub what: &'static str,
    /// The user whom it touches.
    pub user_id: Option<&'a str>,
    /// The grant.
    pub grant_id: Option<&'a str>,
    /// The client.
    pub client_id: Option<&'a str>,
}

/// Writes the deed's line. Reading is a deed too: who holds which grant is nobody else's business.
pub fn log(exchange: &Exchange, deed: &Deed<'_>) {
    exchange.ports.log.write(&Event {
        reason: Some(deed.what),
        user_id: deed.user_id.map(str::to_owned),
        grant_id: deed.grant_id.map(str::to_owned),
        client_id: deed.client_id,
        ..exchange.context.event(Kind::OperatorDone)
    });
}

/// A JSON answer that nobody keeps.
pub fn answer(status: u16, body: &impl Serialize) -> Response {
    Response::json(status, body).with("cache-control", "no-store")
}

#[derive(Serialize)]
struct Refused<'a> {
    error: &'a str,
}

/// What went wrong, in words for the operator.
pub fn refusal(status: u16, error: &str) -> Response {
    answer(status, &Refused { error })
}

/// The answer where there is nothing.
pub fn not_found() -> Response {
    Response::text(404, "there is nothing here\n")
}
