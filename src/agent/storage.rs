//! The object's schema: `migrations/NNNN_*.sql` in order, applied when an object begins to hold something and, after
//! a deploy, at the first use of an older one.
//!
//! Owns which tables exist, not what is in them. An object in which nothing was ever begun stays empty: looking
//! writes nothing. `sql.exec` of a Durable Object refuses `BEGIN` and `SAVEPOINT`, so every statement of a migration
//! must be able to run twice (`IF NOT EXISTS`); the version is written after the last one.

use crate::ports::{Sql, SqlError, SqlValue};

/// Every migration, in order. The position is the version; add new ones at the end and never change an old one.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/0001_grant.sql"),
    include_str!("../../migrations/0002_idempotency.sql"),
    include_str!("../../migrations/0003_registrations.sql"),
    include_str!("../../migrations/0004_user_grants.sql"),
    include_str!("../../migrations/0005_assertions.sql"),
    include_str!("../../migrations/0006_user_claims.sql"),
    include_str!("../../migrations/0007_streams.sql"),
    include_str!("../../migrations/0008_waiting_calls.sql"),
    include_str!("../../migrations/0009_wishes.sql"),
    include_str!("../../migrations/0010_outward.sql"),
    include_str!("../../migrations/0011_tasks.sql"),
    include_str!("../../migrations/0012_zone.sql"),
];

const VERSION_TABLE: &str = "schema_version";

/// Creates the schema, or brings it up to date.
pub fn create(sql: &dyn Sql) -> Result<(), SqlError> {
    sql.exec(
        "CREATE TABLE IF NOT EXISTS schema_version (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL)",
        &[],
    )?;
    apply(sql, MIGRATIONS, version(sql)?)
}

/// Whether there is a schema, brought up to date where an older version of this code made it. Creates nothing.
pub fn ready(sql: &dyn Sql) -> Result<bool, SqlError> {
    if !exists(sql)? {
        return Ok(false);
    }
    let version = version(sql)?;
    // A version row is written last, so none means that `create` never came to its end.
    if version == 0 {
        return Ok(false);
    }
    apply(sql, MIGRATIONS, version)?;
    Ok(true)
}

/// Empties every table but those in `keep`, whichever migration made them.
pub fn clear(sql: &dyn Sql, keep: &[&str]) -> Result<(), SqlError> {
    for row in sql.exec("SELECT name FROM sqlite_master WHERE type = 'table'", &[])? {
        let Some(SqlValue::Text(name)) = row.first() else { continue };
        // The platform's and SQLite's own tables.
        let foreign = name.starts_with("_cf_") || name.starts_with("sqlite_");
        if !foreign && name != VERSION_TABLE && !keep.contains(&name.as_str()) {
            sql.exec(&format!("DELETE FROM \"{name}\""), &[])?;
        }
    }
    Ok(())
}

fn exists(sql: &dyn Sql) -> Result<bool, SqlError> {
    let query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'";
    Ok(!sql.exec(query, &[])?.is_empty())
}

fn version(sql: &dyn Sql) -> Result<usize, SqlError> {
    let rows = sql.exec("SELECT version FROM schema_version", &[])?;
    match rows.first().and_then(|row| row.first()) {
        Some(SqlValue::Integer(version)) => usize::try_from(*version).map_err(|_| SqlError),
        Some(SqlValue::Null | SqlValue::Text(_) | SqlValue::Blob(_)) => Err(SqlError),
        None => Ok(0),
    }
}

fn apply(sql: &dyn Sql, migrations: &[&str], from: usize) -> Result<(), SqlError> {
    for (index, migration) in migrations.iter().enumerate().skip(from) {
        for statement in split(migration) {
            sql.exec(&statement, &[])?;
        }
        let version = i64::try_from(index + 1).map_err(|_| SqlError)?;
        sql.exec("INSERT OR REPLACE INTO schema_version (one, version) VALUES (1, ?)", &[SqlValue::Integer(version)])?;
    }
    Ok(())
}

/// The statements of a migration: each ends with a semicolon at the end of its line. Comment lines are dropped first,
/// so that a semicolon in one splits nothing.
fn split(migration: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let mut statement = String::new();
    for line in migration.lines().map(str::trim_end).filter(|line| !line.trim_start().starts_with("--")) {
        let (text, ends) = line.strip_suffix(';').map_or((line, false), |text| (text, true));
        statement.push_str(text);
        statement.push('\n');
        if ends {
            statements.push(std::mem::take(&mut statement));
        }
    }
    statements.push(statement);
    statements.retain(|statement| !statement.trim().is_empty());
    statements
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::support::MemorySql;

    fn tables(sql: &MemorySql) -> usize {
        sql.exec("SELECT 1 FROM sqlite_master", &[]).unwrap().len()
    }

    #[test]
    fn looking_at_an_object_without_a_schema_writes_nothing() {
        let sql = MemorySql::new();
        assert_eq!(ready(&sql), Ok(false));
        assert_eq!(tables(&sql), 0);
    }

    #[test]
    fn an_older_object_is_brought_up_to_date_once_and_keeps_its_rows() {
        let sql = MemorySql::new();
        create(&sql).unwrap();
        sql.exec("INSERT INTO ended_sessions VALUES ('s', 1)", &[]).unwrap();
        let newer = [MIGRATIONS, &["CREATE TABLE later (x INTEGER);\nINSERT INTO later VALUES (1);\n"]].concat();
        for _ in 0..2 {
            let from = version(&sql).unwrap();
            apply(&sql, &newer, from).unwrap();
        }
        assert_eq!(version(&sql), Ok(MIGRATIONS.len() + 1));
        assert_eq!(sql.exec("SELECT x FROM later", &[]).unwrap().len(), 1, "applied once");
        assert_eq!(sql.exec("SELECT 1 FROM ended_sessions", &[]).unwrap().len(), 1);
    }

    #[test]
    fn a_schema_that_was_not_finished_counts_as_none() {
        let sql = MemorySql::new();
        sql.exec("CREATE TABLE schema_version (one INTEGER PRIMARY KEY, version INTEGER NOT NULL)", &[]).unwrap();
        assert_eq!(ready(&sql), Ok(false));
        create(&sql).unwrap();
        assert_eq!(ready(&sql), Ok(true));
    }

    #[test]
    fn every_statement_of_every_migration_can_run_twice() {
        let sql = MemorySql::new();
        for migration in MIGRATIONS {
            for statement in split(migration).iter().chain(&split(migration)) {
                assert!(sql.exec(statement, &[]).is_ok(), "{statement}");
            }
        }
    }

    #[test]
    fn clearing_spares_the_kept_tables_and_the_version() {
        let sql = MemorySql::new();
        create(&sql).unwrap();
        sql.exec("INSERT INTO ended_sessions VALUES ('s', 1)", &[]).unwrap();
        clear(&sql, &["ended_sessions"]).unwrap();
        assert_eq!(sql.exec("SELECT 1 FROM ended_sessions", &[]).unwrap().len(), 1);
        clear(&sql, &[]).unwrap();
        assert_eq!(sql.exec("SELECT 1 FROM ended_sessions", &[]).unwrap().len(), 0);
        assert_eq!(ready(&sql), Ok(true));
    }

    proptest! {
        #[test]
        fn splitting_gives_back_exactly_the_statements_that_were_joined(
            statements in prop::collection::vec("[A-Z(][A-Za-z0-9 (),;']{0,30}[a-z)](\n[A-Z;]{1,5}[a-z)])?", 0..6),
            comment in "[ a-z;]{0,12}",
        ) {
            let parts: Vec<_> = statements.iter().map(|text| format!("-- {comment};\n{text};\n\n")).collect();
            let file = parts.concat();
            let parts: Vec<_> = split(&file).iter().map(|part| part.trim().to_owned()).collect();
            prop_assert_eq!(parts, statements);
        }
    }
}
