//! One fake per port.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};

use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::signer::seeded;
use crate::log::Event;
use crate::ports::{
    AiCall, AiGateway, Alarm, Background, Clock, Kv, KvError, Log, OutboundRequest, OutboundResponse, Ps256, Random,
    Rs256, RsaKey, Sockets, Sql, SqlError, SqlRow, SqlValue, Timer, Upstream, UpstreamError,
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

/// A timer that yields once, moves the shared clock and notes each wait.
#[derive(Default)]
pub(crate) struct FakeTimer {
    pub(crate) waits: RefCell<Vec<u64>>,
}

#[async_trait(?Send)]
impl Timer for FakeTimer {
    async fn sleep(&self, ms: u64) {
        self.waits.borrow_mut().push(ms);
        tokio::task::yield_now().await;
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

/// KV in memory; `fail` makes every operation fail.
#[derive(Default)]
pub(crate) struct MemoryKv {
    pub(crate) entries: RefCell<HashMap<String, Vec<u8>>>,
    pub(crate) fail: Cell<bool>,
    pub(crate) reads: Cell<usize>,
}

impl MemoryKv {
    fn check(&self) -> Result<(), KvError> {
        if self.fail.get() { Err(KvError) } else { Ok(()) }
    }
}

#[async_trait(?Send)]
impl Kv for MemoryKv {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, KvError> {
        self.check()?;
        self.reads.set(self.reads.get() + 1);
        Ok(self.entries.borrow().get(key).cloned())
    }

    async fn put(&self, key: &str, value: &[u8], _ttl: Option<u64>) -> Result<(), KvError> {
        self.check()?;
        self.entries.borrow_mut().insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), KvError> {
        self.check()?;
        self.entries.borrow_mut().remove(key);
        Ok(())
    }
}

type Responder = Box<dyn Fn(&OutboundRequest) -> Option<Result<OutboundResponse, UpstreamError>>>;

/// An upstream that answers from a script: queued answers first, then the responder, else unreachable.
#[derive(Default)]
pub(crate) struct ScriptedUpstream {
    pub(crate) queue: RefCell<VecDeque<Result<OutboundResponse, UpstreamError>>>,
    pub(crate) responder: RefCell<Option<Responder>>,
    pub(crate) seen: RefCell<Vec<OutboundRequest>>,
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
    async fn send(&self, request: OutboundRequest, _limit_ms: u64) -> Result<OutboundResponse, UpstreamError> {
        tokio::task::yield_now().await;
        self.seen.borrow_mut().push(request.clone());
        if let Some(answer) = self.queue.borrow_mut().pop_front() {
            return answer;
        }
        let responder = self.responder.borrow();
        responder.as_ref().and_then(|respond| respond(&request)).unwrap_or(Err(UpstreamError::Unreachable))
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
}

impl MemorySql {
    pub(crate) fn new() -> Self {
        let connection = rusqlite::Connection::open_in_memory().expect("SQLite opens in memory");
        Self { connection: RefCell::new(connection), fail: Cell::new(false) }
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
        if self.fail.get() {
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
}

/// Notes what would have gone to streams.
#[derive(Default)]
pub(crate) struct MemorySockets(pub(crate) RefCell<Vec<(String, String)>>);

impl Sockets for MemorySockets {
    fn send(&self, stream: &str, text: &str) -> usize {
        self.0.borrow_mut().push((stream.to_owned(), text.to_owned()));
        1
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
