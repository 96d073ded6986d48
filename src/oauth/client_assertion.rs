//! `private_key_jwt`: the claims of a client's assertion (RFC 7523 section 3, RFC 7521 section 4.2).
//!
//! 1. Signed by a key of the client (`jose`), with the one algorithm that it named, if it named one.
//! 2. `iss` and `sub` are the client; `aud` is this server, alone: its issuer or its token endpoint.
//! 3. It ends within five minutes and was not made before them; `nbf` and `iat` are not ahead of us.
//! 4. `jti` is there. That it counts once is decided by the grant's object, which remembers it until it expires.

use serde::Deserialize;

use crate::agent::AssertionId;
use crate::crypto::Digest;
use crate::exchange::Exchange;
use crate::jose::{ClientKeys, JoseError};

use super::client::{Client, KeySource};
use super::client_document::DocumentError;
use super::client_fetch;

/// The only assertion type (RFC 7523 section 8).
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

const MAX_LIFE: u64 = 300;

/// Clocks differ.
const SKEW: u64 = 30;

const MAX_JTI: usize = 256;

/// Why an assertion proves nothing. For the log; the client hears `invalid_client`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum AssertionError {
    #[error("another client_assertion_type")]
    Type,
    #[error("{0}")]
    Jose(#[from] JoseError),
    #[error("{0}")]
    Keys(#[from] DocumentError),
    #[error("iss or sub is not the client")]
    Subject,
    #[error("aud is not this server alone")]
    Audience,
    #[error("expired, or good for more than five minutes")]
    Expiry,
    #[error("iat or nbf is not of now")]
    NotNow,
    #[error("no jti")]
    NoId,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    iat: Option<f64>,
    nbf: Option<f64>,
    jti: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    List(Vec<String>),
}

impl Audience {
    fn only(&self) -> Option<&str> {
        match self {
            Self::One(one) => Some(one),
            Self::List(list) => match list.as_slice() {
                [one] => Some(one),
                _ => None,
            },
        }
    }
}

/// The assertion's id, if it proves that this client sent it.
pub async fn verify(exchange: &Exchange, client: &Client, assertion: &str) -> Result<AssertionId, AssertionError> {
    let claims = verified(exchange, client, assertion).await?;
    claims.check(exchange, &client.client_id)
}

/// The claims under a true signature. A key that the client published since is looked for once.
async fn verified(exchange: &Exchange, client: &Client, assertion: &str) -> Result<Claims, AssertionError> {
    let only = |keys: ClientKeys| keys.only(client.signing_alg);
    let ports = &exchange.ports;
    match &client.keys {
        None => Err(DocumentError::NoKeys.into()),
        Some(KeySource::Jwks(set)) => {
            let keys = ClientKeys::parse(set).map_err(DocumentError::Keys)?;
            Ok(only(keys).verify(ports, assertion).await?)
        }
        Some(KeySource::JwksUri(uri)) => {
            let kept = only(client_fetch::keys(exchange, uri, false).await?).verify(ports, assertion).await;
            if kept.as_ref().is_err_and(|error| *error == JoseError::UnknownKey) {
                return Ok(only(client_fetch::keys(exchange, uri, true).await?).verify(ports, assertion).await?);
            }
            Ok(kept?)
        }
    }
}

impl Claims {
    fn check(&self, exchange: &Exchange, client_id: &str) -> Result<AssertionId, AssertionError> {
        if self.iss != client_id || self.sub != client_id {
            return Err(AssertionError::Subject);
        }
        let url = &exchange.config.public_url;
        let token_endpoint = url.join("/token");
        if !self.audience_is(&[&url.origin, &token_endpoint]) {
            return Err(AssertionError::Audience);
        }
        let now = exchange.context.now;
        let exp = seconds(self.exp).ok_or(AssertionError::Expiry)?;
        if exp <= now || exp > now + MAX_LIFE + SKEW {
            return Err(AssertionError::Expiry);
        }
        let not_ahead = |time: f64| seconds(time).is_some_and(|time| time <= now + SKEW);
        let recent = |time: f64| seconds(time).is_some_and(|time| time + MAX_LIFE + SKEW >= now);
        if !self.nbf.is_none_or(not_ahead) || !self.iat.is_none_or(|iat| not_ahead(iat) && recent(iat)) {
            return Err(AssertionError::NotNow);
        }
        let jti = self.jti.as_deref().filter(|jti| !jti.is_empty() && jti.len() <= MAX_JTI);
        let jti = Digest::of(jti.ok_or(AssertionError::NoId)?.as_bytes());
        Ok(AssertionId { jti, expires_at: exp })
    }

    fn audience_is(&self, ours: &[&str]) -> bool {
        self.aud.only().is_some_and(|aud| ours.contains(&aud))
    }
}

/// `NumericDate` (RFC 7519 section 2) may have a fraction.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn seconds(time: f64) -> Option<u64> {
    (0.0..4_102_444_800.0).contains(&time).then_some(time as u64)
}
