//! Rules E1–E5: the way over Entra, seen from the client and from the wire.

use serde_json::{Value, json};

use super::site::{Browser, OID, Site, encode, json_of, param, query_of, redeeming};
use crate::ports::OutboundRequest;
use crate::support::{START, Signer, TENANT, json_response};

/// The error that the client hears when Entra's `id_token` has this claim; `None` where it hears a code.
async fn outcome(claim: &str, value: &Value) -> Option<String> {
    let site = Site::new();
    let client = site.public_client().await;
    let browser = Browser::new(&site);
    let sent = browser.approve(&client).await;
    site.claims.borrow_mut()[claim] = value.clone();
    if let ("tid", Some(tid)) = (claim, value.as_str()) {
        site.claims.borrow_mut()["iss"] = json!(format!("https://login.microsoftonline.com/{tid}/v2.0"));
    }
    let back = query_of(&browser.come_back(&sent).await);
    assert_eq!(param(&back, "code").is_some(), param(&back, "error").is_none());
    if param(&back, "error").is_some() {
        let dump = site.dump();
        assert!(dump.lines().all(|line| line.starts_with("client:") || line.starts_with("jwks:")), "{claim}: {dump}");
    }
    param(&back, "error")
}

#[tokio::test(flavor = "current_thread")]
async fn e1_entra_is_asked_with_pkce_state_and_nonce_and_answers_by_query() {
    let site = Site::new();
    let client = site.public_client().await;
    let sent = Browser::new(&site).approve(&client).await;
    for (name, value) in [
        ("response_type", "code"),
        ("response_mode", "query"),
        ("code_challenge_method", "S256"),
        ("prompt", "select_account"),
        ("redirect_uri", "http://localhost:8787/callback"),
    ] {
        assert_eq!(param(&sent, name).as_deref(), Some(value), "{name}");
    }
    let second = Browser::new(&site).approve(&client).await;
    for name in ["state", "nonce", "code_challenge"] {
        assert!(param(&sent, name).is_some_and(|value| value.len() >= 43), "{name}");
        assert_ne!(param(&sent, name), param(&second, name), "{name} is new each time");
    }
    let scopes = param(&sent, "scope").unwrap();
    assert!(["openid", "profile", "offline_access"].iter().all(|scope| scopes.split(' ').any(|name| name == *scope)));
}

#[tokio::test(flavor = "current_thread")]
async fn e2_every_claim_of_the_id_token_must_be_right() {
    for (claim, value) in [
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("aud", json!("22222222-2222-4333-8444-555555555555")),
        ("aud", json!(["11111111-2222-4333-8444-555555555555", "evil"])),
        ("iss", json!("https://login.microsoftonline.com/common/v2.0")),
        ("iss", json!("https://login.microsoftonline.com/{tenantid}/v2.0")),
        ("iss", json!(format!("https://evil.example/{TENANT}/v2.0"))),
        ("exp", json!(START - 300)),
        ("nbf", json!(START + 301)),
        ("oid", Value::Null),
        ("oid", json!("adele@contoso.example")),
        ("tid", json!("common")),
    ] {
        assert_eq!(outcome(claim, &value).await.as_deref(), Some("server_error"), "{claim} {value}");
    }
    for (claim, value) in [("exp", json!(START - 299)), ("nbf", json!(START + 300)), ("nbf", Value::Null)] {
        assert_eq!(outcome(claim, &value).await, None, "{claim} {value}: clocks differ by five minutes at most");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn e2_an_id_token_that_entra_did_not_sign_signs_nobody_in() {
    for forge in [
        |claims: &Value| Signer::new("entra-1", 1).sign(claims),
        |claims: &Value| Signer::new("entra-2", 0).sign(claims),
        |claims: &Value| Signer::new("entra-1", 0).sign_with(&json!({"alg": "none"}), claims),
        |claims: &Value| Signer::new("entra-1", 0).sign_with(&json!({"alg": "HS256", "kid": "entra-1"}), claims),
        |_: &Value| "x.y.z".to_owned(),
    ] {
        let site = Site::new();
        let client = site.public_client().await;
        let browser = Browser::new(&site);
        let sent = browser.approve(&client).await;
        let answer = json!({
            "token_type": "Bearer", "access_token": "a", "refresh_token": "r", "expires_in": 3600,
            "scope": "Mail.Read", "id_token": forge(&site.claims.borrow()),
        });
        site.platform.upstream.push_json(200, &answer);
        let back = query_of(&browser.come_back(&sent).await);
        assert_eq!(param(&back, "error").as_deref(), Some("server_error"));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn e2_a_key_counts_for_the_issuer_that_it_names_alone() {
    for (issuer, error) in [
        ("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", Some("server_error")),
        ("https://login.microsoftonline.com/{tenantid}/v2.0", None),
    ] {
        let site = Site::new();
        let client = site.public_client().await;
        let browser = Browser::new(&site);
        let sent = browser.approve(&client).await;
        let others = site.platform.upstream.responder.take().unwrap();
        let answer = move |request: &OutboundRequest| {
            if !request.url.ends_with("/keys") {
                return others(request);
            }
            let mut key = Signer::new("entra-1", 0).jwk();
            key["issuer"] = json!(issuer);
            Some(Ok(json_response(200, &json!({ "keys": [key] }))))
        };
        *site.platform.upstream.responder.borrow_mut() = Some(Box::new(answer));
        let back = query_of(&browser.come_back(&sent).await);
        assert_eq!(param(&back, "error").as_deref(), error, "{issuer}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn e3_only_people_of_allowed_tenants_get_in() {
    for tid in ["9188040d-6c67-4c5b-b112-36a304b66dad", "99999999-0000-4000-8000-00000000c0de"] {
        assert_eq!(outcome("tid", &json!(tid)).await.as_deref(), Some("access_denied"), "{tid}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn e3_a_person_is_tenant_and_object_id_and_never_a_name() {
    let user_of = async |oid: &str, name: &str| {
        let site = Site::new();
        let client = site.public_client().await;
        site.claims.borrow_mut()["oid"] = json!(oid);
        site.claims.borrow_mut()["preferred_username"] = json!(name);
        let tokens = site.tokens(&client).await;
        tokens["access_token"].as_str().unwrap().split('.').nth(1).unwrap().to_owned()
    };
    let adele = user_of(OID, "adele@contoso.example").await;
    assert_eq!(adele, user_of(OID, "admin@contoso.example").await);
    assert_ne!(adele, user_of("0a1b2c3d-0000-4000-8000-00000000e7e0", "adele@contoso.example").await);
}

#[tokio::test(flavor = "current_thread")]
async fn e4_hosts_come_from_the_configuration_and_never_from_an_answer() {
    let site = Site::new();
    let client = site.public_client().await;
    let browser = Browser::new(&site);
    let sent = browser.approve(&client).await;
    let redirect = json_response(302, &json!({}));
    let mut moved = redirect.clone();
    moved.headers.push(("location".into(), "https://evil.example/token".into()));
    site.platform.upstream.queue.borrow_mut().push_back(Ok(moved));
    let state = param(&sent, "state").unwrap();
    let target = encode(&vec![
        ("code", "c".into()),
        ("state", state),
        ("iss", "https://evil.example".into()),
        ("tenant", "99999999-0000-4000-8000-00000000c0de".into()),
        ("cloud_instance_host_name", "login.evil.example".into()),
    ]);
    let back = query_of(&browser.send(super::site::get(&format!("/callback?{target}"))).await);
    assert!(param(&back, "error").is_some(), "a redirect is no answer");
    for request in site.platform.upstream.seen.borrow().iter() {
        assert!(request.url.starts_with(&format!("https://login.microsoftonline.com/{TENANT}/")), "{}", request.url);
        assert!(request.headers.iter().all(|(name, _)| name != "origin"), "{:?}", request.headers);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn e5_an_answer_without_a_scope_grants_nothing_that_was_not_said() {
    let site = Site::new();
    let client = site.public_client().await;
    let code = Browser::new(&site).sign_in(&client).await;
    let tokens = json_of(&site.token(&redeeming(&client, &code)).await);
    let granted = tokens["scope"].as_str().unwrap();
    assert!(!granted.contains("Mail.Send") && granted.contains("Mail.ReadWrite"), "Entra left out sending: {granted}");
}
