//! Commands from the Worker to the objects.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use wasm_bindgen::JsValue;
use worker::{Delay, Env, Method, Request, RequestInit, Stub};

use crate::agent::{AgentName, Command, Reply};
use crate::ports::{AgentUnavailable, Agents};

/// A panicking object would leave its caller hanging, so every call has a limit: longer than the longest tool (a few
/// gateway calls of 30 s each), shorter than a client's patience.
const LIMIT: Duration = Duration::from_secs(120);

/// The `MCP_OBJECT` namespace.
pub(crate) struct ObjectAgents(pub(crate) Env);

#[async_trait(?Send)]
impl Agents for ObjectAgents {
    async fn call(&self, name: &AgentName, command: &Command) -> Result<Reply, AgentUnavailable> {
        let exchange = Box::pin(async {
            let body = serde_json::to_string(command).map_err(|_| AgentUnavailable)?;
            let mut response = send(&self.0, name, &body).await.map_err(|_| AgentUnavailable)?;
            let text = response.text().await.map_err(|_| AgentUnavailable)?;
            serde_json::from_str(&text).map_err(|_| AgentUnavailable)
        });
        match select(exchange, Box::pin(Delay::from(LIMIT))).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(((), _)) => Err(AgentUnavailable),
        }
    }
}

/// The object of this name.
pub(crate) fn stub(env: &Env, name: &AgentName) -> worker::Result<Stub> {
    env.durable_object("MCP_OBJECT")?.get_by_name(&name.to_string())
}

async fn send(env: &Env, name: &AgentName, body: &str) -> worker::Result<worker::Response> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(JsValue::from_str(body)));
    // The host is never resolved: an object is reached by its stub.
    let request = Request::new_with_init("http://agent/", &init)?;
    stub(env, name)?.fetch_with_request(request).await
}
