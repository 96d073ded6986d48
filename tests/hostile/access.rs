//! Rules P1–P6: Cloudflare Access, at every path.

use serde_json::{Value, json};

use super::site::{
    AUD, Browser, FORM, Site, TEAM, access_claims, asking, assertion, encode, get, is_local, post, query_of,
    transaction_of, with_header,
};
use crate::app::Deployment;
use crate::config::Config;
use crate::support::{START, Signer, environment};
use crate::web::{Method, Request, Response};

const GUARDED: [&str; 10] =
    ["/", "/authorize", "/callback", "/token", "/register", "/revoke", "/mcp", "/sse", "/sse/message", "/nothing"];
const OPEN: [&str; 4] = [
    "/healthz",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/mcp",
];

fn is_closed(response: &Response) -> bool {
    response.status == 403
        && response.body_text() == "forbidden\n"
        && response.header("cache-control") == Some("no-store")
        && response.header("www-authenticate").is_none()
}

async fn enter(site: &Site, claims: &Value) -> Response {
    let token = Signer::new("access-1", 1).sign(claims);
    site.send(&with_header(get("/"), "cf-access-jwt-assertion", &token)).await
}

#[tokio::test(flavor = "current_thread")]
async fn p1_strict_closes_every_path_and_method_but_the_public_documents() {
    let site = Site::guarded();
    for path in GUARDED {
        for method in [Method::Get, Method::Head, Method::Post, Method::Delete, Method::Other] {
            assert!(is_closed(&site.send(&Request { method, ..get(path) }).await), "{path} {method:?}");
        }
    }
    for path in OPEN {
        assert_eq!(site.send(&get(path)).await.status, 200, "{path}");
    }
    let handler = site.send(&post("/graph-handler/v1/chat/completions", b"{}")).await;
    assert_eq!(handler.status, 401, "it has a key of its own");
}

#[tokio::test(flavor = "current_thread")]
async fn p1_browser_closes_what_a_person_visits_and_no_token_exists_without_it() {
    let site = Site::public("browser");
    for path in ["/", "/authorize", "/callback"] {
        assert!(is_closed(&site.send(&get(path)).await), "{path}");
        assert!(is_closed(&site.send(&with_header(post(path, b""), "content-type", FORM)).await), "{path}");
    }
    assert_eq!(site.send(&post("/mcp", b"")).await.status, 401);
    assert_eq!(site.send(&post("/token", b"")).await.status, 400);
}

#[tokio::test(flavor = "current_thread")]
async fn p2_only_the_signed_assertion_is_believed() {
    let site = Site::guarded();
    let signer = Signer::new("access-1", 1);
    let good = assertion("adele");
    let (unsigned, _) = good.rsplit_once('.').unwrap();
    let headers = [
        json!({"alg": "none"}),
        json!({"alg": "HS256", "kid": "access-1"}),
        json!({"alg": "RS256", "kid": "another"}),
        json!({"alg": "RS256"}),
        json!({"alg": "RS256", "kid": "access-1", "crit": ["x"]}),
    ];
    let mut tokens: Vec<_> = headers.iter().map(|header| signer.sign_with(header, &access_claims("adele"))).collect();
    tokens.push(Signer::new("access-1", 0).sign(&access_claims("adele")));
    tokens.extend([format!("{unsigned}."), format!("{good}A"), format!("{good}.x"), "x".repeat(20_000)]);
    for token in tokens {
        assert!(is_closed(&site.send(&with_header(get("/"), "cf-access-jwt-assertion", &token)).await), "{token}");
    }
    for (name, value) in [
        ("cf-access-authenticated-user-email", "adele@contoso.example".to_owned()),
        ("cookie", format!("CF_Authorization={good}")),
        ("authorization", format!("Bearer {good}")),
        ("cf-access-token", good),
    ] {
        assert!(is_closed(&site.send(&with_header(get("/"), name, &value)).await), "{name}");
    }
    assert!(!site.platform.log.text().contains("adele"));
}

#[tokio::test(flavor = "current_thread")]
async fn p3_each_claim_must_be_right_and_clocks_may_differ_by_a_minute() {
    let set = |claim: &str, value: Value| {
        let mut claims = access_claims("adele");
        claims[claim] = value;
        claims
    };
    for claims in [
        set("iss", json!(format!("https://{TEAM}/"))),
        set("iss", json!("https://evil.cloudflareaccess.com")),
        set("iss", json!(format!("http://{TEAM}"))),
        set("aud", json!([])),
        set("aud", json!(["b"])),
        set("aud", json!(AUD[1..])),
        set("exp", json!(START - 60)),
        set("exp", Value::Null),
        set("nbf", json!(START + 61)),
        set("nbf", json!(START + 300)),
        set("type", json!("org")),
        set("type", Value::Null),
        set("sub", json!("s".repeat(129))),
    ] {
        assert!(is_closed(&enter(&Site::guarded(), &claims).await), "{claims}");
    }
    for claims in [
        set("exp", json!(START - 59)),
        set("nbf", json!(START + 60)),
        set("aud", json!(AUD)),
        set("aud", json!(["b", AUD])),
    ] {
        assert_eq!(enter(&Site::guarded(), &claims).await.status, 200, "{claims}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn p4_a_service_token_is_no_person() {
    let site = Site::guarded();
    let mut claims = access_claims("");
    claims["common_name"] = json!("robot.access");
    claims["email"] = Value::Null;
    assert!(is_closed(&enter(&site, &claims).await));
}

#[tokio::test(flavor = "current_thread")]
async fn p5_without_certificates_or_with_half_a_perimeter_nobody_gets_in() {
    let site = Site::guarded();
    *site.platform.upstream.responder.borrow_mut() = None;
    let closed = enter(&site, &access_claims("adele")).await;
    assert_eq!((closed.status, closed.header("cache-control")), (503, Some("no-store")));
    for change in [("ACCESS_AUD", ""), ("ACCESS_TEAM_DOMAIN", "")] {
        let base = [("PUBLIC_URL", "https://mcp.contoso.example"), ("CLOUD", "global"), ("ACCESS_MODE", "strict")];
        let perimeter = [("ACCESS_TEAM_DOMAIN", TEAM), ("ACCESS_AUD", AUD), change];
        let set = environment(&[base.as_slice(), &perimeter].concat());
        let config = Config::parse(&|name| set.get(name).filter(|value| !value.is_empty()).cloned());
        let deployment = Deployment::new(config, std::iter::empty());
        assert!(deployment.config.is_err(), "{change:?}");
        for path in GUARDED.iter().chain(&OPEN[1..]) {
            assert_eq!(crate::app::unconfigured(&deployment, &get(path)).status, 503, "{path}");
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn p6_the_person_who_consented_decides_comes_back_and_uses() {
    let site = Site::guarded();
    let client = site.public_client().await;
    let browser = Browser::new(&site);
    let page = browser.authorize(&asking(&client)).await;
    let jar =
        || browser.jar.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
    let as_mallory = |request: Request| {
        with_header(with_header(request, "cookie", &jar()), "cf-access-jwt-assertion", &assertion("mallory"))
    };
    let form = Browser::form(&transaction_of(&page), "approve");
    assert!(is_local(&site.send(&as_mallory(form.clone())).await, 403));
    let sent = query_of(&browser.send(form).await);
    let state = super::site::param(&sent, "state").unwrap();
    site.claims.borrow_mut()["nonce"] = json!(super::site::param(&sent, "nonce"));
    let back = get(&format!("/callback?{}", encode(&vec![("code", "c".into()), ("state", state)])));
    assert!(is_local(&site.send(&as_mallory(back.clone())).await, 403));
    assert_eq!(site.entra_calls(), 0);
    let code = super::site::param(&query_of(&browser.send(back).await), "code").unwrap();
    let redeemed = super::site::json_of(&site.token(&super::site::redeeming(&client, &code)).await);
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
    let mcp = |sub: &str| {
        let request = with_header(post("/mcp", call.as_bytes()), "content-type", "application/json");
        let bearer = format!("Bearer {}", redeemed["access_token"].as_str().unwrap());
        with_header(with_header(request, "authorization", &bearer), "cf-access-jwt-assertion", &assertion(sub))
    };
    assert_eq!(site.send(&mcp("adele")).await.status, 200);
    assert!([401, 403].contains(&site.send(&mcp("mallory")).await.status));
}
