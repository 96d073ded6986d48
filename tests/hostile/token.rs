//! Rules T1–T9, R1 and R2: the token and revocation endpoints.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::site::{
    Browser, FORM, Params, Site, encode, error_of, get, json_of, post, redeeming, refreshing, with, with_header,
};
use crate::web::{Method, Request, Response};

fn refused(code: &str) -> (u16, String) {
    (400, code.to_owned())
}

async fn refresh(site: &Site, client: &str, token: &Value) -> Response {
    site.token(&refreshing(client, token)).await
}

#[tokio::test(flavor = "current_thread")]
async fn t1_the_token_endpoint_takes_a_small_form_by_post_and_nothing_else() {
    let site = Site::new();
    let client = site.public_client().await;
    let good = redeeming(&client, "m365c.x.y");
    for method in [Method::Get, Method::Head, Method::Delete, Method::Other] {
        let request = Request { method, query: Some(encode(&good)), ..get("/token") };
        let response = site.send(&request).await;
        assert_eq!((response.status, response.header("allow")), (405, Some("POST")), "{method:?}");
    }
    for media_type in ["application/json", "text/plain;x=application/x-www-form-urlencoded", "multipart/form-data", ""]
    {
        let response = site.send(&with_header(site.token_request(&good), "content-type", media_type)).await;
        assert_eq!(error_of(&response), refused("invalid_request"), "{media_type}");
    }
    let parameter = with_header(site.token_request(&good), "content-type", &format!("{FORM}; charset=UTF-8"));
    assert_eq!(error_of(&site.send(&parameter).await), refused("invalid_grant"));
    let large = with(good.clone(), "padding", &"x".repeat(17_000));
    assert_eq!(site.token(&large).await.status, 413);
    let in_query = Request { query: Some(encode(&good)), ..with_header(post("/token", b""), "content-type", FORM) };
    assert_eq!(error_of(&site.send(&in_query).await), refused("invalid_request"), "the query is not the form");
}

#[tokio::test(flavor = "current_thread")]
async fn t2_no_answer_about_tokens_or_clients_may_be_stored() {
    let site = Site::new();
    let client = site.public_client().await;
    let code = Browser::new(&site).sign_in(&client).await;
    let mut answers = vec![
        site.token(&redeeming(&client, &code)).await,
        site.token(&redeeming(&client, &code)).await,
        site.token(&with(redeeming(&client, "x"), "client_id", "")).await,
        site.token(&with(redeeming(&client, "x"), "grant_type", "password")).await,
        site.register(&json!({"redirect_uris": ["https://client.example/cb"]})).await,
        site.register(&json!({})).await,
        site.revoke(&client, "unknown").await,
        site.revoke(&client, "").await,
    ];
    site.platform.kv.fail.set(true);
    answers.push(site.token(&redeeming(&client, &code)).await);
    for answer in answers {
        let (cache, pragma) = (answer.header("cache-control"), answer.header("pragma"));
        assert_eq!((cache, pragma), (Some("no-store"), Some("no-cache")), "{answer:?}");
    }
}

/// The client's two kinds of proof, for a code that was issued to it.
struct Proof<'a> {
    site: &'a Site,
    params: Params,
}

impl Proof<'_> {
    async fn basic(&self, id: &str, secret: &str, extra: &[(&'static str, &str)]) -> Response {
        let params = extra.iter().fold(self.params.clone(), |params, (name, value)| with(params, name, value));
        let value = format!("bAsIc {}", STANDARD.encode(format!("{id}:{secret}")));
        self.site.send(&with_header(self.site.token_request(&params), "authorization", &value)).await
    }

    async fn form(&self, id: &str, secret: &str) -> Response {
        self.site.token(&with(with(self.params.clone(), "client_id", id), "client_secret", secret)).await
    }
}

#[tokio::test(flavor = "current_thread")]
async fn t3_a_client_proves_itself_by_its_own_method_and_a_failure_spends_nothing() {
    let site = Site::new();
    let (basic, secret) = site.confidential_client("client_secret_basic").await;
    let (posting, other_secret) = site.confidential_client("client_secret_post").await;
    let code = Browser::new(&site).sign_in(&basic).await;
    let proof = Proof { site: &site, params: with(redeeming("", &code), "client_id", "") };
    for (response, status, challenged) in [
        (proof.basic(&basic, "guess", &[]).await, 401, true),
        (proof.basic(&basic, "", &[]).await, 401, true),
        (proof.basic(&posting, &other_secret, &[]).await, 401, true),
        (proof.basic("AAAAAAAAAAAAAAAAAAAAAA", &secret, &[]).await, 401, true),
        (proof.form(&basic, &secret).await, 401, false),
        (proof.form(&basic, "").await, 401, false),
        (proof.basic(&basic, &secret, &[("client_secret", &secret)]).await, 400, false),
        (proof.basic(&basic, &secret, &[("client_id", &posting)]).await, 400, false),
    ] {
        assert_eq!(response.status, status, "{}", response.body_text());
        let challenge = response.header("www-authenticate");
        assert_eq!(challenge.is_some_and(|value| value.starts_with("Basic realm=")), challenged);
        let code = if status == 401 { "invalid_client" } else { "invalid_request" };
        assert_eq!(error_of(&response).1, code);
    }
    let encoded = percent_encoding::percent_encode(basic.as_bytes(), percent_encoding::NON_ALPHANUMERIC).to_string();
    let encoded = encoded.replacen(&basic[..1], &format!("%{:02X}", basic.as_bytes()[0]), 1);
    let good = proof.basic(&encoded, &secret, &[]).await;
    assert_eq!(good.status, 200, "both halves are form-encoded: {}", good.body_text());
}

#[tokio::test(flavor = "current_thread")]
async fn t4_a_code_is_random_stored_as_a_digest_and_good_for_a_minute() {
    for (wait, status) in [(59, 200), (60, 400)] {
        let site = Site::new();
        let client = site.public_client().await;
        let code = Browser::new(&site).sign_in(&client).await;
        assert!(!site.dump().contains(&code));
        assert!(code.len() > 64 && !site.platform.log.text().contains(&code));
        site.platform.clock.advance(wait);
        assert_eq!(site.token(&redeeming(&client, &code)).await.status, status, "after {wait} s");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn t4_t5_a_code_is_bound_to_its_request_and_a_failed_check_does_not_spend_it() {
    let site = Site::new();
    let client = site.public_client().await;
    let other = site.public_client().await;
    let code = Browser::new(&site).sign_in(&client).await;
    let good = || redeeming(&client, &code);
    for (name, value, error) in [
        ("client_id", other.as_str(), "invalid_grant"),
        ("redirect_uri", "http://127.0.0.1:1/cb?own=1", "invalid_grant"),
        ("redirect_uri", "https://evil.example/cb", "invalid_grant"),
        ("code_verifier", "", "invalid_request"),
        ("code_verifier", &"v".repeat(42), "invalid_request"),
        ("code_verifier", &"v".repeat(129), "invalid_request"),
        ("code_verifier", &format!("{}!", "v".repeat(43)), "invalid_request"),
        ("code_verifier", &"v".repeat(43), "invalid_grant"),
        ("resource", "http://localhost:8787/sse", "invalid_target"),
        ("resource", "https://evil.example", "invalid_target"),
        ("code", &format!("{code}A"), "invalid_grant"),
    ] {
        assert_eq!(error_of(&site.token(&with(good(), name, value)).await), refused(error), "{name}={value}");
    }
    assert_eq!(site.token(&good()).await.status, 200);
}

#[tokio::test(flavor = "current_thread")]
async fn t6_a_used_code_ends_the_grant_at_once_but_only_by_its_own_client_and_whole() {
    let site = Site::new();
    let client = site.public_client().await;
    let other = site.public_client().await;
    let code = Browser::new(&site).sign_in(&client).await;
    let tokens = json_of(&site.token(&redeeming(&client, &code)).await);
    for harmless in [with(redeeming(&client, &code), "client_id", &other), redeeming(&client, &format!("{code}A"))] {
        assert_eq!(error_of(&site.token(&harmless).await), refused("invalid_grant"));
        assert!(site.is_live(&tokens["access_token"]).await);
    }
    assert_eq!(error_of(&site.token(&redeeming(&client, &code)).await), refused("invalid_grant"));
    assert!(!site.is_live(&tokens["access_token"]).await);
    assert_eq!(error_of(&refresh(&site, &client, &tokens["refresh_token"]).await), refused("invalid_grant"));
}

#[tokio::test(flavor = "current_thread")]
async fn t7_refresh_rotates_grants_one_retry_and_reuse_ends_the_family() {
    let site = Site::new();
    let client = site.public_client().await;
    let first = site.tokens(&client).await;
    let second = json_of(&refresh(&site, &client, &first["refresh_token"]).await);
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let again = json_of(&refresh(&site, &client, &first["refresh_token"]).await);
    assert_eq!(second["refresh_token"], again["refresh_token"], "a lost answer comes again");
    let third = json_of(&refresh(&site, &client, &second["refresh_token"]).await);
    assert!(site.is_live(&third["access_token"]).await);
    assert_eq!(error_of(&refresh(&site, &client, &first["refresh_token"]).await), refused("invalid_grant"));
    for token in [&first, &second, &third] {
        assert!(!site.is_live(&token["access_token"]).await);
        assert_eq!(error_of(&refresh(&site, &client, &token["refresh_token"]).await), refused("invalid_grant"));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn t8_nothing_outlives_the_grant_and_scope_and_resource_never_grow() {
    let site = Site::new();
    let client = site.public_client().await;
    let mut tokens = site.tokens(&client).await;
    let asked = |tokens: &Value, name, value: &str| with(refreshing(&client, &tokens["refresh_token"]), name, value);
    let wide = site.token(&asked(&tokens, "scope", "Mail.Read Mail.Send")).await;
    assert_eq!(error_of(&wide), refused("invalid_scope"));
    for resource in ["https://evil.example", "http://localhost:8787/sse"] {
        assert_eq!(error_of(&site.token(&asked(&tokens, "resource", resource)).await), refused("invalid_target"));
    }
    let narrow = json_of(&site.token(&asked(&tokens, "scope", "Mail.Read")).await);
    assert_eq!(narrow["scope"], "Mail.Read", "and no refusal had rotated anything: {narrow}");
    site.platform.clock.advance(30 * 24 * 3600 - 100);
    tokens = json_of(&refresh(&site, &client, &narrow["refresh_token"]).await);
    assert_eq!(tokens["expires_in"], 100);
    site.platform.clock.advance(100);
    assert_eq!(error_of(&refresh(&site, &client, &tokens["refresh_token"]).await), refused("invalid_grant"));
}

#[tokio::test(flavor = "current_thread")]
async fn t9_the_answer_is_whole_and_unknown_grant_types_are_named_so() {
    let site = Site::new();
    let client = site.public_client().await;
    let tokens = site.tokens(&client).await;
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert_eq!(tokens["resource"], "http://localhost:8787/mcp");
    assert!(tokens["scope"].as_str().is_some_and(|scope| scope.contains("Mail.Read")));
    let extensions = ["device_code", "token-exchange", "jwt-bearer"];
    let extensions = extensions.map(|name| format!("urn:ietf:params:oauth:grant-type:{name}"));
    for grant_type in
        ["password", "client_credentials", "implicit"].into_iter().chain(extensions.iter().map(String::as_str))
    {
        let response = site.token(&with(redeeming(&client, "x"), "grant_type", grant_type)).await;
        assert_eq!(error_of(&response), refused("unsupported_grant_type"), "{grant_type}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn t_a6_a_form_parameter_that_comes_twice_is_refused_at_token_and_revoke() {
    let site = Site::new();
    let client = site.public_client().await;
    let tokens = site.tokens(&client).await;
    for name in ["grant_type", "client_id", "refresh_token", "unknown"] {
        let mut form = with(refreshing(&client, &tokens["refresh_token"]), "unknown", "1");
        let (_, value) = form.iter().find(|(key, _)| *key == name).unwrap().clone();
        form.push((name, value));
        assert_eq!(error_of(&site.token(&form).await), refused("invalid_request"), "{name}");
    }
    let form = encode(&vec![("client_id", client.clone()), ("token", "a".into()), ("token", "b".into())]);
    let response = site.send(&with_header(post("/revoke", form.as_bytes()), "content-type", FORM)).await;
    assert_eq!(error_of(&response), refused("invalid_request"));
    assert!(site.is_live(&tokens["access_token"]).await);
}

/// `offline_access` out of habit, a proof of possession that nobody asked for: published clients send both.
#[tokio::test(flavor = "current_thread")]
async fn t9_what_clients_send_beside_changes_nothing() {
    let site = Site::new();
    let client = site.public_client().await;
    let browser = Browser::new(&site);
    let page = browser.authorize(&with(super::site::asking(&client), "scope", "Mail.Read offline_access openid")).await;
    assert_eq!(page.status, 200, "{page:?}");
    let tokens = site.tokens(&client).await;
    let asked = with(refreshing(&client, &tokens["refresh_token"]), "scope", "Mail.Read offline_access");
    let answer = json_of(&site.send(&with_header(site.token_request(&asked), "dpop", "e30.e30.x")).await);
    assert_eq!((&answer["token_type"], &answer["scope"]), (&json!("Bearer"), &json!("Mail.Read")), "{answer}");
    let proof = format!("DPoP {}", answer["access_token"].as_str().unwrap());
    let call = site.mcp(&proof, r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await;
    let challenge = call.header("www-authenticate").unwrap();
    assert!(call.status == 401 && challenge.starts_with("Bearer ") && !challenge.contains("error="), "{challenge}");
}

#[tokio::test(flavor = "current_thread")]
async fn r1_revocation_ends_what_it_names_for_its_own_client_and_says_nothing_else() {
    let site = Site::new();
    let client = site.public_client().await;
    let other = site.public_client().await;
    let tokens = site.tokens(&client).await;
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    for (by, token) in [(&other, text("refresh_token")), (&other, text("access_token")), (&client, "unknown".into())] {
        let response = site.revoke(by, &token).await;
        assert_eq!((response.status, response.body_text().as_ref()), (200, ""));
        assert!(site.is_live(&tokens["access_token"]).await);
    }
    assert_eq!(error_of(&site.revoke(&client, "").await), refused("invalid_request"));
    assert_eq!(error_of(&site.revoke("", &text("refresh_token")).await), (401, "invalid_client".to_owned()));
    assert_eq!(site.revoke(&client, &text("access_token")).await.status, 200);
    assert!(!site.is_live(&tokens["access_token"]).await);
    let next = json_of(&refresh(&site, &client, &tokens["refresh_token"]).await);
    let wrong_hint = encode(&vec![
        ("client_id", client.clone()),
        ("token", next["refresh_token"].as_str().unwrap().to_owned()),
        ("token_type_hint", "access_token".into()),
    ]);
    let response = site.send(&with_header(post("/revoke", wrong_hint.as_bytes()), "content-type", FORM)).await;
    assert_eq!(response.status, 200);
    assert!(!site.is_live(&next["access_token"]).await, "the whole grant");
    assert!(!site.dump().contains("Blob"), "Microsoft's sealed tokens are erased");
    assert!(!site.platform.kv.entries.borrow().keys().any(|key| key.starts_with("grant:")));
}

#[tokio::test(flavor = "current_thread")]
async fn r1_an_access_token_ends_alone_and_its_revocation_proves_that_it_arrived() {
    let site = Site::new();
    let client = site.public_client().await;
    let first = site.tokens(&client).await;
    let second = json_of(&refresh(&site, &client, &first["refresh_token"]).await);
    site.revoke(&client, first["access_token"].as_str().unwrap()).await;
    assert!(!site.is_live(&first["access_token"]).await);
    let retry = refresh(&site, &client, &first["refresh_token"]).await;
    assert_eq!(json_of(&retry)["access_token"], second["access_token"], "the other stays, and nothing has arrived");
    site.revoke(&client, second["access_token"].as_str().unwrap()).await;
    assert_eq!(error_of(&refresh(&site, &client, &first["refresh_token"]).await), refused("invalid_grant"));
    let next = error_of(&refresh(&site, &client, &second["refresh_token"]).await);
    assert_eq!(next, refused("invalid_grant"), "a replaced token after its successor's use ends the family");
}

#[tokio::test(flavor = "current_thread")]
async fn r2_there_is_no_introspection() {
    let site = Site::new();
    for path in ["/introspect", "/introspection", "/token/introspect", "/userinfo"] {
        assert_eq!(site.send(&with_header(post(path, b"token=x"), "content-type", FORM)).await.status, 404, "{path}");
    }
    let metadata = json_of(&site.send(&get("/.well-known/oauth-authorization-server")).await);
    assert!(metadata.get("introspection_endpoint").is_none() && metadata["revocation_endpoint"].is_string());
}
