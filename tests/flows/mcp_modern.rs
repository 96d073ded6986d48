//! The stateless revision: each rung of the ladder that a request climbs, each header rule, and what its answers carry.

#![expect(clippy::indexing_slicing, reason = "a missing member should stop the test")]

use serde_json::{Value, json};

use super::mcp_scene::{Scene, TOOL_RESULT, request};
use crate::agent::GrantError;
use crate::mcp::Endpoint;
use crate::web::{Method, Response};

const REVISION: &str = "2026-07-28";

/// `_meta` as every client sends it.
fn meta() -> Value {
    json!({"io.modelcontextprotocol/protocolVersion": REVISION, "io.modelcontextprotocol/clientCapabilities": {}})
}

/// A request with `_meta` put in.
fn message(method: &str, mut params: Value) -> Value {
    if params.get("_meta").is_none() {
        params["_meta"] = meta();
    }
    json!({"jsonrpc": "2.0", "id": "q", "method": method, "params": params})
}

/// Sends a body with these headers beside the usual ones.
async fn send(scene: &Scene, headers: &[(&'static str, &str)], body: &Value) -> Response {
    scene.post(headers, &body.to_string()).await
}

/// Sends a message as a client would: with every header that belongs to it.
async fn ask(scene: &Scene, bearer: &str, method: &str, params: Value) -> (u16, Value) {
    let named = params["name"].as_str().or(params["uri"].as_str()).unwrap_or_default().to_owned();
    let headers = [
        ("authorization", bearer),
        ("mcp-protocol-version", REVISION),
        ("mcp-method", method),
        ("mcp-name", named.as_str()),
    ];
    let response = send(scene, &headers, &message(method, params)).await;
    (response.status, super::mcp_scene::json(&response))
}

/// Status and error code.
fn refusal(response: &Response) -> (u16, i64) {
    let value = super::mcp_scene::json(response);
    assert_eq!(value["id"], "q", "an error carries the id of its request: {value}");
    (response.status, value["error"]["code"].as_i64().unwrap_or_default())
}

#[tokio::test(flavor = "current_thread")]
async fn discover_names_stateless_revisions_only_and_who_answers() {
    let scene = Scene::new(&[]);
    let (status, value) = ask(&scene, &scene.bearer(1), "server/discover", json!({})).await;
    let result = &value["result"];
    assert_eq!((status, &result["supportedVersions"]), (200, &json!([REVISION])));
    assert_eq!((&result["resultType"], &result["cacheScope"]), (&json!("complete"), &json!("private")));
    assert!(result["ttlMs"].is_u64() && result["instructions"].is_string(), "{result}");
    for capability in ["tools", "resources", "prompts", "completions", "logging"] {
        assert!(result["capabilities"][capability].is_object(), "{capability}");
    }
    assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "m365-mcp");
    assert!(result.get("serverInfo").is_none() && result.get("protocolVersion").is_none());
}

#[tokio::test(flavor = "current_thread")]
async fn lists_say_how_long_they_may_be_kept_and_cost_one_hop_a_minute() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    for (method, member) in [
        ("tools/list", "tools"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
        ("prompts/list", "prompts"),
    ] {
        let (status, value) = ask(&scene, &bearer, method, json!({})).await;
        let result = &value["result"];
        assert_eq!((status, &result["resultType"]), (200, &json!("complete")), "{method}");
        assert!(result["ttlMs"].is_u64() && result["cacheScope"] == "private" && result[member].is_array(), "{result}");
        assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
    }
    assert_eq!((scene.agents.hops(), scene.platform.kv.reads.get()), (1, 0));
    let (_, value) = ask(&scene, &bearer, "tools/list", json!({"cursor": "made-up"})).await;
    assert_eq!(value["error"]["code"], -32602);
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_costs_one_hop_and_its_result_is_the_objects_with_a_result_type() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    for params in [json!({"name": "getEmails"}), json!({"name": "getEmails", "arguments": null})] {
        let (status, value) = ask(&scene, &bearer, "tools/call", params).await;
        let expected: Value = serde_json::from_str(TOOL_RESULT).unwrap();
        assert_eq!((status, &value["id"]), (200, &json!("q")));
        assert_eq!(value["result"]["resultType"], "complete");
        assert_eq!(value["result"]["content"], expected["content"]);
        assert!(value["result"].get("ttlMs").is_none(), "a call's result is not kept");
    }
    assert_eq!(scene.agents.hops(), 2);
    assert!(scene.agents.seen.borrow()[0].contains(r#"arguments: "{}""#));
}

#[tokio::test(flavor = "current_thread")]
async fn a_resource_is_read_fresh_and_an_unknown_one_is_invalid_params() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let (_, value) = ask(&scene, &bearer, "resources/read", json!({"uri": "microsoft://profile"})).await;
    assert_eq!((&value["result"]["ttlMs"], &value["result"]["cacheScope"]), (&json!(0), &json!("private")));
    let (status, value) = ask(&scene, &bearer, "resources/read", json!({"uri": "test://none"})).await;
    assert_eq!((status, &value["error"]["code"]), (200, &json!(-32602)));
    assert_eq!(value["error"]["data"]["uri"], "test://none");
    assert_eq!(scene.agents.hops(), 1, "only the one that there is reaches the object");
}

#[tokio::test(flavor = "current_thread")]
async fn what_the_catalogue_does_not_hold_is_an_error_in_band() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    for (method, params) in [
        ("tools/call", json!({"name": "madeUp"})),
        ("tools/call", json!({"name": "getEmails", "arguments": []})),
        ("tools/call", json!({})),
        ("tools/call", json!({"name": 7})),
        ("resources/read", json!({})),
        ("prompts/get", json!({"name": "none"})),
    ] {
        let (status, value) = ask(&scene, &bearer, method, params.clone()).await;
        assert_eq!((status, value["error"]["code"].as_i64()), (200, Some(-32602)), "{method} {params}");
    }
    assert!(!scene.agents.seen.borrow().iter().any(|seen| seen.starts_with("call")));
}

#[tokio::test(flavor = "current_thread")]
async fn a_read_only_deployment_refuses_a_write_as_a_tool_error() {
    let scene = Scene::new(&[("READ_ONLY", "true")]);
    let (_, value) = ask(&scene, &scene.bearer(1), "tools/call", json!({"name": "sendEmail"})).await;
    assert_eq!((&value["result"]["isError"], &value["result"]["resultType"]), (&json!(true), &json!("complete")));
}

#[tokio::test(flavor = "current_thread")]
async fn removed_and_unknown_methods_are_404_even_with_everything_in_order() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "made/up",
        "tasks/list",
    ] {
        let (status, value) = ask(&scene, &bearer, method, json!({})).await;
        assert_eq!((status, value["error"]["code"].as_i64()), (404, Some(-32601)), "{method}");
        assert_eq!(value["id"], "q");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_envelope_that_lacks_what_it_needs_is_400_before_any_header_is_judged() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let key = |name: &str| format!("io.modelcontextprotocol/{name}");
    let without = |name: &str| {
        let mut all = meta();
        all.as_object_mut().unwrap().remove(&key(name));
        all
    };
    let with = |name: &str, value: Value| {
        let mut all = meta();
        all[key(name)] = value;
        all
    };
    for meta in [
        Value::Null,
        json!({}),
        without("protocolVersion"),
        without("clientCapabilities"),
        with("protocolVersion", json!(7)),
        with("protocolVersion", Value::Null),
        with("clientCapabilities", json!("all")),
        with("clientCapabilities", Value::Null),
        with("logLevel", json!("loud")),
    ] {
        let body = message("server/discover", json!({"_meta": meta}));
        let headers = [("authorization", bearer.as_str()), ("mcp-protocol-version", REVISION)];
        assert_eq!(refusal(&send(&scene, &headers, &body).await), (400, -32602), "{body}");
    }
    assert_eq!(scene.agents.hops(), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn the_revision_is_judged_header_against_body_first_then_whether_it_is_served() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    for (header, claimed, code) in [
        (REVISION, "v999", -32020),
        ("2025-11-25", REVISION, -32020),
        ("v999", "v999", -32022),
        ("2025-11-25", "2025-11-25", -32022),
        ("", "v999", -32022),
        ("", REVISION, -32020),
    ] {
        let mut meta = meta();
        meta["io.modelcontextprotocol/protocolVersion"] = json!(claimed);
        let body = message("server/discover", json!({"_meta": meta}));
        let headers = [("authorization", bearer.as_str()), ("mcp-protocol-version", header)];
        let response = send(&scene, &headers, &body).await;
        assert_eq!(refusal(&response), (400, code), "{header} {claimed}");
        let data = super::mcp_scene::json(&response)["error"]["data"].clone();
        let expected =
            if code == -32022 { json!({"supported": [REVISION], "requested": claimed}) } else { Value::Null };
        assert_eq!(data, expected);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn each_standard_header_must_say_what_the_body_says() {
    let list = message("tools/list", json!({}));
    let call = message("tools/call", json!({"name": "getEmails"}));
    let read = message("resources/read", json!({"uri": "microsoft://profile"}));
    let cases: [(&Value, &str, &str, bool); 16] = [
        (&list, "tools/list", "", true),
        (&list, "  tools/list\t", "", true),
        (&list, "=?base64?dG9vbHMvbGlzdA==?=", "", false),
        (&list, "tools/list", "what a list has no use for", true),
        (&list, "", "", false),
        (&list, "TOOLS/LIST", "", false),
        (&list, "prompts/list", "", false),
        (&call, "tools/call", "getEmails", true),
        (&call, "tools/call", " getEmails ", true),
        (&call, "tools/call", "=?base64?Z2V0RW1haWxz?=", true),
        (&call, "tools/call", "=?base64?Z2V0RW1haWx?=", false),
        (&call, "tools/call", "", false),
        (&call, "tools/call", "getemails", false),
        (&call, "tools/call", "getEmails, getEmails", false),
        (&read, "resources/read", "microsoft://profile", true),
        (&read, "resources/read", "microsoft://teams", false),
    ];
    for (body, method, name, fits) in cases {
        let scene = Scene::new(&[]);
        let bearer = scene.bearer(1);
        let headers = [
            ("authorization", bearer.as_str()),
            ("mcp-protocol-version", REVISION),
            ("mcp-method", method),
            ("mcp-name", name),
        ];
        let response = send(&scene, &headers, body).await;
        if fits {
            assert_eq!(response.status, 200, "{method} {name}: {}", response.body_text());
        } else {
            assert_eq!(refusal(&response), (400, -32020), "{method} {name}");
            assert_eq!(scene.agents.hops(), 0);
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_session_and_a_last_event_mean_nothing_and_none_is_minted() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let headers = [
        ("authorization", bearer.as_str()),
        ("mcp-protocol-version", REVISION),
        ("mcp-method", "tools/list"),
        ("mcp-session-id", "made-up"),
        ("last-event-id", "7"),
    ];
    let response = send(&scene, &headers, &message("tools/list", json!({}))).await;
    assert_eq!((response.status, response.header("mcp-session-id")), (200, None));
}

#[tokio::test(flavor = "current_thread")]
async fn a_notification_is_taken_and_a_batch_is_not() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let headers = [("authorization", bearer.as_str()), ("mcp-protocol-version", REVISION)];
    let mut notification = message("notifications/cancelled", json!({"requestId": "q"}));
    notification.as_object_mut().unwrap().remove("id");
    let response = send(&scene, &headers, &notification).await;
    assert_eq!((response.status, response.body_text().as_ref()), (202, ""));
    let response = send(&scene, &headers[..1], &notification).await;
    assert_eq!(response.status, 202, "which headers a notification has is not laid down: {}", response.body_text());
    let bare = json!({"jsonrpc": "2.0", "method": "notifications/made/up"});
    assert_eq!(send(&scene, &headers, &bare).await.status, 202, "its header alone may name the revision");
    let batch = json!([message("tools/list", json!({}))]);
    let response = send(&scene, &headers, &batch).await;
    assert_eq!(super::mcp_scene::json(&response)["error"]["code"], -32600);
    assert_eq!(response.status, 400);
}

#[tokio::test(flavor = "current_thread")]
async fn both_urls_serve_both_eras() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    for endpoint in [Endpoint::Mcp, Endpoint::Sse] {
        let headers =
            [("authorization", bearer.as_str()), ("mcp-protocol-version", REVISION), ("mcp-method", "server/discover")];
        let body = message("server/discover", json!({})).to_string();
        assert_eq!(scene.send(endpoint, request(Method::Post, &headers, &body)).await.status, 200);
    }
    let session = scene.initialize(&bearer, REVISION).await;
    assert!(!session.is_empty(), "initialize offers a legacy revision instead");
}

#[tokio::test(flavor = "current_thread")]
async fn an_api_token_may_discover_and_list_and_nothing_else() {
    let scene = Scene::new(&[]);
    for method in ["server/discover", "tools/list", "resources/list", "resources/templates/list", "prompts/list"] {
        assert_eq!(ask(&scene, "Bearer api-token", method, json!({})).await.0, 200, "{method}");
    }
    for (method, params) in [
        ("tools/call", json!({"name": "getEmails"})),
        ("resources/read", json!({"uri": "microsoft://profile"})),
        ("made/up", json!({})),
    ] {
        assert_eq!(ask(&scene, "Bearer api-token", method, params).await.0, 401, "{method}");
    }
    assert_eq!(
        ask(&scene, "", "server/discover", json!({})).await.0,
        401,
        "a client without a token is sent to sign in"
    );
    assert_eq!(scene.agents.hops(), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn a_grant_that_ended_is_401_whatever_is_asked() {
    for (method, params) in
        [("tools/list", json!({})), ("made/up", json!({})), ("tools/call", json!({"name": "getEmails"}))]
    {
        let scene = Scene::new(&[]);
        *scene.agents.refusal.borrow_mut() = Some(GrantError::Revoked);
        assert_eq!(ask(&scene, &scene.bearer(1), method, params).await.0, 401, "{method}");
    }
}

/// The product promises no change notices; who asks for some learns at once that none will come.
#[tokio::test(flavor = "current_thread")]
async fn who_listens_for_what_this_server_never_says_is_told_so_and_answered() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let headers = [
        ("authorization", bearer.as_str()),
        ("mcp-protocol-version", REVISION),
        ("mcp-method", "subscriptions/listen"),
    ];
    let asked = json!({"toolsListChanged": true, "resourceSubscriptions": ["microsoft://profile"]});
    let body = message("subscriptions/listen", json!({ "notifications": asked }));
    let response = send(&scene, &headers, &body).await;
    assert_eq!((response.status, response.header("content-type")), (200, Some("text/event-stream")));
    let text = response.body_text().into_owned();
    let told: Vec<Value> =
        text.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok()).collect();
    assert_eq!(told.len(), 2, "{text}");
    assert_eq!(told[0]["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(told[0]["params"]["notifications"], json!({}));
    assert_eq!((&told[1]["id"], &told[1]["result"]["resultType"]), (&body["id"], &json!("complete")));
    for message in [&told[0]["params"]["_meta"], &told[1]["result"]["_meta"]] {
        assert_eq!(message["io.modelcontextprotocol/subscriptionId"], body["id"]);
    }
    let (status, value) = ask(&scene, &bearer, "subscriptions/listen", json!({})).await;
    assert_eq!((status, &value["error"]["code"]), (200, &json!(-32602)), "it must say what it listens for");
    assert_eq!(ask(&scene, "Bearer api-token", "subscriptions/listen", json!({})).await.0, 401);
}
