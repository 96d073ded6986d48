//! `/operator/clients`: clients that the operator registers by hand. They never expire, and their ids say what they are.
//!
//! | request | what |
//! |---|---|
//! | `POST` | adds one; the answer holds its secret, once |
//! | `GET` | lists the operator's, a page at a time |
//! | `GET ?client_id=` | shows one, without its secret |
//! | `DELETE ?client_id=` | removes one, also one that registered itself |
//! | `POST …/rotate-secret?client_id=` | a new secret; the old one counts no more |
//!
//! KV takes up to a minute to tell every location of a change.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::crypto::{self, Secret};
use crate::exchange::Exchange;
use crate::jose::{ClientKeys, KeySetError};
use crate::oauth::client::{AuthMethod, Client, KeySource};
use crate::oauth::client_id::{self, OPERATOR_PREFIX, Origin};
use crate::oauth::params::Params;
use crate::oauth::{display, redirect_uri};
use crate::ports::KvError;
use crate::web::{Method, Request, Response};

use super::{Deed, answer, log, not_found, refusal};

const MAX_REDIRECT_URIS: usize = 20;

/// What is wrong with a request, in words for the operator.
#[derive(Debug, thiserror::Error)]
enum ClientsError {
    #[error("the body must be a JSON object: {0}")]
    Malformed(String),
    #[error("client_name is missing: the consent page shows it")]
    Name,
    #[error("redirect_uris must be 1 to 20 URIs")]
    NoRedirectUris,
    #[error(
        "{0:?} cannot be a redirect URI: https, or http on a loopback host, or a scheme of REDIRECT_SCHEMES; without fragment, user information or wildcard"
    )]
    RedirectUri(String),
    #[error("private_key_jwt needs the client's public keys: jwks or jwks_uri, one of them")]
    NoKeys,
    #[error("jwks and jwks_uri are for private_key_jwt alone")]
    UnusedKeys,
    #[error("{0}")]
    Keys(#[from] KeySetError),
    #[error("jwks_uri must be https with a public host name and a path, without port, user, query or fragment")]
    KeysAddress,
    #[error("jwks_uri needs the compatibility flag global_fetch_strictly_public, which this deployment lacks")]
    KeysUnreachable,
    #[error("client_id must be the id of a client that is kept here, once")]
    Id,
    #[error("there is no such client")]
    Unknown,
    #[error("this client has no secret: it proves itself in another way")]
    NoSecret,
    #[error("{0}: try again")]
    Storage(#[from] KvError),
}

impl ClientsError {
    fn response(&self) -> Response {
        let status = match self {
            Self::Unknown => 404,
            Self::NoSecret => 409,
            Self::Storage(_) => 503,
            Self::Malformed(_)
            | Self::Name
            | Self::NoRedirectUris
            | Self::RedirectUri(_)
            | Self::NoKeys
            | Self::UnusedKeys
            | Self::Keys(_)
            | Self::KeysAddress
            | Self::KeysUnreachable
            | Self::Id => 400,
        };
        refusal(status, &self.to_string())
    }
}

/// What the operator says of a new client, in the words of RFC 7591. A word that is not known is refused: it would be a
/// wish that nobody honours.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    client_name: String,
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default = "basic")]
    token_endpoint_auth_method: AuthMethod,
    jwks: Option<Value>,
    jwks_uri: Option<String>,
}

/// The default of RFC 7591 section 2.
const fn basic() -> AuthMethod {
    AuthMethod::Basic
}

/// A client as the operator sees it.
#[derive(Serialize)]
struct Shown<'a> {
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    client_name: Option<&'a str>,
    redirect_uris: &'a [String],
    token_endpoint_auth_method: AuthMethod,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<&'a KeySource>,
    registered_by: &'static str,
    client_id_issued_at: u64,
    /// 0 for never, as RFC 7591 writes it.
    expires_at: u64,
}

/// A page of the listing.
#[derive(Serialize)]
struct Listed<'a> {
    clients: Vec<Shown<'a>>,
    /// Asks for the next page as `?cursor=`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// `/operator/clients[/…]`; `rest` is what follows.
pub async fn handle(exchange: &Exchange, request: &Request, rest: &str) -> Response {
    let query = Params::parse(request.query.as_deref().unwrap_or_default().as_bytes());
    let outcome = match (request.method, rest) {
        _ if query.repeated() => Err(ClientsError::Id),
        (Method::Post, "") => add(exchange, request).await,
        (Method::Get, "") if query.get("client_id").is_some() => show(exchange, &query).await,
        (Method::Get, "") => list(exchange, &query).await,
        (Method::Delete, "") => remove(exchange, &query).await,
        (Method::Post, "rotate-secret") => rotate(exchange, &query).await,
        (_, "") => return Response::method_not_allowed("GET, POST, DELETE"),
        (_, "rotate-secret") => return Response::method_not_allowed("POST"),
        (_, _) => return not_found(),
    };
    outcome.unwrap_or_else(|error| error.response())
}

async fn add(exchange: &Exchange, request: &Request) -> Result<Response, ClientsError> {
    let wanted: Wanted =
        serde_json::from_slice(&request.body).map_err(|error| ClientsError::Malformed(error.to_string()))?;
    let keys = wanted.keys(exchange)?;
    wanted.check_redirect_uris(&exchange.config.redirect_schemes)?;
    let random = exchange.ports.random.as_ref();
    let method = wanted.token_endpoint_auth_method;
    let secret = has_secret(method).then(|| Secret::new(crypto::random_text::<32>(random)));
    let client = Client {
        client_id: format!("{OPERATOR_PREFIX}{}", crypto::random_text::<16>(random)),
        client_name: Some(display::clean(&wanted.client_name).ok_or(ClientsError::Name)?),
        redirect_uris: wanted.redirect_uris,
        auth_method: method,
        other_method: None,
        secret: secret.as_ref().map(Secret::digest),
        keys,
        signing_alg: None,
        issued_at: exchange.context.now,
        renewed_at: None,
    };
    client.save(exchange.ports.kv.as_ref(), exchange.context.now).await?;
    note(exchange, "clients.add", &client.client_id);
    Ok(answer(201, &shown(&client, secret.as_ref())))
}

async fn list(exchange: &Exchange, query: &Params) -> Result<Response, ClientsError> {
    log(exchange, &Deed { what: "clients.list", ..Deed::default() });
    let (clients, cursor) = Client::of_operator(exchange.ports.kv.as_ref(), query.get("cursor")).await?;
    let clients = clients.iter().map(|client| shown(client, None)).collect();
    Ok(answer(200, &Listed { clients, cursor }))
}

async fn show(exchange: &Exchange, query: &Params) -> Result<Response, ClientsError> {
    let client = named(exchange, query).await?;
    note(exchange, "clients.show", &client.client_id);
    Ok(answer(200, &shown(&client, None)))
}

async fn remove(exchange: &Exchange, query: &Params) -> Result<Response, ClientsError> {
    let client = named(exchange, query).await?;
    Client::remove(exchange.ports.kv.as_ref(), &client.client_id).await?;
    note(exchange, "clients.remove", &client.client_id);
    Ok(answer(200, &shown(&client, None)))
}

async fn rotate(exchange: &Exchange, query: &Params) -> Result<Response, ClientsError> {
    let client = named(exchange, query).await?;
    if !has_secret(client.auth_method) {
        return Err(ClientsError::NoSecret);
    }
    let secret = Secret::new(crypto::random_text::<32>(exchange.ports.random.as_ref()));
    let client = Client { secret: Some(secret.digest()), ..client };
    client.save(exchange.ports.kv.as_ref(), exchange.context.now).await?;
    note(exchange, "clients.rotate_secret", &client.client_id);
    Ok(answer(200, &shown(&client, Some(&secret))))
}

/// The client that the query names. One whose id is an address is kept by its publisher, not here.
async fn named(exchange: &Exchange, query: &Params) -> Result<Client, ClientsError> {
    let id = query.get("client_id").ok_or(ClientsError::Id)?;
    match client_id::parse(id) {
        Ok(Origin::Dynamic | Origin::Operator) => {}
        Ok(Origin::Document) | Err(_) => return Err(ClientsError::Id),
    }
    Client::load(exchange.ports.kv.as_ref(), id).await?.ok_or(ClientsError::Unknown)
}

const fn has_secret(method: AuthMethod) -> bool {
    matches!(method, AuthMethod::Basic | AuthMethod::Post)
}

fn note(exchange: &Exchange, what: &'static str, client_id: &str) {
    log(exchange, &Deed { what, client_id: Some(client_id), ..Deed::default() });
}

fn shown<'a>(client: &'a Client, secret: Option<&'a Secret>) -> Shown<'a> {
    let by_operator = client_id::parse(&client.client_id) == Ok(Origin::Operator);
    Shown {
        client_id: &client.client_id,
        client_secret: secret.map(Secret::expose),
        client_name: client.client_name.as_deref(),
        redirect_uris: &client.redirect_uris,
        token_endpoint_auth_method: client.auth_method,
        keys: client.keys.as_ref(),
        registered_by: if by_operator { "operator" } else { "itself" },
        client_id_issued_at: client.issued_at,
        expires_at: client.expires_at().unwrap_or(0),
    }
}

impl Wanted {
    fn check_redirect_uris(&self, schemes: &[String]) -> Result<(), ClientsError> {
        if !(1..=MAX_REDIRECT_URIS).contains(&self.redirect_uris.len()) {
            return Err(ClientsError::NoRedirectUris);
        }
        match self.redirect_uris.iter().find(|uri| !redirect_uri::is_acceptable(uri, schemes)) {
            Some(uri) => Err(ClientsError::RedirectUri(uri.clone())),
            None => Ok(()),
        }
    }

    fn keys(&self, exchange: &Exchange) -> Result<Option<KeySource>, ClientsError> {
        let signs = self.token_endpoint_auth_method == AuthMethod::PrivateKeyJwt;
        match (&self.jwks, &self.jwks_uri) {
            (None, None) if signs => Err(ClientsError::NoKeys),
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(ClientsError::NoKeys),
            (Some(_), None) | (None, Some(_)) if !signs => Err(ClientsError::UnusedKeys),
            (Some(jwks), None) => {
                ClientKeys::parse(jwks)?;
                Ok(Some(KeySource::Jwks(jwks.clone())))
            }
            (None, Some(uri)) if !client_id::is_public_address(uri) => Err(ClientsError::KeysAddress),
            (None, Some(_)) if !exchange.ports.upstream.is_strictly_public() => Err(ClientsError::KeysUnreachable),
            (None, Some(uri)) => Ok(Some(KeySource::JwksUri(uri.clone()))),
        }
    }
}
