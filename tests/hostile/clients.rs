//! Rules D1 and D2: dynamic registration. (D3 is tested where limits are: see the table in TECHNICAL.md.)

use serde_json::json;

use super::site::{Site, error_of, json_of, with_header};

#[tokio::test(flavor = "current_thread")]
async fn d1_a_registration_is_a_small_json_object_that_this_server_can_honour() {
    let site = Site::new();
    let uri = "https://client.example/cb";
    for (body, code) in [
        ("", "invalid_client_metadata"),
        ("[]", "invalid_client_metadata"),
        ("null", "invalid_client_metadata"),
        ("{\"redirect_uris\":\"https://client.example/cb\"}", "invalid_client_metadata"),
        ("{\"redirect_uris\":[1]}", "invalid_client_metadata"),
        ("{}", "invalid_redirect_uri"),
    ] {
        let response = site.send(&site.registration(body.as_bytes())).await;
        assert_eq!(error_of(&response), (400, code.to_owned()), "{body}");
    }
    for metadata in [
        json!({"redirect_uris": [uri], "grant_types": ["password"]}),
        json!({"redirect_uris": [uri], "grant_types": ["refresh_token"]}),
        json!({"redirect_uris": [uri], "grant_types": ["authorization_code", "implicit"]}),
        json!({"redirect_uris": [uri], "response_types": ["code", "token"]}),
        json!({"redirect_uris": [uri], "token_endpoint_auth_method": "tls_client_auth"}),
        json!({"redirect_uris": [uri], "client_uri": "data:text/html,x"}),
        json!({"redirect_uris": [uri], "tos_uri": "file:///etc/passwd"}),
    ] {
        let response = site.register(&metadata).await;
        assert_eq!(error_of(&response), (400, "invalid_client_metadata".to_owned()), "{metadata}");
    }
    for many in [json!([]), json!(vec![uri; 11]), json!([uri, "http://evil.example/cb"])] {
        let response = site.register(&json!({"redirect_uris": many})).await;
        assert_eq!(error_of(&response), (400, "invalid_redirect_uri".to_owned()), "{many}");
    }
    assert!(site.platform.kv.entries.borrow().is_empty(), "nothing of it was kept");
    let large = json!({"redirect_uris": [uri], "padding": "x".repeat(17_000)});
    assert_eq!(site.register(&large).await.status, 413);
    let good = json!({"redirect_uris": [uri], "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"]});
    let typed = with_header(site.registration(good.to_string().as_bytes()), "content-type", "text/plain");
    assert_eq!(site.send(&typed).await.status, 400, "what any page may send without asking");
    assert_eq!(site.register(&good).await.status, 201);
}

#[tokio::test(flavor = "current_thread")]
async fn d1_a_public_client_has_no_secret_and_no_client_a_management_url() {
    let site = Site::new();
    let uris = json!(["https://client.example/cb"]);
    let public = site.register(&json!({"redirect_uris": uris, "token_endpoint_auth_method": "none"})).await;
    assert_eq!((public.status, json_of(&public).get("client_secret")), (201, None));
    let confidential = json_of(&site.register(&json!({"redirect_uris": uris})).await);
    let days = (confidential["client_secret_expires_at"].as_u64().unwrap()
        - confidential["client_id_issued_at"].as_u64().unwrap())
        / 86_400;
    assert_eq!(days, 90);
    for name in ["registration_client_uri", "registration_access_token"] {
        assert!(confidential.get(name).is_none(), "{name}");
    }
    assert!(!site.dump().contains(confidential["client_secret"].as_str().unwrap()));
}

#[tokio::test(flavor = "current_thread")]
async fn d2_only_https_and_loopback_may_be_registered() {
    let site = Site::new();
    let schemes = ["javascript", "JavaScript", "data", "vbscript", "file", "mailto", "blob", "about", "intent"];
    let mut hostile: Vec<_> = schemes.iter().map(|scheme| format!("{scheme}:alert(1)")).collect();
    hostile.extend(schemes.iter().map(|scheme| format!("{scheme}://client.example/cb")));
    for control in ['\u{0}', '\u{1f}', '\u{7f}', '\u{85}', '\u{9f}', '\t', '\n', '\r', ' ', '\u{202e}', '\\'] {
        hostile.extend([
            format!("{control}https://client.example/cb"),
            format!("https://client.example/{control}cb"),
            format!("https://client{control}.example/cb"),
            format!("https://client.example/cb{control}"),
            format!("java{control}script:alert(1)"),
        ]);
    }
    hostile.extend(
        [
            "view-source:https://client.example/",
            "http://client.example/cb",
            "http://localhost.evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://0x7f.1@evil.example/",
            "https://client.example/cb#f",
            "https://user:pw@client.example/cb",
            "https://*.client.example/cb",
            "https:client.example",
            "https:/user@evil.example://client.example/cb",
            "//client.example/cb",
            "/cb",
            "",
        ]
        .map(str::to_owned),
    );
    for uri in hostile {
        let response = site.register(&json!({"redirect_uris": [uri]})).await;
        assert_eq!(error_of(&response), (400, "invalid_redirect_uri".to_owned()), "{uri:?}");
    }
    for uri in ["https://client.example/cb", "http://localhost/cb", "http://127.0.0.1:1/cb", "http://[::1]:1/cb"] {
        assert_eq!(site.register(&json!({"redirect_uris": [uri]})).await.status, 201, "{uri}");
    }
}
