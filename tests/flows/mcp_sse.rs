//! Legacy HTTP+SSE: the stream, its message endpoint, and the answers that go over the stream.

#![expect(clippy::indexing_slicing, reason = "a missing member should stop the test")]

use super::mcp_scene::{Scene, call, request, rpc};
use crate::agent::{AgentName, GrantError};
use crate::identity::GrantId;
use crate::mcp::Endpoint;
use crate::support::SeededRandom;
use crate::web::{Body, Method, StreamSpec};

async fn open(scene: &Scene, bearer: &str) -> StreamSpec {
    // A reconnecting client sends a version although the stream is new.
    let headers = [("authorization", bearer), ("accept", "text/event-stream"), ("mcp-protocol-version", "2025-11-25")];
    let response = scene.send(Endpoint::Sse, request(Method::Get, &headers, "")).await;
    assert_eq!(response.status, 200);
    let Body::Stream(spec) = response.body else { unreachable!("a stream") };
    *spec
}

/// The query that the `endpoint` event names.
fn query(spec: &StreamSpec) -> String {
    let path =
        spec.prelude.strip_prefix("retry: 1000\nevent: endpoint\ndata: ").and_then(|rest| rest.strip_suffix("\n\n"));
    path.and_then(|path| path.strip_prefix("/sse/message?")).unwrap_or_default().to_owned()
}

async fn post(scene: &Scene, bearer: &str, query: &str, body: &str) -> u16 {
    let mut asked = request(Method::Post, &[("authorization", bearer), ("accept", "*/*")], body);
    asked.query = Some(query.to_owned());
    let status = scene.send(Endpoint::SseMessage, asked).await.status;
    scene.platform.background.finish().await;
    status
}

#[tokio::test(flavor = "current_thread")]
async fn a_fresh_stream_answers_without_initialize() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let spec = open(&scene, &bearer).await;
    assert_eq!(spec.agent, AgentName::Grant(GrantId::random(&SeededRandom::new(1))));
    assert_eq!(post(&scene, &bearer, &query(&spec), &call("getEmails")).await, 202);
    assert_eq!(post(&scene, &bearer, &query(&spec), &rpc("server/discover")).await, 202);
    let published = scene.agents.published.borrow();
    assert!(published.iter().all(|(stream, message)| *stream == spec.attach.stream.as_str() && message["id"] == 7));
    assert!(published[0].1["result"]["content"].is_array());
    assert_eq!(published[1].1["error"]["code"], -32601);
}

#[tokio::test(flavor = "current_thread")]
async fn initialize_is_answered_over_the_stream() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let spec = open(&scene, &bearer).await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05"}}"#;
    assert_eq!(post(&scene, &bearer, &query(&spec), body).await, 202);
    let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(post(&scene, &bearer, &query(&spec), initialized).await, 202);
    let published = scene.agents.published.borrow();
    assert_eq!(published.len(), 1);
    assert_eq!(published[0].1["result"]["protocolVersion"], "2024-11-05");
}

#[tokio::test(flavor = "current_thread")]
async fn a_stateless_probe_over_the_stream_gets_an_error_to_fall_back_from() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let spec = open(&scene, &bearer).await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
    assert_eq!(post(&scene, &bearer, &query(&spec), body).await, 202);
    assert_eq!(scene.agents.published.borrow()[0].1["error"]["code"], -32601);
}

#[tokio::test(flavor = "current_thread")]
async fn nobody_else_posts_to_a_stream() {
    let scene = Scene::new(&[]);
    let query = query(&open(&scene, &scene.bearer(1)).await);
    let hops = scene.agents.hops();
    assert_eq!(post(&scene, &scene.bearer(2), &query, &call("getEmails")).await, 404);
    assert_eq!(post(&scene, "Bearer api-token", &query, &rpc("tools/list")).await, 404);
    assert_eq!(post(&scene, "", &query, &call("getEmails")).await, 401);
    assert_eq!(post(&scene, &scene.bearer(1), "sessionId=forged", &call("getEmails")).await, 404);
    assert_eq!(post(&scene, &scene.bearer(1), "", &call("getEmails")).await, 400);
    assert_eq!(scene.agents.hops(), hops);
}

#[tokio::test(flavor = "current_thread")]
async fn ids_of_one_channel_are_unknown_to_the_other() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let id = query(&open(&scene, &bearer).await).replace("sessionId=", "");
    assert_eq!(scene.within(&bearer, &id, &rpc("ping")).await.status, 404);
    let session = scene.initialize(&bearer, "2025-11-25").await;
    assert_eq!(post(&scene, &bearer, &format!("sessionId={session}"), &rpc("ping")).await, 404);
}

#[tokio::test(flavor = "current_thread")]
async fn a_discovery_stream_has_an_object_of_its_own_and_no_tools_run() {
    let scene = Scene::new(&[]);
    let bearer = "Bearer api-token";
    let (one, two) = (open(&scene, bearer).await, open(&scene, bearer).await);
    assert_eq!(one.agent, AgentName::Discovery(one.attach.stream.session().to_owned()));
    assert_ne!(one.agent, two.agent);
    assert_eq!(post(&scene, bearer, &query(&one), &rpc("tools/list")).await, 202);
    assert_eq!(post(&scene, bearer, &query(&one), &call("getEmails")).await, 401);
    assert_eq!(post(&scene, "Bearer another-token", &query(&one), &rpc("tools/list")).await, 404);
    assert_eq!(*scene.agents.seen.borrow(), [format!("publish discovery:{}", one.attach.stream.session())]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_revoked_grant_opens_no_stream_and_posts_nothing() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let query = query(&open(&scene, &bearer).await);
    scene.platform.clock.advance(61);
    *scene.agents.refusal.borrow_mut() = Some(GrantError::Revoked);
    assert_eq!(post(&scene, &bearer, &query, &call("getEmails")).await, 401);
    let headers = [("authorization", bearer.as_str()), ("accept", "text/event-stream")];
    assert_eq!(scene.send(Endpoint::Sse, request(Method::Get, &headers, "")).await.status, 401);
    assert!(scene.agents.published.borrow().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_that_the_object_would_refuse_gets_its_401_although_a_note_is_fresh() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let query = query(&open(&scene, &bearer).await);
    *scene.agents.refusal.borrow_mut() = Some(GrantError::TokenInvalid);
    assert_eq!(post(&scene, &bearer, &query, &call("getEmails")).await, 401);
    assert!(scene.agents.published.borrow().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_refusal_after_the_202_is_told_over_the_stream() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let query = query(&open(&scene, &bearer).await);
    scene.agents.refuse_calls_only.set(true);
    *scene.agents.refusal.borrow_mut() = Some(GrantError::SignInNeeded);
    assert_eq!(post(&scene, &bearer, &query, &call("getEmails")).await, 202);
    assert_eq!(scene.agents.published.borrow()[0].1["error"]["code"], -32603);
}

#[tokio::test(flavor = "current_thread")]
async fn a_batch_or_broken_message_is_refused_before_the_202() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let query = query(&open(&scene, &bearer).await);
    for body in ["{".to_owned(), "[]".to_owned(), format!("[{}]", rpc("ping"))] {
        assert_eq!(post(&scene, &bearer, &query, &body).await, 400, "{body}");
    }
    assert!(scene.agents.published.borrow().is_empty());
}

/// A deploy takes every stream away, and clients are back after a second or three. Who calls in between must not wait a
/// minute for an answer that cannot come, nor have a mail sent without learning of it.
#[tokio::test(flavor = "current_thread")]
async fn without_a_connected_stream_nothing_is_done_and_the_client_learns_at_once() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let query = query(&open(&scene, &bearer).await);
    scene.agents.deaf.set(true);
    for body in [call("sendEmail"), call("getEmails"), rpc("tools/list"), rpc("ping")] {
        assert_eq!(post(&scene, &bearer, &query, &body).await, 404, "{body}");
    }
    assert!(!scene.agents.seen.borrow().iter().any(|seen| seen.starts_with("call")));
    let notified = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(post(&scene, &bearer, &query, notified).await, 202, "who wants no answer needs no stream");
    scene.agents.deaf.set(false);
    assert_eq!(post(&scene, &bearer, &query, &call("getEmails")).await, 202);
}

#[tokio::test(flavor = "current_thread")]
async fn a_stream_ends_when_its_client_has_gone_with_one_line_that_names_no_query() {
    let scene = Scene::new(&[]);
    let spec = open(&scene, &scene.bearer(1)).await;
    let lines = || scene.platform.log.text().lines().filter(|line| line.contains("mcp.stream")).count();
    let (gone, end) = spec.watch.unwrap().begin();
    assert_eq!(lines(), 0, "it is open");
    let leave = async {
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        scene.platform.connection.0.set(true);
    };
    futures_util::future::join(gone, leave).await;
    scene.platform.clock.advance(90);
    drop(end);
    let log = scene.platform.log.text();
    let line = log.lines().rfind(|line| line.contains("mcp.stream")).unwrap();
    for part in [r#""route":"sse""#, r#""durationMs":90000"#, r#""requestId":"r-1""#, r#""grantId":"#] {
        assert!(line.contains(part), "{line}");
    }
    assert!(!line.contains("sessionId"), "{line}");
    assert_eq!(lines(), 1);
    // A stream that could not be opened never was one.
    drop(open(&scene, &scene.bearer(1)).await);
    assert_eq!(lines(), 1);
}
