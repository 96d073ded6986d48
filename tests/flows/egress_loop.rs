//! What goes out, what comes back, and what nobody on the way gets to see.

use serde_json::{Value, json};

use super::egress_rig::{RENEWED, REQUEST_ID, Rig, TOKEN, Trick, graph_error, read, write};
use crate::graph::{Graph, GraphRequest, Origin};

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    headers.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
}

#[tokio::test(flavor = "current_thread")]
async fn a_read_reaches_graph_with_the_users_token_and_the_requests_id() {
    let rig = Rig::new();
    rig.graph(200, &[("request-id", "g-1"), ("set-cookie", "a=b")], &json!({"value": []}));
    let answer = rig.send(&read()).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, br#"{"value":[]}"#.as_slice()));
    assert_eq!(header(&answer.headers, "request-id"), ["g-1"]);
    assert_eq!(header(&answer.headers, "set-cookie"), [""; 0]);

    let seen = rig.platform.upstream.seen.borrow();
    let [sent] = seen.as_slice() else { panic!("one request") };
    assert_eq!(sent.method, "GET");
    assert_eq!(sent.url, "https://graph.microsoft.com/v1.0/me/mailFolders/in%2Fbox/messages?$top=10");
    let names: Vec<_> = sent.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["accept", "prefer", "authorization", "client-request-id", "return-client-request-id"]);
    assert_eq!(header(&sent.headers, "authorization"), [format!("Bearer {TOKEN}")]);
    assert_eq!(header(&sent.headers, "client-request-id"), [REQUEST_ID]);
    assert_eq!(header(&sent.headers, "prefer"), ["a=\"b\""]);
    assert_eq!(sent.body, None);
}

#[tokio::test(flavor = "current_thread")]
async fn a_write_reaches_graph_once_with_its_exact_body() {
    let rig = Rig::new();
    rig.graph(202, &[], &json!(null));
    assert_eq!(rig.send(&write()).await.unwrap().status, 202);
    let seen = rig.platform.upstream.seen.borrow();
    let [sent] = seen.as_slice() else { panic!("one request") };
    assert_eq!(sent.method, "POST");
    assert_eq!(sent.body.as_deref(), Some("{\"message\":{\"subject\":\"Gr\u{fc}\u{df}e\"}}".as_bytes()));
    assert_eq!(header(&sent.headers, "content-type"), ["application/json"]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_redirect_of_graphs_comes_back_as_data() {
    let rig = Rig::new();
    rig.graph(302, &[("location", "https://download.contoso.example/x")], &json!(null));
    let answer = rig.send(&read()).await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(header(&answer.headers, "location"), ["https://download.contoso.example/x"]);
    assert_eq!(rig.platform.upstream.seen.borrow().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn no_clear_token_is_in_the_call_or_the_log() {
    let rig = Rig::new();
    rig.graph(401, &[], &graph_error("InvalidAuthenticationToken"));
    rig.graph(202, &[], &json!(null));
    rig.send(&write()).await.unwrap();
    let calls = rig.gateway.seen.borrow();
    assert_eq!(calls.len(), 2, "the renewed token went out as well");
    let shown: String = calls.iter().flat_map(|call| [call.inputs.as_str(), &call.options]).collect();
    let log = rig.platform.log.text();
    for text in [&shown, &log] {
        for secret in [TOKEN, RENEWED, "eyJ", "first-graph-token", "second-graph-token"] {
            assert!(!text.contains(secret), "{secret}");
        }
    }
    assert!(!log.contains("Bearer") && !log.contains("Gr\u{fc}\u{df}e") && !log.contains("subject"));
    let inputs: Value = serde_json::from_str(&calls[0].inputs).unwrap();
    let sealed = inputs["headers"]["authorization"].as_str().unwrap();
    let plain = crate::crypto::decode(sealed.strip_prefix("Bearer ").unwrap()).unwrap();
    assert!(!plain.windows(5).any(|window| window == b"graph"), "sealed, not merely encoded");
}

#[tokio::test(flavor = "current_thread")]
async fn the_call_has_the_contracts_keys_and_a_chat_message() {
    let rig = Rig::new();
    rig.graph(202, &[], &json!(null));
    rig.send(&write()).await.unwrap();
    let call = rig.gateway.seen.borrow()[0].clone();
    assert_eq!(call.model, "dynamic/microsoft-graph-handler");
    assert!(call.limit_ms > 25_000);
    let inputs: Value = serde_json::from_str(&call.inputs).unwrap();
    let keys: Vec<_> = inputs.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["body", "headers", "messages", "method", "path", "stream"]);
    assert_eq!((&inputs["method"], &inputs["path"]), (&json!("POST"), &json!("/v1.0/me/sendMail")));
    assert_eq!((&inputs["stream"], &inputs["messages"][0]["role"]), (&json!(false), &json!("user")));
    let envelope: Value = serde_json::from_str(inputs["messages"][0]["content"].as_str().unwrap()).unwrap();
    assert_eq!((&envelope["v"], &envelope["requestId"]), (&json!(1), &json!(REQUEST_ID)));
    assert_eq!(envelope["body"], inputs["body"]);
}

#[tokio::test(flavor = "current_thread")]
async fn the_gateway_never_caches_retries_or_keeps_the_payload() {
    let rig = Rig::new();
    rig.graph(200, &[], &json!({}));
    rig.send(&read()).await.unwrap();
    let options: Value = serde_json::from_str(&rig.gateway.seen.borrow()[0].options).unwrap();
    let expected = json!({
        "gateway": {
            "id": "m365-egress-gateway",
            "skipCache": true,
            "collectLog": true,
            "metadata": {
                "userId": "00000000-0000-0000-0000-000000000001:00000000-0000-0000-0000-000000000002",
                "mcpTool": "getEmails",
                "requestId": REQUEST_ID,
                "userEmail": "adele@contoso.example",
                "accessSubject": "access-sub-1",
            },
            "retries": {"maxAttempts": 1},
            "requestTimeoutMs": 25_000,
        },
        "returnRawResponse": true,
        "extraHeaders": {"cf-aig-collect-log-payload": "false"},
    });
    assert_eq!(options, expected);
}

#[tokio::test(flavor = "current_thread")]
async fn metadata_that_is_absent_is_left_out_and_never_null() {
    let mut rig = Rig::new();
    rig.caller.access = None;
    rig.caller.profile.email = None;
    rig.graph(200, &[], &json!({}));
    rig.send(&read()).await.unwrap();
    let options: Value = serde_json::from_str(&rig.gateway.seen.borrow()[0].options).unwrap();
    let metadata = options["gateway"]["metadata"].as_object().unwrap();
    let names: Vec<_> = metadata.keys().map(String::as_str).collect();
    assert_eq!(names, ["mcpTool", "requestId", "userId"]);
    assert!(metadata.values().all(Value::is_string));
}

#[tokio::test(flavor = "current_thread")]
async fn one_line_joins_every_id_there_is() {
    let rig = Rig::new();
    let ids = vec![("cf-aig-log-id", "log-1"), ("cf-aig-request-id", "req-1"), ("cf-aig-event-id", "ev-1")];
    rig.trick(Trick::Headers(ids));
    rig.graph(200, &[("request-id", "g-1"), ("x-ms-ags-diagnostic", "{\"s\":1}")], &json!({}));
    rig.send(&read()).await.unwrap();
    let events = rig.events("ai-gateway-request");
    let expected = json!({
        "event": "ai-gateway-request",
        "requestId": REQUEST_ID,
        "rayId": "ray-1",
        "grantId": rig.caller.grant.to_string(),
        "userId": "00000000-0000-0000-0000-000000000001:00000000-0000-0000-0000-000000000002",
        "userEmail": "adele@contoso.example",
        "accessSubject": "access-sub-1",
        "tool": "getEmails",
        "method": "GET",
        "route": "/me/mailFolders/{id}/messages",
        "status": 200,
        "durationMs": 0,
        "aiGatewayLogId": "log-1",
        "aigRequestId": "req-1",
        "aigEventId": "ev-1",
        "graphRequestId": "g-1",
        "graphDiagnostic": "{\"s\":1}",
    });
    assert_eq!(events, [expected]);
    assert_eq!(rig.events("graph-handler")[0]["requestId"], REQUEST_ID);
}

#[tokio::test(flavor = "current_thread")]
async fn a_path_that_climbs_is_refused_before_anything_is_sent() {
    let rig = Rig::new();
    for path in ["/../beta/me", "//evil.example", "/me/%2e%2e/users"] {
        let failure = rig.send(&GraphRequest::follow(path, "", "/x")).await.unwrap_err();
        assert_eq!((failure.origin, failure.code.as_str()), (Origin::Transport, "RequestRefused"), "{path}");
        assert!(!failure.may_have_acted);
    }
    assert!(rig.gateway.seen.borrow().is_empty() && rig.platform.upstream.seen.borrow().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn at_most_four_requests_of_a_grant_are_in_flight() {
    let rig = Rig::new();
    for _ in 0..9 {
        rig.graph(200, &[], &json!({}));
    }
    let client = rig.client();
    let request = read();
    let answers = futures_util::future::join_all((0..9).map(|_| client.send(&request))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(rig.gateway.most_in_flight.get(), 4);
}
