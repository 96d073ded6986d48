//! Registered clients: how they are kept in `OAUTH_KV`, and how they prove themselves at the token endpoint.
//!
//! `client:{id}` holds the JSON of [`Client`] for 90 days. A confidential client's secret is kept as SHA-256. An unknown
//! client and a wrong secret are one error (RFC 6749 section 5.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::crypto::{Digest, Secret};
use crate::ports::{Kv, KvError};
use crate::web::Request;

use super::error::TokenRequestError;
use super::params::Params;

/// 90 days.
pub const TTL_SECONDS: u64 = 90 * 24 * 3600;

/// base64url of 128 random bits.
const ID_LENGTH: usize = 22;

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
}

/// One registered client.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    /// SHA-256 of its secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Digest>,
    /// Unix seconds.
    pub issued_at: u64,
}

impl Client {
    /// The client of this id. What is no id of ours is not even looked up, so a stranger cannot choose KV keys.
    pub async fn load(kv: &dyn Kv, client_id: &str) -> Result<Option<Self>, KvError> {
        let is_ours = client_id.len() == ID_LENGTH
            && client_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !is_ours {
            return Ok(None);
        }
        let Some(bytes) = kv.get(&key(client_id)).await? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|_| KvError::Unavailable)
    }

    /// Keeps the client for 90 days.
    pub async fn save(&self, kv: &dyn Kv) -> Result<(), KvError> {
        let bytes = serde_json::to_vec(self).map_err(|_| KvError::Unavailable)?;
        kv.put(&key(&self.client_id), &bytes, Some(TTL_SECONDS)).await
    }
}

fn key(client_id: &str) -> String {
    format!("client:{client_id}")
}

/// What a client presented as itself.
struct Credentials {
    client_id: String,
    secret: Option<Secret>,
    method: AuthMethod,
}

/// The client that sent this form, proven by the method it registered.
pub async fn authenticate(kv: &dyn Kv, request: &Request, form: &Params) -> Result<Client, TokenRequestError> {
    let presented = credentials(request, form)?;
    let refused = TokenRequestError::InvalidClient { basic: presented.method == AuthMethod::Basic };
    let client = Client::load(kv, &presented.client_id).await.map_err(TokenRequestError::from)?;
    let Some(client) = client.filter(|client| client.auth_method == presented.method) else { return Err(refused) };
    let proven = match (&client.secret, &presented.secret) {
        (None, None) => client.auth_method == AuthMethod::None,
        (Some(kept), Some(secret)) => kept.matches(&secret.digest()),
        (None, Some(_)) | (Some(_), None) => false,
    };
    if proven { Ok(client) } else { Err(refused) }
}

fn credentials(request: &Request, form: &Params) -> Result<Credentials, TokenRequestError> {
    let in_body = form.get("client_secret").map(Secret::new);
    let body_id = form.get("client_id");
    let Some(header) = request.header("authorization") else {
        let client_id = body_id.ok_or(TokenRequestError::InvalidClient { basic: false })?.to_owned();
        let method = if in_body.is_some() { AuthMethod::Post } else { AuthMethod::None };
        return Ok(Credentials { client_id, secret: in_body, method });
    };
    if in_body.is_some() {
        return Err(TokenRequestError::TwoCredentials);
    }
    let (client_id, secret) = parse_basic(header).ok_or(TokenRequestError::InvalidClient { basic: true })?;
    if body_id.is_some_and(|id| id != client_id) {
        return Err(TokenRequestError::TwoCredentials);
    }
    Ok(Credentials { client_id, secret: Some(secret), method: AuthMethod::Basic })
}

/// Both halves are form-encoded before they are joined (RFC 6749 section 2.3.1).
fn parse_basic(header: &str) -> Option<(String, Secret)> {
    let (scheme, encoded) = header.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form_decode(id), Secret::new(form_decode(secret))))
}

fn form_decode(text: &str) -> String {
    // A pair's name ends at `=`, and `&` ends a pair; neither can occur in a form-encoded half.
    form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}
