//! The end of a grant: revocation, abandonment, sessions, erasure.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a flow that cannot go on should stop")]

use super::granted::{CLIENT, Granted, presented, refresh, user};
use crate::agent::{GrantCommand, GrantError, GrantReply, Presented};
use crate::crypto::Secret;
use crate::ports::Sql;

const DAY: u64 = 24 * 3600;

fn sessions(granted: &Granted) -> usize {
    granted.sql.exec("SELECT 1 FROM ended_sessions", &[]).unwrap().len()
}

#[tokio::test(flavor = "current_thread")]
async fn revoking_an_access_token_spares_the_grant_and_a_refresh_token_ends_it() {
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    let revoke = |token: &Secret, client: &str| GrantCommand::Revoke { token: token.clone(), client_id: client.into() };
    assert_eq!(granted.ask(revoke(&tokens.refresh, "eve")).await, Err(GrantError::OtherClient));
    assert_eq!(granted.ask(revoke(&Secret::new("m365r.x"), CLIENT)).await, Ok(GrantReply::Done));
    assert_eq!(granted.ask(revoke(&tokens.access, CLIENT)).await, Ok(GrantReply::Done));
    assert_eq!(granted.confirm(&tokens.access).await, Err(GrantError::TokenInvalid));
    let next = granted.take(refresh(&tokens.refresh)).await;
    assert_eq!(granted.ask(revoke(&next.refresh, CLIENT)).await, Ok(GrantReply::Done));
    assert_eq!(granted.confirm(&next.access).await, Err(GrantError::Revoked));
    assert_eq!(granted.ask(revoke(&next.refresh, CLIENT)).await, Ok(GrantReply::Done), "again is no error");
}

#[tokio::test(flavor = "current_thread")]
async fn only_its_own_user_ends_a_grant() {
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    let eve = crate::identity::UserId { oid: uuid::Uuid::from_u128(0xe7e), ..user() };
    assert_eq!(granted.ask(GrantCommand::RevokeByUser { user: eve }).await, Err(GrantError::OtherIdentity));
    assert!(granted.confirm(&tokens.access).await.is_ok());
    assert_eq!(granted.ask(GrantCommand::RevokeByUser { user: user() }).await, Ok(GrantReply::Done));
    assert_eq!(granted.confirm(&tokens.access).await, Err(GrantError::Revoked));
}

#[tokio::test(flavor = "current_thread")]
async fn a_grant_is_described_to_its_own_user_while_it_stands() {
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    let describe = |user| GrantCommand::Describe { user };
    let eve = crate::identity::UserId { oid: uuid::Uuid::from_u128(0xe7e), ..user() };
    assert_eq!(granted.ask(describe(eve)).await, Err(GrantError::OtherIdentity));
    granted.platform.clock.advance(1800);
    granted.take(refresh(&tokens.refresh)).await;
    let Ok(GrantReply::Described(shown)) = granted.ask(describe(user())).await else { panic!("no description") };
    assert_eq!((shown.last_used_at, shown.created_at), (granted.now(), granted.now() - 1800));
    assert_eq!((shown.client_id.as_str(), shown.redirect_uri.as_str()), (CLIENT, super::granted::REDIRECT));
    granted.ask(GrantCommand::RevokeByUser { user: user() }).await.unwrap();
    assert_eq!(granted.ask(describe(user())).await, Err(GrantError::Revoked));
}

#[tokio::test(flavor = "current_thread")]
async fn an_ended_session_stays_ended_and_others_go_on() {
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    let of = |session: &str| Presented { session: Some(session.to_owned()), ..presented(&tokens.access) };
    assert_eq!(granted.ask(GrantCommand::EndSession(of("one"))).await, Ok(GrantReply::Done));
    assert_eq!(granted.ask(GrantCommand::Confirm(of("one"))).await, Err(GrantError::SessionEnded));
    assert_eq!(granted.ask(GrantCommand::EndSession(of("one"))).await, Err(GrantError::SessionEnded));
    assert!(granted.ask(GrantCommand::Confirm(of("two"))).await.is_ok());
    for index in 0..300 {
        granted.ask(GrantCommand::EndSession(of(&format!("s{index}")))).await.unwrap();
    }
    assert_eq!(sessions(&granted), 256, "the memory of ended sessions is bounded");
    assert_eq!(granted.ask(GrantCommand::Confirm(of("s299"))).await, Err(GrantError::SessionEnded));
}

#[tokio::test(flavor = "current_thread")]
async fn an_abandoned_sign_in_leaves_nothing_and_a_finished_one_cannot_be_abandoned() {
    let granted = Granted::new();
    granted.ask(granted.open_command()).await.unwrap();
    assert_eq!(granted.ask(GrantCommand::AbandonSignIn).await, Ok(GrantReply::Done));
    assert!(granted.sql.exec("SELECT 1 FROM sqlite_master", &[]).unwrap().is_empty());
    assert_eq!(granted.ask(granted.begin_command()).await, Err(GrantError::Unknown));
    let tokens = granted.tokens().await;
    assert_eq!(granted.ask(GrantCommand::AbandonSignIn).await, Err(GrantError::StateInvalid));
    assert!(granted.confirm(&tokens.access).await.is_ok());
}

#[tokio::test(flavor = "current_thread")]
async fn a_revoked_grant_is_a_tombstone_until_its_end_and_then_erased() {
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    let session = Presented { session: Some("one".to_owned()), ..presented(&tokens.access) };
    granted.ask(GrantCommand::EndSession(session)).await.unwrap();
    granted.ask(GrantCommand::RevokeByUser { user: user() }).await.unwrap();
    assert_eq!(sessions(&granted), 0);
    let dump = granted.dump();
    for gone in ["wrapped", "digest", "adele", CLIENT, "Inbox", "Blob"] {
        assert!(!dump.contains(gone), "{gone} in {dump}");
    }
    let end = granted.now() + 30 * DAY;
    assert_eq!(granted.grant.sweep().await, Ok(Some(end)));
    assert_eq!(granted.confirm(&tokens.access).await, Err(GrantError::Revoked));
    granted.platform.clock.advance(30 * DAY);
    assert_eq!(granted.grant.sweep().await, Ok(None));
    assert!(granted.sql.exec("SELECT 1 FROM sqlite_master", &[]).unwrap().is_empty());
}
