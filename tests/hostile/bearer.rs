//! Rules W1 and W2: whose bearer token is taken at the MCP endpoints.

use super::site::{FORM, Site, get, json_of, post, with_header};
use crate::support::Signer;
use crate::web::{Method, Request};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
const CALL: &str = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"getEmails"}}"#;

#[tokio::test(flavor = "current_thread")]
async fn w1_without_a_token_every_method_and_body_is_challenged_alike() {
    let site = Site::new();
    for path in ["/mcp", "/sse", "/sse/message"] {
        for method in [Method::Get, Method::Head, Method::Post, Method::Delete, Method::Other] {
            for authorization in ["", "Basic YTpi", "Bearer", "Bearer ", "Digest x"] {
                let request = Request { method, body: b"{".to_vec(), ..get(path) };
                let response = site.send(&with_header(request, "authorization", authorization)).await;
                assert_eq!(response.status, 401, "{path} {method:?} {authorization:?}");
                let challenge = response.header("www-authenticate").unwrap();
                assert!(challenge.starts_with("Bearer realm=") && !challenge.contains("error="), "{challenge}");
                let resource = if path == "/mcp" { "mcp" } else { "sse" };
                let metadata = format!("http://localhost:8787/.well-known/oauth-protected-resource/{resource}");
                assert!(challenge.contains(&format!("resource_metadata=\"{metadata}\"")), "{challenge}");
                assert!(challenge.contains("scope=\""), "{challenge}");
                assert_eq!(response.header("cache-control"), Some("no-store"));
            }
        }
    }
    assert_eq!(site.platform.agents.hops.get(), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn w1_a_token_counts_in_the_header_only_and_the_schemes_case_does_not_matter() {
    let site = Site::new();
    let client = site.public_client().await;
    let tokens = site.tokens(&client).await;
    let token = tokens["access_token"].as_str().unwrap();
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(site.mcp(&format!("{scheme} {token}"), INITIALIZE).await.status, 200, "{scheme}");
    }
    let query = with_header(post("/mcp", INITIALIZE.as_bytes()), "content-type", "application/json");
    let query = Request { query: Some(format!("access_token={token}")), ..query };
    let form = with_header(post("/mcp", format!("access_token={token}").as_bytes()), "content-type", FORM);
    let cookie = with_header(post("/mcp", INITIALIZE.as_bytes()), "cookie", &format!("access_token={token}"));
    for request in [query, form, cookie] {
        assert_eq!(site.send(&request).await.status, 401, "{request:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn w1_a_bad_expired_or_revoked_token_is_invalid_token() {
    let site = Site::new();
    let client = site.public_client().await;
    let tokens = site.tokens(&client).await;
    let access = tokens["access_token"].as_str().unwrap().to_owned();
    let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
    let expect_invalid = async |token: &str| {
        let response = site.mcp(&format!("Bearer {token}"), INITIALIZE).await;
        let challenge = response.header("www-authenticate").unwrap_or_default().to_owned();
        assert_eq!(response.status, 401, "{token}");
        assert!(challenge.contains("error=\"invalid_token\"") && challenge.contains("resource_metadata="), "{token}");
    };
    for token in [&format!("{access}A"), &refresh, &access.replacen("m365a", "m365c", 1), "m365a.x.y.z"] {
        expect_invalid(token).await;
    }
    assert_eq!(site.revoke(&client, &refresh).await.status, 200);
    expect_invalid(&access).await;
    let next = site.tokens(&client).await;
    site.platform.clock.advance(3600);
    expect_invalid(next["access_token"].as_str().unwrap()).await;
}

#[tokio::test(flavor = "current_thread")]
async fn w2_a_token_of_another_server_or_of_entra_opens_nothing() {
    let site = Site::new();
    let key = "1".repeat(64);
    let elsewhere = Site::with(&[("ENCRYPTION_KEY", &key)]);
    let client = elsewhere.public_client().await;
    let foreign = elsewhere.tokens(&client).await["access_token"].as_str().unwrap().to_owned();
    let entra = Signer::new("entra-1", 0).sign(&site.claims.borrow());
    for token in [foreign, entra, "microsoft-access".to_owned()] {
        let response = site.mcp(&format!("Bearer {token}"), CALL).await;
        assert_eq!(response.status, 401);
        assert!(response.header("www-authenticate").is_some_and(|value| value.contains("invalid_token")));
    }
    assert_eq!((site.platform.agents.hops.get(), site.platform.gateway.seen.borrow().len()), (0, 0));
}

#[tokio::test(flavor = "current_thread")]
async fn w2_the_clients_token_never_leaves_for_graph() {
    let site = Site::new();
    let client = site.public_client().await;
    let access = site.tokens(&client).await["access_token"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {access}");
    let session = site.mcp(&bearer, INITIALIZE).await.header("mcp-session-id").unwrap().to_owned();
    let request = with_header(post("/mcp", CALL.as_bytes()), "content-type", "application/json");
    let request = with_header(with_header(request, "authorization", &bearer), "mcp-session-id", &session);
    let response = site.send(&request).await;
    assert_eq!(response.status, 200, "{}", json_of(&response));
    let calls = site.platform.gateway.seen.borrow();
    assert!(!calls.is_empty());
    let secret = access.rsplit('.').next().unwrap();
    for call in calls.iter() {
        let sent = format!("{} {} {}", call.model, call.inputs, call.options);
        assert!(!sent.contains(secret) && !sent.contains("microsoft-access"), "{sent}");
    }
}
