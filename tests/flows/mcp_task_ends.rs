//! How tasks end, how many there may be, and what is left of them.

use serde_json::json;

use super::mcp_rig::{Client, told};
use super::mcp_tasks::{LONG, able, accept, acknowledged, answers, ask, begin, get, on, unknown};
use super::world::{World, json_of};
use crate::agent::{AgentName, Command, GrantCommand, Reply};
use crate::oauth::token::{Bearer, TokenKeys};
use crate::ports::Agents;
use crate::support::START;

#[tokio::test(flavor = "current_thread")]
async fn a_task_that_is_taken_back_does_nothing_more_and_one_that_is_over_stays_as_it_is() {
    let world = World::new();
    let client = Client::new(&world).await;
    let id = begin(&client, json!({"wait": LONG, "graph": true})).await;
    world.platform.gateway.seen.borrow_mut().clear();
    acknowledged(&client, "tasks/cancel", &id, json!({})).await;
    let cancelled = get(&client, &id).await;
    assert_eq!(cancelled["status"], "cancelled");
    assert!(cancelled["statusMessage"].as_str().unwrap().contains("may still happen"));
    world.platform.background.finish().await;
    assert_eq!(world.platform.gateway.seen.borrow().len(), 0, "nothing was asked of Graph");
    acknowledged(&client, "tasks/cancel", &id, json!({})).await;
    assert_eq!(get(&client, &id).await, cancelled);
    assert!(world.platform.log.text().contains(r#""reason":"cancelled""#));

    let asked = begin(&client, json!({"defer": true, "confirm": ["send"], "graph": true})).await;
    world.platform.background.finish().await;
    let next = answers(&get(&client, &asked).await, &json!({}));
    acknowledged(&client, "tasks/cancel", &asked, json!({})).await;
    acknowledged(&client, "tasks/update", &asked, next).await;
    world.platform.background.finish().await;
    assert_eq!(world.platform.gateway.seen.borrow().len(), 0, "nor by a late answer");
    assert_eq!(get(&client, &asked).await["status"], "cancelled");

    let done = begin(&client, json!({"defer": true})).await;
    world.platform.background.finish().await;
    let before = get(&client, &done).await;
    acknowledged(&client, "tasks/cancel", &done, json!({})).await;
    assert_eq!(get(&client, &done).await, before);
}

#[tokio::test(flavor = "current_thread")]
async fn a_task_that_a_deploy_took_away_has_failed_and_is_never_run_again() {
    let world = World::new();
    let client = Client::new(&world).await;
    let id = begin(&client, json!({"wait": LONG, "graph": true})).await;
    world.platform.gateway.seen.borrow_mut().clear();
    world.platform.agents.evict();
    let failed = get(&client, &id).await;
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("failed"), &json!(-32603)));
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(message.contains("interrupted") && message.contains("may have happened"), "{message}");
    acknowledged(&client, "tasks/update", &id, json!({"inputResponses": {"send": accept(&json!({}))}})).await;
    assert_eq!(get(&client, &id).await, failed);
    assert_eq!(world.platform.gateway.seen.borrow().len(), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn a_task_ends_with_its_grant_and_leaves_nothing() {
    let world = World::new();
    let client = Client::new(&world).await;
    let done = begin(&client, json!({"defer": true})).await;
    world.platform.background.finish().await;
    let id = begin(&client, json!({"wait": LONG, "graph": true})).await;
    world.platform.gateway.seen.borrow_mut().clear();
    let keys = TokenKeys::new(&world.platform.config.keys.encryption);
    let Bearer::Ours { claims, .. } = keys.bearer(Some(&client.bearer), START) else { panic!("it is ours") };
    let ended = Command::Grant(GrantCommand::RevokeByUser { user: claims.user });
    let reply = world.platform.agents.call(&AgentName::Grant(claims.grant), &ended).await;
    assert!(matches!(reply, Ok(Reply::Grant(Ok(_)))));
    world.platform.background.finish().await;
    assert_eq!(world.platform.gateway.seen.borrow().len(), 0);
    assert!(!world.platform.agents.dump().contains(&id), "no trace of the one that ran");
    for id in [done, id] {
        assert_eq!(ask(&client, "tasks/get", able(), json!({"taskId": id})).await.0, 401);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_task_works_no_longer_than_the_token_that_began_it() {
    let world = World::new();
    let id = world.public_client().await;
    let code = world.sign_in(&id).await;
    let tokens = json_of(&world.token(&World::redeeming(&id, &code)).await);
    let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
    let client = Client { world: &world, bearer: format!("Bearer {}", tokens["access_token"].as_str().unwrap()) };
    world.platform.clock.advance(3000);
    let task = begin(&client, json!({"wait": 10_000_000})).await;
    world.platform.clock.advance(600);
    world.platform.background.finish().await;
    let params = [("grant_type", "refresh_token".to_owned()), ("client_id", id), ("refresh_token", refresh)];
    let renewed = json_of(&world.token(&params).await);
    let bearer = format!("Bearer {}", renewed["access_token"].as_str().unwrap_or_else(|| panic!("{renewed}")));
    let failed = get(&Client { world: &world, bearer }, &task).await;
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("failed"), &json!(-32603)));
}

#[tokio::test(flavor = "current_thread")]
async fn a_task_has_ten_minutes_and_a_call_that_is_none_no_more_than_ever() {
    let world = World::new();
    let client = Client::new(&world).await;
    let beats = || world.platform.timer.waits.borrow().iter().filter(|wait| **wait == 15_000).count();
    let id = begin(&client, json!({"wait": 10_000_000})).await;
    world.platform.background.finish().await;
    assert_eq!(beats(), 40);
    let done = get(&client, &id).await;
    assert_eq!((&done["status"], &told(&done["result"])["code"]), (&json!("completed"), &json!("tooLong")));
    world.platform.timer.waits.borrow_mut().clear();
    let result = client.result(json!({}), json!({"wait": 10_000_000}), json!({})).await;
    assert_eq!((beats(), &told(&result)["code"]), (7, &json!("tooLong")));
}

#[tokio::test(flavor = "current_thread")]
async fn a_flood_of_tasks_ends_at_a_bound_and_the_calls_beyond_it_are_answered_as_ever() {
    let world = World::new();
    let client = Client::new(&world).await;
    let mut all = Vec::new();
    for _ in 0..32 {
        all.push(begin(&client, json!({"defer": true, "confirm": ["send"]})).await);
    }
    let beyond = client.result(able(), json!({"defer": true, "wait": LONG}), json!({})).await;
    assert_eq!(beyond["resultType"], "complete", "{beyond}");
    for id in &all {
        assert_eq!(get(&client, id).await["status"], "working", "none goes before its time");
    }
    world.platform.clock.advance(1800);
    begin(&client, json!({"defer": true})).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_task_is_forgotten_when_its_time_is_over() {
    let world = World::new();
    let client = Client::new(&world).await;
    let id = begin(&client, json!({"defer": true})).await;
    world.platform.background.finish().await;
    assert!(world.platform.alarm.0.get().is_some_and(|at| at <= START + 1800), "the alarm rings for it");
    world.platform.clock.advance(1799);
    assert_eq!(get(&client, &id).await["status"], "completed");
    world.platform.clock.advance(1);
    unknown(&on(&client, "tasks/get", &id, json!({})).await);
    assert!(world.platform.agents.dump().contains(&id));
    world.platform.agents.wake_all().await;
    assert!(!world.platform.agents.dump().contains(&id));
}

#[tokio::test(flavor = "current_thread")]
async fn what_a_task_asks_is_told_and_comes_to_is_stored_sealed() {
    let world = World::new();
    let client = Client::new(&world).await;
    let id = begin(&client, json!({"defer": true, "confirm": ["SECRETQUESTION", "more"]})).await;
    world.platform.background.finish().await;
    let dump = || world.platform.agents.dump();
    // Blobs are dumped as lists of their bytes.
    let bytes = |text: &str| format!("{:?}", text.as_bytes()).trim_matches(['[', ']']).to_owned();
    let hidden = |text: &str| assert!(!dump().contains(text) && !dump().contains(&bytes(text)), "{text}");
    hidden("SECRETQUESTION");
    acknowledged(&client, "tasks/update", &id, answers(&get(&client, &id).await, &json!({"w": "SECRETANSWER"}))).await;
    world.platform.background.finish().await;
    hidden("SECRETANSWER");
    acknowledged(&client, "tasks/update", &id, answers(&get(&client, &id).await, &json!({}))).await;
    world.platform.background.finish().await;
    assert!(get(&client, &id).await["result"].to_string().contains("SECRETANSWER"));
    hidden("SECRETANSWER");
    let token = client.bearer.trim_start_matches("Bearer ");
    hidden(token);
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_too_large_to_be_kept_is_a_failure_that_says_so() {
    let world = World::new();
    let client = Client::new(&world).await;
    let id = begin(&client, json!({"defer": true, "confirm": ["send"]})).await;
    world.platform.background.finish().await;
    let answer = json!({"said": "x".repeat(2_000_000)});
    acknowledged(&client, "tasks/update", &id, answers(&get(&client, &id).await, &answer)).await;
    world.platform.background.finish().await;
    let task = get(&client, &id).await;
    assert_eq!(task["status"], "failed");
    assert!(task["error"]["message"].as_str().unwrap().contains("too large"), "{task}");
}
