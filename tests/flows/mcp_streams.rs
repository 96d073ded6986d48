//! POST streams: what is said on the way of a call, who is told, how it is taken back and how long it may take.

use serde_json::{Value, json};

use super::mcp_rig::{Client, EVENTS, messages, said, spec, told};
use super::mcp_scene::json;
use super::world::World;
use crate::web::{Body, Response};

/// Runs a stream to its end; every message in order.
async fn read(world: &World, response: Response) -> Vec<Value> {
    let mut spec = spec(response);
    let stream = spec.attach.stream.to_string();
    let last = match spec.work.take() {
        Some(work) => work.0.await,
        None => None,
    };
    let (mut all, closed) = said(world, &stream);
    assert!(closed, "the object ends a call's own stream");
    all.extend(messages(&last.unwrap_or_default()));
    all
}

/// A stateless call that wants to hear of it.
async fn modern(client: &Client<'_>, arguments: Value, meta: Value) -> Response {
    client.listen(EVENTS, arguments, json!({"_meta": meta})).await
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_that_may_say_nothing_is_answered_with_json() {
    let world = World::new();
    let client = Client::new(&world).await;
    let response = modern(&client, json!({"steps": 3, "lines": 3}), json!({})).await;
    assert_eq!(response.header("content-type"), Some("application/json"));
    // Neither is one whose client reads no events.
    for accept in ["application/json", "*/*", "application/json, text/event-stream;q=0"] {
        let response = client.listen(accept, json!({"steps": 3}), json!({"_meta": {"progressToken": 1}})).await;
        assert_eq!(response.header("content-type"), Some("application/json"), "{accept}");
    }
    assert!(world.platform.sockets.0.borrow().is_empty(), "nothing was said anywhere");
}

#[tokio::test(flavor = "current_thread")]
async fn progress_goes_out_before_the_answer_under_the_clients_token() {
    let world = World::new();
    let client = Client::new(&world).await;
    for token in [json!("a\"b"), json!(7)] {
        let response = modern(&client, json!({"steps": 3}), json!({"progressToken": token})).await;
        let all = read(&world, response).await;
        assert_eq!(all.len(), 4);
        for (step, message) in [0.0, 1.0, 2.0].into_iter().zip(&all) {
            assert_eq!(message["method"], "notifications/progress");
            let expected = json!({"progressToken": token, "progress": step, "total": 3.0});
            assert_eq!(message["params"], expected);
        }
        assert_eq!((&all[3]["id"], &all[3]["result"]["resultType"]), (&json!(1), &json!("complete")));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_token_that_is_none_is_refused() {
    let world = World::new();
    let client = Client::new(&world).await;
    for token in [json!(null), json!({}), json!([1]), json!(1.5)] {
        let response = modern(&client, json!({}), json!({"progressToken": token})).await;
        assert_eq!((response.status, json(&response)["error"]["code"].as_i64()), (400, Some(-32602)), "{token}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn log_messages_go_out_from_the_level_that_the_request_names() {
    let world = World::new();
    let client = Client::new(&world).await;
    for (level, heard) in [("debug", 2), ("info", 2), ("notice", 0), ("emergency", 0)] {
        let response = modern(&client, json!({"lines": 2}), json!({"io.modelcontextprotocol/logLevel": level})).await;
        let all = read(&world, response).await;
        assert_eq!(all.len(), heard + 1, "{level}");
        if heard > 0 {
            let expected = json!({"level": "info", "logger": "probe", "data": 0});
            assert_eq!((&all[0]["method"], &all[0]["params"]), (&json!("notifications/message"), &expected));
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_flood_is_cut_off_and_the_answer_comes_all_the_same() {
    let world = World::new();
    let client = Client::new(&world).await;
    let meta = json!({"progressToken": 1, "io.modelcontextprotocol/logLevel": "debug"});
    let all = read(&world, modern(&client, json!({"steps": 5000, "lines": 5000}), meta).await).await;
    let count = |method: &str| all.iter().filter(|message| message["method"] == method).count();
    assert_eq!((count("notifications/progress"), count("notifications/message")), (20, 20));
    assert!(all.last().unwrap()["result"].is_object());
}

#[tokio::test(flavor = "current_thread")]
async fn a_long_call_gives_signs_of_life_that_only_go_forward_and_ends_at_its_limit() {
    let world = World::new();
    let client = Client::new(&world).await;
    let arguments = json!({"steps": 4, "wait": 10_000_000});
    let all = read(&world, modern(&client, arguments, json!({"progressToken": 1})).await).await;
    let progress: Vec<_> = all.iter().filter_map(|message| message["params"]["progress"].as_f64()).collect();
    assert_eq!(progress.len(), 4 + 7);
    assert!(progress.windows(2).all(|pair| pair[0] < pair[1]), "{progress:?}");
    let report = told(&all.last().unwrap()["result"]);
    assert_eq!((&report["code"], &report["mayHaveActed"]), (&json!("tooLong"), &json!(true)));
}

#[tokio::test(flavor = "current_thread")]
async fn closing_the_connection_takes_a_stateless_call_back() {
    for (accept, meta) in [("application/json", json!({})), (EVENTS, json!({"progressToken": 1}))] {
        let world = World::new();
        let client = Client::new(&world).await;
        let before = world.platform.gateway.seen.borrow().len();
        let arguments = json!({"wait": 1_000_000, "graph": true});
        let leave = async {
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            world.platform.connection.0.set(true);
        };
        let asked = async {
            let response = client.listen(accept, arguments, json!({"_meta": meta})).await;
            match response.body {
                Body::Stream(mut spec) => drop(spec.work.take().unwrap().0.await),
                Body::Empty | Body::Bytes(_) => assert_eq!(response.status, 499),
            }
        };
        futures_util::future::join(asked, leave).await;
        world.platform.background.finish().await;
        assert_eq!(world.platform.gateway.seen.borrow().len(), before, "nothing was asked of Graph");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_stream_that_breaks_off_ends_a_stateless_call_and_no_other() {
    let world = World::new();
    let client = Client::new(&world).await;
    let session = client.initialize("2025-11-25", json!({})).await;
    for is_stateless in [true, false] {
        let (arguments, meta) = (json!({"wait": 3000, "graph": true}), json!({"progressToken": 1}));
        let response = if is_stateless {
            modern(&client, arguments, meta).await
        } else {
            client.within(&session, EVENTS, arguments, meta).await
        };
        let mut spec = spec(response);
        let stream = spec.attach.stream.to_string();
        let breaks = async {
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            world.platform.agents.hang_up(&stream);
        };
        futures_util::future::join(spec.work.take().unwrap().0, breaks).await;
        assert_eq!(world.platform.gateway.seen.borrow().is_empty(), is_stateless);
        assert_eq!(world.platform.log.text().matches(r#""reason":"cancelled""#).count(), 1);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_session_hears_progress_on_a_stream_that_can_be_taken_up_again() {
    let world = World::new();
    let client = Client::new(&world).await;
    for (revision, prime) in [("2025-03-26", false), ("2025-11-25", true)] {
        let session = client.initialize(revision, json!({})).await;
        let response = client.within(&session, EVENTS, json!({"steps": 2}), json!({"progressToken": "p"})).await;
        let mut spec = spec(response);
        assert_eq!(spec.attach.prime, prime);
        let stream = spec.attach.stream.to_string();
        assert_eq!(spec.work.take().unwrap().0.await, None, "the object itself answers");
        let (all, closed) = said(&world, &stream);
        assert!(closed);
        assert_eq!(
            all.iter().map(|message| message["method"].as_str()).collect::<Vec<_>>()[..2],
            [Some("notifications/progress"); 2]
        );
        assert_eq!((&all[2]["id"], all.len()), (&json!(9), 3));
        let texts = world.platform.sockets.0.borrow();
        assert!(
            texts
                .iter()
                .filter(|(on, text)| *on == stream && text != "closed")
                .all(|(_, text)| text.starts_with("id: "))
        );
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_session_takes_a_call_back_by_its_id_and_gets_no_answer() {
    let world = World::new();
    let client = Client::new(&world).await;
    let session = client.initialize("2025-11-25", json!({})).await;
    for (accept, meta) in [("application/json", json!({})), (EVENTS, json!({"progressToken": 1}))] {
        let asked = async {
            let response = client.within(&session, accept, json!({"wait": 1_000_000, "graph": true}), meta).await;
            match response.body {
                Body::Stream(mut spec) => assert_eq!(spec.work.take().unwrap().0.await, None),
                Body::Empty => assert_eq!(response.status, 202),
                Body::Bytes(_) => unreachable!("{}", response.body_text()),
            }
        };
        let cancelled = async {
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            assert_eq!(client.cancel(&session, json!(9)).await, 202);
        };
        futures_util::future::join(asked, cancelled).await;
    }
    assert!(world.platform.gateway.seen.borrow().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn nobody_else_takes_a_call_back() {
    let world = World::new();
    let (client, other) = (Client::new(&world).await, Client::new(&world).await);
    let session = client.initialize("2025-11-25", json!({})).await;
    let (same_grant, foreign) =
        (client.initialize("2025-11-25", json!({})).await, other.initialize("2025-11-25", json!({})).await);
    let asked = async {
        let response = client.within(&session, "application/json", json!({"wait": 3000}), json!({})).await;
        assert_eq!(told(&json(&response)["result"])["agreed"], json!([]), "it ran to its end");
    };
    let others = async {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert_eq!(client.cancel(&same_grant, json!(9)).await, 202);
        assert_eq!(other.cancel(&foreign, json!(9)).await, 202);
        assert_eq!(other.cancel(&session, json!(9)).await, 404);
        assert_eq!(client.cancel(&session, json!("9")).await, 202, "the string is another id");
    };
    futures_util::future::join(asked, others).await;
}

#[tokio::test(flavor = "current_thread")]
async fn who_asks_is_settled_while_a_status_can_still_say_so() {
    let world = World::new();
    let client = Client::new(&world).await;
    world.platform.agents.fail.set(true);
    let response = modern(&client, json!({"steps": 1}), json!({"progressToken": 1})).await;
    assert_eq!(response.status, 503);
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_too_large_to_wait_for_an_answer_is_refused_before_anything_is_asked() {
    let world = World::new();
    let client = Client::new(&world).await;
    let session = client.initialize("2025-11-25", json!({"elicitation": {}})).await;
    for (characters, asks) in [(1_900_000, true), (2_000_000, false)] {
        let arguments = json!({"confirm": ["send", "x".repeat(characters)]});
        let response = client.within(&session, EVENTS, arguments, json!({})).await;
        let mut spec = spec(response);
        let stream = spec.attach.stream.to_string();
        if let Some(work) = spec.work.take() {
            work.0.await;
        }
        let (all, closed) = said(&world, &stream);
        assert_eq!(all.iter().any(|message| message["method"] == "elicitation/create"), asks, "{characters}");
        assert_eq!(closed, !asks);
        if !asks {
            let result = &all.last().unwrap()["result"];
            assert_eq!((&result["isError"], &told(result)["code"]), (&json!(true), &json!("tooLarge")));
        }
    }
}
