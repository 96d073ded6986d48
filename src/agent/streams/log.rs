//! The log of what was said on the streams that can be taken up again: stored before it is sent, sealed, bounded, and
//! erased by age, with its session and with the grant.
//!
//! Owns the tables `streams` and `stream_events`. An event is sealed under a key derived of the grant's data key and
//! bound to its id, so that what is stored opens only for a live client token and at its own place. Numbers are
//! milliseconds, or one more than the newest where the clock stood still: a stream whose log was erased never gives a
//! number out again.

use super::name::{EventId, StreamName};
use crate::agent::GrantError;
use crate::crypto::Key;
use crate::ports::{AgentPorts, Sql, SqlError, SqlRow, SqlValue};

/// Events that are kept of one stream.
const MOST_EVENTS: i64 = 64;

/// Bytes that are kept of one stream; also below the 2 MB that one row of the object's storage may hold.
const MOST_BYTES: i64 = 2_000_000 - 4096;

/// Streams that are kept of one grant.
const MOST_STREAMS: i64 = 16;

/// Seconds after its newest event for which a stream is kept: a laptop that was closed over a meeting.
pub(super) const KEPT: u64 = 3600;

/// What is known of a stream.
pub(super) struct Known {
    /// The number of the newest event.
    pub(super) last: u64,
    /// Whether nothing more will come.
    pub(super) complete: bool,
    /// JSON text of the id of the request that the stream answers.
    pub(super) request: String,
}

/// Begins the log of a stream; the oldest ones go where there are too many.
pub(super) fn begin(ports: &AgentPorts, stream: &StreamName, request: &str) -> Result<(), GrantError> {
    let sql = &*ports.sql;
    sql.exec(
        "INSERT INTO streams (stream, session, request, last, complete, at) VALUES (?, ?, ?, 0, 0, ?) \
         ON CONFLICT DO NOTHING",
        &[text(stream.as_str()), text(stream.session()), text(request), integer(ports.clock.now())?],
    )?;
    let surplus = "SELECT stream FROM streams ORDER BY complete, at DESC, rowid DESC LIMIT -1 OFFSET ?";
    forget(sql, surplus, &[SqlValue::Integer(MOST_STREAMS)])
}

/// Stores an event of a stream that has a log; its id. `None` where the stream has none.
pub(super) fn append(
    ports: &AgentPorts,
    stream: &StreamName,
    key: &Key,
    message: &str,
    complete: bool,
) -> Result<Option<EventId>, GrantError> {
    let Some(known) = find(&*ports.sql, stream)? else { return Ok(None) };
    let id = EventId { stream: stream.clone(), number: ports.clock.now_ms().max(known.last.saturating_add(1)) };
    let aad = id.to_string();
    let sealed = key.seal(&*ports.random, aad.as_bytes(), message.as_bytes()).map_err(|_| GrantError::Storage)?;
    let (sql, name, number) = (&*ports.sql, text(stream.as_str()), integer(id.number)?);
    // What fits no row is sent and not kept.
    if i64::try_from(sealed.len()).is_ok_and(|length| length <= MOST_BYTES) {
        let insert = "INSERT INTO stream_events (stream, number, sealed) VALUES (?, ?, ?)";
        sql.exec(insert, &[name.clone(), number.clone(), SqlValue::Blob(sealed)])?;
    }
    sql.exec(
        "UPDATE streams SET last = ?, complete = ?, at = ? WHERE stream = ?",
        &[number, SqlValue::Integer(complete.into()), integer(ports.clock.now())?, name.clone()],
    )?;
    let trim = "DELETE FROM stream_events WHERE stream = ?1 AND number IN (SELECT number FROM \
                (SELECT number, row_number() OVER newest AS place, sum(length(sealed)) OVER newest AS bytes \
                 FROM stream_events WHERE stream = ?1 WINDOW newest AS (ORDER BY number DESC)) \
                WHERE place > ?2 OR bytes > ?3)";
    sql.exec(trim, &[name, SqlValue::Integer(MOST_EVENTS), SqlValue::Integer(MOST_BYTES)])?;
    Ok(Some(id))
}

/// The stored messages of a stream after this number, in their order.
pub(super) fn after(
    sql: &dyn Sql,
    stream: &StreamName,
    number: u64,
    key: &Key,
) -> Result<Vec<(EventId, String)>, GrantError> {
    let query = "SELECT number, sealed FROM stream_events WHERE stream = ? AND number > ? ORDER BY number";
    let rows = sql.exec(query, &[text(stream.as_str()), integer(number)?])?;
    rows.into_iter().map(|row| open(stream, key, row)).collect()
}

fn open(stream: &StreamName, key: &Key, row: SqlRow) -> Result<(EventId, String), GrantError> {
    let Ok([SqlValue::Integer(number), SqlValue::Blob(sealed)]) = <[SqlValue; 2]>::try_from(row) else {
        return Err(GrantError::Storage);
    };
    let number = u64::try_from(number).map_err(|_| GrantError::Storage)?;
    let id = EventId { stream: stream.clone(), number };
    let plain = key.open(id.to_string().as_bytes(), &sealed).map_err(|_| GrantError::Storage)?;
    Ok((id, String::from_utf8(plain).map_err(|_| GrantError::Storage)?))
}

/// What is known of a stream, if it has a log.
pub(super) fn find(sql: &dyn Sql, stream: &StreamName) -> Result<Option<Known>, GrantError> {
    let rows = sql.exec("SELECT last, complete, request FROM streams WHERE stream = ?", &[text(stream.as_str())])?;
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    match <[SqlValue; 3]>::try_from(row) {
        Ok([SqlValue::Integer(last), SqlValue::Integer(complete), SqlValue::Text(request)]) => {
            let last = u64::try_from(last).map_err(|_| GrantError::Storage)?;
            Ok(Some(Known { last, complete: complete != 0, request }))
        }
        Ok(_) | Err(_) => Err(GrantError::Storage),
    }
}

/// Erases everything of a session.
pub(super) fn forget_session(sql: &dyn Sql, session: &str) -> Result<(), GrantError> {
    forget(sql, "SELECT stream FROM streams WHERE session = ?", &[text(session)])
}

/// Erases what is too old; the Unix second at which the next stream will be.
pub(super) fn forget_old(ports: &AgentPorts) -> Result<Option<u64>, GrantError> {
    let sql = &*ports.sql;
    let oldest = ports.clock.now().saturating_sub(KEPT);
    forget(sql, "SELECT stream FROM streams WHERE at <= ?", &[integer(oldest)?])?;
    let rows = sql.exec("SELECT MIN(at) FROM streams", &[])?;
    match rows.first().and_then(|row| row.first()) {
        Some(SqlValue::Integer(at)) => {
            let at = u64::try_from(*at).map_err(|_| GrantError::Storage)?;
            Ok(Some(at.saturating_add(KEPT)))
        }
        Some(SqlValue::Null) | None => Ok(None),
        Some(SqlValue::Text(_) | SqlValue::Blob(_)) => Err(GrantError::Storage),
    }
}

/// Events first: a stream without events is still found by the next attempt, events without a stream would not be.
fn forget(sql: &dyn Sql, which: &str, params: &[SqlValue]) -> Result<(), GrantError> {
    sql.exec(&format!("DELETE FROM stream_events WHERE stream IN ({which})"), params)?;
    sql.exec(&format!("DELETE FROM streams WHERE stream IN ({which})"), params)?;
    Ok(())
}

fn text(text: &str) -> SqlValue {
    SqlValue::Text(text.to_owned())
}

fn integer(number: u64) -> Result<SqlValue, SqlError> {
    i64::try_from(number).map(SqlValue::Integer).map_err(|_| SqlError)
}
