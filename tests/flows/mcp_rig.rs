//! A deployment with real objects and signed-in clients that speak MCP to it, for what a call asks and says on its way.

use serde_json::{Value, json};

use super::mcp_scene::{json, request};
use super::world::{World, json_of};
use crate::mcp::{self, Endpoint};
use crate::web::{Body, Method, Response, StreamSpec};

pub(super) const MODERN: &str = "2026-07-28";

/// One client's sign-in.
pub(super) struct Client<'w> {
    pub(super) world: &'w World,
    pub(super) bearer: String,
}

impl<'w> Client<'w> {
    /// Registers and signs in.
    pub(super) async fn new(world: &'w World) -> Self {
        let id = world.public_client().await;
        let code = world.sign_in(&id).await;
        let tokens = json_of(&world.token(&World::redeeming(&id, &code)).await);
        Self { world, bearer: format!("Bearer {}", tokens["access_token"].as_str().unwrap()) }
    }

    pub(super) async fn post(&self, headers: &[(&'static str, &str)], body: &Value) -> Response {
        let all: Vec<_> =
            [("authorization", self.bearer.as_str())].into_iter().chain(headers.iter().copied()).collect();
        mcp::handle(&self.world.exchange(), Endpoint::Mcp, &request(Method::Post, &all, &body.to_string())).await
    }

    /// A stateless call of the probe by a client that can do `capabilities`; `extra` are further params.
    pub(super) async fn ask(&self, capabilities: Value, arguments: Value, extra: Value) -> Response {
        self.call("application/json", capabilities, arguments, extra).await
    }

    /// The same by one that can do nothing and accepts this.
    pub(super) async fn listen(&self, accept: &str, arguments: Value, extra: Value) -> Response {
        self.call(accept, json!({}), arguments, extra).await
    }

    async fn call(&self, accept: &str, capabilities: Value, arguments: Value, extra: Value) -> Response {
        let mut params = json!({"name": "probe", "arguments": arguments, "_meta": {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": capabilities,
        }});
        for (name, value) in extra.as_object().unwrap() {
            match (name.as_str(), value.as_object()) {
                ("_meta", Some(members)) => params["_meta"].as_object_mut().unwrap().extend(members.clone()),
                _ => params[name] = value.clone(),
            }
        }
        let headers =
            [("accept", accept), ("mcp-protocol-version", MODERN), ("mcp-method", "tools/call"), ("mcp-name", "probe")];
        self.post(&headers, &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})).await
    }

    /// A session; its id.
    pub(super) async fn initialize(&self, revision: &str, capabilities: Value) -> String {
        let body = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": revision, "capabilities": capabilities, "clientInfo": {"name": "t", "version": "1"},
        }});
        self.post(&[], &body).await.header("mcp-session-id").unwrap().to_owned()
    }

    /// A call of the probe within a session, as request 9.
    pub(super) async fn within(&self, session: &str, accept: &str, arguments: Value, meta: Value) -> Response {
        let params = json!({"name": "probe", "arguments": arguments, "_meta": meta});
        let body = json!({"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": params});
        self.post(&[("mcp-session-id", session), ("accept", accept)], &body).await
    }

    /// A request to an endpoint, with this query.
    pub(super) async fn send(&self, endpoint: Endpoint, method: Method, query: Option<&str>, body: &Value) -> Response {
        let headers = [("authorization", self.bearer.as_str()), ("accept", EVENTS)];
        let mut asked = request(method, &headers, &body.to_string());
        asked.query = query.map(str::to_owned);
        mcp::handle(&self.world.exchange(), endpoint, &asked).await
    }

    /// Answers a request of the server's with these members, and lets that have its effect; the status.
    pub(super) async fn respond(&self, session: &str, id: &Value, mut members: Value) -> u16 {
        members["jsonrpc"] = json!("2.0");
        members["id"] = id.clone();
        let status = self.post(&[("mcp-session-id", session)], &members).await.status;
        self.world.platform.background.finish().await;
        status
    }

    /// Takes a request back; the status.
    pub(super) async fn cancel(&self, session: &str, id: Value) -> u16 {
        let body = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
        self.post(&[("mcp-session-id", session)], &body).await.status
    }

    /// The result of a stateless call that is answered with JSON.
    pub(super) async fn result(&self, capabilities: Value, arguments: Value, extra: Value) -> Value {
        let response = self.ask(capabilities, arguments, extra).await;
        assert_eq!(response.status, 200, "{}", response.body_text());
        json(&response)["result"].clone()
    }
}

/// What a tool answered.
pub(super) fn told(result: &Value) -> Value {
    serde_json::from_str(result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{result}"))).unwrap()
}

pub(super) const EVENTS: &str = "application/json, text/event-stream";

/// The messages of server-sent events.
pub(super) fn messages(text: &str) -> Vec<Value> {
    let data = text.split("\n\n").filter_map(|event| event.split_once("event: message\ndata: "));
    data.map(|(_, data)| serde_json::from_str(data).unwrap()).collect()
}

pub(super) fn spec(response: Response) -> StreamSpec {
    assert_eq!(response.header("content-type"), Some("text/event-stream"), "{}", response.body_text());
    let Body::Stream(spec) = response.body else { unreachable!("a stream") };
    *spec
}

/// What the objects said on a stream so far, and whether they closed it.
pub(super) fn said(world: &World, stream: &str) -> (Vec<Value>, bool) {
    let all = world.platform.sockets.0.borrow();
    let texts: String = all.iter().filter(|(on, _)| on == stream).map(|(_, text)| text.as_str()).collect();
    (messages(&texts), texts.ends_with("closed"))
}
