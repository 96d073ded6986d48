//! Rules O1 and O2: `/operator/…`, and the clients that are registered there.

use serde_json::{Value, json};

use super::site::{
    Browser, FORM, Params, REDIRECT, Site, encode, error_of, get, json_of, post, redeeming, with, with_header,
};
use crate::app::{Deployment, unconfigured};
use crate::config::Config;
use crate::crypto;
use crate::ports::Limit;
use crate::support::{EcSigner, START, environment};
use crate::web::{Method, Request, Response};

const KEY: &str = "an operator key of at least thirty-two bytes";
const HERE: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.7";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn open() -> Site {
    Site::with(&[("OPERATOR_KEY", KEY)])
}

fn from(address: &str, authorization: &str) -> Request {
    let request = with_header(get("/operator/clients"), "cf-connecting-ip", address);
    with_header(request, "authorization", authorization)
}

/// What a stranger sees; the ids of the request are another each time.
fn seen(response: &Response) -> (u16, Vec<(&'static str, String)>, String) {
    let headers = response.headers.iter().filter(|(name, _)| !name.contains("request-id"));
    let headers = headers.map(|(name, value)| (*name, value.to_string())).collect();
    (response.status, headers, response.body_text().into_owned())
}

/// As the operator, with the key.
async fn ask(site: &Site, method: Method, rest: &str, body: &Value) -> Response {
    let path = format!("/operator/clients{rest}");
    let request = Request { method, ..post("", body.to_string().as_bytes()) };
    let target = get(&path);
    let request = Request { path: target.path, query: target.query, ..request };
    site.send(&with_header(request, "authorization", &format!("Bearer {KEY}"))).await
}

async fn operate(site: &Site, method: Method, rest: &str, body: &Value) -> Value {
    let response = ask(site, method, rest, body).await;
    assert!(matches!(response.status, 200 | 201), "{}", response.body_text());
    assert_eq!(response.header("cache-control"), Some("no-store"));
    json_of(&response)
}

#[tokio::test(flavor = "current_thread")]
async fn o1_only_the_whole_key_opens_and_a_wrong_one_looks_like_none_set() {
    let (with_key, without, empty) = (open(), Site::new(), Site::with(&[("OPERATOR_KEY", "")]));
    let half = &KEY[..KEY.len() / 2];
    let wrong = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer null".to_owned(),
        format!("Bearer {half}"),
        format!("Bearer {}", &KEY[1..]),
        format!("Bearer {KEY}{KEY}"),
        format!("Bearer {KEY}, Bearer x"),
        format!("Bearer {}", KEY.to_uppercase()),
        format!("Basic {KEY}"),
        KEY.to_owned(),
    ];
    for authorization in &wrong {
        for path in ["/operator/", "/operator/clients", "/operator/grants", "/operator/nothing"] {
            for method in [Method::Get, Method::Post, Method::Delete, Method::Other] {
                let request = Request { method, ..with_header(get(path), "authorization", authorization) };
                let refused = seen(&with_key.send(&request).await);
                assert_eq!(refused.0, 401, "{authorization:?} {path}");
                assert_eq!(seen(&without.send(&request).await), refused);
                assert_eq!(seen(&empty.send(&request).await), refused);
            }
        }
    }
    let inside = format!("Bearer {KEY}");
    assert_eq!(without.send(&from(HERE, &inside)).await.status, 401);
    let opened = with_key.send(&with_header(from(HERE, &inside), "origin", "https://evil.example")).await;
    assert_eq!((opened.status, opened.header("access-control-allow-origin")), (200, None));
    let query = get(&format!("/operator/clients?access_token={}", KEY.replace(' ', "+")));
    assert_eq!(with_key.send(&query).await.status, 401, "a query is no place for a key");
    assert!(!with_key.platform.log.text().contains("thirty-two"));
}

#[tokio::test(flavor = "current_thread")]
async fn o1_a_key_that_could_be_guessed_closes_the_deployment() {
    for short in ["k", &KEY[..31]] {
        let set = environment(&[("OPERATOR_KEY", short)]);
        let deployment = Deployment::new(Config::parse(&|name| set.get(name).cloned()), std::iter::empty());
        assert!(deployment.config.is_err(), "{short:?}");
        for path in ["/operator/clients", "/mcp"] {
            assert_eq!(unconfigured(&deployment, &from(path, &format!("Bearer {short}"))).status, 503);
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn o1_who_guesses_keys_is_shut_out_for_a_minute_and_nobody_else_is() {
    let site = open();
    let right = format!("Bearer {KEY}");
    site.platform.limiter.budget.set(Some(10));
    let failures = || {
        let seen = site.platform.limiter.seen.borrow();
        seen.iter().filter(|(limit, _)| *limit == Limit::FailedAuthentication).count()
    };
    for _ in 0..20 {
        assert_eq!(site.send(&from(HERE, &right)).await.status, 200);
    }
    assert_eq!(failures(), 0, "the right key uses nothing up");
    for guess in 0..10 {
        assert_eq!(site.send(&from(HERE, &format!("Bearer {guess}"))).await.status, 401);
    }
    for authorization in ["Bearer 10", "Bearer 11", "", right.as_str()] {
        let slowed = site.send(&from(HERE, authorization)).await;
        assert_eq!((slowed.status, slowed.header("retry-after")), (429, Some("60")), "{authorization}");
        assert_eq!(slowed.header("cache-control"), Some("no-store"));
    }
    assert_eq!(failures(), 11, "who is shut out is not even counted");
    let form =
        encode(&vec![("grant_type", "refresh_token".into()), ("client_id", "x".into()), ("refresh_token", "x".into())]);
    let token =
        with_header(with_header(post("/token", form.as_bytes()), "content-type", FORM), "cf-connecting-ip", HERE);
    assert_eq!(site.send(&token).await.status, 429, "guesses count together, wherever they are made");
    assert_eq!(site.send(&from(ELSEWHERE, &right)).await.status, 200);
    site.platform.clock.advance(60);
    assert_eq!(site.send(&from(HERE, &right)).await.status, 200);
    assert!(site.platform.log.text().contains("rate_limited"));
}

/// The three ways to prove a client, of which one is its own.
fn proofs(id: &str, secret: &str, signer: &EcSigner) -> [(&'static str, Params, Option<String>); 3] {
    let jti = crypto::encode(id.as_bytes());
    let claims = json!({"iss": id, "sub": id, "aud": "http://localhost:8787/token", "jti": jti, "exp": START + 60});
    let assertion =
        vec![("client_assertion_type", ASSERTION_TYPE.to_owned()), ("client_assertion", signer.sign(&claims))];
    let basic = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{id}:{secret}"));
    [
        ("client_secret_basic", vec![], Some(format!("Basic {basic}"))),
        ("client_secret_post", vec![("client_secret", secret.to_owned())], None),
        ("private_key_jwt", assertion, None),
    ]
}

#[tokio::test(flavor = "current_thread")]
async fn o2_an_operators_client_proves_itself_in_its_own_way_and_in_no_other() {
    let site = open();
    let signer = EcSigner::new("portal", 0);
    for own in ["client_secret_basic", "client_secret_post", "private_key_jwt"] {
        let keys = (own == "private_key_jwt").then(|| json!({"keys": [signer.jwk()]}));
        let wanted = json!({
            "client_name": "Contoso Portal", "redirect_uris": ["http://127.0.0.1:1/cb?own=1"],
            "token_endpoint_auth_method": own, "jwks": keys,
        });
        let client = operate(&site, Method::Post, "", &wanted).await;
        let id = client["client_id"].as_str().unwrap();
        let secret = client["client_secret"].as_str().unwrap_or("no secret of any client");
        let code = Browser::new(&site).sign_in(id).await;
        let send = |params: Params, authorization: Option<String>| {
            let request = site.token_request(&[redeeming(id, &code), params].concat());
            match authorization {
                Some(value) => with_header(request, "authorization", &value),
                None => request,
            }
        };
        assert_eq!(site.send(&send(vec![], None)).await.status, 401, "the code alone");
        for (method, params, authorization) in proofs(id, secret, &signer) {
            if method != own {
                let refused = site.send(&send(params, authorization)).await;
                assert_eq!(error_of(&refused), (401, "invalid_client".into()), "{method} for {own}");
            }
        }
        for (method, params, authorization) in proofs(id, secret, &signer) {
            if method == own {
                let response = site.send(&send(params, authorization)).await;
                assert_eq!(response.status, 200, "{own}: {}", response.body_text());
            }
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn o2_keys_of_a_client_come_from_a_public_address_or_from_nowhere() {
    let wanted = |uri: &str| {
        json!({"client_name": "Portal", "redirect_uris": ["http://127.0.0.1:1/cb"],
            "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": uri})
    };
    let site = open();
    for uri in ["http://portal.example/k", "https://127.0.0.1/k", "https://intranet/k", "https://169.254.169.254/k"] {
        assert_eq!(ask(&site, Method::Post, "", &wanted(uri)).await.status, 400, "{uri}");
    }
    let public = wanted("https://portal.example/k");
    assert_eq!(ask(&site, Method::Post, "", &public).await.status, 201);
    site.platform.upstream.reaches_origins.set(true);
    assert_eq!(ask(&site, Method::Post, "", &public).await.status, 400, "where strangers' hosts are not asked");
}

#[tokio::test(flavor = "current_thread")]
async fn o2_a_secret_is_shown_once_kept_as_a_digest_and_ends_with_its_successor_or_client() {
    let site = open();
    let wanted = json!({
        "client_name": "Contoso Portal", "redirect_uris": ["http://127.0.0.1:1/cb?own=1"],
        "token_endpoint_auth_method": "client_secret_post",
    });
    let client = operate(&site, Method::Post, "", &wanted).await;
    let id = client["client_id"].as_str().unwrap();
    let query = format!("?client_id={id}");
    let redeem = async |secret: &Value, code: &str| {
        let form = with(redeeming(id, code), "client_secret", secret.as_str().unwrap());
        site.token(&form).await.status
    };
    let code = Browser::new(&site).sign_in(id).await;
    let rotated = operate(&site, Method::Post, &format!("/rotate-secret{query}"), &json!({})).await;
    let secrets = [&client["client_secret"], &rotated["client_secret"]];
    assert_ne!(secrets[0], secrets[1]);
    for answer in
        [operate(&site, Method::Get, &query, &json!({})).await, operate(&site, Method::Get, "", &json!({})).await]
    {
        assert!(!answer.to_string().contains("client_secret\":"), "{answer}");
    }
    let (dump, log) = (site.dump(), site.platform.log.text());
    for secret in secrets {
        let secret = secret.as_str().unwrap();
        assert!(secret.len() >= 43 && !dump.contains(secret) && !log.contains(secret));
    }
    assert_eq!(redeem(secrets[0], &code).await, 401, "replaced");
    assert_eq!(redeem(secrets[1], &code).await, 200);
    let code = Browser::new(&site).sign_in(id).await;
    operate(&site, Method::Delete, &query, &json!({})).await;
    assert_eq!(redeem(secrets[1], &code).await, 401, "removed");
}

#[tokio::test(flavor = "current_thread")]
async fn o2_nobody_registers_himself_as_the_operators() {
    let site = open();
    let pre = "pre-AAAAAAAAAAAAAAAAAAAAAA";
    let client = site
        .register(&json!({
            "redirect_uris": [REDIRECT], "client_id": pre, "client_secret": "chosen", "registered_by": "operator",
        }))
        .await;
    let id = json_of(&client)["client_id"].as_str().unwrap().to_owned();
    assert!(id != pre && !id.starts_with("pre-"));
    assert_eq!(site.platform.kv.entries.borrow().len(), 1);
    assert_eq!(operate(&site, Method::Get, "", &json!({})).await, json!({"clients": []}));
    let shown = operate(&site, Method::Get, &format!("?client_id={id}"), &json!({})).await;
    assert_eq!(shown["registered_by"], "itself");
}
