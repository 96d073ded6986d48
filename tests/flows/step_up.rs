//! A call whose permission the sign-in lacks: 403 with everything that is needed, a wider sign-in, success; and none of
//! that where a wider sign-in would bring nothing (RFC 6750 section 3.1, MCP 2025-11-25 "step-up").
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a flow that cannot go on should stop")]

use serde_json::{Value, json};

use super::mcp_scene::{Scene, call, json, request};
use super::world::{World, encode, json_of, param, query_of, transaction_of, with};
use crate::agent::GrantError;
use crate::identity::{Scope, ScopeSet};
use crate::mcp::{self, Endpoint};
use crate::oauth::token::{Kind, Stamp, TokenKeys};
use crate::ports::Clock;
use crate::web::{Body, Method, Response};

/// A client that signed in asking for these scopes; the emulated Entra grants `Mail.ReadWrite` and nothing else.
struct Client {
    world: World,
    id: String,
    bearer: String,
    refresh: String,
}

impl Client {
    async fn with(scope: &str) -> Self {
        let world = World::new();
        let id = world.public_client().await;
        let mut client = Self { world, id, bearer: String::new(), refresh: String::new() };
        client.sign_in(scope).await;
        client
    }

    /// Signs in; what Entra was asked for.
    async fn sign_in(&mut self, scope: &str) -> String {
        let world = &self.world;
        let page = world.authorize(&with(World::asking(&self.id), "scope", scope)).await;
        let body = format!("transaction={}&decision=approve", transaction_of(&page));
        let sent = query_of(&world.decide(&world.submit(&body)).await);
        world.claims.borrow_mut()["nonce"] = json!(param(&sent, "nonce").unwrap());
        let query = encode(&[("code", "entra-code".into()), ("state", param(&sent, "state").unwrap())]);
        let code = param(&query_of(&world.callback(&query).await), "code").unwrap();
        let tokens = json_of(&world.token(&World::redeeming(&self.id, &code)).await);
        self.take(&tokens);
        param(&sent, "scope").unwrap()
    }

    async fn narrow(&mut self, scope: &str) {
        let asked = [
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", self.id.clone()),
            ("refresh_token", self.refresh.clone()),
            ("scope", scope.to_owned()),
        ];
        let tokens = json_of(&self.world.token(&asked).await);
        self.take(&tokens);
    }

    fn take(&mut self, tokens: &Value) {
        self.bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
        self.refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
    }

    async fn post(&self, session: &str, body: &str) -> Response {
        let headers = [("authorization", self.bearer.as_str()), ("mcp-session-id", session)];
        mcp::handle(&self.world.exchange(), Endpoint::Mcp, &request(Method::Post, &headers, body)).await
    }

    /// Opens a session and sends one message.
    async fn send(&self, revision: &str, body: &str) -> Response {
        let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize",
            "params": {"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
        let opened = self.post("", &initialize.to_string()).await;
        self.post(opened.header("mcp-session-id").unwrap(), body).await
    }

    async fn call(&self, tool: &str) -> Response {
        self.send("2025-11-25", &call(tool)).await
    }
}

/// The scopes that a 403 asks for.
fn challenged(response: &Response) -> String {
    let header = response.header("www-authenticate").unwrap_or_default();
    assert_eq!(response.status, 403, "{}", response.body_text());
    assert!(header.starts_with("Bearer ") && header.contains(r#"error="insufficient_scope""#), "{header}");
    let metadata = r#"resource_metadata="http://localhost:8787/.well-known/oauth-protected-resource/mcp""#;
    assert!(header.contains(metadata), "{header}");
    assert_eq!(response.header("cache-control"), Some("no-store"));
    header.split_once("scope=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
}

/// The report of a tool that failed as a tool.
fn report(result: &Value) -> Value {
    assert_eq!(result["isError"], true, "{result}");
    serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn a_missing_scope_is_challenged_with_all_that_is_needed_and_the_next_sign_in_asks_for_the_union() {
    let mut client = Client::with("Mail.Read").await;
    let scope = challenged(&client.call("sendEmail").await);
    assert_eq!(scope, "Mail.Read Mail.ReadWrite Mail.Send", "what it has and what it needs, at once");
    let asked = client.sign_in(&scope).await;
    for name in ["Mail.ReadWrite", "Mail.Send"] {
        assert!(asked.contains(&format!("/{name}")), "{asked}");
    }
    let after = json(&client.call("sendEmail").await);
    assert_eq!(report(&after["result"])["code"], "invalidArgument", "the new token is past the question of scopes");
    let log = client.world.platform.log.text();
    assert!(log.contains(r#""reason":"insufficient-scope""#), "{log}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_resource_is_challenged_like_a_tool() {
    let client = Client::with("Mail.Read").await;
    let body = r#"{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":"microsoft://teams"}}"#;
    assert_eq!(challenged(&client.send("2025-11-25", body).await), "Mail.Read Team.ReadBasic.All");
}

#[tokio::test(flavor = "current_thread")]
async fn what_microsoft_refused_is_not_asked_for_in_a_circle() {
    let client = Client::with("Mail.Read Calendars.Read").await;
    let answer = client.call("getCalendarEvents").await;
    assert_eq!(answer.status, 200);
    let told = report(&json(&answer)["result"]);
    assert_eq!((&told["missingScope"], &told["adminConsent"]), (&json!("Calendars.Read"), &json!(true)));
    let scope = challenged(&client.call("getContacts").await);
    assert!(!scope.contains("Calendars.Read"), "another permission is still asked for, without the refused one");
}

#[tokio::test(flavor = "current_thread")]
async fn a_narrowed_token_is_sent_for_what_the_grant_holds() {
    let mut client = Client::with("Mail.Read Mail.ReadWrite").await;
    client.narrow("Mail.Read").await;
    assert_eq!(challenged(&client.call("sendEmail").await), "Mail.Read Mail.ReadWrite Mail.Send");
    let scope = challenged(&client.call("getContacts").await);
    assert!(scope.contains("Mail.ReadWrite"), "a wider sign-in does not lose what the grant has: {scope}");
}

/// SDKs do not initialise again on a 404, so a person would see every call fail after having agreed to more.
#[tokio::test(flavor = "current_thread")]
async fn a_session_goes_on_after_the_sign_in_for_more() {
    let mut client = Client::with("Mail.Read").await;
    let initialize = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#;
    let opened = client.post("", initialize).await;
    let session = opened.header("mcp-session-id").unwrap().to_owned();
    let scope = challenged(&client.post(&session, &call("sendEmail")).await);
    let earlier = client.bearer.clone();
    client.sign_in(&scope).await;
    let after = json(&client.post(&session, &call("sendEmail")).await);
    assert_eq!(report(&after["result"])["code"], "invalidArgument", "the call itself was reached");
    // As another program on the same machine would, that signed in as the same person.
    let other = Client { id: client.world.public_client().await, ..client };
    let mut other = Client { bearer: String::new(), refresh: String::new(), ..other };
    other.sign_in(&scope).await;
    assert_eq!(other.post(&session, &call("getEmails")).await.status, 404);
    let ended = Client { bearer: earlier, ..other };
    assert_eq!(ended.post(&session, &call("getEmails")).await.status, 401, "the earlier grant is over");
}

/// A status would take away the answers of the other messages, and what those did would be done again.
#[tokio::test(flavor = "current_thread")]
async fn in_a_batch_it_is_the_answer_to_its_own_message() {
    let client = Client::with("Mail.Read").await;
    let batch = format!("[{},{}]", r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, call("sendEmail"));
    let response = client.send("2025-03-26", &batch).await;
    assert_eq!(response.status, 200);
    let answers = json(&response);
    assert!(answers[0]["result"].is_object());
    let told = report(&answers[1]["result"]);
    assert_eq!((&told["code"], &told["adminConsent"]), (&json!("missingScope"), &json!(false)));
}

#[tokio::test(flavor = "current_thread")]
async fn a_caller_without_a_token_of_ours_is_challenged_to_sign_in_first() {
    let client = Client::with("Mail.Read").await;
    let client = Client { bearer: "Bearer some-api-key".to_owned(), ..client };
    assert_eq!(client.call("sendEmail").await.status, 401);
}

fn narrow_bearer(scene: &Scene, scopes: ScopeSet) -> String {
    let config = scene.platform.config.clone();
    let keys = TokenKeys::new(&config.keys.encryption);
    let whole = scene.bearer(1);
    let now = scene.platform.clock.now();
    let stamp = keys.read(Kind::Access, whole.trim_start_matches("Bearer "), now).unwrap();
    let token = keys.mint(scene.platform.random.as_ref(), Kind::Access, &Stamp { scopes, ..stamp });
    format!("Bearer {}", token.expose())
}

/// The 202 goes out before the work, so the object is asked before it where the token may lack something.
#[tokio::test(flavor = "current_thread")]
async fn over_http_and_sse_the_challenge_comes_before_the_202() {
    for (held, status) in [(Scope::MailRead, 202), (Scope::UserRead, 403)] {
        let scene = Scene::new(&[]);
        let bearer = narrow_bearer(&scene, ScopeSet::of(&[held]));
        let headers = [("authorization", bearer.as_str()), ("accept", "text/event-stream")];
        let stream = scene.send(Endpoint::Sse, request(Method::Get, &headers, "")).await;
        let Body::Stream(spec) = stream.body else { unreachable!("a stream") };
        let query = spec.prelude.split_once('?').unwrap().1.trim().to_owned();
        let scopes = ScopeSet::of(&[Scope::UserRead, Scope::MailRead]);
        *scene.agents.refusal.borrow_mut() = Some(GrantError::InsufficientScope { scopes });
        scene.agents.refuse_calls_only.set(true);
        let mut asked = request(Method::Post, &[("authorization", bearer.as_str())], &call("getEmails"));
        asked.query = Some(query);
        let response = scene.send(Endpoint::SseMessage, asked).await;
        assert_eq!(response.status, status, "{held:?}");
        if status == 403 {
            assert!(response.header("www-authenticate").unwrap().contains(r#"scope="User.Read Mail.Read""#));
            assert!(response.body_text().contains("sign in again"), "clients that know no step-up show the body");
            assert!(!scene.agents.seen.borrow().iter().any(|seen| seen.starts_with("publish")));
        }
    }
}
