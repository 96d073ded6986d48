//! The object's `SQLite` storage and its alarm.

use std::rc::Rc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;
use worker::{SqlStorageValue, State};

use crate::ports::{Alarm, Sql, SqlError, SqlRow, SqlValue};

/// `ctx.storage.sql`.
pub(crate) struct ObjectSql(pub(crate) Rc<State>);

impl Sql for ObjectSql {
    fn exec(&self, statement: &str, params: &[SqlValue]) -> Result<Vec<SqlRow>, SqlError> {
        let params: Vec<_> = params.iter().map(to_storage).collect();
        let cursor = self.0.storage().sql().exec(statement, params).map_err(|_| SqlError)?;
        let rows = cursor.raw().map(|row| row.map(|values| values.into_iter().map(from_storage).collect()));
        rows.collect::<Result<_, _>>().map_err(|_: worker::Error| SqlError)
    }

    fn erase(&self) -> LocalBoxFuture<'_, Result<(), SqlError>> {
        Box::pin(async {
            let storage = self.0.storage();
            storage.delete_alarm().await.map_err(|_| SqlError)?;
            storage.delete_all().await.map_err(|_| SqlError)
        })
    }
}

fn to_storage(value: &SqlValue) -> SqlStorageValue {
    match value {
        SqlValue::Null => SqlStorageValue::Null,
        SqlValue::Integer(number) => SqlStorageValue::Integer(*number),
        SqlValue::Text(text) => SqlStorageValue::String(text.clone()),
        SqlValue::Blob(bytes) => SqlStorageValue::Blob(bytes.clone()),
    }
}

fn from_storage(value: SqlStorageValue) -> SqlValue {
    match value {
        SqlStorageValue::Null => SqlValue::Null,
        SqlStorageValue::Boolean(flag) => SqlValue::Integer(i64::from(flag)),
        SqlStorageValue::Integer(number) => SqlValue::Integer(number),
        SqlStorageValue::Float(number) => SqlValue::Text(number.to_string()),
        SqlStorageValue::String(text) => SqlValue::Text(text),
        SqlStorageValue::Blob(bytes) => SqlValue::Blob(bytes),
    }
}

/// The object's one alarm.
pub(crate) struct ObjectAlarm(pub(crate) Rc<State>);

#[async_trait(?Send)]
impl Alarm for ObjectAlarm {
    async fn set(&self, at: u64) -> Result<(), SqlError> {
        let now = worker::Date::now().as_millis();
        let offset = Duration::from_millis(at.saturating_mul(1000).saturating_sub(now));
        self.0.storage().set_alarm(offset).await.map_err(|_| SqlError)
    }

    async fn next(&self) -> Result<Option<u64>, SqlError> {
        let at = self.0.storage().get_alarm().await.map_err(|_| SqlError)?;
        at.map(|ms| u64::try_from(ms).map(|ms| ms / 1000).map_err(|_| SqlError)).transpose()
    }
}
