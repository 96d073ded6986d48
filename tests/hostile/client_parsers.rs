//! Properties of what clients say of themselves: registrations, documents, assertions. (`Basic` is private to
//! `oauth::client_auth` and tested there; `tests/fuzz` looks for what these strategies do not think of.)

use proptest::prelude::*;
use serde_json::{Value, json};

use super::site::{Site, json_of, redeeming, with};
use crate::oauth::client::{AuthMethod, Client};
use crate::oauth::{client_document, redirect_uri};
use crate::support::{EcSigner, START};
use crate::web::Response;

const ADDRESS: &str = "https://app.contoso.example/client.json";
const CLIENT: &str = "pre-AAAAAAAAAAAAAAAAAAAAAA";
const TOKEN: &str = "http://localhost:8787/token";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

/// Any JSON, not deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

/// A member with a value that fits it, or any other.
fn member() -> impl Strategy<Value = (String, Value)> {
    let fitting = prop::sample::select(vec![
        ("client_id", json!(ADDRESS)),
        ("client_id", json!("https://evil.example/client.json")),
        ("client_name", json!("Contoso \u{202e}Inbox")),
        ("redirect_uris", json!(["https://app.contoso.example/cb"])),
        ("redirect_uris", json!(["http://127.0.0.1/cb", "http://evil.example/cb"])),
        ("token_endpoint_auth_method", json!("none")),
        ("token_endpoint_auth_method", json!("private_key_jwt")),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("token_endpoint_auth_methods_supported", json!(["none", "private_key_jwt"])),
        ("jwks", json!({"keys": [EcSigner::new("k", 0).jwk()]})),
        ("jwks_uri", json!("https://app.contoso.example/keys.json")),
        ("jwks_uri", json!("https://evil.example/keys.json")),
        ("grant_types", json!(["authorization_code", "refresh_token"])),
        ("response_types", json!(["code"])),
        ("application_type", json!("web")),
        ("client_secret", json!("published")),
    ]);
    let name = fitting.clone().prop_map(|(name, _)| name.to_owned());
    prop_oneof![8 => fitting.prop_map(|(name, value)| (name.to_owned(), value)), 1 => (name, any_json())]
}

/// Metadata that could be a client's, with some of it changed.
fn metadata() -> impl Strategy<Value = Value> {
    prop::collection::vec(member(), 0..4).prop_map(|changes| {
        let mut metadata = json!({
            "client_id": ADDRESS, "client_name": "Contoso Inbox",
            "redirect_uris": ["https://app.contoso.example/cb"], "token_endpoint_auth_method": "none",
        });
        for (name, value) in changes {
            metadata[name] = value;
        }
        metadata
    })
}

fn assert_redirects(uris: &[String]) {
    assert!(!uris.is_empty() && uris.iter().all(|uri| redirect_uri::is_acceptable(uri, &[])), "{uris:?}");
}

/// A site that knows one client, by its key.
fn with_signer(signer: &EcSigner) -> Site {
    let site = Site::new();
    let client = json!({
        "client_id": CLIENT, "client_name": "Portal", "redirect_uris": ["http://127.0.0.1:1/cb?own=1"],
        "auth_method": "private_key_jwt", "keys": {"jwks": {"keys": [signer.jwk()]}}, "issued_at": START,
    });
    site.platform.kv.entries.borrow_mut().insert(format!("client:{CLIENT}"), client.to_string().into_bytes());
    site
}

/// Whether this assertion proves the client: with a code that is none, what is proven meets `invalid_grant`.
fn proves(site: &Site, assertion: &str) -> bool {
    let form = with(redeeming(CLIENT, "m365c.x.y"), "client_assertion_type", ASSERTION_TYPE);
    let response: Response = run(site.token(&with(form, "client_assertion", assertion)));
    match (response.status, json_of(&response)["error"].as_str()) {
        (400, Some("invalid_grant")) => true,
        (401, Some("invalid_client")) | (400, Some("invalid_request")) => false,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_registered_can_be_honoured_and_what_is_refused_leaves_nothing(metadata in metadata()) {
        let site = Site::new();
        let response = run(site.register(&metadata));
        let answer = json_of(&response);
        let kept: Vec<Vec<u8>> = site.platform.kv.entries.borrow().values().cloned().collect();
        match response.status {
            201 => {
                let client: Client = serde_json::from_slice(&kept[0]).unwrap();
                assert_redirects(&client.redirect_uris);
                prop_assert_eq!(json!(client.redirect_uris), metadata["redirect_uris"].clone());
                prop_assert_eq!(answer["client_secret"].is_string(), client.auth_method != AuthMethod::None);
                prop_assert!(client.client_id != ADDRESS && answer["client_id"] == client.client_id.as_str());
                prop_assert_eq!((client.keys, kept.len()), (None, 1));
            }
            400 => prop_assert!(kept.is_empty() && answer["error"].is_string(), "{}", metadata),
            other => prop_assert!(false, "{} for {}", other, metadata),
        }
    }

    #[test]
    fn bytes_that_are_no_metadata_register_nobody(body in prop::collection::vec(any::<u8>(), 0..200), text in any_json()) {
        let site = Site::new();
        for body in [body, text.to_string().into_bytes()] {
            prop_assert_eq!(run(site.send(&site.registration(&body))).status, 400);
        }
        prop_assert!(site.platform.kv.entries.borrow().is_empty());
    }

    #[test]
    fn a_document_makes_its_own_client_without_a_secret_or_none(metadata in metadata()) {
        let Ok(client) = client_document::parse(ADDRESS, metadata.to_string().as_bytes(), &[], START) else {
            return Ok(());
        };
        prop_assert_eq!((client.client_id.as_str(), client.secret), (ADDRESS, None));
        prop_assert!(metadata.get("client_secret").is_none());
        assert_redirects(&client.redirect_uris);
        let ways = [Some(client.auth_method), client.other_method];
        prop_assert!(!ways.contains(&Some(AuthMethod::Basic)) && !ways.contains(&Some(AuthMethod::Post)));
        prop_assert_eq!(ways.contains(&Some(AuthMethod::PrivateKeyJwt)), client.keys.is_some());
        let name = client.client_name.unwrap_or_default();
        let is_shown = !name.is_empty() && !name.contains('\u{202e}');
        prop_assert!(is_shown);
    }

    #[test]
    fn no_mutant_of_an_assertion_proves_anything(at: prop::sample::Index, to: char, cut: prop::sample::Index) {
        let signer = EcSigner::new("k", 0);
        let site = with_signer(&signer);
        let claims = json!({"iss": CLIENT, "sub": CLIENT, "aud": TOKEN, "jti": "1", "exp": START + 60});
        let assertion = signer.sign(&claims);
        prop_assert!(proves(&site, &assertion));
        let mut mutant: Vec<char> = assertion.chars().collect();
        mutant[at.index(assertion.len())] = to;
        let mutant: String = mutant.into_iter().collect();
        prop_assert_eq!(proves(&site, &mutant), mutant == assertion);
        prop_assert!(!proves(&site, &assertion[..cut.index(assertion.len())]));
        prop_assert!(!proves(&site, &EcSigner::new("k", 1).sign(&claims)), "another's key of the same name");
    }

    #[test]
    fn an_assertion_is_of_now_for_five_minutes_and_for_us_alone(
        exp in -60_i64..500,
        iat in prop::option::of(-500_i64..100),
        nbf in prop::option::of(-500_i64..100),
        aud in prop::sample::select(vec![
            (json!(TOKEN), true), (json!("http://localhost:8787"), true), (json!([TOKEN]), true),
            (json!([TOKEN, "https://other.example"]), false), (json!("https://other.example/token"), false),
            (json!("http://localhost:8787/"), false), (json!([]), false), (json!("http://localhost:8787/mcp"), false),
        ]),
    ) {
        let signer = EcSigner::new("k", 0);
        let site = with_signer(&signer);
        let at = |offset: i64| START.checked_add_signed(offset).unwrap();
        let mut claims = json!({"iss": CLIENT, "sub": CLIENT, "aud": aud.0, "jti": "1", "exp": at(exp)});
        if let Some(iat) = iat {
            claims["iat"] = json!(at(iat));
        }
        if let Some(nbf) = nbf {
            claims["nbf"] = json!(at(nbf));
        }
        let is_now = (1..=330).contains(&exp)
            && iat.is_none_or(|iat| (-330..=30).contains(&iat))
            && nbf.is_none_or(|nbf| nbf <= 30);
        prop_assert_eq!(proves(&site, &signer.sign(&claims)), is_now && aud.1, "{}", claims);
    }
}
