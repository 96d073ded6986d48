//! Clients' assertions that were used at this grant (RFC 7523 section 3, `jti`): each counts once until it expires.
//!
//! The grant's object decides, because an assertion is worth something only beside one of the grant's codes or tokens.

use super::Grant;
use super::state::State;
use crate::agent::{AssertionId, GrantError};
use crate::ports::SqlValue;

/// How many live assertions are remembered. A client needs one an hour, and each lives five minutes; beyond this nothing
/// is forgotten, but refused.
const MOST: i64 = 64;

impl Grant {
    /// Spends the assertion of the grant's own client. Another client's changes nothing here: its step is refused.
    pub(super) fn spend(&self, assertion: &AssertionId, client_id: &str) -> Result<(), GrantError> {
        let row = self.load()?;
        let terms = match &row.state {
            State::SignedIn(state) => &state.terms,
            State::Active(state) => &state.terms,
            State::Approved(_) | State::SigningIn(_) | State::Revoked(_) => return Ok(()),
        };
        terms.check_client(client_id)?;
        let number = |seconds: u64| i64::try_from(seconds).map(SqlValue::Integer).map_err(|_| GrantError::Storage);
        let sql = &*self.ports.sql;
        sql.exec("DELETE FROM used_assertions WHERE expires_at <= ?", &[number(self.now())?])?;
        let added = sql.exec(
            "INSERT INTO used_assertions (jti, expires_at) SELECT ?, ? \
             WHERE (SELECT count(*) FROM used_assertions) < ? ON CONFLICT DO NOTHING RETURNING jti",
            &[SqlValue::Text(assertion.jti.to_string()), number(assertion.expires_at)?, SqlValue::Integer(MOST)],
        )?;
        if added.is_empty() { Err(GrantError::AssertionReused) } else { Ok(()) }
    }
}
