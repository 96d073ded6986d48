//! The public keys of a client (RFC 7517), and the assertions that it signs with them (RFC 7515): RS256 and ES256.
//!
//! Owns what is true of every assertion's form, key and signature; what its claims must say is the rule of the caller.
//! A set that shows a private or symmetric key is refused as a whole: whoever publishes one has lost it.

use jsonwebtoken::{Algorithm, Header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{JoseError, Parts, parse};
use crate::crypto;
use crate::ports::{P256Key, Ports, RsaKey};

/// Members that only a private or symmetric key has (RFC 7518 section 6).
const PRIVATE_MEMBERS: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// More keys than a client rotates through.
const MAX_KEYS: usize = 16;

/// An algorithm that a client may sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SigningAlg {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl SigningAlg {
    /// The algorithm of this registered name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

/// Why a key set was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Not a JSON object with `keys`.
    #[error("jwks is not a JWK set")]
    Malformed,
    /// A private or symmetric key.
    #[error("jwks holds a private or symmetric key")]
    Private,
    /// No key that can verify an assertion.
    #[error("jwks holds no RSA key of 2048 bits or more and no P-256 key for signatures")]
    NoneUsable,
}

/// The keys of one client.
#[derive(Clone, Debug)]
pub struct ClientKeys(Vec<ClientKey>);

#[derive(Clone, Debug)]
struct ClientKey {
    kid: Option<String>,
    material: Material,
}

#[derive(Clone, Debug)]
enum Material {
    Rsa(RsaKey),
    P256(P256Key),
}

impl ClientKey {
    const fn alg(&self) -> SigningAlg {
        match self.material {
            Material::Rsa(_) => SigningAlg::Rs256,
            Material::P256(_) => SigningAlg::Es256,
        }
    }
}

impl ClientKeys {
    /// Reads a set. Keys for other purposes or algorithms are left out.
    pub fn parse(set: &Value) -> Result<Self, KeySetError> {
        let keys = set.get("keys").and_then(Value::as_array).ok_or(KeySetError::Malformed)?;
        if keys.len() > MAX_KEYS || !keys.iter().all(Value::is_object) {
            return Err(KeySetError::Malformed);
        }
        if keys.iter().any(is_private) {
            return Err(KeySetError::Private);
        }
        let usable: Vec<_> = keys.iter().filter_map(parse_key).collect();
        if usable.is_empty() { Err(KeySetError::NoneUsable) } else { Ok(Self(usable)) }
    }

    /// The same keys, less those of another algorithm than the client said it signs with.
    #[must_use]
    pub fn only(mut self, alg: Option<SigningAlg>) -> Self {
        self.0.retain(|key| alg.is_none_or(|alg| key.alg() == alg));
        self
    }

    /// The key of this id; without an id the only one of this algorithm.
    fn find(&self, kid: Option<&str>, alg: SigningAlg) -> Result<&ClientKey, JoseError> {
        let mut named = self.0.iter().filter(|key| kid.is_none() || key.kid.as_deref() == kid).peekable();
        if named.peek().is_none() {
            return Err(JoseError::UnknownKey);
        }
        let mut fitting = named.filter(|key| key.alg() == alg);
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(JoseError::UnknownKey),
            (None, _) => Err(JoseError::Algorithm),
        }
    }

    /// The claims of an assertion that one of these keys signed, none of them judged.
    pub async fn verify<C: DeserializeOwned>(&self, ports: &Ports, assertion: &str) -> Result<C, JoseError> {
        let jwt = Parts::split(assertion).ok_or(JoseError::Malformed)?;
        let header: Header = parse(jwt.header)?;
        let alg = match header.alg {
            Algorithm::RS256 => SigningAlg::Rs256,
            Algorithm::ES256 => SigningAlg::Es256,
            _ => return Err(JoseError::Algorithm),
        };
        if header.crit.is_some() {
            return Err(JoseError::Critical);
        }
        let key = self.find(header.kid.as_deref(), alg)?;
        let signature = crypto::decode(jwt.signature).ok_or(JoseError::Malformed)?;
        let signed = jwt.signed.as_bytes();
        let holds = match &key.material {
            Material::Rsa(key) => ports.rs256.verify(key, signed, &signature).await,
            Material::P256(key) => ports.es256.verify(key, signed, &signature).await,
        };
        if holds { parse(jwt.claims) } else { Err(JoseError::Signature) }
    }
}

/// Who an assertion says it is from, before anything of it is verified: good for nothing but finding the keys.
pub fn claimed_subject(assertion: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Subject {
        sub: String,
    }
    parse::<Subject>(Parts::split(assertion)?.claims).ok().map(|claims| claims.sub)
}

fn is_private(key: &Value) -> bool {
    key.get("kty").and_then(Value::as_str) == Some("oct")
        || PRIVATE_MEMBERS.iter().any(|member| key.get(member).is_some())
}

fn parse_key(key: &Value) -> Option<ClientKey> {
    #[derive(Deserialize)]
    struct Published {
        kty: String,
        kid: Option<String>,
        #[serde(rename = "use")]
        purpose: Option<String>,
        key_ops: Option<Vec<String>>,
        alg: Option<String>,
        crv: Option<String>,
        n: Option<String>,
        e: Option<String>,
        x: Option<String>,
        y: Option<String>,
    }
    let key = Published::deserialize(key).ok()?;
    let for_signatures = key.purpose.is_none_or(|purpose| purpose == "sig");
    let to_verify = key.key_ops.is_none_or(|ops| ops.iter().any(|op| op == "verify"));
    if !for_signatures || !to_verify {
        return None;
    }
    let material = match (key.kty.as_str(), key.crv.as_deref()) {
        ("RSA", _) => Material::Rsa(parse_rsa(key.n?, key.e?)?),
        ("EC", Some("P-256")) => Material::P256(parse_p256(key.x?, key.y?)?),
        _ => return None,
    };
    let parsed = ClientKey { kid: key.kid, material };
    key.alg.is_none_or(|alg| SigningAlg::parse(&alg) == Some(parsed.alg())).then_some(parsed)
}

/// 2048 bits are the least that RFC 7518 section 3.3 allows, 8192 the most that is worth the time.
fn parse_rsa(n: String, e: String) -> Option<RsaKey> {
    let modulus = crypto::decode(&n)?;
    let first = modulus.first()?;
    let long_enough = modulus.len() > 256 || (modulus.len() == 256 && *first >= 0x80);
    // 65537, as every library makes them; an exponent of one would verify anything.
    (*first != 0 && long_enough && modulus.len() <= 1024 && e == "AQAB").then_some(RsaKey { n, e })
}

fn parse_p256(x: String, y: String) -> Option<P256Key> {
    let is_coordinate = |text: &str| crypto::decode(text).is_some_and(|bytes| bytes.len() == 32);
    (is_coordinate(&x) && is_coordinate(&y)).then_some(P256Key { x, y })
}

#[cfg(test)]
#[path = "client_keys_tests.rs"]
mod tests;
