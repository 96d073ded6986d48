//! An issuer of JWTs: what Access and Entra do when they sign.

use std::sync::OnceLock;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rsa::RsaPrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::signature::{SignatureEncoding, Signer as _};
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

use crate::crypto;

/// One RSA key under one key id.
pub(crate) struct Signer {
    kid: &'static str,
    key: &'static RsaPrivateKey,
}

impl Signer {
    /// `which` is 0 or 1: two keys serve every test, because making one takes a while.
    pub(crate) fn new(kid: &'static str, which: usize) -> Self {
        Self { kid, key: Self::key(which) }
    }

    /// The key itself, for what needs more than a JWT.
    pub(crate) fn key(which: usize) -> &'static RsaPrivateKey {
        static KEYS: [OnceLock<RsaPrivateKey>; 2] = [const { OnceLock::new() }; 2];
        let slot = KEYS.get(which).expect("there are two keys");
        slot.get_or_init(|| RsaPrivateKey::new(&mut seeded(which as u64), 2048).expect("an RSA key"))
    }

    /// The public half as the issuer publishes it.
    pub(crate) fn jwk(&self) -> Value {
        let number = |number: &rsa::BigUint| crypto::encode(&number.to_bytes_be());
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid,
            "n": number(self.key.n()), "e": number(self.key.e()),
        })
    }

    /// An RS256 JWT of these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_with(&json!({"alg": "RS256", "kid": self.kid, "typ": "JWT"}), claims)
    }

    /// The same signature under another header.
    pub(crate) fn sign_with(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| crypto::encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(header), part(claims));
        let key = SigningKey::<rsa::sha2::Sha256>::new(self.key.clone());
        let signature = key.sign(signed.as_bytes()).to_vec();
        format!("{signed}.{}", crypto::encode(&signature))
    }
}

/// The same numbers each time.
pub(super) fn seeded(seed: u64) -> Seeded {
    Seeded(ChaCha8Rng::seed_from_u64(seed))
}

/// Seeded randomness for a crate that wants an older `rand_core`.
pub(super) struct Seeded(ChaCha8Rng);

impl rsa::rand_core::RngCore for Seeded {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl rsa::rand_core::CryptoRng for Seeded {}

/// A client that signs by ES256: one P-256 key under one key id.
pub(crate) struct EcSigner {
    kid: &'static str,
    key: p256::ecdsa::SigningKey,
}

impl EcSigner {
    pub(crate) fn new(kid: &'static str, which: u8) -> Self {
        let key = p256::ecdsa::SigningKey::from_slice(&[which + 1; 32]).expect("a P-256 key");
        Self { kid, key }
    }

    /// The public half.
    pub(crate) fn jwk(&self) -> Value {
        let point = self.key.verifying_key().to_encoded_point(false);
        let coordinate = |bytes: Option<&p256::FieldBytes>| crypto::encode(bytes.expect("a coordinate"));
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid,
            "x": coordinate(point.x()), "y": coordinate(point.y()),
        })
    }

    /// An ES256 JWT of these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        use p256::ecdsa::Signature;
        let part = |value: &Value| crypto::encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&json!({"alg": "ES256", "kid": self.kid})), part(claims));
        let signature: Signature = p256::ecdsa::signature::Signer::sign(&self.key, signed.as_bytes());
        format!("{signed}.{}", crypto::encode(&signature.to_bytes()))
    }
}
