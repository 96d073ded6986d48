//! The object of one user: which grants the user has, which claims the next sign-in has to carry, and what went out
//! lately in the user's name, through whichever client.
//!
//! An object and not the listing in KV, because a list that is a minute old would let "end all" and the ending of an
//! earlier sign-in miss a grant. Owns the list alone: what a grant is, and whether it still counts, its own object
//! says, which also reports itself here (`oauth::grant`). Calls nobody, so grants can wait for it.

use super::storage;
use super::{Enlisted, GrantError, UserCommand, UserReply};
use crate::config::Rate;
use crate::identity::GrantId;
use crate::oauth::entra::claims::Claims;
use crate::ports::{AgentPorts, SqlRow, SqlValue};

/// How long a sign-in is waited for that carries what Graph asked for: until the next working day. One that comes later
/// is challenged anew.
const CLAIMS_SECONDS: u64 = 3 * 24 * 3600;

/// Carries out one command. Decides in statements without an await between them.
pub(super) async fn handle(ports: &AgentPorts, command: &UserCommand) -> Result<UserReply, GrantError> {
    match command {
        UserCommand::Enlist(entry) => {
            prepare(ports, entry.ends_at).await?;
            enlist(ports, entry).map(UserReply::Grants)
        }
        UserCommand::Delist { grant, ends_at } => {
            prepare(ports, *ends_at).await?;
            delist(ports, *grant, *ends_at).map(UserReply::Grants)
        }
        UserCommand::List if storage::ready(&*ports.sql)? => {
            let query =
                "SELECT grant_id FROM user_grants WHERE slot IS NOT NULL AND ends_at > ? ORDER BY place, grant_id";
            ids(ports.sql.exec(query, &[seconds(ports.clock.now())?])?).map(UserReply::Grants)
        }
        UserCommand::List => Ok(UserReply::Grants(Vec::new())),
        UserCommand::Challenge(claims) => {
            let ends_at = ports.clock.now().saturating_add(CLAIMS_SECONDS);
            prepare(ports, ends_at).await?;
            let insert = "INSERT OR REPLACE INTO user_claims (one, claims, ends_at) VALUES (1, ?, ?)";
            ports.sql.exec(insert, &[SqlValue::Text(claims.to_json()), seconds(ends_at)?])?;
            Ok(UserReply::Claims(None))
        }
        UserCommand::TakeChallenge if storage::ready(&*ports.sql)? => take_challenge(ports).map(UserReply::Claims),
        UserCommand::TakeChallenge => Ok(UserReply::Claims(None)),
        UserCommand::CountOutward(rate) => {
            let ends_at = ports.clock.now().saturating_add(rate.within);
            prepare(ports, ends_at).await?;
            Ok(UserReply::Counted { wait: count_outward(ports, *rate, ends_at)? })
        }
    }
}

/// Looking and counting are one statement, so calls at once cannot get past the rate together.
fn count_outward(ports: &AgentPorts, rate: Rate, ends_at: u64) -> Result<Option<u64>, GrantError> {
    let now = ports.clock.now();
    ports.sql.exec("DELETE FROM outward WHERE ends_at <= ?", &[seconds(now)?])?;
    let insert = "INSERT INTO outward (ends_at) SELECT ? WHERE (SELECT COUNT(*) FROM outward) < ? RETURNING 1";
    let counted = ports.sql.exec(insert, &[seconds(ends_at)?, SqlValue::Integer(rate.most.into())])?;
    if !counted.is_empty() {
        return Ok(None);
    }
    let rows = ports.sql.exec("SELECT MIN(ends_at) FROM outward", &[])?;
    match rows.first().map(SqlRow::as_slice) {
        Some([SqlValue::Integer(first)]) => {
            let first = u64::try_from(*first).map_err(|_| GrantError::Storage)?;
            Ok(Some(first.saturating_sub(now).max(1)))
        }
        Some(_) | None => Err(GrantError::Storage),
    }
}

fn take_challenge(ports: &AgentPorts) -> Result<Option<Claims>, GrantError> {
    let rows = ports.sql.exec("DELETE FROM user_claims RETURNING claims, ends_at", &[])?;
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    let Ok([SqlValue::Text(claims), SqlValue::Integer(ends_at)]) = <[SqlValue; 2]>::try_from(row) else {
        return Err(GrantError::Storage);
    };
    let stands = u64::try_from(ends_at).is_ok_and(|ends_at| ends_at > ports.clock.now());
    Ok(if stands { Claims::parse(&claims) } else { None })
}

/// Forgets what is over and says when to come back; erases the object with its last row. `None` where the object is not
/// a user's.
pub(super) async fn sweep(ports: &AgentPorts) -> Result<Option<Sweep>, GrantError> {
    let sql = &*ports.sql;
    if !storage::ready(sql)? || first_end(ports)?.is_none() {
        return Ok(None);
    }
    let now = seconds(ports.clock.now())?;
    sql.exec("DELETE FROM user_grants WHERE ends_at <= ?", std::slice::from_ref(&now))?;
    sql.exec("DELETE FROM user_claims WHERE ends_at <= ?", std::slice::from_ref(&now))?;
    sql.exec("DELETE FROM outward WHERE ends_at <= ?", &[now])?;
    if let Some(next) = first_end(ports)? {
        return Ok(Some(Sweep::ComeBack(next)));
    }
    sql.erase().await?;
    Ok(Some(Sweep::Erased))
}

/// What a sweep left.
pub(super) enum Sweep {
    /// Rows, the first of which is over at this Unix second.
    ComeBack(u64),
    /// Nothing.
    Erased,
}

/// The alarm is set before anything is stored, so that nothing is left behind.
async fn prepare(ports: &AgentPorts, ends_at: u64) -> Result<(), GrantError> {
    let known = if storage::ready(&*ports.sql)? { first_end(ports)? } else { None };
    ports.alarm.set(known.unwrap_or(ends_at).min(ends_at)).await?;
    Ok(storage::create(&*ports.sql)?)
}

/// Notes the grant; the earlier ones of its slot. Asking again gives the same place.
fn enlist(ports: &AgentPorts, entry: &Enlisted) -> Result<Vec<GrantId>, GrantError> {
    let id = SqlValue::Text(entry.grant.to_string());
    let next = "(SELECT COALESCE(MAX(place), 0) + 1 FROM user_grants)";
    let place = if entry.replaces { next } else { "0" };
    let insert = format!(
        "INSERT INTO user_grants (grant_id, slot, place, ends_at) VALUES (?, ?, {place}, ?) ON CONFLICT (grant_id) DO NOTHING"
    );
    ports.sql.exec(&insert, &[id.clone(), SqlValue::Text(entry.slot.to_string()), seconds(entry.ends_at)?])?;
    let query = "SELECT other.grant_id FROM user_grants AS own JOIN user_grants AS other \
                 ON other.slot = own.slot AND other.place < own.place WHERE own.grant_id = ? ORDER BY other.place";
    ids(ports.sql.exec(query, &[id])?)
}

fn delist(ports: &AgentPorts, grant: GrantId, ends_at: u64) -> Result<Vec<GrantId>, GrantError> {
    let insert = "INSERT INTO user_grants (grant_id, slot, place, ends_at) VALUES (?, NULL, 0, ?) \
                  ON CONFLICT (grant_id) DO UPDATE SET slot = NULL";
    ports.sql.exec(insert, &[SqlValue::Text(grant.to_string()), seconds(ends_at)?])?;
    Ok(Vec::new())
}

fn first_end(ports: &AgentPorts) -> Result<Option<u64>, GrantError> {
    let all = "SELECT MIN(ends_at) FROM (SELECT ends_at FROM user_grants UNION ALL SELECT ends_at FROM user_claims \
               UNION ALL SELECT ends_at FROM outward)";
    let rows = ports.sql.exec(all, &[])?;
    match rows.first().and_then(|row| row.first()) {
        Some(SqlValue::Integer(end)) => u64::try_from(*end).map(Some).map_err(|_| GrantError::Storage),
        Some(SqlValue::Null) | None => Ok(None),
        Some(SqlValue::Text(_) | SqlValue::Blob(_)) => Err(GrantError::Storage),
    }
}

fn ids(rows: Vec<SqlRow>) -> Result<Vec<GrantId>, GrantError> {
    let id = |row: SqlRow| match row.into_iter().next() {
        Some(SqlValue::Text(id)) => id.parse().map_err(|_| GrantError::Storage),
        Some(SqlValue::Null | SqlValue::Integer(_) | SqlValue::Blob(_)) | None => Err(GrantError::Storage),
    };
    rows.into_iter().map(id).collect()
}

fn seconds(at: u64) -> Result<SqlValue, GrantError> {
    i64::try_from(at).map(SqlValue::Integer).map_err(|_| GrantError::Storage)
}
