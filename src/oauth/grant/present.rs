//! Whose access token this is, and which legacy sessions their clients ended.

use super::Grant;
use super::state::State;
use crate::agent::{Caller, Description, GrantError, GrantReply, Presented, Streams, forget_wishes};
use crate::identity::UserId;
use crate::ports::SqlValue;

/// How many ended sessions are remembered. A client ends one now and then; more than this is a loop, and forgetting
/// the oldest only lets its own client use it again.
const ENDED_SESSIONS: i64 = 256;

impl Grant {
    /// Whose token this is, if it counts. Its first use proves that the answer which brought it has arrived.
    pub fn present(&self, presented: &Presented) -> Result<Caller, GrantError> {
        let row = self.load()?;
        let mut active = match &row.state {
            State::Active(active) => active.clone(),
            State::Revoked(_) => return Err(GrantError::Revoked),
            State::Approved(_) | State::SigningIn(_) | State::SignedIn(_) => return Err(GrantError::TokenInvalid),
        };
        let digest = presented.token.digest();
        let scopes = active.find_access(&digest, self.now()).ok_or(GrantError::TokenInvalid)?.scopes;
        active.terms.check_access(presented.access.as_ref())?;
        if active.sign_in_needed {
            return Err(GrantError::SignInNeeded);
        }
        self.check_session(presented)?;
        let caller = Caller {
            grant: active.terms.grant,
            user: active.terms.user,
            profile: active.terms.profile.clone(),
            scopes,
            granted: active.terms.scopes,
            refused: active.terms.refused(),
            access: active.terms.access.clone(),
        };
        if active.is_newest_access(&digest) && active.confirm_successor() {
            self.store(&row.with(State::Active(active)))?;
        }
        Ok(caller)
    }

    /// That the token counts, and which client's it is.
    pub(super) fn confirm(&self, presented: &Presented) -> Result<GrantReply, GrantError> {
        self.present(presented)?;
        match self.load()?.state {
            State::Active(active) => Ok(GrantReply::Confirmed(active.slot())),
            State::Approved(_) | State::SigningIn(_) | State::SignedIn(_) | State::Revoked(_) => {
                Err(GrantError::TokenInvalid)
            }
        }
    }

    /// What the grant is, as long as it stands.
    pub(super) fn describe(&self, user: UserId) -> Result<GrantReply, GrantError> {
        let active = match self.load()?.state {
            State::Active(active) => active,
            State::Revoked(_) => return Err(GrantError::Revoked),
            State::Approved(_) | State::SigningIn(_) | State::SignedIn(_) => return Err(GrantError::Unknown),
        };
        let last_used_at = active.last_issued_at();
        let terms = active.terms;
        if terms.user != user {
            return Err(GrantError::OtherIdentity);
        }
        if terms.ends_at <= self.now() {
            return Err(GrantError::Revoked);
        }
        Ok(GrantReply::Described(Description {
            grant: terms.grant,
            client_id: terms.client_id,
            client_name: terms.client_name,
            redirect_uri: active.redirect_uri,
            scopes: terms.scopes,
            created_at: terms.created_at,
            last_used_at,
            ends_at: terms.ends_at,
            sign_in_needed: active.sign_in_needed,
        }))
    }

    /// Whether this is a grant's object, over or not; one whose storage does not say might be.
    pub fn exists(&self) -> bool {
        !matches!(self.load(), Err(GrantError::Unknown))
    }

    /// `DELETE` of a legacy session.
    pub(super) fn end_session(&self, presented: &Presented) -> Result<GrantReply, GrantError> {
        self.present(presented)?;
        let Some(session) = &presented.session else { return Ok(GrantReply::Done) };
        let ended_at = i64::try_from(self.now()).map_err(|_| GrantError::Storage)?;
        let sql = &*self.ports.sql;
        sql.exec(
            "INSERT OR REPLACE INTO ended_sessions (session, ended_at) VALUES (?, ?)",
            &[SqlValue::Text(session.clone()), SqlValue::Integer(ended_at)],
        )?;
        sql.exec(
            "DELETE FROM ended_sessions WHERE rowid NOT IN \
             (SELECT rowid FROM ended_sessions ORDER BY ended_at DESC, rowid DESC LIMIT ?)",
            &[SqlValue::Integer(ENDED_SESSIONS)],
        )?;
        Streams::new(&self.ports).end_session(session)?;
        forget_wishes(&self.ports, session)?;
        Ok(GrantReply::Done)
    }

    fn check_session(&self, presented: &Presented) -> Result<(), GrantError> {
        let Some(session) = &presented.session else { return Ok(()) };
        let query = "SELECT 1 FROM ended_sessions WHERE session = ?";
        let found = self.ports.sql.exec(query, &[SqlValue::Text(session.clone())])?;
        if found.is_empty() { Ok(()) } else { Err(GrantError::SessionEnded) }
    }
}
