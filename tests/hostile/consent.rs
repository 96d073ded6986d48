//! Rules B1–B7: consent, browser binding, callback.

use serde_json::json;

use super::site::{
    Browser, FORM, Site, access_claims, asking, get, is_local, json_of, param, post, query_of, transaction_of, with,
    with_header,
};
use crate::support::Signer;
use crate::web::{Request, Response};

fn hops(site: &Site) -> usize {
    site.platform.agents.hops.get()
}

#[tokio::test(flavor = "current_thread")]
async fn b1_every_authorization_asks_the_person_again() {
    let site = Site::new();
    let client = site.public_client().await;
    let browser = Browser::new(&site);
    browser.sign_in(&client).await;
    for prompt in ["", "none", "login", "consent"] {
        let before = hops(&site);
        let page = browser.authorize(&with(asking(&client), "prompt", prompt)).await;
        assert!(is_local(&page, 200), "prompt={prompt}");
        assert_eq!(hops(&site), before, "nothing is opened before the approval");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn b1_the_page_names_client_redirect_host_and_permissions_and_warns_of_this_device() {
    let site = Site::new();
    let page = async |redirect: &str| {
        let metadata = json!({"client_name": "Inbox Helper", "redirect_uris": [redirect],
            "token_endpoint_auth_method": "none"});
        let client = json_of(&site.register(&metadata).await)["client_id"].as_str().unwrap().to_owned();
        let params = with(with(asking(&client), "redirect_uri", redirect), "scope", "Mail.Send");
        let html = Browser::new(&site).authorize(&params).await.body_text().into_owned();
        assert!(html.contains("Inbox Helper") && html.contains(&client) && html.contains("Send mail as you"));
        assert!(!html.contains("Read your calendars"), "only what was asked for");
        assert!(
            !html.contains("by the operator") && !html.contains("operator of this server"),
            "nobody vouches for it"
        );
        html
    };
    let far = page("https://deep.client.example:8443/cb").await;
    assert!(far.contains("deep.client.example:8443") && !far.contains("class=\"warning\""));
    let near = page("http://127.0.0.1:4711/cb").await;
    assert!(near.contains("127.0.0.1:4711") && near.contains("class=\"warning\""));
}

#[tokio::test(flavor = "current_thread")]
async fn b2_a_decision_needs_its_field_its_cookie_and_our_own_page() {
    let site = Site::new();
    let client = site.public_client().await;
    let browser = Browser::new(&site);
    let transaction = transaction_of(&browser.authorize(&asking(&client)).await);
    let good = || Browser::form(&transaction, "approve");
    let without = |name: &str| {
        let mut request = good();
        request.headers.retain(|(known, _)| *known != name);
        request
    };
    let other = transaction_of(&Browser::new(&site).authorize(&asking(&client)).await);
    for (request, status) in [
        (with_header(good(), "sec-fetch-site", "cross-site"), 403),
        (with_header(good(), "sec-fetch-site", "same-site"), 403),
        (with_header(good(), "sec-fetch-site", "none"), 403),
        (with_header(good(), "origin", "https://evil.example"), 403),
        (with_header(without("sec-fetch-site"), "origin", "null"), 403),
        (with_header(good(), "content-type", "text/plain"), 400),
        (Request { body: b"decision=approve".to_vec(), ..good() }, 403),
        (Request { body: format!("transaction={transaction}&transaction={transaction}").into_bytes(), ..good() }, 400),
        (Browser::form(&other, "approve"), 403),
        (Browser::form("../consent", "approve"), 403),
    ] {
        let response = browser.send(request.clone()).await;
        assert!(is_local(&response, status), "{request:?} {response:?}");
    }
    assert!(is_local(&Browser::new(&site).decide(&transaction, "approve").await, 403), "no cookie");
    assert_eq!(hops(&site), 0);
    assert_eq!(browser.send(good()).await.status, 302);
}

#[tokio::test(flavor = "current_thread")]
async fn b2_the_form_carries_an_opaque_id_and_nothing_of_the_request() {
    let site = Site::new();
    let client = site.public_client().await;
    let browser = Browser::new(&site);
    let page = browser.authorize(&asking(&client)).await;
    let html = page.body_text().into_owned();
    assert_eq!(html.matches("<input").count(), 1, "one field beside the two buttons");
    assert!(!html.contains("client state") && !html.contains("code_challenge"));
    assert_eq!(transaction_of(&page).len(), 22, "128 random bits");
    // What else the form brings changes nothing.
    let extra = "&client_id=evil&redirect_uri=https%3A%2F%2Fevil.example&scope=Everything.All";
    let body = format!("transaction={}&decision=deny{extra}", transaction_of(&page));
    let denied = browser.send(Request { body: body.into_bytes(), ..Browser::form("", "") }).await;
    assert!(denied.header("location").unwrap().starts_with("http://127.0.0.1:4711/cb?own=1&error=access_denied"));
}

#[tokio::test(flavor = "current_thread")]
async fn b3_cookies_are_host_bound_hidden_short_and_one_for_each_flow() {
    let site = Site::new();
    let client = site.public_client().await;
    let browser = Browser::new(&site);
    let pages = [browser.authorize(&asking(&client)).await, browser.authorize(&asking(&client)).await];
    let transactions = pages.each_ref().map(transaction_of);
    let first = browser.decide(&transactions[0], "approve").await;
    let second = browser.decide(&transactions[1], "approve").await;
    for response in pages.iter().chain([&first, &second]) {
        let cookies: Vec<_> = response.headers.iter().filter(|(name, _)| *name == "set-cookie").collect();
        assert!(!cookies.is_empty());
        for (_, cookie) in cookies {
            let (name, rest) = cookie.split_once('=').unwrap();
            assert!(name.starts_with("__Host-m365-"), "{cookie}");
            let attributes: Vec<_> = rest.split("; ").skip(1).collect();
            for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
                assert!(attributes.contains(&attribute), "{attribute} in {cookie}");
            }
            let age: u64 = attributes.iter().find_map(|text| text.strip_prefix("Max-Age=")).unwrap().parse().unwrap();
            assert!(age <= 600 && !cookie.contains("Domain"), "{cookie}");
        }
    }
    // Both flows go on, each with its own cookie, in the other order.
    for response in [second, first] {
        let sent = query_of(&response);
        site.claims.borrow_mut()["nonce"] = json!(param(&sent, "nonce"));
        assert!(param(&query_of(&browser.come_back(&sent).await), "code").is_some());
    }
    assert!(browser.jar.borrow().is_empty(), "every cookie is cleared");
}

#[tokio::test(flavor = "current_thread")]
async fn b3_an_altered_cookie_is_no_cookie() {
    let site = Site::new();
    let client = site.public_client().await;
    let browser = Browser::new(&site);
    let transaction = transaction_of(&browser.authorize(&asking(&client)).await);
    let whole = browser.jar.borrow().clone();
    let length = whole[0].1.len();
    for index in (0..length).step_by(length / 16) {
        let mut altered = whole.clone();
        let swapped = if altered[0].1.as_bytes()[index] == b'A' { "B" } else { "A" };
        altered[0].1.replace_range(index..=index, swapped);
        *browser.jar.borrow_mut() = altered;
        assert!(is_local(&browser.decide(&transaction, "approve").await, 403), "byte {index}");
    }
    *browser.jar.borrow_mut() = whole;
    let sent = query_of(&browser.decide(&transaction, "approve").await);
    let jar = browser.jar.borrow().clone();
    browser.jar.borrow_mut()[0].1.replace_range(3..4, "_");
    let wrong = *browser.jar.borrow() != jar;
    assert!(wrong && is_local(&browser.come_back(&sent).await, 403));
    assert_eq!(site.entra_calls(), 0);
}

#[tokio::test(flavor = "current_thread")]
async fn b4_the_binding_cookie_comes_with_the_redirect_to_entra_and_never_before() {
    let site = Site::new();
    let client = site.public_client().await;
    let browser = Browser::new(&site);
    let page = browser.authorize(&asking(&client)).await;
    let binding = || browser.jar.borrow().iter().filter(|(name, _)| name.contains("sign-in")).count();
    assert_eq!(binding(), 0);
    browser.decide(&transaction_of(&page), "deny").await;
    assert_eq!(binding(), 0, "a denial binds nothing");
    let sent = browser.approve(&client).await;
    assert_eq!(binding(), 1);
    let state = param(&sent, "state").unwrap();
    assert!(state.len() > 22 && !site.dump().contains(&state), "random, and stored as a digest");
    assert!(browser.jar.borrow().iter().all(|(_, value)| !value.contains(&state)));
}

#[tokio::test(flavor = "current_thread")]
async fn b5_a_callback_counts_once_in_its_own_browser_within_ten_minutes() {
    let site = Site::new();
    let client = site.public_client().await;
    let (mine, other) = (Browser::new(&site), Browser::new(&site));
    let sent = mine.approve(&client).await;
    let theirs = other.approve(&client).await;
    let state = param(&sent, "state").unwrap();
    let opened = hops(&site);
    assert!(is_local(&Browser::new(&site).come_back(&sent).await, 403), "no cookie at all");
    assert!(is_local(&other.come_back(&sent).await, 403), "a browser in the middle of its own sign-in");
    assert!(is_local(&mine.come_back(&theirs).await, 403), "a state that was handed to this browser");
    assert!(is_local(&mine.callback(&vec![("code", "c".into())]).await, 400), "no state");
    assert!(is_local(&mine.callback(&vec![("code", "c".into()), ("state", format!("{state}A"))]).await, 403));
    assert!(is_local(&mine.callback(&vec![("state", state.clone()), ("state", state.clone())]).await, 400));
    assert_eq!((hops(&site), site.entra_calls()), (opened, 0));
    let jar = mine.jar.borrow().clone();
    assert_eq!(mine.come_back(&sent).await.status, 302);
    *mine.jar.borrow_mut() = jar;
    assert!(is_local(&mine.come_back(&sent).await, 400), "again");
    assert_eq!(site.entra_calls(), 1);
    site.platform.clock.advance(600);
    assert!(is_local(&other.come_back(&theirs).await, 400), "after ten minutes");
    assert_eq!(site.entra_calls(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn b5_a_sign_in_that_ends_while_entra_answers_brings_no_code() {
    let site = Site::new();
    let client = site.public_client().await;
    let browser = Browser::new(&site);
    let sent = browser.approve(&client).await;
    let (clock, entra) = (site.platform.clock.clone(), site.platform.upstream.responder.take().unwrap());
    let slow = move |request: &_| {
        clock.advance(600);
        entra(request)
    };
    *site.platform.upstream.responder.borrow_mut() = Some(Box::new(slow));
    let back = query_of(&browser.come_back(&sent).await);
    assert_eq!((param(&back, "error").as_deref(), param(&back, "code")), (Some("server_error"), None));
}

#[tokio::test(flavor = "current_thread")]
async fn b5_a_denial_is_told_to_the_client_and_opens_nothing() {
    let site = Site::new();
    let client = site.public_client().await;
    for decision in ["deny", "", "APPROVE", "approve "] {
        let browser = Browser::new(&site);
        let page = browser.authorize(&asking(&client)).await;
        let back = query_of(&browser.decide(&transaction_of(&page), decision).await);
        assert_eq!(param(&back, "error").as_deref(), Some("access_denied"), "{decision:?}");
        assert_eq!(param(&back, "state").as_deref(), Some("client state"));
    }
    assert_eq!(hops(&site), 0);
}

fn assert_page_headers(response: &Response, what: &str) {
    let policy = response.header("content-security-policy").unwrap_or_else(|| panic!("{what}: no policy"));
    for directive in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "style-src 'nonce-"] {
        assert!(policy.contains(directive), "{what}: {policy}");
    }
    assert!(!policy.contains("form-action") && !policy.contains("unsafe"), "{what}: {policy}");
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(response.header(name), Some(value), "{what}");
    }
    let html = response.body_text();
    for loader in ["<img", "<link", "<iframe", "src=", "onclick", "onload", "javascript:"] {
        assert!(!html.contains(loader), "{what}: {loader}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn b6_every_page_has_its_headers_also_the_pages_that_refuse() {
    let site = Site::new();
    let client = site.public_client().await;
    let browser = Browser::new(&site);
    let consent = browser.authorize(&asking(&client)).await;
    let pages = [
        ("consent", consent, 200),
        ("unknown client", browser.authorize(&with(asking(&client), "client_id", "x")).await, 400),
        ("cross-site", browser.send(with_header(post("/authorize", b""), "content-type", FORM)).await, 403),
        ("callback", browser.send(get("/callback")).await, 400),
        ("forged state", browser.send(get("/callback?state=m365s.x.y")).await, 403),
    ];
    for (what, page, status) in pages {
        assert!(is_local(&page, status), "{what}");
        assert_page_headers(&page, what);
        let policy = page.header("content-security-policy").unwrap();
        assert!(!policy.contains("script-src") && !page.body_text().contains("<script"), "{what}: {policy}");
    }
    let landing = site.send(&get("/")).await;
    assert_page_headers(&landing, "landing");
    site.platform.agents.fail.set(true);
    let page = browser.authorize(&asking(&client)).await;
    let unavailable = browser.decide(&transaction_of(&page), "approve").await;
    assert!(is_local(&unavailable, 503));
    assert_page_headers(&unavailable, "unavailable");
}

#[tokio::test(flavor = "current_thread")]
async fn b6_two_pages_never_share_a_nonce() {
    let site = Site::new();
    let policy = |page: Response| page.header("content-security-policy").unwrap().to_owned();
    let pages = [site.send(&get("/callback")).await, site.send(&get("/callback")).await].map(policy);
    assert_ne!(pages[0], pages[1]);
}

#[tokio::test(flavor = "current_thread")]
async fn b7_text_of_strangers_is_shown_as_text_on_one_short_line() {
    let site = Site::guarded();
    let name = format!("</bdi><img src=x onerror=alert(1)>\"'&\u{202e}\u{7}\u{200b}{}", "é".repeat(500));
    let metadata = json!({
        "client_name": name, "redirect_uris": ["https://client.example/cb"], "token_endpoint_auth_method": "none",
        "logo_uri": "https://evil.example/logo.png", "client_uri": "https://evil.example/",
    });
    let client = json_of(&site.register(&metadata).await)["client_id"].as_str().unwrap().to_owned();
    let mut claims = access_claims("adele");
    claims["email"] = json!("<b>adele</b>\u{202e}@contoso.example");
    let asked = with(asking(&client), "redirect_uri", "https://client.example/cb");
    let request = get(&format!("/authorize?{}", super::site::encode(&asked)));
    let assertion = Signer::new("access-1", 1).sign(&claims);
    let page = site.send(&with_header(request, "cf-access-jwt-assertion", &assertion)).await;
    assert_eq!(page.status, 200);
    let html = page.body_text();
    for hidden in ["<img", "\"'&", "\u{202e}", "\u{7}", "\u{200b}", "<b>adele", "evil.example"] {
        assert!(!html.contains(hidden), "{hidden:?} in {html}");
    }
    assert!(html.matches('é').count() < 100, "cut to a hundred characters");
    let hostile = json!({"redirect_uris": ["https://client.example/cb"], "policy_uri": "javascript:alert(1)"});
    assert_eq!(json_of(&site.register(&hostile).await)["error"], "invalid_client_metadata");
}
