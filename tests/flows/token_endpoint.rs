//! What the token and revocation endpoints take, and whom they believe.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a flow that cannot go on should stop")]

use base64::Engine;
use serde_json::json;

use super::world::{FORM, ORIGIN, World, encode, json_of, with};
use crate::oauth;
use crate::web::Request;

async fn error_of(world: &World, params: &[(&str, String)]) -> (u16, String) {
    let response = world.token(params).await;
    assert_eq!(response.header("cache-control"), Some("no-store"), "{params:?}");
    assert_eq!(response.header("pragma"), Some("no-cache"), "{params:?}");
    (response.status, json_of(&response)["error"].as_str().unwrap_or_default().to_owned())
}

fn bad(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

#[tokio::test(flavor = "current_thread")]
async fn a_refused_redemption_leaves_the_code_good() {
    let world = World::new();
    let client = world.public_client().await;
    let other = world.public_client().await;
    let code = world.sign_in(&client).await;
    let good = || World::redeeming(&client, &code);
    let mut twice = good();
    twice.push(("code", code.clone()));
    for (params, expected) in [
        (with(good(), "grant_type", ""), bad("invalid_request")),
        (with(good(), "grant_type", "password"), bad("unsupported_grant_type")),
        (with(good(), "code_verifier", ""), bad("invalid_request")),
        (with(good(), "code_verifier", "short"), bad("invalid_request")),
        (with(good(), "code_verifier", &"v".repeat(129)), bad("invalid_request")),
        (with(good(), "code_verifier", &"v".repeat(43)), bad("invalid_grant")),
        (with(good(), "redirect_uri", "http://127.0.0.1:1/cb?own=1"), bad("invalid_grant")),
        (with(good(), "resource", "https://evil.example"), bad("invalid_target")),
        (with(good(), "resource", &format!("{ORIGIN}/sse")), bad("invalid_target")),
        (with(good(), "client_id", &other), bad("invalid_grant")),
        (with(good(), "client_id", ""), (401, "invalid_client".to_owned())),
        (with(good(), "client_id", "AAAAAAAAAAAAAAAAAAAAAA"), (401, "invalid_client".to_owned())),
        (with(good(), "client_secret", "guess"), (401, "invalid_client".to_owned())),
        (twice, bad("invalid_request")),
    ] {
        assert_eq!(error_of(&world, &params).await, expected, "{params:?}");
    }
    assert_eq!(world.token(&good()).await.status, 200);
    assert_eq!(error_of(&world, &good()).await, bad("invalid_grant"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_forged_code_or_token_asks_no_object() {
    let world = World::new();
    let client = world.public_client().await;
    let refresh = |token: &str| {
        vec![
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", client.clone()),
            ("refresh_token", token.to_owned()),
        ]
    };
    assert_eq!(error_of(&world, &World::redeeming(&client, "m365c.x.y")).await, bad("invalid_grant"));
    assert_eq!(error_of(&world, &refresh("m365r.x.y.z")).await, bad("invalid_grant"));
    assert_eq!(world.platform.agents.hops.get(), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn only_a_form_is_a_token_request() {
    let world = World::new();
    for media_type in ["application/json", "text/plain; x=application/x-www-form-urlencoded", ""] {
        let mut request = world.post("grant_type=authorization_code");
        request.headers = vec![("content-type", media_type.to_owned())];
        let response = oauth::token_endpoint::handle(&world.exchange(), &request).await;
        assert_eq!(response.status, 400, "{media_type}");
        assert_eq!(json_of(&response)["error"], "invalid_request");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_confidential_client_proves_itself_by_the_method_it_registered() {
    let world = World::new();
    let answer = json_of(&world.register(&json!({"redirect_uris": ["https://client.example/cb"]})).await);
    let (id, secret) = (answer["client_id"].as_str().unwrap(), answer["client_secret"].as_str().unwrap());
    let send = |basic: Option<(&str, &str)>, extra: &[(&str, String)]| {
        let mut params = vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", "m365r.x.y.z".to_owned())];
        params.extend(extra.iter().map(|(name, value)| (*name, value.clone())));
        let mut headers = vec![("content-type", FORM.to_owned())];
        headers.extend(basic.map(|(id, secret)| {
            let joined = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
            ("authorization", format!("Basic {joined}"))
        }));
        Request { headers, body: encode(&params).into_bytes(), ..world.post("") }
    };
    let exchange = world.exchange();
    let post = [("client_id", id.to_owned()), ("client_secret", secret.to_owned())];
    for (request, status, code, challenged) in [
        (send(Some((id, secret)), &[]), 400, "invalid_grant", false),
        (send(Some((id, "guess")), &[]), 401, "invalid_client", true),
        (send(Some((id, "")), &[]), 401, "invalid_client", true),
        (send(None, &post), 401, "invalid_client", false),
        (send(None, &post[..1]), 401, "invalid_client", false),
        (send(Some((id, secret)), &post), 400, "invalid_request", false),
    ] {
        let response = oauth::token_endpoint::handle(&exchange, &request).await;
        assert_eq!((response.status, json_of(&response)["error"].as_str()), (status, Some(code)));
        assert_eq!(response.header("www-authenticate").is_some(), challenged);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_refresh_rotates_and_a_revoked_grant_gives_no_more() {
    let world = World::new();
    let client = world.public_client().await;
    let other = world.public_client().await;
    let code = world.sign_in(&client).await;
    let first = json_of(&world.token(&World::redeeming(&client, &code)).await);
    let refresh = |token: &serde_json::Value| {
        vec![
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", client.clone()),
            ("refresh_token", token.as_str().unwrap().to_owned()),
        ]
    };
    let second = json_of(&world.token(&refresh(&first["refresh_token"])).await);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let revoke = async |client: &str, token: &str| {
        let body = encode(&[("client_id", client.to_owned()), ("token", token.to_owned())]);
        oauth::revoke::handle(&world.exchange(), &world.post(&body)).await.status
    };
    let token = second["refresh_token"].as_str().unwrap();
    assert_eq!(revoke(&other, token).await, 200);
    assert_eq!(revoke(&client, "unknown").await, 200);
    assert_eq!(revoke(&client, "").await, 400);
    let third = json_of(&world.token(&refresh(&second["refresh_token"])).await);
    let token = third["refresh_token"].as_str().unwrap();
    assert_eq!(revoke(&client, token).await, 200);
    assert_eq!(error_of(&world, &refresh(&third["refresh_token"])).await, bad("invalid_grant"));
}

#[tokio::test(flavor = "current_thread")]
async fn an_unavailable_store_or_object_asks_to_come_back() {
    let world = World::new();
    let client = world.public_client().await;
    let code = world.sign_in(&client).await;
    world.platform.agents.fail.set(true);
    let response = world.token(&World::redeeming(&client, &code)).await;
    assert_eq!((response.status, response.header("retry-after")), (503, Some("5")));
    world.platform.agents.fail.set(false);
    world.platform.kv.fail.set(true);
    assert_eq!(world.token(&World::redeeming(&client, &code)).await.status, 503);
    world.platform.kv.fail.set(false);
    assert_eq!(world.token(&World::redeeming(&client, &code)).await.status, 200);
}
