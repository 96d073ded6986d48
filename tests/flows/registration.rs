//! Who may register, and what is kept.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a flow that cannot go on should stop")]

use serde_json::json;

use super::world::{World, json_of};
use crate::oauth;

#[tokio::test(flavor = "current_thread")]
async fn a_public_client_gets_no_secret_and_a_confidential_one_is_kept_as_a_hash() {
    let world = World::new();
    let uris = json!(["https://client.example/cb"]);
    let public = world.register(&json!({"redirect_uris": uris, "token_endpoint_auth_method": "none"})).await;
    assert_eq!((public.status, public.header("cache-control")), (201, Some("no-store")));
    assert!(json_of(&public).get("client_secret").is_none());
    let answer = json_of(&world.register(&json!({"redirect_uris": uris})).await);
    assert_eq!(answer["token_endpoint_auth_method"], "client_secret_basic");
    let secret = answer["client_secret"].as_str().unwrap();
    assert!(answer["client_secret_expires_at"].as_u64() > answer["client_id_issued_at"].as_u64());
    let kept = world.platform.kv.entries.borrow();
    assert!(kept.values().all(|value| !String::from_utf8_lossy(value).contains(secret)));
}

#[tokio::test(flavor = "current_thread")]
async fn metadata_that_this_server_cannot_honour_is_refused() {
    let world = World::new();
    let good = "https://client.example/cb";
    for (metadata, code) in [
        (json!([]), "invalid_client_metadata"),
        (json!({}), "invalid_redirect_uri"),
        (json!({"redirect_uris": []}), "invalid_redirect_uri"),
        (json!({"redirect_uris": [good, "javascript:alert(1)"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": vec![good; 11]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": [good], "grant_types": ["implicit"]}), "invalid_client_metadata"),
        (json!({"redirect_uris": [good], "grant_types": ["password"]}), "invalid_client_metadata"),
        (json!({"redirect_uris": [good], "response_types": ["token"]}), "invalid_client_metadata"),
        (json!({"redirect_uris": [good], "token_endpoint_auth_method": "private_key_jwt"}), "invalid_client_metadata"),
        (json!({"redirect_uris": [good], "client_uri": "javascript:alert(1)"}), "invalid_client_metadata"),
        (json!({"redirect_uris": [good], "client_name": 7}), "invalid_client_metadata"),
        (json!({"redirect_uris": [good], "application_type": "service"}), "invalid_client_metadata"),
        (json!({"redirect_uris": ["http://127.0.0.1/cb"], "application_type": "web"}), "invalid_redirect_uri"),
    ] {
        let response = world.register(&metadata).await;
        assert_eq!(response.status, 400, "{metadata}");
        assert_eq!(json_of(&response)["error"], code, "{metadata}");
    }
    assert!(world.platform.kv.entries.borrow().is_empty());
    for application_type in ["native", "web"] {
        let metadata = json!({"redirect_uris": [good], "application_type": application_type});
        assert_eq!(world.register(&metadata).await.status, 201);
    }
    let large = json!({"redirect_uris": [good], "x": "x".repeat(17_000)});
    assert_eq!(world.register(&large).await.status, 413);
    let form = oauth::register::handle(&world.exchange(), &world.post("{}")).await;
    assert_eq!(form.status, 400);
}

#[tokio::test(flavor = "current_thread")]
async fn a_failing_store_is_said_and_not_hidden() {
    let world = World::new();
    world.platform.kv.fail.set(true);
    let response = world.register(&json!({"redirect_uris": ["https://client.example/cb"]})).await;
    assert_eq!(response.status, 503);
    let authorize = world.authorize(&World::asking("AAAAAAAAAAAAAAAAAAAAAA")).await;
    assert_eq!((authorize.status, authorize.header("location")), (503, None));
}

#[tokio::test(flavor = "current_thread")]
async fn the_metadata_documents_agree_with_the_server() {
    let world = World::new();
    let server = json_of(&oauth::metadata::authorization_server(&world.exchange()));
    assert_eq!(server["issuer"], "http://localhost:8787");
    assert_eq!(server["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(server["authorization_response_iss_parameter_supported"], true);
    for path in ["", "/mcp", "/sse"] {
        let document = json_of(&oauth::metadata::protected_resource(&world.exchange(), path));
        assert_eq!(document["resource"], format!("http://localhost:8787{path}"));
        assert_eq!(document["authorization_servers"], json!([server["issuer"]]));
        let scopes = document["scopes_supported"].as_array().unwrap();
        assert!(!scopes.is_empty() && !scopes.contains(&json!("offline_access")));
    }
}
