//! The wire of `env.AI` behind Miniflare's remote proxy: `MF-URL` and `MF-Header-*` on a plain request.

use axum::extract::ws::WebSocket;
use axum::http::Method;
use serde_json::{Value, json};

use super::{GATEWAY, error::GatewayError, run};
use crate::App;
use crate::call::Call;
use crate::reply::{self, Reply};

const HOST: &str = "https://workers-binding.ai";

/// The socket Miniflare opens beside every call: read until it ends, whatever way it ends.
pub async fn idle_socket(mut socket: WebSocket) {
    while let Some(Ok(_)) = socket.recv().await {}
}

/// Answers one request of the binding.
pub async fn handle(app: &App, call: &Call) -> Reply {
    let url = call.header("mf-url").unwrap_or("");
    let Some(path) = url.strip_prefix(HOST) else {
        return refuse(400, 10_000, "MF-URL is not an address of the AI binding");
    };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let method = call.header("mf-method").unwrap_or(call.method.as_str());
    match (method, path) {
        ("POST", "/ai-gateway/run") if query == "version=3" => run::handle(app, call).await,
        // Without `gateway.id` the binding speaks to the models directly, and no model has that name.
        ("POST", "/run") => refuse(400, 5007, "No such model or task"),
        _ => match path.strip_prefix("/ai-gateway/gateways/") {
            Some(rest) => control_plane(app, call, rest),
            None => refuse(404, 7000, "No route for that URI"),
        },
    }
}

/// A header of the original request.
pub fn original<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.header(&format!("mf-header-{name}"))
}

fn control_plane(app: &App, call: &Call, rest: &str) -> Reply {
    let parts: Vec<&str> = rest.split('/').collect();
    match parts.as_slice() {
        [gateway, ..] if *gateway != GATEWAY => GatewayError::of(2001).reply(),
        [gateway, "url", provider] if call.method == Method::GET => {
            let account = "0123456789abcdef0123456789abcdef";
            let url = match *provider {
                "universal" => format!("https://gateway.ai.cloudflare.com/v1/{account}/{gateway}/"),
                provider => {
                    format!("https://gateway.ai.cloudflare.com/v1/{account}/{gateway}/{provider}")
                }
            };
            success(&json!({"url": url}))
        }
        [_, "logs", id] => log(app, call, id),
        _ => refuse(404, 7000, "No route for that URI"),
    }
}

fn log(app: &App, call: &Call, id: &str) -> Reply {
    let mut world = app.world();
    let Some(entry) = world.gateway.logs.iter_mut().find(|entry| entry.id == id) else {
        return refuse(404, 7002, "Log not found");
    };
    if call.method == Method::PATCH {
        entry.patch = call.json();
        return success(&json!({}));
    }
    let mut shown = serde_json::to_value(&*entry).unwrap_or(Value::Null);
    crate::json::set(&mut shown, "created_at", entry.at.clone());
    crate::json::set(&mut shown, "status_code", entry.status);
    crate::json::set(&mut shown, "success", entry.status < 400);
    success(&shown)
}

fn success(result: &Value) -> Reply {
    reply::json(200, &json!({"success": true, "result": result, "errors": [], "messages": []}))
}

fn refuse(status: u16, code: u32, message: &str) -> Reply {
    let body = json!({
        "success": false, "result": {}, "messages": [], "errors": [{"code": code, "message": message}],
    });
    reply::json(status, &body)
}
