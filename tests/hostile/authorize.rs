//! Rules A1–A10: the authorization endpoint.

use serde_json::json;
use url::Url;

use super::site::{Browser, Params, Site, asking, encode, get, is_local, json_of, param, post, query_of, with};
use crate::web::{Method, Request};

async fn client_at(site: &Site, uri: &str) -> String {
    let metadata = json!({"redirect_uris": [uri], "token_endpoint_auth_method": "none"});
    let answer = json_of(&site.register(&metadata).await);
    answer["client_id"].as_str().unwrap_or_else(|| panic!("{uri}: {answer}")).to_owned()
}

#[tokio::test(flavor = "current_thread")]
async fn a1_a_redirect_uri_is_the_registered_one_and_only_a_loopback_port_may_differ() {
    let site = Site::new();
    let table = [
        ("https://client.example/cb", "https://client.example/cb", true),
        ("https://client.example/cb", "https://client.example/cb/", false),
        ("https://client.example/cb", "https://client.example:443/cb", false),
        ("https://client.example/cb", "https://client.example/CB", false),
        ("https://client.example/cb", "https://client.example/x/../cb", false),
        ("https://client.example/cb", "https://client.example/cb?", false),
        ("https://client.example/cb", "https://client.example/cb#", false),
        ("https://client.example/cb", "https://client.example.evil.example/cb", false),
        ("https://client.example/cb", "https://client.example@evil.example/cb", false),
        ("https://client.example/cb", "https://evil.example/cb", false),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:65000/cb", true),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1/cb", true),
        ("http://[::1]:1/cb", "http://[::1]:2/cb", true),
        ("http://localhost:1/cb", "http://localhost:2/cb", true),
        ("http://127.0.0.1:1/cb", "http://localhost:1/cb", false),
        ("http://localhost:1/cb", "http://[::1]:1/cb", false),
        ("http://127.0.0.1:1/cb", "http://127.0.0.2:1/cb", false),
        ("http://127.0.0.1:1/cb", "https://127.0.0.1:1/cb", false),
        ("https://127.0.0.1:1/cb", "http://127.0.0.1:1/cb", false),
        ("https://localhost/cb", "http://localhost/cb", false),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:1/other", false),
        ("http://127.0.0.1:1/cb?a=1", "http://127.0.0.1:2/cb?a=2", false),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:1@evil.example/cb", false),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1:99999/cb", false),
    ];
    for (registered, asked, good) in table {
        let client = client_at(&site, registered).await;
        let response = Browser::new(&site).authorize(&with(asking(&client), "redirect_uri", asked)).await;
        let status = if good { 200 } else { 400 };
        assert!(is_local(&response, status), "{registered} {asked}: {response:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a2_an_unproven_client_or_redirect_uri_is_told_here_and_leads_nowhere() {
    let site = Site::new();
    let client = site.public_client().await;
    // Faults of every later rule at once: none may be answered before these two are proven.
    let worst = |params: Params| with(with(params, "response_type", "token"), "resource", "https://evil.example");
    for (name, value) in [
        ("client_id", ""),
        ("client_id", "AAAAAAAAAAAAAAAAAAAAAA"),
        ("client_id", "https://evil.example/client.json"),
        ("redirect_uri", ""),
        ("redirect_uri", "https://evil.example/cb"),
        ("redirect_uri", "javascript:alert(1)"),
    ] {
        let response = Browser::new(&site).authorize(&worst(with(asking(&client), name, value))).await;
        assert!(is_local(&response, 400), "{name}={value}: {response:?}");
    }
    for name in ["client_id", "redirect_uri"] {
        let mut params = asking(&client);
        let (_, value) = params.iter().find(|(key, _)| *key == name).unwrap().clone();
        params.push((name, value));
        assert!(is_local(&Browser::new(&site).authorize(&params).await, 400), "{name} twice");
    }
    site.platform.kv.fail.set(true);
    assert!(is_local(&Browser::new(&site).authorize(&asking(&client)).await, 503));
}

/// The error that a request with these changes is answered with at the client.
async fn error_for(site: &Site, client: &str, changes: &[(&'static str, &str)]) -> String {
    let params = changes.iter().fold(asking(client), |params, (name, value)| with(params, name, value));
    let response = Browser::new(site).authorize(&params).await;
    assert_eq!(response.status, 302, "{changes:?}");
    let back = query_of(&response);
    assert_eq!(param(&back, "state").as_deref(), Some("client state"), "{changes:?}");
    assert_eq!(param(&back, "iss"), Some(site.origin.clone()), "{changes:?}");
    assert_eq!(param(&back, "code"), None);
    assert!(param(&back, "error_description").is_some(), "{changes:?}");
    param(&back, "error").unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn a3_every_later_fault_goes_to_the_client_with_its_state_and_our_issuer() {
    let site = Site::new();
    let client = site.public_client().await;
    for (name, value, code) in [
        ("response_type", "", "invalid_request"),
        ("response_mode", "fragment", "invalid_request"),
        ("scope", "Everything.All", "invalid_scope"),
        ("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
        ("request_uri", "https://evil.example/r", "request_uri_not_supported"),
        ("code_challenge", "", "invalid_request"),
        ("resource", "https://evil.example/mcp", "invalid_target"),
    ] {
        assert_eq!(error_for(&site, &client, &[(name, value)]).await, code, "{name}={value}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a3_a_request_that_fits_no_cookie_is_refused_at_the_client() {
    let site = Site::new();
    let uri = format!("https://client.example/{}", "a".repeat(2000));
    let client = client_at(&site, &uri).await;
    let asked = with(with(asking(&client), "redirect_uri", &uri), "state", &"s".repeat(2000));
    let response = Browser::new(&site).authorize(&asked).await;
    assert_eq!(param(&query_of(&response), "error").as_deref(), Some("invalid_request"));
    assert!(response.header("set-cookie").is_none(), "{response:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn a4_faults_are_told_in_the_order_resource_response_type_pkce_scope() {
    let site = Site::new();
    let client = site.public_client().await;
    let faults = [
        ("resource", "https://evil.example", "invalid_target"),
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("scope", "Everything.All", "invalid_scope"),
    ];
    for first in 0..faults.len() {
        let changes: Vec<_> = faults[first..].iter().map(|(name, value, _)| (*name, *value)).collect();
        assert_eq!(error_for(&site, &client, &changes).await, faults[first].2);
    }
    for implicit in ["token", "id_token", "code token", "none", "CODE"] {
        let code = error_for(&site, &client, &[("response_type", implicit)]).await;
        assert_eq!(code, "unsupported_response_type", "{implicit}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a5_pkce_is_required_of_every_client_with_s256_and_a_whole_digest() {
    let site = Site::new();
    let public = site.public_client().await;
    let (confidential, _) = site.confidential_client("client_secret_basic").await;
    for client in [public, confidential] {
        for changes in [
            &[("code_challenge", ""), ("code_challenge_method", "")][..],
            &[("code_challenge", "")],
            &[("code_challenge_method", "")],
            &[("code_challenge_method", "plain")],
            &[("code_challenge_method", "S512")],
            &[("code_challenge_method", "s256")],
            &[("code_challenge", "a")],
            &[("code_challenge", &"a".repeat(42))],
            &[("code_challenge", &"a".repeat(44))],
            &[("code_challenge", &format!("{}=", "a".repeat(42)))],
            &[("code_challenge", &format!("{}+", "a".repeat(42)))],
        ] {
            assert_eq!(error_for(&site, &client, changes).await, "invalid_request", "{changes:?}");
        }
        assert_eq!(Browser::new(&site).authorize(&asking(&client)).await.status, 200);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a6_a_parameter_that_comes_twice_is_refused_even_with_the_same_value() {
    let site = Site::new();
    let client = site.public_client().await;
    for name in ["response_type", "code_challenge", "code_challenge_method", "scope", "nonce", "unknown"] {
        for value in ["", "code"] {
            let mut params = with(asking(&client), name, "code");
            params.push((name, value.to_owned()));
            let response = Browser::new(&site).authorize(&params).await;
            assert_eq!(param(&query_of(&response), "error").as_deref(), Some("invalid_request"), "{name}");
        }
    }
    let mut twice = asking(&client);
    twice.push(("state", "another".to_owned()));
    let back = query_of(&Browser::new(&site).authorize(&twice).await);
    assert_eq!((param(&back, "error").as_deref(), param(&back, "state")), (Some("invalid_request"), None));
}

#[tokio::test(flavor = "current_thread")]
async fn a7_resource_is_this_server_or_nothing_and_may_repeat_only_itself() {
    let site = Site::new();
    let client = site.public_client().await;
    let ask = async |resources: &[&str]| {
        let mut params = asking(&client);
        params.extend(resources.iter().map(|resource| ("resource", (*resource).to_owned())));
        let response = Browser::new(&site).authorize(&params).await;
        if response.status == 200 { None } else { param(&query_of(&response), "error") }
    };
    let mcp = "http://localhost:8787/mcp";
    for good in [&[][..], &[mcp], &[mcp, mcp], &["HTTP://LOCALHOST:8787/mcp"], &["http://localhost:8787"]] {
        assert_eq!(ask(good).await, None, "{good:?}");
    }
    for bad in [
        "http://localhost:8787/mcp#f",
        "http://localhost:8787/mcp?q=1",
        "http://localhost:8787/mcp-other",
        "http://localhost:8787/MCP",
        "http://localhost:8787/mcp/../sse",
        "http://localhost/mcp",
        "https://localhost:8787/mcp",
        "http://user@localhost:8787/mcp",
        "/mcp",
        "mcp",
        "javascript:alert(1)",
        "https://graph.microsoft.com",
    ] {
        assert_eq!(ask(&[bad]).await.as_deref(), Some("invalid_target"), "{bad}");
        assert_eq!(ask(&[mcp, bad]).await.as_deref(), Some("invalid_target"), "{bad} second");
    }
    assert_eq!(ask(&[mcp, "http://localhost:8787/sse"]).await.as_deref(), Some("invalid_target"));
}

#[tokio::test(flavor = "current_thread")]
async fn a8_iss_comes_once_byte_for_byte_with_success_denial_and_error() {
    let site = Site::new();
    let metadata = json_of(&site.send(&get("/.well-known/oauth-authorization-server")).await);
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    let issuer = metadata["issuer"].as_str().map(str::to_owned);
    let client = site.public_client().await;
    let browser = Browser::new(&site);
    let sent = browser.approve(&client).await;
    let granted = browser.come_back(&sent).await;
    let page = browser.authorize(&asking(&client)).await;
    let denied = browser.decide(&super::site::transaction_of(&page), "deny").await;
    let refused = browser.authorize(&with(asking(&client), "response_type", "token")).await;
    for response in [granted, denied, refused] {
        assert_eq!(param(&query_of(&response), "iss"), issuer, "{response:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a9_state_comes_back_unchanged_and_once_and_the_redirect_is_302_with_its_own_query() {
    let site = Site::new();
    let client = site.public_client().await;
    for state in ["a b+c&d=e#f%20\u{e4}\u{1f600}<>\"'", &"s".repeat(2048)] {
        let browser = Browser::new(&site);
        let params = with(asking(&client), "state", state);
        let page = browser.authorize(&params).await;
        let denied = browser.decide(&super::site::transaction_of(&page), "deny").await;
        assert_eq!(denied.status, 302);
        let location = Url::parse(denied.header("location").unwrap()).unwrap();
        assert_eq!(location.query_pairs().filter(|(name, _)| name == "own").count(), 1, "{location}");
        assert!(location.fragment().is_none());
        assert_eq!(param(&query_of(&denied), "state").as_deref(), Some(state));
    }
    let absent = Browser::new(&site).authorize(&with(with(asking(&client), "state", ""), "response_type", "x")).await;
    assert_eq!(param(&query_of(&absent), "state"), None);
    let long = with(asking(&client), "state", &"s".repeat(2049));
    let back = query_of(&Browser::new(&site).authorize(&long).await);
    assert_eq!((param(&back, "error").as_deref(), param(&back, "state")), (Some("invalid_request"), None));
}

#[tokio::test(flavor = "current_thread")]
async fn a10_the_browsers_endpoints_answer_their_own_methods_and_no_other_origin() {
    let site = Site::new();
    let client = site.public_client().await;
    let query = encode(&asking(&client));
    for (path, allow, methods) in [
        ("/authorize", "GET, POST", &[Method::Head, Method::Delete, Method::Options, Method::Other][..]),
        ("/callback", "GET", &[Method::Head, Method::Post, Method::Delete, Method::Options, Method::Other]),
    ] {
        for method in methods {
            let request = Request { method: *method, ..get(&format!("{path}?{query}")) };
            let response = site.send(&with_origin(request)).await;
            assert_eq!((response.status, response.header("allow")), (405, Some(allow)), "{path} {method:?}");
            assert_eq!(cors(&response), 0, "{path} {method:?}");
        }
        let response = site.send(&with_origin(get(&format!("{path}?{query}")))).await;
        assert_eq!(cors(&response), 0, "{path}");
    }
    assert_eq!(site.send(&post("/authorize", query.as_bytes())).await.status, 403, "a POST is the page's own form");
}

fn with_origin(request: Request) -> Request {
    let request = super::site::with_header(request, "origin", "https://client.example");
    super::site::with_header(request, "access-control-request-method", "GET")
}

fn cors(response: &crate::web::Response) -> usize {
    response.headers.iter().filter(|(name, _)| name.starts_with("access-control-")).count()
}
