//! `Last-Event-ID`: which stream a GET takes up, and what it is refused.

use super::mcp_scene::{Scene, request};
use crate::agent::{Attach, GrantError, StreamName};
use crate::mcp::Endpoint;
use crate::support::SeededRandom;
use crate::web::{Body, Method, Response};

/// A signed-in client with a session.
struct Client {
    scene: Scene,
    bearer: String,
    session: String,
}

impl Client {
    async fn of(revision: &str) -> Self {
        let scene = Scene::new(&[]);
        let bearer = scene.bearer(1);
        let session = scene.initialize(&bearer, revision).await;
        Self { scene, bearer, session }
    }

    async fn get(&self, event: &str) -> Response {
        let headers = [
            ("authorization", self.bearer.as_str()),
            ("mcp-session-id", &self.session),
            ("accept", "text/event-stream"),
            ("last-event-id", event),
        ];
        self.scene.send(Endpoint::Mcp, request(Method::Get, &headers, "")).await
    }

    /// How the stream is taken up.
    async fn attach(&self, event: &str) -> Attach {
        let response = self.get(event).await;
        assert_eq!(response.status, 200, "{}", response.body_text());
        let Body::Stream(spec) = response.body else { unreachable!("a stream") };
        spec.attach
    }

    /// The session's random part, which names its streams.
    async fn nonce(&self) -> String {
        self.attach("").await.stream.session().to_owned()
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_get_takes_up_the_sessions_stream_or_the_one_that_last_event_id_names() {
    let client = Client::of("2025-11-25").await;
    let first = client.attach("").await;
    assert_eq!((first.stream.clone(), first.after), (StreamName::of_session(first.stream.session()), None));
    let call = StreamName::of_call(first.stream.session(), &SeededRandom::new(1));
    let hops = client.scene.agents.hops();
    let resumed = client.attach(&format!("{call}-7")).await;
    assert_eq!((resumed.stream, resumed.after), (call, Some(7)));
    assert_eq!(client.scene.agents.hops(), hops + 1, "the object was asked before the 200");
    assert_eq!(resumed.presented.and_then(|presented| presented.session), first.presented.and_then(|one| one.session));
}

#[tokio::test(flavor = "current_thread")]
async fn only_sessions_of_2025_11_25_are_primed() {
    for (revision, prime) in [("2024-11-05", false), ("2025-03-26", false), ("2025-06-18", false), ("2025-11-25", true)]
    {
        let client = Client::of(revision).await;
        assert_eq!(client.attach("").await.prime, prime, "{revision}");
        let event = format!("{}.0-7", client.nonce().await);
        assert_eq!(client.attach(&event).await.prime, prime, "{revision}, resumed");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_event_id_that_is_none_of_the_session_is_400_without_a_hop() {
    let client = Client::of("2025-11-25").await;
    let nonce = client.nonce().await;
    let other = client.scene.initialize(&client.bearer, "2025-11-25").await;
    let client = Client { session: other, ..client };
    let hops = client.scene.agents.hops();
    for event in [format!("{nonce}.0-0"), format!("{nonce}.AAAAAAAAAAA-1"), "x".into(), "1".into(), "-1".into()] {
        let refused = client.get(&event).await;
        assert_eq!(refused.status, 400, "{event}");
        assert!(!refused.body_text().contains(&nonce), "nothing is learnt of the other session");
    }
    assert_eq!(client.scene.agents.hops(), hops);
}

#[tokio::test(flavor = "current_thread")]
async fn what_the_object_says_of_an_event_becomes_the_status() {
    let client = Client::of("2025-11-25").await;
    let event = format!("{}.AAAAAAAAAAA-1", client.nonce().await);
    for (error, status) in [
        (GrantError::EventUnknown, 400),
        (GrantError::TokenInvalid, 401),
        (GrantError::Revoked, 401),
        (GrantError::SessionEnded, 404),
        (GrantError::Storage, 503),
    ] {
        *client.scene.agents.refusal.borrow_mut() = Some(error.clone());
        assert_eq!(client.get(&event).await.status, status, "{error:?}");
    }
    client.scene.agents.unreachable.set(true);
    assert_eq!(client.get(&event).await.status, 503);
}

#[tokio::test(flavor = "current_thread")]
async fn another_grants_session_is_404_whatever_event_it_names() {
    let client = Client::of("2025-11-25").await;
    let event = format!("{}.0-0", client.nonce().await);
    let stranger = Client { bearer: client.scene.bearer(2), ..client };
    assert_eq!(stranger.get(&event).await.status, 404);
}
