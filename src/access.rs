//! Cloudflare Access: who came through the perimeter, from a verified `Cf-Access-Jwt-Assertion`.
//!
//! Owns the claim rules; form, key and signature are `jose`. Which routes are guarded is `app`'s. Nothing else than
//! the assertion is trusted: not the plain e-mail header, which anybody can send, and not the `CF_Authorization`
//! cookie. Source: Cloudflare's "Validate JWTs".

use std::cell::RefCell;
use std::collections::HashMap;

use serde::Deserialize;

use crate::config::Access;
use crate::crypto::Digest;
use crate::exchange::Exchange;
use crate::identity::AccessIdentity;
use crate::jose::{self, JoseError};
use crate::log::{Event, Kind};
use crate::web::{Request, Response};

/// How far Cloudflare's clock and ours may be apart.
const SKEW_SECONDS: u64 = 60;
/// How long a verified assertion is taken without verifying it again.
const REMEMBER_SECONDS: u64 = 300;
const MAX_REMEMBERED: usize = 1024;
/// A `sub` of Access is a UUID; what is stored and sealed with it should stay small.
const MAX_SUBJECT: usize = 128;

/// Why Access lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// No assertion on a guarded route.
    #[error("no assertion")]
    Missing,
    /// Form, algorithm, key or signature.
    #[error("the assertion is not genuine: {0}")]
    NotGenuine(JoseError),
    /// Another team's.
    #[error("another issuer")]
    Issuer,
    /// Another application's.
    #[error("another audience")]
    Audience,
    /// Too old.
    #[error("the assertion has expired")]
    Expired,
    /// Not valid yet.
    #[error("the assertion is not valid yet")]
    NotYetValid,
    /// Not an application assertion.
    #[error("not an application assertion")]
    Type,
    /// A service token: no person stands behind it.
    #[error("no person stands behind the assertion")]
    NoPerson,
}

impl AccessError {
    /// The rule's name, for the log line; the answer never says it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NotGenuine(error) => error.reason(),
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Type => "type",
            Self::NoPerson => "no_person",
        }
    }
}

/// Who came through Access, for a guarded route.
pub async fn verify(exchange: &Exchange, request: &Request) -> Result<AccessIdentity, AccessError> {
    // A guarded route without a perimeter is a fault of the caller, so nobody gets through.
    let Access::On { team_domain, aud, .. } = &exchange.config.access else { return Err(AccessError::Missing) };
    let rules = Rules { team_domain, aud, now: exchange.ports.clock.now() };
    identify(exchange, request, &rules).await
}

/// Logs the rule that refused, and answers: 503 where nothing could be verified, otherwise 403 without a reason.
pub fn refuse(exchange: &Exchange, error: AccessError) -> Response {
    exchange.ports.log.write(&Event { reason: Some(error.reason()), ..exchange.context.event(Kind::AccessDenied) });
    match error {
        AccessError::NotGenuine(JoseError::KeysUnavailable) => {
            Response::text(503, "the sign-in cannot be verified right now\n").with("retry-after", "10")
        }
        AccessError::Missing
        | AccessError::NotGenuine(_)
        | AccessError::Issuer
        | AccessError::Audience
        | AccessError::Expired
        | AccessError::NotYetValid
        | AccessError::Type
        | AccessError::NoPerson => Response::text(403, "forbidden\n"),
    }
}

async fn identify(exchange: &Exchange, request: &Request, rules: &Rules<'_>) -> Result<AccessIdentity, AccessError> {
    let token = request.header("cf-access-jwt-assertion").ok_or(AccessError::Missing)?;
    let digest = Digest::of(token.as_bytes());
    if let Some(identity) = exchange.isolate.assertions.recall(&digest, rules.now) {
        return Ok(identity);
    }
    let certs = format!("https://{}/cdn-cgi/access/certs", rules.team_domain);
    let verified = jose::verify::<Claims>(&exchange.ports, &exchange.isolate.keys, &certs, token).await;
    let claims = verified.map_err(AccessError::NotGenuine)?.claims;
    let expires_at = claims.exp;
    let identity = rules.judge(claims)?;
    exchange.isolate.assertions.keep(digest, &identity, expires_at.min(rules.now + REMEMBER_SECONDS));
    Ok(identity)
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    exp: u64,
    nbf: Option<u64>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    sub: String,
    email: Option<String>,
}

/// Access writes a list; RFC 7519 section 4.1.3 allows one string as well.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn contains(&self, aud: &str) -> bool {
        match self {
            Self::One(one) => one == aud,
            Self::Many(many) => many.iter().any(|one| one == aud),
        }
    }
}

struct Rules<'a> {
    team_domain: &'a str,
    aud: &'a str,
    now: u64,
}

impl Rules<'_> {
    fn judge(&self, claims: Claims) -> Result<AccessIdentity, AccessError> {
        if claims.iss.strip_prefix("https://") != Some(self.team_domain) {
            return Err(AccessError::Issuer);
        }
        if !claims.aud.contains(self.aud) {
            return Err(AccessError::Audience);
        }
        if claims.exp.saturating_add(SKEW_SECONDS) <= self.now {
            return Err(AccessError::Expired);
        }
        if claims.nbf.is_some_and(|nbf| nbf > self.now + SKEW_SECONDS) {
            return Err(AccessError::NotYetValid);
        }
        // `org` is the assertion of the team's own login page; it says nothing of this application.
        if claims.kind.as_deref() != Some("app") {
            return Err(AccessError::Type);
        }
        if claims.sub.is_empty() || claims.sub.len() > MAX_SUBJECT {
            return Err(AccessError::NoPerson);
        }
        Ok(AccessIdentity { sub: claims.sub, email: claims.email })
    }
}

/// Verified assertions by the digest of the token, so that a browser's next request costs no signature.
#[derive(Default)]
pub struct Remembered(RefCell<HashMap<Digest, (AccessIdentity, u64)>>);

impl Remembered {
    fn recall(&self, digest: &Digest, now: u64) -> Option<AccessIdentity> {
        let entries = self.0.borrow();
        entries.get(digest).filter(|(_, until)| now < *until).map(|(identity, _)| identity.clone())
    }

    fn keep(&self, digest: Digest, identity: &AccessIdentity, until: u64) {
        let mut entries = self.0.borrow_mut();
        if entries.len() >= MAX_REMEMBERED {
            entries.clear();
        }
        entries.insert(digest, (identity.clone(), until));
    }
}
