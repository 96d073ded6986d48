//! The grant's one row. Every step reads it, decides, and writes it in one statement: nothing can be half done, and
//! what a failing storage refuses was not decided.
//!
//! A call asks for it many times, so it is remembered as long as the object lives. Nobody else writes it: an object has
//! its storage for itself, and one whose writes fail later than their statement is reset by the platform.

use std::cell::RefCell;
use std::rc::Rc;

use super::state::State;
use crate::agent::GrantError;
use crate::json;
use crate::ports::{Sql, SqlError, SqlRow, SqlValue};

/// What the listing in KV still lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    /// Nothing.
    Current,
    /// The entry has to be written.
    Write,
    /// The entry has to go.
    Delete,
}

impl Listing {
    const fn number(self) -> i64 {
        match self {
            Self::Current => 0,
            Self::Write => 1,
            Self::Delete => 2,
        }
    }

    const fn of(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::Current),
            1 => Some(Self::Write),
            2 => Some(Self::Delete),
            _ => None,
        }
    }
}

/// The row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) state: State,
    /// Microsoft's tokens.
    pub(super) sealed: Option<Rc<[u8]>>,
    /// Grows with every change that the listing shows.
    pub(super) revision: i64,
    pub(super) listing: Listing,
}

/// Where the row is kept.
pub(super) struct Rows {
    sql: Rc<dyn Sql>,
    /// What the storage holds, where that is known.
    known: RefCell<Option<Row>>,
}

impl Rows {
    /// Reads nothing yet.
    pub(super) fn new(sql: Rc<dyn Sql>) -> Self {
        Self { sql, known: RefCell::default() }
    }

    /// The row, or `None` where no grant was opened.
    pub(super) fn load(&self) -> Result<Option<Row>, GrantError> {
        let mut known = self.known.borrow_mut();
        if known.is_none() {
            let rows = self.sql.exec("SELECT state, sealed, revision, listing FROM grant_state", &[])?;
            *known = rows.into_iter().next().map(read).transpose()?;
        }
        Ok(known.clone())
    }

    /// Writes the whole row.
    pub(super) fn store(&self, row: &Row) -> Result<(), GrantError> {
        self.forget();
        write(&*self.sql, row)?;
        *self.known.borrow_mut() = Some(row.clone());
        Ok(())
    }

    /// The listing shows `revision` now. Without effect where a later change waits already.
    pub(super) fn listed(&self, revision: i64) -> Result<(), GrantError> {
        self.forget();
        self.sql.exec("UPDATE grant_state SET listing = 0 WHERE revision = ?", &[SqlValue::Integer(revision)])?;
        Ok(())
    }

    /// The storage may hold something else now, or nothing.
    pub(super) fn forget(&self) {
        *self.known.borrow_mut() = None;
    }
}

fn read(row: SqlRow) -> Result<Row, GrantError> {
    let Ok([SqlValue::Text(state), sealed, SqlValue::Integer(revision), SqlValue::Integer(listing)]) =
        <[SqlValue; 4]>::try_from(row)
    else {
        return Err(GrantError::Storage);
    };
    let sealed = match sealed {
        SqlValue::Blob(bytes) => Some(bytes.into()),
        SqlValue::Null => None,
        SqlValue::Integer(_) | SqlValue::Text(_) => return Err(GrantError::Storage),
    };
    Ok(Row {
        state: json::read(state.as_bytes()).map_err(|_| GrantError::Storage)?,
        sealed,
        revision,
        listing: Listing::of(listing).ok_or(GrantError::Storage)?,
    })
}

fn write(sql: &dyn Sql, row: &Row) -> Result<(), GrantError> {
    let statement = "INSERT OR REPLACE INTO grant_state (one, phase, state, sealed, ends_at, revision, listing) \
                     VALUES (1, ?, ?, ?, ?, ?, ?)";
    let state = serde_json::to_string(&row.state).map_err(|_| GrantError::Storage)?;
    let values = [
        SqlValue::Text(row.state.phase().to_owned()),
        SqlValue::Text(state),
        row.sealed.as_deref().map_or(SqlValue::Null, |bytes| SqlValue::Blob(bytes.to_vec())),
        SqlValue::Integer(i64::try_from(row.state.ends_at()).map_err(|_| GrantError::Storage)?),
        SqlValue::Integer(row.revision),
        SqlValue::Integer(row.listing.number()),
    ];
    sql.exec(statement, &values)?;
    Ok(())
}

impl Row {
    /// The row after a change that the listing shows.
    pub(super) fn changed(&self, state: State, sealed: Option<Rc<[u8]>>) -> Self {
        let listing = match &state {
            State::Active(_) => Listing::Write,
            State::Revoked(revoked) if revoked.user.is_some() => Listing::Delete,
            State::Approved(_) | State::SigningIn(_) | State::SignedIn(_) | State::Revoked(_) => Listing::Current,
        };
        Self { state, sealed, revision: self.revision.saturating_add(1), listing }
    }

    /// The row after a change that the listing does not show.
    pub(super) fn with(self, state: State) -> Self {
        Self { state, ..self }
    }
}

impl From<SqlError> for GrantError {
    fn from(_: SqlError) -> Self {
        Self::Storage
    }
}
