//! Rules S1–S5: what is kept, and what may be read from it.

use super::site::{Browser, Site, json_of, param, query_of, redeeming, refreshing};
use crate::crypto::Secret;

#[tokio::test(flavor = "current_thread")]
async fn s1_s3_no_store_and_no_log_holds_a_secret_in_clear_at_any_step() {
    let site = Site::guarded();
    let (client, secret) = site.confidential_client("client_secret_post").await;
    let browser = Browser::new(&site);
    let sent = browser.approve(&client).await;
    let state = param(&sent, "state").unwrap();
    let code = param(&query_of(&browser.come_back(&sent).await), "code").unwrap();
    let with_secret = |mut params: super::site::Params| {
        params.push(("client_secret", secret.clone()));
        params
    };
    let before = site.dump();
    let first = json_of(&site.token(&with_secret(redeeming(&client, &code))).await);
    let second = json_of(&site.token(&with_secret(refreshing(&client, &first["refresh_token"]))).await);
    assert!(second["access_token"].is_string(), "{second}");
    let everything = format!("{before}{}{}", site.dump(), site.platform.log.text());
    let mut secrets = vec![secret.clone(), state, code, super::site::VERIFIER.to_owned()];
    secrets.extend(["microsoft-access", "microsoft-refresh", "entra-client-secret", "entra-code"].map(str::to_owned));
    for tokens in [first, second] {
        secrets.extend(["access_token", "refresh_token"].map(|name| tokens[name].as_str().unwrap().to_owned()));
    }
    secrets.push(super::site::assertion("adele"));
    for secret in secrets {
        let part = secret.rsplit('.').next().unwrap();
        assert!(!everything.contains(part), "{secret}");
        assert!(!format!("{:?}", Secret::new(secret.as_str())).contains(part), "Debug redacts");
    }
    assert!(!site.platform.log.text().contains("client state"));
}

#[tokio::test(flavor = "current_thread")]
async fn s3_s5_revocation_erases_every_key_digest_and_copy() {
    let site = Site::new();
    let client = site.public_client().await;
    let tokens = site.tokens(&client).await;
    assert!(site.dump().contains("Blob"), "sealed tokens are kept while the grant lives");
    let refresh = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(site.revoke(&client, refresh).await.status, 200);
    let digest = Secret::new(refresh).digest().to_string();
    let objects: String = site.platform.agents.storages().iter().map(|sql| sql.dump()).collect();
    for gone in ["Blob", "wrapped", "adele", "Inbox Helper", digest.as_str()] {
        assert!(!objects.contains(gone), "{gone} in {objects}");
    }
    assert!(site.platform.kv.entries.borrow().keys().all(|key| key.starts_with("client:") || key.starts_with("jwks:")));
}

#[tokio::test(flavor = "current_thread")]
async fn s4_a_stranger_chooses_no_key_of_kv_and_none_is_long() {
    let site = Site::new();
    let client = site.public_client().await;
    site.tokens(&client).await;
    let reads = site.platform.kv.reads.get();
    for id in ["../grant:x", "client:x", &"a".repeat(600), "jwks:x", "aaaaaaaaaaaaaaaaaaaaa%"] {
        Browser::new(&site).authorize(&super::site::with(super::site::asking(&client), "client_id", id)).await;
    }
    assert_eq!(site.platform.kv.reads.get(), reads, "what is no id of ours is not even looked up");
    assert!(site.platform.kv.entries.borrow().keys().all(|key| key.len() <= 512));
}

#[tokio::test(flavor = "current_thread")]
async fn s5_an_unauthenticated_request_wakes_and_stores_nothing() {
    let site = Site::new();
    let client = site.public_client().await;
    let before = (site.dump(), site.platform.agents.hops.get());
    Browser::new(&site).authorize(&super::site::asking(&client)).await;
    Browser::new(&site).callback(&vec![("code", "c".into()), ("state", "m365s.x.y".into())]).await;
    site.token(&redeeming(&client, "m365c.x.y")).await;
    site.token(&refreshing(&client, &serde_json::json!("m365r.x.y.z"))).await;
    site.revoke(&client, "m365r.x.y.z").await;
    site.mcp("Bearer m365a.x.y.z", "{}").await;
    assert_eq!((site.dump(), site.platform.agents.hops.get()), before);
}
