//! Refresh: rotation with one retry, lifetimes, scopes (rules T7 and T8).
#![expect(clippy::unwrap_used, reason = "a flow that cannot go on should stop")]

use super::granted::{CLIENT, Granted, RESOURCE, altered, presented, refresh, scopes};
use crate::agent::{GrantCommand, GrantError};
use crate::crypto::Secret;
use crate::identity::{Scope, ScopeSet};
use crate::oauth::token::{Kind, TokenKeys};

const DAY: u64 = 24 * 3600;

#[tokio::test(flavor = "current_thread")]
async fn rotation_never_extends_a_grant_and_no_access_token_outlives_it() {
    let granted = Granted::new();
    let first = granted.tokens().await;
    assert_eq!(first.expires_in, 3600);
    let end = granted.now() + 30 * DAY;
    granted.platform.clock.advance(30 * DAY - 100);
    let last = granted.take(refresh(&first.refresh)).await;
    assert_eq!(last.expires_in, 100);
    let keys = TokenKeys::new(&granted.platform.config.keys.encryption);
    assert_eq!(keys.read(Kind::Refresh, last.refresh.expose(), 0).unwrap().expires_at, end);
    granted.platform.clock.advance(100);
    assert_eq!(granted.ask(refresh(&last.refresh)).await, Err(GrantError::TokenInvalid));
    assert_eq!(granted.confirm(&last.access).await, Err(GrantError::TokenInvalid));
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_that_lost_the_answer_gets_the_same_tokens_again() {
    let granted = Granted::new();
    let first = granted.tokens().await;
    let lost = granted.take(refresh(&first.refresh)).await;
    granted.platform.clock.advance(10);
    let again = granted.take(refresh(&first.refresh)).await;
    assert_eq!((&again.access, &again.refresh), (&lost.access, &lost.refresh));
    assert_eq!(again.expires_in, lost.expires_in - 10);
}

#[tokio::test(flavor = "current_thread")]
async fn a_repeated_refresh_brings_fresh_tokens_where_the_old_ones_would_not_serve() {
    let granted = Granted::new();
    let first = granted.tokens().await;
    let lost = granted.take(refresh(&first.refresh)).await;
    granted.platform.clock.advance(3600);
    let again = granted.take(refresh(&first.refresh)).await;
    assert_ne!(again.refresh, lost.refresh);
    assert!(granted.confirm(&again.access).await.is_ok());
    assert_eq!(granted.ask(refresh(&lost.refresh)).await, Err(GrantError::TokenReused), "one live branch");
}

#[tokio::test(flavor = "current_thread")]
async fn a_replaced_refresh_token_ends_the_grant_once_a_successor_was_used() {
    for use_access in [true, false] {
        let granted = Granted::new();
        let first = granted.tokens().await;
        let second = granted.take(refresh(&first.refresh)).await;
        if use_access {
            granted.confirm(&second.access).await.unwrap();
        } else {
            granted.take(refresh(&second.refresh)).await;
        }
        assert_eq!(granted.ask(refresh(&first.refresh)).await, Err(GrantError::TokenReused));
        assert_eq!(granted.confirm(&second.access).await, Err(GrantError::Revoked));
        assert_eq!(granted.ask(refresh(&second.refresh)).await, Err(GrantError::Revoked));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_old_access_token_in_flight_does_not_end_the_grace() {
    let granted = Granted::new();
    let first = granted.tokens().await;
    let second = granted.take(refresh(&first.refresh)).await;
    granted.confirm(&first.access).await.unwrap();
    assert_eq!(granted.take(refresh(&first.refresh)).await.refresh, second.refresh);
}

#[tokio::test(flavor = "current_thread")]
async fn a_refresh_token_of_another_client_or_forged_changes_nothing() {
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    let foreign = altered(&refresh(&tokens.refresh), "client_id", "eve");
    assert_eq!(granted.ask(foreign).await, Err(GrantError::OtherClient));
    let forged = Secret::new(format!("{}A", tokens.refresh.expose()));
    assert_eq!(granted.ask(refresh(&forged)).await, Err(GrantError::TokenInvalid));
    assert!(granted.confirm(&tokens.access).await.is_ok());
}

#[tokio::test(flavor = "current_thread")]
async fn scope_may_only_shrink_and_resource_is_inherited() {
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    let with = |token: &Secret, asked, wanted: Option<&str>| GrantCommand::Refresh {
        token: token.clone(),
        client_id: CLIENT.to_owned(),
        scopes: asked,
        resource: wanted.map(str::to_owned),
        access: None,
    };
    let wider = Some(scopes().union(ScopeSet::of(&[Scope::ChatCreate])));
    assert_eq!(granted.ask(with(&tokens.refresh, wider, None)).await, Err(GrantError::ScopeExceeded));
    let evil = Some("https://evil.example/mcp");
    assert_eq!(granted.ask(with(&tokens.refresh, None, evil)).await, Err(GrantError::ResourceMismatch));
    let narrow = ScopeSet::of(&[Scope::MailRead]);
    let less = granted.take(with(&tokens.refresh, Some(narrow), None)).await;
    assert_eq!((less.scopes, less.resource.as_str()), (narrow, RESOURCE));
    assert_eq!(granted.grant.present(&presented(&less.access)).unwrap().scopes, narrow);
    assert_eq!(granted.take(refresh(&less.refresh)).await.scopes, scopes(), "the refresh token kept its own");
}

#[tokio::test(flavor = "current_thread")]
async fn a_clock_that_goes_back_breaks_nothing() {
    let granted = Granted::new();
    granted.platform.clock.advance(7200);
    let tokens = granted.tokens().await;
    granted.platform.clock.rewind(7200);
    assert!(granted.confirm(&tokens.access).await.is_ok());
    let next = granted.take(refresh(&tokens.refresh)).await;
    assert_eq!(next.expires_in, 3600);
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_that_refreshes_without_end_loses_its_oldest_access_token() {
    let granted = Granted::new();
    let mut tokens = vec![granted.tokens().await];
    for _ in 0..8 {
        let next = granted.take(refresh(&tokens.last().unwrap().refresh)).await;
        tokens.push(next);
    }
    let (oldest, rest) = tokens.split_first().unwrap();
    assert_eq!(granted.confirm(&oldest.access).await, Err(GrantError::TokenInvalid));
    for kept in rest {
        assert!(granted.confirm(&kept.access).await.is_ok());
    }
}
