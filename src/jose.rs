//! JWTs from outside (Cloudflare Access, Entra; clients' assertions in `client_keys`): form, algorithm, key, signature.
//!
//! Owns everything that is the same for every issuer, RFC 7515 and RFC 7519: three parts, `alg` exactly RS256, a `kid`
//! that the issuer publishes, no critical extension, a signature that holds. What a claim must say is the rule of the
//! caller, who gets the claims as a type of its own and nothing before the signature holds.

mod client_keys;
mod keys;

use jsonwebtoken::{Algorithm, Header};
use serde::de::DeserializeOwned;

pub use client_keys::{ClientKeys, KeySetError, SigningAlg, claimed_subject};
pub use keys::KeyCache;

use crate::crypto;
use crate::ports::Ports;

/// Longer than any assertion or `id_token` that Access and Entra write.
const MAX_TOKEN: usize = 16 * 1024;

/// Claims whose signature holds.
#[derive(Clone, Debug)]
pub struct Verified<C> {
    /// The payload.
    pub claims: C,
    /// The issuer to which the key itself is limited, where its publisher says so (Entra does).
    pub key_issuer: Option<String>,
}

/// Why a JWT was refused before any claim was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// Not three base64url parts with a header and claims of the expected shape.
    #[error("not a JWT of the expected shape")]
    Malformed,
    /// Another algorithm than RS256 (for a client's assertion ES256), or than the key is for.
    #[error("the algorithm is not allowed, or not the key's")]
    Algorithm,
    /// A critical extension, none of which is known here.
    #[error("an unknown critical extension")]
    Critical,
    /// The issuer does not publish a key of this id.
    #[error("the key is unknown")]
    UnknownKey,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    Signature,
    /// The key set can neither be fetched nor remembered, so nothing can be said of the token.
    #[error("the key set is unavailable")]
    KeysUnavailable,
}

impl JoseError {
    /// The rule's name, for log lines.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::Critical => "critical_extension",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::KeysUnavailable => "keys_unavailable",
        }
    }
}

/// Verifies a JWT against the key set at `jwks_url` and returns its claims, none of them judged.
pub async fn verify<C: DeserializeOwned>(
    ports: &Ports,
    cache: &KeyCache,
    jwks_url: &str,
    token: &str,
) -> Result<Verified<C>, JoseError> {
    let jwt = Parts::split(token).ok_or(JoseError::Malformed)?;
    let header: Header = parse(jwt.header)?;
    // `none` and the like are no `Algorithm` at all, so they are malformed.
    if header.alg != Algorithm::RS256 {
        return Err(JoseError::Algorithm);
    }
    // The header's type knows no extension; an empty list is forbidden too (RFC 7515 section 4.1.11).
    if header.crit.is_some() {
        return Err(JoseError::Critical);
    }
    let kid = header.kid.ok_or(JoseError::UnknownKey)?;
    let signature = crypto::decode(jwt.signature).ok_or(JoseError::Malformed)?;
    let key = keys::KeySource { ports, cache, url: jwks_url }.find(&kid).await?;
    if !ports.rs256.verify(&key.rsa, jwt.signed.as_bytes(), &signature).await {
        return Err(JoseError::Signature);
    }
    Ok(Verified { claims: parse(jwt.claims)?, key_issuer: key.issuer })
}

struct Parts<'a> {
    header: &'a str,
    claims: &'a str,
    signature: &'a str,
    /// `header.claims`, the bytes under the signature.
    signed: &'a str,
}

impl<'a> Parts<'a> {
    fn split(token: &'a str) -> Option<Self> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let three = !claims.contains('.') && ![header, claims, signature].contains(&"");
        three.then_some(Self { header, claims, signature, signed })
    }
}

fn parse<T: DeserializeOwned>(part: &str) -> Result<T, JoseError> {
    let bytes = crypto::decode(part).ok_or(JoseError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| JoseError::Malformed)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::support::{Signer, TestPlatform, json_response};

    const URL: &str = "https://issuer.contoso.example/keys";

    fn publish(platform: &TestPlatform, signers: &[&Signer]) {
        let keys: Vec<Value> = signers.iter().map(|signer| signer.jwk()).collect();
        let set = json!({ "keys": keys });
        *platform.upstream.responder.borrow_mut() = Some(Box::new(move |_| Some(Ok(json_response(200, &set)))));
    }

    async fn check(platform: &TestPlatform, cache: &KeyCache, token: &str) -> Result<Value, JoseError> {
        verify::<Value>(&platform.ports(), cache, URL, token).await.map(|verified| verified.claims)
    }

    #[tokio::test(flavor = "current_thread")]
    async fn claims_come_out_only_under_a_published_key_and_a_true_signature() {
        let (platform, cache) = (TestPlatform::new(&[]), KeyCache::default());
        let signer = Signer::new("k1", 0);
        publish(&platform, &[&signer]);
        let claims = json!({"sub": "adele"});
        assert_eq!(check(&platform, &cache, &signer.sign(&claims)).await, Ok(claims.clone()));
        // Same key id, another key.
        let forged = Signer::new("k1", 1).sign(&claims);
        assert_eq!(check(&platform, &cache, &forged).await, Err(JoseError::Signature));
        let mut altered = signer.sign(&claims);
        altered = altered.replacen('.', &format!(".{}", crypto::encode(b"{")), 1);
        assert!(check(&platform, &cache, &altered).await.is_err());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn only_whole_keys_for_rs256_signatures_count() {
        let signer = Signer::new("k1", 0);
        for (member, value) in [
            ("use", json!("enc")),
            ("alg", json!("RS512")),
            ("alg", json!("RSA-OAEP")),
            ("n", json!(crypto::encode(&[0xc1; 128]))),
            ("kid", Value::Null),
            ("kty", json!("oct")),
        ] {
            let (platform, cache) = (TestPlatform::new(&[]), KeyCache::default());
            let mut key = signer.jwk();
            key.as_object_mut().unwrap().insert(member.to_owned(), value.clone());
            let set = json!({ "keys": [key] });
            *platform.upstream.responder.borrow_mut() = Some(Box::new(move |_| Some(Ok(json_response(200, &set)))));
            let outcome = check(&platform, &cache, &signer.sign(&json!({}))).await;
            assert_eq!(outcome, Err(JoseError::KeysUnavailable), "{member} {value}");
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn only_rs256_without_critical_extensions_is_taken() {
        let (platform, cache) = (TestPlatform::new(&[]), KeyCache::default());
        let signer = Signer::new("k1", 0);
        publish(&platform, &[&signer]);
        let table = [
            (json!({"alg": "none", "kid": "k1"}), JoseError::Malformed),
            (json!({"alg": "HS256", "kid": "k1"}), JoseError::Algorithm),
            (json!({"alg": "PS256", "kid": "k1"}), JoseError::Algorithm),
            (json!({"alg": "RS256", "kid": "k1", "crit": ["b64"], "b64": false}), JoseError::Critical),
            (json!({"alg": "RS256", "kid": "k1", "crit": []}), JoseError::Critical),
            (json!({"alg": "RS256"}), JoseError::UnknownKey),
            (json!({"alg": "RS256", "kid": "k2"}), JoseError::UnknownKey),
        ];
        for (header, expected) in table {
            let token = signer.sign_with(&header, &json!({}));
            assert_eq!(check(&platform, &cache, &token).await, Err(expected), "{header}");
        }
        for token in ["", "a.b", "a.b.c.d", "..", "a..c"] {
            assert_eq!(check(&platform, &cache, token).await, Err(JoseError::Malformed), "{token}");
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn keys_are_remembered_in_the_isolate_and_in_kv_for_an_hour() {
        let platform = TestPlatform::new(&[]);
        let (signer, cache) = (Signer::new("k1", 0), KeyCache::default());
        publish(&platform, &[&signer]);
        let token = signer.sign(&json!({}));
        for _ in 0..3 {
            check(&platform, &cache, &token).await.unwrap();
        }
        // Another isolate finds them in KV.
        check(&platform, &KeyCache::default(), &token).await.unwrap();
        assert_eq!(platform.upstream.seen.borrow().len(), 1);
        assert!(platform.kv.entries.borrow().contains_key("jwks:issuer.contoso.example/keys"));
        platform.clock.advance(3601);
        check(&platform, &cache, &token).await.unwrap();
        assert_eq!(platform.upstream.seen.borrow().len(), 2);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_unknown_key_id_refetches_at_most_once_a_minute() {
        let (platform, cache) = (TestPlatform::new(&[]), KeyCache::default());
        let (old, new) = (Signer::new("k1", 0), Signer::new("k2", 1));
        publish(&platform, &[&old]);
        check(&platform, &cache, &old.sign(&json!({}))).await.unwrap();
        let token = new.sign(&json!({}));
        for _ in 0..5 {
            assert_eq!(check(&platform, &cache, &token).await, Err(JoseError::UnknownKey));
        }
        assert_eq!(platform.upstream.seen.borrow().len(), 2);
        publish(&platform, &[&old, &new]);
        assert_eq!(check(&platform, &cache, &token).await, Err(JoseError::UnknownKey));
        platform.clock.advance(60);
        assert_eq!(check(&platform, &cache, &token).await, Ok(json!({})));
        assert_eq!(platform.upstream.seen.borrow().len(), 3);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_key_that_rotates_right_after_a_cold_start_is_found() {
        let (platform, cache) = (TestPlatform::new(&[]), KeyCache::default());
        let (old, new) = (Signer::new("k1", 0), Signer::new("k2", 1));
        publish(&platform, &[&old]);
        check(&platform, &cache, &old.sign(&json!({}))).await.unwrap();
        publish(&platform, &[&old, &new]);
        assert_eq!(check(&platform, &cache, &new.sign(&json!({}))).await, Ok(json!({})));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn without_keys_nothing_is_trusted() {
        let (platform, cache) = (TestPlatform::new(&[]), KeyCache::default());
        let token = Signer::new("k1", 0).sign(&json!({}));
        assert_eq!(check(&platform, &cache, &token).await, Err(JoseError::KeysUnavailable));
        platform.upstream.push_json(500, &json!({"keys": [Signer::new("k1", 0).jwk()]}));
        assert_eq!(check(&platform, &cache, &token).await, Err(JoseError::KeysUnavailable));
        platform.upstream.push_json(200, &json!({"keys": "none"}));
        assert_eq!(check(&platform, &cache, &token).await, Err(JoseError::KeysUnavailable));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_failing_kv_costs_time_and_no_trust() {
        let (platform, cache) = (TestPlatform::new(&[]), KeyCache::default());
        let signer = Signer::new("k1", 0);
        publish(&platform, &[&signer]);
        platform.kv.fail.set(true);
        assert_eq!(check(&platform, &cache, &signer.sign(&json!({}))).await, Ok(json!({})));
    }
}
