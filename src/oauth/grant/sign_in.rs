//! From consent to the code: `Open`, `BeginSignIn`, `SendBack`, `FinishSignIn`, `AbandonSignIn`.

use super::rows::{Listing, Row};
use super::state::{Approved, CODE_SECONDS, GRANT_SECONDS, SIGN_IN_SECONDS, SignedIn, SigningIn, State, Terms};
use super::{Grant, storage};
use crate::agent::{AuthorizationRequest, GrantError, GrantReply, MicrosoftTokens, Profile};
use crate::crypto::{Digest, Key, Secret};
use crate::identity::{AccessIdentity, ScopeSet, UserId};
use crate::log::Kind;
use crate::oauth::entra::claims::Claims;
use crate::oauth::seal::{Sealer, Wrapped};
use crate::oauth::token::{self, Stamp, TokenKeys};

impl Grant {
    /// The one command that creates anything.
    pub(super) fn open(&self, approved: Approved) -> Result<GrantReply, GrantError> {
        storage::create(&*self.ports.sql)?;
        self.ready.set(true);
        if self.rows.load()?.is_some() {
            return Err(GrantError::Exists);
        }
        let latest = self.now().saturating_add(SIGN_IN_SECONDS);
        let state = State::Approved(Approved { expires_at: approved.expires_at.min(latest), ..approved });
        self.store(&Row { state, sealed: None, revision: 0, listing: Listing::Current })?;
        Ok(GrantReply::Done)
    }

    pub(super) fn begin(&self, state: &Digest, access: Option<&AccessIdentity>) -> Result<GrantReply, GrantError> {
        let row = self.load()?;
        let approved = match row.state.clone() {
            State::Approved(approved) => approved,
            State::Revoked(_) => return Err(GrantError::Revoked),
            State::SigningIn(_) | State::SignedIn(_) | State::Active(_) => return Err(GrantError::StateInvalid),
        };
        let signing_in = approved.begin(state, access, self.now())?;
        let (request, claims) = (signing_in.request.clone(), signing_in.claims.clone());
        self.store(&row.with(State::SigningIn(signing_in)))?;
        Ok(match claims {
            Some(claims) => GrantReply::Challenged(request, claims),
            None => GrantReply::Approved(request),
        })
    }

    /// The browser goes to Entra a second time.
    pub(super) fn send_back(&self, state: Digest, claims: Claims) -> Result<GrantReply, GrantError> {
        let row = self.load()?;
        let signing_in = match row.state.clone() {
            State::SigningIn(signing_in) => signing_in,
            State::Revoked(_) => return Err(GrantError::Revoked),
            State::Approved(_) | State::SignedIn(_) | State::Active(_) => return Err(GrantError::StateInvalid),
        };
        let approved = signing_in.send_back(state, claims, self.now())?;
        self.store(&row.with(State::Approved(approved)))?;
        Ok(GrantReply::Done)
    }

    /// From here on Microsoft's tokens exist only sealed, under a data key that only the code opens.
    pub(super) fn finish(
        &self,
        user: UserId,
        profile: Profile,
        tokens: &MicrosoftTokens,
    ) -> Result<GrantReply, GrantError> {
        let (row, now) = (self.load()?, self.now());
        let signing_in = match row.state.clone() {
            State::SigningIn(state) if state.expires_at > now => state,
            State::Revoked(_) => return Err(GrantError::Revoked),
            State::Approved(_) | State::SigningIn(_) | State::SignedIn(_) | State::Active(_) => {
                return Err(GrantError::StateInvalid);
            }
        };
        let AuthorizationRequest { redirect_uri, code_challenge, .. } = signing_in.request.clone();
        let terms = terms(signing_in, user, profile, tokens.scopes, now);
        let code_expires_at = now.saturating_add(CODE_SECONDS);
        let stamp = Stamp { user: None, grant: terms.grant, scopes: ScopeSet::default(), expires_at: code_expires_at };
        let keys = &self.config.keys.encryption;
        let code = TokenKeys::new(keys).mint(&*self.ports.random, token::Kind::Code, &stamp);
        let (ciphertext, wrapped) = self.seal_first(&terms, tokens, &code).ok_or(GrantError::Storage)?;
        let digest = code.digest();
        let state = SignedIn { terms, code: digest, code_expires_at, redirect_uri, code_challenge, wrapped };
        self.store(&row.changed(State::SignedIn(state), Some(ciphertext.into())))?;
        Ok(GrantReply::Code(code))
    }

    /// Seals Microsoft's tokens under a fresh data key, and wraps that for the code.
    fn seal_first(&self, terms: &Terms, tokens: &MicrosoftTokens, code: &Secret) -> Option<(Vec<u8>, Wrapped)> {
        let random = &*self.ports.random;
        let data_key = Key::random(random);
        let sealer = Sealer::new(&self.config.keys.encryption, terms.binding());
        let plain = serde_json::to_vec(tokens).ok()?;
        Some((sealer.seal(random, &data_key, &plain).ok()?, sealer.wrap(random, code, &data_key).ok()?))
    }

    /// Erases the object; a grant that got further is not touched.
    pub(super) async fn abandon(&self) -> Result<GrantReply, GrantError> {
        let row = self.load()?;
        match row.state.clone() {
            state @ (State::Approved(_) | State::SigningIn(_)) => {
                // Over first, because a command may come in while the storage erases.
                self.store(&row.with(State::Revoked(state.clone().revoke())))?;
                self.log(Kind::GrantRevoked, &state, "abandoned");
            }
            State::Revoked(_) => return Ok(GrantReply::Done),
            State::SignedIn(_) | State::Active(_) => return Err(GrantError::StateInvalid),
        }
        self.erase_storage().await?;
        Ok(GrantReply::Done)
    }
}

/// What the user approved, less what Entra did not grant.
fn terms(signing_in: SigningIn, user: UserId, profile: Profile, granted: ScopeSet, now: u64) -> Terms {
    let SigningIn { grant, request, access, claims, .. } = signing_in;
    let scopes: Vec<_> = request.scopes.iter().filter(|scope| granted.allows(*scope)).collect();
    Terms {
        grant,
        client_id: request.client_id,
        client_name: request.client_name,
        user,
        profile,
        access,
        scopes: ScopeSet::of(&scopes),
        requested: request.scopes,
        resource: request.resource,
        created_at: now,
        ends_at: now.saturating_add(GRANT_SECONDS),
        claims,
    }
}
