//! The end of a grant: by its client (RFC 7009), by its user, by the rules, by time.

use super::Grant;
use super::rows::{Listing, Row};
use super::state::{Active, State};
use crate::agent::{GrantError, GrantReply, Streams, storage};
use crate::crypto::Secret;
use crate::identity::UserId;
use crate::log::Kind;
use crate::oauth::store;

impl Grant {
    /// A refresh token ends the grant, an access token only itself. A token that does not count has no effect
    /// (RFC 7009 section 2.2).
    pub(super) fn revoke(&self, token: &Secret, client_id: &str) -> Result<GrantReply, GrantError> {
        let row = self.load()?;
        let State::Active(active) = row.state.clone() else { return Ok(GrantReply::Done) };
        active.terms.check_client(client_id)?;
        let digest = token.digest();
        let replaced = active.previous.as_ref().is_some_and(|replaced| replaced.token.digest.matches(&digest));
        if replaced || active.current.digest.matches(&digest) {
            self.end(&row, "client")?;
        } else {
            self.drop_access(row, active, &digest)?;
        }
        Ok(GrantReply::Done)
    }

    fn drop_access(&self, row: Row, mut active: Active, digest: &crate::crypto::Digest) -> Result<(), GrantError> {
        if active.is_newest_access(digest) {
            active.confirm_successor();
        }
        let before = active.access.len();
        active.access.retain(|token| !token.digest.matches(digest));
        if active.access.len() == before { Ok(()) } else { self.store(&row.with(State::Active(active))) }
    }

    /// The user ends it, from the account page or by signing in anew.
    pub(super) fn revoke_by_user(&self, user: UserId) -> Result<GrantReply, GrantError> {
        let row = self.load()?;
        match row.state.user() {
            Some(owner) if owner == user => {}
            Some(_) | None => return Err(GrantError::OtherIdentity),
        }
        if !matches!(row.state, State::Revoked(_)) {
            self.end(&row, "user")?;
        }
        Ok(GrantReply::Done)
    }

    /// Ends the grant at once. Every wrapped key goes with the row's old state, so the sealed copies that KV and
    /// backups still hold open for nobody.
    pub(super) fn end(&self, row: &Row, reason: &str) -> Result<(), GrantError> {
        self.store(&row.changed(State::Revoked(row.state.clone().revoke()), None))?;
        self.log(Kind::GrantRevoked, &row.state, reason);
        Streams::new(&self.ports).end_all();
        if storage::clear(&*self.ports.sql, &["grant_state"]).is_err() {
            // Revoked it is; the alarm clears what else the object holds.
            self.log(Kind::InternalError, &row.state, "clear_failed");
            self.untidy.set(true);
        }
        Ok(())
    }

    /// Erases the object once nothing in it counts; says when to come back otherwise. For the object's alarm, which also
    /// does what a command could not: the listing, and what a revocation should have cleared.
    pub async fn sweep(&self) -> Result<Option<u64>, GrantError> {
        let row = match self.load() {
            Ok(row) => row,
            Err(GrantError::Unknown) => return Ok(None),
            Err(error) => return Err(error),
        };
        if row.state.ends_at() <= self.now() {
            return self.erase(&row).await;
        }
        if matches!(row.state, State::Revoked(_)) {
            storage::clear(&*self.ports.sql, &["grant_state"])?;
            self.untidy.set(false);
        }
        self.list_from.set(0);
        self.settle().await;
        if !self.try_listing().await {
            self.log(Kind::InternalError, &row.state, "listing_failed");
        }
        // Commands may have come in meanwhile.
        let row = self.load()?;
        let ends_at = row.state.ends_at();
        let is_done = row.listing == Listing::Current && !self.untidy.get() && self.settled.get();
        Ok(Some(if is_done { ends_at } else { self.next_try().min(ends_at) }))
    }

    async fn erase(&self, row: &Row) -> Result<Option<u64>, GrantError> {
        if let (State::Active(_), Some(user)) = (&row.state, row.state.user()) {
            // It would go by its TTL as well, so it does not matter whether KV answers.
            let _ = self.ports.kv.delete(&store::grant_key(user, row.state.grant())).await;
        }
        self.erase_storage().await?;
        Ok(None)
    }
}
