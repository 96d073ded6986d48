//! The document at a client's address: which one makes a client
//! (draft-ietf-oauth-client-id-metadata-document section 4; RFC 7591 section 2 for its members).
//!
//! Pure: bytes in, a client or the rule that refused out. Fetching is `client_fetch`'s.

use serde::Deserialize;
use serde_json::Value;

use crate::jose::{ClientKeys, KeySetError, SigningAlg};

use super::client::{AuthMethod, Client, KeySource};
use super::{client_id, display, redirect_uri};

/// The most that a document may measure (section 6.6 of the draft recommends it).
pub const MAX_BYTES: usize = 5 * 1024;

/// Why an address gave no client. `Display` is for the log and for the app's developer, who sees it on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.explanation())]
#[expect(missing_docs, reason = "the explanations say it")]
pub enum DocumentError {
    Off,
    Address,
    Unreachable,
    TooSlow,
    TooLarge,
    Status,
    MediaType,
    Malformed,
    OtherId,
    Name,
    RedirectUris,
    Secret,
    Flow,
    AuthMethod,
    Keys(KeySetError),
    NoKeys,
    KeysElsewhere,
}

impl DocumentError {
    /// What is wrong, in one sentence.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Off => "This server does not fetch clients' documents: it runs without global_fetch_strictly_public.",
            Self::Address => {
                "The app's id is not an address that is fetched: https, a public host name, a path, and no port, user, query, fragment or dot segment."
            }
            Self::Unreachable => "The document at the app's address could not be fetched.",
            Self::TooSlow => "The document at the app's address did not come within ten seconds.",
            Self::TooLarge => "The document at the app's address is larger than 5 KiB.",
            Self::Status => "The app's address did not answer with status 200; redirects are not followed.",
            Self::MediaType => "The document at the app's address is not served as application/json.",
            Self::Malformed => "The document at the app's address is not a JSON object of client metadata in UTF-8.",
            Self::OtherId => "The document's client_id is not the address that it was fetched from.",
            Self::Name => "The document has no client_name.",
            Self::RedirectUris => {
                "The document's redirect_uris are missing, or one is not https, http on a loopback host, or an allowed private scheme."
            }
            Self::Secret => "The document speaks of a client_secret: what is published is no secret.",
            Self::Flow => "The document's grant_types or response_types leave out authorization_code or code.",
            Self::AuthMethod => "The document's way of client authentication is neither none nor private_key_jwt.",
            Self::Keys(KeySetError::Malformed) => "The document's jwks is not a JWK set.",
            Self::Keys(KeySetError::Private) => "The document's jwks holds a private or symmetric key.",
            Self::Keys(KeySetError::NoneUsable) => {
                "The document's keys hold no RSA key of at least 2048 bits and no P-256 key for signatures."
            }
            Self::NoKeys => "The document demands private_key_jwt and has neither jwks nor jwks_uri, or has both.",
            Self::KeysElsewhere => "The document's jwks_uri is not an address on the document's own host.",
        }
    }
}

/// What a document may say that this server reads.
#[derive(Deserialize)]
struct Document {
    client_id: String,
    #[serde(default)]
    client_name: String,
    #[serde(default)]
    redirect_uris: Vec<String>,
    token_endpoint_auth_method: Option<String>,
    /// What the client can do instead (`OpenID` Connect Relying Party Metadata Choices); `ChatGPT` writes it.
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_signing_alg: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    client_secret: Option<Value>,
    client_secret_expires_at: Option<Value>,
    jwks: Option<Value>,
    jwks_uri: Option<String>,
}

/// The client that this document describes, fetched from `address` at `now`.
pub fn parse(address: &str, body: &[u8], schemes: &[String], now: u64) -> Result<Client, DocumentError> {
    let text = std::str::from_utf8(body).map_err(|_| DocumentError::Malformed)?;
    let document: Document = serde_json::from_str(text).map_err(|_| DocumentError::Malformed)?;
    if document.client_id != address {
        return Err(DocumentError::OtherId);
    }
    if document.client_secret.is_some() || document.client_secret_expires_at.is_some() {
        return Err(DocumentError::Secret);
    }
    let uris = &document.redirect_uris;
    if uris.is_empty() || !uris.iter().all(|uri| redirect_uri::is_acceptable(uri, schemes)) {
        return Err(DocumentError::RedirectUris);
    }
    document.check_flow()?;
    let (auth_method, other_method) = document.auth_methods()?;
    let keys = document.keys()?;
    let signs = [Some(auth_method), other_method].contains(&Some(AuthMethod::PrivateKeyJwt));
    if signs && keys.is_none() {
        return Err(DocumentError::NoKeys);
    }
    Ok(Client {
        client_name: Some(display::clean(&document.client_name).ok_or(DocumentError::Name)?),
        signing_alg: document.signing_alg(signs)?,
        client_id: document.client_id,
        redirect_uris: document.redirect_uris,
        auth_method,
        other_method,
        secret: None,
        keys: keys.filter(|_| signs),
        issued_at: now,
        renewed_at: None,
    })
}

impl Document {
    fn check_flow(&self) -> Result<(), DocumentError> {
        let names = |list: &Option<Vec<String>>, wanted: &str| {
            list.as_ref().is_none_or(|list| list.iter().any(|name| name == wanted))
        };
        let fits = names(&self.grant_types, "authorization_code") && names(&self.response_types, "code");
        if fits { Ok(()) } else { Err(DocumentError::Flow) }
    }

    /// Every way that the client offers and this server takes. One that rests on a shared secret refuses the document,
    /// also beside others; another unknown one does not.
    fn auth_methods(&self) -> Result<(AuthMethod, Option<AuthMethod>), DocumentError> {
        let preferred = self.token_endpoint_auth_method.iter();
        let offered: Vec<&str> =
            preferred.chain(self.token_endpoint_auth_methods_supported.iter().flatten()).map(String::as_str).collect();
        if offered.iter().any(|name| name.starts_with("client_secret")) {
            return Err(DocumentError::AuthMethod);
        }
        // Without a shared secret the default of RFC 7591 cannot be meant.
        if offered.is_empty() {
            return Ok((AuthMethod::None, None));
        }
        match (offered.contains(&"none"), offered.contains(&"private_key_jwt")) {
            (true, true) => Ok((AuthMethod::None, Some(AuthMethod::PrivateKeyJwt))),
            (true, false) => Ok((AuthMethod::None, None)),
            (false, true) => Ok((AuthMethod::PrivateKeyJwt, None)),
            (false, false) => Err(DocumentError::AuthMethod),
        }
    }

    /// Checked whether they are used or not: a private key that is published must not go unnoticed.
    fn keys(&self) -> Result<Option<KeySource>, DocumentError> {
        match (&self.jwks, &self.jwks_uri) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(DocumentError::NoKeys),
            (Some(jwks), None) => {
                ClientKeys::parse(jwks).map_err(DocumentError::Keys)?;
                Ok(Some(KeySource::Jwks(jwks.clone())))
            }
            (None, Some(uri)) => {
                let host = client_id::document_host(uri);
                // Whoever answers for the document answers for the keys; a third host would be one more to trust.
                let is_own = host.is_some() && host == client_id::document_host(&self.client_id);
                if is_own { Ok(Some(KeySource::JwksUri(uri.clone()))) } else { Err(DocumentError::KeysElsewhere) }
            }
        }
    }

    fn signing_alg(&self, signs: bool) -> Result<Option<SigningAlg>, DocumentError> {
        match self.token_endpoint_auth_signing_alg.as_deref().filter(|_| signs) {
            None => Ok(None),
            Some(name) => SigningAlg::parse(name).map(Some).ok_or(DocumentError::AuthMethod),
        }
    }
}

/// The keys at a client's `jwks_uri`.
pub fn parse_keys(body: &[u8]) -> Result<ClientKeys, DocumentError> {
    let set: Value = serde_json::from_slice(body).map_err(|_| DocumentError::Keys(KeySetError::Malformed))?;
    ClientKeys::parse(&set).map_err(DocumentError::Keys)
}

#[cfg(test)]
#[path = "client_document_tests.rs"]
mod tests;
