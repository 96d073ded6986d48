//! What a running call says to its client: progress and log messages, on the stream that the call has for it.
//!
//! Owns the rules of saying: progress only where it was asked for and only forwards, log messages from the client's
//! level on, both so often and no oftener. Without a stream everything said here goes nowhere. How a message reaches the
//! stream is [`Streams`]'.

use std::cell::{Cell, RefCell};

use serde_json::{Value, json};

use super::GrantError;
use super::calls::Deferral;
use super::client::{Client, Dialogue, LogLevel};
use super::streams::{Change, StreamName, Streams};
use crate::crypto::Key;
use crate::ports::AgentPorts;

/// Notifications of one kind, at most this many in one window. What is over is dropped, not kept: progress is
/// overtaken by the next, and no log message is worth a client that cannot follow.
const MOST: u32 = 20;

/// Milliseconds.
const WINDOW_MS: u64 = 1000;

/// By how much a sign of life is further than what was said before it: enough to be more, too little to be noticed.
const LEAST_STEP: f64 = 1e-6;

/// The client of a running call, as the call sees it.
pub struct Conversation<'a> {
    client: &'a Client,
    ports: &'a AgentPorts,
    key: Option<Key>,
    reached: Cell<Option<f64>>,
    progress: Pace,
    messages: Pace,
    memory: RefCell<Option<String>>,
    changed: RefCell<Vec<Change>>,
    deferral: Option<&'a Deferral>,
}

impl<'a> Conversation<'a> {
    /// At the start of a run. `key` is that of the stream's log, where it has one.
    pub fn new(client: &'a Client, ports: &'a AgentPorts, key: Option<Key>) -> Self {
        Self {
            client,
            ports,
            key,
            reached: Cell::default(),
            progress: Pace::default(),
            messages: Pace::default(),
            memory: RefCell::new(client.dialogue.memory.clone()),
            changed: RefCell::default(),
            deferral: None,
        }
    }

    /// Of a call that may become a task.
    pub(super) fn deferring(self, deferral: &'a Deferral) -> Self {
        Self { deferral: Some(deferral), ..self }
    }

    /// Says that the call will take long: where its client knows tasks, it becomes one here.
    pub async fn defer(&self) {
        if let Some(deferral) = self.deferral {
            deferral.want().await;
        }
    }

    /// Notes what the call changed.
    pub fn change(&self, change: Change) {
        self.changed.borrow_mut().push(change);
    }

    /// What the call changed.
    pub fn changed(&self) -> Vec<Change> {
        self.changed.take()
    }

    /// Who is spoken with.
    pub fn client(&self) -> &Client {
        self.client
    }

    /// What the tool kept in an earlier run.
    pub fn memory(&self) -> Option<String> {
        self.memory.borrow().clone()
    }

    /// Keeps `text` for the next run.
    pub fn keep(&self, text: String) {
        *self.memory.borrow_mut() = Some(text);
    }

    /// The dialogue as it stands at the end of the run.
    pub fn dialogue(&self) -> Dialogue {
        Dialogue { memory: self.memory(), ..self.client.dialogue.clone() }
    }

    /// How far the call has come. Said only where the client asked, and only when it is further than before.
    pub fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        let Some(token) = &self.client.progress_token else { return };
        if !progress.is_finite() || self.reached.get().is_some_and(|reached| progress <= reached) {
            return;
        }
        if !self.progress.allows(self.ports.clock.now_ms()) {
            return;
        }
        self.reached.set(Some(progress));
        // The token is JSON of the client's that goes back as it came.
        let token = serde_json::from_str(token).unwrap_or(Value::Null);
        let mut params = json!({ "progressToken": token, "progress": progress });
        if let Some(members) = params.as_object_mut() {
            members.extend(total.map(|total| ("total".to_owned(), json!(total))));
            members.extend(message.map(|message| ("message".to_owned(), json!(message))));
        }
        self.notify("notifications/progress", &params);
    }

    /// A log message for the client.
    pub fn log(&self, level: LogLevel, logger: &str, data: &Value) {
        let wanted = self.client.log_level.is_some_and(|least| level >= least);
        if wanted && self.messages.allows(self.ports.clock.now_ms()) {
            self.notify("notifications/message", &json!({ "level": level, "logger": logger, "data": data }));
        }
    }

    /// Any other notification.
    pub fn notify(&self, method: &str, params: &Value) {
        let Some(stream) = &self.client.stream else { return };
        let message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        // What is said on the way is worth no failure of the call.
        let _ = Streams::new(self.ports).publish(stream, self.key.as_ref(), &message.to_string());
    }

    /// Lets the client's connection go, where it comes back for what is said on the stream from here on. Without a log
    /// there would be nothing to come back for.
    pub fn release(&self) {
        let Some(stream) = self.client.stream.as_ref().filter(|_| self.client.returns && self.key.is_some()) else {
            return;
        };
        self.ports.sockets.release(stream.as_str());
    }

    /// A sign of life, for clients that wait only so long for the next progress.
    pub(super) fn beat(&self) {
        let reached = self.reached.get().unwrap_or_default();
        self.progress(reached + reached.abs().max(1.0) * LEAST_STEP, None, None);
    }

    /// A request to the client goes out on the stream.
    pub(super) fn say(&self, stream: &StreamName, message: &str) -> Result<(), GrantError> {
        Streams::new(self.ports).publish(stream, self.key.as_ref(), message)?;
        Ok(())
    }

    /// The answer of a call of a session goes out on the stream.
    pub(super) fn answer(&self, stream: &StreamName, id: &str, result: &str) -> Result<(), GrantError> {
        let message = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}");
        let streams = Streams::new(self.ports);
        let key = self.key.as_ref();
        if stream.is_of_session() {
            streams.publish(stream, key, &message)?;
        } else {
            streams.finish(stream, key, &message)?;
        }
        Ok(())
    }
}

/// How often something is said.
#[derive(Default)]
struct Pace {
    since: Cell<u64>,
    said: Cell<u32>,
}

impl Pace {
    fn allows(&self, now_ms: u64) -> bool {
        if now_ms.saturating_sub(self.since.get()) >= WINDOW_MS {
            self.since.set(now_ms);
            self.said.set(0);
        }
        self.said.set(self.said.get().saturating_add(1));
        self.said.get() <= MOST
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;
    use crate::agent::storage;
    use crate::support::{SeededRandom, TestPlatform};

    #[test]
    fn a_client_is_let_go_only_where_it_comes_back_to_a_stream_with_a_log() {
        let platform = TestPlatform::new(&[]);
        let ports = platform.agent_ports();
        storage::create(&*ports.sql).unwrap();
        let stream = StreamName::of_call("session", &SeededRandom::new(1));
        let released = |client: Client, key: Option<Key>| {
            Conversation::new(&client, &ports, key).release();
            platform.sockets.0.take()
        };
        let key = || Some(Key::new([7; 32]));
        let comes_back = Client { stream: Some(stream.clone()), returns: true, ..Client::default() };
        assert_eq!(released(comes_back.clone(), key()), [(stream.as_str().to_owned(), "released".to_owned())]);
        assert_eq!(released(comes_back.clone(), None), [], "nothing is kept for it");
        assert_eq!(released(Client { returns: false, ..comes_back.clone() }, key()), [], "it cannot say where it was");
        assert_eq!(released(Client { stream: None, ..comes_back }, key()), [], "there is no stream");
    }
}
