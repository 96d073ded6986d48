//! The `id_token` of a token answer, and the ways a test can order it to be wrong.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::documents::issuer;
use super::sessions::Consent;
use crate::App;
use crate::json::set;
use crate::sample::directory::FABRIKAM_TENANT;

/// Faults that spoil the token.
pub const FAULTS: &[&str] = &["bad-nonce", "wrong-audience", "wrong-tenant", "unknown-kid", "bad-signature", "expired"];

/// Signs the token; `fault` is one of [`FAULTS`] or nothing.
pub async fn sign(app: &App, consent: &Consent, nonce: Option<&str>, fault: Option<&str>) -> String {
    let Some(key) = app.entra_keys.current().await else {
        return String::new();
    };
    let claims = claims(app, consent, nonce, fault);
    let kid = if fault == Some("unknown-kid") { "nobody-published-this" } else { key.kid.as_str() };
    let token = key.sign(&json!({"typ": "JWT", "alg": "RS256", "kid": kid}), &claims);
    if fault == Some("bad-signature") {
        // The signature of other bytes: right length, right form, wrong value.
        let other = key.token(&json!({"sub": "somebody else"}));
        let (input, _) = token.rsplit_once('.').unwrap_or((&token, ""));
        let (_, signature) = other.rsplit_once('.').unwrap_or(("", ""));
        return format!("{input}.{signature}");
    }
    token
}

fn claims(app: &App, consent: &Consent, nonce: Option<&str>, fault: Option<&str>) -> Value {
    let user = consent.user;
    let has = |scope: &str| consent.scopes.iter().any(|granted| granted == scope);
    let tenant = match fault {
        Some("wrong-tenant") => FABRIKAM_TENANT,
        _ => user.tenant(&app.settings),
    };
    let audience = match fault {
        Some("wrong-audience") => "00000000-dead-4bad-8bad-000000000000",
        _ => app.settings.client_id.as_str(),
    };
    let nonce = if fault == Some("bad-nonce") { Some("another-nonce") } else { nonce };
    let age = if fault == Some("expired") { 7200 } else { 0 };
    let now = OffsetDateTime::now_utc().unix_timestamp() - age;
    let pairwise = Sha256::digest(format!("{}|{}", user.oid, app.settings.client_id));
    let mut claims = json!({
        "ver": "2.0", "iss": issuer(tenant), "aud": audience, "tid": tenant,
        "sub": URL_SAFE_NO_PAD.encode(pairwise),
        "iat": now - 300, "nbf": now - 300, "exp": now + 3600,
        "uti": uuid::Uuid::new_v4().simple().to_string(), "rh": "1.emulator.",
    });
    if has("profile") {
        set(&mut claims, "oid", user.oid);
        set(&mut claims, "name", user.name);
        set(&mut claims, "preferred_username", user.email);
    }
    if has("email") {
        set(&mut claims, "email", user.email);
    }
    if let Some(nonce) = nonce {
        set(&mut claims, "nonce", nonce);
    }
    claims
}
