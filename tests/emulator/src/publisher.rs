//! `app.contoso.example`: the host of an invented app, which publishes its own client metadata document and keys.
//!
//! Documents are put there by the control interface; one is there from the start. Everything else is 404.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::App;
use crate::call::Call;
use crate::faults::Target;
use crate::reply::{self, Reply};

/// The host.
pub const HOST: &str = "app.contoso.example";

/// Longer than any reader should take.
const TOO_LARGE: usize = 64 * 1024;

/// What is published, and what was asked for.
#[derive(Clone, Debug)]
pub struct Publisher {
    /// Body and `Cache-Control` by path.
    documents: BTreeMap<String, (Value, String)>,
    /// The paths that were asked for, oldest first.
    pub calls: Vec<String>,
}

impl Default for Publisher {
    fn default() -> Self {
        let mut publisher = Self { documents: BTreeMap::new(), calls: Vec::new() };
        let sample = json!({
            "client_id": format!("https://{HOST}/client.json"), "client_name": "Contoso Inbox",
            "redirect_uris": ["http://localhost/callback", "http://127.0.0.1/callback"],
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        });
        publisher.publish("/client.json", sample, "max-age=300");
        publisher
    }
}

impl Publisher {
    /// Puts a document at a path, in place of what was there.
    pub fn publish(&mut self, path: &str, body: Value, cache_control: &str) {
        self.documents.insert(path.to_owned(), (body, cache_control.to_owned()));
    }
}

/// Answers a request to the host.
pub async fn handle(app: &App, call: &Call) -> Reply {
    let request = (call.method.as_str(), call.path.as_str());
    let (fault, found) = {
        let mut world = app.world();
        world.publisher.calls.push(call.path.clone());
        (
            world.faults.take(Target::Publisher, Target::Publisher.names(), request),
            world.publisher.documents.get(&call.path).cloned(),
        )
    };
    let Some((body, cache_control)) = found else { return reply::empty(404) };
    let document = || reply::with(reply::json(200, &body), "cache-control", &cache_control);
    let Some(fault) = fault else { return document() };
    match fault.fault.as_str() {
        "redirect" => reply::found(&format!("https://{HOST}{}", call.path)),
        "404" => reply::empty(404),
        "too-large" => reply::body(200, "application/json", format!("{body}{}", " ".repeat(TOO_LARGE))),
        "slow" => {
            tokio::time::sleep(std::time::Duration::from_millis(fault.delay_ms.unwrap_or(60_000))).await;
            document()
        }
        "html" => reply::html(200, "<!doctype html><title>Not a document</title>".to_owned()),
        "wrong-id" => reply::json(200, &json!({"client_id": format!("https://{HOST}/other.json")})),
        _ => reply::unreachable(),
    }
}
