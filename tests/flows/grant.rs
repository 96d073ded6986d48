//! From consent to tokens: rules T4 to T6, the Access identity, evictions, failing storage.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a flow that cannot go on should stop")]

use super::granted::{CLIENT, Granted, altered, identity, presented, redeem, refresh, request, state, tokens_of, user};
use crate::agent::{GrantCommand, GrantError, GrantReply, Presented};
use crate::crypto::{Digest, Secret};
use crate::identity::{Scope, ScopeSet};
use crate::ports::Sql;

const DAY: u64 = 24 * 3600;

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
    let granted = Granted::new();
    let code = granted.code().await;
    for (field, value, error) in [
        ("client_id", "eve", GrantError::OtherClient),
        ("redirect_uri", "http://127.0.0.1/other", GrantError::RedirectMismatch),
        ("code_challenge", "other", GrantError::VerifierMismatch),
        ("resource", "https://evil.example", GrantError::ResourceMismatch),
        ("code", "m365c.x", GrantError::CodeInvalid),
    ] {
        let altered = altered(&redeem(&code), field, value);
        assert_eq!(granted.ask(altered).await, Err(error), "{field}");
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
    let foreign = altered(&redeem(&code), "client_id", "eve");
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
    let caller = granted.grant.present(&presented(&tokens.access)).unwrap();
    assert_eq!(caller.refused, ScopeSet::of(&[Scope::MailSend]), "it was asked for, and Entra said no");
}

#[tokio::test(flavor = "current_thread")]
async fn a_row_of_before_the_asked_scopes_were_kept_is_still_read() {
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    let older = "UPDATE grant_state SET state = json_remove(state, '$.Active.terms.requested')";
    granted.sql.exec(older, &[]).unwrap();
    assert!(!granted.dump().contains("requested"));
    assert_eq!(granted.grant.present(&presented(&tokens.access)).unwrap().refused, ScopeSet::default());
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
async fn a_grant_goes_on_after_an_eviction_at_any_step() {
    let mut granted = Granted::new();
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
