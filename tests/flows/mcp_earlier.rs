//! A session of an earlier grant, presented after the user signed in anew: it goes on for the same client of the same
//! user, rebuilt under the new grant, and for nobody else.

use super::mcp_scene::{Scene, call, request, rpc};
use crate::agent::AgentName;
use crate::identity::GrantId;
use crate::mcp::Endpoint;
use crate::support::SeededRandom;
use crate::web::{Body, Method, Response};

const USER: u64 = 1;
const FIRST: u64 = 1;
const SECOND: u64 = 11;

fn object(grant: u64) -> String {
    AgentName::Grant(GrantId::random(&SeededRandom::new(grant))).to_string()
}

/// A scene with a session of the user's first grant.
async fn begun(revision: &str) -> (Scene, String) {
    let scene = Scene::new(&[]);
    let session = scene.initialize(&scene.bearer_of(USER, FIRST), revision).await;
    (scene, session)
}

async fn within(scene: &Scene, method: Method, bearer: &str, session: &str) -> Response {
    let headers = [("authorization", bearer), ("mcp-session-id", session), ("accept", "text/event-stream")];
    scene.send(Endpoint::Mcp, request(method, &headers, "")).await
}

#[tokio::test(flavor = "current_thread")]
async fn a_session_goes_on_under_the_new_grant_of_the_same_user_and_client() {
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let (scene, session) = begun(revision).await;
        let renewed = scene.bearer_of(USER, SECOND);
        scene.agents.seen.borrow_mut().clear();
        assert_eq!(scene.within(&renewed, &session, &call("getEmails")).await.status, 200);
        assert_eq!(scene.within(&renewed, &session, &rpc("ping")).await.status, 200);
        let stream = within(&scene, Method::Get, &renewed, &session).await;
        let Body::Stream(spec) = stream.body else { unreachable!("a stream") };
        assert_eq!(spec.agent.to_string(), object(SECOND));
        let seen = scene.agents.seen.borrow();
        assert!(seen.iter().all(|seen| seen.ends_with(&object(SECOND))), "the first grant is not asked: {seen:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn it_ends_under_the_new_grant_like_any_other() {
    let (scene, session) = begun("2025-11-25").await;
    let renewed = scene.bearer_of(USER, SECOND);
    assert_eq!(within(&scene, Method::Delete, &renewed, &session).await.status, 204);
    assert_eq!(scene.within(&renewed, &session, &rpc("ping")).await.status, 404);
}

#[tokio::test(flavor = "current_thread")]
async fn another_client_of_the_same_user_gets_404() {
    let (scene, session) = begun("2025-11-25").await;
    scene.agents.clients.borrow_mut().insert(object(SECOND), "client-2");
    let other = scene.bearer_of(USER, SECOND);
    for body in [rpc("ping"), call("getEmails")] {
        assert_eq!(scene.within(&other, &session, &body).await.status, 404);
    }
    assert_eq!(within(&scene, Method::Get, &other, &session).await.status, 404);
    assert_eq!(within(&scene, Method::Delete, &other, &session).await.status, 404);
    assert!(!scene.agents.seen.borrow().iter().any(|seen| seen.starts_with("call") || seen.starts_with("end")));
}

#[tokio::test(flavor = "current_thread")]
async fn the_same_client_of_another_user_gets_404_without_a_hop() {
    let (scene, session) = begun("2025-11-25").await;
    let hops = scene.agents.hops();
    let stranger = scene.bearer_of(2, SECOND);
    assert_eq!(scene.within(&stranger, &session, &call("getEmails")).await.status, 404);
    assert_eq!(scene.within("Bearer api-token", &session, &rpc("tools/list")).await.status, 404);
    assert_eq!(scene.agents.hops(), hops);
}

#[tokio::test(flavor = "current_thread")]
async fn a_session_that_nobody_signed_in_opened_is_not_taken_over_by_signing_in() {
    let scene = Scene::new(&[]);
    let session = scene.initialize("Bearer api-token", "2025-11-25").await;
    assert_eq!(scene.within(&scene.bearer(1), &session, &rpc("ping")).await.status, 404);
}

#[tokio::test(flavor = "current_thread")]
async fn an_http_sse_session_is_not_taken_over_because_its_stream_ended_with_its_grant() {
    let scene = Scene::new(&[]);
    let first = scene.bearer_of(USER, FIRST);
    let headers = [("authorization", first.as_str()), ("accept", "text/event-stream")];
    let Body::Stream(spec) = scene.send(Endpoint::Sse, request(Method::Get, &headers, "")).await.body else {
        unreachable!("a stream")
    };
    let query = spec.prelude.split_once('?').map(|(_, query)| query.trim().to_owned());
    let renewed = scene.bearer_of(USER, SECOND);
    let mut asked = request(Method::Post, &[("authorization", renewed.as_str())], &call("getEmails"));
    asked.query = query;
    assert_eq!(scene.send(Endpoint::SseMessage, asked).await.status, 404);
}

#[tokio::test(flavor = "current_thread")]
async fn no_byte_of_the_party_can_be_changed_and_an_old_session_is_still_void_after_its_time() {
    let (scene, session) = begun("2025-11-25").await;
    let renewed = |scene: &Scene| scene.bearer_of(USER, SECOND);
    let at = session.find('.').unwrap_or_default();
    for index in at..session.len() {
        let mut forged = session.clone();
        let other = if session.get(index..=index) == Some("A") { "B" } else { "A" };
        forged.replace_range(index..=index, other);
        if forged != session {
            assert_eq!(scene.within(&renewed(&scene), &forged, &rpc("ping")).await.status, 404, "{index}");
        }
    }
    scene.platform.clock.advance(91 * 24 * 3600);
    assert_eq!(scene.within(&renewed(&scene), &session, &rpc("ping")).await.status, 404);
}

#[tokio::test(flavor = "current_thread")]
async fn whoever_goes_on_still_needs_a_grant_that_stands() {
    let (scene, session) = begun("2025-11-25").await;
    let renewed = scene.bearer_of(USER, SECOND);
    *scene.agents.refusal.borrow_mut() = Some(crate::agent::GrantError::Revoked);
    assert_eq!(scene.within(&renewed, &session, &rpc("ping")).await.status, 401);
}
