//! Requests that the grant's object answers, and what is refused before it is asked.

#![expect(clippy::indexing_slicing, reason = "a missing member should stop the test")]

use super::mcp_scene::{Scene, TOOL_RESULT, call, json, rpc};

async fn answer(scene: &Scene, body: &str) -> (u16, serde_json::Value) {
    let bearer = scene.bearer(1);
    let session = scene.initialize(&bearer, "2025-11-25").await;
    scene.agents.seen.borrow_mut().clear();
    let response = scene.within(&bearer, &session, body).await;
    (response.status, json(&response))
}

#[tokio::test(flavor = "current_thread")]
async fn a_tool_call_costs_one_hop_and_its_result_comes_back_untouched() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let session = scene.initialize(&bearer, "2025-11-25").await;
    scene.agents.seen.borrow_mut().clear();
    scene.platform.clock.advance(600);
    let body = r#"{"jsonrpc":"2.0","id":"a\u0041","method":"tools/call","params":{"name":"getEmails","arguments":{ "count": 1e1 }}}"#;
    let response = scene.within(&bearer, &session, body).await;
    let expected = format!(r#"{{"jsonrpc":"2.0","id":"a\u0041","result":{TOOL_RESULT}}}"#);
    assert_eq!(response.body_text(), expected);
    assert_eq!(scene.agents.hops(), 1);
    assert!(scene.agents.seen.borrow()[0].contains(r#"arguments: "{ \"count\": 1e1 }""#));
    assert_eq!(scene.within(&bearer, &session, &rpc("tools/list")).await.status, 200);
    assert_eq!(scene.agents.hops(), 1, "the call refreshed the note");
    let log = scene.platform.log.text();
    assert!(log.contains(r#""event":"mcp.tool""#) && log.contains(r#""tool":"getEmails""#), "{log}");
    assert!(log.contains(r#""reason":"ok""#) && !log.contains("Three mails"), "{log}");
}

#[tokio::test(flavor = "current_thread")]
async fn missing_or_null_arguments_are_an_empty_object() {
    let null = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"getEmails","arguments":null}}"#;
    for body in [call("getEmails"), null.to_owned()] {
        let scene = Scene::new(&[]);
        let (status, value) = answer(&scene, &body).await;
        assert_eq!((status, value["result"].is_object()), (200, true));
        assert!(scene.agents.seen.borrow()[0].contains(r#"arguments: "{}""#));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn what_the_catalogue_does_not_hold_never_reaches_the_object() {
    let cases = [
        (call("madeUp"), -32602),
        (rpc("tools/call"), -32602),
        (r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":["getEmails"]}"#.into(), -32602),
        (
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"getEmails","arguments":[]}}"#.into(),
            -32602,
        ),
        (r#"{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":"file:///etc/passwd"}}"#.into(), -32002),
        (r#"{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"cursor":"x"}}"#.into(), -32602),
        (rpc("prompts/get"), -32602),
        (rpc("made/up"), -32601),
        (rpc("server/discover"), -32601),
        (rpc("resources/subscribe"), -32601),
    ];
    for (body, code) in cases {
        let scene = Scene::new(&[]);
        let (status, value) = answer(&scene, &body).await;
        assert_eq!((status, value["error"]["code"].as_i64()), (200, Some(code)), "{body}");
        assert_eq!(value["id"], 7);
        assert_eq!(scene.agents.hops(), 0, "{body}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_read_only_deployment_hides_and_refuses_what_writes() {
    let scene = Scene::new(&[("READ_ONLY", "true")]);
    let (_, listed) = answer(&scene, &rpc("tools/list")).await;
    assert!(!listed.to_string().contains("sendEmail"));
    let (_, value) = answer(&scene, &call("sendEmail")).await;
    assert_eq!(value["result"]["isError"], true);
    assert_eq!(scene.agents.hops(), 0);
}
