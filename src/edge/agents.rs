//! Commands from the Worker to the objects.

use std::time::Duration;

use async_trait::async_trait;
use wasm_bindgen::prelude::*;
use worker::{Env, Stub};

use crate::agent::{AgentName, Command, Reply};
use crate::edge::fetch;
use crate::json;
use crate::ports::{AgentUnavailable, Agents};

/// A panicking object would leave its caller hanging, so every call has a limit: longer than the longest tool (a few
/// gateway calls of 30 s each), shorter than a client's patience.
pub(crate) const LIMIT: Duration = Duration::from_mins(2);

#[wasm_bindgen(inline_js = r#"
export async function ask_object(env, name, body) {
  const stub = env.MCP_OBJECT.get(env.MCP_OBJECT.idFromName(name));
  // The host is never resolved: an object is reached by its stub.
  return await (await stub.fetch("http://agent/", { method: "POST", body })).text();
}
"#)]
extern "C" {
    /// Posts a text to the object of this name, and returns the text of its answer. One crossing, and on every call.
    #[wasm_bindgen(catch)]
    async fn ask_object(env: &Env, name: &str, body: &str) -> Result<JsValue, JsValue>;
}

/// The `MCP_OBJECT` namespace.
pub(crate) struct ObjectAgents(pub(crate) Env);

#[async_trait(?Send)]
impl Agents for ObjectAgents {
    async fn call(&self, name: &AgentName, command: &Command) -> Result<Reply, AgentUnavailable> {
        let exchange = async {
            let body = serde_json::to_string(command).map_err(|_| AgentUnavailable)?;
            let answer = ask_object(&self.0, &name.to_string(), &body).await.map_err(|_| AgentUnavailable)?;
            let text = answer.as_string().ok_or(AgentUnavailable)?;
            json::read(text.as_bytes()).map_err(|_| AgentUnavailable)
        };
        fetch::in_time(LIMIT, exchange).await.unwrap_or(Err(AgentUnavailable))
    }
}

/// The object of this name.
pub(crate) fn stub(env: &Env, name: &AgentName) -> worker::Result<Stub> {
    env.durable_object("MCP_OBJECT")?.get_by_name(&name.to_string())
}
