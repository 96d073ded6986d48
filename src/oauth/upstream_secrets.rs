//! The PKCE verifier and the nonce of the Entra leg. They follow from the `state` under `ENCRYPTION_KEY`, each with a
//! purpose of its own, so neither is stored anywhere: who knows the `state` but not the key learns nothing of them.
//! A key rotated in the middle of a sign-in makes that one sign-in fail; it is simply repeated.

use crate::config::Config;
use crate::crypto::{self, Digest, Secret};

/// RFC 7636 verifier: 43 characters.
pub fn verifier(config: &Config, state: &Secret) -> Secret {
    derive(config, "entra pkce", state)
}

/// Its S256 challenge.
pub fn challenge(config: &Config, state: &Secret) -> String {
    Digest::of(verifier(config, state).expose().as_bytes()).to_string()
}

/// `OpenID` Connect nonce.
pub fn nonce(config: &Config, state: &Secret) -> Secret {
    derive(config, "entra nonce", state)
}

fn derive(config: &Config, purpose: &str, state: &Secret) -> Secret {
    let key = config.keys.encryption.current.derive(purpose);
    Secret::new(crypto::encode(&key.mac(&[state.expose().as_bytes()])))
}
