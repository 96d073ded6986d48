//! The benchmark's floor: a Worker that answers fixed JSON, a Durable Object that does, and a bare way through the AI
//! Gateway to Graph and back. No configuration, no authentication of clients, no protocol, no log.
//!
//! It is built and started by `tests/bench/lib/floor.mjs` only and is never deployed.
#![cfg(target_arch = "wasm32")]

mod gateway;
mod handler;
mod object;
mod part;

use worker::{Context, Env, Request, Response, ResponseBuilder, Result, event};

/// The one answer of the trivial Worker and the trivial object.
const FIXED: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let path = request.path();
    match path.as_str() {
        "/json" => fixed(),
        "/part/body" => part::body(request).await,
        "/part/log" => part::log(),
        "/part/kv" => part::kv(&env).await,
        "/graph-handler/v1/chat/completions" => handler::answer(request, &env).await,
        _ => object::forward(request, &path, &env).await,
    }
}

fn fixed() -> Result<Response> {
    json(FIXED.as_bytes().to_vec())
}

fn json(body: Vec<u8>) -> Result<Response> {
    Ok(ResponseBuilder::new().with_header("content-type", "application/json")?.fixed(body))
}
