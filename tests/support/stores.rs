//! KV in memory, the object's storage on a real `SQLite`, and its alarm.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;

use super::Pace;
use crate::ports::{Alarm, KV_PAGE, Kv, KvError, KvPage, Sql, SqlError, SqlRow, SqlValue};

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
