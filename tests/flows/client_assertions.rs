//! `private_key_jwt`: which assertions prove a client, and that each counts once.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a flow that cannot go on should stop")]

use serde_json::{Value, json};

use super::client_documents::{ADDRESS, Published, document};
use super::world::{ORIGIN, World, encode, json_of};
use crate::oauth;
use crate::ports::Clock;
use crate::support::{EcSigner, START, Signer};
use crate::web::Response;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const KEYS: &str = "https://app.contoso.example/keys.json";

/// A document whose client signs, and does nothing else.
fn signing() -> Published {
    let published = Published::new();
    let mut changed = document();
    changed["token_endpoint_auth_method"] = json!("private_key_jwt");
    changed["jwks"] = json!({"keys": [Signer::new("r", 0).jwk(), EcSigner::new("e", 0).jwk()]});
    published.publish(ADDRESS, &changed);
    published
}

fn claims() -> Value {
    json!({
        "iss": ADDRESS, "sub": ADDRESS, "aud": format!("{ORIGIN}/token"), "jti": "jti-1",
        "iat": START, "nbf": START, "exp": START + 300,
    })
}

fn changed(member: &str, value: Value) -> Value {
    let mut changed = claims();
    match value {
        Value::Null => drop(changed.as_object_mut().unwrap().remove(member)),
        value => changed[member] = value,
    }
    changed
}

/// The form with this assertion in place of a client id.
fn asserting(mut params: Vec<(&'static str, String)>, assertion: &str) -> Vec<(&'static str, String)> {
    params.retain(|(name, _)| *name != "client_id");
    params.extend([("client_assertion_type", TYPE.to_owned()), ("client_assertion", assertion.to_owned())]);
    params
}

async fn redeem(world: &World, code: &str, assertion: &str) -> Response {
    world.token(&asserting(World::redeeming(ADDRESS, code), assertion)).await
}

fn is_invalid_client(response: &Response) -> bool {
    response.status == 401
        && json_of(response)["error"] == "invalid_client"
        && response.header("www-authenticate").is_none()
}

#[tokio::test(flavor = "current_thread")]
async fn an_assertion_by_either_algorithm_proves_the_client_at_every_endpoint() {
    let published = signing();
    let world = &published.world;
    let code = world.sign_in(ADDRESS).await;
    let first = redeem(world, &code, &Signer::new("r", 0).sign(&claims())).await;
    assert_eq!(first.status, 200, "{}", first.body_text());
    let refresh = json_of(&first)["refresh_token"].as_str().unwrap().to_owned();
    let params = vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", refresh)];
    let assertion = EcSigner::new("e", 0).sign(&changed("jti", json!("jti-2")));
    let second = world.token(&asserting(params, &assertion)).await;
    assert_eq!(second.status, 200, "{}", second.body_text());
    let refresh = json_of(&second)["refresh_token"].as_str().unwrap().to_owned();
    let assertion = EcSigner::new("e", 0).sign(&changed("jti", json!("jti-3")));
    let body = encode(&asserting(vec![("token", refresh)], &assertion));
    let revoke = || async { oauth::revoke::handle(&world.exchange(), &world.post(&body)).await.status };
    assert_eq!(revoke().await, 200);
    assert!(world.platform.log.text().contains("grant.revoked"));
}

#[tokio::test(flavor = "current_thread")]
async fn an_assertion_that_breaks_a_rule_proves_nothing_and_spends_nothing() {
    let published = signing();
    let world = &published.world;
    let code = world.sign_in(ADDRESS).await;
    let signer = Signer::new("r", 0);
    for (member, value) in [
        ("iss", json!("https://evil.example/client.json")),
        ("iss", Value::Null),
        ("sub", Value::Null),
        ("aud", Value::Null),
        ("aud", json!("https://evil.example/token")),
        ("aud", json!(format!("{ORIGIN}/"))),
        ("aud", json!(format!("{ORIGIN}/token/"))),
        ("aud", json!(format!("{ORIGIN}/mcp"))),
        ("aud", json!([])),
        ("aud", json!([format!("{ORIGIN}/token"), "https://other.example"])),
        ("exp", Value::Null),
        ("exp", json!(START)),
        ("exp", json!(START - 1)),
        ("exp", json!(START + 331)),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("exp", json!("soon")),
        ("nbf", json!(START + 31)),
        ("iat", json!(START + 31)),
        ("iat", json!(START - 331)),
        ("jti", Value::Null),
        ("jti", json!("")),
        ("jti", json!("j".repeat(257))),
    ] {
        let response = redeem(world, &code, &signer.sign(&changed(member, value.clone()))).await;
        assert!(is_invalid_client(&response), "{member} {value}: {}", response.body_text());
    }
    for assertion in [
        Signer::new("r", 1).sign(&claims()),
        signer.sign_with(&json!({"alg": "none", "kid": "r"}), &claims()),
        signer.sign_with(&json!({"alg": "HS256", "kid": "r"}), &claims()),
        signer.sign_with(&json!({"alg": "RS256", "kid": "r", "crit": ["b64"]}), &claims()),
    ] {
        assert!(is_invalid_client(&redeem(world, &code, &assertion).await));
    }
    for aud in [json!(ORIGIN), json!([format!("{ORIGIN}/token")])] {
        let good = signer.sign(&changed("aud", aud));
        // Another rule stops it, so that the code is there for the next.
        let mut params = asserting(World::redeeming(ADDRESS, &code), &good);
        params.retain(|(name, _)| *name != "code_verifier");
        assert_eq!(json_of(&world.token(&params).await)["error"], "invalid_request");
    }
    assert_eq!(redeem(world, &code, &signer.sign(&claims())).await.status, 200);
}

#[tokio::test(flavor = "current_thread")]
async fn an_assertion_counts_once_until_it_expires() {
    let published = signing();
    let world = &published.world;
    let signer = Signer::new("r", 0);
    let code = world.sign_in(ADDRESS).await;
    let first = redeem(world, &code, &signer.sign(&claims())).await;
    let refresh = json_of(&first)["refresh_token"].as_str().unwrap().to_owned();
    let renew = async |assertion: &str| {
        let params = vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", refresh.clone())];
        world.token(&asserting(params, assertion)).await
    };
    assert!(is_invalid_client(&renew(&signer.sign(&claims())).await), "the same again");
    let altered = signer.sign(&changed("exp", json!(START + 299)));
    assert!(is_invalid_client(&renew(&altered).await), "the same id under other claims");
    let body = encode(&asserting(vec![("token", refresh.clone())], &signer.sign(&claims())));
    assert!(is_invalid_client(&oauth::revoke::handle(&world.exchange(), &world.post(&body)).await));
    world.platform.agents.evict();
    assert!(is_invalid_client(&renew(&signer.sign(&claims())).await), "an eviction forgets nothing");
    assert_eq!(renew(&signer.sign(&changed("jti", json!("jti-2")))).await.status, 200);
}

#[tokio::test(flavor = "current_thread")]
async fn what_a_flood_of_assertions_leaves_is_bounded_and_runs_out() {
    let published = signing();
    let world = &published.world;
    let signer = Signer::new("r", 0);
    let code = world.sign_in(ADDRESS).await;
    let wrong = |index: usize| {
        let now = world.platform.clock.now();
        let mut claims = changed("jti", json!(format!("flood-{index}")));
        (claims["iat"], claims["nbf"], claims["exp"]) = (json!(now), json!(now), json!(now + 50));
        signer.sign(&claims)
    };
    for index in 0..64 {
        let params = World::redeeming(ADDRESS, &code);
        let params = super::world::with(params, "code_verifier", &"w".repeat(43));
        let response = world.token(&asserting(params, &wrong(index))).await;
        assert_eq!(json_of(&response)["error"], "invalid_grant", "{index}");
    }
    assert!(is_invalid_client(&redeem(world, &code, &wrong(64)).await), "no more are remembered, so no more count");
    world.platform.clock.advance(50);
    assert_eq!(redeem(world, &code, &wrong(65)).await.status, 200, "they have run out");
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_proves_itself_in_one_way_and_in_its_own() {
    let published = signing();
    let world = &published.world;
    let code = world.sign_in(ADDRESS).await;
    let assertion = Signer::new("r", 0).sign(&claims());
    let plain = || asserting(World::redeeming(ADDRESS, &code), &assertion);
    let plus = |name: &'static str, value: &str| [plain(), vec![(name, value.to_owned())]].concat();
    let less = |name: &str| plain().into_iter().filter(|(key, _)| *key != name).collect::<Vec<_>>();
    let typed = |kind: &str| super::world::with(plain(), "client_assertion_type", kind);
    for (params, status, code) in [
        (World::redeeming(ADDRESS, &code), 401, "invalid_client"),
        (plus("client_secret", "hunter2"), 400, "invalid_request"),
        (plus("client_id", "https://evil.example/client.json"), 400, "invalid_request"),
        (less("client_assertion"), 400, "invalid_request"),
        (less("client_assertion_type"), 400, "invalid_request"),
        (typed("urn:ietf:params:oauth:client-assertion-type:saml2-bearer"), 401, "invalid_client"),
    ] {
        let response = world.token(&params).await;
        assert_eq!((response.status, json_of(&response)["error"].clone()), (status, json!(code)), "{params:?}");
    }
    let other = world.public_client().await;
    let foreign = Signer::new("r", 0).sign(&json!({
        "iss": other, "sub": other, "aud": ORIGIN, "jti": "x", "exp": START + 60,
    }));
    assert!(is_invalid_client(&redeem(world, &code, &foreign).await), "a client without keys signs nothing");
    assert_eq!(world.token(&plus("client_id", ADDRESS)).await.status, 200);
}

#[tokio::test(flavor = "current_thread")]
async fn a_document_that_offers_both_ways_may_use_either_with_keys_at_its_host() {
    let published = Published::new();
    let mut both = document();
    both["token_endpoint_auth_method"] = json!("private_key_jwt");
    both["token_endpoint_auth_methods_supported"] = json!(["none", "private_key_jwt"]);
    both["token_endpoint_auth_signing_alg"] = json!("RS256");
    both["jwks_uri"] = json!(KEYS);
    published.publish(ADDRESS, &both);
    published.publish(KEYS, &json!({"keys": [Signer::new("r", 0).jwk(), EcSigner::new("e", 0).jwk()]}));
    let world = &published.world;
    let code = world.sign_in(ADDRESS).await;
    assert_eq!(world.token(&World::redeeming(ADDRESS, &code)).await.status, 200, "none, by PKCE alone");
    assert_eq!(published.fetches(KEYS), 0);
    let code = world.sign_in(ADDRESS).await;
    assert!(
        is_invalid_client(&redeem(world, &code, &EcSigner::new("e", 0).sign(&claims())).await),
        "not its algorithm"
    );
    assert_eq!(redeem(world, &code, &Signer::new("r", 0).sign(&claims())).await.status, 200);
    assert_eq!(published.fetches(KEYS), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_key_that_rotates_is_found_and_a_made_up_one_is_looked_for_once_a_minute() {
    let published = Published::new();
    let mut signs = document();
    signs["token_endpoint_auth_method"] = json!("private_key_jwt");
    signs["jwks_uri"] = json!(KEYS);
    published.publish(ADDRESS, &signs);
    published.publish(KEYS, &json!({"keys": [Signer::new("old", 0).jwk()]}));
    let world = &published.world;
    let code = world.sign_in(ADDRESS).await;
    let now = |kid: &'static str, which: usize, jti: &str| {
        let now = world.platform.clock.now();
        let mut claims = changed("jti", json!(jti));
        (claims["iat"], claims["nbf"], claims["exp"]) = (json!(now), json!(now), json!(now + 60));
        Signer::new(kid, which).sign(&claims)
    };
    for jti in ["a", "b", "c"] {
        assert!(is_invalid_client(&redeem(world, &code, &now("new", 1, jti)).await));
    }
    assert_eq!(published.fetches(KEYS), 1, "it was fetched a moment ago");
    published.publish(KEYS, &json!({"keys": [Signer::new("new", 1).jwk()]}));
    let code = {
        world.platform.clock.advance(61);
        world.sign_in(ADDRESS).await
    };
    assert_eq!(redeem(world, &code, &now("new", 1, "d")).await.status, 200);
    assert_eq!(published.fetches(KEYS), 2);
}
