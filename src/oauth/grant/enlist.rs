//! The grant reports itself to its user's object: when it becomes active, and when it ends. A client that signs in anew
//! thereby ends its earlier grants (rule U1).
//!
//! At redemption and not at the sign-in: a person who signs in and whose client never fetches the tokens keeps the
//! grant that works. What is owed stands in the row, so a user's object that does not answer costs nobody a sign-in:
//! the next command or the alarm tries again. Of two sign-ins that finish together the user's object makes one the
//! later, and only the later one ends the other.

use std::cell::Cell;

use futures_util::future::{Either, select};
use serde::{Deserialize, Serialize};

use super::Grant;
use super::state::{Active, Revoked, State, Terms};
use crate::agent::{AgentName, Command, Enlisted, GrantCommand, GrantError, Reply, UserCommand, UserReply};
use crate::crypto::Digest;
use crate::identity::{GrantId, UserId};
use crate::oauth::redirect_uri;

/// A client waits for its tokens meanwhile.
const LIMIT_MS: u64 = 5_000;

/// Seconds until what failed is tried again.
const RETRY: u64 = 30;

/// How often one command follows changes that other commands make meanwhile.
const ROUNDS: usize = 4;

/// What an active grant owes to its user's object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Enlisting {
    /// To be listed, and nothing more: a row of before there was a list.
    #[default]
    Owed,
    /// To be listed, and to end the earlier grants of its client.
    Replacing,
    /// Nothing.
    Done,
}

/// Gives the pen back even when the command that held it is dropped.
struct Pen<'a>(&'a Cell<bool>);

impl Drop for Pen<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Active {
    /// The client, as one sign-in of it is told from another client's.
    pub(super) fn slot(&self) -> Digest {
        slot(&self.terms.client_id, &self.redirect_uri)
    }
}

impl State {
    /// Whether the user's object knows all it has to.
    pub(super) const fn is_settled(&self) -> bool {
        match self {
            Self::Active(active) => matches!(active.enlisting, Enlisting::Done),
            Self::Revoked(revoked) => !revoked.listed,
            Self::Approved(_) | Self::SigningIn(_) | Self::SignedIn(_) => true,
        }
    }
}

impl Grant {
    /// Tells the user's object what it does not know yet; the grants that ended by it. What fails is tried again by
    /// the alarm.
    pub(super) async fn settle(&self) -> Vec<GrantId> {
        if self.settled.get() || self.settling.replace(true) {
            return Vec::new();
        }
        let _pen = Pen(&self.settling);
        let work = Box::pin(self.try_settle());
        match select(work, self.ports.timer.sleep(LIMIT_MS)).await {
            Either::Left((Ok(ended), _)) => ended,
            Either::Left((Err(_), _)) | Either::Right(_) => {
                self.list_from.set(self.now().saturating_add(RETRY));
                self.come_back().await;
                Vec::new()
            }
        }
    }

    async fn try_settle(&self) -> Result<Vec<GrantId>, GrantError> {
        let mut ended = Vec::new();
        for _ in 0..ROUNDS {
            let row = match self.load() {
                Ok(row) => row,
                Err(GrantError::Unknown) => return Ok(ended),
                Err(error) => return Err(error),
            };
            match &row.state {
                state if state.is_settled() => {
                    self.settled.set(true);
                    return Ok(ended);
                }
                State::Active(active) => ended.extend(self.enlist(active).await?),
                State::Revoked(revoked) => self.delist(revoked).await?,
                State::Approved(_) | State::SigningIn(_) | State::SignedIn(_) => {}
            }
        }
        Err(GrantError::Storage)
    }

    async fn enlist(&self, active: &Active) -> Result<Vec<GrantId>, GrantError> {
        let Terms { grant, user, ends_at, .. } = active.terms;
        let entry =
            Enlisted { grant, slot: active.slot(), ends_at, replaces: active.enlisting == Enlisting::Replacing };
        let earlier = self.ask_user(user, UserCommand::Enlist(entry)).await?;
        // Meanwhile this grant may have ended; then it replaces nobody.
        if !matches!(self.load()?.state, State::Active(_)) {
            return Ok(Vec::new());
        }
        for other in &earlier {
            self.end_other(*other, user).await?;
        }
        let row = self.load()?;
        if let State::Active(mut active) = row.state.clone() {
            active.enlisting = Enlisting::Done;
            self.store(&row.with(State::Active(active)))?;
        }
        Ok(earlier)
    }

    async fn end_other(&self, grant: GrantId, user: UserId) -> Result<(), GrantError> {
        let command = Command::Grant(GrantCommand::RevokeByUser { user });
        match self.ports.agents.call(&AgentName::Grant(grant), &command).await {
            Ok(Reply::Grant(Ok(_) | Err(GrantError::Revoked))) => Ok(()),
            // An object that is empty cannot report its end.
            Ok(Reply::Grant(Err(GrantError::Unknown))) => {
                let ends_at = self.load()?.state.ends_at();
                self.ask_user(user, UserCommand::Delist { grant, ends_at }).await.map(|_| ())
            }
            Ok(_) | Err(_) => Err(GrantError::Storage),
        }
    }

    async fn delist(&self, revoked: &Revoked) -> Result<(), GrantError> {
        if let Revoked { grant, user: Some(user), ends_at, .. } = *revoked {
            self.ask_user(user, UserCommand::Delist { grant, ends_at }).await?;
        }
        let row = self.load()?;
        if let State::Revoked(mut revoked) = row.state.clone() {
            revoked.listed = false;
            self.store(&row.with(State::Revoked(revoked)))?;
        }
        Ok(())
    }

    async fn ask_user(&self, user: UserId, command: UserCommand) -> Result<Vec<GrantId>, GrantError> {
        match self.ports.agents.call(&AgentName::User(user), &Command::User(command)).await {
            Ok(Reply::User(Ok(UserReply::Grants(grants)))) => Ok(grants),
            Ok(Reply::User(Err(error))) => Err(error),
            Ok(_) | Err(_) => Err(GrantError::Storage),
        }
    }
}

/// What makes two grants of one user the same client's. A registered client is its id. A metadata document is one id for
/// every installation of an app, so there the redirect URI tells them apart, but for the port that loopback clients
/// choose anew each time.
fn slot(client_id: &str, redirect_uri: &str) -> Digest {
    let place =
        if client_id.starts_with("https://") { redirect_uri::without_loopback_port(redirect_uri) } else { "".into() };
    Digest::of(format!("{client_id}\n{place}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_redirect_uri_tells_only_clients_apart_that_share_an_id_and_its_loopback_port_never() {
        let id = "https://app.example/client.json";
        assert_eq!(slot("one", "http://localhost:1/cb"), slot("one", "https://app.example/cb"));
        assert_ne!(slot("one", "http://localhost:1/cb"), slot("two", "http://localhost:1/cb"));
        assert_eq!(slot(id, "http://127.0.0.1:1/cb?a=1"), slot(id, "http://127.0.0.1:2/cb?a=1"));
        for other in ["http://localhost:1/cb?a=1", "http://127.0.0.1:1/cb", "https://127.0.0.1:1/cb?a=1"] {
            assert_ne!(slot(id, "http://127.0.0.1:1/cb?a=1"), slot(id, other), "{other}");
        }
        assert_ne!(slot(id, "https://app.example:1/cb"), slot(id, "https://app.example:2/cb"));
    }
}
