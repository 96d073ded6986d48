//! Tasks: calls whose clients do not wait for them (MCP 2026-07-28, extension `io.modelcontextprotocol/tasks`, SEP-2663).
//!
//! Owns the table `tasks`, the form in which a client is told of a task, and which tasks run in this object. A task is
//! sealed under a key derived of the grant's data key and bound to its id, like what is kept of streams. One that
//! says of itself that it is at work and runs nowhere was taken away by a deploy or an eviction; it is never run again.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use futures_util::future::AbortHandle;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::GrantError;
use super::client::{Client, InputAnswer, InputMethod, InputRequest};
use super::command::{Action, CallCommand, Correlation, Presented};
use crate::config::PresetSet;
use crate::crypto::{self, Key};
use crate::json;
use crate::ports::{AgentPorts, SqlRow, SqlValue};

/// Seconds for which a task can be asked after: time to run, to answer its questions, and to fetch what it came to.
const KEPT: u64 = 1800;

/// Milliseconds that a client is asked to leave between two looks.
const POLL_MS: u64 = 5000;

/// Seconds that a person has for an answer.
const ANSWERED_WITHIN: u64 = 600;

/// Tasks of one grant that are kept. None goes before its time, so where there are so many there is no further one.
const MOST_TASKS: i64 = 32;

/// Bytes of one task, below the 2 MB that one row of the object's storage may hold.
const MOST_BYTES: usize = 2_000_000 - 4096;

/// JSON-RPC: an internal error.
const INTERNAL: i32 = -32603;

/// MCP: the client did not say that it can do what the call needs.
const MISSING_CAPABILITY: i32 = -32021;

/// The tasks that run in this object.
#[derive(Default)]
pub(super) struct Tasks(RefCell<HashMap<String, AbortHandle>>);

impl Tasks {
    /// Notes one that begins to run.
    pub(super) fn enter(&self, id: &str, abort: AbortHandle) {
        self.0.borrow_mut().insert(id.to_owned(), abort);
    }

    /// Notes that it has come to its end.
    pub(super) fn leave(&self, id: &str) -> Option<AbortHandle> {
        self.0.borrow_mut().remove(id)
    }

    /// Whether it runs.
    pub(super) fn runs(&self, id: &str) -> bool {
        self.0.borrow().contains_key(id)
    }
}

/// How a task stands.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum State {
    /// It runs.
    Working {
        /// Whether something may have been changed where it breaks off.
        writes: bool,
        /// How often it has asked.
        round: u32,
    },
    /// It waits for answers.
    Asking(Box<Asking>),
    /// JSON text of the tool's result.
    Completed(String),
    /// No result, but an error of JSON-RPC.
    Failed {
        /// Code.
        code: i32,
        /// For people.
        message: String,
        /// `data`.
        data: Value,
    },
    /// Its client took it back.
    Cancelled {
        /// Whether something may have been changed.
        writes: bool,
    },
}

/// What a task needs to go on once it is answered, but for the token: that comes with the answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Asking {
    action: Action,
    presets: PresetSet,
    /// With its dialogue.
    client: Client,
    correlation: Correlation,
    /// What is open, by a key that stands for no other question of this task.
    pub(super) open: BTreeMap<String, InputRequest>,
    /// [`State::Working`] has it.
    pub(super) round: u32,
    /// Unix seconds after which nobody answers any more.
    ends_at: u64,
}

impl Asking {
    /// The questions of a run.
    pub(super) fn new(command: &CallCommand, client: Client, requests: Vec<InputRequest>, round: u32) -> Self {
        let open = requests.into_iter().map(|request| (format!("{round}.{}", request.key), request)).collect();
        let CallCommand { action, presets, correlation, .. } = command;
        let (action, correlation) = (action.clone(), correlation.clone());
        Self {
            action,
            presets: *presets,
            client: Client { stream: None, ..client },
            correlation,
            open,
            round,
            ends_at: 0,
        }
    }

    /// Takes answers to open questions. One to anything else counts for nothing.
    pub(super) fn take(&mut self, answers: &BTreeMap<String, InputAnswer>) {
        for (key, answer) in answers {
            if let Some(question) = self.open.remove(key) {
                self.client.dialogue.take(&question.key, answer.clone());
            }
        }
    }

    /// The next run, for whoever answered.
    pub(super) fn again(self, presented: Presented) -> CallCommand {
        let Self { action, presets, client, correlation, .. } = self;
        CallCommand { presented, correlation, action, presets, may_challenge: false, client, request: None }
    }
}

impl State {
    /// A failure for which the protocol has no code of its own.
    pub(super) fn failed(reason: &str, writes: bool) -> Self {
        let advice =
            if writes { "what it does may have happened, so look before you call again" } else { "call again" };
        Self::Failed { code: INTERNAL, message: format!("{reason}: {advice}"), data: Value::Null }
    }

    fn too_large() -> Self {
        let message = "the answer is too large to be kept: ask for less".to_owned();
        Self::Failed { code: INTERNAL, message, data: Value::Null }
    }

    /// The task would have to ask what its client does not answer.
    pub(super) fn cannot_ask(method: InputMethod) -> Self {
        Self::Failed {
            code: MISSING_CAPABILITY,
            message: "the client lacks a capability that this call needs".to_owned(),
            data: json!({ "requiredCapabilities": { method.capability(): {} } }),
        }
    }

    const fn status(&self) -> &'static str {
        match self {
            Self::Working { .. } => "working",
            Self::Asking(_) => "input_required",
            Self::Completed(_) => "completed",
            Self::Failed { .. } => "failed",
            Self::Cancelled { .. } => "cancelled",
        }
    }
}

/// One task.
pub(super) struct Task {
    pub(super) id: String,
    created_ms: u64,
    updated_ms: u64,
    pub(super) state: State,
}

impl Task {
    /// As `tasks/get` tells it.
    pub(super) fn told(&self) -> Value {
        let mut members = Map::new();
        let mut tell = |name: &str, value: Value| members.insert(name.to_owned(), value);
        tell("taskId", json!(self.id));
        tell("status", json!(self.state.status()));
        tell("createdAt", json!(moment(self.created_ms)));
        tell("lastUpdatedAt", json!(moment(self.updated_ms)));
        tell("ttlMs", json!(KEPT * 1000));
        tell("pollIntervalMs", json!(POLL_MS));
        match &self.state {
            State::Working { .. } | State::Cancelled { writes: false } => {}
            State::Asking(asking) => {
                let request = |request: &InputRequest| json!({"method": request.method, "params": request.params});
                let open = asking.open.iter().map(|(key, open)| (key.clone(), request(open)));
                tell("inputRequests", Value::Object(open.collect()));
            }
            State::Completed(result) => {
                let mut result: Value = serde_json::from_str(result).unwrap_or_default();
                if let Some(members) = result.as_object_mut() {
                    members.insert("resultType".to_owned(), json!("complete"));
                }
                tell("result", result);
            }
            State::Failed { code, message, data } => {
                let mut error = json!({"code": code, "message": message});
                if let (Some(members), false) = (error.as_object_mut(), data.is_null()) {
                    members.insert("data".to_owned(), data.clone());
                }
                tell("statusMessage", json!(message));
                tell("error", error);
            }
            State::Cancelled { writes: true } => {
                tell("statusMessage", json!("What was under way at Microsoft may still happen."));
            }
        }
        Value::Object(members)
    }
}

/// ISO 8601.
fn moment(ms: u64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000);
    moment.ok().and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_default()
}

/// The stored tasks of one grant.
pub(super) struct Table<'a> {
    ports: &'a AgentPorts,
    key: &'a Key,
}

impl<'a> Table<'a> {
    /// Sealed under the grant's key.
    pub(super) const fn new(ports: &'a AgentPorts, key: &'a Key) -> Self {
        Self { ports, key }
    }

    /// Stores a new task that is at work. `None` where there is no room for one. The alarm is set before.
    pub(super) async fn begin(&self, writes: bool) -> Result<Option<Task>, GrantError> {
        let now_ms = self.ports.clock.now_ms();
        let ends_at = self.ports.clock.now().saturating_add(KEPT);
        if self.ports.alarm.next().await?.is_none_or(|next| next > ends_at) {
            self.ports.alarm.set(ends_at).await?;
        }
        forget_old(self.ports)?;
        let rows = self.ports.sql.exec("SELECT count(*) FROM tasks", &[])?;
        if !matches!(rows.first().map(SqlRow::as_slice), Some([SqlValue::Integer(count)]) if *count < MOST_TASKS) {
            return Ok(None);
        }
        let id = crypto::random_text::<16>(&*self.ports.random);
        let task = Task { id, created_ms: now_ms, updated_ms: now_ms, state: State::Working { writes, round: 0 } };
        let sealed = SqlValue::Blob(self.seal(&task)?.ok_or(GrantError::Storage)?);
        let times = [integer(now_ms)?, integer(now_ms)?, integer(ends_at)?];
        let [created, updated, ends_at] = times;
        self.ports.sql.exec(
            "INSERT INTO tasks (task, created_at, updated_at, ends_at, sealed) VALUES (?, ?, ?, ?, ?)",
            &[text(&task.id), created, updated, ends_at, sealed],
        )?;
        Ok(Some(task))
    }

    /// The task of this id, if its time is not over.
    pub(super) fn find(&self, id: &str) -> Result<Option<Task>, GrantError> {
        let query = "SELECT created_at, updated_at, sealed FROM tasks WHERE task = ? AND ends_at > ?";
        let rows = self.ports.sql.exec(query, &[text(id), integer(self.ports.clock.now())?])?;
        let Some(row) = rows.into_iter().next() else { return Ok(None) };
        let Ok([SqlValue::Integer(created), SqlValue::Integer(updated), SqlValue::Blob(sealed)]) =
            <[SqlValue; 3]>::try_from(row)
        else {
            return Err(GrantError::Storage);
        };
        let plain = self.key.open(&aad(id), &sealed).map_err(|_| GrantError::Storage)?;
        let state = json::read(&plain).map_err(|_| GrantError::Storage)?;
        let ms = |stored| u64::try_from(stored).map_err(|_| GrantError::Storage);
        Ok(Some(Task { id: id.to_owned(), created_ms: ms(created)?, updated_ms: ms(updated)?, state }))
    }

    /// Stores how a task stands now.
    pub(super) fn change(&self, task: &mut Task, state: State) -> Result<(), GrantError> {
        task.state = match state {
            State::Asking(mut asking) => {
                if asking.ends_at == 0 {
                    asking.ends_at = self.ports.clock.now().saturating_add(ANSWERED_WITHIN);
                }
                State::Asking(asking)
            }
            state => state,
        };
        task.updated_ms = self.ports.clock.now_ms();
        let sealed = if let Some(sealed) = self.seal(task)? {
            sealed
        } else {
            task.state = State::too_large();
            self.seal(task)?.ok_or(GrantError::Storage)?
        };
        self.ports.sql.exec(
            "UPDATE tasks SET updated_at = ?, sealed = ? WHERE task = ?",
            &[integer(task.updated_ms)?, SqlValue::Blob(sealed), text(&task.id)],
        )?;
        Ok(())
    }

    /// Whether a question has been open for too long.
    pub(super) fn is_late(&self, asking: &Asking) -> bool {
        asking.ends_at <= self.ports.clock.now()
    }

    /// `None` for what fits no row.
    fn seal(&self, task: &Task) -> Result<Option<Vec<u8>>, GrantError> {
        let plain = serde_json::to_vec(&task.state).map_err(|_| GrantError::Storage)?;
        let sealed = self.key.seal(&*self.ports.random, &aad(&task.id), &plain).map_err(|_| GrantError::Storage)?;
        Ok(Some(sealed).filter(|sealed| sealed.len() <= MOST_BYTES))
    }
}

/// Forgets the tasks whose time is over; the Unix second at which there will be more.
pub(super) fn forget_old(ports: &AgentPorts) -> Result<Option<u64>, GrantError> {
    ports.sql.exec("DELETE FROM tasks WHERE ends_at <= ?", &[integer(ports.clock.now())?])?;
    let rows = ports.sql.exec("SELECT min(ends_at) FROM tasks", &[])?;
    match rows.first().map(SqlRow::as_slice) {
        Some([SqlValue::Integer(at)]) => u64::try_from(*at).map(Some).map_err(|_| GrantError::Storage),
        Some(_) | None => Ok(None),
    }
}

fn aad(id: &str) -> Vec<u8> {
    format!("task\n{id}").into_bytes()
}

fn text(value: &str) -> SqlValue {
    SqlValue::Text(value.to_owned())
}

fn integer(value: u64) -> Result<SqlValue, GrantError> {
    i64::try_from(value).map(SqlValue::Integer).map_err(|_| GrantError::Storage)
}
