//! The emulator refuses what the real services refuse; each test is one such rule.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed unwrap is a failed test")]

#[path = "refusals/calendar.rs"]
mod calendar;
#[path = "refusals/claims.rs"]
mod claims;
#[path = "refusals/files.rs"]
mod files;
#[path = "refusals/lists.rs"]
mod lists;
#[path = "refusals/mail.rs"]
mod mail;
#[path = "refusals/seek.rs"]
mod seek;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use m365_emulator::{Emulator, serve, settings::Settings};
use reqwest::{Client, Response, redirect::Policy};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const TENANT: &str = "11111111-2222-4333-8444-555555555555";
const CLIENT: &str = "66666666-7777-4888-9999-aaaaaaaaaaaa";
const REDIRECT: &str = "http://localhost:8787/callback";
const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters-0";
const SCOPES: &str = "openid profile offline_access User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite";

/// One emulator on a port of its own, with a Worker that is not there unless given.
struct Fixture {
    base: String,
    http: Client,
}

impl Fixture {
    async fn start() -> Self {
        Self::with_worker("http://localhost:9").await
    }

    async fn with_worker(worker: &str) -> Self {
        let arguments = ["--worker".to_owned(), worker.to_owned()];
        let lookup = |name: &str| (name == "EMULATOR_REDIRECT_URI").then(|| REDIRECT.to_owned());
        let app = Emulator::new(Settings::parse(&arguments, lookup).unwrap()).unwrap();
        let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", tcp.local_addr().unwrap());
        tokio::spawn(serve(app, tcp));
        let http = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Self { base, http }
    }

    /// Chooses Adele on the authorize page; `changed` replaces or (by an empty value) drops a parameter.
    async fn authorize(&self, changed: &[(&str, &str)]) -> Response {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let mut query = vec![
            ("client_id", CLIENT),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", SCOPES),
            ("state", "s"),
            ("nonce", "n"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        query.retain(|(name, _)| !changed.iter().any(|(other, _)| other == name));
        query.extend(changed.iter().filter(|(_, value)| !value.is_empty()));
        let url = format!("{}/login.microsoftonline.com/{TENANT}/oauth2/v2.0/authorize", self.base);
        let request = self.http.post(url).query(&query);
        request
            .header("content-type", "application/x-www-form-urlencoded")
            .body("user=adele@contoso.example")
            .send()
            .await
            .unwrap()
    }

    async fn code(&self, changed: &[(&str, &str)]) -> String {
        parameter(&self.authorize(changed).await, "code").unwrap()
    }

    async fn token(&self, fields: &[(&str, &str)]) -> Value {
        let mut body = format!("client_id={CLIENT}&client_secret=emulator-client-secret");
        for (name, value) in fields {
            let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
            body.extend(["&", name, "="]);
            body.extend(value);
        }
        let request = self.http.post(format!("{}/{TENANT}/oauth2/v2.0/token", self.base));
        let request = request.header("host", "login.microsoftonline.com");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(body).send().await.unwrap().json().await.unwrap()
    }

    async fn redeem(&self, code: &str, verifier: &str) -> Value {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", verifier),
        ];
        self.token(&fields).await
    }

    async fn access_token(&self, changed: &[(&str, &str)]) -> String {
        let code = self.code(changed).await;
        self.redeem(&code, VERIFIER).await["access_token"].as_str().unwrap().to_owned()
    }

    async fn graph(&self, token: &str, path: &str) -> (u16, Value) {
        let request = self.http.get(format!("{}{path}", self.base)).header("host", "graph.microsoft.com");
        let answer = request.bearer_auth(token).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn post(&self, token: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.base)).header("host", "graph.microsoft.com");
        let request = request.bearer_auth(token).header("prefer", "IdType=\"ImmutableId\"");
        let answer = request.json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    async fn run(&self, inputs: &Value, gateway: &str) -> Response {
        let request = self.http.post(&self.base).header("mf-binding", "AI");
        let request = request.header("mf-url", "https://workers-binding.ai/ai-gateway/run?version=3");
        let request = request.header("mf-header-content-type", "application/json");
        let request = request.header("mf-header-cf-consn-sdk-version", "2.0.0");
        let request = request.header("mf-header-cf-consn-model-id", "dynamic/microsoft-graph-handler");
        let body = format!("{{\"inputs\":{inputs},\"options\":{{\"gateway\":{gateway}}}}}");
        request.body(body).send().await.unwrap()
    }

    async fn control(&self, path: &str) -> Value {
        self.http.get(format!("{}/_control{path}", self.base)).send().await.unwrap().json().await.unwrap()
    }
}

fn parameter(answer: &Response, name: &str) -> Option<String> {
    let location = answer.headers().get("location")?.to_str().ok()?;
    let query = location.split_once('?')?.1;
    m365_emulator::call::Pairs::parse(query).get(name).map(str::to_owned)
}

fn chat() -> Value {
    json!({"method": "GET", "path": "/v1.0/me", "messages": [{"role": "user", "content": "{}"}], "stream": false})
}

#[tokio::test]
async fn authorize_without_pkce_goes_back_as_an_error() {
    let fixture = Fixture::start().await;
    let answer = fixture.authorize(&[("code_challenge", ""), ("code_challenge_method", "")]).await;
    assert_eq!(parameter(&answer, "error").as_deref(), Some("invalid_request"));
    assert_eq!(parameter(&answer, "state").as_deref(), Some("s"));
    assert_eq!(parameter(&answer, "code"), None);
}

#[tokio::test]
async fn another_redirect_uri_is_never_redirected_to() {
    let fixture = Fixture::start().await;
    let answer = fixture.authorize(&[("redirect_uri", "http://localhost:8787/callback/")]).await;
    assert_eq!(answer.status(), 400);
    assert!(answer.headers().get("location").is_none());
}

#[tokio::test]
async fn a_code_is_redeemed_once() {
    let fixture = Fixture::start().await;
    let code = fixture.code(&[]).await;
    assert!(fixture.redeem(&code, VERIFIER).await["id_token"].is_string());
    let again = fixture.redeem(&code, VERIFIER).await;
    assert_eq!((&again["error"], &again["error_codes"]), (&json!("invalid_grant"), &json!([54005])));
}

#[tokio::test]
async fn a_wrong_verifier_is_refused_and_leaves_the_code_usable() {
    let fixture = Fixture::start().await;
    let code = fixture.code(&[]).await;
    assert_eq!(fixture.redeem(&code, "another").await["error_codes"], json!([501_481]));
    assert!(fixture.redeem(&code, VERIFIER).await["access_token"].is_string());
}

#[tokio::test]
async fn the_resource_parameter_is_refused() {
    let fixture = Fixture::start().await;
    let refused = fixture
        .token(&[("grant_type", "refresh_token"), ("refresh_token", "x"), ("resource", "https://graph.microsoft.com")])
        .await;
    assert_eq!(refused["error_codes"], json!([9_010_010]));
}

#[tokio::test]
async fn graph_refuses_a_token_without_the_scope() {
    let fixture = Fixture::start().await;
    let token = fixture.access_token(&[("scope", "openid User.Read")]).await;
    let (status, body) = fixture.graph(&token, "/v1.0/me/messages").await;
    assert_eq!((status, &body["error"]["code"]), (403, &json!("ErrorAccessDenied")));
}

#[tokio::test]
async fn the_parts_of_a_batch_are_refused_one_by_one() {
    let fixture = Fixture::start().await;
    let token = fixture.access_token(&[]).await;
    let part = |id: &str, url: &str| json!({"id": id, "method": "GET", "url": url});
    let parts = [part("a", "/me"), part("b", "/me/contacts"), part("c", "/$batch")];
    let (status, body) = fixture.post(&token, "/v1.0/$batch", &json!({ "requests": parts })).await;
    assert_eq!(status, 200);
    let mut found: Vec<_> =
        body["responses"].as_array().unwrap().iter().map(|one| (&one["id"], &one["status"])).collect();
    found.sort_by_key(|(id, _)| id.to_string());
    assert_eq!(found, [(&json!("a"), &json!(200)), (&json!("b"), &json!(403)), (&json!("c"), &json!(400))]);
    let many: Vec<_> = (0..21).map(|at| part(&at.to_string(), "/me")).collect();
    assert_eq!(fixture.post(&token, "/v1.0/$batch", &json!({ "requests": many })).await.0, 400);
}

#[tokio::test]
async fn graph_refuses_search_with_orderby_and_unbalanced_quotes() {
    let fixture = Fixture::start().await;
    let token = fixture.access_token(&[]).await;
    let (status, body) = fixture.graph(&token, "/v1.0/me/messages?$search=%22a%22&$orderby=subject").await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!("SearchWithOrderBy")));
    let (status, _) = fixture.graph(&token, "/v1.0/me/messages?$search=%22a%22b%22").await;
    assert_eq!(status, 400);
    let (status, _) = fixture.graph(&token, "/v1.0/me/messages?$search=a").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn graph_refuses_an_order_that_the_filter_does_not_start_with() {
    let fixture = Fixture::start().await;
    let token = fixture.access_token(&[]).await;
    let (status, body) =
        fixture.graph(&token, "/v1.0/me/messages?$filter=isRead%20eq%20false&$orderby=receivedDateTime").await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!("InefficientFilter")));
}

#[tokio::test]
async fn an_escaped_dotted_segment_is_not_resolved() {
    let fixture = Fixture::start().await;
    let token = fixture.access_token(&[]).await;
    for path in ["/v1.0/me/x%2f%2e%2e/messages", "/v1.0/me//messages", "/v1.0/users/x/%2e%2e%2f%2e%2e/me"] {
        assert_eq!(fixture.graph(&token, path).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn a_draft_is_sent_once_and_keeps_its_immutable_id() {
    let fixture = Fixture::start().await;
    let token = fixture.access_token(&[]).await;
    let draft = json!({"subject": "once", "toRecipients": [{"emailAddress": {"address": "alex@contoso.example"}}]});
    let (status, made) = fixture.post(&token, "/v1.0/me/messages", &draft).await;
    assert_eq!((status, &made["isDraft"]), (201, &json!(true)));
    let path = format!("/v1.0/me/messages/{}/send", made["id"].as_str().unwrap());
    assert_eq!(fixture.post(&token, &path, &json!({})).await.0, 202);
    assert_eq!(fixture.post(&token, &path, &json!({})).await.0, 400);
    let sent = fixture.control("/graph/messages?user=adele@contoso.example&folder=sentitems").await;
    let copies: Vec<&Value> = sent.as_array().unwrap().iter().filter(|one| one["subject"] == "once").collect();
    assert_eq!(copies.len(), 1);
    assert_eq!((&copies[0]["immutableId"], &copies[0]["isDraft"]), (&made["id"], &json!(false)));
}

#[tokio::test]
async fn a_repeated_transaction_id_makes_one_event() {
    let fixture = Fixture::start().await;
    let token = fixture.access_token(&[]).await;
    let time = |hour: u8| json!({"dateTime": format!("2026-12-01T{hour:02}:00:00"), "timeZone": "Europe/Berlin"});
    let event = json!({"subject": "e", "start": time(9), "end": time(10), "transactionId": "t"});
    let first = fixture.post(&token, "/v1.0/me/events", &event).await;
    let again = fixture.post(&token, "/v1.0/me/events", &event).await;
    assert_eq!((first.0, again.0, &first.1["id"]), (201, 201, &again.1["id"]));
    let mut other = event;
    other["subject"] = json!("f");
    let (status, refused) = fixture.post(&token, "/v1.0/me/events", &other).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("ErrorDuplicateTransactionId")));
}

#[tokio::test]
async fn a_dynamic_route_without_messages_is_refused() {
    let fixture = Fixture::start().await;
    let answer = fixture.run(&json!({"method": "GET", "path": "/v1.0/me"}), r#"{"id":"m365-egress-gateway"}"#).await;
    assert_eq!(answer.status(), 400);
    let body: Value = answer.json().await.unwrap();
    assert_eq!((&body["name"], &body["internalCode"]), (&json!("AiGatewayError"), &json!(2019)));
    assert!(body["error"].is_array());
}

#[tokio::test]
async fn an_unknown_gateway_is_2001() {
    let fixture = Fixture::start().await;
    let body: Value = fixture.run(&chat(), r#"{"id":"other"}"#).await.json().await.unwrap();
    assert_eq!(body["internalCode"], 2001);
}

#[tokio::test]
async fn only_the_first_five_metadata_entries_are_kept_and_a_null_loses_all() {
    let fixture = Fixture::start().await;
    let six = r#"{"id":"m365-egress-gateway","metadata":{"z":1,"y":2,"x":3,"w":4,"v":5,"a":6}}"#;
    let null = r#"{"id":"m365-egress-gateway","metadata":{"a":1,"b":null}}"#;
    fixture.run(&json!({}), six).await;
    fixture.run(&json!({}), null).await;
    let logs = fixture.control("/gateway/logs").await;
    assert_eq!(logs[0]["metadata"], json!({"z": 1, "y": 2, "x": 3, "w": 4, "v": 5}));
    assert_eq!(logs[1]["metadata"], json!({}));
}

/// A provider that always fails and counts its calls.
async fn failing_provider() -> (String, std::sync::Arc<std::sync::atomic::AtomicU32>) {
    let count = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let seen = count.clone();
    let router = axum::Router::new().fallback(move || {
        seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        async { axum::http::StatusCode::BAD_GATEWAY }
    });
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", tcp.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(tcp, router).await });
    (base, count)
}

#[tokio::test]
async fn the_gateway_retries_unless_told_otherwise() {
    let (worker, count) = failing_provider().await;
    let fixture = Fixture::with_worker(&worker).await;
    fixture.run(&chat(), r#"{"id":"m365-egress-gateway","retries":{"maxAttempts":1}}"#).await;
    assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 1);
    fixture.run(&chat(), r#"{"id":"m365-egress-gateway"}"#).await;
    assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 3);
}

#[tokio::test]
async fn an_unreachable_service_breaks_the_connection_and_recovers() {
    let fixture = Fixture::start().await;
    let faults = format!("{}/_control/faults", fixture.base);
    let fault = json!({"target": "access", "fault": "unreachable", "times": 1});
    assert_eq!(fixture.http.post(faults).json(&fault).send().await.unwrap().status(), 200);
    let certs = || {
        fixture
            .http
            .get(format!("{}/cdn-cgi/access/certs", fixture.base))
            .header("host", "contoso.cloudflareaccess.com")
            .send()
    };
    assert!(certs().await.is_err());
    assert_eq!(certs().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_misspelt_fault_is_refused() {
    let fixture = Fixture::start().await;
    let faults = format!("{}/_control/faults", fixture.base);
    let answer = fixture.http.post(faults).json(&json!({"target": "graph", "fault": "2003"})).send().await.unwrap();
    assert_eq!(answer.status(), 400);
}

#[tokio::test]
async fn the_gateways_own_address_wants_its_token() {
    let fixture = Fixture::start().await;
    let token = fixture.access_token(&[]).await;
    let path = "/v1/0123/m365-egress-gateway/custom-microsoft-graph/v1.0/me";
    let request = || {
        fixture
            .http
            .get(format!("{}{path}", fixture.base))
            .header("host", "gateway.ai.cloudflare.com")
            .bearer_auth(&token)
    };
    assert_eq!(request().send().await.unwrap().status(), 401);
    let known = request().header("cf-aig-authorization", "Bearer emulator-gateway-token").send().await.unwrap();
    let body: Value = known.json().await.unwrap();
    assert_eq!(body["mail"], "adele@contoso.example");
}
