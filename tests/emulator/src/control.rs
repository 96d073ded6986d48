//! `/_control/…`: the JSON interface by which tests order faults, look, and reset.

use axum::http::Method;
use serde_json::{Value, json};

use crate::App;
use crate::call::Call;
use crate::faults::Fault;
use crate::reply::{self, Reply};
use crate::sample::directory;
use crate::{access, json as document};

/// Answers a control request; `path` is what follows `/_control`.
pub async fn handle(app: &App, call: &Call, path: &str) -> Reply {
    match (&call.method, path) {
        (&Method::GET, "/health") => done(&json!({"ok": true})),
        (&Method::POST, "/reset") => {
            app.reset();
            done(&json!({"ok": true}))
        }
        (_, "/faults") => faults(app, call),
        (&Method::GET, _) => look(app, call, path).await,
        (&Method::POST, _) => act(app, call, path).await,
        _ => refuse("no such control path"),
    }
}

fn done(value: &Value) -> Reply {
    reply::json(200, value)
}

fn refuse(message: &str) -> Reply {
    reply::json(400, &json!({"error": message}))
}

fn faults(app: &App, call: &Call) -> Reply {
    let mut world = app.world();
    match call.method {
        Method::GET => {}
        Method::DELETE => world.faults.clear(),
        Method::POST => {
            let fault = match serde_json::from_slice::<Fault>(&call.body) {
                Ok(fault) => fault,
                Err(error) => return refuse(&error.to_string()),
            };
            if let Err(message) = world.faults.add(fault) {
                return refuse(&message);
            }
        }
        _ => return refuse("no such method"),
    }
    done(&json!(world.faults))
}

async fn look(app: &App, call: &Call, path: &str) -> Reply {
    let query = call.query_pairs();
    match path {
        "/gateway/logs" => done(&json!(app.world().gateway.logs)),
        "/entra/calls" => done(&json!(app.world().entra.calls)),
        "/publisher/calls" => done(&json!(app.world().publisher.calls)),
        "/files/calls" => done(&json!(app.world().graph.family.files.calls)),
        "/graph/calls" => done(&json!(app.world().graph.calls)),
        "/graph/teams" => {
            let world = app.world();
            let teams = &world.graph.teams;
            done(&json!({"messages": teams.messages, "chats": teams.chats}))
        }
        "/graph/messages" | "/graph/events" | "/graph/meetings" => {
            let Some(user) = query.get("user").and_then(directory::by_email) else {
                return refuse("user is unknown");
            };
            let mut world = app.world();
            let mailbox = world.graph.mailbox(user);
            done(&match path {
                "/graph/events" => mailbox.all_events(),
                "/graph/meetings" => json!(mailbox.meetings),
                _ => json!(mailbox.in_folder(query.get("folder").unwrap_or("inbox"))),
            })
        }
        "/access/jwt" => match access::jwt(app, &query).await {
            Some(jwt) => done(&jwt),
            None => reply::empty(500),
        },
        _ => refuse("no such control path"),
    }
}

async fn act(app: &App, call: &Call, path: &str) -> Reply {
    let body = call.json().unwrap_or_else(|| json!({}));
    let drop_old = document::flag(&body, "/drop");
    let user = body.get("user").and_then(Value::as_str);
    match path {
        "/gateway/log-id" => {
            app.world().gateway.log_id = document::flag(&body, "/enabled");
            done(&json!({"ok": true}))
        }
        "/publisher/document" => {
            let text = |name: &str| body.get(name).and_then(Value::as_str);
            let (Some(path), Some(document)) = (text("path"), body.get("document")) else {
                return refuse("path and document");
            };
            let cache_control = text("cacheControl").unwrap_or("no-store");
            app.world().publisher.publish(path, document.clone(), cache_control);
            done(&json!({"ok": true}))
        }
        "/entra/rotate" => done(&json!({"kid": app.entra_keys.rotate(drop_old).await})),
        "/access/rotate" => done(&json!({"kid": app.access_keys.rotate(drop_old).await})),
        "/entra/expire" => {
            app.world().entra.expire(user);
            done(&json!({"ok": true}))
        }
        "/entra/revoke" => {
            app.world().entra.revoke(user);
            done(&json!({"ok": true}))
        }
        _ => refuse("no such control path"),
    }
}
