//! The object that counts one UTC day's registrations, so that strangers cannot fill the store with clients.
//!
//! Owns the count alone; what a full day means to a client is `oauth::daily_cap`. Looking and counting are one
//! statement, so parallel registrations cannot get past the cap together.

use super::storage;
use crate::ports::{AgentPorts, SqlError, SqlValue};

/// Counts one registration unless `cap` were admitted before; says whether it was.
pub(super) async fn admit(ports: &AgentPorts, cap: u32, ends_at: u64) -> Result<bool, SqlError> {
    let sql = ports.sql.as_ref();
    if !storage::ready(sql)? {
        // The alarm is set before anything is stored, so that no day is left behind.
        ports.alarm.set(ends_at).await?;
        storage::create(sql)?;
    }
    let count = "INSERT INTO registrations (one, count, ends_at) VALUES (1, 1, ?) \
                 ON CONFLICT (one) DO UPDATE SET count = count + 1 WHERE count < ? RETURNING count";
    let ends_at = i64::try_from(ends_at).map_err(|_| SqlError)?;
    let counted = sql.exec(count, &[SqlValue::Integer(ends_at), SqlValue::Integer(cap.into())])?;
    Ok(!counted.is_empty())
}

/// When this day is over; `None` where the object counts no registrations.
pub(super) fn ends_at(ports: &AgentPorts) -> Result<Option<u64>, SqlError> {
    let sql = ports.sql.as_ref();
    if !storage::ready(sql)? {
        return Ok(None);
    }
    let rows = sql.exec("SELECT ends_at FROM registrations", &[])?;
    match rows.first().and_then(|row| row.first()) {
        Some(SqlValue::Integer(ends_at)) => u64::try_from(*ends_at).map(Some).map_err(|_| SqlError),
        Some(SqlValue::Null | SqlValue::Text(_) | SqlValue::Blob(_)) => Err(SqlError),
        None => Ok(None),
    }
}
