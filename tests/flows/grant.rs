//! The life of one grant: rules T4 to T8, the Access identity, revocation, failing storage.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a flow that cannot go on should stop")]

use super::granted::{CLIENT, Granted, identity, presented, redeem, refresh, request, scopes, state, tokens_of, user};
use crate::agent::{GrantCommand, GrantError, GrantReply, Presented};
use crate::crypto::{Digest, Secret};
use crate::identity::{Scope, ScopeSet};
use crate::oauth::token::{Kind, TokenKeys};
use crate::ports::Sql;
use crate::support::TestPlatform;

const DAY: u64 = 24 * 3600;

fn sessions(granted: &Granted) -> usize {
    granted.sql.exec("SELECT 1 FROM ended_sessions", &[]).unwrap().len()
}

#[tokio::test(flavor = "current_thread")]
async fn a_command_on_an_object_that_no_grant_was_opened_in_is_unknown_and_writes_nothing() {
    let granted = Granted::new();
    let token = Secret::new("m365r.x.y.z");
    let commands = [
        granted.begin_command(),
        granted.finish_command(),
        GrantCommand::AbandonSignIn,
        redeem(&token),
        refresh(&token),
        GrantCommand::Revoke { token: token.clone(), client_id: CLIENT.to_owned() },
        GrantCommand::RevokeByUser { user: user() },
        GrantCommand::Confirm(presented(&token)),
        GrantCommand::EndSession(presented(&token)),
    ];
    for command in commands {
        assert_eq!(granted.ask(command).await, Err(GrantError::Unknown));
    }
    assert_eq!(granted.grant.sweep().await, Ok(None));
    assert!(granted.sql.exec("SELECT 1 FROM sqlite_master", &[]).unwrap().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_grant_is_opened_once() {
    let granted = Granted::new();
    assert_eq!(granted.ask(granted.open_command()).await, Ok(GrantReply::Done));
    assert_eq!(granted.ask(granted.open_command()).await, Err(GrantError::Exists));
}

#[tokio::test(flavor = "current_thread")]
async fn a_state_works_once_and_only_the_right_one() {
    let granted = Granted::new();
    granted.ask(granted.open_command()).await.unwrap();
    let wrong = GrantCommand::BeginSignIn { state: Digest::of(b"another"), access: None };
    assert_eq!(granted.ask(wrong).await, Err(GrantError::StateInvalid));
    assert_eq!(
        granted.ask(granted.finish_command()).await,
        Err(GrantError::StateInvalid),
        "not before the browser is back"
    );
    assert_eq!(granted.ask(granted.begin_command()).await, Ok(GrantReply::Approved(request())));
    assert_eq!(granted.ask(granted.begin_command()).await, Err(GrantError::StateInvalid));
    assert!(granted.ask(granted.finish_command()).await.is_ok());
    assert_eq!(granted.ask(granted.finish_command()).await, Err(GrantError::StateInvalid));
}

#[tokio::test(flavor = "current_thread")]
async fn a_sign_in_takes_ten_minutes_at_most_whatever_the_command_says() {
    for (wait, good) in [(599, true), (600, false)] {
        let granted = Granted::new();
        let expires_at = granted.now() + DAY;
        let open =
            GrantCommand::Open { grant: granted.id, request: request(), state: state(), access: None, expires_at };
        granted.ask(open).await.unwrap();
        granted.platform.clock.advance(wait);
        assert_eq!(granted.ask(granted.begin_command()).await.is_ok(), good, "after {wait} s");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn nobody_but_the_person_who_consented_comes_back_uses_or_refreshes() {
    let granted = Granted { access: Some(identity("adele")), ..Granted::new() };
    granted.ask(granted.open_command()).await.unwrap();
    for access in [Some(identity("eve")), None] {
        let other = GrantCommand::BeginSignIn { state: state(), access };
        assert_eq!(granted.ask(other).await, Err(GrantError::OtherIdentity));
    }
    granted.ask(granted.begin_command()).await.unwrap();
    let Ok(GrantReply::Code(code)) = granted.ask(granted.finish_command()).await else { panic!("no code") };
    let tokens = granted.take(redeem(&code)).await;
    for (sub, good) in [("eve", false), ("adele", true)] {
        let by = Presented { access: Some(identity(sub)), ..presented(&tokens.access) };
        assert_eq!(granted.ask(GrantCommand::Confirm(by)).await.is_ok(), good, "{sub}");
    }
    assert!(granted.confirm(&tokens.access).await.is_ok(), "a path that Access does not guard brings nobody");
    for (sub, good) in [("eve", false), ("adele", true)] {
        let by = GrantCommand::Refresh {
            token: tokens.refresh.clone(),
            client_id: CLIENT.to_owned(),
            scopes: None,
            resource: None,
            access: Some(identity(sub)),
        };
        assert_eq!(granted.ask(by).await.is_ok(), good, "{sub}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_check_that_fails_does_not_spend_the_code() {
    type Change = fn(&mut GrantCommand);
    let changes: [(Change, GrantError); 5] = [
        (
            |it| {
                if let GrantCommand::Redeem { client_id, .. } = it {
                    *client_id = "eve".into()
                }
            },
            GrantError::OtherClient,
        ),
        (
            |it| {
                if let GrantCommand::Redeem { redirect_uri, .. } = it {
                    *redirect_uri = Some("http://127.0.0.1/x".into())
                }
            },
            GrantError::RedirectMismatch,
        ),
        (
            |it| {
                if let GrantCommand::Redeem { code_challenge, .. } = it {
                    *code_challenge = "other".into()
                }
            },
            GrantError::VerifierMismatch,
        ),
        (
            |it| {
                if let GrantCommand::Redeem { resource, .. } = it {
                    *resource = Some("https://evil.example".into())
                }
            },
            GrantError::ResourceMismatch,
        ),
        (
            |it| {
                if let GrantCommand::Redeem { code, .. } = it {
                    *code = Secret::new("m365c.x")
                }
            },
            GrantError::CodeInvalid,
        ),
    ];
    let granted = Granted::new();
    let code = granted.code().await;
    for (change, error) in changes {
        let mut command = redeem(&code);
        change(&mut command);
        assert_eq!(granted.ask(command).await, Err(error));
    }
    assert!(granted.ask(redeem(&code)).await.is_ok());
}

#[tokio::test(flavor = "current_thread")]
async fn a_code_lives_a_minute() {
    for (wait, good) in [(59, true), (60, false)] {
        let granted = Granted::new();
        let code = granted.code().await;
        granted.platform.clock.advance(wait);
        assert_eq!(granted.ask(redeem(&code)).await.is_ok(), good, "after {wait} s");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_used_code_ends_the_grant_but_only_from_its_own_client() {
    let granted = Granted::new();
    let code = granted.code().await;
    let tokens = granted.take(redeem(&code)).await;
    let mut foreign = redeem(&code);
    if let GrantCommand::Redeem { client_id, .. } = &mut foreign {
        *client_id = "eve".into();
    }
    assert_eq!(granted.ask(foreign).await, Err(GrantError::OtherClient));
    assert_eq!(granted.ask(redeem(&Secret::new("m365c.x"))).await, Err(GrantError::CodeInvalid));
    assert!(granted.confirm(&tokens.access).await.is_ok(), "neither had an effect");
    assert_eq!(granted.ask(redeem(&code)).await, Err(GrantError::CodeReused));
    assert_eq!(granted.confirm(&tokens.access).await, Err(GrantError::Revoked));
    assert_eq!(granted.ask(refresh(&tokens.refresh)).await, Err(GrantError::Revoked));
    assert!(granted.platform.log.text().contains(r#""reason":"code_reused""#));
}

#[tokio::test(flavor = "current_thread")]
async fn scopes_that_entra_did_not_grant_are_not_handed_on() {
    let granted = Granted::new();
    granted.ask(granted.open_command()).await.unwrap();
    granted.ask(granted.begin_command()).await.unwrap();
    let mut finish = granted.finish_command();
    if let GrantCommand::FinishSignIn { tokens, .. } = &mut finish {
        tokens.scopes = ScopeSet::of(&[Scope::UserRead, Scope::MailReadWrite]);
    }
    let Ok(GrantReply::Code(code)) = granted.ask(finish).await else { panic!("no code") };
    let tokens = granted.take(redeem(&code)).await;
    assert_eq!(tokens.scopes, ScopeSet::of(&[Scope::UserRead, Scope::MailRead]), "reading is part of writing");
}

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
async fn an_access_token_lives_an_hour() {
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    granted.platform.clock.advance(3599);
    assert!(granted.confirm(&tokens.access).await.is_ok());
    granted.platform.clock.advance(1);
    assert_eq!(granted.confirm(&tokens.access).await, Err(GrantError::TokenInvalid));
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
    let mut foreign = refresh(&tokens.refresh);
    if let GrantCommand::Refresh { client_id, .. } = &mut foreign {
        *client_id = "eve".into();
    }
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
    assert_eq!((less.scopes, less.resource.as_str()), (narrow, super::granted::RESOURCE));
    assert_eq!(granted.grant.present(&presented(&less.access)).unwrap().scopes, narrow);
    assert_eq!(granted.take(refresh(&less.refresh)).await.scopes, scopes(), "the refresh token kept its own");
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

#[tokio::test(flavor = "current_thread")]
async fn a_grant_goes_on_after_an_eviction_at_any_step() {
    let platform = TestPlatform::new(&[]);
    let mut granted = Granted::on(platform);
    granted.ask(granted.open_command()).await.unwrap();
    granted.evict();
    granted.ask(granted.begin_command()).await.unwrap();
    granted.evict();
    let Ok(GrantReply::Code(code)) = granted.ask(granted.finish_command()).await else { panic!("no code") };
    granted.evict();
    let first = granted.take(redeem(&code)).await;
    granted.evict();
    let second = granted.take(refresh(&first.refresh)).await;
    granted.evict();
    assert_eq!(granted.take(refresh(&first.refresh)).await.refresh, second.refresh);
    granted.confirm(&second.access).await.unwrap();
    granted.evict();
    assert_eq!(granted.ask(refresh(&first.refresh)).await, Err(GrantError::TokenReused));
    granted.evict();
    assert_eq!(granted.confirm(&second.access).await, Err(GrantError::Revoked));
}

/// Fails the storage at each statement of each step in turn.
#[tokio::test(flavor = "current_thread")]
async fn what_a_failing_storage_refuses_was_not_decided() {
    for budget in 0..12 {
        let granted = Granted::new();
        let mut steps = Steps { granted: &granted, budget, failures: 0 };
        steps.brittle(|| granted.open_command()).await.unwrap();
        steps.brittle(|| granted.begin_command()).await.unwrap();
        let Ok(GrantReply::Code(code)) = steps.brittle(|| granted.finish_command()).await else { panic!("no code") };
        let first = tokens_of(steps.brittle(|| redeem(&code)).await);
        let second = tokens_of(steps.brittle(|| refresh(&first.refresh)).await);
        steps.brittle(|| GrantCommand::Confirm(presented(&second.access))).await.unwrap();
        assert_eq!(steps.brittle(|| refresh(&first.refresh)).await, Err(GrantError::TokenReused));
        assert_eq!(granted.confirm(&second.access).await, Err(GrantError::Revoked));
        assert!(budget > 0 || steps.failures == 7, "every step touches the storage");
    }
}

struct Steps<'a> {
    granted: &'a Granted,
    budget: usize,
    failures: usize,
}

impl Steps<'_> {
    /// The command with a storage that fails after some statements, and once more with a sound one where it did.
    async fn brittle(&mut self, command: impl Fn() -> GrantCommand) -> Result<GrantReply, GrantError> {
        self.granted.sql.budget.set(Some(self.budget));
        let result = self.granted.ask(command()).await;
        self.granted.sql.budget.set(None);
        if result != Err(GrantError::Storage) {
            return result;
        }
        self.failures += 1;
        self.granted.ask(command()).await
    }
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
