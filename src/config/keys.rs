//! Our own keys, each derived once for its one purpose, so that no request pays for it and no two uses share a key.
//!
//! This is the whole list. A purpose's name is part of the key: changing one makes everything unreadable that was made
//! under it, as changing the key itself would.
//!
//! | from | purpose | what is made under it | how long that counts |
//! |---|---|---|---|
//! | `ENCRYPTION_KEY` | `client token` | HMAC of access and refresh tokens, codes, `state` | to the grant's end |
//! | | `successor tokens` | the randomness of a refresh token's successors | until a successor is used |
//! | | `microsoft tokens` | the pepper of the keys that wrap a grant's data key | to the grant's end |
//! | | `graph envelope` | the seal of one Graph request | 60 seconds |
//! | | `cursor` | the seal of a list's position | while the list is read |
//! | | `request state` | the seal of a call that waits for its client's answers | 10 minutes |
//! | | `mcp session` | HMAC of session ids | 90 days |
//! | | `rate limit` | the HMAC that stands for a caller's network | a minute |
//! | | `entra pkce`, `entra nonce` | verifier and nonce of one sign-in at Entra | 10 minutes |
//! | `COOKIE_ENCRYPTION_KEY` | `consent transaction` | the seal of the consent cookie | 10 minutes |
//! | | `account session` | the seal of the session cookie of `/account` | 10 minutes |
//! | `COOKIE_SECRET` | `browser binding` | HMAC of the binding cookie | 10 minutes |
//! | | `account action` | HMAC of what a button of `/account` does | 10 minutes |
//!
//! The cookies' keys are derived where they are used: once a sign-in, never on a hot path.

use crate::crypto::{Key, Keyring};

/// Keys of ours.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Of `ENCRYPTION_KEY` and `ENCRYPTION_KEY_PREVIOUS`.
    pub encryption: EncryptionKeys,
    /// Encrypts the transaction cookie.
    pub cookie: Key,
    /// Signs the browser-binding cookie.
    pub cookie_signing: Key,
}

/// What is derived of `ENCRYPTION_KEY`, and beside each key the one before the rotation.
#[derive(Clone, Debug)]
pub struct EncryptionKeys {
    /// Signs client tokens.
    pub tokens: Keyring,
    /// Makes the successors of a refresh token.
    pub successors: Keyring,
    /// Peppers what wraps the data key of Microsoft's tokens.
    pub microsoft_tokens: Keyring,
    /// Seals Graph requests on their way through the gateway.
    pub envelopes: Keyring,
    /// Seals list positions.
    pub cursors: Keyring,
    /// Seals what a call needs once its client has answered.
    pub request_states: Keyring,
    /// Signs session ids.
    pub sessions: Keyring,
    /// Hides the network of a caller who is counted.
    pub networks: Keyring,
    /// Makes the PKCE verifier of the Entra leg.
    pub entra_verifier: Keyring,
    /// Makes the nonce of the Entra leg.
    pub entra_nonce: Keyring,
}

impl EncryptionKeys {
    /// Every key of this root.
    pub fn derive(root: &Keyring) -> Self {
        Self {
            tokens: root.derive("client token"),
            successors: root.derive("successor tokens"),
            microsoft_tokens: root.derive("microsoft tokens"),
            envelopes: root.derive("graph envelope"),
            cursors: root.derive("cursor"),
            request_states: root.derive("request state"),
            sessions: root.derive("mcp session"),
            networks: root.derive("rate limit"),
            entra_verifier: root.derive("entra pkce"),
            entra_nonce: root.derive("entra nonce"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::encode;

    /// What live deployments hold was made under these very keys. A difference here signs everybody out.
    #[test]
    fn every_purpose_derives_the_key_that_live_tokens_were_made_under() {
        let keys = EncryptionKeys::derive(&Keyring { current: Key::new([7; 32]), previous: None });
        let derived = [
            &keys.tokens,
            &keys.successors,
            &keys.microsoft_tokens,
            &keys.envelopes,
            &keys.cursors,
            &keys.sessions,
            &keys.entra_verifier,
            &keys.entra_nonce,
        ]
        .map(|ring| encode(ring.current.as_bytes()).chars().take(12).collect::<String>());
        let pinned = [
            "vAyWl_8OL_qZ",
            "JGObFn1mCs7m",
            "i2di4pgR-5fJ",
            "YdS0MJj4xFrh",
            "vU4MbnNmXFcX",
            "eXRwjamtUUIw",
            "4mG9LL22yX8d",
            "c7jZjtHemQud",
        ];
        assert_eq!(derived, pinned, "a purpose was renamed: everything made under it becomes unreadable");
    }
}
