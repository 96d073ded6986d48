//! The cryptographic primitives that every layer shares: digests, keyed digests, sealing, constant-time
//! comparison, base64url, and the types that keep secrets out of logs.
//!
//! Owns no key and no policy: who seals what, under which key and with which associated data, is said by the
//! caller. AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces, HMAC-SHA-256 (RFC 2104), base64url without
//! padding (RFC 4648 section 5).

use std::fmt;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::ports::Random;

const NONCE_BYTES: usize = 12;

/// A SHA-256 digest, the only form in which tokens and codes are stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Compares without leaking where the digests differ.
    pub fn matches(&self, other: &Self) -> bool {
        equal(&self.0, &other.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = CryptoError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = decode(&text).ok_or(CryptoError::Malformed)?;
        bytes.try_into().map(Self).map_err(|_| CryptoError::Malformed)
    }
}

/// Text that must never be printed: tokens, codes, secrets. `Debug` is redacted; `expose` is the one way out.
///
/// It serialises in full, because commands to the grant's object carry it; nothing else serialises one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the wire or for a digest.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The digest under which the secret is stored and looked up.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A 256-bit key.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// A key of these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A fresh random key.
    pub fn random(random: &dyn Random) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// A key for one purpose, so that no two uses share a key.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Self {
        Self(self.mac(&[b"derive", purpose.as_bytes()]))
    }

    /// HMAC-SHA-256 over `parts`, each preceded by its length so that parts cannot run into each other.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        // HMAC takes keys of any length, so this cannot fail; the fallback keeps the code free of panics.
        let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(&self.0) else {
            return [0; 32];
        };
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The key's bytes, for wrapping under another key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals `plain` as `nonce ‖ ciphertext ‖ tag`, bound to `aad`.
    pub fn seal(&self, random: &dyn Random, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut nonce = [0; NONCE_BYTES];
        random.fill(&mut nonce);
        let cipher = Aes256Gcm::new_from_slice(&self.0).map_err(|_| CryptoError::Seal)?;
        let payload = Payload { msg: plain, aad };
        let sealed = cipher.encrypt(Nonce::from_slice(&nonce), payload).map_err(|_| CryptoError::Seal)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`Key::seal`] made under the same key and `aad`.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let (nonce, msg) = sealed.split_at_checked(NONCE_BYTES).ok_or(CryptoError::Malformed)?;
        let cipher = Aes256Gcm::new_from_slice(&self.0).map_err(|_| CryptoError::Open)?;
        cipher.decrypt(Nonce::from_slice(nonce), Payload { msg, aad }).map_err(|_| CryptoError::Open)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// An asymmetric private key, PKCS#8 in DER. Only the platform uses it.
#[derive(Clone)]
pub struct PrivateKey(Vec<u8>);

impl PrivateKey {
    /// Wraps the DER.
    pub const fn new(pkcs8: Vec<u8>) -> Self {
        Self(pkcs8)
    }

    /// The DER itself, for import.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

/// Which of a keyring's keys something was made under. All keyrings of one root rotate together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// The key in use.
    Current,
    /// The key before the rotation.
    Previous,
}

impl Generation {
    /// Newest first.
    pub const ALL: [Self; 2] = [Self::Current, Self::Previous];
}

/// The key in use and the one before it, so that a rotation signs nobody out.
#[derive(Clone, Debug)]
pub struct Keyring {
    /// Seals and signs everything new.
    pub current: Key,
    /// Still opens and verifies what was made before the rotation.
    pub previous: Option<Key>,
}

impl Keyring {
    /// The same two keys, each derived for one purpose.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> Self {
        Self { current: self.current.derive(purpose), previous: self.previous.as_ref().map(|key| key.derive(purpose)) }
    }

    /// Current key first, then the previous one.
    pub fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(self.previous.as_ref())
    }

    /// The key of this generation; the current one where there was no rotation.
    pub fn key(&self, generation: Generation) -> &Key {
        match (generation, &self.previous) {
            (Generation::Previous, Some(key)) => key,
            (Generation::Previous, None) | (Generation::Current, _) => &self.current,
        }
    }

    /// Opens with whichever key sealed it.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut result = Err(CryptoError::Open);
        for key in self.all() {
            result = key.open(aad, sealed);
            if result.is_ok() {
                break;
            }
        }
        result
    }
}

/// Why a cryptographic step failed. Says nothing of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// Not the shape that this code writes.
    #[error("malformed ciphertext or digest")]
    Malformed,
    /// The cipher refused to seal.
    #[error("sealing failed")]
    Seal,
    /// Wrong key, wrong associated data, or altered bytes.
    #[error("opening failed")]
    Open,
}

/// Compares in time that depends on the lengths only.
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// base64url without padding.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes base64url without padding; `None` for anything else.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// `N` random bytes as base64url.
pub fn random_text<const N: usize>(random: &dyn Random) -> String {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    encode(&bytes)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;
    use crate::support::SeededRandom;

    #[test]
    fn sealed_bytes_open_only_with_their_key_and_associated_data() {
        let random = SeededRandom::new(1);
        let key = Key::random(&random);
        let sealed = key.seal(&random, b"grant-1", b"token").unwrap();
        assert_eq!(key.open(b"grant-1", &sealed).unwrap(), b"token");
        assert_eq!(key.open(b"grant-2", &sealed), Err(CryptoError::Open));
        assert_eq!(Key::random(&random).open(b"grant-1", &sealed), Err(CryptoError::Open));
        assert_eq!(key.open(b"grant-1", &[0; 3]), Err(CryptoError::Malformed));
    }

    #[test]
    fn a_rotated_keyring_still_opens_what_the_old_key_sealed() {
        let random = SeededRandom::new(2);
        let old = Key::random(&random);
        let sealed = old.seal(&random, b"", b"x").unwrap();
        let ring = Keyring { current: Key::random(&random), previous: Some(old) };
        assert_eq!(ring.open(b"", &sealed).unwrap(), b"x");
    }

    #[test]
    fn mac_parts_cannot_run_into_each_other() {
        let key = Key::new([7; 32]);
        assert_ne!(key.mac(&[b"ab", b"c"]), key.mac(&[b"a", b"bc"]));
    }

    #[test]
    fn debug_output_redacts_secrets_and_keys() {
        let shown = format!("{:?} {:?}", Secret::new("hunter2"), Key::new([9; 32]));
        assert_eq!(shown, "Secret(…) Key(…)");
    }
}
