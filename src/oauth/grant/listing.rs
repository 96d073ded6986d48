//! The grant's copy in `OAUTH_KV`, written through after each command that changes what it shows.
//!
//! KV is not the judge of anything, so its failure fails no command: the row says that the listing lags, and the
//! object's alarm brings it up to date. KV takes one write a second and key, so changes that follow each other closely
//! become one write; the end of a grant waits for nothing. A grant is listed once its code is redeemed: before that
//! it lives for a minute, and nothing could be done with the entry.

use std::cell::Cell;

use super::Grant;
use super::rows::{Listing, Row};
use super::state::State;
use crate::crypto;
use crate::oauth::store::{self, GrantEntry};
use crate::ports::KvError;

/// How often one command follows changes that other commands make meanwhile.
const ROUNDS: usize = 4;

/// Seconds from one write to the next: KV's limit, and what the clock may be off by.
const CALM: u64 = 2;

/// Seconds until a write that failed is tried again.
const RETRY: u64 = 30;

/// Gives the pen back even when the command that held it is dropped.
struct Pen<'a>(&'a Cell<bool>);

impl Drop for Pen<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Grant {
    /// Brings the copy up to date, now or by the alarm. One command at a time writes, or an older copy could overtake a
    /// newer one; a command that finds another at it leaves its change to that one's next round.
    pub(super) async fn write_listing(&self) {
        if !self.listed.get() && !self.try_listing().await {
            self.come_back().await;
        }
    }

    /// Brings the copy up to date, and says whether nothing is left to do.
    pub(super) async fn try_listing(&self) -> bool {
        if self.listing.replace(true) {
            return true;
        }
        let _pen = Pen(&self.listing);
        for _ in 0..ROUNDS {
            // Without a row there is nothing to list.
            let Ok(row) = self.load() else { return true };
            match row.listing {
                Listing::Current => {
                    self.listed.set(true);
                    return true;
                }
                Listing::Write if self.now() < self.list_from.get() => return false,
                Listing::Write | Listing::Delete => {}
            }
            let written = self.write_row(&row).await;
            let pause = if written.is_ok() { CALM } else { RETRY };
            self.list_from.set(self.now().saturating_add(pause));
            if written.is_err() || self.rows.listed(row.revision).is_err() {
                return false;
            }
        }
        false
    }

    /// Sets the alarm for what could not be done now.
    pub(super) async fn come_back(&self) {
        if self.ports.alarm.set(self.next_try()).await.is_err() {
            // Then the next command does it, or the end of the grant.
            self.list_from.set(0);
        }
    }

    /// When what could not be done now is tried again.
    pub(super) fn next_try(&self) -> u64 {
        self.list_from.get().max(self.now().saturating_add(CALM))
    }

    async fn write_row(&self, row: &Row) -> Result<(), KvError> {
        let (kv, Some(user)) = (&self.ports.kv, row.state.user()) else { return Ok(()) };
        let key = store::grant_key(user, row.state.grant());
        match entry(row) {
            Some(entry) => {
                let json = serde_json::to_vec(&entry).map_err(|_| KvError::Unavailable)?;
                kv.put(&key, &json, Some(store::ttl(row.state.ends_at(), self.now()))).await
            }
            None => kv.delete(&key).await,
        }
    }
}

fn entry(row: &Row) -> Option<GrantEntry<'_>> {
    let active = match &row.state {
        State::Active(active) => active,
        State::Approved(_) | State::SigningIn(_) | State::SignedIn(_) | State::Revoked(_) => return None,
    };
    let terms = &active.terms;
    Some(GrantEntry {
        v: 1,
        revision: row.revision,
        phase: row.state.phase(),
        client_id: &terms.client_id,
        client_name: terms.client_name.as_deref(),
        scope: terms.scopes.to_string(),
        resource: &terms.resource,
        created_at: terms.created_at,
        ends_at: terms.ends_at,
        sign_in_needed: active.sign_in_needed,
        sealed: crypto::encode(row.sealed.as_deref()?),
    })
}
