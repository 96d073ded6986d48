//! Tasks: calls that outlast their request (2026-07-28, extension `io.modelcontextprotocol/tasks`).

use serde_json::{Value, json};

use super::mcp_rig::{Client, EVENTS, MODERN, messages, spec, told};
use super::mcp_scene::json;
use super::world::World;
use crate::agent::{StreamName, Subscription};

/// What a client says that knows tasks and can show forms.
pub(super) fn able() -> Value {
    json!({"elicitation": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}})
}

/// Longer than a client is let wait.
pub(super) const LONG: u64 = 30_000;

/// A stateless request by who can do `capabilities`; status and body.
pub(super) async fn ask(client: &Client<'_>, method: &str, capabilities: Value, mut params: Value) -> (u16, Value) {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    });
    let name = params["taskId"].as_str().unwrap_or_default().to_owned();
    let headers = [("mcp-protocol-version", MODERN), ("mcp-method", method), ("mcp-name", &name)];
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let response = client.post(&headers, &body).await;
    (response.status, json(&response))
}

/// What a task's method answers.
pub(super) async fn on(client: &Client<'_>, method: &str, id: &str, mut params: Value) -> Value {
    params["taskId"] = json!(id);
    let (status, body) = ask(client, method, able(), params).await;
    assert_eq!(status, 200, "{body}");
    body
}

pub(super) async fn get(client: &Client<'_>, id: &str) -> Value {
    on(client, "tasks/get", id, json!({})).await["result"].clone()
}

/// An acknowledgement, which says nothing else.
pub(super) async fn acknowledged(client: &Client<'_>, method: &str, id: &str, params: Value) {
    let result = on(client, method, id, params).await["result"].clone();
    let members: Vec<_> = result.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((members, &result["resultType"]), (vec!["_meta", "resultType"], &json!("complete")));
}

/// Calls the probe, which becomes a task; its id.
pub(super) async fn begin(client: &Client<'_>, arguments: Value) -> String {
    let result = client.result(able(), arguments, json!({})).await;
    assert_eq!(result["resultType"], "task", "{result}");
    result["taskId"].as_str().unwrap().to_owned()
}

pub(super) fn unknown(body: &Value) {
    assert_eq!(body["error"]["code"], -32602, "{body}");
}

pub(super) fn accept(content: &Value) -> Value {
    json!({"action": "accept", "content": content})
}

/// Answers each open question of a task with this.
pub(super) fn answers(task: &Value, content: &Value) -> Value {
    let open = task["inputRequests"].as_object().unwrap_or_else(|| panic!("{task}"));
    let all: serde_json::Map<String, Value> = open.keys().map(|key| (key.clone(), accept(content))).collect();
    json!({ "inputResponses": all })
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_that_takes_long_goes_on_as_a_task_and_what_it_comes_to_is_fetched() {
    let world = World::new();
    let client = Client::new(&world).await;
    let seed = client.result(able(), json!({"wait": LONG}), json!({})).await;
    assert_eq!((&seed["resultType"], &seed["status"]), (&json!("task"), &json!("working")));
    assert_eq!(seed["createdAt"], "2026-03-02T09:00:00Z");
    assert_eq!((&seed["ttlMs"], &seed["pollIntervalMs"]), (&json!(1_800_000), &json!(5000)));
    assert_eq!(seed["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "m365-mcp");
    let id = seed["taskId"].as_str().unwrap();
    assert_eq!(get(&client, id).await["status"], "working", "it is there before its id is");
    world.platform.clock.advance(30);
    world.platform.background.finish().await;
    let done = get(&client, id).await;
    assert_eq!((&done["resultType"], &done["status"]), (&json!("complete"), &json!("completed")));
    assert_eq!((&done["createdAt"], &done["lastUpdatedAt"]), (&seed["createdAt"], &json!("2026-03-02T09:00:30Z")));
    assert_eq!((&done["result"]["resultType"], told(&done["result"])["agreed"].is_array()), (&json!("complete"), true));
    let log = world.platform.log.text();
    assert!(log.contains(r#""reason":"task""#) && log.contains(r#""tool":"probe""#), "{log}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_that_is_done_in_time_is_answered_as_ever() {
    let world = World::new();
    let client = Client::new(&world).await;
    assert_eq!(client.result(able(), json!({"wait": 20_000}), json!({})).await["resultType"], "complete");
    let early = begin(&client, json!({"wait": 10, "defer": true})).await;
    assert_eq!(get(&client, &early).await["status"], "working", "the tool said that it takes long");
}

#[tokio::test(flavor = "current_thread")]
async fn who_does_not_declare_tasks_in_this_very_request_sees_nothing_of_them() {
    let world = World::new();
    let client = Client::new(&world).await;
    let id = begin(&client, json!({"wait": LONG})).await;
    let named = |value: Value| json!({"extensions": {"io.modelcontextprotocol/tasks": value}});
    for foreign in [json!({}), named(json!(true)), named(json!(null)), json!({"tasks": {}, "extensions": {}})] {
        for arguments in [json!({"wait": LONG}), json!({"defer": true, "wait": 10})] {
            assert_eq!(client.result(foreign.clone(), arguments, json!({})).await["resultType"], "complete");
        }
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            let (status, body) = ask(&client, method, foreign.clone(), json!({"taskId": id})).await;
            assert_eq!((status, &body["error"]["code"]), (400, &json!(-32021)));
            assert_eq!(body["error"]["data"]["requiredCapabilities"], named(json!({})));
        }
        let asked = json!({"notifications": {"taskIds": [id]}});
        let (status, body) = ask(&client, "subscriptions/listen", foreign, asked).await;
        assert_eq!((status, &body["error"]["code"]), (400, &json!(-32021)));
    }
    assert_eq!(get(&client, &id).await["status"], "working", "nor is it touched");
    let session = client.initialize("2025-11-25", able()).await;
    let response = client.within(&session, "application/json", json!({"wait": LONG}), json!({})).await;
    assert!(json(&response)["result"]["content"].is_array(), "{}", response.body_text());
}

#[tokio::test(flavor = "current_thread")]
async fn the_methods_of_the_older_tasks_do_not_exist_and_a_header_names_the_task() {
    let world = World::new();
    let client = Client::new(&world).await;
    for method in ["tasks/list", "tasks/result"] {
        let (status, body) = ask(&client, method, able(), json!({"taskId": "x"})).await;
        assert_eq!((status, &body["error"]["code"]), (404, &json!(-32601)));
    }
    let (status, body) = ask(&client, "server/discover", able(), json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(body["result"]["capabilities"]["extensions"], json!({"io.modelcontextprotocol/tasks": {}}));
    let id = begin(&client, json!({"wait": LONG})).await;
    for name in ["", "another"] {
        let headers = [("mcp-protocol-version", MODERN), ("mcp-method", "tasks/get"), ("mcp-name", name)];
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": able(),
        });
        let params = json!({"taskId": id, "_meta": meta});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": params});
        assert_eq!(json(&client.post(&headers, &body).await)["error"]["code"], -32020, "{name}");
    }
    for wrong in [json!({}), json!({"taskId": 7}), json!({"taskId": null})] {
        unknown(&ask(&client, "tasks/get", able(), wrong).await.1);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_tools_error_is_a_result_and_an_error_of_the_protocol_a_failure() {
    let world = World::new();
    let client = Client::new(&world).await;
    let refused = begin(&client, json!({"defer": true, "graph": true})).await;
    world.platform.background.finish().await;
    let done = get(&client, &refused).await;
    assert_eq!((&done["status"], &done["result"]["isError"]), (&json!("completed"), &json!(true)));
    let unable = begin(&client, json!({"defer": true, "both": true})).await;
    world.platform.background.finish().await;
    let failed = get(&client, &unable).await;
    assert_eq!((&failed["status"], failed.get("result")), (&json!("failed"), None));
    assert_eq!(failed["error"]["code"], -32021);
    assert_eq!(failed["error"]["data"]["requiredCapabilities"], json!({"roots": {}}));
}

#[tokio::test(flavor = "current_thread")]
async fn a_task_asks_round_after_round_under_keys_that_never_come_again() {
    let world = World::new();
    let client = Client::new(&world).await;
    let id = begin(&client, json!({"defer": true, "confirm": ["one", "two"], "timed": true})).await;
    let mut seen = std::collections::BTreeSet::new();
    // The first is asked anew, because what it asks about is another by the time of its answer.
    for (question, wait) in [("one", 1), ("one", 0), ("two", 0)] {
        world.platform.background.finish().await;
        let asking = get(&client, &id).await;
        assert_eq!(asking["status"], "input_required");
        let open = asking["inputRequests"].as_object().unwrap();
        assert!(open.values().all(|open| open["params"]["message"].as_str().unwrap().starts_with(question)));
        assert!(open.keys().all(|key| seen.insert(key.clone())), "{open:?} after {seen:?}");
        acknowledged(&client, "tasks/update", &id, json!({"inputResponses": {"unasked": accept(&json!({}))}})).await;
        assert_eq!(get(&client, &id).await["inputRequests"], asking["inputRequests"]);
        world.platform.clock.advance(wait);
        acknowledged(&client, "tasks/update", &id, answers(&asking, &json!({"n": seen.len()}))).await;
        assert_eq!(get(&client, &id).await["status"], "working");
    }
    world.platform.background.finish().await;
    assert_eq!(told(&get(&client, &id).await["result"])["agreed"], json!([{"n": 2}, {"n": 3}]));
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_answered_is_not_asked_again_and_the_rest_stays_open() {
    let world = World::new();
    let client = Client::new(&world).await;
    let capabilities = json!({"roots": {}, "sampling": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}});
    let seed = client.result(capabilities, json!({"defer": true, "both": true}), json!({})).await;
    let id = seed["taskId"].as_str().unwrap();
    world.platform.background.finish().await;
    let open: Vec<_> = get(&client, id).await["inputRequests"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(open.len(), 2);
    let answer = |key: &str| json!({"inputResponses": {key: {"of": key}}});
    acknowledged(&client, "tasks/update", id, answer(&open[0])).await;
    let left = get(&client, id).await;
    assert_eq!(left["inputRequests"].as_object().unwrap().keys().collect::<Vec<_>>(), [&open[1]]);
    acknowledged(&client, "tasks/update", id, answer(&open[0])).await;
    assert_eq!(get(&client, id).await["inputRequests"], left["inputRequests"]);
    acknowledged(&client, "tasks/update", id, answer(&open[1])).await;
    world.platform.background.finish().await;
    assert_eq!(told(&get(&client, id).await["result"])["agreed"], json!([{"of": open[0]}, {"of": open[1]}]));
}

#[tokio::test(flavor = "current_thread")]
async fn one_answer_lets_a_task_go_on_once_however_often_it_comes() {
    let world = World::new();
    let client = Client::new(&world).await;
    let id = begin(&client, json!({"defer": true, "confirm": ["send"], "graph": true})).await;
    world.platform.background.finish().await;
    let next = answers(&get(&client, &id).await, &json!({}));
    world.platform.gateway.seen.borrow_mut().clear();
    for _ in 0..3 {
        acknowledged(&client, "tasks/update", &id, next.clone()).await;
    }
    world.platform.background.finish().await;
    acknowledged(&client, "tasks/update", &id, next).await;
    world.platform.background.finish().await;
    assert_eq!(world.platform.gateway.seen.borrow().len(), 1);
    assert_eq!(get(&client, &id).await["status"], "completed");
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_that_came_before_its_question_counts_for_nothing() {
    let world = World::new();
    let client = Client::new(&world).await;
    let id = begin(&client, json!({"defer": true, "confirm": ["send"]})).await;
    for key in ["send", "0.send", "1.send"] {
        acknowledged(&client, "tasks/update", &id, json!({"inputResponses": {key: accept(&json!({}))}})).await;
    }
    world.platform.background.finish().await;
    let asking = get(&client, &id).await;
    assert_eq!(asking["status"], "input_required", "the user was never asked");
    // Nor does an answer in the form of another.
    let wrong = json!({"inputResponses": [accept(&json!({}))]});
    unknown(&on(&client, "tasks/update", &id, wrong).await);
    assert_eq!(get(&client, &id).await["inputRequests"], asking["inputRequests"]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_task_of_another_grant_is_an_unknown_one_and_untouched() {
    let world = World::new();
    let (client, other) = (Client::new(&world).await, Client::new(&world).await);
    let id = begin(&client, json!({"defer": true, "confirm": ["send"]})).await;
    world.platform.background.finish().await;
    let asking = get(&client, &id).await;
    let next = answers(&asking, &json!({}));
    for (method, params) in [("tasks/get", json!({})), ("tasks/update", next), ("tasks/cancel", json!({}))] {
        let theirs = on(&other, method, &id, params.clone()).await;
        unknown(&theirs);
        let nobodys = on(&other, method, "AAAAAAAAAAAAAAAAAAAAAA", params).await;
        assert_eq!(theirs["error"], nobodys["error"], "nothing is learnt by trying");
    }
    world.platform.background.finish().await;
    assert_eq!(get(&client, &id).await, asking);
}

#[tokio::test(flavor = "current_thread")]
async fn a_question_outlives_a_deploy_and_is_open_for_ten_minutes() {
    let world = World::new();
    let client = Client::new(&world).await;
    let (first, second) = (
        begin(&client, json!({"defer": true, "confirm": ["send"]})).await,
        begin(&client, json!({"defer": true, "confirm": ["send"]})).await,
    );
    world.platform.background.finish().await;
    world.platform.agents.evict();
    let next = answers(&get(&client, &first).await, &json!({"n": 1}));
    world.platform.clock.advance(599);
    acknowledged(&client, "tasks/update", &first, next.clone()).await;
    world.platform.background.finish().await;
    assert_eq!(told(&get(&client, &first).await["result"])["agreed"], json!([{"n": 1}]));
    world.platform.clock.advance(1);
    acknowledged(&client, "tasks/update", &second, next).await;
    world.platform.background.finish().await;
    let late = get(&client, &second).await;
    assert_eq!(late["status"], "failed");
    assert!(late["error"]["message"].as_str().unwrap().contains("nobody answered"));
}

#[tokio::test(flavor = "current_thread")]
async fn who_listens_is_told_of_each_step_and_of_what_was_before() {
    let world = World::new();
    let client = Client::new(&world).await;
    let id = begin(&client, json!({"defer": true, "confirm": ["send"]})).await;
    let asked = json!({"notifications": {"taskIds": [id, "another"]}});
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": able(),
    });
    let params = json!({"notifications": asked["notifications"], "_meta": meta});
    let body = json!({"jsonrpc": "2.0", "id": "l", "method": "subscriptions/listen", "params": params});
    let headers = [("accept", EVENTS), ("mcp-protocol-version", MODERN), ("mcp-method", "subscriptions/listen")];
    let spec = spec(client.post(&headers, &body).await);
    assert_eq!(messages(&spec.prelude)[0]["params"]["notifications"], asked["notifications"]);
    let subscription: Subscription = spec.attach.listens.clone().unwrap();
    let stream: StreamName = spec.attach.stream.clone();
    world.platform.sockets.1.borrow_mut().push((stream.clone(), subscription));
    let attached = world.platform.agents.attach(&spec.agent, &spec.attach).unwrap();
    let first = messages(&attached.events);
    assert_eq!((first.len(), &first[0]["params"]["status"]), (1, &json!("working")));

    world.platform.background.finish().await;
    acknowledged(&client, "tasks/update", &id, answers(&get(&client, &id).await, &json!({}))).await;
    world.platform.background.finish().await;
    let heard = super::mcp_rig::said(&world, stream.as_str()).0;
    let states: Vec<_> = heard.iter().map(|message| message["params"]["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["input_required", "working", "completed"]);
    for message in &heard {
        assert_eq!(message["method"], "notifications/tasks");
        assert_eq!(message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], "l");
    }
    let mut told = get(&client, &id).await;
    let mut last = heard[2]["params"].clone();
    for value in [&mut told, &mut last] {
        value.as_object_mut().unwrap().retain(|name, _| name != "_meta" && name != "resultType");
    }
    assert_eq!(told, last, "what it would have got by asking");
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_with_a_stream_becomes_a_task_by_its_last_event_and_goes_on_without_the_stream() {
    let world = World::new();
    let client = Client::new(&world).await;
    let meta = json!({
        "progressToken": 1, "io.modelcontextprotocol/clientCapabilities": able(),
    });
    let response = client.listen(EVENTS, json!({"wait": LONG, "graph": true}), json!({"_meta": meta})).await;
    let mut spec = spec(response);
    let last = messages(&spec.work.take().unwrap().0.await.unwrap());
    assert_eq!(last[0]["result"]["resultType"], "task");
    let before = world.platform.gateway.seen.borrow().len();
    world.platform.agents.hang_up(spec.attach.stream.as_str());
    world.platform.background.finish().await;
    assert_eq!(get(&client, last[0]["result"]["taskId"].as_str().unwrap()).await["status"], "completed");
    assert_eq!(world.platform.gateway.seen.borrow().len(), before + 1);
}
