//! `$batch`: up to twenty requests, each answered as if it had come alone, in no promised order.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::GraphError;
use super::request::{Answer, Request};
use super::routes;
use crate::App;
use crate::call::Call;
use crate::entra::sessions::Consent;
use crate::json::{items, text};

/// Requests that one batch takes.
const MOST: usize = 20;

/// Answers a batch. Its parts come back last first, so that nobody relies on their order.
pub fn answer(app: &App, request: &Request<'_>, consent: &Consent) -> Result<Answer, GraphError> {
    let body = request.object()?;
    let parts = items(&body, "/requests");
    if parts.is_empty() || parts.len() > MOST {
        return Err(GraphError::bad(&format!("Number of batch request steps must be between 1 and {MOST}.")));
    }
    let mut done: Vec<Value> = Vec::new();
    for part in parts {
        let id = text(part, "/id");
        if id.is_empty() || done.iter().any(|other| text(other, "/id") == id) {
            return Err(GraphError::bad("Duplicate or missing request ids are not allowed in batch requests."));
        }
        let failed = |on: &Value| {
            let before = done.iter().find(|other| text(other, "/id") == on.as_str().unwrap_or_default());
            before.is_none_or(|other| other.get("status").and_then(Value::as_u64).is_none_or(|status| status >= 400))
        };
        let outcome = if items(part, "/dependsOn").iter().any(failed) {
            Err(GraphError::new(424, "FailedDependency", "The request depends on one that failed."))
        } else {
            read(part, request.version).and_then(|call| routes::answer(app, &call, consent))
        };
        done.push(render(id, outcome));
    }
    done.reverse();
    Ok(Answer::ok(json!({ "responses": done })))
}

fn read(part: &Value, version: &str) -> Result<Call, GraphError> {
    let refuse = || GraphError::bad("Invalid batch payload format.");
    let url = text(part, "/url");
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut headers = HeaderMap::new();
    for (name, value) in part.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let name = HeaderName::try_from(name.as_str()).map_err(|_| refuse())?;
        headers.insert(name, HeaderValue::from_str(value.as_str().unwrap_or_default()).map_err(|_| refuse())?);
    }
    let body = part.get("body").map(ToString::to_string).unwrap_or_default();
    if !path.starts_with('/') || path.starts_with("/$batch") {
        return Err(refuse());
    }
    Ok(Call {
        method: Method::from_bytes(text(part, "/method").as_bytes()).map_err(|_| refuse())?,
        path: format!("/{version}{path}"),
        query: query.to_owned(),
        headers,
        body: Bytes::from(body),
    })
}

fn render(id: &str, outcome: Result<Answer, GraphError>) -> Value {
    let (status, body, headers) = match outcome {
        Ok(answer) => (answer.status, answer.body, answer.headers),
        Err(error) => {
            let request_id = Uuid::new_v4().to_string();
            (error.status, Some(error.body(&request_id, &request_id)), error.headers)
        }
    };
    let headers: Map<String, Value> =
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let mut part = json!({"id": id, "status": status, "headers": headers});
    if let Some(body) = body {
        crate::json::set(&mut part, "body", body);
    }
    part
}
