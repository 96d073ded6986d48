//! What is kept: `OAUTH_KV`, and the `SQLite` and the alarm of an object.

use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;

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

impl SqlValue {
    /// A time, or the last that there is.
    pub fn seconds(at: u64) -> Self {
        Self::Integer(i64::try_from(at).unwrap_or(i64::MAX))
    }
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
