//! What the clients of legacy sessions asked to be told: log messages from some level on, and changes of resources.
//!
//! Kept with the grant, because a session has no other memory, and forgotten with the session. Bounded: a client that
//! opens sessions without end, or subscribes without end, pushes out what was asked first.

use serde::{Deserialize, Serialize};

use super::client::LogLevel;
use super::{GrantError, Presented};
use crate::json;
use crate::ports::{AgentPorts, SqlRow, SqlValue};

/// Sessions whose level is remembered.
const MOST_LEVELS: i64 = 256;

/// Subscriptions of all sessions together.
const MOST_SUBSCRIPTIONS: i64 = 512;

/// What a client asks of its session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    /// `logging/setLevel`.
    LogLevel(LogLevel),
    /// `resources/subscribe`: a URI.
    Subscribe(String),
    /// `resources/unsubscribe`.
    Unsubscribe(String),
}

/// Notes a wish. Without a session there is nothing that it could belong to.
pub(super) fn note(ports: &AgentPorts, presented: &Presented, wish: &Wish) -> Result<(), GrantError> {
    let Some(session) = &presented.session else { return Ok(()) };
    let session = SqlValue::Text(session.clone());
    let exec = |statement: &str, params: &[SqlValue]| ports.sql.exec(statement, params);
    match wish {
        Wish::LogLevel(level) => {
            // Replaced, so that the newest wish has the highest row id.
            exec("INSERT OR REPLACE INTO log_levels (session, level) VALUES (?, ?)", &[session, text(*level)])?;
            exec(
                "DELETE FROM log_levels WHERE rowid NOT IN (SELECT rowid FROM log_levels ORDER BY rowid DESC LIMIT ?)",
                &[SqlValue::Integer(MOST_LEVELS)],
            )?;
        }
        Wish::Subscribe(uri) => {
            let uri = SqlValue::Text(uri.clone());
            exec("INSERT OR REPLACE INTO subscriptions (session, uri) VALUES (?, ?)", &[session, uri])?;
            exec(
                "DELETE FROM subscriptions WHERE rowid NOT IN \
                 (SELECT rowid FROM subscriptions ORDER BY rowid DESC LIMIT ?)",
                &[SqlValue::Integer(MOST_SUBSCRIPTIONS)],
            )?;
        }
        Wish::Unsubscribe(uri) => {
            let uri = SqlValue::Text(uri.clone());
            exec("DELETE FROM subscriptions WHERE session = ? AND uri = ?", &[session, uri])?;
        }
    }
    Ok(())
}

/// From which level on a session wants to be told; `None`: it never said.
pub(super) fn level(ports: &AgentPorts, session: &str) -> Result<Option<LogLevel>, GrantError> {
    let query = "SELECT level FROM log_levels WHERE session = ?";
    let rows = ports.sql.exec(query, &[SqlValue::Text(session.to_owned())])?;
    let Some(level) = first(&rows) else { return Ok(None) };
    json::read(level.as_bytes()).map(Some).map_err(|_| GrantError::Storage)
}

/// The sessions that want to hear of a change of this resource.
pub(super) fn subscribers(ports: &AgentPorts, uri: &str) -> Result<Vec<String>, GrantError> {
    let query = "SELECT session FROM subscriptions WHERE uri = ? ORDER BY session";
    let rows = ports.sql.exec(query, &[SqlValue::Text(uri.to_owned())])?;
    Ok(rows.iter().filter_map(|row| first(std::slice::from_ref(row))).map(str::to_owned).collect())
}

/// The end of a session.
pub(crate) fn forget(ports: &AgentPorts, session: &str) -> Result<(), GrantError> {
    let session = [SqlValue::Text(session.to_owned())];
    ports.sql.exec("DELETE FROM log_levels WHERE session = ?", &session)?;
    ports.sql.exec("DELETE FROM subscriptions WHERE session = ?", &session)?;
    Ok(())
}

fn text(level: LogLevel) -> SqlValue {
    // A unit variant always serialises.
    SqlValue::Text(serde_json::to_string(&level).unwrap_or_default())
}

fn first(rows: &[SqlRow]) -> Option<&str> {
    match rows.first()?.first()? {
        SqlValue::Text(text) => Some(text),
        SqlValue::Null | SqlValue::Integer(_) | SqlValue::Blob(_) => None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;
    use crate::agent::storage;
    use crate::crypto::Secret;
    use crate::support::TestPlatform;

    fn ports() -> AgentPorts {
        let ports = TestPlatform::new(&[]).agent_ports();
        storage::create(&*ports.sql).unwrap();
        ports
    }

    fn of(session: &str) -> Presented {
        Presented { token: Secret::new("t"), access: None, session: Some(session.to_owned()) }
    }

    #[test]
    fn a_session_is_told_of_what_it_subscribed_to_until_it_says_otherwise_or_ends() {
        let ports = ports();
        let wish = |session: &str, wish: Wish| note(&ports, &of(session), &wish).unwrap();
        for session in ["a", "b", "a"] {
            wish(session, Wish::Subscribe("x://1".to_owned()));
        }
        wish("a", Wish::Subscribe("x://2".to_owned()));
        wish("a", Wish::LogLevel(LogLevel::Error));
        assert_eq!(subscribers(&ports, "x://1").unwrap(), ["a", "b"]);
        wish("b", Wish::Unsubscribe("x://1".to_owned()));
        assert_eq!(subscribers(&ports, "x://1").unwrap(), ["a"]);
        assert_eq!(level(&ports, "a"), Ok(Some(LogLevel::Error)));
        forget(&ports, "a").unwrap();
        assert_eq!((subscribers(&ports, "x://2").unwrap(), level(&ports, "a")), (Vec::<String>::new(), Ok(None)));
    }

    #[test]
    fn wishes_without_end_push_out_the_oldest() {
        let ports = ports();
        for number in 0..=MOST_SUBSCRIPTIONS {
            note(&ports, &of("a"), &Wish::Subscribe(format!("x://{number}"))).unwrap();
        }
        for number in 0..=MOST_LEVELS {
            note(&ports, &of(&number.to_string()), &Wish::LogLevel(LogLevel::Debug)).unwrap();
        }
        assert_eq!(subscribers(&ports, "x://0").unwrap(), Vec::<String>::new());
        assert_eq!(subscribers(&ports, "x://1").unwrap(), ["a"]);
        assert_eq!((level(&ports, "0"), level(&ports, "1")), (Ok(None), Ok(Some(LogLevel::Debug))));
    }
}
