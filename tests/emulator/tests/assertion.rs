//! Client assertions: what Entra takes from an application with a certificate; each refusal is one rule.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use m365_emulator::{Emulator, serve, settings::Settings};
use rsa::RsaPrivateKey;
use rsa::pkcs8::EncodePublicKey;
use rsa::signature::{RandomizedSigner, SignatureEncoding};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use x509_cert::builder::{Builder, CertificateBuilder, Profile};
use x509_cert::der::{Encode, EncodePem, pem::LineEnding};

const TENANT: &str = "11111111-2222-4333-8444-555555555555";
const CLIENT: &str = "66666666-7777-4888-9999-aaaaaaaaaaaa";
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// What an authenticated client hears who presents no refresh token of ours.
const AUTHENTICATED: u64 = 70_000;

fn key(which: usize) -> &'static RsaPrivateKey {
    static KEYS: [OnceLock<RsaPrivateKey>; 2] = [const { OnceLock::new() }; 2];
    KEYS.get(which).unwrap().get_or_init(|| RsaPrivateKey::new(&mut rand::thread_rng(), 2048).unwrap())
}

fn certificate() -> &'static x509_cert::Certificate {
    static CERTIFICATE: OnceLock<x509_cert::Certificate> = OnceLock::new();
    CERTIFICATE.get_or_init(|| {
        let public = key(0).to_public_key().to_public_key_der().unwrap();
        let signer = rsa::pkcs1v15::SigningKey::<rsa::sha2::Sha256>::new(key(0).clone());
        let hour = x509_cert::time::Validity::from_now(Duration::from_hours(1)).unwrap();
        let (name, public) = ("CN=contoso.example".parse().unwrap(), public.as_bytes().try_into().unwrap());
        let builder = CertificateBuilder::new(Profile::Root, 1_u32.into(), hour, name, public, &signer).unwrap();
        builder.build::<rsa::pkcs1v15::Signature>().unwrap()
    })
}

fn header() -> Value {
    let thumbprint = URL_SAFE_NO_PAD.encode(Sha256::digest(certificate().to_der().unwrap()));
    json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint })
}

/// Good claims with one of them changed; null takes it away.
fn claims(jti: &str, name: &str, value: Value) -> Value {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let mut claims = json!({
        "aud": format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"),
        "iss": CLIENT, "sub": CLIENT, "jti": jti, "nbf": now, "exp": now + 600,
    });
    let object = claims.as_object_mut().unwrap();
    object.insert(name.to_owned(), value);
    object.retain(|_, value| !value.is_null());
    claims
}

fn signed(which: usize, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let signer = rsa::pss::SigningKey::<rsa::sha2::Sha256>::new(key(which).clone());
    let signature = signer.sign_with_rng(&mut rand::thread_rng(), text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_vec()))
}

/// Starts an emulator that knows the certificate, and returns its base URL.
async fn start() -> String {
    let pem = certificate().to_pem(LineEnding::LF).unwrap();
    let lookup = |name: &str| (name == "EMULATOR_CLIENT_CERTIFICATE").then(|| pem.clone());
    let app = Emulator::new(Settings::parse(&[], lookup).unwrap()).unwrap();
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", tcp.local_addr().unwrap());
    tokio::spawn(serve(app, tcp));
    base
}

/// The AADSTS number that a refresh with these credentials brings.
async fn code(base: &str, credentials: &[(&str, &str)]) -> u64 {
    let mut body = format!("grant_type=refresh_token&refresh_token=none&client_id={CLIENT}");
    for (name, value) in credentials {
        let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
        body.extend(["&", name, "="]);
        body.extend(value);
    }
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = http.post(format!("{base}/{TENANT}/oauth2/v2.0/token")).header("host", "login.microsoftonline.com");
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    answer.pointer("/error_codes/0").and_then(Value::as_u64).unwrap()
}

async fn assertion(base: &str, assertion: &str) -> u64 {
    code(base, &[("client_assertion_type", TYPE), ("client_assertion", assertion)]).await
}

#[tokio::test]
async fn an_assertion_counts_once() {
    let base = start().await;
    let good = signed(0, &header(), &claims("1", "jti", json!("1")));
    assert_eq!(assertion(&base, &good).await, AUTHENTICATED);
    assert_eq!(assertion(&base, &good).await, 700_025);
}

#[tokio::test]
async fn a_secret_counts_no_more_where_there_is_a_certificate() {
    let base = start().await;
    assert_eq!(code(&base, &[("client_secret", "emulator-client-secret")]).await, 7_000_215);
    assert_eq!(code(&base, &[]).await, 7_000_218);
    let good = signed(0, &header(), &claims("1", "jti", json!("1")));
    assert_eq!(code(&base, &[("client_assertion_type", "jwt"), ("client_assertion", &good)]).await, 50_027);
}

#[tokio::test]
async fn what_the_certificate_did_not_sign_is_refused() {
    let base = start().await;
    let good = claims("1", "jti", json!("1"));
    assert_eq!(assertion(&base, &signed(1, &header(), &good)).await, 700_027);
    assert_eq!(assertion(&base, "a.b.c").await, 700_027);
    let mut other = header();
    other.as_object_mut().unwrap().insert("x5t#S256".to_owned(), json!("other"));
    assert_eq!(assertion(&base, &signed(0, &other, &good)).await, 700_027);
    other = header();
    other.as_object_mut().unwrap().insert("alg".to_owned(), json!("RS256"));
    assert_eq!(assertion(&base, &signed(0, &other, &good)).await, 5_002_738);
}

#[tokio::test]
async fn each_wrong_claim_is_refused() {
    let base = start().await;
    let wrong = [
        ("aud", json!("https://login.microsoftonline.com/common/oauth2/v2.0/token"), 700_023),
        ("iss", json!("other"), 700_021),
        ("sub", Value::Null, 700_021),
        ("exp", json!(1), 700_024),
        ("exp", json!(4_000_000_000_u64), 700_024),
        ("nbf", json!(4_000_000_000_u64), 700_024),
        ("nbf", Value::Null, 50_027),
        ("jti", Value::Null, 50_027),
    ];
    for (name, value, expected) in wrong {
        let found = assertion(&base, &signed(0, &header(), &claims("1", name, value.clone()))).await;
        assert_eq!(found, expected, "{name} {value}");
    }
}
