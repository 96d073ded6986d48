//! A deployment as the network sees it, the browsers of people, and a client: every request goes the way it goes in the
//! Worker, from arrival to departure.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::agent::{AgentName, Command, GrantCommand, Presented, Reply};
use crate::app::{self, Deployment};
use crate::config::Config;
use crate::crypto::{Digest, Secret};
use crate::exchange::{Exchange, Isolate};
use crate::oauth::token::{Kind, TokenKeys};
use crate::ports::{Agents as _, Clock as _, OutboundRequest};
use crate::support::{START, Signer, TENANT, TestPlatform, environment, json_response};
use crate::web::{Body, Method, Request, Response};

pub(super) const REDIRECT: &str = "http://127.0.0.1:4711/cb?own=1";
pub(super) const VERIFIER: &str = "a-verifier-of-the-tests-that-is-long-enough-0123456789";
pub(super) const FORM: &str = "application/x-www-form-urlencoded";
pub(super) const TEAM: &str = "contoso.cloudflareaccess.com";
pub(super) const AUD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(super) const OID: &str = "0a1b2c3d-0000-4000-8000-0000000ade1e";

/// Parameters of a query or a form.
pub(super) type Params = Vec<(&'static str, String)>;

/// One deployment.
pub(super) struct Site {
    pub(super) platform: TestPlatform,
    pub(super) origin: String,
    /// Claims of the next `id_token`.
    pub(super) claims: Rc<RefCell<Value>>,
    deployment: Deployment,
    pub(super) isolate: Rc<Isolate>,
}

impl Site {
    /// On a developer's machine, without a perimeter.
    pub(super) fn new() -> Self {
        Self::with(&[])
    }

    /// On a public host, everything behind Access.
    pub(super) fn guarded() -> Self {
        Self::public("strict")
    }

    /// On a public host with Access in this mode.
    pub(super) fn public(mode: &str) -> Self {
        Self::with(&[
            ("PUBLIC_URL", "https://mcp.contoso.example"),
            ("CLOUD", "global"),
            ("ACCESS_MODE", mode),
            ("ACCESS_TEAM_DOMAIN", TEAM),
            ("ACCESS_AUD", AUD),
        ])
    }

    pub(super) fn with(changes: &[(&str, &str)]) -> Self {
        let platform = TestPlatform::new(changes);
        let claims = Rc::new(RefCell::new(json!({
            "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            "aud": "11111111-2222-4333-8444-555555555555",
            "exp": START + 3600, "nbf": START - 10, "tid": TENANT, "oid": OID,
            "name": "Adele", "preferred_username": "adele@contoso.example",
        })));
        let told = Rc::clone(&claims);
        *platform.upstream.responder.borrow_mut() =
            Some(Box::new(move |request| Some(Ok(json_response(200, &outside(request, &told.borrow()))))));
        let set = environment(changes);
        let config = Config::parse(&|name| set.get(name).cloned());
        let origin = platform.config.public_url.origin.clone();
        let deployment = Deployment::new(config, std::iter::empty());
        Self { platform, origin, claims, deployment, isolate: Rc::default() }
    }

    /// The whole way of a request.
    pub(super) async fn send(&self, request: &Request) -> Response {
        let ports = self.platform.ports();
        let arrival = app::arrive(&ports, request);
        let exchange = Exchange {
            config: self.platform.config.clone(),
            ports: ports.clone(),
            isolate: self.isolate.clone(),
            context: arrival.context.clone(),
            access: None,
        };
        let response = if request.body.len() > app::body_limit(request) {
            app::refuse_body(app::BodyRefusal::TooLarge)
        } else {
            app::answer(exchange, &self.deployment, request).await
        };
        app::depart(&ports, &self.deployment, &arrival, request, response)
    }

    pub(super) async fn register(&self, metadata: &Value) -> Response {
        self.send(&self.registration(metadata.to_string().as_bytes())).await
    }

    /// A registration with this body.
    pub(super) fn registration(&self, body: &[u8]) -> Request {
        self.carry(with_header(post("/register", body), "content-type", "application/json"))
    }

    pub(super) async fn public_client(&self) -> String {
        let metadata = json!({
            "client_name": "Inbox Helper", "redirect_uris": ["http://127.0.0.1:1/cb?own=1"],
            "token_endpoint_auth_method": "none",
        });
        json_of(&self.register(&metadata).await)["client_id"].as_str().unwrap().to_owned()
    }

    /// Id and secret of a client that registered this method.
    pub(super) async fn confidential_client(&self, method: &str) -> (String, String) {
        let metadata = json!({
            "redirect_uris": ["http://127.0.0.1:1/cb?own=1"], "token_endpoint_auth_method": method,
        });
        let answer = json_of(&self.register(&metadata).await);
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        (text("client_id"), text("client_secret"))
    }

    /// What passes a perimeter that guards every path.
    pub(super) fn carry(&self, request: Request) -> Request {
        match self.platform.config.access {
            crate::config::Access::Off => request,
            crate::config::Access::On { .. } => with_header(request, "cf-access-jwt-assertion", &assertion("adele")),
        }
    }

    /// `POST /token` with this form.
    pub(super) fn token_request(&self, params: &Params) -> Request {
        self.carry(with_header(post("/token", encode(params).as_bytes()), "content-type", FORM))
    }

    pub(super) async fn token(&self, params: &Params) -> Response {
        self.send(&self.token_request(params)).await
    }

    /// Tokens of a new grant for this client.
    pub(super) async fn tokens(&self, client: &str) -> Value {
        let code = Browser::new(self).sign_in(client).await;
        let response = self.token(&redeeming(client, &code)).await;
        assert_eq!(response.status, 200, "{}", response.body_text());
        json_of(&response)
    }

    /// A JSON-RPC message to `/mcp` under this `Authorization`.
    pub(super) async fn mcp(&self, authorization: &str, body: &str) -> Response {
        let request = with_header(post("/mcp", body.as_bytes()), "content-type", "application/json");
        self.send(&self.carry(with_header(request, "authorization", authorization))).await
    }

    /// Whether this access token still counts, as its object says.
    pub(super) async fn is_live(&self, access: &Value) -> bool {
        let token = Secret::new(access.as_str().unwrap());
        let keys = TokenKeys::new(&self.platform.config.keys.encryption);
        let Ok(stamp) = keys.read(Kind::Access, token.expose(), self.platform.clock.now()) else { return false };
        let confirm = GrantCommand::Confirm(Presented { token, access: None, session: None });
        let reply = self.platform.agents.call(&AgentName::Grant(stamp.grant), &Command::Grant(confirm)).await;
        match reply {
            Ok(Reply::Grant(result)) => result.is_ok(),
            other => panic!("not a grant's reply: {other:?}"),
        }
    }

    pub(super) async fn revoke(&self, client: &str, token: &str) -> Response {
        let form = encode(&vec![("client_id", client.to_owned()), ("token", token.to_owned())]);
        self.send(&self.carry(with_header(post("/revoke", form.as_bytes()), "content-type", FORM))).await
    }

    pub(super) fn entra_calls(&self) -> usize {
        let seen = self.platform.upstream.seen.borrow();
        seen.iter().filter(|request| request.url.ends_with("/oauth2/v2.0/token")).count()
    }

    /// Everything that KV and the objects hold, as one text.
    pub(super) fn dump(&self) -> String {
        let kv = self.platform.kv.entries.borrow();
        let entries = kv.iter().map(|(key, value)| format!("{key} {}\n", String::from_utf8_lossy(value)));
        let objects = self.platform.agents.storages();
        entries.chain(objects.iter().map(|sql| sql.dump())).collect()
    }
}

/// What Entra and Access answer.
fn outside(request: &OutboundRequest, claims: &Value) -> Value {
    let entra = Signer::new("entra-1", 0);
    if request.url.ends_with("/certs") {
        return json!({"keys": [Signer::new("access-1", 1).jwk()], "public_cert": {}});
    }
    if request.url.ends_with("/keys") {
        return json!({"keys": [entra.jwk()]});
    }
    json!({
        "token_type": "Bearer", "access_token": "microsoft-access", "refresh_token": "microsoft-refresh",
        "expires_in": 3600, "id_token": entra.sign(claims),
        "scope": "https://graph.microsoft.com/Mail.ReadWrite https://graph.microsoft.com/User.Read",
    })
}

/// What Access says of a person.
pub(super) fn access_claims(sub: &str) -> Value {
    json!({
        "iss": format!("https://{TEAM}"), "aud": [AUD], "exp": START + 86_400, "nbf": START, "iat": START,
        "type": "app", "sub": sub, "email": format!("{sub}@contoso.example"),
    })
}

/// Access's word on a person.
pub(super) fn assertion(sub: &str) -> String {
    Signer::new("access-1", 1).sign(&access_claims(sub))
}

/// One person's browser.
pub(super) struct Browser<'a> {
    site: &'a Site,
    pub(super) jar: RefCell<Vec<(String, String)>>,
}

impl<'a> Browser<'a> {
    pub(super) fn new(site: &'a Site) -> Self {
        Self { site, jar: RefCell::default() }
    }

    /// Sends with the jar's cookies and takes those that come back.
    pub(super) async fn send(&self, request: Request) -> Response {
        let jar = self.jar.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        let request = if jar.is_empty() { request } else { with_header(request, "cookie", &jar.join("; ")) };
        let response = self.site.send(&self.site.carry(request)).await;
        self.take_cookies(&response);
        response
    }

    fn take_cookies(&self, response: &Response) {
        for (_, cookie) in response.headers.iter().filter(|(name, _)| *name == "set-cookie") {
            let (name, rest) = cookie.split_once('=').unwrap();
            let mut jar = self.jar.borrow_mut();
            jar.retain(|(known, _)| known != name);
            if !rest.contains("Max-Age=0") {
                jar.push((name.to_owned(), rest.split(';').next().unwrap().to_owned()));
            }
        }
    }

    pub(super) async fn authorize(&self, params: &Params) -> Response {
        self.send(get(&format!("/authorize?{}", encode(params)))).await
    }

    /// The consent page's own form.
    pub(super) fn form(transaction: &str, decision: &str) -> Request {
        let body = format!("transaction={transaction}&decision={decision}");
        let request = with_header(post("/authorize", body.as_bytes()), "content-type", FORM);
        with_header(with_header(request, "origin", "null"), "sec-fetch-site", "same-origin")
    }

    pub(super) async fn decide(&self, transaction: &str, decision: &str) -> Response {
        self.send(Self::form(transaction, decision)).await
    }

    /// From the client's request to the redirect to Entra; that URL's parameters.
    pub(super) async fn approve(&self, client: &str) -> Vec<(String, String)> {
        let page = self.authorize(&asking(client)).await;
        let response = self.decide(&transaction_of(&page), "approve").await;
        assert_eq!(response.status, 302, "{}", response.body_text());
        let sent = query_of(&response);
        self.site.claims.borrow_mut()["nonce"] = json!(param(&sent, "nonce").unwrap());
        sent
    }

    pub(super) async fn callback(&self, params: &Params) -> Response {
        self.send(get(&format!("/callback?{}", encode(params)))).await
    }

    /// Back from Entra after [`Browser::approve`].
    pub(super) async fn come_back(&self, sent: &[(String, String)]) -> Response {
        self.callback(&vec![("code", "entra-code".into()), ("state", param(sent, "state").unwrap())]).await
    }

    /// The whole sign-in; the code.
    pub(super) async fn sign_in(&self, client: &str) -> String {
        let sent = self.approve(client).await;
        let response = self.come_back(&sent).await;
        param(&query_of(&response), "code").unwrap_or_else(|| panic!("{response:?} {}", self.site.platform.log.text()))
    }
}

pub(super) fn get(target: &str) -> Request {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query.to_owned())));
    Request { method: Method::Get, path: path.to_owned(), query, headers: Vec::new(), body: Vec::new() }
}

pub(super) fn post(path: &str, body: &[u8]) -> Request {
    Request { method: Method::Post, body: body.to_vec(), ..get(path) }
}

/// The request with this header instead of another of its name.
pub(super) fn with_header(mut request: Request, name: &'static str, value: &str) -> Request {
    request.headers.retain(|(known, _)| *known != name);
    request.headers.push((name, value.to_owned()));
    request
}

/// The parameters of a good authorization request.
pub(super) fn asking(client: &str) -> Params {
    vec![
        ("client_id", client.to_owned()),
        ("redirect_uri", REDIRECT.to_owned()),
        ("response_type", "code".to_owned()),
        ("code_challenge", Digest::of(VERIFIER.as_bytes()).to_string()),
        ("code_challenge_method", "S256".to_owned()),
        ("state", "client state".to_owned()),
    ]
}

/// The parameters of a good redemption.
pub(super) fn redeeming(client: &str, code: &str) -> Params {
    vec![
        ("grant_type", "authorization_code".to_owned()),
        ("client_id", client.to_owned()),
        ("code", code.to_owned()),
        ("redirect_uri", REDIRECT.to_owned()),
        ("code_verifier", VERIFIER.to_owned()),
    ]
}

/// The parameters of a good refresh.
pub(super) fn refreshing(client: &str, token: &Value) -> Params {
    vec![
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", client.to_owned()),
        ("refresh_token", token.as_str().unwrap().to_owned()),
    ]
}

/// `params` with one of them replaced; an empty value takes it away.
pub(super) fn with(mut params: Params, name: &'static str, value: &str) -> Params {
    params.retain(|(key, _)| *key != name);
    if !value.is_empty() {
        params.push((name, value.to_owned()));
    }
    params
}

pub(super) fn encode(params: &Params) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

/// The body as JSON; null where it is none.
pub(super) fn json_of(response: &Response) -> Value {
    serde_json::from_str(&response.body_text()).unwrap_or_default()
}

/// Status and OAuth error code.
pub(super) fn error_of(response: &Response) -> (u16, String) {
    (response.status, json_of(response)["error"].as_str().unwrap_or_default().to_owned())
}

pub(super) fn transaction_of(page: &Response) -> String {
    let html = page.body_text().into_owned();
    let (_, rest) = html.split_once("name=\"transaction\" value=\"").unwrap_or_else(|| panic!("{page:?} {html}"));
    rest.split_once('"').unwrap().0.to_owned()
}

/// The parameters of the response's `Location`.
pub(super) fn query_of(response: &Response) -> Vec<(String, String)> {
    let location = response.header("location").unwrap_or_else(|| panic!("{response:?} {}", response.body_text()));
    form_urlencoded::parse(location.split_once('?').unwrap().1.as_bytes()).into_owned().collect()
}

/// A parameter, which must not come twice.
pub(super) fn param(params: &[(String, String)], name: &str) -> Option<String> {
    let mut found = params.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone());
    let first = found.next();
    assert_eq!(found.next(), None, "{name} comes once");
    first
}

/// Whether the response is one for a person at the browser, that leads nowhere.
pub(super) fn is_local(response: &Response, status: u16) -> bool {
    let html = response.header("content-type") == Some("text/html; charset=utf-8");
    response.status == status && html && response.header("location").is_none() && !matches!(response.body, Body::Empty)
}
