//! The Entra leg: where the browser is sent, and the two calls of the token endpoint.
//!
//! Owns requests and answers (OAuth 2.0, RFC 6749 sections 4.1 and 6, and the Microsoft identity platform's v2.0
//! endpoint); `assertion` owns the proof by certificate, `error` the classes of refusal, `help` what is said of them.
//! Does not read id tokens and stores nothing. Hosts and tenant come from the
//! configuration, never from an answer; secret or assertion goes into the form body; a `resource` parameter is never
//! sent, because the v2.0 endpoint takes resources as prefixes of scopes.

mod assertion;
pub mod claims;
mod error;
mod help;

use std::cell::Cell;

use oauth2::basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType};
use oauth2::http::header::CONTENT_TYPE;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EndpointNotSet, ExtraTokenFields,
    HttpRequest, HttpResponse, PkceCodeVerifier, RedirectUrl, RefreshToken, StandardRevocableToken,
    StandardTokenResponse, TokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};

use self::claims::Claims;
use self::error::{Answered, Refusal, refusal};
use crate::agent::MicrosoftTokens;
use crate::config::{ClientCredential, Microsoft};
use crate::crypto::Secret;
use crate::identity::ScopeSet;
use crate::ports::{OutboundRequest, OutboundResponse, Ps256, Random, Upstream, UpstreamError};

pub use self::error::EntraError;
pub use self::help::{Help, SERVER_REFUSED};

/// How long one call may take. A person waits for it, and the object answers nobody else about these tokens meanwhile.
const LIMIT_MS: u64 = 10_000;

/// What is asked beside Graph: an id token with `oid`, and a refresh token.
const OWN_SCOPES: &[&str] = &["openid", "profile", "offline_access"];

/// What is asked where only the user's identity matters.
const IDENTITY_SCOPES: &[&str] = &["openid", "profile"];

/// Entra, as one app registration sees it.
pub struct Entra<'a> {
    /// The app registration.
    pub microsoft: &'a Microsoft,
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

/// What a sign-in has to carry that goes to Entra a second time.
pub struct Again<'a> {
    /// As the first time.
    pub scopes: ScopeSet,
    /// What Graph asks for.
    pub claims: &'a Claims,
    /// Who it was the first time; chosen beforehand, but not decided by this.
    pub account: Option<&'a str>,
}

/// What a code brought.
#[derive(Debug)]
pub struct SignIn {
    /// For Graph.
    pub tokens: MicrosoftTokens,
    /// Not yet validated.
    pub id_token: Secret,
}

impl Entra<'_> {
    /// Where the browser signs in.
    pub fn authorize_url(&self, state: &Secret, nonce: &str, code_challenge: &str, scopes: ScopeSet) -> String {
        let asked = Asked { scopes: self.scopes(scopes), claims: None, account: None };
        self.browser_url(state, nonce, code_challenge, asked)
    }

    /// The same once more, for what Graph asks of the access token. Whoever signed in already is not asked who it is.
    pub fn challenge_url(&self, state: &Secret, nonce: &str, code_challenge: &str, again: &Again<'_>) -> String {
        let asked = Asked { scopes: self.scopes(again.scopes), claims: Some(again.claims), account: again.account };
        self.browser_url(state, nonce, code_challenge, asked)
    }

    /// The same for somebody who only says who they are: nothing of Graph, no refresh token.
    pub fn identity_url(&self, state: &Secret, nonce: &str, code_challenge: &str) -> String {
        let scopes = IDENTITY_SCOPES.iter().map(|name| oauth2::Scope::new((*name).to_owned()));
        self.browser_url(state, nonce, code_challenge, Asked { scopes: scopes.collect(), claims: None, account: None })
    }

    fn browser_url(&self, state: &Secret, nonce: &str, code_challenge: &str, asked: Asked<'_>) -> String {
        let endpoint = self.endpoint(&self.microsoft.cloud.browser_login, "authorize");
        // The host comes from the cloud table, so this always parses; the bare endpoint would show Entra's own error.
        let Ok(url) = AuthUrl::new(endpoint.clone()) else { return endpoint };
        let state = state.expose().to_owned();
        let (who, account) = asked.account.map_or(("prompt", "select_account"), |account| ("login_hint", account));
        let (url, _) = self
            .client()
            .set_auth_uri(url)
            .authorize_url(|| CsrfToken::new(state))
            .add_scopes(asked.scopes)
            .add_extra_param("redirect_uri", self.redirect_uri.as_str())
            .add_extra_param("response_mode", "query")
            .add_extra_param(who, account)
            .add_extra_param("nonce", nonce)
            .add_extra_param("claims", claims::parameter(asked.claims))
            .add_extra_param("code_challenge", code_challenge)
            .add_extra_param("code_challenge_method", "S256")
            .url();
        url.into()
    }

    /// Where an administrator consents for the organization. Only there the tenant may not be `common`.
    pub fn admin_consent_url(&self, state: &Secret, scopes: ScopeSet) -> String {
        let Microsoft { cloud, tenant_id, client_id, .. } = self.microsoft;
        let scopes: Vec<_> = self.scopes(scopes).iter().map(|scope| scope.as_str().to_owned()).collect();
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &client_id.to_string())
            .append_pair("scope", &scopes.join(" "))
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("state", state.expose())
            .finish();
        format!("{}/{tenant_id}/v2.0/adminconsent?{query}", cloud.browser_login)
    }

    /// Trades the code that came to `/callback`. `asked` is what the browser was sent to Entra with: an answer that
    /// names no scopes granted exactly that (RFC 6749 section 5.1). `challenge` is what Graph asks of the access token.
    pub async fn exchange_code(
        &self,
        code: &Secret,
        verifier: &Secret,
        asked: ScopeSet,
        challenge: Option<&Claims>,
    ) -> Result<SignIn, EntraError> {
        let token_url = TokenUrl::new(self.token_endpoint()).map_err(|_| EntraError::Malformed)?;
        let redirect = RedirectUrl::new(self.redirect_uri.clone()).map_err(|_| EntraError::Malformed)?;
        let answered = Cell::default();
        let client = self.client().set_token_uri(token_url).set_redirect_uri(redirect);
        let request = client
            .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()))
            .add_extra_param("claims", claims::parameter(challenge));
        let proof = assertion::fields(self).await?.into_iter();
        let answer = proof
            .fold(request, |request, (name, value)| request.add_extra_param(name, value))
            .request_async(&|request| self.send(request, &answered))
            .await
            .map_err(|error| refusal(error, answered.get()))?;
        let id_token = answer.extra_fields().id_token.clone().ok_or(EntraError::Malformed)?;
        let tokens = MicrosoftTokens { claims: challenge.cloned(), ..self.tokens(&answer, asked)? };
        Ok(SignIn { tokens, id_token })
    }

    /// Trades a refresh token. `scopes` are those of the sign-in: one call is for one resource only. `challenge` is
    /// what Graph asks of the access token.
    pub async fn refresh(
        &self,
        refresh: &Secret,
        scopes: ScopeSet,
        challenge: Option<&Claims>,
    ) -> Result<MicrosoftTokens, EntraError> {
        let token_url = TokenUrl::new(self.token_endpoint()).map_err(|_| EntraError::Malformed)?;
        let answered = Cell::default();
        let client = self.client().set_token_uri(token_url);
        let refresh = RefreshToken::new(refresh.expose().to_owned());
        let request = client
            .exchange_refresh_token(&refresh)
            .add_scopes(self.scopes(scopes))
            .add_extra_param("claims", claims::parameter(challenge));
        let proof = assertion::fields(self).await?.into_iter();
        let answer = proof
            .fold(request, |request, (name, value)| request.add_extra_param(name, value))
            .request_async(&|request| self.send(request, &answered))
            .await
            .map_err(|error| refusal(error, answered.get()))?;
        Ok(MicrosoftTokens { claims: challenge.cloned(), ..self.tokens(&answer, scopes)? })
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

    /// The bare name of a scope of this cloud's Graph; other resources have scopes of the same names.
    fn name_in_graph<'s>(&self, scope: &'s str) -> Option<&'s str> {
        let name = scope.strip_prefix(&self.microsoft.cloud.graph).and_then(|rest| rest.strip_prefix('/'));
        name.or_else(|| (!scope.contains('/')).then_some(scope))
    }

    fn tokens(&self, answer: &EntraTokens, asked: ScopeSet) -> Result<MicrosoftTokens, EntraError> {
        // Graph tokens are opaque to us: only `expires_in` says how long they live.
        let lifetime = answer.expires_in().ok_or(EntraError::Malformed)?.as_secs();
        // No `scope` means what was asked (RFC 6749 section 5.1).
        let granted = answer.scopes().map_or(asked, |scopes| {
            let of_graph = scopes.iter().filter_map(|scope| self.name_in_graph(scope));
            of_graph.fold(ScopeSet::default(), |all, name| all.union(ScopeSet::parse_known(name)))
        });
        Ok(MicrosoftTokens {
            access: Secret::new(answer.access_token().secret()),
            refresh: answer.refresh_token().map(|token| Secret::new(token.secret())),
            expires_at: self.now.saturating_add(lifetime),
            scopes: granted,
            claims: None,
        })
    }

    async fn send(&self, request: HttpRequest, answered: &Cell<Answered>) -> Result<HttpResponse, UpstreamError> {
        let response = self.upstream.send(outbound(request), LIMIT_MS).await?;
        answered.set(Answered { status: response.status, retry_after: response.retry_after(self.now) });
        inbound(response)
    }
}

/// What the browser asks for at Entra's page.
struct Asked<'a> {
    scopes: Vec<oauth2::Scope>,
    claims: Option<&'a Claims>,
    account: Option<&'a str>,
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

fn outbound(request: HttpRequest) -> OutboundRequest {
    let (parts, body) = request.into_parts();
    let headers =
        parts.headers.iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    OutboundRequest {
        method: parts.method.to_string(),
        url: parts.uri.to_string(),
        headers: headers.collect(),
        body: Some(body),
        max_answer: None,
    }
}

/// Only the media type matters to the parser; other headers of Entra's are dropped.
fn inbound(response: OutboundResponse) -> Result<HttpResponse, UpstreamError> {
    let mut builder = oauth2::http::Response::builder().status(response.status);
    if let Some(media_type) = response.header("content-type") {
        // The constant and not the name: to parse a name is 12 KB of Wasm.
        builder = builder.header(CONTENT_TYPE, media_type);
    }
    builder.body(response.body).map_err(|_| UpstreamError::Unreachable)
}
