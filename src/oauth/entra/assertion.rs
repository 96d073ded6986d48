//! The client assertion that stands for a certificate at Entra's token endpoint: `private_key_jwt` (RFC 7523 sections 2.2
//! and 3) as "Microsoft identity platform application authentication certificate credentials" has it.
//!
//! PS256, the certificate named by its SHA-256 thumbprint, addressed to the token endpoint, new for each request.

use serde::Serialize;

use super::{Entra, EntraError};
use crate::config::{Certificate, ClientCredential};
use crate::crypto;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How long an assertion counts. It is sent at once; Microsoft allows ten minutes.
const LIFETIME_SECONDS: u64 = 300;

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(rename = "x5t#S256")]
    thumbprint: &'a str,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    nbf: u64,
    iat: u64,
    exp: u64,
}

/// What a token request says beside the grant where the credential is a certificate; nothing where it is a secret.
pub(super) async fn fields(entra: &Entra<'_>) -> Result<Vec<(&'static str, String)>, EntraError> {
    match &entra.microsoft.credential {
        ClientCredential::Secret(_) => Ok(Vec::new()),
        ClientCredential::Certificate(certificate) => {
            // A key that cannot sign is the operator's to mend, like one that Entra does not know.
            let assertion = sign(entra, certificate).await.ok_or(EntraError::RefusesServer { code: None })?;
            Ok(vec![("client_assertion_type", TYPE.to_owned()), ("client_assertion", assertion)])
        }
    }
}

async fn sign(entra: &Entra<'_>, certificate: &Certificate) -> Option<String> {
    let client_id = entra.microsoft.client_id.to_string();
    let header = Header { alg: "PS256", typ: "JWT", thumbprint: &certificate.thumbprint };
    let claims = Claims {
        aud: &entra.token_endpoint(),
        iss: &client_id,
        sub: &client_id,
        jti: crypto::random_text::<16>(entra.random),
        nbf: entra.now,
        iat: entra.now,
        exp: entra.now.saturating_add(LIFETIME_SECONDS),
    };
    let header = crypto::encode(&serde_json::to_vec(&header).ok()?);
    let claims = crypto::encode(&serde_json::to_vec(&claims).ok()?);
    let signed = format!("{header}.{claims}");
    let signature = entra.ps256.sign(&certificate.key, signed.as_bytes()).await?;
    Some(format!("{signed}.{}", crypto::encode(&signature)))
}
