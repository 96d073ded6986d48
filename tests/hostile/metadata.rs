//! Rules M1–M3 and X1: the well-known documents, and what pages of other origins may do.

use serde_json::json;

use super::site::{Site, get, json_of, post, with_header};
use crate::web::{Method, Request};

#[tokio::test(flavor = "current_thread")]
async fn m1_the_issuer_is_the_bare_origin_and_its_document_is_at_the_root_alone() {
    let site = Site::new();
    let response = site.send(&get("/.well-known/oauth-authorization-server")).await;
    assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
    let document = json_of(&response);
    assert_eq!(document["issuer"], "http://localhost:8787");
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["response_types_supported"], json!(["code"]));
    assert_eq!(document["grant_types_supported"], json!(["authorization_code", "refresh_token"]));
    for name in ["authorization", "token", "registration", "revocation"] {
        let endpoint = document[format!("{name}_endpoint")].as_str().unwrap();
        assert!(endpoint.starts_with("http://localhost:8787/"), "{endpoint}");
    }
    for path in [
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/oauth-authorization-server/sse",
        "/.well-known/oauth-authorization-server/",
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/mcp",
        "/mcp/.well-known/openid-configuration",
    ] {
        assert_eq!(site.send(&get(path)).await.status, 404, "{path}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn m2_a_resource_document_names_the_url_that_the_client_uses() {
    let site = Site::new();
    for path in ["", "/mcp", "/sse"] {
        let document = json_of(&site.send(&get(&format!("/.well-known/oauth-protected-resource{path}"))).await);
        assert_eq!(document["resource"], format!("http://localhost:8787{path}"));
        assert_eq!(document["authorization_servers"], json!(["http://localhost:8787"]));
        assert_eq!(document["bearer_methods_supported"], json!(["header"]));
        assert!(!document["scopes_supported"].to_string().contains("offline_access"));
    }
    for path in ["/other", "/mcp/", "/authorize"] {
        assert_eq!(site.send(&get(&format!("/.well-known/oauth-protected-resource{path}"))).await.status, 404);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn m3_no_name_in_a_request_becomes_ours() {
    let site = Site::public("browser");
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource/mcp", "/mcp"] {
        let asked = with_header(get(path), "host", "evil.example");
        let asked = Request { path: path.to_owned(), ..with_header(asked, "x-forwarded-host", "evil.example") };
        let response = site.send(&with_header(asked, "forwarded", "host=evil.example;proto=http")).await;
        let text = format!("{:?} {}", response.headers, response.body_text());
        assert!(text.contains("https://mcp.contoso.example") && !text.contains("evil.example"), "{path}: {text}");
    }
}

const CLIENTS: [&str; 6] = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource/mcp",
    "/token",
    "/register",
    "/revoke",
    "/mcp",
];

#[tokio::test(flavor = "current_thread")]
async fn x1_pages_of_other_origins_may_use_the_clients_endpoints_without_credentials() {
    let site = Site::public("browser");
    for path in CLIENTS {
        let options = Request { method: Method::Options, ..get(path) };
        let preflight = site.send(&with_header(options, "origin", "https://client.example")).await;
        assert_eq!(preflight.status, 204, "{path}");
        let allowed = preflight.header("access-control-allow-headers").unwrap();
        assert!(allowed.contains("Authorization") && !allowed.contains('*'), "{path}");
        let refused = site.send(&with_header(post(path, b""), "origin", "https://client.example")).await;
        for response in [preflight, refused] {
            assert_eq!(response.header("access-control-allow-origin"), Some("https://client.example"), "{path}");
            assert_eq!(response.header("access-control-allow-credentials"), None, "{path}");
            let exposed = response.header("access-control-expose-headers").unwrap();
            for name in ["WWW-Authenticate", "Retry-After", "Mcp-Session-Id"] {
                assert!(exposed.contains(name), "{path} {name}");
            }
            assert_eq!(response.header("vary"), Some("Origin"), "{path}");
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn x1_every_other_path_is_closed_to_pages_of_other_origins() {
    let site = Site::new();
    for path in ["/", "/healthz", "/authorize", "/callback", "/graph-handler/v1/chat/completions", "/nothing"] {
        for method in [Method::Options, Method::Get, Method::Post] {
            let request = with_header(Request { method, ..get(path) }, "origin", "https://client.example");
            let response = site.send(&request).await;
            let cors = response.headers.iter().filter(|(name, _)| name.starts_with("access-control-")).count();
            assert_eq!(cors, 0, "{path} {method:?}");
        }
    }
}
