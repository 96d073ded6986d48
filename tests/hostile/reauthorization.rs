//! Rule U1: a client that signs in anew ends its earlier grants, and nothing else does. How the user's object keeps the
//! order of sign-ins is in `tests/flows/reauthorization.rs`.

use serde_json::{Value, json};

use super::site::{Browser, Site, asking, error_of, json_of, param, query_of, redeeming, refreshing, transaction_of};

/// What of a grant still leads anywhere: its access token, its refresh token.
async fn stands(site: &Site, client: &str, tokens: &Value) -> (bool, bool) {
    let live = site.is_live(&tokens["access_token"]).await;
    (live, site.token(&refreshing(client, &tokens["refresh_token"])).await.status == 200)
}

#[tokio::test(flavor = "current_thread")]
async fn u1_a_new_sign_in_ends_the_earlier_grants_of_this_user_and_client_whole() {
    let site = Site::new();
    let client = site.public_client().await;
    let first = site.tokens(&client).await;
    let second = site.tokens(&client).await;
    assert_eq!(stands(&site, &client, &first).await, (false, false));
    let refused = site.token(&refreshing(&client, &first["refresh_token"])).await;
    assert_eq!(error_of(&refused), (400, "invalid_grant".to_owned()));
    let third = site.tokens(&client).await;
    assert_eq!(stands(&site, &client, &second).await, (false, false));
    assert_eq!(stands(&site, &client, &third).await, (true, true));
    let listed = site.platform.kv.entries.borrow().keys().filter(|key| key.starts_with("grant:")).count();
    assert_eq!(listed, 1, "what ended is not listed either");
}

#[tokio::test(flavor = "current_thread")]
async fn u1_nobody_elses_grant_and_no_other_clients_ends() {
    let site = Site::new();
    let (client, other) = (site.public_client().await, site.public_client().await);
    let of_another_client = site.tokens(&other).await;
    let adele = site.tokens(&client).await;
    for (claim, value) in
        [("oid", "0a1b2c3d-0000-4000-8000-00000000a1e8"), ("oid", "0a1b2c3d-0000-4000-8000-00000000ffff")]
    {
        site.claims.borrow_mut()[claim] = value.into();
        site.tokens(&client).await;
    }
    assert_eq!(stands(&site, &client, &adele).await, (true, true), "names do not make a person: both are called Adele");
    assert_eq!(stands(&site, &other, &of_another_client).await, (true, true));
}

#[tokio::test(flavor = "current_thread")]
async fn u1_a_sign_in_that_is_denied_fails_or_is_never_finished_ends_nothing() {
    let site = Site::new();
    let client = site.public_client().await;
    let standing = site.tokens(&client).await;
    let browser = Browser::new(&site);

    let page = browser.authorize(&asking(&client)).await;
    let denied = browser.decide(&transaction_of(&page), "deny").await;
    assert_eq!(param(&query_of(&denied), "error").as_deref(), Some("access_denied"));

    let sent = browser.approve(&client).await;
    let state = param(&sent, "state").unwrap();
    let cancelled = browser.callback(&vec![("error", "access_denied".into()), ("state", state)]).await;
    assert_eq!(param(&query_of(&cancelled), "error").as_deref(), Some("access_denied"));

    let sent = browser.approve(&client).await;
    site.claims.borrow_mut()["nonce"] = json!("another");
    assert_eq!(param(&query_of(&browser.come_back(&sent).await), "error").as_deref(), Some("server_error"));

    let sent = browser.approve(&client).await;
    site.platform.upstream.push_json(503, &json!({"error": "temporarily_unavailable"}));
    assert!(param(&query_of(&browser.come_back(&sent).await), "error").is_some());

    let code = browser.sign_in(&client).await;
    let wrong = super::site::with(redeeming(&client, &code), "code_verifier", &"x".repeat(43));
    assert_eq!(site.token(&wrong).await.status, 400);
    site.platform.clock.advance(61);
    assert_eq!(site.token(&redeeming(&client, &code)).await.status, 400, "a code that nobody fetched in time");

    assert_eq!(stands(&site, &client, &standing).await, (true, true));
}

#[tokio::test(flavor = "current_thread")]
async fn u1_a_refresh_or_a_replayed_code_of_the_earlier_grant_does_not_end_the_new_one() {
    let site = Site::new();
    let client = site.public_client().await;
    let code = Browser::new(&site).sign_in(&client).await;
    let old = json_of(&site.token(&redeeming(&client, &code)).await);
    let new = site.tokens(&client).await;
    assert_eq!(site.token(&redeeming(&client, &code)).await.status, 400);
    assert_eq!(site.token(&refreshing(&client, &old["refresh_token"])).await.status, 400);
    assert_eq!(site.revoke(&client, old["refresh_token"].as_str().unwrap()).await.status, 200);
    assert_eq!(stands(&site, &client, &new).await, (true, true));
}
