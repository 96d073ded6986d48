//! Presets in a URL: they narrow, they stay with a session, and a wrong name is told to who may come in.

use super::mcp_scene::{Scene, call, json, request, rpc};
use crate::config::{Preset, PresetSet};
use crate::identity::ScopeSet;
use crate::mcp::Endpoint;
use crate::web::{Body, Method, Request, Response};

/// A request to a URL with this query.
fn at(query: &str, headers: &[(&'static str, &str)], body: &str) -> Request {
    let method = if body.is_empty() { Method::Get } else { Method::Post };
    Request { query: Some(query.to_owned()), ..request(method, headers, body) }
}

/// `initialize` at a URL with this query.
async fn open(scene: &Scene, bearer: &str, query: &str) -> Response {
    let body = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#;
    scene.send(Endpoint::Mcp, at(query, &[("authorization", bearer)], body)).await
}

fn last(scene: &Scene) -> PresetSet {
    *scene.agents.presets.borrow().last().unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn a_session_keeps_what_its_url_left_of_the_presets() {
    let scene = Scene::new(&[("TOOL_PRESETS", "mail,calendar")]);
    let bearer = scene.bearer(1);
    let opened = open(&scene, &bearer, "presets=mail,files").await;
    let session = opened.header("mcp-session-id").unwrap_or_default();
    let mail = PresetSet::of(&[Preset::Mail]);
    let headers = [("authorization", bearer.as_str()), ("mcp-session-id", session)];
    for (query, left) in [("", mail), ("presets=calendar", PresetSet::of(&[])), ("presets=all", mail)] {
        scene.send(Endpoint::Mcp, at(query, &headers, &call("getEmails"))).await;
        assert_eq!(last(&scene), left, "{query:?} within a session");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_legacy_stream_keeps_them_although_its_messages_come_without_the_query() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let headers = [("authorization", bearer.as_str()), ("accept", "text/event-stream")];
    let response = scene.send(Endpoint::Sse, at("presets=people", &headers, "")).await;
    let Body::Stream(spec) = response.body else { unreachable!("a stream") };
    let endpoint = spec.prelude.trim().rsplit_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
    let message = at(&endpoint, &[("authorization", &bearer), ("accept", "*/*")], &call("getEmails"));
    assert_eq!(scene.send(Endpoint::SseMessage, message).await.status, 202);
    scene.platform.background.finish().await;
    assert_eq!(last(&scene), PresetSet::of(&[Preset::People]));
}

#[tokio::test(flavor = "current_thread")]
async fn a_url_never_widens_what_the_deployment_offers() {
    let scene = Scene::new(&[("TOOL_PRESETS", "mail")]);
    let bearer = scene.bearer(1);
    for query in ["presets=all", "presets=raw,files,mail", ""] {
        let opened = open(&scene, &bearer, query).await;
        let session = opened.header("mcp-session-id").unwrap_or_default();
        scene.within(&bearer, session, &call("getEmails")).await;
        assert_eq!(last(&scene), PresetSet::of(&[Preset::Mail]), "{query:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_name_is_told_with_the_right_ones_but_to_nobody_outside() {
    let scene = Scene::new(&[]);
    let refused = open(&scene, &scene.bearer(1), "presets=mail,contacts").await;
    let message = json(&refused)["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert_eq!(refused.status, 400);
    assert!(message.contains("\"contacts\"") && message.contains("core, mail, calendar, "), "{message}");
    let outside = scene.send(Endpoint::Mcp, at("presets=contacts", &[], &rpc("ping"))).await;
    assert_eq!(outside.status, 401);
}

#[tokio::test(flavor = "current_thread")]
async fn the_list_is_what_the_token_can_use() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer_with((1, 1), ScopeSet::parse_known("Mail.Read"));
    let session = scene.initialize(&bearer, "2025-11-25").await;
    let listed = json(&scene.within(&bearer, &session, &rpc("tools/list")).await);
    let tools = listed["result"]["tools"].as_array().unwrap();
    let core: Vec<_> = tools.iter().filter_map(|tool| tool["name"].as_str()).take(3).collect();
    assert_eq!(core, ["authenticate", "getEmails", "searchEmails"]);
    assert!(!listed.to_string().contains("sendEmail"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_tool_outside_the_presets_is_neither_listed_nor_run() {
    for (offered, query) in [("core,mail", ""), ("all", "presets=core,mail")] {
        let scene = Scene::new(&[("TOOL_PRESETS", offered)]);
        let bearer = scene.bearer(1);
        let opened = open(&scene, &bearer, query).await;
        let session = opened.header("mcp-session-id").unwrap_or_default();
        let listed = scene.within(&bearer, session, &rpc("tools/list")).await.body_text().into_owned();
        let before = scene.agents.hops();
        let answer = scene.within(&bearer, session, &call("graphRequest")).await;
        assert!(!listed.contains("graphRequest") && listed.contains("getEmails"), "{offered} {query}");
        assert_eq!((json(&answer)["error"]["code"].as_i64(), scene.agents.hops()), (Some(-32602), before));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_first_challenge_asks_for_what_the_presets_of_the_url_need() {
    let scene = Scene::new(&[]);
    let challenged = scene.send(Endpoint::Mcp, at("presets=core", &[], &rpc("ping"))).await;
    let scope = challenged.header("www-authenticate").unwrap_or_default();
    let core = crate::tools::scopes(PresetSet::of(&[]), false).at_sign_in;
    assert!(scope.contains(&format!("scope=\"{core}\"")), "{scope}");
}
