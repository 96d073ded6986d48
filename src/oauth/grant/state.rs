//! The states of a grant and what each of them knows:
//! `Approved → SigningIn → SignedIn → Active → Revoked`.
//!
//! A state carries only its own data, and a move consumes the state that it leaves, so a code cannot be redeemed twice
//! and a sign-in cannot end twice. Owns no storage and no time: `now` is an argument.

use serde::{Deserialize, Serialize};

use crate::agent::{AuthorizationRequest, GrantError, Profile};
use crate::crypto::Digest;
use crate::identity::{AccessIdentity, GrantId, ScopeSet, UserId};
use crate::oauth::entra::claims::Claims;
use crate::oauth::seal::{Binding, Wrapped};

use super::enlist::Enlisting;

/// How long a sign-in may take: a person with a second factor and a phone in another room (RFC 6749 sets no figure).
pub(super) const SIGN_IN_SECONDS: u64 = 600;
/// How long a code lives. The client redeems it in the request that follows the redirect; RFC 6749 section 4.1.2
/// allows ten minutes, but every second more is a second for whoever reads a browser's history or a proxy's log.
pub(super) const CODE_SECONDS: u64 = 60;
/// How long an access token lives.
pub(super) const ACCESS_SECONDS: u64 = 3600;
/// How long a grant lives, whatever happens in it. Rotation does not extend it.
pub(super) const GRANT_SECONDS: u64 = 30 * 24 * 3600;
/// How many access tokens of a grant count at once. A client that refreshes faster loses its oldest.
pub(super) const ACCESS_TOKENS: usize = 8;

/// Where a grant is in its life.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum State {
    Approved(Approved),
    SigningIn(SigningIn),
    SignedIn(SignedIn),
    Active(Active),
    Revoked(Revoked),
}

/// The user approved the client and is on the way to Entra.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Approved {
    pub(super) grant: GrantId,
    pub(super) request: AuthorizationRequest,
    pub(super) access: Option<AccessIdentity>,
    /// Of the `state` sent to Entra.
    pub(super) state: Digest,
    pub(super) expires_at: u64,
    /// What Graph asks for, where the user was sent to Entra a second time for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) claims: Option<Claims>,
}

/// The browser is back; Entra is asked who it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SigningIn {
    pub(super) grant: GrantId,
    pub(super) request: AuthorizationRequest,
    pub(super) access: Option<AccessIdentity>,
    pub(super) expires_at: u64,
    /// As before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) claims: Option<Claims>,
}

/// What holds for a grant from the sign-in to its end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Terms {
    pub(super) grant: GrantId,
    pub(super) client_id: String,
    pub(super) client_name: Option<String>,
    pub(super) user: UserId,
    pub(super) profile: Profile,
    pub(super) access: Option<AccessIdentity>,
    /// What was asked for and granted.
    pub(super) scopes: ScopeSet,
    /// What was asked for. Empty in rows of before this was kept.
    #[serde(default)]
    pub(super) requested: ScopeSet,
    pub(super) resource: String,
    pub(super) created_at: u64,
    pub(super) ends_at: u64,
    /// What Graph asked for and the sign-in carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) claims: Option<Claims>,
}

/// Entra vouched for the user; the code is out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SignedIn {
    pub(super) terms: Terms,
    pub(super) code: Digest,
    pub(super) code_expires_at: u64,
    pub(super) redirect_uri: String,
    pub(super) code_challenge: String,
    pub(super) wrapped: Wrapped,
}

/// The client holds tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Active {
    pub(super) terms: Terms,
    /// Where the code went. Empty in rows of before this was kept.
    #[serde(default)]
    pub(super) redirect_uri: String,
    #[serde(default)]
    pub(super) enlisting: Enlisting,
    /// The used code: seeing it again ends the grant.
    pub(super) code: Digest,
    pub(super) current: RefreshToken,
    /// The token that `current` replaced, until `current` or the access token beside it is first used.
    pub(super) previous: Option<Replaced>,
    /// Newest last.
    pub(super) access: Vec<AccessToken>,
    /// Entra asks for the user again.
    pub(super) sign_in_needed: bool,
}

/// A refresh token that counts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RefreshToken {
    pub(super) digest: Digest,
    pub(super) wrapped: Wrapped,
}

/// A refresh token whose answer may have been lost.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Replaced {
    pub(super) token: RefreshToken,
    /// Makes the same successors again from the same token.
    pub(super) salt: String,
}

/// An access token that counts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct AccessToken {
    pub(super) digest: Digest,
    pub(super) scopes: ScopeSet,
    pub(super) expires_at: u64,
    pub(super) wrapped: Wrapped,
}

/// Over. What is left says no more than that, and under which listing it was known.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Revoked {
    pub(super) grant: GrantId,
    pub(super) user: Option<UserId>,
    pub(super) ends_at: u64,
    /// Whether the user's object has still to learn of the end.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) listed: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields so")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

impl State {
    /// The phase's name, in the object's row and in the listing.
    pub(super) const fn phase(&self) -> &'static str {
        match self {
            Self::Approved(_) => "approved",
            Self::SigningIn(_) => "signing_in",
            Self::SignedIn(_) => "signed_in",
            Self::Active(_) => "active",
            Self::Revoked(_) => "revoked",
        }
    }

    /// When nothing in the object counts any more.
    pub(super) const fn ends_at(&self) -> u64 {
        match self {
            Self::Approved(state) => state.expires_at,
            Self::SigningIn(state) => state.expires_at,
            Self::SignedIn(state) => state.code_expires_at,
            Self::Active(state) => state.terms.ends_at,
            Self::Revoked(state) => state.ends_at,
        }
    }

    /// The user, where one signed in.
    pub(super) const fn user(&self) -> Option<UserId> {
        match self {
            Self::Approved(_) | Self::SigningIn(_) => None,
            Self::SignedIn(state) => Some(state.terms.user),
            Self::Active(state) => Some(state.terms.user),
            Self::Revoked(state) => state.user,
        }
    }

    /// The grant.
    pub(super) const fn grant(&self) -> GrantId {
        match self {
            Self::Approved(state) => state.grant,
            Self::SigningIn(state) => state.grant,
            Self::SignedIn(state) => state.terms.grant,
            Self::Active(state) => state.terms.grant,
            Self::Revoked(state) => state.grant,
        }
    }

    /// The end. Every key, digest and name is left behind.
    pub(super) fn revoke(self) -> Revoked {
        let ends_at = match &self {
            // An unredeemed code must not bring a shorter tombstone than the tokens it could have become.
            Self::SignedIn(state) => state.terms.ends_at,
            other => other.ends_at(),
        };
        let listed = match &self {
            Self::Active(_) => true,
            Self::Revoked(state) => state.listed,
            Self::Approved(_) | Self::SigningIn(_) | Self::SignedIn(_) => false,
        };
        Revoked { grant: self.grant(), user: self.user(), ends_at, listed }
    }
}

impl Terms {
    /// What Microsoft's tokens are bound to.
    pub(super) fn binding(&self) -> Binding<'_> {
        Binding { user: self.user, grant: self.grant, client_id: &self.client_id }
    }

    /// What Entra did not grant although it was asked for.
    pub(super) fn refused(&self) -> ScopeSet {
        let refused: Vec<_> = self.requested.iter().filter(|scope| !self.scopes.allows(*scope)).collect();
        ScopeSet::of(&refused)
    }

    /// Only the client that the code was issued to.
    pub(super) fn check_client(&self, client_id: &str) -> Result<(), GrantError> {
        if self.client_id == client_id { Ok(()) } else { Err(GrantError::OtherClient) }
    }

    /// A `resource` may be left out; another one than the grant's is refused.
    pub(super) fn check_resource(&self, resource: Option<&str>) -> Result<(), GrantError> {
        match resource {
            Some(resource) if resource != self.resource => Err(GrantError::ResourceMismatch),
            Some(_) | None => Ok(()),
        }
    }

    /// Another person than the one who consented is refused. A path that Access does not guard brings nobody.
    pub(super) fn check_access(&self, access: Option<&AccessIdentity>) -> Result<(), GrantError> {
        match (&self.access, access) {
            (Some(consented), Some(came)) if consented.sub != came.sub => Err(GrantError::OtherIdentity),
            (Some(_), Some(_) | None) | (None, _) => Ok(()),
        }
    }
}

impl Approved {
    /// The browser came back. The state is spent by this.
    pub(super) fn begin(
        self,
        state: &Digest,
        access: Option<&AccessIdentity>,
        now: u64,
    ) -> Result<SigningIn, GrantError> {
        if !self.state.matches(state) || self.expires_at <= now {
            return Err(GrantError::StateInvalid);
        }
        // `/callback` is always behind Access where consent was, so nobody is not good enough here.
        if self.access.as_ref().is_some_and(|consented| access.is_none_or(|came| came.sub != consented.sub)) {
            return Err(GrantError::OtherIdentity);
        }
        let Self { grant, request, access, expires_at, claims, .. } = self;
        Ok(SigningIn { grant, request, access, expires_at, claims })
    }
}

impl SigningIn {
    /// To Entra once more, for what Graph asks for. Once is enough: what a second time brings, a third would.
    pub(super) fn send_back(self, state: Digest, claims: Claims, now: u64) -> Result<Approved, GrantError> {
        if self.claims.is_some() || self.expires_at <= now {
            return Err(GrantError::StateInvalid);
        }
        let Self { grant, request, access, expires_at, .. } = self;
        Ok(Approved { grant, request, access, state, expires_at, claims: Some(claims) })
    }
}

impl Active {
    /// The answer that brought the current tokens has arrived: the token before them is over.
    pub(super) fn confirm_successor(&mut self) -> bool {
        self.previous.take().is_some()
    }

    /// When the client last fetched an access token: its expiry says it, so nothing has to be written for it.
    pub(super) fn last_issued_at(&self) -> u64 {
        let newest = self.access.last().map_or(0, |token| token.expires_at.saturating_sub(ACCESS_SECONDS));
        newest.max(self.terms.created_at)
    }

    /// Adds an access token, drops those that are over and the oldest beyond the bound.
    pub(super) fn add_access(&mut self, token: AccessToken, now: u64) {
        self.access.retain(|old| old.expires_at > now && !old.digest.matches(&token.digest));
        self.access.push(token);
        let surplus = self.access.len().saturating_sub(ACCESS_TOKENS);
        self.access.drain(..surplus);
    }

    /// The access token of this digest, if it has not expired.
    pub(super) fn find_access(&self, digest: &Digest, now: u64) -> Option<&AccessToken> {
        self.access.iter().find(|token| token.digest.matches(digest) && token.expires_at > now)
    }

    /// Whether `digest` is of the newest access token, the one that came with `current`.
    pub(super) fn is_newest_access(&self, digest: &Digest) -> bool {
        self.access.last().is_some_and(|token| token.digest.matches(digest))
    }
}
