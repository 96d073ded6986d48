//! How often somebody may ask: who counts as one caller, and what an isolate remembers of those who asked too often.
//!
//! The counting is the platform's (`ports::RateLimiter`). It is approximate and per location, so it is a brake on load
//! and guessing, and nothing rests on it: a limiter that does not answer is logged and lets everybody through. What
//! must be exact is counted in an object (`agent::registrations`).
//!
//! Nobody can use up another's share: a count is kept by network, or by what only its holder can present, never by a
//! name that anybody can write into a request. Addresses reach the limiter and the notes only under a keyed hash.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use crate::crypto;
use crate::exchange::Exchange;
use crate::identity::GrantId;
use crate::log::{Event, Kind};
use crate::ports::Limit;
use crate::web::Request;

/// The period of every limit, in seconds. The limiter does not say when it begins, so a caller waits for all of it.
pub const PERIOD_SECONDS: u64 = 60;

/// The value of `Retry-After` for a caller over a limit.
pub const RETRY_AFTER: &str = "60";

/// Notes kept at most: some tens of kilobytes.
const CAPACITY: usize = 512;

/// 64 bits tell callers apart; fewer than the hash has, so that the key says even less of an address.
const KEY_BYTES: usize = 8;

/// Over the limit; come back in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rate_limited")]
pub struct RateLimited;

/// Who counts as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party(String);

impl Party {
    /// Everybody behind the address that this request came from.
    pub fn network(exchange: &Exchange, request: &Request) -> Self {
        let mac = exchange
            .config
            .keys
            .encryption
            .networks
            .current
            .mac(&[network(request.header("cf-connecting-ip")).as_bytes()]);
        Self(crypto::encode(mac.get(..KEY_BYTES).unwrap_or(&mac)))
    }

    /// The holder of a genuine code or token of this grant.
    pub fn grant(grant: GrantId) -> Self {
        Self(grant.to_string())
    }
}

/// The network of an address: an IPv4 address itself, the /64 of an IPv6 address, because that is what one subscriber
/// has. All that comes without an address, as on a developer's machine, is one network.
fn network(address: Option<&str>) -> String {
    let address = address.and_then(|text| text.trim().parse::<IpAddr>().ok()).map(|address| address.to_canonical());
    match address {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
        None => "none".to_owned(),
    }
}

/// Counts a request, and refuses it where the limit is used up.
pub async fn check(exchange: &Exchange, limit: Limit, party: &Party) -> Result<(), RateLimited> {
    match exchange.ports.limiter.allow(limit, &party.0).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(RateLimited),
        Err(_) => {
            let reason = Some("limiter_failed");
            exchange.ports.log.write(&Event { reason, ..exchange.context.event(Kind::InternalError) });
            Ok(())
        }
    }
}

/// Refuses, before any work, a network that failed too often a moment ago. Asks the isolate's notes alone: to ask the
/// limiter is to count, and only failures count.
pub fn refuse_failing(exchange: &Exchange, network: &Party) -> Result<(), RateLimited> {
    let shut_out = exchange.isolate.exhausted.holds(&network.0, exchange.context.now);
    if shut_out { Err(RateLimited) } else { Ok(()) }
}

/// Counts a failed authentication. Where that was one too many, the caller hears so instead of what was wrong, and
/// the network is refused without a look for a minute.
pub async fn count_failure(exchange: &Exchange, network: &Party) -> Result<(), RateLimited> {
    refuse_failing(exchange, network)?;
    let counted = check(exchange, Limit::FailedAuthentication, network).await;
    if counted.is_err() {
        let now = exchange.context.now;
        exchange.isolate.exhausted.note(&network.0, now + PERIOD_SECONDS, now);
    }
    counted
}

/// What is known to be used up, and until when. Losing a note costs one question more.
#[derive(Default)]
pub struct Exhausted(RefCell<HashMap<String, u64>>);

impl Exhausted {
    /// Whether there is a note of this that still counts.
    pub fn holds(&self, name: &str, now: u64) -> bool {
        self.0.borrow().get(name).is_some_and(|until| now < *until)
    }

    /// Notes it.
    pub fn note(&self, name: &str, until: u64, now: u64) {
        let mut notes = self.0.borrow_mut();
        if notes.len() >= CAPACITY {
            notes.retain(|_, until| now < *until);
        }
        if notes.len() >= CAPACITY {
            notes.clear();
        }
        notes.insert(name.to_owned(), until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_counts_by_its_64_and_an_ipv4_address_by_itself() {
        let same = |left, right| network(Some(left)) == network(Some(right));
        assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
        assert!(same("::ffff:192.0.2.1", "192.0.2.1"));
    }

    #[test]
    fn what_is_no_address_is_one_network() {
        assert_eq!(network(None), network(Some("192.0.2.1, 198.51.100.1")));
    }

    #[test]
    fn notes_run_out_and_never_fill_the_memory() {
        let notes = Exhausted::default();
        notes.note("a", 60, 0);
        assert!(notes.holds("a", 59) && !notes.holds("a", 60));
        (0..2 * CAPACITY).for_each(|index| notes.note(&format!("n{index}"), 1_000, 60));
        assert!(notes.0.borrow().len() <= CAPACITY);
    }
}
