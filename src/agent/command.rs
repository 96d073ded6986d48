//! The commands that the Worker sends to a Durable Object, and the replies. This is the whole protocol
//! between the two; both ends are built from one crate, so it needs no version.

mod call;
mod grant;
mod user;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use call::{Action, AnswerCommand, CallCommand, CallName, CancelCommand, TaskStep};
pub use grant::{
    AssertionId, AuthorizationRequest, Description, GrantCommand, GrantError, GrantReply, MicrosoftTokens, Profile,
    TokenSet,
};
pub use user::{Enlisted, UserCommand, UserReply};

use super::client::{Called, ClientCapabilities};
use super::streams::{Attach, StreamName};
use crate::crypto::Secret;
use crate::identity::{AccessIdentity, GrantId, UserId};

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AgentName {
    /// The object of one grant.
    Grant(GrantId),
    /// The object of one discovery stream: legacy SSE without a sign-in. Random, never shared.
    Discovery(String),
    /// The object of one user: which grants there are.
    User(UserId),
    /// The object that counts one day's registrations of clients.
    Registrations {
        /// Whole days since the Unix epoch, UTC.
        day: u64,
    },
}

impl fmt::Display for AgentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant(id) => write!(f, "grant:{id}"),
            Self::Discovery(id) => write!(f, "discovery:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::Registrations { day } => write!(f, "registrations:{day}"),
        }
    }
}

/// One command.
#[derive(Debug, Serialize, Deserialize)]
pub enum Command {
    /// A step of the grant's life.
    Grant(GrantCommand),
    /// A tool call or a resource, for the holder of an access token.
    Call(CallCommand),
    /// The client of a legacy session answers what it was asked. The call that waits for it goes on.
    Answer(AnswerCommand),
    /// The client of an HTTP+SSE session says what it can be asked.
    Introduce {
        /// Who.
        presented: Presented,
        /// What.
        capabilities: ClientCapabilities,
    },
    /// The client takes a call back.
    Cancel(CancelCommand),
    /// Asks whether a call could be answered on its stream: that the token counts, and somebody is there to hear.
    MaySpeak {
        /// Who asks.
        presented: Presented,
        /// Where the answer would go.
        stream: StreamName,
    },
    /// Asks whether a connection could take up a stream: a status has to say so before there is one.
    MayAttach(Attach),
    /// Sends one server message to a client's open stream, which has no log.
    Publish {
        /// Which.
        stream: StreamName,
        /// The JSON-RPC message.
        message: String,
    },
    /// Asks a user's object.
    User(UserCommand),
    /// Counts one registration of a client, if the day is not full.
    AdmitRegistration {
        /// Unix seconds of the midnight that ends the day.
        ends_at: u64,
    },
}

/// Ids that join the log lines, gateway entries and Graph requests of one client request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Correlation {
    /// UUID of the client's request.
    pub request_id: String,
    /// Cloudflare's ray.
    pub ray_id: Option<String>,
}

/// An access token as it was presented, with everything that must agree before it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presented {
    /// The bearer token.
    pub token: Secret,
    /// Who came through Access with it; must be the one who consented.
    pub access: Option<AccessIdentity>,
    /// The legacy session it comes with (the random part of the session id); must not have ended.
    pub session: Option<String>,
}

/// One reply.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// To [`Command::Grant`], [`Command::Answer`], [`Command::Introduce`], [`Command::Cancel`] and [`Command::MayAttach`].
    Grant(Result<GrantReply, GrantError>),
    /// To [`Command::Call`].
    Called(Result<Called, GrantError>),
    /// To [`Command::Publish`]: whether a socket took it.
    Published(bool),
    /// To [`Command::User`].
    User(Result<UserReply, GrantError>),
    /// To [`Command::AdmitRegistration`].
    Admission(Admission),
}

/// Whether one more client may register today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Admission {
    /// It was counted.
    Admitted,
    /// The day is full.
    Full,
    /// The object's storage failed: nothing is known.
    Unknown,
}
