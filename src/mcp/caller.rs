//! Who asks, and what a caller without a token of ours may do.
//!
//! Authentication comes before method, body and session (OAUTH.md W1), so a client learns nothing before it signs in,
//! and a good token with an unknown session is 404, never 401.

use super::challenge::Challenge;
use super::protocol::Message;
use super::session::{Owner, SessionKeys};
use super::{Endpoint, Turn, refuse};
use crate::agent::Presented;
use crate::config::{Discovery, PresetSet};
use crate::crypto::Secret;
use crate::exchange::Exchange;
use crate::limits::{self, Party, RateLimited};
use crate::oauth::token::{AccessClaims, Bearer, TokenKeys};
use crate::web::{Request, Response};

/// What a discovery caller may ask.
const DISCOVERY_METHODS: [&str; 7] = [
    "initialize",
    "ping",
    "server/discover",
    "tools/list",
    "resources/list",
    "resources/templates/list",
    "prompts/list",
];

/// Who asks.
pub(super) enum Caller<'a> {
    /// The holder of an access token of ours. Whether it still counts, the grant's object says.
    Grant {
        /// As presented.
        token: &'a str,
        /// What it says.
        claims: AccessClaims,
    },
    /// Somebody without one, let in to look around.
    Discovery {
        /// `Authorization` as it came, if it came.
        credentials: Option<&'a str>,
    },
}

impl<'a> Caller<'a> {
    /// Reads `Authorization`, or answers with a challenge.
    ///
    /// A bearer that cannot be meant well counts as a failed authentication; an expired one does not, and neither does
    /// anything in the way of a good one.
    pub(super) async fn identify(
        exchange: &Exchange,
        endpoint: Endpoint,
        request: &'a Request,
        presets: PresetSet,
    ) -> Result<Self, Response> {
        let config = &exchange.config;
        let header = request.header("authorization");
        let refused = |kind| Err(refuse::unauthorized(config, endpoint, kind));
        match (TokenKeys::new(&config.keys.encryption).bearer(header, exchange.context.now), config.discovery) {
            (Bearer::Ours { token, claims }, _) => Ok(Self::Grant { token, claims }),
            (Bearer::Expired, _) => refused(INVALID),
            (Bearer::Invalid, _) => count_failure(exchange, request).await.and_then(|()| refused(INVALID)),
            (Bearer::Foreign, Discovery::ApiToken | Discovery::Open) => Ok(Self::Discovery { credentials: header }),
            (Bearer::Foreign, Discovery::Off) => count_failure(exchange, request).await.and_then(|()| refused(FOREIGN)),
            (Bearer::Absent, Discovery::Open) => Ok(Self::Discovery { credentials: None }),
            (Bearer::Absent, Discovery::ApiToken | Discovery::Off) => refused(Challenge::Missing(presets)),
        }
    }

    /// Whose sessions this caller's are.
    pub(super) fn owner(&self, keys: &SessionKeys<'_>) -> Owner {
        match self {
            Self::Grant { claims, .. } => Owner::Grant(claims.grant),
            Self::Discovery { credentials } => keys.discovery_owner(credentials.unwrap_or_default()),
        }
    }

    /// Whose the sessions were that this caller opened before `ENCRYPTION_KEY` was rotated, if that differs.
    pub(super) fn former_owner(&self, keys: &SessionKeys<'_>) -> Option<Owner> {
        match self {
            Self::Grant { .. } => None,
            Self::Discovery { credentials } => keys.former_discovery_owner(credentials.unwrap_or_default()),
        }
    }
}

/// Counts a failed authentication; 429 where there were too many.
async fn count_failure(exchange: &Exchange, request: &Request) -> Result<(), Response> {
    let counted = limits::count_failure(exchange, &Party::network(exchange, request)).await;
    counted.map_err(|RateLimited| refuse::rate_limited())
}

const INVALID: Challenge = Challenge::InvalidToken("the token is malformed or has expired");
const FOREIGN: Challenge = Challenge::InvalidToken("not a token of this server");

fn may_discover(message: &Message<'_>) -> bool {
    match message {
        Message::Request { method, .. } => DISCOVERY_METHODS.contains(&method.as_str()),
        Message::Notification { .. } | Message::Response { .. } => true,
    }
}

/// A grant's caller with everything that its object judges it by.
pub(super) struct Holder<'a> {
    /// The token as presented.
    pub(super) token: &'a str,
    /// What it says.
    pub(super) claims: AccessClaims,
    /// The session it comes with.
    pub(super) session: Option<&'a str>,
}

impl Holder<'_> {
    /// For the object.
    pub(super) fn presented(&self, exchange: &Exchange) -> Presented {
        Presented {
            token: Secret::new(self.token),
            access: exchange.access.clone(),
            session: self.session.map(str::to_owned),
        }
    }
}

impl<'a> Turn<'a> {
    /// Refuses with a challenge what needs a sign-in and comes without one.
    pub(super) fn authorize<'m>(&self, messages: impl IntoIterator<Item = &'m Message<'m>>) -> Result<(), Response> {
        let Caller::Discovery { credentials } = &self.caller else { return Ok(()) };
        if messages.into_iter().all(may_discover) {
            return Ok(());
        }
        let kind = if credentials.is_some() { FOREIGN } else { Challenge::Missing(self.presets) };
        Err(refuse::unauthorized(&self.exchange.config, self.endpoint, kind))
    }

    /// The grant's caller; `None` in discovery.
    pub(super) fn holder<'s>(&'s self, session: Option<&'s str>) -> Option<Holder<'s>>
    where
        'a: 's,
    {
        match &self.caller {
            Caller::Grant { token, claims } => Some(Holder { token, claims: *claims, session }),
            Caller::Discovery { .. } => None,
        }
    }

    /// The challenge for what only a signed-in caller may do.
    pub(super) fn sign_in_first(&self) -> Response {
        refuse::unauthorized(&self.exchange.config, self.endpoint, FOREIGN)
    }
}
