//! Clients: what is known of one, and how the registered ones are kept in `OAUTH_KV`.
//!
//! `client:{id}` holds the JSON of [`Client`]: 90 days for one that registered itself, without an end for one that the
//! operator registered. A secret is kept as SHA-256. Clients with an address for an id are `client_fetch`'s; how any of
//! them proves itself is `client_auth`'s.

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::crypto::Digest;
use crate::exchange::Exchange;
use crate::jose::SigningAlg;
use crate::json;
use crate::ports::{Kv, KvError};

use super::client_document::DocumentError;
use super::client_fetch;
use super::client_id::{self, IdError, OPERATOR_PREFIX, Origin};

/// 90 days.
pub const TTL_SECONDS: u64 = 90 * 24 * 3600;

/// A client in use is kept anew at most once a week.
const RENEW_SECONDS: u64 = 7 * 24 * 3600;

/// How a client authenticates at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuthMethod {
    /// A public client: PKCE is its only proof.
    #[serde(rename = "none")]
    None,
    /// HTTP Basic.
    #[serde(rename = "client_secret_basic")]
    Basic,
    /// `client_secret` in the form.
    #[serde(rename = "client_secret_post")]
    Post,
    /// An assertion that it signs (RFC 7523).
    #[serde(rename = "private_key_jwt")]
    PrivateKeyJwt,
}

/// Where the keys of a client are that signs assertions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// A JWK set.
    Jwks(Value),
    /// The address of one.
    JwksUri(String),
}

/// One client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its id.
    pub client_id: String,
    /// What it calls itself, cleaned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// Where it may be answered.
    pub redirect_uris: Vec<String>,
    /// How it proves itself.
    pub auth_method: AuthMethod,
    /// How else it may; only a document offers more than one way, and documents are not kept in this form.
    #[serde(skip)]
    pub other_method: Option<AuthMethod>,
    /// SHA-256 of its secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Digest>,
    /// Its keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeySource>,
    /// The one algorithm that it said it signs with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_alg: Option<SigningAlg>,
    /// Unix seconds.
    pub issued_at: u64,
    /// Unix seconds at which its time began anew, because it is in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewed_at: Option<u64>,
}

/// Why there is no client to talk of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// Never registered, expired, or removed.
    #[error("unknown client")]
    Unknown,
    /// Its id is an address, and what is there makes no client.
    #[error("client document: {0}")]
    Document(#[from] DocumentError),
    /// The storage did not answer.
    #[error(transparent)]
    Unavailable(#[from] KvError),
}

/// The client of this id, wherever it comes from.
pub async fn find(exchange: &Exchange, client_id: &str) -> Result<Client, FindError> {
    match client_id::parse(client_id) {
        Ok(Origin::Dynamic | Origin::Operator) => {
            let client = Client::load(exchange.ports.kv.as_ref(), client_id).await?;
            client.filter(|client| !client.is_over(exchange.context.now)).ok_or(FindError::Unknown)
        }
        Ok(Origin::Document) => Ok(client_fetch::client(exchange, client_id).await?),
        Err(IdError::Address) => Err(DocumentError::Address.into()),
        Err(IdError::Foreign) => Err(FindError::Unknown),
    }
}

impl Client {
    /// The stored client of an id of ours.
    pub async fn load(kv: &dyn Kv, client_id: &str) -> Result<Option<Self>, KvError> {
        Self::read(kv, &key(client_id)).await
    }

    async fn read(kv: &dyn Kv, key: &str) -> Result<Option<Self>, KvError> {
        let Some(bytes) = kv.get(key).await? else { return Ok(None) };
        json::read(&bytes).map(Some).map_err(|_| KvError::Unavailable)
    }

    /// Keeps the client until it expires.
    pub async fn save(&self, kv: &dyn Kv, now: u64) -> Result<(), KvError> {
        let bytes = serde_json::to_vec(self).map_err(|_| KvError::Unavailable)?;
        let ttl = self.expires_at().map(|end| end.saturating_sub(now));
        kv.put(&key(&self.client_id), &bytes, ttl).await
    }

    /// The operator's clients, a page of them, and the cursor of the next page.
    pub async fn of_operator(kv: &dyn Kv, cursor: Option<&str>) -> Result<(Vec<Self>, Option<String>), KvError> {
        let page = kv.list(&key(OPERATOR_PREFIX), cursor).await?;
        let kept = try_join_all(page.keys.iter().map(|name| Self::read(kv, name))).await?;
        // A client that was removed a moment ago is still in the listing.
        Ok((kept.into_iter().flatten().collect(), page.cursor))
    }

    /// Removes a stored client.
    pub async fn remove(kv: &dyn Kv, client_id: &str) -> Result<(), KvError> {
        kv.delete(&key(client_id)).await
    }

    /// Whether this is one of its ways to prove itself.
    pub fn may_use(&self, method: AuthMethod) -> bool {
        self.auth_method == method || self.other_method == Some(method)
    }

    /// Unix seconds at which a client that registered itself is forgotten. The operator's never is.
    pub fn expires_at(&self) -> Option<u64> {
        let began_at = self.renewed_at.unwrap_or(self.issued_at);
        (client_id::parse(&self.client_id) == Ok(Origin::Dynamic)).then(|| began_at.saturating_add(TTL_SECONDS))
    }

    fn is_over(&self, now: u64) -> bool {
        self.expires_at().is_some_and(|end| end <= now)
    }

    /// The client with its time begun anew, where it is worth a write. A secret ends when its owner was told that it
    /// does, so only a public client is kept longer.
    pub fn renewed(&self, now: u64) -> Option<Self> {
        self.expires_at().filter(|_| self.secret.is_none())?;
        let began_at = self.renewed_at.unwrap_or(self.issued_at);
        (now >= began_at.saturating_add(RENEW_SECONDS)).then(|| Self { renewed_at: Some(now), ..self.clone() })
    }
}

fn key(client_id: &str) -> String {
    format!("client:{client_id}")
}
