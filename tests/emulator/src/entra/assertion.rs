//! Client assertions (RFC 7523 section 2.2), as Entra takes them from an application with a certificate: PS256, named by
//! `x5t#S256`, addressed to the token endpoint, current, and used once.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rsa::pss::{Signature, VerifyingKey};
use rsa::sha2::Sha256;
use rsa::signature::Verifier;
use serde_json::Value;
use sha2::Digest;
use time::OffsetDateTime;
use x509_cert::der::{DecodePem, Encode};

use super::error::EntraError;
use crate::App;
use crate::call::Pairs;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Entra takes no assertion that counts for longer.
const LONGEST_SECONDS: i64 = 600;
/// What Entra forgives a client's clock.
const SKEW_SECONDS: i64 = 300;

/// The registered certificate.
#[derive(Clone, Debug)]
pub struct Certificate {
    thumbprint: String,
    key: rsa::RsaPublicKey,
}

impl Certificate {
    /// Reads PEM; `None` unless it holds an RSA key.
    pub fn parse(pem: &str) -> Option<Self> {
        let certificate = x509_cert::Certificate::from_pem(pem.trim()).ok()?;
        let thumbprint = URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(certificate.to_der().ok()?));
        let public = certificate.tbs_certificate.subject_public_key_info.to_der().ok()?;
        let key = rsa::pkcs8::DecodePublicKey::from_public_key_der(&public).ok()?;
        Some(Self { thumbprint, key })
    }
}

/// Refuses unless the form proves the application by an assertion that was not used before.
pub fn authenticate(app: &App, certificate: &Certificate, form: &Pairs, tenant: &str) -> Result<(), EntraError> {
    let refuse = |code, text: &str| EntraError::new("invalid_client", code, text);
    if form.get("client_secret").is_some() {
        return Err(refuse(7_000_215, "Invalid client secret provided."));
    }
    let Some(assertion) = form.filled("client_assertion") else {
        return Err(refuse(
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        ));
    };
    if form.get("client_assertion_type") != Some(TYPE) {
        return Err(refuse(50_027, "JWT token is invalid or malformed: the assertion type is not supported."));
    }
    let Some((header, claims)) = verify(certificate, assertion) else {
        return Err(refuse(700_027, "Client assertion failed signature validation."));
    };
    if header.get("alg").and_then(Value::as_str) != Some("PS256") {
        return Err(refuse(5_002_738, "The algorithm of the client assertion is not accepted here."));
    }
    if header.get("x5t#S256").and_then(Value::as_str) != Some(&certificate.thumbprint) {
        return Err(refuse(700_027, "The certificate with the assertion's thumbprint is not registered."));
    }
    check_claims(app, &claims, tenant)
}

/// Header and claims, where the certificate's key signed them.
fn verify(certificate: &Certificate, assertion: &str) -> Option<(Value, Value)> {
    let (signed, signature) = assertion.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let part = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let signature = Signature::try_from(part(signature)?.as_slice()).ok()?;
    VerifyingKey::<Sha256>::new(certificate.key.clone()).verify(signed.as_bytes(), &signature).ok()?;
    Some((serde_json::from_slice(&part(header)?).ok()?, serde_json::from_slice(&part(claims)?).ok()?))
}

fn check_claims(app: &App, claims: &Value, tenant: &str) -> Result<(), EntraError> {
    let refuse = |code, text: &str| EntraError::new("invalid_client", code, text);
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let time = |name: &str| claims.get(name).and_then(Value::as_i64);
    let client = Some(app.settings.client_id.as_str());
    if text("iss") != client || text("sub") != client {
        return Err(refuse(700_021, "Client assertion application identifier doesn't match 'client_id' parameter."));
    }
    let endpoint = format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token");
    if text("aud") != Some(&endpoint) {
        return Err(refuse(700_023, "Client assertion audience claim does not match Realm issuer."));
    }
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let (Some(from), Some(until)) = (time("nbf"), time("exp")) else {
        return Err(refuse(50_027, "JWT token is invalid or malformed: a time is missing."));
    };
    if from > now + SKEW_SECONDS || until < now - SKEW_SECONDS || until - from > LONGEST_SECONDS {
        return Err(refuse(700_024, "Client assertion is not within its valid time range."));
    }
    let Some(id) = text("jti").filter(|id| !id.is_empty()) else {
        return Err(refuse(50_027, "JWT token is invalid or malformed: 'jti' is missing."));
    };
    if !app.world().entra.assertions.insert(id.to_owned()) {
        return Err(refuse(700_025, "The client assertion was used before."));
    }
    Ok(())
}
