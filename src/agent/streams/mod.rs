//! What the object says to its clients, all of it: [`Streams::publish`] is the one way.
//!
//! A stream that can be taken up again is begun here and has a log; what is said on it is stored before it is sent, so a
//! socket that turns out to be dead has cost nothing. Every other stream (HTTP+SSE of 2024-11-05, the modern revisions)
//! has none: what no socket takes is lost, as those revisions have it. Of several sockets of one stream the newest alone
//! gets a message (MCP: never the same message on two streams), and a client that comes back gets what it missed from
//! the log.
//!
//! Owns no socket: `ports::Sockets` does. Sent text is server-sent events, which the edge relays as they are.

mod frame;
mod log;
mod name;
mod subscription;

use serde::{Deserialize, Serialize};

pub use self::name::{EventId, StreamName};
pub use self::subscription::{Change, ChangeFilter, Subscription};

use super::{GrantError, Presented};
use crate::crypto::Key;
use crate::ports::AgentPorts;

/// A client's connection takes up a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attach {
    /// Whose it is; nobody's in discovery, where no grant is.
    pub presented: Option<Presented>,
    /// Which.
    pub stream: StreamName,
    /// The number in the `Last-Event-ID` that it came with.
    pub after: Option<u64>,
    /// Whether the client expects an event that gives it something to come back with.
    pub prime: bool,
    /// What the client wants to be told of on it.
    pub listens: Option<Subscription>,
}

/// What a connection gets at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Server-sent events.
    pub events: String,
    /// Whether these were the last.
    pub complete: bool,
}

/// The streams of one object.
pub struct Streams<'a> {
    ports: &'a AgentPorts,
}

impl<'a> Streams<'a> {
    /// Over this object's storage and sockets.
    pub const fn new(ports: &'a AgentPorts) -> Self {
        Self { ports }
    }

    /// Gives the stream of a call a log, before the first thing is said on it; `request` is the JSON text of the call's
    /// id. The alarm is set before anything is stored.
    pub async fn begin(&self, stream: &StreamName, request: &str) -> Result<(), GrantError> {
        // A call that goes on after its client's answer: without waiting, so that at no moment it seems to be gone.
        if log::find(&*self.ports.sql, stream)?.is_some() {
            return Ok(());
        }
        let at = self.ports.clock.now().saturating_add(log::KEPT);
        if self.ports.alarm.next().await?.is_none_or(|next| next > at) {
            self.ports.alarm.set(at).await?;
        }
        log::begin(self.ports, stream, request)
    }

    /// Says `message`, a JSON-RPC message, on a stream; whether a socket took it. `key` seals what is stored: a stream
    /// with a log cannot be spoken on without one.
    pub fn publish(&self, stream: &StreamName, key: Option<&Key>, message: &str) -> Result<bool, GrantError> {
        self.say(stream, key, message, false)
    }

    /// Says the last message of a call's stream, which ends with it.
    pub fn finish(&self, stream: &StreamName, key: Option<&Key>, message: &str) -> Result<bool, GrantError> {
        let taken = self.say(stream, key, message, true);
        self.ports.sockets.close(stream.as_str());
        taken
    }

    /// The event of a message that no log keeps.
    pub fn event(message: &str) -> String {
        frame::message(None, message)
    }

    fn say(&self, stream: &StreamName, key: Option<&Key>, text: &str, last: bool) -> Result<bool, GrantError> {
        let id = match key {
            Some(key) => log::append(self.ports, stream, key, text, last)?,
            None => None,
        };
        Ok(self.ports.sockets.send(stream.as_str(), &frame::message(id.as_ref(), text)))
    }

    /// Ends a stream whose call is gone: a deploy or an eviction took it away, or it was refused. Whoever comes back for
    /// its answer would wait for nothing.
    pub(super) fn give_up(&self, stream: &StreamName, key: &Key) -> Result<(), GrantError> {
        match log::find(&*self.ports.sql, stream)? {
            Some(known) if !known.complete => {
                self.finish(stream, Some(key), &frame::lost(&known.request))?;
                Ok(())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether anybody would hear what is said on a stream.
    pub(super) fn is_heard(&self, stream: &StreamName) -> bool {
        self.ports.sockets.is_open(stream.as_str())
    }

    /// What a connection that takes up a stream gets first: what it missed of this stream and of no other. A call's stream
    /// that is not known, any more or at all, is refused, as is an event that is yet to come.
    pub(super) fn attach(&self, asked: &Attach, key: Option<&Key>) -> Result<Attached, GrantError> {
        let stream = &asked.stream;
        let known = if asked.after.is_some() || asked.prime { log::find(&*self.ports.sql, stream)? } else { None };
        let missed = match (asked.after, &known, key) {
            (None, _, _) => Vec::new(),
            (Some(after), Some(known), Some(key)) if after <= known.last => {
                log::after(&*self.ports.sql, stream, after, key)?
            }
            // A session's own stream lives as long as the session, whether or not anything was ever said on it.
            (Some(_), None, _) if stream.is_of_session() => Vec::new(),
            (Some(_), _, _) => return Err(GrantError::EventUnknown),
        };
        let last = known.as_ref().map_or(0, |known| known.last);
        let cursor = EventId { stream: stream.clone(), number: asked.after.unwrap_or(last) };
        let priming = if asked.prime { frame::priming(&cursor) } else { String::new() };
        let events = missed.iter().map(|(id, message)| frame::message(Some(id), message));
        let complete = asked.after.is_some() && known.is_some_and(|known| known.complete);
        Ok(Attached { events: std::iter::once(priming).chain(events).collect(), complete })
    }

    /// Tells everybody who listens for it of a change.
    pub fn announce(&self, change: &Change) {
        for (stream, subscription) in self.ports.sockets.listeners() {
            if let Some(message) = subscription.notification(change) {
                self.ports.sockets.send(stream.as_str(), &Self::event(&message));
            }
        }
    }

    /// The end of everything: who listens is told that nothing more will come.
    pub(crate) fn end_all(&self) {
        for (stream, subscription) in self.ports.sockets.listeners() {
            self.ports.sockets.send(stream.as_str(), &Self::event(&subscription.answer()));
        }
        self.ports.sockets.close_all();
    }

    /// The end of a session: its streams end and are erased.
    pub(crate) fn end_session(&self, session: &str) -> Result<(), GrantError> {
        log::forget_session(&*self.ports.sql, session)?;
        self.ports.sockets.close(session);
        Ok(())
    }

    /// Erases what is too old; the Unix second at which there will be more.
    pub(super) fn forget_old(&self) -> Result<Option<u64>, GrantError> {
        log::forget_old(self.ports)
    }
}
