//! Rules C1 and C2: clients whose id is the address of their document, through the whole app.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};

use super::site::{Browser, Site, asking, error_of, get, is_local, json_of, redeeming, refreshing, with};
use crate::ports::{OutboundResponse, UpstreamError};
use crate::support::{EcSigner, json_response};

const ADDRESS: &str = "https://app.contoso.example/client.json";

/// Where Entra is; everybody else is a stranger.
const ENTRA: &str = "https://login.microsoftonline.com/";

type Answer = Result<OutboundResponse, UpstreamError>;

/// A site, and an app that publishes `answer` at [`ADDRESS`] and nothing elsewhere.
struct Published {
    site: Site,
    answer: Rc<RefCell<Answer>>,
}

impl Published {
    fn new(answer: Answer) -> Self {
        let site = Site::new();
        let answer = Rc::new(RefCell::new(answer));
        let told = Rc::clone(&answer);
        let others = site.platform.upstream.responder.borrow_mut().take().unwrap();
        *site.platform.upstream.responder.borrow_mut() = Some(Box::new(move |request| {
            let of_entra = request.url.starts_with(ENTRA);
            if of_entra { others(request) } else { Some(told.borrow().clone()) }
        }));
        Self { site, answer }
    }

    fn publish(&self, document: &Value) {
        *self.answer.borrow_mut() = Ok(json_response(200, document));
    }

    /// Addresses that were fetched of strangers.
    fn fetched(&self) -> Vec<String> {
        let seen = self.site.platform.upstream.seen.borrow();
        seen.iter().map(|request| request.url.clone()).filter(|url| !url.starts_with(ENTRA)).collect()
    }

    /// Whether the sign-in is refused on a page of ours and nothing of it kept; `why`, then.
    async fn refused(&self, client: &str) -> bool {
        let page = Browser::new(&self.site).authorize(&asking(client)).await;
        let kept = self.site.platform.kv.entries.borrow().keys().any(|key| key.starts_with("cimd:"));
        is_local(&page, 400) && !kept
    }
}

fn document() -> Value {
    json!({
        "client_id": ADDRESS, "client_name": "Contoso Inbox", "redirect_uris": ["http://127.0.0.1:1/cb?own=1"],
        "token_endpoint_auth_method": "none",
    })
}

/// The document with one member changed; null takes it away.
fn changed(member: &str, value: Value) -> Value {
    let mut changed = document();
    match value {
        Value::Null => drop(changed.as_object_mut().unwrap().remove(member)),
        value => changed[member] = value,
    }
    changed
}

#[tokio::test(flavor = "current_thread")]
async fn c1_a_document_that_breaks_a_rule_makes_no_client() {
    let published = Published::new(Err(UpstreamError::Unreachable));
    let key = EcSigner::new("k", 0).jwk();
    let mut private = key.clone();
    private["d"] = json!("AAAA");
    let symmetric = json!({"kty": "oct", "k": "AAAA", "kid": "s"});
    for (member, value) in [
        ("client_id", Value::Null),
        ("client_id", json!("https://app.contoso.example/other.json")),
        ("client_id", json!("https://app.contoso.example/client.json/")),
        ("client_id", json!("https://APP.contoso.example/client.json")),
        ("client_name", Value::Null),
        ("client_name", json!("\u{202e}\u{200b} ")),
        ("redirect_uris", Value::Null),
        ("redirect_uris", json!([])),
        ("redirect_uris", json!(["http://127.0.0.1:1/cb?own=1", "javascript:alert(1)"])),
        ("redirect_uris", json!(["http://127.0.0.1:1/cb?own=1", "http://evil.example/cb"])),
        ("redirect_uris", json!(["http://127.0.0.1:1/cb?own=1", "https://app.contoso.example/cb#f"])),
        ("client_secret", json!("published")),
        ("client_secret", json!("")),
        ("client_secret_expires_at", json!(0)),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("token_endpoint_auth_method", json!("client_secret_post")),
        ("token_endpoint_auth_method", json!("client_secret_jwt")),
        ("token_endpoint_auth_methods_supported", json!(["none", "client_secret_post"])),
        ("token_endpoint_auth_method", json!("private_key_jwt")),
        ("jwks", json!({"keys": [private]})),
        ("jwks", json!({"keys": [key, symmetric]})),
        ("jwks_uri", json!("https://keys.evil.example/keys.json")),
        ("jwks_uri", json!("http://app.contoso.example/keys.json")),
        ("jwks_uri", json!("https://169.254.169.254/keys.json")),
        ("grant_types", json!(["client_credentials"])),
        ("response_types", json!(["token"])),
    ] {
        published.publish(&changed(member, value.clone()));
        assert!(published.refused(ADDRESS).await, "{member}: {value}");
    }
    assert!(published.fetched().iter().all(|url| url == ADDRESS), "keys are fetched when they are needed");
    published.publish(&document());
    let page = Browser::new(&published.site).authorize(&asking(ADDRESS)).await;
    assert_eq!(page.status, 200);
    assert!(page.body_text().contains("<strong>app.contoso.example</strong>"), "the host that vouches is named");
}

#[tokio::test(flavor = "current_thread")]
async fn c1_what_a_document_says_next_moves_no_code_and_takes_no_other_redirect() {
    let published = Published::new(Ok(json_response(200, &document())));
    let site = &published.site;
    let code = Browser::new(site).sign_in(ADDRESS).await;
    let evil = "https://evil.example/cb";
    site.platform.kv.entries.borrow_mut().clear();
    published.publish(&changed("redirect_uris", json!([evil])));
    let moved = site.token(&with(redeeming(ADDRESS, &code), "redirect_uri", evil)).await;
    assert_eq!(error_of(&moved), (400, "invalid_grant".into()));
    assert!(is_local(&Browser::new(site).authorize(&asking(ADDRESS)).await, 400), "what is no longer listed");
    assert_eq!(site.token(&redeeming(ADDRESS, &code)).await.status, 200);
}

#[tokio::test(flavor = "current_thread")]
async fn c2_only_a_public_https_address_is_fetched() {
    let published = Published::new(Ok(json_response(200, &document())));
    let mut hostile: Vec<_> = [
        "http://app.contoso.example/client.json",
        "HTTPS://app.contoso.example/client.json",
        "ftp://app.contoso.example/client.json",
        "file:///etc/passwd",
        "https://app.contoso.example",
        "https://app.contoso.example/",
        "https://app.contoso.example:8443/client.json",
        "https://user:pw@app.contoso.example/client.json",
        "https://app.contoso.example/client.json#f",
        "https://app.contoso.example/client.json?x=1",
        "https://app.contoso.example/a/../client.json",
        "https://app.contoso.example/a/%2e%2E/client.json",
        "https://app.contoso.example\\@evil.example/client.json",
        "https://app.contoso.example/cli ent.json",
        "https://app.contoso.example/\tclient.json",
    ]
    .map(str::to_owned)
    .into();
    let inside = [
        "localhost",
        "localhost.",
        "app.localhost",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "[::1]",
        "[::]",
        "[fd00::1]",
        "[fe80::1]",
        "[::ffff:127.0.0.1]",
        "metadata.google.internal",
        "printer.local",
        "intranet",
        "nas.lan",
        "router.home.arpa",
    ];
    hostile.extend(inside.map(|host| format!("https://{host}/client.json")));
    for address in hostile {
        assert!(published.refused(&address).await, "{address}");
        let at_token = published.site.token(&redeeming(&address, "m365c.x.y")).await;
        assert_eq!(error_of(&at_token), (401, "invalid_client".into()), "{address}");
    }
    assert_eq!(published.fetched(), Vec::<String>::new());
}

#[tokio::test(flavor = "current_thread")]
async fn c2_no_redirect_is_followed_and_no_failure_kept() {
    let published = Published::new(Err(UpstreamError::Unreachable));
    let with_header = |name: &str, value: &str, status| {
        let mut answer = json_response(status, &document());
        answer.headers.retain(|(known, _)| known != name);
        answer.headers.push((name.to_owned(), value.to_owned()));
        Ok(answer)
    };
    let mut latin = json_response(200, &document());
    latin.body.splice(1..1, *b"\"x\":\"\xe9\",");
    let mut large = json_response(200, &document());
    large.body.resize(5 * 1024 + 1, b' ');
    let inside = "https://169.254.169.254/latest/meta-data";
    let mut count = 0;
    for (what, answer) in [
        ("redirect inside", with_header("location", inside, 302)),
        ("redirect to itself", with_header("location", ADDRESS, 307)),
        ("moved", with_header("location", "https://other.contoso.example/client.json", 301)),
        ("created", Ok(json_response(201, &document()))),
        ("partial", Ok(json_response(206, &document()))),
        ("gone", Ok(json_response(410, &document()))),
        ("html", with_header("content-type", "text/html", 200)),
        ("untyped", with_header("content-type", "", 200)),
        ("not UTF-8", Ok(latin)),
        ("too large", Ok(large)),
        ("a list", Ok(json_response(200, &json!([document()])))),
        ("slow", Err(UpstreamError::Timeout)),
        ("away", Err(UpstreamError::Unreachable)),
    ] {
        *published.answer.borrow_mut() = answer;
        assert!(published.refused(ADDRESS).await, "{what}");
        count += 1;
    }
    assert_eq!(published.fetched(), vec![ADDRESS.to_owned(); count], "once each, and nothing else");
    let seen = published.site.platform.upstream.seen.borrow();
    for request in seen.iter().filter(|request| request.url == ADDRESS) {
        assert_eq!((request.method.as_str(), request.max_answer), ("GET", Some(5 * 1024)));
        assert!(request.headers.iter().all(|(name, _)| name == "accept") && request.body.is_none());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn c2_at_the_token_endpoint_a_failed_fetch_says_nothing_of_what_is_there() {
    let published = Published::new(Ok(json_response(200, &document())));
    let site = &published.site;
    let tokens = site.tokens(ADDRESS).await;
    let mut answers = Vec::new();
    for failure in [Err(UpstreamError::Timeout), Err(UpstreamError::Unreachable), Ok(json_response(403, &json!({})))] {
        site.platform.clock.advance(3600);
        *published.answer.borrow_mut() = failure;
        let refused = site.token(&refreshing(ADDRESS, &tokens["refresh_token"])).await;
        assert_eq!(error_of(&refused), (401, "invalid_client".into()));
        answers.push(refused.body_text().into_owned());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "one answer, whatever happened: {answers:?}");
    published.publish(&document());
    assert_eq!(site.token(&refreshing(ADDRESS, &tokens["refresh_token"])).await.status, 200, "nothing was lost by it");
}

#[tokio::test(flavor = "current_thread")]
async fn c2_without_the_platforms_public_way_documents_are_off_and_the_metadata_says_so() {
    let published = Published::new(Ok(json_response(200, &document())));
    let site = &published.site;
    let supported = async || {
        let metadata = json_of(&site.send(&get("/.well-known/oauth-authorization-server")).await);
        metadata["client_id_metadata_document_supported"].clone()
    };
    let code = Browser::new(site).sign_in(ADDRESS).await;
    assert_eq!(supported().await, true);
    site.platform.upstream.reaches_origins.set(true);
    assert_eq!(supported().await, false);
    assert!(is_local(&Browser::new(site).authorize(&asking(ADDRESS)).await, 400));
    assert_eq!(site.token(&redeeming(ADDRESS, &code)).await.status, 401, "not even a copy counts");
    assert_eq!(published.fetched().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn c2_a_copy_lives_as_long_as_its_publisher_says_and_never_beyond_a_week() {
    for (cache_control, seconds, fetches) in [
        ("no-store", 0, 2),
        ("private, max-age=600", 0, 2),
        ("max-age=600", 599, 1),
        ("max-age=600", 600, 2),
        ("max-age=99999999", 7 * 24 * 3600 - 1, 1),
        ("max-age=99999999", 7 * 24 * 3600, 2),
    ] {
        let mut answer = json_response(200, &document());
        answer.headers.push(("cache-control".into(), cache_control.into()));
        let published = Published::new(Ok(answer));
        for wait in [0, seconds] {
            published.site.platform.clock.advance(wait);
            assert_eq!(Browser::new(&published.site).authorize(&asking(ADDRESS)).await.status, 200);
        }
        assert_eq!(published.fetched().len(), fetches, "{cache_control} after {seconds} s");
    }
}
