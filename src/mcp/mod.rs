//! The Model Context Protocol over HTTP, every revision at once, on `/mcp` and `/sse`, from one handler: the legacy
//! ones, 2024-11-05 to 2025-11-25, and the stateless one, 2026-07-28 (`modern`). `classify` tells them apart.
//!
//! Owns the order of things: origin, then who asks, then method, then message, then session. Routing, CORS, the body
//! limit and Access come before (`app`); what a tool does comes after (`agent`, `tools`).

mod call;
mod caller;
mod cancel;
mod challenge;
mod classify;
mod completion;
pub mod confirm;
mod initialize;
mod methods;
mod modern;
mod narrow;
mod origin;
mod protocol;
mod refuse;
mod respond;
mod session;
mod sse;
mod stream;
mod streamable;

use crate::config::PresetSet;
use crate::exchange::Exchange;
use crate::web::{Method, Request, Response};

use caller::Caller;

/// Which of our URLs was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/mcp`: Streamable HTTP.
    Mcp,
    /// `/sse`: legacy HTTP+SSE on GET, Streamable HTTP on everything else.
    Sse,
    /// `/sse/message`: where a legacy HTTP+SSE client posts.
    SseMessage,
}

impl Endpoint {
    /// The last segment of the protected resource's path, and so of its metadata document.
    const fn resource(self) -> &'static str {
        match self {
            Self::Mcp => "mcp",
            Self::Sse | Self::SseMessage => "sse",
        }
    }
}

/// One request with everything that is known of it once its caller is.
pub(crate) struct Turn<'a> {
    exchange: &'a Exchange,
    endpoint: Endpoint,
    request: &'a Request,
    caller: Caller<'a>,
    /// What the URL leaves of the presets.
    presets: PresetSet,
}

/// Answers a request to one of the MCP endpoints.
pub async fn handle(exchange: &Exchange, endpoint: Endpoint, request: &Request) -> Response {
    match respond(exchange, endpoint, request).await {
        Ok(response) | Err(response) => response,
    }
}

async fn respond(exchange: &Exchange, endpoint: Endpoint, request: &Request) -> Result<Response, Response> {
    origin::check(&exchange.config.public_url, request)?;
    let presets = narrow::presets(request);
    // Who may not come in learns nothing of presets: a wrong name is told after that.
    let asked = presets.as_ref().copied().unwrap_or(PresetSet::ALL);
    let caller = Caller::identify(exchange, endpoint, request, asked).await?;
    let presets = presets.map_err(|error| refuse::message(400, None, error))?;
    let turn = Turn { exchange, endpoint, request, caller, presets };
    match (endpoint, request.method) {
        (Endpoint::SseMessage, Method::Post) => sse::message(&turn).await,
        (Endpoint::SseMessage, Method::Get | Method::Head | Method::Delete | Method::Options | Method::Other) => {
            Err(Response::method_not_allowed("POST"))
        }
        (Endpoint::Mcp | Endpoint::Sse, Method::Post) => streamable::post(&turn).await,
        (Endpoint::Mcp | Endpoint::Sse, Method::Get) => stream::open(&turn).await,
        (Endpoint::Mcp | Endpoint::Sse, Method::Delete) => streamable::delete(&turn).await,
        (Endpoint::Mcp | Endpoint::Sse, Method::Head | Method::Options | Method::Other) => {
            Err(Response::method_not_allowed("GET, POST, DELETE"))
        }
    }
}
