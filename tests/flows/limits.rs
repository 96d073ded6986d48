//! Who asks too often, and what must not come of it: nobody is locked out by a neighbour, and nothing rests on the
//! limiter.

use std::rc::Rc;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::mcp_scene::{Scene, rpc};
use super::world::{World, json_of, with};
use crate::agent::{Admission, Agent, Command, Reply};
use crate::oauth;
use crate::ports::{AgentPorts, Limit};
use crate::support::{MemorySql, START, TestPlatform};
use crate::web::{Request, Response};

const HERE: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.7";

fn from(mut request: Request, address: &str) -> Request {
    request.headers.push(("cf-connecting-ip", address.to_owned()));
    request
}

async fn register(world: &World, address: &str) -> Response {
    let metadata = json!({"redirect_uris": ["https://client.example/cb"], "token_endpoint_auth_method": "none"});
    let mut request = from(world.post(&metadata.to_string()), address);
    request.headers.retain(|(name, _)| *name != "content-type");
    request.headers.push(("content-type", "application/json".into()));
    oauth::register::handle(&world.exchange(), &request).await
}

async fn authorize(world: &World, client: &str, address: &str) -> Response {
    let query = super::world::encode(&World::asking(client));
    oauth::authorize::show(&world.exchange(), &from(world.get(&query), address)).await
}

async fn token(world: &World, params: &[(&str, String)], address: &str) -> Response {
    let request = from(world.post(&super::world::encode(params)), address);
    oauth::token_endpoint::handle(&world.exchange(), &request).await
}

async fn revoke(world: &World, params: &[(&str, String)], address: &str) -> Response {
    let request = from(world.post(&super::world::encode(params)), address);
    oauth::revoke::handle(&world.exchange(), &request).await
}

/// 429 in OAuth's own words, with the time to come back.
fn assert_slowed(response: &Response) {
    assert_eq!((response.status, response.header("retry-after")), (429, Some("60")));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert_eq!(json_of(response)["error"], "temporarily_unavailable");
}

fn refusals(world: &World, reason: &str) -> usize {
    let lines: Vec<Value> =
        world.platform.log.0.borrow().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.iter().filter(|line| line["event"] == "oauth.refused" && line["reason"] == reason).count()
}

fn seen(world: &World, limit: Limit) -> usize {
    world.platform.limiter.seen.borrow().iter().filter(|(asked, _)| *asked == limit).count()
}

#[tokio::test(flavor = "current_thread")]
async fn a_network_that_registers_too_often_waits_and_others_do_not() {
    let world = World::new();
    world.platform.limiter.budget.set(Some(5));
    for _ in 0..5 {
        assert_eq!(register(&world, HERE).await.status, 201);
    }
    let kept = world.platform.kv.entries.borrow().len();
    assert_slowed(&register(&world, HERE).await);
    assert_eq!(world.platform.kv.entries.borrow().len(), kept, "nothing is stored");
    assert_eq!(refusals(&world, "rate_limited"), 1);
    assert_eq!(register(&world, ELSEWHERE).await.status, 201);
    let keys = world.platform.limiter.seen.borrow();
    assert!(keys.iter().all(|(_, key)| !key.contains("192") && key.len() < 16), "no address goes out: {keys:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_request_that_is_wrong_anyway_uses_nothing_up() {
    let world = World::new();
    assert_eq!(world.register(&json!({"redirect_uris": ["javascript:alert(1)"]})).await.status, 400);
    assert_eq!(token(&world, &[("grant_type", "password".into())], HERE).await.status, 400);
    assert_eq!(authorize(&world, "", HERE).await.status, 400);
    assert_eq!(*world.platform.limiter.seen.borrow(), []);
}

#[tokio::test(flavor = "current_thread")]
async fn too_many_sign_ins_are_told_to_the_person_and_to_nobody_else() {
    let world = World::new();
    let client = world.public_client().await;
    world.platform.limiter.budget.set(Some(30));
    for _ in 0..30 {
        assert_eq!(authorize(&world, &client, HERE).await.status, 200);
    }
    let reads = world.platform.kv.reads.get();
    let page = authorize(&world, &client, HERE).await;
    assert_eq!((page.status, page.header("retry-after"), page.header("location")), (429, Some("60"), None));
    assert!(page.header("content-security-policy").is_some() && page.body_text().contains("Wait a minute"));
    assert_eq!(world.platform.kv.reads.get(), reads, "the client is not even looked up");
    assert_eq!(authorize(&world, &client, ELSEWHERE).await.status, 200);
}

#[tokio::test(flavor = "current_thread")]
async fn an_administrators_way_to_microsoft_counts_as_a_sign_in() {
    let world = World::new();
    world.platform.limiter.budget.set(Some(1));
    let ask = async |address| oauth::admin_consent::begin(&world.exchange(), &from(world.get(""), address)).await;
    assert_eq!(ask(HERE).await.status, 302);
    let page = ask(HERE).await;
    assert_eq!((page.status, page.header("retry-after"), page.header("location")), (429, Some("60"), None));
    assert_eq!(page.header("set-cookie"), None);
    assert_eq!((seen(&world, Limit::Authorize), refusals(&world, "rate_limited")), (2, 1));
    assert_eq!(ask(ELSEWHERE).await.status, 302);
}

#[tokio::test(flavor = "current_thread")]
async fn a_holder_counts_by_its_grant_wherever_it_asks_from() {
    let world = World::new();
    let client = world.public_client().await;
    let codes = [world.sign_in(&client).await, world.sign_in(&client).await];
    world.platform.limiter.budget.set(Some(3));
    let wrong = |code: &str| with(World::redeeming(&client, code), "redirect_uri", "https://wrong.example/");
    for address in [HERE, ELSEWHERE, HERE] {
        assert_eq!(token(&world, &wrong(&codes[0]), address).await.status, 400);
    }
    let hops = world.platform.agents.hops.get();
    assert_slowed(&token(&world, &World::redeeming(&client, &codes[0]), ELSEWHERE).await);
    assert_eq!(world.platform.agents.hops.get(), hops, "the grant's object is not asked");
    // Another user of the same hosted client, behind the same address.
    assert_eq!(token(&world, &World::redeeming(&client, &codes[1]), HERE).await.status, 200);
}

#[tokio::test(flavor = "current_thread")]
async fn strangers_count_by_their_network_whichever_client_they_name() {
    let world = World::new();
    let client = world.public_client().await;
    world.platform.limiter.budget.set(Some(3));
    let forged = World::redeeming(&client, "m365c.AAAAAAAAAAAAAAAAAAAAAA.AAAA");
    for _ in 0..3 {
        assert_eq!(json_of(&token(&world, &forged, HERE).await)["error"], "invalid_grant");
    }
    assert_slowed(&token(&world, &forged, HERE).await);
    assert_eq!(json_of(&token(&world, &forged, ELSEWHERE).await)["error"], "invalid_grant");
}

#[tokio::test(flavor = "current_thread")]
async fn a_network_that_fails_too_often_is_refused_before_anything_is_looked_up() {
    let world = World::new();
    world.platform.limiter.budget.set(Some(10));
    let unknown = vec![("token", "x".to_owned()), ("client_id", "AAAAAAAAAAAAAAAAAAAAAA".to_owned())];
    for _ in 0..10 {
        assert_eq!(json_of(&revoke(&world, &unknown, HERE).await)["error"], "invalid_client");
    }
    assert_slowed(&revoke(&world, &unknown, HERE).await);
    let (reads, asked) = (world.platform.kv.reads.get(), seen(&world, Limit::FailedAuthentication));
    assert_slowed(&revoke(&world, &unknown, HERE).await);
    let stranger = World::redeeming("AAAAAAAAAAAAAAAAAAAAAA", "m365c.AAAAAAAAAAAAAAAAAAAAAA.AAAA");
    assert_slowed(&token(&world, &stranger, HERE).await);
    assert_eq!(world.platform.kv.reads.get(), reads);
    assert_eq!(seen(&world, Limit::FailedAuthentication), asked, "a failing network costs no limiter call either");
    world.platform.clock.advance(60);
    world.platform.limiter.budget.set(None);
    assert_eq!(revoke(&world, &unknown, HERE).await.status, 401, "after a minute it is looked at again");
}

#[tokio::test(flavor = "current_thread")]
async fn nobody_is_locked_out_by_a_neighbour_or_by_whoever_knows_the_client_id() {
    let world = World::new();
    let client = world.public_client().await;
    let code = world.sign_in(&client).await;
    world.platform.limiter.budget.set(Some(10));
    let guessing = with(World::redeeming(&client, "m365c.AAAAAAAAAAAAAAAAAAAAAA.AAAA"), "client_secret", "guess");
    let revoking =
        vec![("client_id", client.clone()), ("client_secret", "guess".to_owned()), ("token", "x".to_owned())];
    for _ in 0..12 {
        for address in [HERE, ELSEWHERE] {
            token(&world, &guessing, address).await;
            revoke(&world, &revoking, address).await;
        }
    }
    assert_slowed(&token(&world, &guessing, HERE).await);
    assert_slowed(&revoke(&world, &revoking, HERE).await);
    let tokens = json_of(&token(&world, &World::redeeming(&client, &code), HERE).await);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let renewal = vec![
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", client.clone()),
        ("refresh_token", refresh.to_owned()),
    ];
    assert_eq!(token(&world, &renewal, HERE).await.status, 200);
    let ending = vec![("client_id", client), ("token", refresh.to_owned())];
    assert_eq!(revoke(&world, &ending, HERE).await.status, 200);
}

#[tokio::test(flavor = "current_thread")]
async fn forged_bearers_are_slowed_down_and_no_other_caller_of_that_network_is() {
    let scene = Scene::new(&[]);
    scene.platform.limiter.budget.set(Some(10));
    let post = |bearer: &str| {
        let headers = [("authorization", bearer.to_owned()), ("cf-connecting-ip", HERE.to_owned())];
        let scene = &scene;
        async move {
            let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
            scene.post(&headers, &rpc("tools/list")).await
        }
    };
    let expired = scene.bearer(1);
    scene.platform.clock.advance(3600);
    let good = scene.bearer(1);
    for _ in 0..20 {
        assert_eq!(post(&expired).await.status, 401, "an expired token is no attack");
    }
    assert_eq!(*scene.platform.limiter.seen.borrow(), []);
    for _ in 0..10 {
        assert_eq!(post("Bearer m365a.x.y.z").await.status, 401);
    }
    for _ in 0..2 {
        let slowed = post("Bearer m365a.x.y.z").await;
        assert_eq!((slowed.status, slowed.header("retry-after")), (429, Some("60")));
        assert_eq!(slowed.header("www-authenticate"), None);
    }
    let asked = scene.platform.limiter.seen.borrow().len();
    assert_eq!(post(&expired).await.status, 401);
    assert_eq!(post("").await.status, 401);
    assert_ne!(post(&good).await.status, 429);
    assert_eq!(scene.platform.limiter.seen.borrow().len(), asked, "a good token never costs a limiter call");
}

#[tokio::test(flavor = "current_thread")]
async fn a_limiter_that_fails_is_logged_and_lets_everybody_through() {
    let world = World::new();
    world.platform.limiter.fail.set(true);
    let client = world.public_client().await;
    let code = world.sign_in(&client).await;
    assert_eq!(world.token(&World::redeeming(&client, &code)).await.status, 200);
    let failures = world.platform.log.text().matches("\"reason\":\"limiter_failed\"").count();
    assert_eq!(failures, 3, "one line for each of register, authorize and token");
    let unknown = world.token(&World::redeeming("AAAAAAAAAAAAAAAAAAAAAA", "m365c.x.y")).await;
    assert_eq!(unknown.status, 401);
}

const MIDNIGHT: u64 = (START / 86_400 + 1) * 86_400;

#[tokio::test(flavor = "current_thread")]
async fn of_many_parallel_registrations_exactly_as_many_as_the_day_allows_succeed() {
    let world = World::with_settings(&[("REGISTRATIONS_PER_DAY", "30")]);
    let answers = join_all((0..100).map(|_| register(&world, HERE))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 30);
    assert_eq!(world.platform.kv.entries.borrow().len(), 30);
    let until = (MIDNIGHT - START).to_string();
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some(until.as_str())));
        assert_eq!(json_of(refused)["error"], "temporarily_unavailable");
    }
    assert_eq!(refusals(&world, "the day's registrations are used up"), 70, "one line a refusal");
}

#[tokio::test(flavor = "current_thread")]
async fn a_full_day_is_not_asked_again_and_the_next_one_starts_anew() {
    let world = World::with_settings(&[("REGISTRATIONS_PER_DAY", "1")]);
    assert_eq!(register(&world, HERE).await.status, 201);
    assert_eq!(register(&world, HERE).await.status, 429);
    world.platform.agents.evict();
    world.platform.agents.fail.set(true);
    assert_eq!(register(&world, ELSEWHERE).await.status, 429);
    world.platform.agents.fail.set(false);
    world.platform.clock.advance(MIDNIGHT - START);
    assert_eq!(register(&world, HERE).await.status, 201);
}

#[tokio::test(flavor = "current_thread")]
async fn a_registration_that_cannot_be_counted_is_refused() {
    let world = World::new();
    world.platform.agents.fail.set(true);
    let response = register(&world, HERE).await;
    assert_eq!((response.status, json_of(&response)["error"].as_str()), (503, Some("temporarily_unavailable")));
    assert!(response.header("retry-after").is_some());
    assert!(world.platform.kv.entries.borrow().is_empty());
}

/// The object that counts this day, over its own storage.
fn counter(platform: &TestPlatform) -> (Rc<Agent>, Rc<MemorySql>) {
    let sql = Rc::new(MemorySql::new());
    let ports = AgentPorts { sql: sql.clone(), ..platform.agent_ports() };
    (Rc::new(Agent::new(platform.config.clone(), ports)), sql)
}

async fn admit(agent: &Rc<Agent>) -> Admission {
    match agent.handle(Command::AdmitRegistration { ends_at: MIDNIGHT }).await {
        Reply::Admission(admission) => admission,
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_failing_count_admits_nobody_and_counts_nobody() {
    let platform = TestPlatform::new(&[("REGISTRATIONS_PER_DAY", "1")]);
    let (agent, sql) = counter(&platform);
    sql.fail.set(true);
    assert_eq!(admit(&agent).await, Admission::Unknown);
    sql.fail.set(false);
    assert_eq!(admit(&agent).await, Admission::Admitted);
    assert_eq!(admit(&agent).await, Admission::Full);
    sql.fail.set(true);
    assert_eq!(admit(&agent).await, Admission::Unknown, "not known to be full either");
}

#[tokio::test(flavor = "current_thread")]
async fn the_count_of_a_day_is_erased_after_it() {
    let platform = TestPlatform::new(&[]);
    let (agent, sql) = counter(&platform);
    assert_eq!(admit(&agent).await, Admission::Admitted);
    assert_eq!(platform.alarm.0.get(), Some(MIDNIGHT), "set with the first");
    platform.alarm.0.set(None);
    agent.wake().await.unwrap();
    assert_eq!(platform.alarm.0.get(), Some(MIDNIGHT), "an early alarm comes back");
    assert!(!sql.dump().is_empty());
    platform.clock.advance(MIDNIGHT - START);
    agent.wake().await.unwrap();
    assert_eq!(sql.dump(), "");
}

#[tokio::test(flavor = "current_thread")]
async fn a_closed_registration_is_said_and_not_offered() {
    let world = World::with_settings(&[("REGISTRATIONS_PER_DAY", "0")]);
    let response = register(&world, HERE).await;
    assert_eq!((response.status, json_of(&response)["error"].as_str()), (403, Some("access_denied")));
    assert!(world.platform.kv.entries.borrow().is_empty());
    assert_eq!(*world.platform.limiter.seen.borrow(), []);
    let metadata = |world: &World| json_of(&oauth::metadata::authorization_server(&world.exchange()));
    assert_eq!(metadata(&world).get("registration_endpoint"), None);
    assert_eq!(metadata(&World::new())["registration_endpoint"], "http://localhost:8787/register");
}

#[tokio::test(flavor = "current_thread")]
async fn a_throttled_store_is_said_to_be_and_is_no_default() {
    let world = World::new();
    let client = world.public_client().await;
    let code = world.sign_in(&client).await;
    world.platform.kv.throttled.set(true);
    let redeeming = World::redeeming(&client, &code);
    let ending = vec![("client_id", client.clone()), ("token", code.clone())];
    for refused in
        [register(&world, HERE).await, token(&world, &redeeming, HERE).await, revoke(&world, &ending, HERE).await]
    {
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("5")));
        assert_eq!(json_of(&refused)["error"], "temporarily_unavailable");
    }
    let page = authorize(&world, &client, HERE).await;
    assert_eq!((page.status, page.header("retry-after"), page.header("location")), (503, Some("5"), None));
    assert_eq!(refusals(&world, "storage throttled"), 4);
    world.platform.kv.throttled.set(false);
    assert_eq!(token(&world, &redeeming, HERE).await.status, 200, "the code was not used up");
}
