//! `/operator/…`: what operators may do over HTTP, for `npm run operator` and other scripts of theirs.
//!
//! | module | what |
//! |---|---|
//! | [`grants`] | `/operator/grants`: list and end a user's grants |
//! | [`clients`] | `/operator/clients`: clients that are registered by hand |
//!
//! Owns who may come in, and how every answer and log line here looks. The one key is `OPERATOR_KEY`, a bearer token
//! (RFC 6750 section 2.1): without that setting nobody has it. A person's Access identity is not asked for, because scripts
//! have none; no page of any origin may read the answers. Wrong keys are counted by network, with every other failed
//! authentication.

pub mod clients;
pub mod grants;

use serde::Serialize;

use crate::crypto::Secret;
use crate::exchange::Exchange;
use crate::limits::{self, Party, RateLimited};
use crate::log::{Event, Kind};
use crate::web::{Request, Response};

/// What every path here begins with.
pub const PREFIX: &str = "/operator/";

/// Why somebody does not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Stranger {
    /// Whether the setting is missing or the key is wrong shows to nobody.
    #[error("OPERATOR_KEY is missing or wrong")]
    Unknown,
    #[error("too many wrong keys from this network: wait a minute")]
    RateLimited(#[from] RateLimited),
}

/// Answers a request below [`PREFIX`].
pub async fn handle(exchange: &Exchange, request: &Request) -> Response {
    if let Err(stranger) = admit(exchange, request).await {
        return stranger.response(exchange);
    }
    let path = request.path.strip_prefix(PREFIX).unwrap_or_default();
    let (area, rest) = path.split_once('/').unwrap_or((path, ""));
    match area {
        "clients" => clients::handle(exchange, request, rest).await,
        "grants" => grants::handle(exchange, request, rest).await,
        _ => not_found(),
    }
}

async fn admit(exchange: &Exchange, request: &Request) -> Result<(), Stranger> {
    let network = Party::network(exchange, request);
    limits::refuse_failing(exchange, &network)?;
    // Digests, so that neither content nor length of the key shows in the time this takes.
    let shown = bearer(request).map(|text| Secret::new(text).digest());
    let key = exchange.config.operator_key.as_ref().map(Secret::digest);
    if let (Some(shown), Some(key)) = (shown, key)
        && shown.matches(&key)
    {
        return Ok(());
    }
    limits::count_failure(exchange, &network).await?;
    Err(Stranger::Unknown)
}

impl Stranger {
    fn response(self, exchange: &Exchange) -> Response {
        let said = self.to_string();
        let (reason, response) = match self {
            Self::Unknown => (None, refusal(401, &said).with("www-authenticate", "Bearer")),
            Self::RateLimited(_) => {
                (Some("rate_limited"), refusal(429, &said).with("retry-after", limits::RETRY_AFTER))
            }
        };
        exchange.ports.log.write(&Event { reason, ..exchange.context.event(Kind::OperatorRefused) });
        response
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
