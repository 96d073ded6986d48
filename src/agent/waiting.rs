//! Calls of legacy sessions that wait for their clients' answers: real requests go out on the call's stream, and what
//! the call needs to go on is kept here until the answers have come, to whichever isolate. The stateless revision has no
//! need of it, its clients carry the same thing themselves.
//!
//! Owns the tables `waiting_calls` and `session_clients`. A call is sealed under a key derived of the grant's data key
//! and bound to its name and session; the ids of its requests cannot be guessed, count only within its session, and
//! only once.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::GrantError;
use super::client::{Client, ClientCapabilities, Dialogue, InputAnswer, InputRequest};
use super::command::{Action, CallCommand, CallName, Correlation, Presented};
use super::streams::StreamName;
use crate::config::PresetSet;
use crate::crypto::{self, Key};
use crate::ports::{AgentPorts, SqlRow, SqlValue};

/// Seconds that a person has for an answer.
const KEPT: u64 = 600;

/// Bytes of a sealed call: a row of the object's storage holds 2 MB.
const LARGEST: usize = 1_990_000;

/// Calls of one grant that may wait at a time; the oldest go first.
const MOST_CALLS: i64 = 16;

/// HTTP+SSE sessions of one grant whose capabilities are remembered. Every connection is a new one.
const MOST_SESSIONS: i64 = 64;

/// All that the call needs to go on, but for the token: that comes with the answer.
#[derive(Serialize, Deserialize)]
struct Waiting {
    action: Action,
    presets: PresetSet,
    client: Client,
    request: String,
    correlation: Correlation,
    /// The keys of what was asked, in the order of the requests' ids.
    keys: Vec<String>,
}

/// The waiting calls of one object.
pub(super) struct WaitingCalls<'a> {
    ports: &'a AgentPorts,
    key: &'a Key,
}

impl<'a> WaitingCalls<'a> {
    /// Sealed under the grant's key for this.
    pub(super) const fn new(ports: &'a AgentPorts, key: &'a Key) -> Self {
        Self { ports, key }
    }

    /// Keeps a call; the requests to its client, to be sent once this is done. `None` where the call is too large to wait.
    pub(super) async fn keep(
        &self,
        command: &CallCommand,
        requests: &[InputRequest],
        dialogue: Dialogue,
    ) -> Result<Option<Vec<String>>, GrantError> {
        let (Some(session), Some(request), Some(stream)) =
            (&command.presented.session, &command.request, &command.client.stream)
        else {
            return Err(GrantError::SessionEnded);
        };
        let ends_at = self.ports.clock.now().saturating_add(KEPT);
        if self.ports.alarm.next().await?.is_none_or(|next| next > ends_at) {
            self.ports.alarm.set(ends_at).await?;
        }
        let call = crypto::random_text::<16>(&*self.ports.random);
        let waiting = Waiting {
            action: command.action.clone(),
            presets: command.presets,
            client: Client { dialogue, ..command.client.clone() },
            request: request.clone(),
            correlation: command.correlation.clone(),
            keys: requests.iter().map(|request| request.key.clone()).collect(),
        };
        if !self.store(&call, session, stream, &waiting, ends_at)? {
            return Ok(None);
        }
        let messages = requests.iter().enumerate().map(|(number, request)| {
            let id = format!("{call}.{number}");
            json!({"jsonrpc": "2.0", "id": id, "method": request.method, "params": request.params}).to_string()
        });
        Ok(Some(messages.collect()))
    }

    /// Writes a call down, unless it is too large for that.
    fn store(
        &self,
        call: &str,
        session: &str,
        stream: &StreamName,
        waiting: &Waiting,
        ends_at: u64,
    ) -> Result<bool, GrantError> {
        let plain = serde_json::to_vec(waiting).map_err(|_| GrantError::Storage)?;
        let sealed = self.key.seal(&*self.ports.random, &aad(call, session), &plain);
        let sealed = sealed.map_err(|_| GrantError::Storage)?;
        if sealed.len() > LARGEST {
            return Ok(false);
        }
        let ends_at = i64::try_from(ends_at).map_err(|_| GrantError::Storage)?;
        self.ports.sql.exec(
            "INSERT OR REPLACE INTO waiting_calls (call, session, request, stream, sealed, ends_at) \
             VALUES (?, ?, ?, ?, ?, ?)",
            &[
                text(call),
                text(session),
                text(&canonical(&waiting.request)),
                text(stream.as_str()),
                SqlValue::Blob(sealed),
                SqlValue::Integer(ends_at),
            ],
        )?;
        let surplus = "SELECT call FROM waiting_calls ORDER BY ends_at DESC, rowid DESC LIMIT -1 OFFSET ?";
        forget(self.ports, surplus, &[SqlValue::Integer(MOST_CALLS)])?;
        Ok(true)
    }

    /// Takes the answer to the request of this id. The call, once that was the last answer it waited for; it waits no
    /// more then. An id that is none of the presented session's changes nothing.
    pub(super) fn take(
        &self,
        presented: &Presented,
        id: &str,
        answer: InputAnswer,
    ) -> Result<Option<CallCommand>, GrantError> {
        let (Some(session), Some((call, number))) = (&presented.session, id.split_once('.')) else { return Ok(None) };
        let query = "SELECT stream, sealed, ends_at FROM waiting_calls WHERE call = ? AND session = ?";
        let rows = self.ports.sql.exec(query, &[text(call), text(session)])?;
        let Some([SqlValue::Text(stream), SqlValue::Blob(sealed), SqlValue::Integer(ends_at)]) =
            rows.first().map(SqlRow::as_slice)
        else {
            return Ok(None);
        };
        let ends_at = u64::try_from(*ends_at).map_err(|_| GrantError::Storage)?;
        if ends_at <= self.ports.clock.now() {
            return Ok(None);
        }
        let plain = self.key.open(&aad(call, session), sealed).map_err(|_| GrantError::Storage)?;
        let mut waiting: Waiting = crate::json::read(&plain).map_err(|_| GrantError::Storage)?;
        let key = number.parse::<usize>().ok().and_then(|number| waiting.keys.get(number).cloned());
        let Some(key) = key else { return Ok(None) };
        waiting.client.dialogue.take(&key, answer);
        if waiting.client.dialogue.questions.values().any(|question| question.answer.is_none()) {
            let stream: StreamName = crate::json::read_value(json!(stream)).map_err(|_| GrantError::Storage)?;
            // One that does not fit with this answer goes on waiting without it, until it is given up.
            self.store(call, session, &stream, &waiting, ends_at)?;
            return Ok(None);
        }
        forget(self.ports, "SELECT call FROM waiting_calls WHERE call = ?", &[text(call)])?;
        let Waiting { action, presets, client, request, correlation, .. } = waiting;
        let request = Some(request);
        Ok(Some(CallCommand {
            presented: presented.clone(),
            correlation,
            action,
            presets,
            may_challenge: false,
            client,
            request,
        }))
    }
}

/// Whether a call waits for its client's answer that goes on on this stream.
pub(super) fn waits_on(ports: &AgentPorts, stream: &StreamName) -> Result<bool, GrantError> {
    let query = "SELECT 1 FROM waiting_calls WHERE stream = ?";
    Ok(!ports.sql.exec(query, &[text(stream.as_str())])?.is_empty())
}

/// A call that its client takes back waits no more.
pub(super) fn cancel(ports: &AgentPorts, session: Option<&str>, name: &CallName) -> Result<(), GrantError> {
    let (Some(session), CallName::Request(id)) = (session, name) else { return Ok(()) };
    give_up(ports, "session = ? AND request = ?", &[text(session), text(id)])
}

/// Gives up what nobody answered in time; the Unix second at which there will be more.
pub(super) fn forget_old(ports: &AgentPorts) -> Result<Option<u64>, GrantError> {
    let now = i64::try_from(ports.clock.now()).map_err(|_| GrantError::Storage)?;
    give_up(ports, "ends_at <= ?", &[SqlValue::Integer(now)])?;
    let rows = ports.sql.exec("SELECT min(ends_at) FROM waiting_calls", &[])?;
    match rows.first().map(SqlRow::as_slice) {
        Some([SqlValue::Integer(at)]) => u64::try_from(*at).map(Some).map_err(|_| GrantError::Storage),
        Some(_) | None => Ok(None),
    }
}

/// Forgets calls, and ends their streams: no answer will come on them.
fn give_up(ports: &AgentPorts, condition: &str, params: &[SqlValue]) -> Result<(), GrantError> {
    let rows = ports.sql.exec(&format!("SELECT stream FROM waiting_calls WHERE {condition}"), params)?;
    forget(ports, &format!("SELECT call FROM waiting_calls WHERE {condition}"), params)?;
    for row in &rows {
        if let [SqlValue::Text(stream)] = row.as_slice() {
            close(ports, stream);
        }
    }
    Ok(())
}

fn close(ports: &AgentPorts, stream: &str) {
    let own = crate::json::read_value::<StreamName>(json!(stream)).is_ok_and(|stream| !stream.is_of_session());
    if own {
        ports.sockets.close(stream);
    }
}

fn forget(ports: &AgentPorts, which: &str, params: &[SqlValue]) -> Result<(), GrantError> {
    ports.sql.exec(&format!("DELETE FROM waiting_calls WHERE call IN ({which})"), params)?;
    Ok(())
}

/// Notes what the client of an HTTP+SSE session can be asked.
pub(super) fn introduce(
    ports: &AgentPorts,
    presented: &Presented,
    capabilities: ClientCapabilities,
) -> Result<(), GrantError> {
    let Some(session) = &presented.session else { return Ok(()) };
    ports.sql.exec(
        "INSERT OR REPLACE INTO session_clients (session, capabilities) VALUES (?, ?)",
        &[text(session), SqlValue::Integer(capabilities.0.into())],
    )?;
    ports.sql.exec(
        "DELETE FROM session_clients WHERE rowid NOT IN \
         (SELECT rowid FROM session_clients ORDER BY rowid DESC LIMIT ?)",
        &[SqlValue::Integer(MOST_SESSIONS)],
    )?;
    Ok(())
}

/// What the client of an HTTP+SSE session can be asked: nothing, until it said so.
pub(super) fn capabilities(ports: &AgentPorts, session: &str) -> Result<ClientCapabilities, GrantError> {
    let rows = ports.sql.exec("SELECT capabilities FROM session_clients WHERE session = ?", &[text(session)])?;
    match rows.first().map(SqlRow::as_slice) {
        None => Ok(ClientCapabilities::default()),
        Some([SqlValue::Integer(bits)]) => u8::try_from(*bits).map(ClientCapabilities).map_err(|_| GrantError::Storage),
        Some(_) => Err(GrantError::Storage),
    }
}

fn aad(call: &str, session: &str) -> Vec<u8> {
    format!("waiting call\n{call}\n{session}").into_bytes()
}

fn canonical(request: &str) -> String {
    match CallName::of_request(request) {
        CallName::Request(id) | CallName::Run(id) => id,
    }
}

fn text(value: &str) -> SqlValue {
    SqlValue::Text(value.to_owned())
}
