//! Cloudflare Access: the certificate endpoint, and JWTs as the edge puts them on requests.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::App;
use crate::call::{Call, Pairs};
use crate::faults::Target;
use crate::json::set;
use crate::keys::signing_input;
use crate::reply::{self, Reply};

const ISSUER: &str = "https://contoso.cloudflareaccess.com";

/// Answers a request to the team domain.
pub async fn handle(app: &App, call: &Call) -> Reply {
    if call.path != "/cdn-cgi/access/certs" {
        return reply::empty(404);
    }
    let request = (call.method.as_str(), call.path.as_str());
    if app.world().faults.take(Target::Access, &["unreachable"], request).is_some() {
        return reply::unreachable();
    }
    let published = app.access_keys.published().await;
    let keys: Vec<Value> = published
        .iter()
        .map(|key| {
            let mut jwk = key.jwk();
            set(&mut jwk, "alg", "RS256");
            jwk
        })
        .collect();
    // Only `keys` is to be trusted; the certificates are there because the real document has them.
    let certificate = |kid: &str| json!({"kid": kid, "cert": "-----BEGIN CERTIFICATE-----\nZW11bGF0b3I=\n-----END CERTIFICATE-----\n"});
    let certificates: Vec<Value> = published.iter().map(|key| certificate(&key.kid)).collect();
    let newest = certificates.last().cloned().unwrap_or(Value::Null);
    reply::json(200, &json!({"keys": keys, "public_cert": newest, "public_certs": certificates}))
}

/// `GET /_control/access/jwt`: a JWT for a person or a service, as wrong as the query asks for.
pub async fn jwt(app: &App, query: &Pairs) -> Option<Value> {
    let key = app.access_keys.current().await?;
    let claims = claims(app, query);
    let kid = query.get("kid").unwrap_or(&key.kid);
    let subject = claims.get("sub").cloned();
    let jwt = match query.get("alg") {
        None | Some("RS256") => key.sign(&json!({"alg": "RS256", "kid": kid, "typ": "JWT"}), &claims),
        Some(alg) => {
            // HS256 keyed with the public key's bytes is the classic confusion; a hash stands in for it.
            let input = signing_input(&json!({"alg": alg, "kid": kid, "typ": "JWT"}), &claims);
            let signature = if alg == "none" { String::new() } else { URL_SAFE_NO_PAD.encode(Sha256::digest(&input)) };
            format!("{input}.{signature}")
        }
    };
    Some(json!({"jwt": jwt, "sub": subject}))
}

fn claims(app: &App, query: &Pairs) -> Value {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let email = query.get("email").unwrap_or("adele@contoso.example");
    let number = |name: &str, default: i64| query.get(name).and_then(|v| v.parse().ok()).unwrap_or(default);
    let audience: Vec<&str> = query.get("aud").unwrap_or(&app.settings.access_aud).split(',').collect();
    let issued = number("iat", now);
    let mut claims = json!({
        "aud": audience, "iss": query.get("iss").unwrap_or(ISSUER),
        "type": query.get("type").unwrap_or("app"), "iat": issued,
        "nbf": number("nbf", issued), "exp": number("exp", now + 86_400),
    });
    if query.get("service").is_some() {
        set(&mut claims, "common_name", "emulator-service.access");
        set(&mut claims, "sub", "");
        return claims;
    }
    let digest = Sha256::digest(email.to_ascii_lowercase());
    let bytes = digest.first_chunk::<16>().copied().unwrap_or_default();
    set(&mut claims, "sub", uuid::Builder::from_random_bytes(bytes).into_uuid().to_string());
    set(&mut claims, "email", email);
    set(&mut claims, "identity_nonce", URL_SAFE_NO_PAD.encode(bytes));
    set(&mut claims, "country", "DE");
    claims
}
