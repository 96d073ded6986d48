//! One fake per port; those of storage are in `stores`, those of signatures in `signatures`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use time::OffsetDateTime;

use crate::agent::{StreamName, Subscription};
use crate::extract::{self, Text, Unreadable};
use crate::log::Event;
use crate::ports::{
    AiCall, AiGateway, Background, Clock, Connection, Documents, Limit, Log, OutboundRequest, OutboundResponse, Random,
    RateLimiter, RateLimiterError, Sockets, Timer, Upstream, UpstreamError, Zones,
};

/// A clock that moves only when told to.
pub(crate) struct FrozenClock(Cell<u64>);

impl FrozenClock {
    pub(crate) fn new(seconds: u64) -> Self {
        Self(Cell::new(seconds * 1000))
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.0.set(self.0.get() + seconds * 1000);
    }

    /// As after a correction of the host's clock.
    pub(crate) fn rewind(&self, seconds: u64) {
        self.0.set(self.0.get() - seconds * 1000);
    }
}

impl Clock for FrozenClock {
    fn now_ms(&self) -> u64 {
        self.0.get()
    }
}

/// Randomness that repeats from run to run.
pub(crate) struct SeededRandom(RefCell<ChaCha8Rng>);

impl SeededRandom {
    pub(crate) fn new(seed: u64) -> Self {
        Self(RefCell::new(ChaCha8Rng::seed_from_u64(seed)))
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.borrow_mut().fill_bytes(bytes);
    }
}

/// How often a fake lets others go first: never, or by dice whose falls repeat from run to run.
#[derive(Default)]
pub(crate) struct Pace(RefCell<Option<ChaCha8Rng>>);

impl Pace {
    pub(crate) fn roll(&self, seed: u64) {
        *self.0.borrow_mut() = Some(ChaCha8Rng::seed_from_u64(seed));
    }

    pub(crate) async fn rest(&self) {
        let turns = self.0.borrow_mut().as_mut().map_or(0, |dice| dice.next_u32() % 4);
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    }
}

/// A timer that yields, the longer the more often, and notes each wait.
#[derive(Default)]
pub(crate) struct FakeTimer {
    pub(crate) waits: RefCell<Vec<u64>>,
}

#[async_trait(?Send)]
impl Timer for FakeTimer {
    async fn sleep(&self, ms: u64) {
        self.waits.borrow_mut().push(ms);
        for _ in 0..=ms / 10 {
            tokio::task::yield_now().await;
        }
    }
}

/// Log lines as they would be printed.
#[derive(Default)]
pub(crate) struct MemoryLog(pub(crate) RefCell<Vec<String>>);

impl MemoryLog {
    pub(crate) fn text(&self) -> String {
        self.0.borrow().join("\n")
    }
}

impl Log for MemoryLog {
    fn write(&self, event: &Event<'_>) {
        self.0.borrow_mut().push(serde_json::to_string(event).unwrap_or_default());
    }
}

/// A limiter that counts. Without a budget everything is within the limit; `fail` makes it answer nothing.
#[derive(Default)]
pub(crate) struct CountingLimiter {
    /// How often one key may ask, for every limit.
    pub(crate) budget: Cell<Option<usize>>,
    pub(crate) fail: Cell<bool>,
    /// What was asked, allowed or not.
    pub(crate) seen: RefCell<Vec<(Limit, String)>>,
}

#[async_trait(?Send)]
impl RateLimiter for CountingLimiter {
    async fn allow(&self, limit: Limit, key: &str) -> Result<bool, RateLimiterError> {
        tokio::task::yield_now().await;
        let mut seen = self.seen.borrow_mut();
        let asked = (limit, key.to_owned());
        let before = seen.iter().filter(|one| **one == asked).count();
        seen.push(asked);
        if self.fail.get() { Err(RateLimiterError) } else { Ok(self.budget.get().is_none_or(|budget| before < budget)) }
    }
}

type Responder = Box<dyn Fn(&OutboundRequest) -> Option<Result<OutboundResponse, UpstreamError>>>;

/// An upstream that answers from a script: queued answers first, then the responder, else unreachable.
#[derive(Default)]
pub(crate) struct ScriptedUpstream {
    pub(crate) queue: RefCell<VecDeque<Result<OutboundResponse, UpstreamError>>>,
    pub(crate) responder: RefCell<Option<Responder>>,
    pub(crate) seen: RefCell<Vec<OutboundRequest>>,
    /// Makes the deployment one without the flag that strangers' hosts need.
    pub(crate) reaches_origins: Cell<bool>,
}

impl ScriptedUpstream {
    pub(crate) fn push_json(&self, status: u16, body: &serde_json::Value) {
        self.queue.borrow_mut().push_back(Ok(json_response(status, body)));
    }
}

/// A JSON answer of an upstream.
pub(crate) fn json_response(status: u16, body: &serde_json::Value) -> OutboundResponse {
    OutboundResponse {
        status,
        headers: vec![("content-type".into(), "application/json".into())],
        body: body.to_string().into_bytes(),
    }
}

#[async_trait(?Send)]
impl Upstream for ScriptedUpstream {
    fn is_strictly_public(&self) -> bool {
        !self.reaches_origins.get()
    }

    async fn send(&self, request: OutboundRequest, _limit_ms: u64) -> Result<OutboundResponse, UpstreamError> {
        tokio::task::yield_now().await;
        self.seen.borrow_mut().push(request.clone());
        let queued = self.queue.borrow_mut().pop_front();
        let answer = queued.or_else(|| self.responder.borrow().as_ref().and_then(|respond| respond(&request)));
        let answer = answer.unwrap_or(Err(UpstreamError::Unreachable))?;
        let fits = request.max_answer.is_none_or(|most| answer.body.len() <= most);
        if fits { Ok(answer) } else { Err(UpstreamError::TooLarge) }
    }
}

/// A gateway that answers from a queue and keeps what it was asked.
#[derive(Default)]
pub(crate) struct ScriptedGateway {
    pub(crate) queue: RefCell<VecDeque<Result<OutboundResponse, UpstreamError>>>,
    pub(crate) seen: RefCell<Vec<AiCall>>,
}

#[async_trait(?Send)]
impl AiGateway for ScriptedGateway {
    async fn run(&self, call: AiCall) -> Result<OutboundResponse, UpstreamError> {
        tokio::task::yield_now().await;
        self.seen.borrow_mut().push(call);
        self.queue.borrow_mut().pop_front().unwrap_or(Err(UpstreamError::Unreachable))
    }
}

/// Notes what would have gone to streams.
#[derive(Default)]
pub(crate) struct MemorySockets(
    pub(crate) RefCell<Vec<(String, String)>>,
    /// Who wants to be told of changes.
    pub(crate) RefCell<Vec<(StreamName, Subscription)>>,
    /// Whether every client has gone.
    pub(crate) Cell<bool>,
);

impl Sockets for MemorySockets {
    fn send(&self, stream: &str, text: &str) -> bool {
        self.0.borrow_mut().push((stream.to_owned(), text.to_owned()));
        true
    }

    fn is_open(&self, _stream: &str) -> bool {
        !self.2.get()
    }

    fn close(&self, stream_or_session: &str) {
        self.0.borrow_mut().push((stream_or_session.to_owned(), "closed".to_owned()));
    }

    fn release(&self, stream: &str) {
        self.0.borrow_mut().push((stream.to_owned(), "released".to_owned()));
    }

    fn listeners(&self) -> Vec<(StreamName, Subscription)> {
        self.1.borrow().clone()
    }

    fn close_all(&self) {
        self.0.borrow_mut().push(("*".to_owned(), "closed".to_owned()));
    }
}

/// Work that the test runs to its end itself.
#[derive(Default)]
pub(crate) struct QueuedBackground(RefCell<Vec<LocalBoxFuture<'static, ()>>>);

impl QueuedBackground {
    pub(crate) async fn finish(&self) {
        loop {
            let Some(work) = self.0.borrow_mut().pop() else { break };
            work.await;
        }
    }
}

impl Background for QueuedBackground {
    fn run(&self, work: LocalBoxFuture<'static, ()>) {
        self.0.borrow_mut().push(work);
    }
}

/// A connection that holds until the test says otherwise.
#[derive(Default)]
pub(crate) struct FakeConnection(pub(crate) Cell<bool>);

#[async_trait(?Send)]
impl Connection for FakeConnection {
    async fn closed(&self) {
        while !self.0.get() {
            tokio::task::yield_now().await;
        }
    }
}

/// The reader of documents; natively it is a library, and a panic of it fails the test.
pub(crate) struct NativeReader;

/// Berlin, whose summer is from April to October, and UTC; there are no other zones.
pub(crate) struct FewZones;

impl Zones for FewZones {
    fn offset(&self, zone: &str, at: i64) -> Option<i32> {
        let month = OffsetDateTime::from_unix_timestamp(at).ok()?.month();
        match zone {
            "UTC" | "Etc/UTC" => Some(0),
            "Europe/Berlin" => Some(if (4..=10).contains(&u8::from(month)) { 7200 } else { 3600 }),
            _ => None,
        }
    }
}

impl Documents for NativeReader {
    fn text(&self, bytes: &[u8]) -> Result<Text, Unreadable> {
        let (status, text) = m365_reader::answer(bytes, extract::LONGEST);
        extract::outcome(status, text.into_bytes())
    }
}
