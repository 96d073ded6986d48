//! Chooses the service by `Host`, by the AI binding's header, then by path.

use axum::Router;
use axum::body::to_bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::header::HOST;
use axum::response::IntoResponse;

use crate::App;
use crate::call::Call;
use crate::listener::Line;
use crate::reply::{self, Reply, Unreachable};
use crate::{access, control, entra, gateway, graph, page, publisher};

/// More than any request of the Worker needs; Graph itself refuses above 4 MB.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// The one router: every request goes through [`dispatch`].
pub fn router(app: App) -> Router {
    Router::new().fallback(dispatch).with_state(app)
}

async fn dispatch(State(app): State<App>, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Reply {
    let reply = match read(request, &app).await {
        // A task of its own: a client that gives up must not undo what the service is doing.
        Ok(call) => {
            tokio::spawn(async move { route(&app, &call).await }).await.unwrap_or_else(|_| reply::unreachable())
        }
        Err(reply) => reply,
    };
    if reply.extensions().get::<Unreachable>().is_some() {
        line.cut();
    }
    reply
}

async fn read(request: Request, app: &App) -> Result<Call, Reply> {
    let (mut parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or("").to_owned();
    if parts.headers.contains_key("upgrade") && query.contains("MF-Binding=AI") {
        let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, app).await;
        return Err(match upgrade {
            Ok(upgrade) => upgrade.on_upgrade(gateway::binding::idle_socket),
            Err(refusal) => refusal.into_response(),
        });
    }
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|_| reply::empty(413))?;
    let (path, method) = (parts.uri.path().to_owned(), parts.method);
    Ok(Call { method, path, query, headers: parts.headers, body })
}

async fn route(app: &App, call: &Call) -> Reply {
    let host = call.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
    let name = host.split(':').next().unwrap_or("").to_ascii_lowercase();
    match name.as_str() {
        "login.microsoftonline.com" => entra::handle(app, call, &call.path).await,
        "graph.microsoft.com" => graph::handle(app, call).await,
        "contoso.cloudflareaccess.com" => access::handle(app, call).await,
        "gateway.ai.cloudflare.com" => gateway::native::handle(app, call).await,
        publisher::HOST => publisher::handle(app, call).await,
        graph::family::files::host::HOST => graph::family::files::host::handle(app, call).await,
        "localhost" | "127.0.0.1" => own_host(app, call).await,
        _ => reply::json(502, &serde_json::json!({"error": "no such host in the emulator", "host": name})),
    }
}

async fn own_host(app: &App, call: &Call) -> Reply {
    if call.header("mf-binding") == Some("AI") {
        return gateway::binding::handle(app, call).await;
    }
    if let Some(path) = call.path.strip_prefix("/login.microsoftonline.com") {
        return entra::handle(app, call, path).await;
    }
    if let Some(path) = call.path.strip_prefix("/_control") {
        return control::handle(app, call, path).await;
    }
    page::handle(app, call).await
}
