//! The in-isolate note that an object confirmed a token lately, so that what the edge answers by itself (`ping`, every
//! list) costs no hop.
//!
//! A note is for one token, one session and one Access identity, because the object judges all three together. It
//! lasts 60 s, the longest that another isolate's revocation can go unnoticed here, and nothing of a user's is ever
//! answered on its strength: a call asks the object every time.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use super::caller::Holder;
use super::refuse::{self, Failure};
use super::{Endpoint, Turn};
use crate::agent::{AgentName, Command, GrantCommand, GrantError, GrantReply, Reply};
use crate::crypto::Digest;
use crate::exchange::Exchange;
use crate::identity::GrantId;
use crate::web::Response;

/// Seconds that a note lasts.
const LASTS: u64 = 60;

/// Notes kept at most: about half a megabyte.
const CAPACITY: usize = 4096;

/// Tokens that their objects confirmed lately.
#[derive(Default)]
pub struct Confirmed {
    notes: RefCell<HashMap<Digest, Note>>,
    /// Each grant's slot, which never changes.
    slots: RefCell<HashMap<GrantId, Digest>>,
    /// Grows with every note that is taken back, so that a confirmation which was under way meanwhile is not noted.
    withdrawals: Cell<u64>,
}

struct Note {
    grant: GrantId,
    session: Option<String>,
    until: u64,
}

impl Confirmed {
    /// Forgets a grant; whoever learns that it ended calls this.
    pub fn forget_grant(&self, grant: GrantId) {
        self.withdraw(|note| note.grant == grant);
    }

    /// Forgets a session of a grant.
    pub(super) fn forget_session(&self, grant: GrantId, session: &str) {
        self.withdraw(|note| note.grant == grant && note.session.as_deref() == Some(session));
    }

    fn withdraw(&self, is_meant: impl Fn(&Note) -> bool) {
        self.withdrawals.set(self.withdrawals.get() + 1);
        self.notes.borrow_mut().retain(|_, note| !is_meant(note));
    }

    fn is_fresh(&self, key: &Digest, now: u64) -> bool {
        self.notes.borrow().get(key).is_some_and(|note| now < note.until)
    }

    fn note(&self, key: Digest, note: Note, now: u64) {
        let mut notes = self.notes.borrow_mut();
        if notes.len() >= CAPACITY {
            notes.retain(|_, note| now < note.until);
        }
        if notes.len() >= CAPACITY {
            notes.clear();
        }
        notes.insert(key, note);
    }

    fn keep_slot(&self, grant: GrantId, slot: Digest) {
        let mut slots = self.slots.borrow_mut();
        if slots.len() >= CAPACITY {
            slots.clear();
        }
        slots.insert(grant, slot);
    }

    /// The name of what is noted: the token, the session and the Access identity.
    fn key(exchange: &Exchange, holder: &Holder<'_>) -> Digest {
        let subject = exchange.access.as_ref().map_or("", |identity| &identity.sub);
        Digest::of([holder.token, holder.session.unwrap_or_default(), subject].join("\0").as_bytes())
    }
}

/// A question to the object that is under way; on a yes it becomes a note.
pub(super) struct Asked {
    key: Digest,
    note: Note,
    withdrawals: u64,
}

impl Asked {
    /// Before the question goes out.
    pub(super) fn begin(exchange: &Exchange, holder: &Holder<'_>) -> Self {
        let note = Note {
            grant: holder.claims.grant,
            session: holder.session.map(str::to_owned),
            until: exchange.context.now + LASTS,
        };
        let withdrawals = exchange.isolate.confirmed.withdrawals.get();
        Self { key: Confirmed::key(exchange, holder), note, withdrawals }
    }

    /// The object answered. Notes a yes; takes back every note of a grant or session that turned out to have ended.
    pub(super) fn settle(self, exchange: &Exchange, refusal: Option<&GrantError>) {
        let confirmed = &exchange.isolate.confirmed;
        match (refusal, &self.note.session) {
            (None, _) if confirmed.withdrawals.get() == self.withdrawals => {
                confirmed.note(self.key, self.note, exchange.context.now);
            }
            (Some(GrantError::SessionEnded), Some(session)) => confirmed.forget_session(self.note.grant, session),
            (Some(GrantError::Unknown | GrantError::Revoked), _) => confirmed.forget_grant(self.note.grant),
            (Some(_), _) => confirmed.withdraw(|_| false),
            (None, _) => {}
        }
    }
}

/// Makes sure that the grant is alive: by a fresh note, or by asking its object. Discovery callers have no grant.
pub(super) async fn confirm(turn: &Turn<'_>, session: Option<&str>) -> Result<(), Response> {
    let Some(holder) = turn.holder(session) else { return Ok(()) };
    let exchange = turn.exchange;
    if exchange.isolate.confirmed.is_fresh(&Confirmed::key(exchange, &holder), exchange.context.now) {
        return Ok(());
    }
    confirm_now(turn, session).await
}

/// Asks the object whatever the notes say, for an answer whose status cannot wait for the work itself.
pub(super) async fn confirm_now(turn: &Turn<'_>, session: Option<&str>) -> Result<(), Response> {
    let Some(holder) = turn.holder(session) else { return Ok(()) };
    ask(turn.exchange, &holder).await.map_err(|failure| answer(turn.exchange, turn.endpoint, &failure))
}

/// Which client a grant is of; `None` in discovery. Says nothing of whether the grant stands.
pub(super) async fn slot(turn: &Turn<'_>) -> Result<Option<Digest>, Response> {
    let Some(holder) = turn.holder(None) else { return Ok(None) };
    let known = || turn.exchange.isolate.confirmed.slots.borrow().get(&holder.claims.grant).copied();
    if known().is_none() {
        confirm_now(turn, None).await?;
    }
    Ok(known())
}

/// Notes a session that was just made: it cannot have ended, so what confirmed the token confirms it too.
pub(super) fn vouch(turn: &Turn<'_>, session: &str) {
    let (Some(old), Some(new)) = (turn.holder(None), turn.holder(Some(session))) else { return };
    let (exchange, confirmed) = (turn.exchange, &turn.exchange.isolate.confirmed);
    let until = confirmed.notes.borrow().get(&Confirmed::key(exchange, &old)).map(|note| note.until);
    if let Some(until) = until {
        let note = Note { grant: new.claims.grant, session: Some(session.to_owned()), until };
        confirmed.note(Confirmed::key(exchange, &new), note, exchange.context.now);
    }
}

async fn ask(exchange: &Exchange, holder: &Holder<'_>) -> Result<(), Failure> {
    let asked = Asked::begin(exchange, holder);
    let command = Command::Grant(GrantCommand::Confirm(holder.presented(exchange)));
    let reply = exchange.ports.agents.call(&AgentName::Grant(holder.claims.grant), &command).await;
    match reply {
        Ok(Reply::Grant(Ok(GrantReply::Confirmed(slot)))) => {
            exchange.isolate.confirmed.keep_slot(holder.claims.grant, slot);
            asked.settle(exchange, None);
            Ok(())
        }
        Ok(Reply::Grant(Err(error))) => {
            asked.settle(exchange, Some(&error));
            Err(error.into())
        }
        Ok(Reply::Grant(Ok(_)) | Reply::Called(_) | Reply::Published(_) | Reply::User(_) | Reply::Admission(_))
        | Err(_) => Err(Failure::Unavailable),
    }
}

fn answer(exchange: &Exchange, endpoint: Endpoint, failure: &Failure) -> Response {
    refuse::failed(&exchange.config, endpoint, failure)
}
