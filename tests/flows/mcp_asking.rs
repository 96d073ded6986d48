//! Multi-round-trip requests of 2026-07-28: a call that asks its client, and the state that the client carries for it.

use serde_json::{Value, json};

use super::mcp_rig::{Client, told};
use super::mcp_scene::json;
use super::world::World;

fn forms() -> Value {
    json!({"elicitation": {}})
}

fn accept(content: &Value) -> Value {
    json!({"action": "accept", "content": content})
}

/// The params of the next run: these answers to what `result` asked.
fn retry(result: &Value, answers: &Value) -> Value {
    json!({"inputResponses": answers, "requestState": result["requestState"]})
}

fn refused(value: &Value) {
    assert_eq!(value["error"]["code"], -32602, "{value}");
    assert!(value["error"]["message"].as_str().unwrap().contains("requestState"), "{value}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_asks_round_after_round_and_ends_with_every_answer() {
    let world = World::new();
    let client = Client::new(&world).await;
    let arguments = json!({"confirm": ["first", "second"]});
    let one = client.result(forms(), arguments.clone(), json!({})).await;
    assert_eq!(one["resultType"], "input_required");
    assert_eq!(one["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "m365-mcp");
    assert!(one.get("ttlMs").is_none(), "what is not done is not kept");
    assert_eq!(one["inputRequests"]["first"]["method"], "elicitation/create");
    assert_eq!(one["inputRequests"]["first"]["params"]["message"], "first");
    assert_eq!(one["inputRequests"].as_object().unwrap().len(), 1);
    let answers = json!({"first": accept(&json!({"n": 1}))});
    let two = client.result(forms(), arguments.clone(), retry(&one, &answers)).await;
    assert_eq!((&two["resultType"], two["inputRequests"]["second"].is_object()), (&json!("input_required"), true));
    let answers = json!({"second": accept(&json!({"n": 2}))});
    let three = client.result(forms(), arguments, retry(&two, &answers)).await;
    assert_eq!(three["resultType"], "complete");
    assert_eq!(told(&three)["agreed"], json!([{"n": 1}, {"n": 2}]));
}

#[tokio::test(flavor = "current_thread")]
async fn several_requests_go_out_at_once_and_what_is_missing_is_asked_again() {
    let world = World::new();
    let client = Client::new(&world).await;
    let (able, arguments) = (json!({"roots": {}, "sampling": {}}), json!({"both": true}));
    let one = client.result(able.clone(), arguments.clone(), json!({})).await;
    assert_eq!(one["inputRequests"]["roots"]["method"], "roots/list");
    assert_eq!(one["inputRequests"]["words"]["method"], "sampling/createMessage");
    let half = json!({"roots": {"roots": []}, "unasked": {"action": "accept"}});
    let two = client.result(able.clone(), arguments.clone(), retry(&one, &half)).await;
    assert_eq!(two["inputRequests"].as_object().unwrap().keys().collect::<Vec<_>>(), ["words"]);
    let three = client.result(able, arguments, retry(&two, &json!({"words": {"role": "assistant"}}))).await;
    assert_eq!(told(&three)["agreed"], json!([{"roots": []}, {"role": "assistant"}]));
}

#[tokio::test(flavor = "current_thread")]
async fn a_refusal_is_told_to_the_tool() {
    let world = World::new();
    let client = Client::new(&world).await;
    for (action, member) in [("decline", "declined"), ("cancel", "cancelled")] {
        let arguments = json!({"confirm": ["send"]});
        let asked = client.result(forms(), arguments.clone(), json!({})).await;
        let answer = retry(&asked, &json!({"send": {"action": action}}));
        assert_eq!(told(&client.result(forms(), arguments, answer).await)[member], "send");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_that_nobody_asked_for_counts_for_nothing() {
    let world = World::new();
    let client = Client::new(&world).await;
    let answers = json!({"inputResponses": {"send": accept(&json!({}))}});
    let result = client.result(forms(), json!({"confirm": ["send"]}), answers).await;
    assert_eq!(result["resultType"], "input_required", "the user was never asked");
}

#[tokio::test(flavor = "current_thread")]
async fn what_the_client_never_declared_it_is_never_asked() {
    let world = World::new();
    let client = Client::new(&world).await;
    for able in [json!({}), json!({"elicitation": {"url": {}}}), json!({"sampling": {}, "roots": {}})] {
        let response = client.ask(able, json!({"confirm": ["send"]}), json!({})).await;
        assert_eq!((response.status, json(&response)["error"]["code"].as_i64()), (400, Some(-32021)));
        assert_eq!(json(&response)["error"]["data"]["requiredCapabilities"], json!({"elicitation": {}}));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_state_is_of_its_grant_its_tool_and_its_arguments() {
    let world = World::new();
    let (client, other) = (Client::new(&world).await, Client::new(&world).await);
    let arguments = json!({"confirm": ["send"], "wait": 0});
    let asked = client.result(forms(), arguments.clone(), json!({})).await;
    let next = retry(&asked, &json!({"send": accept(&json!({}))}));
    // The same said in another order is the same.
    let same = json!({"wait": 0, "confirm": ["send"]});
    assert_eq!(client.result(forms(), same, next.clone()).await["resultType"], "complete");
    for foreign in [json!({"confirm": ["send"], "wait": 1}), json!({"confirm": ["other"], "wait": 0}), json!({})] {
        refused(&json(&client.ask(forms(), foreign, next.clone()).await));
    }
    refused(&json(&other.ask(forms(), arguments, next).await));
}

#[tokio::test(flavor = "current_thread")]
async fn a_state_cannot_be_changed_and_does_not_last() {
    let world = World::new();
    let client = Client::new(&world).await;
    let arguments = json!({"confirm": ["send"]});
    let asked = client.result(forms(), arguments.clone(), json!({})).await;
    let state = asked["requestState"].as_str().unwrap().to_owned();
    let middle = state.len() / 2;
    let flipped = if &state[middle..=middle] == "A" { "B" } else { "A" };
    let changed = format!("{}{flipped}{}", &state[..middle], &state[middle + 1..]);
    for forged in [String::new(), "{}".into(), format!("{state}-TAMPERED"), state[..40].into(), changed] {
        let next = json!({"requestState": forged, "inputResponses": {"send": accept(&json!({}))}});
        refused(&json(&client.ask(forms(), arguments.clone(), next).await));
    }
    for wrong in [json!(7), json!(null), json!({})] {
        refused(&json(&client.ask(forms(), arguments.clone(), json!({"requestState": wrong})).await));
    }
    let wrong = json!({"requestState": state, "inputResponses": []});
    assert_eq!(json(&client.ask(forms(), arguments.clone(), wrong).await)["error"]["code"], -32602);
    world.platform.clock.advance(600);
    refused(&json(&client.ask(forms(), arguments, retry(&asked, &json!({"send": accept(&json!({}))}))).await));
}

#[tokio::test(flavor = "current_thread")]
async fn a_state_tells_its_client_nothing() {
    let world = World::new();
    let client = Client::new(&world).await;
    let arguments = json!({"confirm": ["first", "second"]});
    let one = client.result(forms(), arguments.clone(), json!({})).await;
    let answers = json!({"first": accept(&json!({"word": "SECRETWORD"}))});
    let two = client.result(forms(), arguments, retry(&one, &answers)).await;
    let bytes = crate::crypto::decode(two["requestState"].as_str().unwrap()).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("SECRETWORD"));
}
