//! Clients that an operator registers by hand; and how long clients live that registered themselves.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a flow that cannot go on should stop")]

use serde_json::{Value, json};

use super::operator::KEY;
use super::world::{ORIGIN, World, json_of};
use crate::operator;
use crate::ports::KV_PAGE;
use crate::support::{EcSigner, START};
use crate::web::{Method, Response};

const DAY: u64 = 24 * 3600;

fn open() -> World {
    World::with_settings(&[("OPERATOR_KEY", KEY)])
}

async fn ask(world: &World, method: Method, rest: &str, body: &Value) -> Response {
    let mut request = world.get("");
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    request.method = method;
    request.path = format!("/operator/clients{path}");
    request.query = Some(query.to_owned());
    request.headers = vec![("authorization", format!("Bearer {KEY}")), ("content-type", "application/json".to_owned())];
    request.body = body.to_string().into_bytes();
    operator::handle(&world.exchange(), &request).await
}

fn wanted() -> Value {
    json!({"client_name": "Contoso Portal", "redirect_uris": ["http://127.0.0.1:1/cb?own=1"]})
}

async fn add(world: &World, changes: &Value) -> Value {
    let mut body = wanted();
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    let response = ask(world, Method::Post, "", &body).await;
    assert_eq!(
        (response.status, response.header("cache-control")),
        (201, Some("no-store")),
        "{}",
        response.body_text()
    );
    json_of(&response)
}

async fn redeem(world: &World, client: &Value, code: &str, secret: &Value) -> u16 {
    let mut params = World::redeeming(client["client_id"].as_str().unwrap(), code);
    params.push(("client_secret", secret.as_str().unwrap().to_owned()));
    world.token(&params).await.status
}

#[tokio::test(flavor = "current_thread")]
async fn an_operators_client_signs_people_in_and_never_expires() {
    let world = open();
    let client = add(&world, &json!({"token_endpoint_auth_method": "client_secret_post"})).await;
    let id = client["client_id"].as_str().unwrap();
    assert!(id.starts_with("pre-"), "{id}");
    assert_eq!((&client["expires_at"], &client["registered_by"]), (&json!(0), &json!("operator")));
    let secret = client["client_secret"].as_str().unwrap();
    let kept: Vec<_> = world.platform.kv.entries.borrow().values().cloned().collect();
    assert!(kept.iter().all(|value| !String::from_utf8_lossy(value).contains(secret)));
    let page = world.authorize(&World::asking(id)).await;
    assert!(page.body_text().contains("operator of this server registered"), "{}", page.body_text());
    let code = world.sign_in(id).await;
    assert_eq!(world.token(&World::redeeming(id, &code)).await.status, 401);
    assert_eq!(redeem(&world, &client, &code, &json!("guess")).await, 401);
    assert_eq!(redeem(&world, &client, &code, &client["client_secret"]).await, 200);
    world.platform.clock.advance(1000 * DAY);
    assert_eq!(world.authorize(&World::asking(id)).await.status, 200);
    let shown = ask(&world, Method::Get, &format!("?client_id={id}"), &json!({})).await;
    assert_eq!(json_of(&shown)["client_name"], "Contoso Portal");
    assert!(!shown.body_text().contains("client_secret\"") && !shown.body_text().contains(secret));
    let log = world.platform.log.text();
    assert!(log.contains("clients.add") && !log.contains(secret), "{log}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_rotated_secret_and_a_removed_client_authenticate_no_more() {
    let world = open();
    let client = add(&world, &json!({"token_endpoint_auth_method": "client_secret_post"})).await;
    let id = client["client_id"].as_str().unwrap();
    let code = world.sign_in(id).await;
    let rotated = ask(&world, Method::Post, &format!("/rotate-secret?client_id={id}"), &json!({})).await;
    let fresh = json_of(&rotated)["client_secret"].clone();
    assert_eq!(redeem(&world, &client, &code, &client["client_secret"]).await, 401);
    assert_eq!(redeem(&world, &client, &code, &fresh).await, 200);
    let code = world.sign_in(id).await;
    assert_eq!(ask(&world, Method::Delete, &format!("?client_id={id}"), &json!({})).await.status, 200);
    assert_eq!(redeem(&world, &client, &code, &fresh).await, 401);
    assert_eq!(world.authorize(&World::asking(id)).await.status, 400);
    for (method, rest) in [(Method::Get, ""), (Method::Delete, ""), (Method::Post, "/rotate-secret")] {
        assert_eq!(ask(&world, method, &format!("{rest}?client_id={id}"), &json!({})).await.status, 404);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_listing_has_every_client_of_the_operator_and_no_other_and_no_secret() {
    let world = open();
    world.public_client().await;
    assert_eq!(json_of(&ask(&world, Method::Get, "", &json!({})).await), json!({"clients": []}));
    let mut added = Vec::new();
    for index in 0..=KV_PAGE {
        let client = add(&world, &json!({"client_name": format!("Contoso {index}")})).await;
        added.push(client["client_id"].as_str().unwrap().to_owned());
    }
    let (mut listed, mut query) = (Vec::new(), String::new());
    for expected in [KV_PAGE, 1] {
        let page = ask(&world, Method::Get, &query, &json!({})).await;
        assert!(!page.body_text().contains("client_secret\":"), "{}", page.body_text());
        let page = json_of(&page);
        let clients = page["clients"].as_array().unwrap();
        assert_eq!(clients.len(), expected);
        listed.extend(clients.iter().map(|client| client["client_id"].as_str().unwrap().to_owned()));
        query = format!("?cursor={}", page["cursor"].as_str().unwrap_or_default());
    }
    assert_eq!(query, "?cursor=");
    added.sort();
    assert_eq!(listed, added);
    world.platform.kv.fail.set(true);
    assert_eq!(ask(&world, Method::Get, "", &json!({})).await.status, 503);
}

#[tokio::test(flavor = "current_thread")]
async fn an_operators_client_may_sign_instead_of_keeping_a_secret() {
    let world = open();
    let signer = EcSigner::new("portal", 0);
    let keys = json!({"keys": [signer.jwk()]});
    let client = add(&world, &json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": keys})).await;
    assert!(client.get("client_secret").is_none());
    let id = client["client_id"].as_str().unwrap();
    let code = world.sign_in(id).await;
    let assertion = signer.sign(&json!({"iss": id, "sub": id, "aud": ORIGIN, "jti": "1", "exp": START + 60}));
    let mut params = World::redeeming(id, &code);
    params.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned()));
    params.push(("client_assertion", assertion));
    let response = world.token(&params).await;
    assert_eq!(response.status, 200, "{}", response.body_text());
    let rotate = ask(&world, Method::Post, &format!("/rotate-secret?client_id={id}"), &json!({})).await;
    assert_eq!(rotate.status, 409);
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_that_could_not_work_is_refused_with_the_reason() {
    let world = open();
    let keys = json!({"keys": [EcSigner::new("k", 0).jwk()]});
    let mut private = EcSigner::new("k", 0).jwk();
    private["d"] = json!("x");
    let signs = "private_key_jwt";
    for (changes, said) in [
        (json!({"client_name": " "}), "client_name"),
        (json!({"redirect_uris": []}), "redirect_uris"),
        (json!({"redirect_uris": ["http://portal.contoso.example/cb"]}), "http://portal.contoso.example/cb"),
        (json!({"redirect_uri": "https://x.example/cb"}), "unknown field `redirect_uri`"),
        (json!({"token_endpoint_auth_method": "tls_client_auth"}), "unknown variant"),
        (json!({"token_endpoint_auth_method": signs}), "jwks or jwks_uri"),
        (json!({"token_endpoint_auth_method": signs, "jwks": keys, "jwks_uri": "https://a.example/k"}), "one of them"),
        (json!({"token_endpoint_auth_method": signs, "jwks": {"keys": [private]}}), "private or symmetric"),
        (json!({"token_endpoint_auth_method": signs, "jwks": {"keys": []}}), "no RSA key"),
        (json!({"token_endpoint_auth_method": signs, "jwks_uri": "http://a.example/k"}), "jwks_uri must be https"),
        (json!({"jwks": keys}), "private_key_jwt alone"),
    ] {
        let mut body = wanted();
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        let response = ask(&world, Method::Post, "", &body).await;
        assert_eq!(response.status, 400, "{body}");
        let error = json_of(&response)["error"].as_str().unwrap().to_owned();
        assert!(error.contains(said), "{said}: {error}");
    }
    for query in ["", "?client_id=", "?client_id=grant:x", "?client_id=https://app.contoso.example/client.json"] {
        assert_eq!(ask(&world, Method::Delete, query, &json!({})).await.status, 400, "{query}");
    }
    assert!(world.platform.kv.entries.borrow().is_empty());
    assert_eq!(ask(&world, Method::Delete, "/rotate-secret", &json!({})).await.status, 405);
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_in_use_is_kept_and_one_that_nobody_uses_is_forgotten() {
    let world = World::new();
    let (used, idle) = (world.public_client().await, world.public_client().await);
    let mut writes = Vec::new();
    let stored = || world.platform.kv.entries.borrow()[&format!("client:{used}")].clone();
    for _ in 0..100 {
        world.platform.clock.advance(DAY);
        world.claims.borrow_mut()["exp"] = json!(START + 1000 * DAY);
        let before = stored();
        let code = world.sign_in(&used).await;
        assert_eq!(world.token(&World::redeeming(&used, &code)).await.status, 200);
        world.platform.background.finish().await;
        writes.push(stored() != before);
    }
    assert_eq!(writes.iter().filter(|written| **written).count(), 100 / 7, "at most once a week");
    assert_eq!(world.authorize(&World::asking(&used)).await.status, 200);
    assert_eq!(world.authorize(&World::asking(&idle)).await.status, 400);
    world.platform.clock.advance(90 * DAY);
    assert_eq!(world.authorize(&World::asking(&used)).await.status, 400);
}

#[tokio::test(flavor = "current_thread")]
async fn a_secret_ends_when_its_owner_was_told() {
    let world = World::new();
    let metadata = json!({
        "redirect_uris": ["http://127.0.0.1:1/cb?own=1"], "token_endpoint_auth_method": "client_secret_post",
    });
    let client = json_of(&world.register(&metadata).await);
    let ends_at = client["client_secret_expires_at"].as_u64().unwrap();
    assert_eq!(ends_at, START + 90 * DAY);
    world.platform.clock.advance(30 * DAY);
    let id = client["client_id"].as_str().unwrap();
    world.claims.borrow_mut()["exp"] = json!(START + 1000 * DAY);
    let code = world.sign_in(id).await;
    assert_eq!(redeem(&world, &client, &code, &client["client_secret"]).await, 200);
    world.platform.background.finish().await;
    world.platform.clock.advance(ends_at - START - 30 * DAY);
    assert_eq!(redeem(&world, &client, "m365c.x.y", &client["client_secret"]).await, 401);
}
