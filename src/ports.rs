//! The traits through which the core reaches the platform: time, randomness, storage, network, counting, log.
//!
//! The Worker implements them over Cloudflare's bindings (`edge`), native tests over fakes (`tests/support`).
//! No business rule lives behind a port.

mod network;
mod signature;
mod storage;

use std::rc::Rc;

use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;

use crate::agent::{AgentName, Command, Reply, StreamName, Subscription};
use crate::extract::{Text, Unreadable};
use crate::log::Event;

pub use network::{AiCall, AiGateway, OutboundRequest, OutboundResponse, Upstream, UpstreamError};
pub use signature::{Es256, P256Key, Ps256, Rs256, RsaKey};
pub use storage::{Alarm, KV_PAGE, Kv, KvError, KvPage, Sql, SqlError, SqlRow, SqlValue};

/// The time of day.
pub trait Clock {
    /// Milliseconds since the Unix epoch. In a Worker it stands still between two I/O operations.
    fn now_ms(&self) -> u64;

    /// Seconds since the Unix epoch.
    fn now(&self) -> u64 {
        self.now_ms() / 1000
    }
}

/// The clocks of the world.
pub trait Zones {
    /// Seconds by which the clocks of this zone, an IANA name, are ahead of UTC at that Unix second; `None`: there is no
    /// such zone.
    fn offset(&self, zone: &str, at: i64) -> Option<i32>;
}

/// Cryptographically secure random bytes.
pub trait Random {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// Waiting, for Retry-After and time limits.
#[async_trait(?Send)]
pub trait Timer {
    /// Completes after `ms` milliseconds.
    async fn sleep(&self, ms: u64);
}

/// Where log events go; one JSON line each.
pub trait Log {
    /// Writes one event.
    fn write(&self, event: &Event<'_>);
}

/// Work that outlives the response.
pub trait Background {
    /// Runs `work` to its end although the response may already be out.
    fn run(&self, work: LocalBoxFuture<'static, ()>);
}

/// What is counted, and against which rate. The numbers are part of the bindings in `wrangler.toml`, one each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Registrations: 5 a minute per network.
    Register,
    /// Sign-ins begun: 30 a minute per network.
    Authorize,
    /// Token requests: 60 a minute per grant, or per network where no grant is known.
    Token,
    /// Failed authentications: 10 a minute per network.
    FailedAuthentication,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Register, Self::Authorize, Self::Token, Self::FailedAuthentication];

    /// The binding's name, a contract with `wrangler.toml`.
    pub const fn binding(self) -> &'static str {
        match self {
            Self::Register => "LIMIT_REGISTER",
            Self::Authorize => "LIMIT_AUTHORIZE",
            Self::Token => "LIMIT_TOKEN",
            Self::FailedAuthentication => "LIMIT_FAILED_AUTHENTICATION",
        }
    }
}

/// Counts who asks how often. Approximate, and for each location of the platform apart: a brake, never a judge.
#[async_trait(?Send)]
pub trait RateLimiter {
    /// Counts one more for `key` and says whether that is within the limit. Where the deployment has no such limit,
    /// everything is.
    async fn allow(&self, limit: Limit, key: &str) -> Result<bool, RateLimiterError>;
}

/// The limiter did not answer, or answered nonsense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rate limiter did not answer")]
pub struct RateLimiterError;

/// The open streams of this object's clients.
pub trait Sockets {
    /// Sends `text` to the newest socket of `stream` that takes it; says whether one did.
    fn send(&self, stream: &str, text: &str) -> bool;
    /// Whether a stream has an open socket.
    fn is_open(&self, stream: &str) -> bool;
    /// Ends the connections of a stream, or of every stream of a session.
    fn close(&self, stream_or_session: &str);
    /// Lets the connections of a stream go that is not over: their clients come back for the rest of it.
    fn release(&self, stream: &str);
    /// Ends every stream of this object.
    fn close_all(&self);
    /// The open streams on which somebody wants to be told of changes.
    fn listeners(&self) -> Vec<(StreamName, Subscription)>;
}

/// Reads documents that strangers wrote, apart from everything else: one that crashes, fills or misleads its reader
/// harms nobody.
pub trait Documents {
    /// The text of a PDF or Office document.
    fn text(&self, bytes: &[u8]) -> Result<Text, Unreadable>;
}

/// The connection on which the request came.
#[async_trait(?Send)]
pub trait Connection {
    /// Completes when the client has gone before it was answered; never, where the platform does not tell.
    async fn closed(&self);
}

/// The Durable Objects.
#[async_trait(?Send)]
pub trait Agents {
    /// Sends one command and waits for its reply, within a time limit.
    async fn call(&self, name: &AgentName, command: &Command) -> Result<Reply, AgentUnavailable>;
}

/// The object did not answer in time, or answered nonsense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the grant's object did not answer")]
pub struct AgentUnavailable;

/// What the stateless Worker gets from the platform.
#[derive(Clone)]
pub struct Ports {
    /// Time.
    pub clock: Rc<dyn Clock>,
    /// Randomness.
    pub random: Rc<dyn Random>,
    /// `OAUTH_KV`.
    pub kv: Rc<dyn Kv>,
    /// `MCP_OBJECT`.
    pub agents: Rc<dyn Agents>,
    /// The rate limits.
    pub limiter: Rc<dyn RateLimiter>,
    /// `fetch`.
    pub upstream: Rc<dyn Upstream>,
    /// Verification of RSA signatures.
    pub rs256: Rc<dyn Rs256>,
    /// Verification of signatures on the P-256 curve.
    pub es256: Rc<dyn Es256>,
    /// Client assertions for Entra.
    pub ps256: Rc<dyn Ps256>,
    /// Waiting.
    pub timer: Rc<dyn Timer>,
    /// Log lines.
    pub log: Rc<dyn Log>,
    /// `waitUntil`.
    pub background: Rc<dyn Background>,
    /// The client's connection.
    pub connection: Rc<dyn Connection>,
}

/// What a grant's object gets from the platform.
#[derive(Clone)]
pub struct AgentPorts {
    /// Time.
    pub clock: Rc<dyn Clock>,
    /// What clocks show elsewhere.
    pub zones: Rc<dyn Zones>,
    /// Randomness.
    pub random: Rc<dyn Random>,
    /// The object's own storage.
    pub sql: Rc<dyn Sql>,
    /// `OAUTH_KV`, written through.
    pub kv: Rc<dyn Kv>,
    /// `fetch`, for Entra.
    pub upstream: Rc<dyn Upstream>,
    /// Client assertions for Entra.
    pub ps256: Rc<dyn Ps256>,
    /// `env.AI`, the only way to Graph.
    pub gateway: Rc<dyn AiGateway>,
    /// The next clean-up.
    pub alarm: Rc<dyn Alarm>,
    /// The other objects, for what a grant owes to its user's.
    pub agents: Rc<dyn Agents>,
    /// Open client streams.
    pub sockets: Rc<dyn Sockets>,
    /// The text of documents.
    pub documents: Rc<dyn Documents>,
    /// Waiting.
    pub timer: Rc<dyn Timer>,
    /// Log lines.
    pub log: Rc<dyn Log>,
    /// What goes on after the reply.
    pub background: Rc<dyn Background>,
}
