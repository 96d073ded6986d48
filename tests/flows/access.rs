//! Cloudflare Access: whose word is taken.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a flow that cannot go on should stop")]

use std::rc::Rc;

use serde_json::{Value, json};

use crate::access::{self, AccessError};
use crate::exchange::{Exchange, Isolate};
use crate::jose::JoseError;
use crate::ports::Clock;
use crate::support::{START, Signer, TestPlatform, json_response};
use crate::web::{Context, Method, Request};

const AUD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const TEAM: &str = "contoso.cloudflareaccess.com";

struct Perimeter {
    platform: TestPlatform,
    isolate: Rc<Isolate>,
}

impl Perimeter {
    fn new() -> Self {
        let settings = [("ACCESS_MODE", "strict"), ("ACCESS_TEAM_DOMAIN", TEAM), ("ACCESS_AUD", AUD)];
        let platform = TestPlatform::new(&settings);
        let certs = json!({"keys": [Signer::new("access-1", 0).jwk()], "public_cert": {}});
        *platform.upstream.responder.borrow_mut() = Some(Box::new(move |request| {
            assert_eq!(request.url, format!("https://{TEAM}/cdn-cgi/access/certs"));
            Some(Ok(json_response(200, &certs)))
        }));
        Self { platform, isolate: Rc::default() }
    }

    fn exchange(&self) -> Exchange {
        Exchange {
            config: self.platform.config.clone(),
            ports: self.platform.ports(),
            isolate: self.isolate.clone(),
            context: Context { request_id: "r".into(), ray_id: None, now: self.platform.clock.now() },
            access: None,
        }
    }

    async fn enter(&self, token: &str) -> Result<String, AccessError> {
        let headers = vec![("cf-access-jwt-assertion", token.to_owned())];
        access::verify(&self.exchange(), &request(headers)).await.map(|identity| identity.sub)
    }
}

fn request(headers: Vec<(&'static str, String)>) -> Request {
    Request { method: Method::Get, path: "/authorize".into(), query: None, headers, body: Vec::new() }
}

fn claims() -> Value {
    json!({
        "iss": format!("https://{TEAM}"), "aud": [AUD], "exp": START + 3600, "nbf": START, "iat": START,
        "type": "app", "sub": "adele-sub", "email": "adele@contoso.example",
    })
}

#[tokio::test(flavor = "current_thread")]
async fn a_verified_assertion_names_the_person_and_is_remembered_for_five_minutes() {
    let perimeter = Perimeter::new();
    let token = Signer::new("access-1", 0).sign(&claims());
    for _ in 0..3 {
        assert_eq!(perimeter.enter(&token).await, Ok("adele-sub".to_owned()));
    }
    assert_eq!(perimeter.platform.upstream.seen.borrow().len(), 1);
    perimeter.platform.clock.advance(3661);
    assert_eq!(perimeter.enter(&token).await, Err(AccessError::Expired));
}

#[tokio::test(flavor = "current_thread")]
async fn each_claim_must_be_right() {
    let signer = Signer::new("access-1", 0);
    for (claim, value, expected) in [
        ("iss", json!("https://evil.cloudflareaccess.com"), AccessError::Issuer),
        ("iss", json!(format!("http://{TEAM}")), AccessError::Issuer),
        ("aud", json!(["b"]), AccessError::Audience),
        ("aud", json!(AUD[1..]), AccessError::Audience),
        ("exp", json!(START - 60), AccessError::Expired),
        ("nbf", json!(START + 61), AccessError::NotYetValid),
        ("type", json!("org"), AccessError::Type),
        ("type", Value::Null, AccessError::Type),
        ("sub", json!(""), AccessError::NoPerson),
    ] {
        let mut changed = claims();
        changed[claim] = value;
        assert_eq!(Perimeter::new().enter(&signer.sign(&changed)).await, Err(expected), "{claim}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn only_a_genuine_assertion_counts_and_never_the_plain_email_header() {
    let signer = Signer::new("access-1", 0);
    let of = |error| Err(AccessError::NotGenuine(error));
    let perimeter = Perimeter::new();
    let with = |header: Value| signer.sign_with(&header, &claims());
    assert_eq!(perimeter.enter(&with(json!({"alg": "none"}))).await, of(JoseError::Malformed));
    assert_eq!(perimeter.enter(&with(json!({"alg": "HS256", "kid": "access-1"}))).await, of(JoseError::Algorithm));
    assert_eq!(perimeter.enter(&with(json!({"alg": "RS256", "kid": "x"}))).await, of(JoseError::UnknownKey));
    let forged = Signer::new("access-1", 1).sign(&claims());
    assert_eq!(perimeter.enter(&forged).await, of(JoseError::Signature));
    let bare = request(vec![("cf-access-authenticated-user-email", "adele@contoso.example".into())]);
    assert_eq!(access::verify(&perimeter.exchange(), &bare).await.unwrap_err(), AccessError::Missing);
    let cookie = request(vec![("cookie", format!("CF_Authorization={}", signer.sign(&claims())))]);
    assert_eq!(access::verify(&perimeter.exchange(), &cookie).await.unwrap_err(), AccessError::Missing);
}

#[tokio::test(flavor = "current_thread")]
async fn without_certificates_nobody_gets_in_and_the_answer_says_to_come_back() {
    let perimeter = Perimeter::new();
    *perimeter.platform.upstream.responder.borrow_mut() = None;
    let error = perimeter.enter(&Signer::new("access-1", 0).sign(&claims())).await.unwrap_err();
    assert_eq!(access::refuse(&perimeter.exchange(), error).status, 503);
    let missing = access::refuse(&perimeter.exchange(), AccessError::Missing);
    assert_eq!((missing.status, missing.body_text().as_ref()), (403, "forbidden\n"));
    assert!(perimeter.platform.log.text().contains("\"access.denied\""));
}
