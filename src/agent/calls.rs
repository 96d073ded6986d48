//! The calls that run in this object: how long one may take, and who may end it before.
//!
//! A call that is ended is dropped where it stands: what it was waiting for is abandoned, and nothing more is sent for
//! it. For a write that is what an eviction would be, and the idempotency ledger is made for it.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use futures_util::future::{AbortHandle, Abortable, Either, select};

use super::command::{CallCommand, CallName, GrantError};
use super::conversation::Conversation;
use super::streams::StreamName;
use crate::ports::Timer;

/// Milliseconds between two signs of life: clients give up after a minute without one, some after half.
const BEAT_MS: u64 = 15_000;

/// A call may take this many beats. The Worker waits a little longer for its object (`edge::agents`), and no client as
/// long.
const BEATS: u32 = 7;

/// As many as this, where its client has a task for it and nobody waits: ten minutes.
const TASK_BEATS: u32 = 40;

/// Whether a call is to become a task, and whether it has.
#[derive(Default)]
pub(super) struct Deferral {
    wanted: Cell<bool>,
    begun: Cell<bool>,
}

impl Deferral {
    /// The tool knows that it will take long. Whoever runs it may take the chance while this waits once.
    pub(super) async fn want(&self) {
        self.wanted.set(true);
        let mut has_waited = false;
        poll_fn(|context| {
            if std::mem::replace(&mut has_waited, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Completes when the tool wants it. To be polled after the tool, which alone can bring it about.
    pub(super) async fn is_wanted(&self) {
        poll_fn(|_| if self.wanted.get() { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// The call is a task from here on: the connection on which it came means nothing any more.
    pub(super) fn begin(&self) {
        self.begun.set(true);
    }

    fn beats(&self) -> u32 {
        if self.begun.get() { TASK_BEATS } else { BEATS }
    }
}

/// How a call came to its end.
pub(super) enum End<T> {
    /// By itself.
    Finished(T),
    /// Its client took it back.
    Cancelled,
    /// It took too long.
    TooLong,
    /// A task, and the token for which it works counts no more.
    Refused(GrantError),
}

struct Running {
    name: CallName,
    session: Option<String>,
    stream: Option<StreamName>,
    abort: AbortHandle,
    deferral: Rc<Deferral>,
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
    /// Runs a call to its end. `stands` says whether the token still counts, which nobody else asks about for a task.
    pub(super) async fn supervise<T>(
        &self,
        (command, deferral): (&CallCommand, &Rc<Deferral>),
        (timer, conversation, stands): (&dyn Timer, &Conversation<'_>, &dyn Fn() -> Result<(), GrantError>),
        work: impl Future<Output = T>,
    ) -> End<T> {
        let (abort, registration) = AbortHandle::new_pair();
        let _place = self.enter(command, deferral, abort);
        let limit = async {
            let mut beats = 0;
            while beats < deferral.beats() {
                timer.sleep(BEAT_MS).await;
                conversation.beat();
                beats += 1;
                match stands() {
                    Err(error) if deferral.begun.get() => return Err(error),
                    Ok(()) | Err(_) => {}
                }
            }
            Ok(())
        };
        match Abortable::new(select(pin!(work), pin!(limit)), registration).await {
            Ok(Either::Left((outcome, _))) => End::Finished(outcome),
            Ok(Either::Right((Ok(()), _))) => End::TooLong,
            Ok(Either::Right((Err(error), _))) => End::Refused(error),
            Err(_) => End::Cancelled,
        }
    }

    fn enter(&self, command: &CallCommand, deferral: &Rc<Deferral>, abort: AbortHandle) -> Place<'_> {
        let mut all = self.0.borrow_mut();
        let serial = all.last().map_or(0, |running| running.serial + 1);
        let run = || CallName::Run(command.correlation.request_id.clone());
        let name = command.request.as_deref().map_or_else(run, CallName::of_request);
        let (session, stream) = (command.presented.session.clone(), command.client.stream.clone());
        all.push(Running { name, session, stream, abort, deferral: Rc::clone(deferral), serial });
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
    /// take the stream up again. So does a task, whose stream ended with the answer that it is one.
    pub(super) fn hung_up(&self, stream: &str) {
        let all = self.0.borrow();
        let meant = all.iter().filter(|running| {
            let is_its_own = running.stream.as_ref().is_some_and(|own| own.as_str() == stream);
            running.session.is_none() && is_its_own && !running.deferral.begun.get()
        });
        meant.for_each(|running| running.abort.abort());
    }
}
