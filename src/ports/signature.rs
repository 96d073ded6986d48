//! Signatures, which the platform makes and verifies.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::crypto::PrivateKey;

/// An RSA public key as a JWK writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RsaKey {
    /// Modulus, base64url.
    pub n: String,
    /// Exponent, base64url.
    pub e: String,
}

/// RSASSA-PKCS1-v1_5 with SHA-256; `WebCrypto` in the Worker, the `rsa` crate natively.
#[async_trait(?Send)]
pub trait Rs256 {
    /// Whether `signature` over `message` was made by the holder of `key`; false for an unusable key too.
    async fn verify(&self, key: &RsaKey, message: &[u8], signature: &[u8]) -> bool;
}

/// A P-256 public key as a JWK writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct P256Key {
    /// Coordinate, base64url of 32 bytes.
    pub x: String,
    /// Coordinate, base64url of 32 bytes.
    pub y: String,
}

/// ECDSA with P-256 and SHA-256; `WebCrypto` in the Worker, the `p256` crate natively.
#[async_trait(?Send)]
pub trait Es256 {
    /// Whether `signature` (r and s, 32 bytes each) over `message` was made by the holder of `key`; false for an
    /// unusable key too.
    async fn verify(&self, key: &P256Key, message: &[u8], signature: &[u8]) -> bool;
}

/// RSASSA-PSS with SHA-256 and a salt of 32 bytes; `WebCrypto` in the Worker, the `rsa` crate natively.
#[async_trait(?Send)]
pub trait Ps256 {
    /// The signature over `message`; `None` for an unusable key.
    async fn sign(&self, key: &PrivateKey, message: &[u8]) -> Option<Vec<u8>>;
}
