//! Pauses that Graph asked for. A request that goes out before its time is answered with 429 again and counts against
//! the user's allowance, so what was asked for is kept to by all calls of the grant, not only by the one that heard it.
//!
//! Kept for the object's life only: what it forgets costs one more 429.

use std::cell::RefCell;
use std::collections::HashMap;

/// The first words of a route that share an allowance: `/me/messages` of `/me/messages/{id}/send`.
const SHARED: usize = 2;

/// Until when nothing of a kind should go out.
#[derive(Default)]
pub(crate) struct Pauses(RefCell<HashMap<String, u64>>);

impl Pauses {
    /// Graph asked for a pause of such requests until `until`, in Unix milliseconds.
    pub(crate) fn note(&self, route: &str, until: u64) {
        self.0.borrow_mut().insert(kind(route), until);
    }

    /// Milliseconds for which such a request should still be held.
    pub(crate) fn left(&self, route: &str, now: u64) -> u64 {
        let mut pauses = self.0.borrow_mut();
        pauses.retain(|_, until| *until > now);
        if pauses.is_empty() {
            return 0;
        }
        pauses.get(&kind(route)).map_or(0, |until| until.saturating_sub(now))
    }
}

fn kind(route: &str) -> String {
    route.split('/').filter(|word| !word.is_empty()).take(SHARED).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_holds_its_own_kind_until_it_is_over() {
        let pauses = Pauses::default();
        pauses.note("/me/messages/{id}/send", 5000);
        assert_eq!(pauses.left("/me/messages", 2000), 3000);
        assert_eq!(pauses.left("/me/events", 2000), 0);
        assert_eq!(pauses.left("/me/messages", 5000), 0);
        assert!(pauses.0.borrow().is_empty(), "what is over is forgotten");
    }
}
