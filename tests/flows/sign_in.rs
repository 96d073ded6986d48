//! From `/authorize` over consent and Entra to the client, and everything hostile on that way.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a flow that cannot go on should stop")]

use serde_json::json;

use super::world::{ORIGIN, REDIRECT, World, encode, json_of, param, query_of, transaction_of, with};
use crate::identity::AccessIdentity;

fn person(sub: &str) -> AccessIdentity {
    AccessIdentity { sub: sub.to_owned(), email: Some(format!("{sub}@contoso.example")) }
}

#[tokio::test(flavor = "current_thread")]
async fn a_sign_in_ends_at_the_client_with_code_state_and_issuer_once() {
    let world = World::new();
    let client = world.public_client().await;
    let sent = world.approve(&client).await;
    assert_eq!(param(&sent, "code_challenge_method").as_deref(), Some("S256"));
    let query = encode(&[("code", "entra-code".into()), ("state", param(&sent, "state").unwrap())]);
    let response = world.callback(&query).await;
    assert!(response.header("location").unwrap().starts_with(&format!("{REDIRECT}&code=m365c.")));
    let back = query_of(&response);
    assert_eq!(param(&back, "state").as_deref(), Some("client state"));
    assert_eq!(param(&back, "iss").as_deref(), Some(ORIGIN));
    assert!(world.cookies.borrow().is_empty(), "every cookie of the flow is cleared");
    let tokens = json_of(&world.token(&World::redeeming(&client, &param(&back, "code").unwrap())).await);
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["resource"], format!("{ORIGIN}/mcp"));
    let log = world.platform.log.text();
    for secret in ["m365c.", "m365s.", "m365a.", "entra-code", "microsoft-access", "client state"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn asking_stores_nothing() {
    let world = World::new();
    let client = world.public_client().await;
    let before = world.platform.kv.entries.borrow().len();
    assert_eq!(world.authorize(&World::asking(&client)).await.status, 200);
    assert_eq!(world.platform.kv.entries.borrow().len(), before);
    assert_eq!(world.platform.agents.hops.get(), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn nothing_is_redirected_before_client_and_redirect_uri_are_proven() {
    let world = World::new();
    let client = world.public_client().await;
    let asking = || World::asking(&client);
    let mut twice = asking();
    twice.push(("redirect_uri", REDIRECT.to_owned()));
    for params in [
        with(asking(), "client_id", ""),
        with(asking(), "client_id", "AAAAAAAAAAAAAAAAAAAAAA"),
        with(asking(), "client_id", "../../grant:x"),
        with(asking(), "redirect_uri", ""),
        with(asking(), "redirect_uri", "https://evil.example/cb"),
        with(asking(), "redirect_uri", "http://localhost:4711/cb?own=1"),
        twice,
    ] {
        let response = world.authorize(&params).await;
        assert_eq!((response.status, response.header("location")), (400, None), "{params:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn every_other_fault_goes_to_the_client_with_its_code() {
    let world = World::new();
    let client = world.public_client().await;
    let asking = || World::asking(&client);
    let mut twice = asking();
    twice.push(("scope", "Mail.Read".into()));
    twice.push(("scope", "Mail.Read".into()));
    for (params, code) in [
        (with(asking(), "response_type", ""), "invalid_request"),
        (with(asking(), "response_type", "token"), "unsupported_response_type"),
        (with(asking(), "code_challenge", ""), "invalid_request"),
        (with(asking(), "code_challenge", "short"), "invalid_request"),
        (with(asking(), "code_challenge_method", ""), "invalid_request"),
        (with(asking(), "code_challenge_method", "plain"), "invalid_request"),
        (with(asking(), "code_challenge_method", "S512"), "invalid_request"),
        (with(asking(), "resource", "https://evil.example/mcp"), "invalid_target"),
        (with(asking(), "scope", "Everything.All"), "invalid_scope"),
        (with(asking(), "request_uri", "https://evil.example/r"), "request_uri_not_supported"),
        (with(asking(), "response_mode", "form_post"), "invalid_request"),
        (twice, "invalid_request"),
        (with(with(asking(), "response_type", ""), "resource", "x:y"), "invalid_target"),
        (with(with(asking(), "response_type", "token"), "code_challenge", ""), "unsupported_response_type"),
    ] {
        let response = world.authorize(&params).await;
        assert_eq!(response.status, 302, "{params:?}");
        let back = query_of(&response);
        assert_eq!(param(&back, "error").as_deref(), Some(code), "{params:?}");
        assert_eq!(param(&back, "iss").as_deref(), Some(ORIGIN));
        assert_eq!(param(&back, "state").as_deref(), Some("client state"));
        assert!(world.cookies.borrow().is_empty());
    }
    let long = world.authorize(&with(asking(), "state", &"s".repeat(2049))).await;
    assert_eq!(param(&query_of(&long), "state"), None);
}

#[tokio::test(flavor = "current_thread")]
async fn the_consent_page_shows_strangers_text_as_text() {
    let world = World::new();
    let metadata = json!({
        "client_name": "<script>alert(1)</script>\u{202e}\u{7}\"'&", "redirect_uris": ["http://127.0.0.1:1/cb?own=1"],
        "token_endpoint_auth_method": "none",
    });
    let client = json_of(&world.register(&metadata).await)["client_id"].as_str().unwrap().to_owned();
    *world.access.borrow_mut() = Some(AccessIdentity { sub: "s".into(), email: Some("<b>adele</b>".into()) });
    let page = world.authorize(&World::asking(&client)).await;
    let html = page.body_text();
    for hidden in ["<script", "\u{202e}", "\u{7}", "<b>adele", "\"'&"] {
        assert!(!html.contains(hidden), "{hidden:?}");
    }
    for shown in ["script&#62;alert(1)", client.as_str(), "127.0.0.1:4711", "your own device", "Send mail as you"] {
        assert!(html.contains(shown), "{shown}");
    }
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("form-action"), "{policy}");
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_denial_reaches_the_client_and_opens_no_grant() {
    let world = World::new();
    let client = world.public_client().await;
    let page = world.authorize(&World::asking(&client)).await;
    let response = world.decide(&world.submit(&format!("transaction={}&decision=deny", transaction_of(&page)))).await;
    let back = query_of(&response);
    assert_eq!(param(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(param(&back, "iss").as_deref(), Some(ORIGIN));
    assert_eq!(world.platform.agents.hops.get(), 0);
    assert!(world.cookies.borrow().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_decision_counts_only_with_the_cookie_of_its_own_transaction() {
    let world = World::new();
    let client = world.public_client().await;
    let first = transaction_of(&world.authorize(&World::asking(&client)).await);
    let body = format!("transaction={first}&decision=approve");
    let own = world.cookies.take();
    assert_eq!(world.decide(&world.submit(&body)).await.status, 403);
    let second = transaction_of(&world.authorize(&World::asking(&client)).await);
    assert_eq!(world.decide(&world.submit(&body)).await.status, 403);
    // The other transaction's cookie under this one's name.
    let stolen = world.cookies.borrow().first().unwrap().1.clone();
    *world.cookies.borrow_mut() = vec![(own.first().unwrap().0.clone(), stolen)];
    assert_eq!(world.decide(&world.submit(&body)).await.status, 403);
    assert_ne!(first, second);
    *world.cookies.borrow_mut() = own;
    world.platform.clock.advance(600);
    assert_eq!(world.decide(&world.submit(&body)).await.status, 403);
    assert_eq!(world.platform.agents.hops.get(), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn a_decision_from_another_site_is_refused() {
    let world = World::new();
    let client = world.public_client().await;
    let page = world.authorize(&World::asking(&client)).await;
    let body = format!("transaction={}&decision=approve", transaction_of(&page));
    for headers in [
        vec![],
        vec![("origin", "https://evil.example")],
        vec![("origin", "null")],
        vec![("sec-fetch-site", "cross-site"), ("origin", ORIGIN)],
        vec![("sec-fetch-site", "same-site"), ("origin", "null")],
        vec![("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
        vec![("sec-fetch-site", "none")],
    ] {
        let mut request = world.post(&body);
        request.headers.extend(headers.iter().map(|(name, value)| (*name, (*value).to_owned())));
        assert_eq!(world.decide(&request).await.status, 403, "{headers:?}");
    }
    assert_eq!(world.platform.agents.hops.get(), 0);
    let mut older = world.post(&body);
    older.headers.push(("origin", ORIGIN.to_owned()));
    assert_eq!(world.decide(&older).await.status, 302);
}

#[tokio::test(flavor = "current_thread")]
async fn a_consent_counts_once() {
    let world = World::new();
    let client = world.public_client().await;
    let page = world.authorize(&World::asking(&client)).await;
    let request = world.submit(&format!("transaction={}&decision=approve", transaction_of(&page)));
    assert_eq!(world.decide(&request).await.status, 302);
    assert_eq!(world.decide(&request).await.status, 409);
}

#[tokio::test(flavor = "current_thread")]
async fn another_access_identity_can_neither_decide_nor_come_back() {
    let world = World::new();
    let client = world.public_client().await;
    *world.access.borrow_mut() = Some(person("adele"));
    let page = world.authorize(&World::asking(&client)).await;
    let request = world.submit(&format!("transaction={}&decision=approve", transaction_of(&page)));
    *world.access.borrow_mut() = Some(person("mallory"));
    assert_eq!(world.decide(&request).await.status, 403);
    *world.access.borrow_mut() = None;
    assert_eq!(world.decide(&request).await.status, 403);
    *world.access.borrow_mut() = Some(person("adele"));
    let sent = world.approve(&client).await;
    *world.access.borrow_mut() = Some(person("mallory"));
    let query = encode(&[("code", "c".into()), ("state", param(&sent, "state").unwrap())]);
    assert_eq!(world.callback(&query).await.status, 403);
    assert!(world.platform.upstream.seen.borrow().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_state_that_is_forged_foreign_old_or_from_another_browser_causes_no_call() {
    let world = World::new();
    let client = world.public_client().await;
    let state = param(&world.approve(&client).await, "state").unwrap();
    let foreign = param(&World::new().approve_elsewhere().await, "state").unwrap();
    let hops = world.platform.agents.hops.get();
    let back = |state: &str| encode(&[("code", "c".into()), ("state", state.to_owned())]);
    for (query, status) in [
        (back("m365s.x.y"), 403),
        (back(&format!("{state}A")), 403),
        (back(&foreign), 403),
        ("code=c".to_owned(), 400),
        (format!("{}&state={state}", back(&state)), 400),
    ] {
        let response = world.callback(&query).await;
        assert_eq!((response.status, response.header("location")), (status, None), "{query}");
    }
    let jar = world.cookies.take();
    assert_eq!(world.callback(&back(&state)).await.status, 403, "another browser");
    *world.cookies.borrow_mut() = jar;
    world.platform.clock.advance(600);
    assert_eq!(world.callback(&back(&state)).await.status, 400);
    assert_eq!(world.platform.agents.hops.get(), hops);
    assert!(world.platform.upstream.seen.borrow().is_empty());
}

impl World {
    /// Another deployment's sign-in, with keys of its own randomness.
    async fn approve_elsewhere(self) -> Vec<(String, String)> {
        let mut noise = [0; 7];
        crate::ports::Random::fill(self.platform.random.as_ref(), &mut noise);
        let client = self.public_client().await;
        self.approve(&client).await
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_state_counts_once() {
    let world = World::new();
    let client = world.public_client().await;
    let sent = world.approve(&client).await;
    let jar = world.cookies.borrow().clone();
    let query = encode(&[("code", "c".into()), ("state", param(&sent, "state").unwrap())]);
    assert_eq!(world.callback(&query).await.status, 302);
    let calls = world.platform.upstream.seen.borrow().len();
    *world.cookies.borrow_mut() = jar;
    assert_eq!(world.callback(&query).await.status, 400);
    assert_eq!(world.platform.upstream.seen.borrow().len(), calls);
}

#[tokio::test(flavor = "current_thread")]
async fn what_entra_says_wrongly_of_the_user_ends_the_sign_in() {
    for (claim, value, code) in [
        ("nonce", json!("another"), "server_error"),
        ("aud", json!("22222222-2222-4333-8444-555555555555"), "server_error"),
        ("iss", json!("https://login.microsoftonline.com/common/v2.0"), "server_error"),
        ("exp", json!(1), "server_error"),
        ("nbf", json!(99_999_999_999_u64), "server_error"),
        ("oid", json!("adele"), "server_error"),
        ("tid", json!("9188040d-6c67-4c5b-b112-36a304b66dad"), "access_denied"),
    ] {
        let world = World::new();
        let client = world.public_client().await;
        let sent = world.approve(&client).await;
        world.claims.borrow_mut()[claim] = value.clone();
        if claim == "tid" {
            let issuer = format!("https://login.microsoftonline.com/{}/v2.0", value.as_str().unwrap());
            world.claims.borrow_mut()["iss"] = json!(issuer);
        }
        let query = encode(&[("code", "c".into()), ("state", param(&sent, "state").unwrap())]);
        let back = query_of(&world.callback(&query).await);
        assert_eq!(param(&back, "error").as_deref(), Some(code), "{claim}");
        assert_eq!(param(&back, "code"), None);
        assert_eq!(param(&back, "iss").as_deref(), Some(ORIGIN));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn entras_refusal_reaches_the_client_without_a_token_call() {
    for (error, number, code, word) in [
        ("access_denied", 1, "access_denied", "Microsoft did not"),
        ("access_denied", 65004, "access_denied", "The user declined"),
        ("access_denied", 90094, "access_denied", "/admin-consent"),
        ("consent_required", 1, "access_denied", "/admin-consent"),
        ("interaction_required", 65001, "access_denied", "/admin-consent"),
        ("login_required", 50076, "access_denied", "second factor"),
        ("temporarily_unavailable", 1, "temporarily_unavailable", "try again later"),
        ("invalid_client", 7_000_222, "temporarily_unavailable", "its operator"),
        ("unauthorized_client", 65001, "temporarily_unavailable", "its operator"),
    ] {
        let world = World::new();
        let client = world.public_client().await;
        let sent = world.approve(&client).await;
        let told = format!("AADSTS{number}: adele@contoso.example <script>");
        let query = [("error", error.into()), ("error_description", told), ("state", param(&sent, "state").unwrap())];
        let back = query_of(&world.callback(&encode(&query)).await);
        assert_eq!(param(&back, "error").as_deref(), Some(code), "{error}");
        let description = param(&back, "error_description").unwrap();
        assert!(description.contains(word) && !description.contains("adele"), "{error}: {description}");
        let log = world.platform.log.text();
        assert!(!log.contains("adele") && log.contains("server_refused") == word.contains("operator"), "{log}");
        assert!(world.platform.upstream.seen.borrow().is_empty());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_browser_keeps_at_most_four_open_requests() {
    let world = World::new();
    let client = world.public_client().await;
    for _ in 0..6 {
        world.authorize(&World::asking(&client)).await;
    }
    assert_eq!(world.cookies.borrow().len(), 4);
    let pages = world.authorize(&World::asking(&client)).await;
    let body = format!("transaction={}&decision=approve", transaction_of(&pages));
    assert_eq!(world.decide(&world.submit(&body)).await.status, 302);
}
