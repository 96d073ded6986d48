//! Claims challenges (continuous access evaluation, authentication contexts): what Graph asks for reaches Entra, by a
//! renewal where that is enough, otherwise by the user's next sign-in.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a flow that cannot go on should stop"
)]

use serde_json::json;
use uuid::Uuid;

use super::granted::{Granted, MICROSOFT_ACCESS, entra_answer, presented, redeem, refresh, request, state, user};
use super::world::{World, encode, param, query_of};
use crate::agent::{
    AgentName, Command, GrantCommand, GrantError, GrantReply, Reply, TokenSource as _, UserCommand, UserReply,
};
use crate::crypto::Secret;
use crate::identity::UserId;
use crate::oauth::entra::claims::Claims;
use crate::ports::{Agents as _, OutboundRequest};
use crate::support::{TENANT, TestPlatform};

const CHALLENGE: &str = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
const MERGED: &str = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"},"xms_cc":{"values":["cp1"]}}}"#;
const CP1: &str = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;
const DAY: u64 = 24 * 3600;

fn claims() -> Claims {
    Claims::parse(CHALLENGE).unwrap()
}

async fn ask(platform: &TestPlatform, user: UserId, command: UserCommand) -> Option<Claims> {
    match platform.agents.call(&AgentName::User(user), &Command::User(command)).await {
        Ok(Reply::User(Ok(UserReply::Claims(claims)))) => claims,
        other => panic!("{other:?}"),
    }
}

/// The `claims` parameter of each token request that was sent.
fn sent(platform: &TestPlatform) -> Vec<String> {
    let of = |request: &OutboundRequest| {
        let form = form_urlencoded::parse(request.body.as_deref()?).into_owned();
        form.into_iter().find(|(name, _)| name == "claims").map(|(_, value)| value)
    };
    platform.upstream.seen.borrow().iter().filter_map(of).collect()
}

/// A grant, and its client's token.
async fn granted() -> (Granted, Secret) {
    let granted = Granted::new();
    let tokens = granted.tokens().await;
    (granted, tokens.access)
}

async fn renew(granted: &Granted, client: &Secret, challenge: &str) -> Result<Secret, GrantError> {
    let by = presented(client);
    granted.grant.tokens(&by).renewed(&Secret::new(MICROSOFT_ACCESS), Some(challenge)).await
}

fn interaction_required(granted: &Granted) {
    let refusal = json!({ "error": "interaction_required", "suberror": "basic_action", "error_codes": [50076] });
    granted.platform.upstream.push_json(400, &refusal);
}

#[tokio::test(flavor = "current_thread")]
async fn entra_is_asked_once_and_what_it_refuses_waits_for_the_users_next_sign_in() {
    let (granted, client) = granted().await;
    interaction_required(&granted);
    assert_eq!(renew(&granted, &client, CHALLENGE).await, Err(GrantError::SignInNeeded));
    assert_eq!(renew(&granted, &client, CHALLENGE).await, Err(GrantError::SignInNeeded));
    assert_eq!(sent(&granted.platform), [MERGED]);
    assert_eq!(granted.confirm(&client).await, Err(GrantError::SignInNeeded), "the client is told to sign in");
    let log = granted.platform.log.text();
    assert!(log.contains(r#""reason":"claims_kept""#) && !log.contains("acrs"), "{log}");
    assert_eq!(ask(&granted.platform, user(), UserCommand::TakeChallenge).await, Some(claims()));
    assert_eq!(ask(&granted.platform, user(), UserCommand::TakeChallenge).await, None, "for one sign-in");
}

#[tokio::test(flavor = "current_thread")]
async fn a_token_that_was_not_issued_for_the_claims_does_not_answer_a_challenge() {
    let (granted, client) = granted().await;
    let by = presented(&client);
    granted.platform.upstream.push_json(200, &entra_answer(1));
    granted.platform.upstream.push_json(200, &entra_answer(2));
    granted.grant.tokens(&by).renewed(&Secret::new(MICROSOFT_ACCESS), None).await.unwrap();
    for late in 0..2 {
        let token = renew(&granted, &client, CHALLENGE).await.unwrap();
        assert_eq!(token.expose(), "microsoft-access-token-2", "{late}");
    }
    assert_eq!(sent(&granted.platform), [CP1, MERGED]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_hostile_challenge_is_neither_passed_on_nor_kept() {
    let long = format!(r#"{{"access_token":{{"x":"{}"}}}}"#, "y".repeat(4096));
    let deep = format!("{}1{}", r#"{"access_token":"#.repeat(300), "}".repeat(300));
    let twice = r#"{"access_token":{"x":1}}{"access_token":{"x":1}}"#;
    for hostile in ["", "x", "null", r#"{"id_token":{"x":null}}"#, r#"{"access_token":[]}"#, twice, &long, &deep] {
        let (granted, client) = granted().await;
        interaction_required(&granted);
        assert_eq!(renew(&granted, &client, hostile).await, Err(GrantError::SignInNeeded));
        assert_eq!(sent(&granted.platform), [CP1], "{hostile:.60}");
        assert_eq!(ask(&granted.platform, user(), UserCommand::TakeChallenge).await, None, "{hostile:.60}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_second_challenge_needs_the_user() {
    let (granted, client) = granted().await;
    let by = presented(&client);
    let source = granted.grant.tokens(&by);
    assert_eq!(source.challenged_again("no claims").await, Ok(()), "what cannot be asked for cannot be mended");
    assert_eq!(source.challenged_again(CHALLENGE).await, Err(GrantError::SignInNeeded));
    assert_eq!(granted.confirm(&client).await, Err(GrantError::SignInNeeded));
    assert_eq!(ask(&granted.platform, user(), UserCommand::TakeChallenge).await, Some(claims()));
}

#[tokio::test(flavor = "current_thread")]
async fn a_users_object_that_does_not_answer_costs_the_claims_and_not_the_challenge() {
    let (granted, client) = granted().await;
    granted.platform.agents.fail_users.set(true);
    interaction_required(&granted);
    assert_eq!(renew(&granted, &client, CHALLENGE).await, Err(GrantError::SignInNeeded));
    assert!(granted.platform.log.text().contains(r#""reason":"claims_lost""#));
    assert_eq!(granted.confirm(&client).await, Err(GrantError::SignInNeeded));
}

#[tokio::test(flavor = "current_thread")]
async fn claims_wait_three_days_and_leave_nothing_behind() {
    let platform = TestPlatform::new(&[]);
    assert_eq!(ask(&platform, user(), UserCommand::TakeChallenge).await, None, "nothing is created by asking");
    assert_eq!(platform.agents.dump(), "");
    for (days, kept) in [(2, Some(claims())), (3, None)] {
        ask(&platform, user(), UserCommand::Challenge(claims())).await;
        platform.clock.advance(days * DAY);
        assert_eq!(ask(&platform, user(), UserCommand::TakeChallenge).await, kept, "{days}");
    }
    ask(&platform, user(), UserCommand::Challenge(claims())).await;
    platform.clock.advance(DAY);
    platform.agents.wake_all().await;
    assert!(platform.agents.dump().contains("acrs"));
    platform.clock.advance(2 * DAY);
    platform.agents.wake_all().await;
    assert_eq!(platform.agents.dump(), "");
}

fn adele() -> UserId {
    UserId { tid: TENANT.parse().unwrap(), oid: Uuid::parse_str("0a1b2c3d-0000-4000-8000-0000000ade1e").unwrap() }
}

/// The browser's return from Entra; where it is sent next.
async fn come_back(world: &World, sent: &[(String, String)]) -> Vec<(String, String)> {
    let query = encode(&[("code", "entra-code".into()), ("state", param(sent, "state").unwrap())]);
    let next = query_of(&world.callback(&query).await);
    if let Some(nonce) = param(&next, "nonce") {
        world.claims.borrow_mut()["nonce"] = json!(nonce);
    }
    next
}

/// A user whom Graph challenged, back from Entra for the first time; where the browser went, and goes.
async fn challenged(world: &World) -> (Vec<(String, String)>, Vec<(String, String)>) {
    let client = world.public_client().await;
    ask(&world.platform, adele(), UserCommand::Challenge(claims())).await;
    let first = world.approve(&client).await;
    let second = come_back(world, &first).await;
    (first, second)
}

#[tokio::test(flavor = "current_thread")]
async fn the_next_sign_in_carries_the_claims_and_the_one_after_it_does_not() {
    let world = World::new();
    let (first, second) = challenged(&world).await;
    assert_eq!(param(&first, "claims").as_deref(), Some(CP1), "before the user is known nothing is asked");
    assert_eq!(param(&second, "claims").as_deref(), Some(MERGED));
    assert_eq!((param(&second, "prompt"), param(&second, "login_hint")), (None, Some("adele@contoso.example".into())));
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(param(&first, name), param(&second, name), "{name} is new");
    }
    for name in ["scope", "redirect_uri", "code_challenge_method", "response_mode", "client_id"] {
        assert_eq!(param(&first, name), param(&second, name), "{name}");
    }
    let end = come_back(&world, &second).await;
    assert!(param(&end, "code").is_some() && param(&end, "state") == Some("client state".into()), "{end:?}");
    assert_eq!(sent(&world.platform), [CP1, MERGED], "the token is asked for with them as well");
    let client = world.public_client().await;
    world.sign_in(&client).await;
    assert_eq!(sent(&world.platform).last().map(String::as_str), Some(CP1));
    let log = world.platform.log.text();
    assert!(log.contains("oauth.sent_back") && !log.contains("acrs"), "{log}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_sign_in_goes_back_to_entra_once_and_no_more() {
    let world = World::new();
    let (_, second) = challenged(&world).await;
    ask(&world.platform, adele(), UserCommand::Challenge(claims())).await;
    let end = come_back(&world, &second).await;
    assert!(param(&end, "code").is_some(), "{end:?}");
    assert_eq!(ask(&world.platform, adele(), UserCommand::TakeChallenge).await, Some(claims()), "for the next sign-in");
}

#[tokio::test(flavor = "current_thread")]
async fn the_second_trip_is_bound_to_the_browser_and_spends_the_first_state() {
    let world = World::new();
    let (first, second) = challenged(&world).await;
    let jar = world.cookies.borrow().clone();
    world.cookies.borrow_mut().clear();
    let query = |params: &[(String, String)]| {
        encode(&[("code", "entra-code".into()), ("state", param(params, "state").unwrap())])
    };
    assert_eq!(world.callback(&query(&second)).await.status, 403, "another browser");
    *world.cookies.borrow_mut() = jar;
    assert_ne!(world.callback(&query(&first)).await.status, 302, "the first state counts no more");
    assert_eq!(world.callback(&query(&second)).await.status, 302);
}

#[tokio::test(flavor = "current_thread")]
async fn nobody_else_is_asked_for_a_users_claims() {
    let world = World::new();
    let client = world.public_client().await;
    ask(&world.platform, adele(), UserCommand::Challenge(claims())).await;
    world.claims.borrow_mut()["oid"] = json!("0a1b2c3d-0000-4000-8000-00000000a1e2");
    world.sign_in(&client).await;
    assert_eq!(sent(&world.platform), [CP1]);
    assert_eq!(ask(&world.platform, adele(), UserCommand::TakeChallenge).await, Some(claims()));
}

#[tokio::test(flavor = "current_thread")]
async fn a_sign_in_goes_on_where_the_users_object_does_not_answer() {
    let world = World::new();
    let client = world.public_client().await;
    world.platform.agents.fail_users.set(true);
    world.sign_in(&client).await;
    assert_eq!(sent(&world.platform), [CP1]);
}

#[tokio::test(flavor = "current_thread")]
async fn claims_that_the_sign_in_carried_are_not_asked_for_in_a_circle() {
    let granted = Granted::new();
    granted.ask(granted.open_command()).await.unwrap();
    granted.ask(granted.begin_command()).await.unwrap();
    let send_back = || GrantCommand::SendBack { state: state(), claims: claims() };
    assert_eq!(granted.ask(send_back()).await, Ok(GrantReply::Done));
    assert_eq!(granted.ask(send_back()).await, Err(GrantError::StateInvalid), "from Entra only");
    let begun = granted.ask(granted.begin_command()).await;
    assert_eq!(begun, Ok(GrantReply::Challenged(request(), claims())));
    assert_eq!(granted.ask(send_back()).await, Err(GrantError::StateInvalid), "once");
    let code = granted.finish().await;
    let tokens = granted.take(redeem(&code)).await;
    let by = presented(&tokens.access);
    assert_eq!(granted.grant.tokens(&by).challenged_again(CHALLENGE).await, Ok(()), "Graph's answer is told as it is");
    let other = r#"{"access_token":{"acrs":{"essential":true,"value":"c2"}}}"#;
    assert_eq!(granted.grant.tokens(&by).challenged_again(other).await, Err(GrantError::SignInNeeded));
    assert_eq!(granted.ask(refresh(&tokens.refresh)).await, Err(GrantError::SignInNeeded));
}
