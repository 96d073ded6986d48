//! Sessions of Streamable HTTP: whose they are, when they end, and what the edge answers without a hop.

#![expect(clippy::indexing_slicing, reason = "a missing member should stop the test")]

use super::mcp_scene::{Scene, call, json, request, rpc};
use crate::agent::GrantError;
use crate::identity::{AccessIdentity, GrantId};
use crate::mcp::Endpoint;
use crate::support::SeededRandom;
use crate::web::{Body, Method};

#[tokio::test(flavor = "current_thread")]
async fn lists_within_a_minute_cost_one_hop_and_no_kv_read() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let session = scene.initialize(&bearer, "2025-11-25").await;
    for method in ["tools/list", "ping", "resources/list", "tools/list"] {
        assert_eq!(scene.within(&bearer, &session, &rpc(method)).await.status, 200);
    }
    assert_eq!(scene.agents.hops(), 1, "initialize asked, nothing after it did");
    scene.platform.clock.advance(60);
    scene.within(&bearer, &session, &rpc("ping")).await;
    assert_eq!(scene.agents.hops(), 2);
    assert_eq!(scene.platform.kv.reads.get(), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn another_users_token_on_a_session_gets_404_and_nothing_runs() {
    let scene = Scene::new(&[]);
    let session = scene.initialize(&scene.bearer(1), "2025-11-25").await;
    let before = scene.agents.hops();
    for stranger in [scene.bearer(2), "Bearer api-token".to_owned()] {
        let body = if stranger.contains("m365a") { call("getEmails") } else { rpc("tools/list") };
        assert_eq!(scene.within(&stranger, &session, &body).await.status, 404);
        for method in [Method::Get, Method::Delete] {
            let headers = [("authorization", stranger.as_str()), ("mcp-session-id", &session)];
            assert_eq!(scene.send(Endpoint::Sse, request(method, &headers, "")).await.status, 404);
        }
    }
    assert_eq!(scene.agents.hops(), before);
}

#[tokio::test(flavor = "current_thread")]
async fn a_session_outlives_the_token_it_began_with() {
    let scene = Scene::new(&[]);
    let session = scene.initialize(&scene.bearer(1), "2025-11-25").await;
    scene.platform.clock.advance(7200);
    assert_eq!(scene.within(&scene.bearer(1), &session, &rpc("ping")).await.status, 200);
}

#[tokio::test(flavor = "current_thread")]
async fn a_missing_session_is_400_and_a_forged_one_404() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let session = scene.initialize(&bearer, "2025-11-25").await;
    assert_eq!(scene.post(&[("authorization", &bearer)], &rpc("ping")).await.status, 400);
    let grant = GrantId::random(&SeededRandom::new(1)).to_string();
    for forged in [format!("{session}A"), session.replace('.', ""), format!("{grant}."), grant, "x".into()] {
        assert_eq!(scene.within(&bearer, &forged, &call("getEmails")).await.status, 404, "{forged}");
    }
    assert_eq!(scene.agents.hops(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_session_that_its_client_ended_is_404_at_once() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let session = scene.initialize(&bearer, "2025-11-25").await;
    let headers = [("authorization", bearer.as_str()), ("mcp-session-id", &session)];
    assert_eq!(scene.send(Endpoint::Mcp, request(Method::Delete, &headers, "")).await.status, 204);
    assert_eq!(scene.within(&bearer, &session, &rpc("ping")).await.status, 404);
    assert_eq!(scene.within(&bearer, &session, &call("getEmails")).await.status, 404);
    let other = scene.initialize(&bearer, "2025-11-25").await;
    assert_eq!(scene.within(&bearer, &other, &rpc("ping")).await.status, 200);
}

#[tokio::test(flavor = "current_thread")]
async fn a_confirmation_under_way_while_the_session_ends_is_not_noted() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let session = scene.initialize(&bearer, "2025-11-25").await;
    scene.platform.clock.advance(60);
    let headers = [("authorization", bearer.as_str()), ("mcp-session-id", &session)];
    let asked = rpc("ping");
    let (ping, deleted) = tokio::join!(
        scene.within(&bearer, &session, &asked),
        scene.send(Endpoint::Mcp, request(Method::Delete, &headers, ""))
    );
    assert_eq!((ping.status, deleted.status), (200, 204));
    assert_eq!(scene.within(&bearer, &session, &rpc("ping")).await.status, 404);
}

#[tokio::test(flavor = "current_thread")]
async fn a_note_is_not_good_for_another_access_identity() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let session = scene.initialize(&bearer, "2025-11-25").await;
    *scene.access.borrow_mut() = Some(AccessIdentity { sub: "somebody-else".into(), email: None });
    *scene.agents.refusal.borrow_mut() = Some(GrantError::OtherIdentity);
    assert_eq!(scene.within(&bearer, &session, &rpc("ping")).await.status, 403);
}

#[tokio::test(flavor = "current_thread")]
async fn what_the_object_refuses_has_one_status_each() {
    let cases = [
        (GrantError::Revoked, 401),
        (GrantError::Unknown, 401),
        (GrantError::TokenInvalid, 401),
        (GrantError::SignInNeeded, 401),
        (GrantError::OtherIdentity, 403),
        (GrantError::SessionEnded, 404),
        (GrantError::Storage, 503),
        (GrantError::EntraUnavailable, 503),
        (GrantError::EntraRefusesServer, 503),
    ];
    for (refusal, status) in cases {
        for body in [rpc("tools/list"), call("getEmails")] {
            let scene = Scene::new(&[]);
            let bearer = scene.bearer(1);
            let session = scene.initialize(&bearer, "2025-11-25").await;
            scene.platform.clock.advance(61);
            *scene.agents.refusal.borrow_mut() = Some(refusal.clone());
            let response = scene.within(&bearer, &session, &body).await;
            assert_eq!(response.status, status, "{refusal:?} {body}");
            let challenged = response.header("www-authenticate").is_some_and(|value| value.contains("invalid_token"));
            assert_eq!(challenged, status == 401);
            assert_eq!(response.header("retry-after").is_some(), status == 503);
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_that_meets_a_revoked_grant_takes_the_note_back() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let session = scene.initialize(&bearer, "2025-11-25").await;
    *scene.agents.refusal.borrow_mut() = Some(GrantError::Revoked);
    assert_eq!(scene.within(&bearer, &session, &rpc("ping")).await.status, 200, "still noted");
    assert_eq!(scene.within(&bearer, &session, &call("getEmails")).await.status, 401);
    assert_eq!(scene.within(&bearer, &session, &rpc("ping")).await.status, 401);
}

#[tokio::test(flavor = "current_thread")]
async fn an_object_that_does_not_answer_is_503() {
    let scene = Scene::new(&[]);
    scene.agents.unreachable.set(true);
    let response = scene.post(&[("authorization", &scene.bearer(1))], &rpc("initialize")).await;
    assert_eq!((response.status, response.header("retry-after")), (503, Some("2")));
}

#[tokio::test(flavor = "current_thread")]
async fn a_session_speaks_what_it_agreed_on_whichever_revision_with_sessions_the_header_names() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let session = scene.initialize(&bearer, "2025-06-18").await;
    let cases = [
        ("2025-06-18", 200),
        (" 2025-06-18\t", 200),
        ("2025-11-25", 200),
        ("", 200),
        ("1999-01-01", 400),
        ("2026-07-28", 400),
        ("2025-06-18, 2025-06-18", 400),
    ];
    for (version, status) in cases {
        let headers =
            [("authorization", bearer.as_str()), ("mcp-session-id", &session), ("mcp-protocol-version", version)];
        assert_eq!(scene.post(&headers, &rpc("ping")).await.status, status, "{version}");
    }
    let headers =
        [("authorization", bearer.as_str()), ("mcp-session-id", &session), ("mcp-protocol-version", "2025-03-26")];
    assert_eq!(scene.post(&headers, &format!("[{}]", rpc("ping"))).await.status, 400, "batches are not the header's");
}

#[tokio::test(flavor = "current_thread")]
async fn batches_belong_to_one_revision_only() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let batch = format!("[{},7,{}]", rpc("ping"), r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    for (revision, status) in [("2024-11-05", 400), ("2025-03-26", 200), ("2025-06-18", 400), ("2025-11-25", 400)] {
        let session = scene.initialize(&bearer, revision).await;
        let response = scene.within(&bearer, &session, &batch).await;
        assert_eq!(response.status, status, "{revision}");
        if status == 200 {
            let answers = json(&response);
            assert_eq!(answers.as_array().map(Vec::len), Some(2));
            assert_eq!((&answers[0]["id"], &answers[1]["error"]["code"]), (&7.into(), &(-32600).into()));
            let notified = r#"[{"jsonrpc":"2.0","method":"notifications/initialized"}]"#;
            assert_eq!(scene.within(&bearer, &session, notified).await.status, 202);
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_session_has_a_standalone_stream_on_both_paths() {
    let scene = Scene::new(&[]);
    let bearer = scene.bearer(1);
    let session = scene.initialize(&bearer, "2025-11-25").await;
    let headers = [("authorization", bearer.as_str()), ("mcp-session-id", &session), ("accept", "text/event-stream")];
    for endpoint in [Endpoint::Mcp, Endpoint::Sse] {
        let response = scene.send(endpoint, request(Method::Get, &headers, "")).await;
        assert_eq!((response.status, response.header("content-type")), (200, Some("text/event-stream")));
        let Body::Stream(spec) = response.body else { unreachable!("a stream") };
        assert!(!spec.prelude.contains("endpoint"));
    }
}
