//! A change of `ENCRYPTION_KEY`: everything live goes on, moves to the new key where it is renewed, and what was not
//! renewed is refused in the ordinary way once the old key is dropped.
#![expect(clippy::unwrap_used, reason = "a flow that cannot go on should stop")]

use serde_json::json;

use super::granted::{Granted, MICROSOFT_ACCESS, refresh};
use super::mcp_scene::{Scene, rpc};
use super::tools_fake::Desk;
use super::world::{World, encode, json_of, param, query_of};
use crate::agent::GrantError;
use crate::crypto::{Digest, Secret};
use crate::oauth::token::{Bearer, Kind, TokenError, TokenKeys};
use crate::ports::Clock;
use crate::support::{ANNOUNCED, ROTATED, TestPlatform};

/// The same object under other settings.
fn deploy(granted: &mut Granted, changes: &[(&str, &str)]) {
    let clock = granted.platform.clock.clone();
    granted.platform = TestPlatform { clock, ..TestPlatform::new(changes) };
    granted.evict();
}

fn token_of(answer: &serde_json::Value, name: &str) -> Secret {
    Secret::new(answer.get(name).and_then(serde_json::Value::as_str).unwrap())
}

#[tokio::test(flavor = "current_thread")]
async fn tokens_go_on_and_are_wrapped_anew_at_the_next_refresh() {
    let mut granted = Granted::new();
    let first = granted.tokens().await;
    deploy(&mut granted, &ROTATED);
    assert_eq!(granted.microsoft(&first.access).await, Ok(Secret::new(MICROSOFT_ACCESS)));
    let second = granted.take(refresh(&first.refresh)).await;
    deploy(&mut granted, &ROTATED[..1]);
    assert_eq!(granted.microsoft(&second.access).await, Ok(Secret::new(MICROSOFT_ACCESS)), "wrapped under the new key");
    assert!(granted.ask(refresh(&second.refresh)).await.is_ok(), "and so is what comes after it");
}

#[tokio::test(flavor = "current_thread")]
async fn a_refresh_whose_answer_was_lost_brings_the_same_tokens_across_the_change() {
    let mut granted = Granted::new();
    let first = granted.tokens().await;
    let lost = granted.take(refresh(&first.refresh)).await;
    deploy(&mut granted, &ROTATED);
    let again = granted.take(refresh(&first.refresh)).await;
    assert_eq!((&again.access, &again.refresh), (&lost.access, &lost.refresh), "one live branch, not a second");
    let next = granted.take(refresh(&again.refresh)).await;
    assert_eq!(granted.take(refresh(&again.refresh)).await.refresh, next.refresh, "new successors repeat as well");
}

#[tokio::test(flavor = "current_thread")]
async fn a_sign_in_under_way_ends_well() {
    let mut world = World::new();
    let client = world.public_client().await;
    let sent = world.approve(&client).await;
    world.platform.reconfigure(&ROTATED);
    let query = encode(&[("code", "entra-code".into()), ("state", param(&sent, "state").unwrap())]);
    let response = world.callback(&query).await;
    let code = param(&query_of(&response), "code").unwrap_or_else(|| world.platform.log.text());
    let seen = world.platform.upstream.seen.borrow().iter().find(|request| request.body.is_some()).cloned().unwrap();
    let form: Vec<_> = form_urlencoded::parse(&seen.body.unwrap()).into_owned().collect();
    let verifier = param(&form, "code_verifier").unwrap();
    assert_eq!(Digest::of(verifier.as_bytes()).to_string(), param(&sent, "code_challenge").unwrap());
    assert_eq!(world.token(&World::redeeming(&client, &code)).await.status, 200);
}

#[tokio::test(flavor = "current_thread")]
async fn a_code_under_way_is_redeemed() {
    let mut world = World::new();
    let client = world.public_client().await;
    let code = world.sign_in(&client).await;
    world.platform.reconfigure(&ROTATED);
    assert_eq!(world.token(&World::redeeming(&client, &code)).await.status, 200);
}

#[tokio::test(flavor = "current_thread")]
async fn sessions_go_on_those_of_discovery_too() {
    for bearer in [Scene::new(&[]).bearer(1), "Bearer some-api-key".to_owned()] {
        let mut scene = Scene::new(&[]);
        let session = scene.initialize(&bearer, "2025-11-25").await;
        scene.platform.reconfigure(&ROTATED);
        assert_eq!(scene.within(&bearer, &session, &rpc("tools/list")).await.status, 200, "{bearer}");
        let other = scene.within("Bearer another-api-key", &session, &rpc("tools/list")).await;
        assert_eq!(other.status, 404, "nobody else's for that");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_cursor_goes_on_until_the_old_key_is_dropped() {
    let mut desk = Desk::new();
    let link = "https://graph.microsoft.com/v1.0/me/mailFolders/inbox/messages?$skiptoken=x";
    desk.answer(&json!({"value": [{"id": "1"}], "@odata.nextLink": link}));
    let cursor = desk.call("getEmails", json!({"count": 1})).await.get("nextCursor").cloned().unwrap();
    desk.config = crate::support::config(&ROTATED);
    desk.answer(&json!({"value": []}));
    desk.call("getEmails", json!({"cursor": cursor})).await;
    desk.config = crate::support::config(&ROTATED[..1]);
    let report = desk.error("getEmails", json!({"cursor": cursor})).await;
    assert_eq!(report.get("code").unwrap(), "invalidArgument");
}

/// A change of settings reaches the world's locations one after another: the one that it has not reached yet must not
/// refuse what the others issue.
#[tokio::test(flavor = "current_thread")]
async fn a_location_where_the_new_key_is_only_announced_takes_what_it_made() {
    let mut granted = Granted::on(TestPlatform::new(&ROTATED));
    let tokens = granted.tokens().await;
    deploy(&mut granted, &ANNOUNCED);
    let (config, now) = (granted.platform.config.clone(), granted.now());
    let header = format!("Bearer {}", tokens.access.expose());
    let keys = TokenKeys::new(&config.keys.encryption);
    assert!(matches!(keys.bearer(Some(&header), now), Bearer::Ours { .. }));
    assert_eq!(granted.microsoft(&tokens.access).await, Ok(Secret::new(MICROSOFT_ACCESS)));
    assert!(granted.ask(refresh(&tokens.refresh)).await.is_ok());
}

#[tokio::test(flavor = "current_thread")]
async fn what_was_not_renewed_when_the_old_key_is_dropped_signs_in_again_and_nothing_else() {
    let mut world = World::new();
    let client = world.public_client().await;
    let code = world.sign_in(&client).await;
    let tokens = json_of(&world.token(&World::redeeming(&client, &code)).await);
    let (access, fresh) = (token_of(&tokens, "access_token"), token_of(&tokens, "refresh_token"));
    world.platform.reconfigure(&ROTATED[..1]);
    let asked = [
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", client.clone()),
        ("refresh_token", fresh.expose().to_owned()),
    ];
    let refused = world.token(&asked).await;
    assert_eq!(
        (refused.status, json_of(&refused)),
        (
            400,
            json!({"error": "invalid_grant", "error_description":
        json_of(&refused).get("error_description").unwrap()})
        )
    );
    let now = world.platform.clock.now();
    let config = world.platform.config.clone();
    let keys = TokenKeys::new(&config.keys.encryption);
    assert_eq!(keys.bearer(Some(&format!("Bearer {}", access.expose())), now), Bearer::Invalid, "401 at the door");
    assert_eq!(keys.read(Kind::Refresh, fresh.expose(), now), Err(TokenError::Forged));
    let code = world.sign_in(&client).await;
    assert_eq!(world.token(&World::redeeming(&client, &code)).await.status, 200, "signing in again works");
}

#[tokio::test(flavor = "current_thread")]
async fn a_session_of_the_dropped_key_is_begun_anew() {
    let mut scene = Scene::new(&[]);
    let session = scene.initialize(&scene.bearer(1), "2025-11-25").await;
    scene.platform.reconfigure(&ROTATED[..1]);
    let bearer = scene.bearer(1);
    assert_eq!(scene.within(&bearer, &session, &rpc("tools/list")).await.status, 404);
    scene.initialize(&bearer, "2025-11-25").await;
}

/// The object is asked with the old token although the edge would have refused it: no 500, no lost grant.
#[tokio::test(flavor = "current_thread")]
async fn the_object_without_the_old_key_refuses_and_keeps_the_grant() {
    let mut granted = Granted::new();
    let tokens = granted.tokens().await;
    deploy(&mut granted, &ROTATED[..1]);
    assert_eq!(granted.microsoft(&tokens.access).await, Err(GrantError::TokenInvalid));
    assert_eq!(granted.ask(refresh(&tokens.refresh)).await, Err(GrantError::TokenInvalid));
    deploy(&mut granted, &ROTATED);
    assert!(granted.ask(refresh(&tokens.refresh)).await.is_ok(), "a key that was dropped too early can come back");
}
