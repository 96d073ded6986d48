//! At most so many of something at a time, per object: an async semaphore without a scheduler of its own.
//!
//! Graph takes four requests at a time for one app and mailbox (GRAPH.md 7) and answers the fifth with 429. A
//! grant stands for one user and thereby, shared mailboxes aside, for one mailbox; two grants of one user do not know
//! of each other and rely on Retry-After.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// Requests in flight for one grant.
const LANES: usize = 4;

/// The lanes of one object.
#[derive(Default)]
pub(crate) struct Lanes {
    taken: Cell<usize>,
    waiting: RefCell<Vec<Waker>>,
}

/// A lane in use; free again when dropped, also when the call is abandoned.
pub(crate) struct Lane<'a>(&'a Lanes);

impl Lanes {
    /// Waits for a free lane.
    pub(crate) async fn enter(&self) -> Lane<'_> {
        poll_fn(|context| {
            if self.taken.get() < LANES {
                self.taken.set(self.taken.get() + 1);
                return Poll::Ready(Lane(self));
            }
            self.waiting.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

impl Drop for Lane<'_> {
    /// Wakes everybody who waits: they are few, and waking only the first would lose the lane when that one has gone.
    fn drop(&mut self) {
        self.0.taken.set(self.0.taken.get().saturating_sub(1));
        let waiting = self.0.waiting.take();
        waiting.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::{FutureExt, join_all};

    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn no_more_than_four_are_in_flight_and_all_get_their_turn() {
        let (lanes, most, done) = (Lanes::default(), Cell::new(0), Cell::new(0));
        join_all((0..20).map(|_| async {
            let lane = lanes.enter().await;
            most.set(lanes.taken.get().max(most.get()));
            tokio::task::yield_now().await;
            drop(lane);
            done.set(done.get() + 1);
        }))
        .await;
        assert_eq!((most.get(), done.get(), lanes.taken.get()), (LANES, 20, 0));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_caller_that_gave_up_waiting_blocks_nobody() {
        let lanes = Lanes::default();
        let held: Vec<_> = join_all((0..LANES).map(|_| lanes.enter())).await;
        assert!(lanes.enter().now_or_never().is_none());
        drop(held);
        assert!(lanes.enter().now_or_never().is_some());
    }
}
