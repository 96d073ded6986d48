//! One fake per port.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};

use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::signer::seeded;
use crate::agent::{StreamName, Subscription};
use crate::extract::{self, Text, Unreadable};
use crate::log::Event;
use crate::ports::{
    AiCall, AiGateway, Alarm, Background, Clock, Connection, Documents, Es256, KV_PAGE, Kv, KvError, KvPage, Limit,
    Log, OutboundRequest, OutboundResponse, P256Key, Ps256, Random, RateLimiter, RateLimiterError, Rs256, RsaKey,
    Sockets, Sql, SqlError, SqlRow, SqlValue, Timer, Upstream, UpstreamError,
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

/// KV in memory; `fail` makes every operation fail, `throttled` makes it answer 429.
#[derive(Default)]
pub(crate) struct MemoryKv {
    pub(crate) entries: RefCell<HashMap<String, Vec<u8>>>,
    pub(crate) fail: Cell<bool>,
    pub(crate) throttled: Cell<bool>,
    pub(crate) reads: Cell<usize>,
    /// Reads see this instead: KV is eventually consistent.
    pub(crate) stale: RefCell<Option<HashMap<String, Vec<u8>>>>,
    /// Writes are refused, as by a 429.
    pub(crate) refuse_writes: Cell<bool>,
    /// How long an operation takes.
    pub(crate) pace: Pace,
}

impl MemoryKv {
    fn check(&self) -> Result<(), KvError> {
        match (self.fail.get(), self.throttled.get()) {
            (true, _) => Err(KvError::Unavailable),
            (false, true) => Err(KvError::Throttled),
            (false, false) => Ok(()),
        }
    }

    fn check_write(&self) -> Result<(), KvError> {
        if self.refuse_writes.get() { Err(KvError::Throttled) } else { self.check() }
    }

    /// From now on reads see what is stored now.
    pub(crate) fn freeze(&self) {
        *self.stale.borrow_mut() = Some(self.entries.borrow().clone());
    }
}

#[async_trait(?Send)]
impl Kv for MemoryKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        self.pace.rest().await;
        self.check()?;
        self.reads.set(self.reads.get() + 1);
        let stale = self.stale.borrow();
        Ok(stale.as_ref().unwrap_or(&self.entries.borrow()).get(key).cloned())
    }

    async fn put(&self, key: &str, value: &[u8], _ttl: Option<u64>) -> Result<(), KvError> {
        self.pace.rest().await;
        self.check_write()?;
        self.entries.borrow_mut().insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), KvError> {
        self.pace.rest().await;
        self.check_write()?;
        self.entries.borrow_mut().remove(key);
        Ok(())
    }

    /// The cursor is the last key of the page before.
    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<KvPage, KvError> {
        self.pace.rest().await;
        self.check()?;
        let entries = self.entries.borrow();
        let mut keys: Vec<_> = entries.keys().filter(|key| key.starts_with(prefix)).cloned().collect();
        keys.sort();
        keys.retain(|key| cursor.is_none_or(|cursor| key.as_str() > cursor));
        let cursor = keys.get(KV_PAGE - 1).filter(|_| keys.len() > KV_PAGE).cloned();
        keys.truncate(KV_PAGE);
        Ok(KvPage { keys, cursor })
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

/// The object's storage on a real `SQLite` in memory; `fail` makes every statement fail.
pub(crate) struct MemorySql {
    connection: RefCell<rusqlite::Connection>,
    pub(crate) fail: Cell<bool>,
    /// Which statement to come fails, once; 0 is the next.
    pub(crate) fail_at: Cell<Option<usize>>,
}

impl MemorySql {
    pub(crate) fn new() -> Self {
        let connection = rusqlite::Connection::open_in_memory().expect("SQLite opens in memory");
        Self { connection: RefCell::new(connection), fail: Cell::new(false), fail_at: Cell::new(None) }
    }

    /// Every cell of every table as text, for tests that look for what must not be stored.
    pub(crate) fn dump(&self) -> String {
        let tables = self.exec("SELECT name FROM sqlite_master WHERE type = 'table'", &[]).unwrap_or_default();
        let rows = tables.iter().filter_map(|row| match row.first() {
            Some(SqlValue::Text(name)) => self.exec(&format!("SELECT * FROM \"{name}\""), &[]).ok(),
            _ => None,
        });
        rows.flatten().fold(String::new(), |text, row| text + &format!("{row:?}\n"))
    }
}

impl Sql for MemorySql {
    fn exec(&self, statement: &str, params: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError> {
        let fails = self.fail_at.get() == Some(0);
        self.fail_at.set(self.fail_at.get().and_then(|left| left.checked_sub(1)));
        if fails || self.fail.get() {
            return Err(SqlError);
        }
        let connection = self.connection.borrow();
        let mut prepared = connection.prepare(statement).map_err(|error| report(statement, &error))?;
        let columns = prepared.column_count();
        let bound = rusqlite::params_from_iter(params.iter().map(to_sqlite));
        let rows = prepared.query_map(bound, |row| (0..columns).map(|index| row.get(index).map(from_sqlite)).collect());
        rows.and_then(Iterator::collect).map_err(|error| report(statement, &error))
    }

    fn erase(&self) -> LocalBoxFuture<'_, Result<(), SqlError>> {
        Box::pin(async {
            if self.fail.get() {
                return Err(SqlError);
            }
            *self.connection.borrow_mut() = rusqlite::Connection::open_in_memory().map_err(|_| SqlError)?;
            Ok(())
        })
    }
}

/// A wrong statement is a fault of ours: a test should show it, not just "failed".
fn report(statement: &str, error: &rusqlite::Error) -> SqlError {
    eprintln!("SQLite refused {statement:?}: {error}");
    SqlError
}

fn to_sqlite(value: &SqlValue) -> rusqlite::types::Value {
    use rusqlite::types::Value;
    match value {
        SqlValue::Null => Value::Null,
        SqlValue::Integer(number) => Value::Integer(*number),
        SqlValue::Text(text) => Value::Text(text.clone()),
        SqlValue::Blob(bytes) => Value::Blob(bytes.clone()),
    }
}

fn from_sqlite(value: rusqlite::types::Value) -> SqlValue {
    use rusqlite::types::Value;
    match value {
        Value::Null => SqlValue::Null,
        Value::Integer(number) => SqlValue::Integer(number),
        Value::Real(number) => SqlValue::Text(number.to_string()),
        Value::Text(text) => SqlValue::Text(text),
        Value::Blob(bytes) => SqlValue::Blob(bytes),
    }
}

/// Notes when the object wants to be woken.
#[derive(Default)]
pub(crate) struct FakeAlarm(pub(crate) Cell<Option<u64>>);

#[async_trait(?Send)]
impl Alarm for FakeAlarm {
    async fn set(&self, at: u64) -> Result<(), SqlError> {
        self.0.set(Some(at));
        Ok(())
    }

    async fn next(&self) -> Result<Option<u64>, SqlError> {
        Ok(self.0.get())
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

/// RS256 by the `rsa` crate.
pub(crate) struct NativeRs256;

#[async_trait(?Send)]
impl Rs256 for NativeRs256 {
    async fn verify(&self, key: &RsaKey, message: &[u8], signature: &[u8]) -> bool {
        use rsa::pkcs1v15::{Signature, VerifyingKey};
        use rsa::signature::Verifier;
        let number = |text: &str| crate::crypto::decode(text).map(|bytes| rsa::BigUint::from_bytes_be(&bytes));
        let (Some(n), Some(e)) = (number(&key.n), number(&key.e)) else { return false };
        let Ok(public) = rsa::RsaPublicKey::new(n, e) else { return false };
        let Ok(signature) = Signature::try_from(signature) else { return false };
        VerifyingKey::<rsa::sha2::Sha256>::new(public).verify(message, &signature).is_ok()
    }
}

/// ES256 by the `p256` crate.
pub(crate) struct NativeEs256;

#[async_trait(?Send)]
impl Es256 for NativeEs256 {
    async fn verify(&self, key: &P256Key, message: &[u8], signature: &[u8]) -> bool {
        use p256::ecdsa::signature::Verifier;
        use p256::ecdsa::{Signature, VerifyingKey};
        let (Some(x), Some(y)) = (crate::crypto::decode(&key.x), crate::crypto::decode(&key.y)) else { return false };
        let point = [&[4], x.as_slice(), &y].concat();
        let Ok(public) = VerifyingKey::from_sec1_bytes(&point) else { return false };
        Signature::from_slice(signature).is_ok_and(|signature| public.verify(message, &signature).is_ok())
    }
}

/// PS256 by the `rsa` crate.
pub(crate) struct NativePs256;

#[async_trait(?Send)]
impl Ps256 for NativePs256 {
    async fn sign(&self, key: &crate::crypto::PrivateKey, message: &[u8]) -> Option<Vec<u8>> {
        use rsa::pkcs8::DecodePrivateKey;
        use rsa::signature::{RandomizedSigner, SignatureEncoding};
        let key = rsa::RsaPrivateKey::from_pkcs8_der(key.expose()).ok()?;
        let key = rsa::pss::SigningKey::<rsa::sha2::Sha256>::new(key);
        key.try_sign_with_rng(&mut seeded(1), message).ok().map(|signature| signature.to_vec())
    }
}

/// The reader of documents; natively it is a library, and a panic of it fails the test.
pub(crate) struct NativeReader;

impl Documents for NativeReader {
    fn text(&self, bytes: &[u8]) -> Result<Text, Unreadable> {
        let (status, text) = m365_reader::answer(bytes, extract::LONGEST);
        extract::outcome(status, text.into_bytes())
    }
}
