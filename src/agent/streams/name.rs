//! What streams and their events are called.
//!
//! A legacy session has one stream of its own and one for each call that speaks while it runs; a stream of the modern
//! revisions belongs to no session. An event's id is its stream's name and a number (MCP 2025-11-25, "Resumability and
//! Redelivery": ids are unique in the session and say which stream to replay).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::crypto;
use crate::ports::Random;

/// The stream of the session itself, among its streams. Shorter than any call's.
const OF_SESSION: &str = "0";

/// The longest id that is looked at: session and stream are 22 and 11 characters, a number 20 at most.
const LONGEST: usize = 96;

/// A stream's name within its object: `<session>.<which>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamName(String);

impl StreamName {
    /// The stream of a session itself.
    pub fn of_session(session: &str) -> Self {
        Self(format!("{session}.{OF_SESSION}"))
    }

    /// A new stream for one call of a session.
    pub fn of_call(session: &str, random: &dyn Random) -> Self {
        Self(format!("{session}.{}", crypto::random_text::<8>(random)))
    }

    /// A new stream that belongs to no session.
    pub fn alone(random: &dyn Random) -> Self {
        Self::of_call(&crypto::random_text::<16>(random), random)
    }

    /// Its session.
    pub fn session(&self) -> &str {
        self.0.split_once('.').map_or(self.0.as_str(), |(session, _)| session)
    }

    /// Whether it is a session's own and no call's.
    pub(crate) fn is_of_session(&self) -> bool {
        self.0.split_once('.').is_some_and(|(_, which)| which == OF_SESSION)
    }

    /// As it is stored and as sockets are tagged with it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `id` of a server-sent event: `<stream>-<number>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventId {
    /// Where it was sent.
    pub stream: StreamName,
    /// Grows along the stream.
    pub number: u64,
}

impl EventId {
    /// Reads `Last-Event-ID`. Whether there is such a stream, its object says.
    pub fn parse(text: &str) -> Option<Self> {
        let (stream, number) = text.rsplit_once('-').filter(|_| text.len() <= LONGEST)?;
        let is_name = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        let (session, which) = stream.split_once('.')?;
        let stream = (is_number && is_name(session) && is_name(which)).then(|| StreamName(stream.to_owned()))?;
        Some(Self { stream, number: number.parse().ok()? })
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.stream, self.number)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;
    use crate::support::SeededRandom;

    #[test]
    fn an_event_id_reads_back_and_says_its_stream_and_session() {
        let random = SeededRandom::new(1);
        // base64url has the very hyphen that parts the number.
        for session in ["AAAAAAAAAAAAAAAAAAAAAA", "-_-_-_-_-_-_-_-_-_-_-1", "-1"] {
            for stream in [StreamName::of_session(session), StreamName::of_call(session, &random)] {
                let id = EventId { stream, number: 1_772_442_000_123 };
                assert_eq!(EventId::parse(&id.to_string()), Some(id.clone()));
                assert_eq!(id.stream.session(), session);
            }
        }
        assert!(StreamName::of_session("s").is_of_session() && !StreamName::of_call("s", &random).is_of_session());
        assert!(!StreamName::alone(&random).is_of_session());
    }

    #[test]
    fn what_is_no_event_id_is_not_read_as_one() {
        let long = format!("{}.0-1", "s".repeat(LONGEST));
        let strange = ["", "-", "s.0", "s.0-", "s.0-+1", "s.0-1 ", "s.0-x", "s-1", ".0-1", "s.-1", "s.'-1"];
        for text in strange.into_iter().chain(["s.0-99999999999999999999", "s.0.0-1", "s.0\n-1", "ß.0-1", &long]) {
            assert_eq!(EventId::parse(text), None, "{text:?}");
        }
        assert_eq!(EventId::parse("s.0-0").unwrap().number, 0);
    }
}
