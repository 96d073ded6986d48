//! The PKCE verifier and the nonce of the Entra leg. They follow from the `state` under `ENCRYPTION_KEY`, each with a
//! purpose of its own, so neither is stored anywhere: who knows the `state` but not the key learns nothing of them.
//! They are made under the key that the `state` was made under, so a rotation in the middle of a sign-in does no harm.

use crate::config::Config;
use crate::crypto::{self, Digest, Keyring, Secret};

use super::token::TokenKeys;

/// RFC 7636 verifier: 43 characters.
pub fn verifier(config: &Config, state: &Secret) -> Secret {
    derive(config, &config.keys.encryption.entra_verifier, state)
}

/// Its S256 challenge.
pub fn challenge(config: &Config, state: &Secret) -> String {
    Digest::of(verifier(config, state).expose().as_bytes()).to_string()
}

/// `OpenID` Connect nonce.
pub fn nonce(config: &Config, state: &Secret) -> Secret {
    derive(config, &config.keys.encryption.entra_nonce, state)
}

fn derive(config: &Config, ring: &Keyring, state: &Secret) -> Secret {
    let key = ring.key(TokenKeys::new(&config.keys.encryption).made_under(state));
    Secret::new(crypto::encode(&key.mac(&[state.expose().as_bytes()])))
}
