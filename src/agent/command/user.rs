//! What the object of one user is asked.

use serde::{Deserialize, Serialize};

use crate::config::Rate;
use crate::crypto::Digest;
use crate::identity::GrantId;
use crate::oauth::entra::claims::Claims;

/// What the object of one user is asked. It knows which grants there are, and nothing else of them; what Graph asked of
/// the user's next sign-in; and when something went out to other people.
#[derive(Debug, Serialize, Deserialize)]
pub enum UserCommand {
    /// A grant has become active. Answered with the earlier grants of its slot that still stand.
    Enlist(Enlisted),
    /// A grant is over.
    Delist {
        /// Which.
        grant: GrantId,
        /// Unix seconds after which it would have been over anyhow.
        ends_at: u64,
    },
    /// Answered with the grants that stand, oldest sign-in first.
    List,
    /// Only a sign-in that carries these claims satisfies Graph.
    Challenge(Claims),
    /// Answered with the claims that a sign-in has to carry, which are forgotten by it.
    TakeChallenge,
    /// Something is about to go out to other people. Counted, unless so much went out already.
    CountOutward(Rate),
}

/// What the object of one user answers.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserReply {
    /// To `Enlist`, `Delist` and `List`.
    Grants(Vec<GrantId>),
    /// To `Challenge` and `TakeChallenge`.
    Claims(Option<Claims>),
    /// To `CountOutward`.
    Counted {
        /// Seconds until it may go out; `None`: now, and it was counted.
        wait: Option<u64>,
    },
}

/// A grant as its user's object knows it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Enlisted {
    /// Which.
    pub grant: GrantId,
    /// Of the client: a later grant of the same slot replaces this one.
    pub slot: Digest,
    /// Unix seconds.
    pub ends_at: u64,
    /// Whether it replaces earlier ones; a grant of before there was a list does not.
    pub replaces: bool,
}
