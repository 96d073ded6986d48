//! `grant_type=authorization_code` (RFC 6749 section 4.1.3, rules T4 to T6).

use super::Grant;
use super::enlist::Enlisting;
use super::issue::Issue;
use super::rows::Row;
use super::state::{Active, SignedIn, State};
use crate::agent::{GrantError, GrantReply};
use crate::crypto::{self, Generation, Secret};
use crate::oauth::seal::Sealer;

/// What the token endpoint was asked, the client being authenticated.
pub(super) struct Redemption {
    pub(super) code: Secret,
    pub(super) client_id: String,
    pub(super) redirect_uri: Option<String>,
    /// `S256(code_verifier)`.
    pub(super) code_challenge: String,
    pub(super) resource: Option<String>,
}

impl Grant {
    /// A check that fails leaves the code as it was: whoever cannot use it cannot spend it either.
    pub(super) fn redeem(&self, asked: &Redemption) -> Result<GrantReply, GrantError> {
        let row = self.load()?;
        match row.state.clone() {
            State::SignedIn(state) => self.first_use(&row, state, asked),
            State::Active(state) => self.used_again(&row, &state, asked),
            State::Revoked(_) => Err(GrantError::Revoked),
            State::Approved(_) | State::SigningIn(_) => Err(GrantError::CodeInvalid),
        }
    }

    fn first_use(&self, row: &Row, state: SignedIn, asked: &Redemption) -> Result<GrantReply, GrantError> {
        let now = self.now();
        check(&state, asked, now)?;
        let SignedIn { terms, code, wrapped, redirect_uri, .. } = state;
        let sealer = Sealer::new(&self.config.keys.encryption, terms.binding());
        let data_key = sealer.unwrap(&asked.code, &wrapped).map_err(|_| GrantError::CodeInvalid)?;
        let issue = Issue {
            config: &self.config,
            terms: &terms,
            scopes: terms.scopes,
            data_key: &data_key,
            now,
            under: Generation::Current,
        };
        let random = &*self.ports.random;
        let pair = issue.pair(random, random, issue.access_expiry())?;
        let active = State::Active(Active {
            terms,
            redirect_uri,
            enlisting: Enlisting::Replacing,
            code,
            current: pair.refresh,
            previous: None,
            access: vec![pair.access],
            sign_in_needed: false,
        });
        let row = row.changed(active, row.sealed.clone());
        self.store(&row)?;
        Ok(GrantReply::Tokens(pair.answer))
    }

    /// Two hold this code, and nobody can tell which of them should (RFC 6749 section 10.5). Another client, or another
    /// code, changes nothing.
    fn used_again(&self, row: &Row, state: &Active, asked: &Redemption) -> Result<GrantReply, GrantError> {
        state.terms.check_client(&asked.client_id)?;
        if !state.code.matches(&asked.code.digest()) {
            return Err(GrantError::CodeInvalid);
        }
        self.end(row, "code_reused")?;
        Err(GrantError::CodeReused)
    }
}

fn check(state: &SignedIn, asked: &Redemption, now: u64) -> Result<(), GrantError> {
    state.terms.check_client(&asked.client_id)?;
    if !state.code.matches(&asked.code.digest()) || state.code_expires_at <= now {
        return Err(GrantError::CodeInvalid);
    }
    if asked.redirect_uri.as_ref().is_some_and(|uri| *uri != state.redirect_uri) {
        return Err(GrantError::RedirectMismatch);
    }
    if !crypto::equal(asked.code_challenge.as_bytes(), state.code_challenge.as_bytes()) {
        return Err(GrantError::VerifierMismatch);
    }
    state.terms.check_resource(asked.resource.as_deref())
}
