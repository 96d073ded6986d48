//! How Microsoft's tokens are kept: sealed under a data key of their own sign-in, that key wrapped once per client
//! token that may open it.
//!
//! The wrapping key is an HMAC of the client token under a pepper derived from `ENCRYPTION_KEY`. Of client tokens only
//! the digest is stored, so what is stored and the Worker's secrets together open nothing: a live client token is the
//! missing part. And a stolen client token opens nothing without the pepper. AES-256-GCM throughout; every sealed
//! byte is bound to the version of this format, the user, the grant, the client and the purpose.

use serde::{Deserialize, Serialize};

use crate::config::EncryptionKeys;
use crate::crypto::{self, CryptoError, Key, Keyring, Secret};
use crate::identity::{GrantId, UserId};
use crate::ports::Random;

/// Whose tokens are sealed.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The Microsoft user.
    pub user: UserId,
    /// The grant.
    pub grant: GrantId,
    /// The client.
    pub client_id: &'a str,
}

impl Binding<'_> {
    /// User, grant and purpose have a fixed form without line breaks, so no two bindings share their bytes.
    fn aad(&self, purpose: &str) -> Vec<u8> {
        format!("m365-mcp/1\n{}\n{}\n{}\n{purpose}", self.user, self.grant, self.client_id).into_bytes()
    }
}

/// A data key as one client token opens it: base64url of `nonce ‖ ciphertext ‖ tag`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wrapped(String);

/// Wraps and opens for one grant.
pub struct Sealer<'a> {
    pepper: &'a Keyring,
    binding: Binding<'a>,
}

impl<'a> Sealer<'a> {
    /// Seals under `ENCRYPTION_KEY`, still opens what `ENCRYPTION_KEY_PREVIOUS` wrapped.
    pub fn new(encryption: &'a EncryptionKeys, binding: Binding<'a>) -> Self {
        Self { pepper: &encryption.microsoft_tokens, binding }
    }

    /// The data key as `token` opens it.
    pub fn wrap(&self, random: &dyn Random, token: &Secret, data_key: &Key) -> Result<Wrapped, CryptoError> {
        let sealed =
            kek(&self.pepper.current, token).seal(random, &self.binding.aad("data key"), data_key.as_bytes())?;
        Ok(Wrapped(crypto::encode(&sealed)))
    }

    /// The data key that `token` opens.
    pub fn unwrap(&self, token: &Secret, wrapped: &Wrapped) -> Result<Key, CryptoError> {
        let sealed = crypto::decode(&wrapped.0).ok_or(CryptoError::Malformed)?;
        let ring = Keyring {
            current: kek(&self.pepper.current, token),
            previous: self.pepper.previous.as_ref().map(|pepper| kek(pepper, token)),
        };
        let bytes = ring.open(&self.binding.aad("data key"), &sealed)?;
        bytes.try_into().map(Key::new).map_err(|_| CryptoError::Malformed)
    }

    /// Seals Microsoft's tokens.
    pub fn seal(&self, random: &dyn Random, data_key: &Key, plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
        data_key.seal(random, &self.binding.aad("microsoft tokens"), plain)
    }

    /// Opens Microsoft's tokens.
    pub fn open(&self, data_key: &Key, sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
        data_key.open(&self.binding.aad("microsoft tokens"), sealed)
    }
}

fn kek(pepper: &Key, token: &Secret) -> Key {
    Key::new(pepper.mac(&[token.expose().as_bytes()]))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::support::SeededRandom;

    fn binding(user: u128, client_id: &str) -> Binding<'_> {
        let user = UserId { tid: Uuid::from_u128(1), oid: Uuid::from_u128(user) };
        Binding { user, grant: GrantId::random(&SeededRandom::new(1)), client_id }
    }

    /// The same but for that.
    fn of_another_grant() -> Binding<'static> {
        Binding { grant: GrantId::random(&SeededRandom::new(2)), ..binding(7, "client") }
    }

    fn ring(current: u8, previous: Option<u8>) -> &'static EncryptionKeys {
        let previous = previous.map(|byte| Key::new([byte; 32]));
        Box::leak(Box::new(EncryptionKeys::derive(&Keyring { current: Key::new([current; 32]), previous })))
    }

    #[test]
    fn a_data_key_opens_only_with_its_token_its_pepper_and_its_owner() {
        let random = SeededRandom::new(2);
        let token = Secret::new("m365a.x");
        let sealer = Sealer::new(ring(1, None), binding(7, "client"));
        let key = Key::random(&random);
        let wrapped = sealer.wrap(&random, &token, &key).unwrap();
        assert_eq!(sealer.unwrap(&token, &wrapped).unwrap().as_bytes(), key.as_bytes());
        assert!(sealer.unwrap(&Secret::new("m365a.y"), &wrapped).is_err());
        assert!(Sealer::new(ring(2, None), binding(7, "client")).unwrap(&token, &wrapped).is_err());
        assert!(Sealer::new(ring(1, None), binding(8, "client")).unwrap(&token, &wrapped).is_err());
        assert!(Sealer::new(ring(1, None), binding(7, "other")).unwrap(&token, &wrapped).is_err());
        assert!(Sealer::new(ring(1, None), of_another_grant()).unwrap(&token, &wrapped).is_err());
    }

    #[test]
    fn sealed_tokens_open_for_their_owner_only_and_a_wrapped_key_is_no_token() {
        let random = SeededRandom::new(2);
        let key = Key::random(&random);
        let sealer = Sealer::new(ring(1, None), binding(7, "client"));
        let bytes = sealer.seal(&random, &key, b"tokens").unwrap();
        assert_eq!(sealer.open(&key, &bytes).unwrap(), b"tokens");
        assert!(Sealer::new(ring(1, None), binding(8, "client")).open(&key, &bytes).is_err());
        assert!(Sealer::new(ring(1, None), of_another_grant()).open(&key, &bytes).is_err());
        let foreign = key.seal(&random, &binding(7, "client").aad("data key"), b"tokens").unwrap();
        assert!(sealer.open(&key, &foreign).is_err());
    }

    #[test]
    fn a_rotated_encryption_key_still_opens_and_wraps_under_the_new_one() {
        let random = SeededRandom::new(2);
        let token = Secret::new("m365a.x");
        let key = Key::random(&random);
        let old = Sealer::new(ring(1, None), binding(7, "c")).wrap(&random, &token, &key).unwrap();
        let rotated = Sealer::new(ring(2, Some(1)), binding(7, "c"));
        assert!(rotated.unwrap(&token, &old).is_ok());
        let new = rotated.wrap(&random, &token, &key).unwrap();
        assert!(Sealer::new(ring(2, None), binding(7, "c")).unwrap(&token, &new).is_ok());
    }
}
