//! Who gets in, and what the answer is to those who do not.

#![expect(clippy::indexing_slicing, reason = "a missing member should stop the test")]

use super::mcp_scene::{Scene, call, json, request, rpc};
use crate::mcp::Endpoint;
use crate::web::Method;

const INITIALIZE: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}"#;

#[tokio::test(flavor = "current_thread")]
async fn a_first_contact_is_challenged_without_an_error_before_anything_is_read() {
    let scene = Scene::new(&[]);
    for (endpoint, resource) in [(Endpoint::Mcp, "mcp"), (Endpoint::Sse, "sse"), (Endpoint::SseMessage, "sse")] {
        for (method, body) in [(Method::Post, "{"), (Method::Get, ""), (Method::Delete, ""), (Method::Other, "")] {
            let response = scene.send(endpoint, request(method, &[("mcp-session-id", "x")], body)).await;
            assert_eq!(response.status, 401);
            let scopes = crate::tools::scopes(crate::config::PresetSet::usual(), false).at_sign_in;
            let expected = format!(
                "Bearer realm=\"m365-mcp\", resource_metadata=\"http://localhost:8787/.well-known/oauth-protected-resource/{resource}\", scope=\"{scopes}\""
            );
            assert_eq!(response.header("www-authenticate"), Some(expected.as_str()));
            assert_eq!(response.header("cache-control"), Some("no-store"));
        }
    }
    assert_eq!(scene.agents.hops(), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn an_expired_or_forged_token_is_invalid_token() {
    let scene = Scene::new(&[("DISCOVERY", "open")]);
    let bearer = scene.bearer(1);
    scene.platform.clock.advance(3600);
    for header in [bearer.as_str(), "Bearer m365a.x.y.z", "Bearer m365r.x.y.z"] {
        let response = scene.post(&[("authorization", header)], INITIALIZE).await;
        assert_eq!(response.status, 401);
        assert!(response.header("www-authenticate").is_some_and(|value| value.contains("error=\"invalid_token\"")));
    }
    assert_eq!(scene.agents.hops(), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn a_token_in_the_query_is_no_token() {
    let scene = Scene::new(&[]);
    let mut asked = request(Method::Post, &[], INITIALIZE);
    asked.query = scene.bearer(1).strip_prefix("Bearer ").map(|token| format!("access_token={token}"));
    assert_eq!(scene.send(Endpoint::Mcp, asked).await.status, 401);
}

#[tokio::test(flavor = "current_thread")]
async fn a_foreign_bearer_may_look_around_and_nothing_else() {
    let scene = Scene::new(&[]);
    let bearer = "Bearer some-api-token";
    let session = scene.initialize(bearer, "2025-11-25").await;
    let lists = ["ping", "tools/list", "resources/list", "resources/templates/list", "prompts/list"];
    for method in lists {
        let response = scene.within(bearer, &session, &rpc(method)).await;
        assert_eq!(response.status, 200, "{method}");
        assert!(json(&response)["result"].is_object(), "{method}");
    }
    let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(scene.within(bearer, &session, initialized).await.status, 202);
    for body in [call("getEmails"), rpc("resources/read"), rpc("made/up"), format!("[{}]", call("getEmails"))] {
        let response = scene.within(bearer, &session, &body).await;
        assert_eq!(response.status, 401, "{body}");
        assert!(response.header("www-authenticate").is_some_and(|value| value.contains("resource_metadata=")));
    }
    let ended = request(Method::Delete, &[("authorization", bearer), ("mcp-session-id", &session)], "");
    assert_eq!(scene.send(Endpoint::Mcp, ended).await.status, 405);
    assert_eq!(scene.agents.hops(), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn discovery_is_what_the_operator_says() {
    for (setting, absent, foreign) in [("api-token", 401, 200), ("open", 200, 200), ("off", 401, 401)] {
        let scene = Scene::new(&[("DISCOVERY", setting)]);
        assert_eq!(scene.post(&[], INITIALIZE).await.status, absent, "{setting}");
        assert_eq!(scene.post(&[("authorization", "Bearer key")], INITIALIZE).await.status, foreign, "{setting}");
        assert_eq!(scene.post(&[], &call("getEmails")).await.status, 401, "{setting}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_page_of_another_origin_is_refused_even_with_a_token() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    for name in [("origin", "https://evil.example"), ("host", "evil.example")] {
        let response = scene.post(&[("authorization", &bearer), name], INITIALIZE).await;
        assert_eq!(response.status, 403);
    }
    assert_eq!(scene.agents.hops(), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_no_json_message_is_400_with_its_code() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    for (body, code) in
        [("{", -32700), ("{}", -32600), ("[]", -32600), (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600)]
    {
        let response = scene.post(&[("authorization", &bearer)], body).await;
        assert_eq!((response.status, json(&response)["error"]["code"].as_i64()), (400, Some(code)), "{body}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn media_types_are_held_to_what_clients_send() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let cases = [
        (("content-type", "text/plain"), 415),
        (("content-type", ""), 415),
        (("content-type", "application/json; charset=utf-8"), 200),
        (("accept", "text/event-stream"), 406),
        (("accept", "*/*"), 200),
        (("accept", "application/json;q=0"), 406),
        (("accept", "text/event-stream, application/* ; Q=0.000"), 406),
        (("accept", "text/event-stream;q=0, application/json;q=0.5"), 200),
        (("accept", "application/json, text/event-stream"), 200),
    ];
    for (header, status) in cases {
        let response = scene.post(&[("authorization", &bearer), header], INITIALIZE).await;
        assert_eq!(response.status, status, "{header:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn methods_without_a_meaning_are_405() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let cases = [
        (Endpoint::Mcp, Method::Get, "POST, DELETE"),
        (Endpoint::Mcp, Method::Head, "GET, POST, DELETE"),
        (Endpoint::Sse, Method::Other, "GET, POST, DELETE"),
        (Endpoint::Mcp, Method::Delete, "GET, POST, DELETE"),
        (Endpoint::SseMessage, Method::Get, "POST"),
    ];
    for (endpoint, method, allow) in cases {
        let response = scene.send(endpoint, request(method, &[("authorization", &bearer)], "")).await;
        assert_eq!((response.status, response.header("allow")), (405, Some(allow)), "{endpoint:?} {method:?}");
    }
}
