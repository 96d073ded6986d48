//! One deployment, one client, one browser: what the flows about signing in share.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a flow that cannot go on should stop")]

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::crypto::Digest;
use crate::exchange::{Exchange, Isolate};
use crate::identity::AccessIdentity;
use crate::oauth;
use crate::ports::Clock;
use crate::support::{START, Signer, TENANT, TestPlatform, json_response};
use crate::web::{Context, Method, Request, Response};

pub(super) const ORIGIN: &str = "http://localhost:8787";
pub(super) const REDIRECT: &str = "http://127.0.0.1:4711/cb?own=1";
pub(super) const VERIFIER: &str = "a-verifier-of-the-tests-that-is-long-enough-0123456789";
pub(super) const FORM: &str = "application/x-www-form-urlencoded";
const OID: &str = "0a1b2c3d-0000-4000-8000-0000000ade1e";

/// Claims of the next `id_token`, after the tests' changes.
pub(super) type Claims = Rc<RefCell<Value>>;

pub(super) struct World {
    pub(super) platform: TestPlatform,
    isolate: Rc<Isolate>,
    pub(super) cookies: RefCell<Vec<(String, String)>>,
    pub(super) claims: Claims,
    /// The permissions that Microsoft grants at a sign-in.
    pub(super) granted: Rc<RefCell<Vec<&'static str>>>,
    pub(super) access: RefCell<Option<AccessIdentity>>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with_settings(&[])
    }

    pub(super) fn with_settings(changes: &[(&str, &str)]) -> Self {
        let platform = TestPlatform::new(changes);
        let claims = Rc::new(RefCell::new(json!({
            "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            "aud": "11111111-2222-4333-8444-555555555555",
            "exp": START + 3600, "nbf": START - 10, "tid": TENANT, "oid": OID,
            "name": "Adele", "preferred_username": "adele@contoso.example",
        })));
        let told = Rc::clone(&claims);
        let graph = platform.config.microsoft.cloud.graph.clone();
        let granted = Rc::new(RefCell::new(vec!["Mail.ReadWrite"]));
        let grants = Rc::clone(&granted);
        *platform.upstream.responder.borrow_mut() = Some(Box::new(move |request| {
            let signer = Signer::new("entra-1", 0);
            let answer = if request.url.ends_with("/keys") {
                json!({"keys": [signer.jwk()]})
            } else {
                let scopes: Vec<_> = grants.borrow().iter().map(|name| format!("{graph}/{name}")).collect();
                json!({
                    "token_type": "Bearer", "access_token": "microsoft-access", "refresh_token": "microsoft-refresh",
                    "expires_in": 3600, "scope": scopes.join(" "),
                    "id_token": signer.sign(&told.borrow()),
                })
            };
            Some(Ok(json_response(200, &answer)))
        }));
        Self {
            platform,
            isolate: Rc::default(),
            cookies: RefCell::default(),
            claims,
            granted,
            access: RefCell::default(),
        }
    }

    pub(super) fn exchange(&self) -> Exchange {
        let context = Context { request_id: "request-1".into(), ray_id: None, now: self.platform.clock.now() };
        Exchange {
            config: self.platform.config.clone(),
            ports: self.platform.ports(),
            isolate: self.isolate.clone(),
            context,
            access: self.access.borrow().clone(),
        }
    }

    pub(super) fn get(&self, query: &str) -> Request {
        let jar = self.cookies.borrow();
        let cookie = jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let headers = vec![("cookie", cookie)];
        Request { method: Method::Get, path: "/".into(), query: Some(query.into()), headers, body: Vec::new() }
    }

    pub(super) fn post(&self, body: &str) -> Request {
        let mut request = self.get("");
        request.method = Method::Post;
        request.headers.push(("content-type", FORM.into()));
        request.body = body.as_bytes().to_vec();
        request
    }

    /// A POST as the consent page's own form makes it.
    pub(super) fn submit(&self, body: &str) -> Request {
        let mut request = self.post(body);
        request.headers.extend([("origin", "null".to_owned()), ("sec-fetch-site", "same-origin".to_owned())]);
        request
    }

    /// Lets the browser take the response's cookies.
    pub(super) fn take_cookies(&self, response: &Response) {
        for (_, cookie) in response.headers.iter().filter(|(name, _)| *name == "set-cookie") {
            let (name, rest) = cookie.split_once('=').unwrap();
            assert!(name.starts_with("__Host-"), "{cookie}");
            assert!(rest.ends_with("; Secure; HttpOnly; SameSite=Lax") && rest.contains("; Path=/;"), "{cookie}");
            let mut jar = self.cookies.borrow_mut();
            jar.retain(|(known, _)| known != name);
            if !rest.contains("Max-Age=0") {
                jar.push((name.to_owned(), rest.split(';').next().unwrap().to_owned()));
            }
        }
    }

    pub(super) async fn register(&self, metadata: &Value) -> Response {
        let mut request = self.post(&metadata.to_string());
        request.headers = vec![("content-type", "application/json".into())];
        oauth::register::handle(&self.exchange(), &request).await
    }

    pub(super) async fn public_client(&self) -> String {
        let metadata = json!({
            "client_name": "Inbox Helper", "redirect_uris": ["http://127.0.0.1:1/cb?own=1"],
            "token_endpoint_auth_method": "none",
        });
        json_of(&self.register(&metadata).await)["client_id"].as_str().unwrap().to_owned()
    }

    /// The parameters of a good authorization request.
    pub(super) fn asking(client: &str) -> Vec<(&'static str, String)> {
        vec![
            ("client_id", client.to_owned()),
            ("redirect_uri", REDIRECT.to_owned()),
            ("response_type", "code".to_owned()),
            ("code_challenge", Digest::of(VERIFIER.as_bytes()).to_string()),
            ("code_challenge_method", "S256".to_owned()),
            ("state", "client state".to_owned()),
            ("resource", format!("{ORIGIN}/mcp/")),
        ]
    }

    pub(super) async fn authorize(&self, params: &[(&str, String)]) -> Response {
        let response = oauth::authorize::show(&self.exchange(), &self.get(&encode(params))).await;
        self.take_cookies(&response);
        response
    }

    pub(super) async fn decide(&self, request: &Request) -> Response {
        let response = oauth::authorize::decide(&self.exchange(), request).await;
        self.take_cookies(&response);
        response
    }

    pub(super) async fn callback(&self, query: &str) -> Response {
        let response = oauth::callback::handle(&self.exchange(), &self.get(query)).await;
        self.take_cookies(&response);
        response
    }

    /// From the client's request to the redirect to Entra; its URL's parameters.
    pub(super) async fn approve(&self, client: &str) -> Vec<(String, String)> {
        let page = self.authorize(&Self::asking(client)).await;
        let body = format!("transaction={}&decision=approve", transaction_of(&page));
        let response = self.decide(&self.submit(&body)).await;
        assert_eq!(response.status, 302, "{}", response.body_text());
        let params = query_of(&response);
        self.claims.borrow_mut()["nonce"] = json!(param(&params, "nonce").unwrap());
        params
    }

    /// The whole sign-in; the code.
    pub(super) async fn sign_in(&self, client: &str) -> String {
        let sent = self.approve(client).await;
        let query = encode(&[("code", "entra-code".into()), ("state", param(&sent, "state").unwrap())]);
        let response = self.callback(&query).await;
        param(&query_of(&response), "code").unwrap_or_else(|| unreachable!("{response:?} {}", self.platform.log.text()))
    }

    pub(super) async fn token(&self, params: &[(&str, String)]) -> Response {
        let mut request = self.post(&encode(params));
        request.headers.retain(|(name, _)| *name == "content-type");
        oauth::token_endpoint::handle(&self.exchange(), &request).await
    }

    pub(super) fn redeeming(client: &str, code: &str) -> Vec<(&'static str, String)> {
        vec![
            ("grant_type", "authorization_code".to_owned()),
            ("client_id", client.to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", REDIRECT.to_owned()),
            ("code_verifier", VERIFIER.to_owned()),
        ]
    }
}

pub(super) fn encode(params: &[(&str, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

pub(super) fn json_of(response: &Response) -> Value {
    serde_json::from_str(&response.body_text()).unwrap()
}

pub(super) fn transaction_of(page: &Response) -> String {
    let html = page.body_text().into_owned();
    let (_, rest) = html.split_once("name=\"transaction\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

pub(super) fn query_of(response: &Response) -> Vec<(String, String)> {
    let (_, query) = response.header("location").unwrap().split_once('?').unwrap();
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

pub(super) fn param(params: &[(String, String)], name: &str) -> Option<String> {
    let mut found = params.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone());
    let first = found.next();
    assert_eq!(found.next(), None, "{name} comes once");
    first
}

/// `params` with one of them replaced; an empty value takes it away.
pub(super) fn with(
    mut params: Vec<(&'static str, String)>,
    name: &'static str,
    value: &str,
) -> Vec<(&'static str, String)> {
    params.retain(|(key, _)| *key != name);
    if !value.is_empty() {
        params.push((name, value.to_owned()));
    }
    params
}
