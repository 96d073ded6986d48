//! At most so many of something at a time, per object: an async semaphore without a scheduler of its own.
//!
//! Graph takes four requests at a time for one app and mailbox (GRAPH.md 7) and answers the fifth with 429. A
//! grant stands for one user and thereby, shared mailboxes aside, for one mailbox; two grants of one user do not know
//! of each other and rely on Retry-After. So the lanes are halved when Graph throttles, and come back one by one while
//! it does not.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// Requests in flight for one grant.
const LANES: usize = 4;
/// Good answers in a row after which a closed lane opens again.
const CALM: usize = 8;

/// The lanes of one object.
#[derive(Default)]
pub(crate) struct Lanes {
    taken: Cell<usize>,
    closed: Cell<usize>,
    calm: Cell<usize>,
    waiting: RefCell<Vec<Waker>>,
}

/// A lane in use; free again when dropped, also when the call is abandoned.
pub(crate) struct Lane<'a>(&'a Lanes);

impl Lanes {
    /// Waits for a free lane.
    pub(crate) async fn enter(&self) -> Lane<'_> {
        poll_fn(|context| {
            if self.taken.get() < self.open() {
                self.taken.set(self.taken.get() + 1);
                return Poll::Ready(Lane(self));
            }
            self.waiting.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    fn open(&self) -> usize {
        LANES.saturating_sub(self.closed.get()).max(1)
    }

    /// Graph throttled: half of the lanes close, never the last one.
    pub(crate) fn throttled(&self) {
        self.closed.set(LANES - (self.open() / 2).max(1));
        self.calm.set(0);
    }

    /// Graph answered.
    pub(crate) fn answered(&self) {
        let calm = self.calm.get() + 1;
        let opens = calm >= CALM && self.closed.get() > 0;
        self.calm.set(if opens { 0 } else { calm.min(CALM) });
        if opens {
            self.closed.set(self.closed.get() - 1);
            self.waiting.take().into_iter().for_each(Waker::wake);
        }
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

    #[test]
    fn lanes_close_when_graph_throttles_and_come_back_one_by_one() {
        let lanes = Lanes::default();
        let after = |what: fn(&Lanes), times| {
            (0..times).for_each(|_| what(&lanes));
            lanes.open()
        };
        assert_eq!([after(Lanes::throttled, 1), after(Lanes::throttled, 1), after(Lanes::throttled, 5)], [2, 1, 1]);
        assert_eq!([after(Lanes::answered, CALM - 1), after(Lanes::answered, 1)], [1, 2]);
        assert_eq!([after(Lanes::answered, 2 * CALM), after(Lanes::answered, 100)], [LANES, LANES]);
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
