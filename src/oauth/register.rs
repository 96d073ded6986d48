//! Dynamic client registration (RFC 7591): open to everybody, because registering gives nothing but the right to ask a
//! person for consent. Strict about where answers may go, silent about what it does not use.

use serde::{Deserialize, Serialize};

use crate::crypto::{self, Secret};
use crate::exchange::Exchange;
use crate::limits::{self, Party};
use crate::log::{Event, Kind};
use crate::ports::Limit;
use crate::web::{Request, Response};

use super::client::{AuthMethod, Client};
use super::error::{RegisterError, uncached};
use super::{daily_cap, display, redirect_uri};

const MAX_BODY: usize = 16 * 1024;
const MAX_REDIRECT_URIS: usize = 10;

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    token_endpoint_auth_method: Option<String>,
    /// `OpenID` Connect Registration section 2; MCP's clients send it.
    application_type: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    client_uri: Option<String>,
    logo_uri: Option<String>,
    policy_uri: Option<String>,
    tos_uri: Option<String>,
}

#[derive(Serialize)]
struct Registered<'a> {
    client_id: &'a str,
    client_id_issued_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_name: Option<&'a str>,
    redirect_uris: &'a [String],
    token_endpoint_auth_method: AuthMethod,
    grant_types: [&'static str; 2],
    response_types: [&'static str; 1],
}

/// `POST /register`.
pub async fn handle(exchange: &Exchange, request: &Request) -> Response {
    match register(exchange, request).await {
        Ok(response) => response,
        Err(error) => {
            let reason = error.to_string();
            exchange.ports.log.write(&Event {
                route: Some("register"),
                reason: Some(&reason),
                ..exchange.context.event(Kind::OauthRefused)
            });
            error.response()
        }
    }
}

async fn register(exchange: &Exchange, request: &Request) -> Result<Response, RegisterError> {
    if exchange.config.registrations_per_day == 0 {
        return Err(RegisterError::Closed);
    }
    if request.body.len() > MAX_BODY {
        return Err(RegisterError::TooLarge);
    }
    if !request.has_media_type("application/json") {
        return Err(RegisterError::Malformed);
    }
    let metadata: Metadata = serde_json::from_slice(&request.body).map_err(|_| RegisterError::Malformed)?;
    let auth_method = metadata.validate(&exchange.config.redirect_schemes)?;
    limits::check(exchange, Limit::Register, &Party::network(exchange, request)).await?;
    daily_cap::admit(exchange).await?;
    let random = exchange.ports.random.as_ref();
    let secret = (auth_method != AuthMethod::None).then(|| Secret::new(crypto::random_text::<32>(random)));
    let client = Client {
        client_id: crypto::random_text::<16>(random),
        client_name: metadata.client_name.as_deref().and_then(display::clean),
        redirect_uris: metadata.redirect_uris,
        auth_method,
        other_method: None,
        secret: secret.as_ref().map(Secret::digest),
        keys: None,
        signing_alg: None,
        issued_at: exchange.context.now,
        renewed_at: None,
    };
    client.save(exchange.ports.kv.as_ref(), exchange.context.now).await?;
    exchange
        .ports
        .log
        .write(&Event { client_id: Some(&client.client_id), ..exchange.context.event(Kind::OauthRegistered) });
    Ok(uncached(201, &answer(&client, secret.as_ref())))
}

fn answer<'a>(client: &'a Client, secret: Option<&'a Secret>) -> Registered<'a> {
    Registered {
        client_id: &client.client_id,
        client_id_issued_at: client.issued_at,
        client_secret: secret.map(Secret::expose),
        client_secret_expires_at: secret.and(client.expires_at()),
        client_name: client.client_name.as_deref(),
        redirect_uris: &client.redirect_uris,
        token_endpoint_auth_method: client.auth_method,
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
    }
}

impl Metadata {
    fn validate(&self, schemes: &[String]) -> Result<AuthMethod, RegisterError> {
        let uris = &self.redirect_uris;
        let count_fits = (1..=MAX_REDIRECT_URIS).contains(&uris.len());
        if !count_fits || !uris.iter().all(|uri| redirect_uri::is_acceptable(uri, schemes)) {
            return Err(RegisterError::RedirectUris);
        }
        if !self.has_known_flow() {
            return Err(RegisterError::Flow);
        }
        self.check_application_type()?;
        let links = [&self.client_uri, &self.logo_uri, &self.policy_uri, &self.tos_uri];
        if !links.into_iter().flatten().all(|uri| is_web_uri(uri)) {
            return Err(RegisterError::MetadataUri);
        }
        match self.token_endpoint_auth_method.as_deref() {
            Some("none") => Ok(AuthMethod::None),
            // The default of RFC 7591 section 2.
            None | Some("client_secret_basic") => Ok(AuthMethod::Basic),
            Some("client_secret_post") => Ok(AuthMethod::Post),
            Some(_) => Err(RegisterError::AuthMethod),
        }
    }

    /// A site is not on the user's device. A type that is left out says nothing: apps on devices leave it out too.
    fn check_application_type(&self) -> Result<(), RegisterError> {
        match self.application_type.as_deref() {
            Some("web") if self.redirect_uris.iter().any(|uri| redirect_uri::is_on_this_device(uri)) => {
                Err(RegisterError::WebOnDevice)
            }
            None | Some("native" | "web") => Ok(()),
            Some(_) => Err(RegisterError::ApplicationType),
        }
    }

    fn has_known_flow(&self) -> bool {
        let grants = self.grant_types.as_ref().is_none_or(|types| {
            types.iter().all(|name| matches!(name.as_str(), "authorization_code" | "refresh_token"))
                && types.iter().any(|name| name == "authorization_code")
        });
        grants && self.response_types.as_ref().is_none_or(|types| types.iter().all(|name| name == "code"))
    }
}

/// Never loaded and never linked; only what could be is refused.
fn is_web_uri(text: &str) -> bool {
    text.is_empty() || url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
