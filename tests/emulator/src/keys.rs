//! RSA signing keys, their published form (RFC 7517) and RS256 tokens (RFC 7519).
//!
//! Keys are made on first use and off the async threads, so that the emulator listens at once.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rsa::pkcs1v15::SigningKey as Pkcs1Key;
use rsa::signature::{SignatureEncoding, Signer};
use rsa::traits::PublicKeyParts;
use rsa::{RsaPrivateKey, sha2::Sha256};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use uuid::Uuid;

/// One RSA key pair with its key id.
pub struct SigningKey {
    /// The `kid` of headers and key sets.
    pub kid: String,
    private: RsaPrivateKey,
}

impl SigningKey {
    fn generate(prefix: &str) -> Option<Self> {
        let private = RsaPrivateKey::new(&mut rand::thread_rng(), 2048).ok()?;
        let kid = format!("{prefix}-{}", Uuid::new_v4().simple());
        Some(Self { kid, private })
    }

    /// The public half as a JWK.
    pub fn jwk(&self) -> Value {
        let public = self.private.to_public_key();
        json!({
            "kty": "RSA", "use": "sig", "kid": self.kid, "x5t": self.kid,
            "n": URL_SAFE_NO_PAD.encode(public.n().to_bytes_be()),
            "e": URL_SAFE_NO_PAD.encode(public.e().to_bytes_be()),
        })
    }

    /// Signs claims by RS256 under a header of the caller's making.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let input = signing_input(header, claims);
        let signature = Pkcs1Key::<Sha256>::new(self.private.clone()).sign(input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    /// Signs claims by RS256 under this key's ordinary header.
    pub fn token(&self, claims: &Value) -> String {
        self.sign(&json!({"typ": "JWT", "alg": "RS256", "kid": self.kid}), claims)
    }
}

/// The first two parts of a JWS.
pub fn signing_input(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// All published keys of one service; the last one signs.
pub struct KeyRing {
    prefix: &'static str,
    keys: Mutex<Vec<Arc<SigningKey>>>,
}

impl KeyRing {
    /// An empty ring; its first key is made when it is needed.
    pub fn new(prefix: &'static str) -> Self {
        Self { prefix, keys: Mutex::new(Vec::new()) }
    }

    /// The key that signs now, or none when no randomness is to be had.
    pub async fn current(&self) -> Option<Arc<SigningKey>> {
        let mut keys = self.keys.lock().await;
        if keys.is_empty() {
            keys.extend(self.generate().await);
        }
        keys.last().cloned()
    }

    /// All published keys.
    pub async fn published(&self) -> Vec<Arc<SigningKey>> {
        self.current().await;
        self.keys.lock().await.clone()
    }

    /// Publishes a new signing key; the old ones stay published unless dropped.
    pub async fn rotate(&self, drop_old: bool) -> Option<String> {
        let fresh = self.generate().await?;
        let mut keys = self.keys.lock().await;
        if drop_old {
            keys.clear();
        }
        keys.push(Arc::clone(&fresh));
        Some(fresh.kid.clone())
    }

    async fn generate(&self) -> Option<Arc<SigningKey>> {
        let prefix = self.prefix;
        let made = tokio::task::spawn_blocking(move || SigningKey::generate(prefix)).await;
        made.ok().flatten().map(Arc::new)
    }
}
