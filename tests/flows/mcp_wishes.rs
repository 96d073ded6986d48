//! What a session asked to be told: log messages from its level on.

use serde_json::{Value, json};

use super::mcp_rig::Client;
use super::mcp_scene::json;
use super::world::World;
use crate::web::Response;

/// A session of a client.
struct Session<'c, 'w>(&'c Client<'w>, String);

impl<'c, 'w> Session<'c, 'w> {
    async fn open(client: &'c Client<'w>) -> Self {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}});
        let response =
            client.post(&[], &json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})).await;
        assert!(json(&response)["result"]["capabilities"]["logging"].is_object());
        Self(client, response.header("mcp-session-id").unwrap().to_owned())
    }

    async fn ask(&self, method: &str, params: Value) -> Response {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        self.0.post(&[("mcp-session-id", &self.1)], &request).await
    }

    async fn set_level(&self, level: Value) -> Value {
        json(&self.ask("logging/setLevel", json!({"level": level})).await)
    }

    /// Calls the probe; the log messages that went out meanwhile.
    async fn heard(&self, arguments: Value) -> Vec<Value> {
        let sockets = &self.0.world.platform.sockets;
        let before = sockets.0.borrow().len();
        let response = self.ask("tools/call", json!({"name": "probe", "arguments": arguments})).await;
        assert!(json(&response)["result"]["content"].is_array(), "{}", response.body_text());
        let all = sockets.0.borrow();
        all.iter().skip(before).filter_map(|(_, text)| Some(text.split_once("data: ")?.1)).map(parse).collect()
    }
}

fn parse(text: &str) -> Value {
    let message: Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!(message["method"], "notifications/message");
    message["params"].clone()
}

#[tokio::test(flavor = "current_thread")]
async fn a_session_hears_from_its_level_on_and_no_other_session_does() {
    let world = World::new();
    let client = Client::new(&world).await;
    let (session, other) = (Session::open(&client).await, Session::open(&client).await);
    assert!(session.heard(json!({"lines": 2})).await.is_empty(), "nothing is said unasked");
    for (level, count) in [("debug", 2), ("info", 2), ("notice", 0), ("emergency", 0), ("info", 2)] {
        assert_eq!(session.set_level(json!(level)).await["result"], json!({}));
        let heard = session.heard(json!({"lines": 2})).await;
        assert_eq!(heard.len(), count, "{level}");
        assert!(heard.iter().all(|params| params["level"] == "info" && params["logger"] == "probe"));
    }
    assert!(other.heard(json!({"lines": 2})).await.is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_tool_logs_its_graph_requests_by_kind_and_nothing_of_their_content() {
    let world = World::new();
    let client = Client::new(&world).await;
    let session = Session::open(&client).await;
    session.set_level(json!("debug")).await;
    let heard = session.heard(json!({"graph": true})).await;
    let [params] = heard.as_slice() else { panic!("{heard:?}") };
    assert_eq!((&params["data"]["method"], &params["data"]["route"]), (&json!("GET"), &json!("/me")));
    let members: Vec<_> = params["data"].as_object().unwrap().keys().collect();
    assert_eq!(members, ["code", "method", "route", "status"]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_level_that_is_none_is_refused_and_what_is_not_offered_is_no_method() {
    let world = World::new();
    let client = Client::new(&world).await;
    let session = Session::open(&client).await;
    for level in [json!("loud"), json!("INFO"), json!(3), Value::Null] {
        assert_eq!(session.set_level(level.clone()).await["error"]["code"], -32602, "{level}");
    }
    for method in ["resources/subscribe", "resources/unsubscribe"] {
        let answer = json(&session.ask(method, json!({"uri": "microsoft://profile"})).await);
        assert_eq!(answer["error"]["code"], -32601, "{method}");
    }
}
