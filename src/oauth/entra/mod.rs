//! The Entra leg: where the browser is sent, and the two calls of the token endpoint.
//!
//! Owns requests, answers and the classes of refusal (OAuth 2.0, RFC 6749 sections 4.1 and 6, and the Microsoft
//! identity platform's v2.0 endpoint). Does not read id tokens and stores nothing. Hosts and tenant come from the
//! configuration, never from an answer; secret or assertion goes into the form body; a `resource` parameter is never
//! sent, because the v2.0 endpoint takes resources as prefixes of scopes.

mod assertion;

use std::cell::Cell;
use std::fmt;

use oauth2::basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EndpointNotSet, ErrorResponse,
    ExtraTokenFields, HttpRequest, HttpResponse, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError,
    StandardRevocableToken, StandardTokenResponse, TokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};

use crate::agent::MicrosoftTokens;
use crate::config::{self, ClientCredential};
use crate::crypto::Secret;
use crate::identity::ScopeSet;
use crate::ports::{OutboundRequest, OutboundResponse, Ps256, Random, Upstream, UpstreamError};

/// How long one call may take. A person waits for it, and the object answers nobody else about these tokens meanwhile.
const LIMIT_MS: u64 = 10_000;

/// What is asked beside Graph: an id token with `oid`, and a refresh token.
const OWN_SCOPES: &[&str] = &["openid", "profile", "offline_access"];

/// Entra, as one app registration sees it.
pub struct Entra<'a> {
    /// The app registration.
    pub microsoft: &'a config::Microsoft,
    /// Our `/callback`.
    pub redirect_uri: String,
    /// The way there.
    pub upstream: &'a dyn Upstream,
    /// Signs where the credential is a certificate.
    pub ps256: &'a dyn Ps256,
    /// Names each assertion.
    pub random: &'a dyn Random,
    /// Unix seconds.
    pub now: u64,
}

/// What a code brought.
#[derive(Debug)]
pub struct SignIn {
    /// For Graph.
    pub tokens: MicrosoftTokens,
    /// Not yet validated.
    pub id_token: Secret,
}

/// Why Entra gave no tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntraError {
    /// The user must sign in again.
    #[error("the user must sign in again")]
    SignInNeeded {
        /// Microsoft's AADSTS number, for help texts only.
        code: Option<u32>,
    },
    /// The user refused.
    #[error("the user refused")]
    Denied,
    /// No answer, or one that asks to come back later.
    #[error("Entra is unavailable")]
    Unavailable,
    /// Entra refuses this server: its credential, its registration, or what it asks for.
    #[error("Entra refuses this server")]
    RefusesServer,
    /// An answer that this server cannot read.
    #[error("Entra's answer is malformed")]
    Malformed,
}

impl EntraError {
    /// The class of an `error`, from the token endpoint or from the redirect to `/callback`. Texts and numbers decide
    /// nothing: Microsoft changes them.
    pub fn classify(error: &str, suberror: Option<&str>) -> Self {
        match error {
            "invalid_grant" | "interaction_required" | "login_required" | "consent_required" => {
                Self::SignInNeeded { code: None }
            }
            "access_denied" => Self::Denied,
            "temporarily_unavailable" | "server_error" => Self::Unavailable,
            _ if suberror.is_some_and(asks_for_the_user) => Self::SignInNeeded { code: None },
            _ => Self::RefusesServer,
        }
    }
}

/// Sub-errors that only the user can mend, whatever the error is called.
fn asks_for_the_user(suberror: &str) -> bool {
    matches!(
        suberror,
        "basic_action"
            | "additional_action"
            | "message_only"
            | "consent_required"
            | "user_password_expired"
            | "bad_token"
            | "token_expired"
            | "protection_policy_required"
    )
}

impl Entra<'_> {
    /// Where the browser signs in.
    pub fn authorize_url(&self, state: &Secret, nonce: &str, code_challenge: &str, scopes: ScopeSet) -> String {
        let endpoint = self.endpoint(&self.microsoft.cloud.browser_login, "authorize");
        // The host comes from the cloud table, so this always parses; the bare endpoint would show Entra's own error.
        let Ok(url) = AuthUrl::new(endpoint.clone()) else { return endpoint };
        let state = state.expose().to_owned();
        let (url, _) = self
            .client()
            .set_auth_uri(url)
            .authorize_url(|| CsrfToken::new(state))
            .add_scopes(self.scopes(scopes))
            .add_extra_param("redirect_uri", self.redirect_uri.as_str())
            .add_extra_param("response_mode", "query")
            .add_extra_param("prompt", "select_account")
            .add_extra_param("nonce", nonce)
            .add_extra_param("code_challenge", code_challenge)
            .add_extra_param("code_challenge_method", "S256")
            .url();
        url.into()
    }

    /// Trades the code that came to `/callback`. `asked` is what the browser was sent to Entra with: an answer that
    /// names no scopes granted exactly that (RFC 6749 section 5.1).
    pub async fn exchange_code(&self, code: &Secret, verifier: &Secret, asked: ScopeSet) -> Result<SignIn, EntraError> {
        let token_url = TokenUrl::new(self.token_endpoint()).map_err(|_| EntraError::Malformed)?;
        let redirect = RedirectUrl::new(self.redirect_uri.clone()).map_err(|_| EntraError::Malformed)?;
        let status = Cell::new(0);
        let client = self.client().set_token_uri(token_url).set_redirect_uri(redirect);
        let request = client
            .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()));
        let proof = assertion::fields(self).await?.into_iter();
        let answer = proof
            .fold(request, |request, (name, value)| request.add_extra_param(name, value))
            .request_async(&|request| self.send(request, &status))
            .await
            .map_err(|error| refusal(error, status.get()))?;
        let id_token = answer.extra_fields().id_token.clone().ok_or(EntraError::Malformed)?;
        Ok(SignIn { tokens: self.tokens(&answer, asked)?, id_token })
    }

    /// Trades a refresh token. `scopes` are those of the sign-in: one call is for one resource only.
    pub async fn refresh(&self, refresh: &Secret, scopes: ScopeSet) -> Result<MicrosoftTokens, EntraError> {
        let token_url = TokenUrl::new(self.token_endpoint()).map_err(|_| EntraError::Malformed)?;
        let status = Cell::new(0);
        let client = self.client().set_token_uri(token_url);
        let refresh = RefreshToken::new(refresh.expose().to_owned());
        let request = client.exchange_refresh_token(&refresh).add_scopes(self.scopes(scopes));
        let proof = assertion::fields(self).await?.into_iter();
        let answer = proof
            .fold(request, |request, (name, value)| request.add_extra_param(name, value))
            .request_async(&|request| self.send(request, &status))
            .await
            .map_err(|error| refusal(error, status.get()))?;
        self.tokens(&answer, scopes)
    }

    fn client(&self) -> EntraClient {
        let client =
            Client::new(ClientId::new(self.microsoft.client_id.to_string())).set_auth_type(AuthType::RequestBody);
        match &self.microsoft.credential {
            ClientCredential::Secret(secret) => client.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
            ClientCredential::Certificate(_) => client,
        }
    }

    /// The tenant's own endpoint: a refresh token is not bound to a tenant, so the path must pin it.
    fn endpoint(&self, login: &str, name: &str) -> String {
        format!("{login}/{}/oauth2/v2.0/{name}", self.microsoft.tenant_id)
    }

    fn token_endpoint(&self) -> String {
        self.endpoint(&self.microsoft.cloud.login, "token")
    }

    /// Graph scopes carry this cloud's Graph host, because a bare name means the global cloud's. No more is asked for
    /// than is needed: where a wider scope includes a narrower one, the wider one alone.
    fn scopes(&self, scopes: ScopeSet) -> Vec<oauth2::Scope> {
        let graph = &self.microsoft.cloud.graph;
        let named = scopes.least().iter().map(|scope| format!("{graph}/{}", scope.name()));
        OWN_SCOPES.iter().map(|name| (*name).to_owned()).chain(named).map(oauth2::Scope::new).collect()
    }

    fn tokens(&self, answer: &EntraTokens, asked: ScopeSet) -> Result<MicrosoftTokens, EntraError> {
        // Graph tokens are opaque to us: only `expires_in` says how long they live.
        let lifetime = answer.expires_in().ok_or(EntraError::Malformed)?.as_secs();
        // No `scope` means what was asked (RFC 6749 section 5.1).
        let granted = answer.scopes().map_or(asked, |scopes| {
            scopes.iter().fold(ScopeSet::default(), |all, scope| all.union(ScopeSet::parse_known(scope)))
        });
        Ok(MicrosoftTokens {
            access: Secret::new(answer.access_token().secret()),
            refresh: answer.refresh_token().map(|token| Secret::new(token.secret())),
            expires_at: self.now.saturating_add(lifetime),
            scopes: granted,
        })
    }

    async fn send(&self, request: HttpRequest, status: &Cell<u16>) -> Result<HttpResponse, UpstreamError> {
        let response = self.upstream.send(outbound(request), LIMIT_MS).await?;
        status.set(response.status);
        inbound(response)
    }
}

type EntraTokens = StandardTokenResponse<IdToken, BasicTokenType>;
type EntraClient<Auth = EndpointNotSet, Token = EndpointNotSet> = Client<
    Refusal,
    EntraTokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    Auth,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    Token,
>;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct IdToken {
    id_token: Option<Secret>,
}

impl ExtraTokenFields for IdToken {}

/// The error document without its description, which may name the user.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Refusal {
    error: String,
    suberror: Option<String>,
    #[serde(default)]
    error_codes: Vec<u32>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)
    }
}

impl ErrorResponse for Refusal {}

fn refusal(error: RequestTokenError<UpstreamError, Refusal>, status: u16) -> EntraError {
    if status == 429 || status >= 500 {
        return EntraError::Unavailable;
    }
    match error {
        RequestTokenError::ServerResponse(refusal) => {
            match EntraError::classify(&refusal.error, refusal.suberror.as_deref()) {
                EntraError::SignInNeeded { .. } => {
                    EntraError::SignInNeeded { code: refusal.error_codes.first().copied() }
                }
                class => class,
            }
        }
        RequestTokenError::Request(UpstreamError::Timeout | UpstreamError::Unreachable) => EntraError::Unavailable,
        RequestTokenError::Request(UpstreamError::TooLarge)
        | RequestTokenError::Parse(..)
        | RequestTokenError::Other(_) => EntraError::Malformed,
    }
}

fn outbound(request: HttpRequest) -> OutboundRequest {
    let (parts, body) = request.into_parts();
    let headers =
        parts.headers.iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    OutboundRequest {
        method: parts.method.to_string(),
        url: parts.uri.to_string(),
        headers: headers.collect(),
        body: Some(body),
    }
}

/// Only the media type matters to the parser; other headers of Entra's are dropped.
fn inbound(response: OutboundResponse) -> Result<HttpResponse, UpstreamError> {
    let mut builder = oauth2::http::Response::builder().status(response.status);
    if let Some(media_type) = response.header("content-type") {
        builder = builder.header("content-type", media_type);
    }
    builder.body(response.body).map_err(|_| UpstreamError::Unreachable)
}
