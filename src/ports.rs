//! The traits through which the core reaches the platform: time, randomness, storage, network, counting, log.
//!
//! The Worker implements them over Cloudflare's bindings (`edge`), native tests over fakes (`tests/support`).
//! No business rule lives behind a port.

use std::rc::Rc;

use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::agent::{AgentName, Command, Reply, StreamName, Subscription};
use crate::crypto::PrivateKey;
use crate::extract::{Text, Unreadable};
use crate::log::Event;

/// The time of day.
pub trait Clock {
    /// Milliseconds since the Unix epoch. In a Worker it stands still between two I/O operations.
    fn now_ms(&self) -> u64;

    /// Seconds since the Unix epoch.
    fn now(&self) -> u64 {
        self.now_ms() / 1000
    }
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

/// The `OAUTH_KV` namespace: eventually consistent, so never the judge of single use.
#[async_trait(?Send)]
pub trait Kv {
    /// The value, or `None` when there is none.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError>;
    /// Stores `value`; `ttl` in seconds, at least 60.
    async fn put(&self, key: &str, value: &[u8], ttl: Option<u64>) -> Result<(), KvError>;
    /// Removes the key.
    async fn delete(&self, key: &str) -> Result<(), KvError>;
    /// The keys that begin with `prefix`, at most [`KV_PAGE`] of them, from where `cursor` of the page before points.
    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<KvPage, KvError>;
}

/// Keys on a page of a listing.
pub const KV_PAGE: usize = 100;

/// A page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KvPage {
    /// Whole keys, in order.
    pub keys: Vec<String>,
    /// Leads to the next page, where there is one.
    pub cursor: Option<String>,
}

/// Why KV did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KvError {
    /// It did not answer, or what it holds is not ours.
    #[error("the key-value store did not answer")]
    Unavailable,
    /// It answered 429: the day's allowance, or one write a second to one key.
    #[error("the key-value store is throttled")]
    Throttled,
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

/// A request that leaves the Worker.
#[derive(Clone, Debug, Default)]
pub struct OutboundRequest {
    /// Upper-case method.
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// `None` sends no body.
    pub body: Option<Vec<u8>>,
    /// The most that the answer's body may hold, in bytes: nothing is read beyond it. `None` leaves the port's own
    /// limit.
    pub max_answer: Option<usize>,
}

/// The answer to an [`OutboundRequest`] or a gateway call.
#[derive(Clone, Debug, Default)]
pub struct OutboundResponse {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl OutboundResponse {
    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Retry-After in seconds from `now`, given as seconds or as an HTTP date (RFC 9110 section 10.2.3).
    pub fn retry_after(&self, now: u64) -> Option<u64> {
        let value = self.header("retry-after")?.trim();
        value.parse().ok().or_else(|| {
            let date = OffsetDateTime::parse(value, &Rfc2822).ok()?.unix_timestamp();
            Some(u64::try_from(date).ok()?.saturating_sub(now))
        })
    }
}

/// Why a call out of the Worker gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// No answer within the time limit: the far end may have acted.
    #[error("no answer within the time limit")]
    Timeout,
    /// The connection failed or broke: the far end may have acted.
    #[error("the connection failed")]
    Unreachable,
    /// The answer was larger than the caller takes.
    #[error("the answer was too large")]
    TooLarge,
}

/// Plain HTTPS: Entra, JWK sets, Access certificates, clients' documents, and Graph from the gateway's handler. Never
/// follows a redirect, never sends `Origin`.
#[async_trait(?Send)]
pub trait Upstream {
    /// Whether a stranger may choose the host: every request goes out by the public way in of its host, never behind
    /// it to an origin of the Worker's own zone.
    fn is_strictly_public(&self) -> bool;

    /// Sends within `limit_ms`.
    async fn send(&self, request: OutboundRequest, limit_ms: u64) -> Result<OutboundResponse, UpstreamError>;
}

/// One `env.AI.run` call.
#[derive(Clone, Debug)]
pub struct AiCall {
    /// `dynamic/<route>`.
    pub model: String,
    /// JSON text of the inputs.
    pub inputs: String,
    /// JSON text of the options: `gateway`, `returnRawResponse`, `extraHeaders`.
    pub options: String,
    /// Our own time limit; the call is aborted after it.
    pub limit_ms: u64,
}

/// Cloudflare's AI binding.
#[async_trait(?Send)]
pub trait AiGateway {
    /// Runs the route and returns its raw response.
    async fn run(&self, call: AiCall) -> Result<OutboundResponse, UpstreamError>;
}

/// An RSA public key as a JWK writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RsaKey {
    /// Modulus, base64url.
    pub n: String,
    /// Exponent, base64url.
    pub e: String,
}

/// RSASSA-PKCS1-v1_5 with SHA-256; `WebCrypto` in the Worker, the `rsa` crate natively.
#[async_trait(?Send)]
pub trait Rs256 {
    /// Whether `signature` over `message` was made by the holder of `key`; false for an unusable key too.
    async fn verify(&self, key: &RsaKey, message: &[u8], signature: &[u8]) -> bool;
}

/// A P-256 public key as a JWK writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct P256Key {
    /// Coordinate, base64url of 32 bytes.
    pub x: String,
    /// Coordinate, base64url of 32 bytes.
    pub y: String,
}

/// ECDSA with P-256 and SHA-256; `WebCrypto` in the Worker, the `p256` crate natively.
#[async_trait(?Send)]
pub trait Es256 {
    /// Whether `signature` (r and s, 32 bytes each) over `message` was made by the holder of `key`; false for an
    /// unusable key too.
    async fn verify(&self, key: &P256Key, message: &[u8], signature: &[u8]) -> bool;
}

/// RSASSA-PSS with SHA-256 and a salt of 32 bytes; `WebCrypto` in the Worker, the `rsa` crate natively.
#[async_trait(?Send)]
pub trait Ps256 {
    /// The signature over `message`; `None` for an unusable key.
    async fn sign(&self, key: &PrivateKey, message: &[u8]) -> Option<Vec<u8>>;
}

/// A value in SQL.
#[derive(Clone, Debug, PartialEq)]
pub enum SqlValue {
    /// NULL
    Null,
    /// INTEGER; times are Unix seconds.
    Integer(i64),
    /// TEXT
    Text(String),
    /// BLOB
    Blob(Vec<u8>),
}

/// One row, columns in the order of the SELECT.
pub type SqlRow = Vec<SqlValue>;

/// The object's `SQLite` storage. Synchronous: nothing can interleave between two statements of one block.
pub trait Sql {
    /// Runs one statement.
    fn exec(&self, statement: &str, params: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError>;
    /// Deletes everything the object holds: tables, alarm.
    fn erase(&self) -> LocalBoxFuture<'_, Result<(), SqlError>>;
}

/// The object's storage refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the object's storage failed")]
pub struct SqlError;

/// The object's alarm clock: there is one alarm, and setting it again moves it.
#[async_trait(?Send)]
pub trait Alarm {
    /// Wakes the object at this Unix second, or as soon after it as the platform can.
    async fn set(&self, at: u64) -> Result<(), SqlError>;
    /// When it rings next, in Unix seconds.
    async fn next(&self) -> Result<Option<u64>, SqlError>;
}

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
