//! The handler as an attacker meets it: without the gateway's key, and with it.

use serde_json::{Value, json};

use super::egress_rig::{HANDLER_KEY, REQUEST_ID, Rig, TOKEN, post};
use crate::config::EncryptionKeys;
use crate::crypto::{Key, Keyring, Secret};
use crate::gateway::envelope::{Content, LIFETIME, Outgoing, Sealer};
use crate::gateway::handler;
use crate::support::SeededRandom;
use crate::web::{Method, Response};

fn outgoing<'a>() -> Outgoing<'a> {
    let content = Content::Text("{\"to\":\"adele\"}");
    Outgoing { request_id: REQUEST_ID, method: "POST", path: "/v1.0/me/sendMail?a=b", headers: &[], content }
}

fn seal(rig: &Rig, outgoing: &Outgoing<'_>) -> String {
    let sealer = Sealer::new(&rig.platform.config.keys.encryption);
    let now = crate::support::START;
    sealer.seal(&SeededRandom::new(5), now, outgoing, &Secret::new(TOKEN)).unwrap().to_text().unwrap()
}

fn chat(content: &str) -> String {
    json!({"model": "microsoft-graph", "messages": [{"role": "user", "content": content}], "stream": false}).to_string()
}

async fn deliver(rig: &Rig, content: &str) -> Response {
    handler::handle(&rig.exchange, &post(&format!("Bearer {HANDLER_KEY}"), chat(content))).await
}

fn code(response: &Response) -> String {
    let body: Value = serde_json::from_str(&response.body_text()).unwrap();
    body["error"]["code"].as_str().unwrap_or_default().to_owned()
}

fn untouched(rig: &Rig) -> bool {
    rig.platform.upstream.seen.borrow().is_empty()
}

#[tokio::test(flavor = "current_thread")]
async fn without_the_key_nothing_is_read() {
    let rig = Rig::new();
    let text = seal(&rig, &outgoing());
    let (almost, _) = HANDLER_KEY.split_at(HANDLER_KEY.len() - 1);
    for bearer in [
        "",
        "Bearer",
        "Bearer ",
        HANDLER_KEY,
        &format!("Basic {HANDLER_KEY}"),
        &format!("Bearer {almost}"),
        &format!("Bearer {HANDLER_KEY}, Bearer x"),
    ] {
        let response = handler::handle(&rig.exchange, &post(bearer, chat(&text))).await;
        assert_eq!((response.status, code(&response).as_str()), (401, "handler_unauthorized"), "{bearer}");
    }
    let mut bare = post("", chat(&text));
    bare.headers.clear();
    assert_eq!(handler::handle(&rig.exchange, &bare).await.status, 401);
    assert!(untouched(&rig));
    assert!(!rig.platform.log.text().contains(HANDLER_KEY));
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_no_chat_request_with_one_user_message_is_refused() {
    let rig = Rig::new();
    let text = seal(&rig, &outgoing());
    let message = |role: &str| json!({"role": role, "content": text});
    for body in [
        json!({}),
        json!([]),
        json!({"messages": []}),
        json!({"messages": [message("system")]}),
        json!({"messages": [message("user"), message("user")]}),
        json!({"messages": [message("user")], "stream": true}),
        json!({"messages": [{"role": "user", "content": ["x"]}]}),
    ] {
        let request = post(&format!("Bearer {HANDLER_KEY}"), body.to_string());
        let response = handler::handle(&rig.exchange, &request).await;
        assert_eq!((response.status, code(&response).as_str()), (400, "handler_not_chat"), "{body}");
    }
    assert!(untouched(&rig));
}

#[tokio::test(flavor = "current_thread")]
async fn other_methods_and_oversized_requests_are_refused() {
    let rig = Rig::new();
    let mut request = post(&format!("Bearer {HANDLER_KEY}"), chat("x"));
    request.body = vec![b' '; handler::BODY_LIMIT + 1];
    assert_eq!(handler::handle(&rig.exchange, &request).await.status, 413);
    request.method = Method::Get;
    assert_eq!(handler::handle(&rig.exchange, &request).await.status, 405);
}

#[tokio::test(flavor = "current_thread")]
async fn a_captured_envelope_works_for_no_other_request() {
    let rig = Rig::new();
    let text = seal(&rig, &outgoing());
    for (from, to) in [
        ("sendMail", "messages"),
        ("?a=b", "?a=c"),
        ("\"POST\"", "\"PUT\""),
        ("adele", "mallory"),
        (REQUEST_ID, "7d1f0c7e-5f0a-4a57-9d2c-000000000000"),
        ("\"headers\":{", "\"headers\":{\"if-match\":\"*\","),
    ] {
        assert!(text.contains(from));
        let response = deliver(&rig, &text.replacen(from, to, 1)).await;
        assert_eq!((response.status, code(&response).as_str()), (400, "handler_envelope"), "{to}");
    }
    assert!(untouched(&rig));
    assert_eq!(rig.events("graph-handler").iter().filter(|event| event["reason"] == "foreign-seal").count(), 6);
}

#[tokio::test(flavor = "current_thread")]
async fn an_envelope_works_for_a_minute_and_no_longer() {
    let rig = Rig::new();
    let text = seal(&rig, &outgoing());
    rig.graph(202, &[], &json!(null));
    rig.platform.clock.advance(LIFETIME - 1);
    assert_eq!(deliver(&rig, &text).await.status, 200);
    rig.platform.clock.advance(1);
    assert_eq!(deliver(&rig, &text).await.status, 400);
    assert_eq!(rig.platform.upstream.seen.borrow().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn both_keys_of_the_gateways_rotation_are_taken_and_no_third() {
    let mut rig = Rig::new();
    let new = "another handler key of at least thirty-two bytes";
    let rotated = [("GRAPH_HANDLER_KEY", new), ("GRAPH_HANDLER_KEY_PREVIOUS", HANDLER_KEY)];
    rig.exchange.config = crate::support::config(&rotated);
    for (key, status) in [(new, 200), (HANDLER_KEY, 200), ("a third handler key of at least thirty-two bytes", 401)] {
        let text = seal(&rig, &outgoing());
        let response = handler::handle(&rig.exchange, &post(&format!("Bearer {key}"), chat(&text))).await;
        assert_eq!(response.status, status, "{key}");
    }
    rig.exchange.config = crate::support::config(&[("GRAPH_HANDLER_KEY", new)]);
    let response = deliver(&rig, &seal(&rig, &outgoing())).await;
    assert_eq!(response.status, 401, "the rotation is over");
}

#[tokio::test(flavor = "current_thread")]
async fn an_envelope_on_its_way_survives_a_change_of_the_encryption_key() {
    let mut rig = Rig::new();
    let text = seal(&rig, &outgoing());
    rig.exchange.config = crate::support::config(&crate::support::ROTATED);
    assert_eq!(deliver(&rig, &text).await.status, 200);
    rig.exchange.config = crate::support::config(&crate::support::ROTATED[..1]);
    assert_eq!(deliver(&rig, &text).await.status, 400);
}

#[tokio::test(flavor = "current_thread")]
async fn the_handlers_key_seals_nothing() {
    let rig = Rig::new();
    let handler_key = Key::new(*Secret::new(HANDLER_KEY).digest().as_bytes());
    let keys = EncryptionKeys::derive(&Keyring { current: handler_key, previous: None });
    let forger = Sealer::new(&keys);
    let sealed = forger.seal(&SeededRandom::new(5), crate::support::START, &outgoing(), &Secret::new(TOKEN)).unwrap();
    assert_eq!(deliver(&rig, &sealed.to_text().unwrap()).await.status, 400);
    assert!(untouched(&rig));
}

#[tokio::test(flavor = "current_thread")]
async fn even_a_genuine_seal_opens_no_way_but_graphs() {
    let rig = Rig::new();
    let base = outgoing();
    let smuggled = |name| vec![(name, "evil.example".to_owned())];
    let (host, cookie, split) =
        (smuggled("host"), smuggled("cookie"), vec![("prefer", "x\r\nhost: evil.example".to_owned())]);
    for (bad, reason) in [
        (Outgoing { path: "/beta/me", ..base.clone() }, "path-not-allowed"),
        (Outgoing { path: "/v1.0/%2e%2e/me", ..base.clone() }, "path-not-allowed"),
        (Outgoing { path: "https://evil.example/v1.0/me", ..base.clone() }, "path-not-allowed"),
        (Outgoing { path: "@evil.example/v1.0/me", ..base.clone() }, "path-not-allowed"),
        (Outgoing { method: "TRACE", ..base.clone() }, "method-not-allowed"),
        (Outgoing { method: "post", ..base.clone() }, "method-not-allowed"),
        (Outgoing { headers: &host, ..base.clone() }, "header-not-allowed"),
        (Outgoing { headers: &cookie, ..base.clone() }, "header-not-allowed"),
        (Outgoing { headers: &split, ..base.clone() }, "header-not-allowed"),
        (Outgoing { request_id: "x\r\ny", ..base.clone() }, "request-id-not-allowed"),
    ] {
        let response = deliver(&rig, &seal(&rig, &bad)).await;
        assert_eq!((response.status, code(&response).as_str()), (400, "handler_envelope"), "{bad:?}");
        let events = rig.events("graph-handler");
        assert_eq!(events.last().unwrap()["reason"], reason);
    }
    assert!(untouched(&rig));
}

#[tokio::test(flavor = "current_thread")]
async fn every_unacceptable_envelope_gets_the_same_answer() {
    let rig = Rig::new();
    let genuine = seal(&rig, &outgoing());
    let beta = seal(&rig, &Outgoing { path: "/beta/me", ..outgoing() });
    let foreign = genuine.replacen("adele", "mallory", 1);
    let mut bodies = Vec::new();
    for content in ["", "{}", "[]", &genuine.replacen("Bearer ", "Basic ", 1), &beta, &foreign] {
        bodies.push(deliver(&rig, content).await.body_text().into_owned());
    }
    rig.platform.clock.advance(LIFETIME);
    bodies.push(deliver(&rig, &genuine).await.body_text().into_owned());
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn the_token_is_neither_logged_nor_echoed() {
    let rig = Rig::new();
    rig.graph(401, &[("request-id", "g-1")], &json!({"error": {"code": "InvalidAuthenticationToken", "message": "m"}}));
    let text = seal(&rig, &outgoing());
    let answered = deliver(&rig, &text).await;
    let refused = deliver(&rig, &text.replacen("adele", "mallory", 1)).await;
    assert_eq!(rig.credentials(), [format!("Bearer {TOKEN}")]);
    // Not "eyJ": so begins the base64 of every JSON answer.
    for shown in [answered.body_text().as_ref(), refused.body_text().as_ref(), &rig.platform.log.text()] {
        for secret in [TOKEN, "Bearer", "graph-token", "adele"] {
            assert!(!shown.contains(secret), "{secret}");
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn graphs_failure_is_still_a_200_so_that_the_route_does_not_repeat_it() {
    let rig = Rig::new();
    rig.graph(503, &[("retry-after", "9")], &json!({"error": {"code": "serviceNotAvailable", "message": "m"}}));
    let response = deliver(&rig, &seal(&rig, &outgoing())).await;
    let body: Value = serde_json::from_str(&response.body_text()).unwrap();
    assert_eq!((response.status, &body["object"]), (200, &json!("chat.completion")));
    let content: Value = serde_json::from_str(body["choices"][0]["message"]["content"].as_str().unwrap()).unwrap();
    assert_eq!((&content["status"], &content["headers"]["retry-after"]), (&json!(503), &json!("9")));
}

#[tokio::test(flavor = "current_thread")]
async fn a_binary_body_arrives_byte_for_byte() {
    let rig = Rig::new();
    rig.graph(200, &[], &json!({}));
    let bytes: Vec<u8> = (0..=255).collect();
    let upload = Outgoing {
        method: "PUT",
        path: "/v1.0/me/drive/items/1/content",
        content: Content::Binary(&bytes),
        ..outgoing()
    };
    assert_eq!(deliver(&rig, &seal(&rig, &upload)).await.status, 200);
    assert_eq!(rig.platform.upstream.seen.borrow()[0].body.as_deref(), Some(bytes.as_slice()));
}
