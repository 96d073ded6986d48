//! The calls that run in this object: how long one may take, and who may end it before.
//!
//! A call that is ended is dropped where it stands: what it was waiting for is abandoned, and nothing more is sent for
//! it. For a write that is what an eviction would be, and the idempotency ledger is made for it.

use std::cell::RefCell;
use std::pin::pin;

use futures_util::future::{AbortHandle, Abortable, Either, select};

use super::command::{CallCommand, CallName};
use super::conversation::Conversation;
use super::streams::StreamName;
use crate::ports::Timer;

/// Milliseconds between two signs of life: clients give up after a minute without one, some after half.
const BEAT_MS: u64 = 15_000;

/// A call may take this many beats. The Worker waits a little longer for its object (`edge::agents`), and no client as
/// long.
const BEATS: u32 = 7;

/// How a call came to its end.
pub(super) enum End<T> {
    /// By itself.
    Finished(T),
    /// Its client took it back.
    Cancelled,
    /// It took too long.
    TooLong,
}

struct Running {
    name: CallName,
    session: Option<String>,
    stream: Option<StreamName>,
    abort: AbortHandle,
    serial: u64,
}

/// The calls under way.
#[derive(Default)]
pub(super) struct Calls(RefCell<Vec<Running>>);

/// A call's place among them; given up when dropped.
struct Place<'a>(&'a Calls, u64);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.0.borrow_mut().retain(|running| running.serial != self.1);
    }
}

impl Calls {
    /// Runs a call to its end.
    pub(super) async fn supervise<T>(
        &self,
        command: &CallCommand,
        (timer, conversation): (&dyn Timer, &Conversation<'_>),
        work: impl Future<Output = T>,
    ) -> End<T> {
        let (abort, registration) = AbortHandle::new_pair();
        let _place = self.enter(command, abort);
        let limit = async {
            for _ in 0..BEATS {
                timer.sleep(BEAT_MS).await;
                conversation.beat();
            }
        };
        match Abortable::new(select(pin!(work), pin!(limit)), registration).await {
            Ok(Either::Left((outcome, _))) => End::Finished(outcome),
            Ok(Either::Right(((), _))) => End::TooLong,
            Err(_) => End::Cancelled,
        }
    }

    fn enter(&self, command: &CallCommand, abort: AbortHandle) -> Place<'_> {
        let mut all = self.0.borrow_mut();
        let serial = all.last().map_or(0, |running| running.serial + 1);
        let run = || CallName::Run(command.correlation.request_id.clone());
        let name = command.request.as_deref().map_or_else(run, CallName::of_request);
        let (session, stream) = (command.presented.session.clone(), command.client.stream.clone());
        all.push(Running { name, session, stream, abort, serial });
        Place(self, serial)
    }

    /// Whether a call is under way that has still to answer on this stream.
    pub(super) fn speak_on(&self, stream: &StreamName) -> bool {
        self.0.borrow().iter().any(|running| running.stream.as_ref() == Some(stream))
    }

    /// Ends the calls of this name in this session; a stateless one has no session.
    pub(super) fn cancel(&self, session: Option<&str>, name: &CallName) {
        let all = self.0.borrow();
        let meant = all.iter().filter(|running| running.session.as_deref() == session && running.name == *name);
        meant.for_each(|running| running.abort.abort());
    }

    /// Ends the stateless call of this stream, whose client has closed it. A call of a session goes on: its client may
    /// take the stream up again.
    pub(super) fn hung_up(&self, stream: &str) {
        let all = self.0.borrow();
        let meant = all.iter().filter(|running| {
            running.session.is_none() && running.stream.as_ref().is_some_and(|own| own.as_str() == stream)
        });
        meant.for_each(|running| running.abort.abort());
    }
}
