//! The grant's copy in `OAUTH_KV`, written through after each command that changes what it shows.
//!
//! KV is not the judge of anything, so its failure fails no command: the row says that the listing lags, and the next
//! command tries again.

use std::cell::Cell;

use super::rows::{self, Listing, Row};
use super::state::{State, Terms};
use super::{Grant, log};
use crate::crypto;
use crate::log::Kind;
use crate::oauth::store::{self, GrantEntry};
use crate::ports::KvError;

/// How often one command follows changes that other commands make meanwhile.
const ROUNDS: usize = 4;

/// Gives the pen back even when the command that held it is dropped.
struct Pen<'a>(&'a Cell<bool>);

impl Drop for Pen<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Grant {
    /// Brings the copy up to date. One command at a time writes, or an older copy could overtake a newer one; a
    /// command that finds another at it leaves its change to that one's next round.
    pub(super) async fn write_listing(&self) {
        if self.listed.get() || self.listing.replace(true) {
            return;
        }
        let _pen = Pen(&self.listing);
        for _ in 0..ROUNDS {
            let Ok(row) = self.load() else { return };
            if row.listing == Listing::Current {
                self.listed.set(true);
                return;
            }
            let written = self.write_row(&row).await;
            if written.is_err() || rows::listed(&*self.ports.sql, row.revision).is_err() {
                log(&self.ports, Kind::InternalError, &row.state, "listing_failed");
                return;
            }
        }
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
    let (terms, sign_in_needed): (&Terms, bool) = match &row.state {
        State::SignedIn(state) => (&state.terms, false),
        State::Active(state) => (&state.terms, state.sign_in_needed),
        State::Approved(_) | State::SigningIn(_) | State::Revoked(_) => return None,
    };
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
        sign_in_needed,
        sealed: crypto::encode(row.sealed.as_deref()?),
    })
}
