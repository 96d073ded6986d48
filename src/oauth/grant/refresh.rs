//! `grant_type=refresh_token`: rotation with one retry (RFC 9700 section 4.14.2, rules T7 and T8).
//!
//! The token before the current one works until a token that came with the current one is first used: until then the
//! answer may have been lost. It brings the same tokens again, so however often and however parallel it is sent,
//! there is one live branch. Any older token means that two parties hold the family, and ends the grant.

use super::Grant;
use super::issue::{Issue, Successors};
use super::rows::Row;
use super::state::{Active, RefreshToken, Replaced, State, Terms};
use crate::agent::{GrantError, GrantReply, TokenSet};
use crate::crypto::{self, Generation, Key, Secret};
use crate::identity::{AccessIdentity, ScopeSet};
use crate::log::Kind;
use crate::oauth::seal::Sealer;
use crate::oauth::token::{self, TokenKeys};

/// An access token that is repeated must be worth having.
const WORTH_REPEATING: u64 = 60;

/// What the token endpoint was asked, the client being authenticated.
pub(super) struct Renewing {
    pub(super) token: Secret,
    pub(super) client_id: String,
    pub(super) scopes: Option<ScopeSet>,
    pub(super) resource: Option<String>,
    pub(super) access: Option<AccessIdentity>,
}

impl Grant {
    pub(super) fn refresh(&self, asked: &Renewing) -> Result<GrantReply, GrantError> {
        let (row, now) = (self.load()?, self.now());
        let active = match &row.state {
            State::Active(active) => active.clone(),
            State::Revoked(_) => return Err(GrantError::Revoked),
            State::Approved(_) | State::SigningIn(_) | State::SignedIn(_) => return Err(GrantError::TokenInvalid),
        };
        check(&active.terms, asked, now)?;
        let digest = asked.token.digest();
        let replaced = active.previous.clone().filter(|replaced| replaced.token.digest.matches(&digest));
        if replaced.is_none() && !active.current.digest.matches(&digest) {
            return self.unknown(&row, &active, &asked.token);
        }
        let scopes = asked.scopes.unwrap_or(active.terms.scopes);
        if !active.terms.scopes.is_superset(scopes) {
            return Err(GrantError::ScopeExceeded);
        }
        if active.sign_in_needed {
            return Err(GrantError::SignInNeeded);
        }
        let branch = Branch { grant: self, row, scopes, token: &asked.token, now };
        let answer = match replaced {
            Some(replaced) => branch.repeat(active, replaced),
            None => branch.rotate(active),
        };
        answer.map(GrantReply::Tokens)
    }

    /// Not a token that counts. A genuine one of this grant was replaced before: somebody kept a copy.
    fn unknown(&self, row: &Row, active: &Active, token: &Secret) -> Result<GrantReply, GrantError> {
        let keys = TokenKeys::new(&self.config.keys.encryption);
        let genuine = keys
            .read(token::Kind::Refresh, token.expose(), self.now())
            .is_ok_and(|stamp| stamp.grant == active.terms.grant && stamp.user == Some(active.terms.user));
        if !genuine {
            return Err(GrantError::TokenInvalid);
        }
        self.end(row, "refresh_reused")?;
        Err(GrantError::TokenReused)
    }
}

/// What must hold before the token itself is looked at.
fn check(terms: &Terms, asked: &Renewing, now: u64) -> Result<(), GrantError> {
    terms.check_client(&asked.client_id)?;
    terms.check_resource(asked.resource.as_deref())?;
    terms.check_access(asked.access.as_ref())?;
    if terms.ends_at <= now { Err(GrantError::TokenInvalid) } else { Ok(()) }
}

/// One refresh of a token that counts.
struct Branch<'a> {
    grant: &'a Grant,
    row: Row,
    scopes: ScopeSet,
    token: &'a Secret,
    now: u64,
}

impl Branch<'_> {
    fn rotate(self, active: Active) -> Result<TokenSet, GrantError> {
        let token = active.current.clone();
        self.grow(active, token)
    }

    /// The same tokens once more; others only where the same would not serve.
    fn repeat(self, mut active: Active, replaced: Replaced) -> Result<TokenSet, GrantError> {
        let data_key = self.data_key(&active, &replaced.token)?;
        let newest = active.access.pop();
        let repeatable = newest
            .filter(|newest| newest.scopes == self.scopes)
            .filter(|newest| newest.expires_at > self.now.saturating_add(WORTH_REPEATING));
        if let Some(newest) = repeatable {
            // The answer that was lost may have been made before a rotation of ENCRYPTION_KEY.
            for under in Generation::ALL {
                let minting = Successors::new(&self.grant.config, under, self.token, &replaced.salt);
                let issue = Issue { under, ..self.issue(&active, &data_key) };
                let pair = issue.pair(&minting, &*self.grant.ports.random, newest.expires_at)?;
                if pair.refresh.digest.matches(&active.current.digest) && pair.access.digest.matches(&newest.digest) {
                    self.grant.log(Kind::OauthToken, &self.row.state, "refresh_repeated");
                    return Ok(pair.answer);
                }
            }
        }
        self.grant.log(Kind::OauthToken, &self.row.state, "refresh_replaced");
        self.grow(active, replaced.token)
    }

    /// Issues successors of `token` and makes them the one live branch.
    fn grow(self, mut active: Active, token: RefreshToken) -> Result<TokenSet, GrantError> {
        let random = &*self.grant.ports.random;
        let salt = crypto::random_text::<32>(random);
        let data_key = self.data_key(&active, &token)?;
        let issue = self.issue(&active, &data_key);
        let minting = Successors::new(&self.grant.config, Generation::Current, self.token, &salt);
        let pair = issue.pair(&minting, random, issue.access_expiry())?;
        active.add_access(pair.access, self.now);
        active.current = pair.refresh;
        active.previous = Some(Replaced { token, salt });
        let row = self.row.with(State::Active(active));
        self.grant.store(&row)?;
        Ok(pair.answer)
    }

    fn issue<'b>(&'b self, active: &'b Active, data_key: &'b Key) -> Issue<'b> {
        Issue {
            config: &self.grant.config,
            terms: &active.terms,
            scopes: self.scopes,
            data_key,
            now: self.now,
            under: Generation::Current,
        }
    }

    fn data_key(&self, active: &Active, token: &RefreshToken) -> Result<Key, GrantError> {
        let sealer = Sealer::new(&self.grant.config.keys.encryption, active.terms.binding());
        sealer.unwrap(self.token, &token.wrapped).map_err(|_| GrantError::TokenInvalid)
    }
}
