//! Issues the tokens of one branch: an access token and the refresh token beside it.

use std::cell::Cell;

use super::state::{ACCESS_SECONDS, AccessToken, RefreshToken, Terms};
use crate::agent::{GrantError, TokenSet};
use crate::config::Config;
use crate::crypto::{Generation, Key, Secret};
use crate::identity::ScopeSet;
use crate::oauth::seal::Sealer;
use crate::oauth::token::{Kind, Stamp, TokenKeys};
use crate::ports::Random;

/// An access token and a refresh token, with what is kept of them.
pub(super) struct Pair {
    pub(super) answer: TokenSet,
    pub(super) access: AccessToken,
    pub(super) refresh: RefreshToken,
}

/// What a pair is issued for.
pub(super) struct Issue<'a> {
    pub(super) config: &'a Config,
    pub(super) terms: &'a Terms,
    /// Of the access token; the refresh token keeps the grant's (RFC 6749 section 6).
    pub(super) scopes: ScopeSet,
    /// Opens Microsoft's tokens.
    pub(super) data_key: &'a Key,
    pub(super) now: u64,
    /// Which key signs the tokens; the previous one only to issue the same tokens again.
    pub(super) under: Generation,
}

impl Issue<'_> {
    /// When an access token that is issued now expires: never after the grant.
    pub(super) fn access_expiry(&self) -> u64 {
        self.now.saturating_add(ACCESS_SECONDS).min(self.terms.ends_at)
    }

    /// Issues the pair. `minting` makes the tokens, `random` seals.
    pub(super) fn pair(&self, minting: &dyn Random, random: &dyn Random, expires_at: u64) -> Result<Pair, GrantError> {
        let keys = TokenKeys::new(&self.config.keys.encryption);
        let stamp = Stamp { user: Some(self.terms.user), grant: self.terms.grant, scopes: self.scopes, expires_at };
        let access = keys.mint_under(self.under, minting, Kind::Access, &stamp);
        let stamp = Stamp { scopes: self.terms.scopes, expires_at: self.terms.ends_at, ..stamp };
        let refresh = keys.mint_under(self.under, minting, Kind::Refresh, &stamp);
        let sealer = Sealer::new(&self.config.keys.encryption, self.terms.binding());
        let wrap = |token: &Secret| sealer.wrap(random, token, self.data_key).map_err(|_| GrantError::Storage);
        Ok(Pair {
            access: AccessToken { digest: access.digest(), scopes: self.scopes, expires_at, wrapped: wrap(&access)? },
            refresh: RefreshToken { digest: refresh.digest(), wrapped: wrap(&refresh)? },
            answer: TokenSet {
                access,
                refresh,
                expires_in: expires_at.saturating_sub(self.now),
                scopes: self.scopes,
                resource: self.terms.resource.clone(),
                user: self.terms.user,
                ended: Vec::new(),
            },
        })
    }
}

/// The randomness of a refresh token's successors: an HMAC of the token and a random salt under a key of ours.
///
/// So the same token gives the same successors as long as the object keeps the salt, and a client that lost the answer,
/// or asked twice at once, gets the very tokens again although only their digests are stored. The salt goes when a
/// successor is first used; after that nobody can compute one from an older token, not even with our keys.
pub(super) struct Successors {
    key: Key,
    block: Cell<u64>,
}

impl Successors {
    pub(super) fn new(config: &Config, under: Generation, token: &Secret, salt: &str) -> Self {
        let key = config.keys.encryption.successors.key(under);
        Self { key: Key::new(key.mac(&[token.expose().as_bytes(), salt.as_bytes()])), block: Cell::new(0) }
    }
}

impl Random for Successors {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            self.block.set(self.block.get().wrapping_add(1));
            let block = self.key.mac(&[&self.block.get().to_be_bytes()]);
            for (byte, noise) in chunk.iter_mut().zip(block) {
                *byte = noise;
            }
        }
    }
}
