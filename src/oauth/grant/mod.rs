//! The grant: one sign-in of one user through one client, from consent to revocation, over its object's storage.
//!
//! | file | what |
//! |---|---|
//! | `state` | the states and the moves between them |
//! | `sign_in` | consent, the way through Entra, the code |
//! | `redeem`, `refresh`, `issue` | codes and refresh tokens become tokens |
//! | `assertions` | clients' assertions that were used |
//! | `revoke` | the end |
//! | `present` | whose access token this is; sessions that ended |
//! | `microsoft` | Microsoft's tokens, renewed single-flight |
//! | `enlist` | the entry with the user's object |
//! | `listing` | the copy in KV |
//! | `rows` | the one row |
//!
//! Each command decides and writes without an `.await` in between, so commands can interleave only around it.
//! Follows RFC 6749, RFC 7009, RFC 9700 and the rules T4 to T8 of TECHNICAL.md.

mod assertions;
mod enlist;
mod issue;
mod listing;
mod microsoft;
mod present;
mod redeem;
mod refresh;
mod revoke;
mod rows;
mod sign_in;
mod state;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use self::microsoft::Renewal;
use self::rows::{Listing, Row, Rows};
use self::state::State;
use crate::agent::{GrantCommand, GrantError, GrantReply, storage};
use crate::config::Config;
use crate::log::{Event, Kind};
use crate::ports::AgentPorts;

pub use self::microsoft::GrantTokens;

/// One grant over its object's storage.
pub struct Grant {
    config: Rc<Config>,
    ports: AgentPorts,
    /// Shared with the renewal, which outlives the call.
    rows: Rc<Rows>,
    /// Whether the schema is known to be there and up to date.
    ready: Cell<bool>,
    /// Whether the listing is known to show the row; an evicted object does not know.
    listed: Cell<bool>,
    /// Whether somebody is writing the listing.
    listing: Cell<bool>,
    /// Unix second from which the listing may be written again.
    list_from: Cell<u64>,
    /// Whether what a step should have cleared is still there.
    untidy: Cell<bool>,
    /// Whether the user's object is known to know all it has to; an evicted object does not know.
    settled: Cell<bool>,
    /// Whether somebody is telling it.
    settling: Cell<bool>,
    /// The renewal of Microsoft's tokens that is under way.
    renewal: RefCell<Option<Renewal>>,
    /// Unix second from which Entra may be asked again. Shared with the renewal, which outlives the call.
    entra_from: Rc<Cell<u64>>,
}

impl Grant {
    /// Touches nothing until the first command.
    pub fn new(config: Rc<Config>, ports: AgentPorts) -> Self {
        let [ready, listed, listing, untidy, settled, settling] = [false; 6].map(Cell::new);
        let list_from = Cell::new(0);
        let (renewal, entra_from) = (RefCell::new(None), Rc::default());
        let rows = Rc::new(Rows::new(Rc::clone(&ports.sql)));
        Self { config, ports, rows, ready, listed, listing, list_from, untidy, settled, settling, renewal, entra_from }
    }

    /// Carries out one step.
    pub async fn handle(&self, command: GrantCommand) -> Result<GrantReply, GrantError> {
        let mut result = match command {
            GrantCommand::AbandonSignIn => self.abandon().await,
            decided => self.decide(decided),
        };
        let ended = self.settle().await;
        if let Ok(GrantReply::Tokens(tokens)) = &mut result {
            tokens.ended = ended;
        }
        self.write_listing().await;
        if self.untidy.get() {
            self.come_back().await;
        }
        result
    }

    /// The steps that nothing interleaves with.
    fn decide(&self, command: GrantCommand) -> Result<GrantReply, GrantError> {
        match command {
            GrantCommand::Open { grant, request, state, access, expires_at } => {
                self.open(state::Approved { grant, request, access, state, expires_at, claims: None })
            }
            GrantCommand::BeginSignIn { state, access } => self.begin(&state, access.as_ref()),
            GrantCommand::FinishSignIn { user, profile, tokens } => self.finish(user, profile, &tokens),
            GrantCommand::SendBack { state, claims } => self.send_back(state, claims),
            // Waits for the storage, so `handle` has it.
            GrantCommand::AbandonSignIn => Err(GrantError::Unknown),
            GrantCommand::Redeem { code, client_id, redirect_uri, code_challenge, resource } => {
                self.redeem(&redeem::Redemption { code, client_id, redirect_uri, code_challenge, resource })
            }
            GrantCommand::Refresh { token, client_id, scopes, resource, access } => {
                self.refresh(&refresh::Renewing { token, client_id, scopes, resource, access })
            }
            GrantCommand::Revoke { token, client_id } => self.revoke(&token, &client_id),
            GrantCommand::RevokeByUser { user } => self.revoke_by_user(user),
            GrantCommand::Describe { user } => self.describe(user),
            GrantCommand::Asserted { assertion, client_id, step } => {
                self.spend(&assertion, &client_id)?;
                self.decide(*step)
            }
            GrantCommand::Confirm(presented) => self.confirm(&presented),
            GrantCommand::EndSession(presented) => self.end_session(&presented),
        }
    }

    fn now(&self) -> u64 {
        self.ports.clock.now()
    }

    /// The row of an opened grant. Writes nothing where there is none.
    fn load(&self) -> Result<Row, GrantError> {
        if !self.ready.get() {
            if !storage::ready(&*self.ports.sql)? {
                return Err(GrantError::Unknown);
            }
            self.ready.set(true);
        }
        self.rows.load()?.ok_or(GrantError::Unknown)
    }

    fn store(&self, row: &Row) -> Result<(), GrantError> {
        self.listed.set(row.listing == Listing::Current);
        self.settled.set(row.state.is_settled());
        self.rows.store(row)
    }

    /// Whatever the erasure comes to, what is known of the storage counts no more, nor does what a command learned of it
    /// meanwhile.
    async fn erase_storage(&self) -> Result<(), GrantError> {
        let forget = || {
            self.ready.set(false);
            self.rows.forget();
        };
        forget();
        let erased = self.ports.sql.erase().await;
        forget();
        Ok(erased?)
    }

    fn log(&self, kind: Kind, state: &State, reason: &str) {
        log(&self.ports, kind, state, reason);
    }
}

/// One event of a grant.
fn log(ports: &AgentPorts, kind: Kind, state: &State, reason: &str) {
    let terms = match state {
        State::SignedIn(state) => Some(&state.terms),
        State::Active(state) => Some(&state.terms),
        State::Approved(_) | State::SigningIn(_) | State::Revoked(_) => None,
    };
    ports.log.write(&Event {
        grant_id: Some(state.grant().to_string()),
        user_id: state.user().map(|user| user.to_string()),
        user_email: terms.and_then(|terms| terms.profile.email.as_deref()),
        access_subject: terms.and_then(|terms| terms.access.as_ref()).map(|access| access.sub.as_str()),
        client_id: terms.map(|terms| terms.client_id.as_str()),
        reason: Some(reason),
        ..Event::new(kind)
    });
}
