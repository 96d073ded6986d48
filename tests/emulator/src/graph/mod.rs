//! Microsoft Graph, as far as the tools reach, with its refusals.
//!
//! `request` reads path, query and preferences · `store` holds the mailboxes · one file per family
//! answers (those beyond the core tools in `family`) · `error` is the body shape. The order is Graph's: token, path, scope, query, body.

pub mod batch;
pub mod calendar;
pub mod challenge;
pub mod compose;
pub mod error;
pub mod event;
pub mod event_write;
pub mod family;
pub mod filter;
pub mod kql;
pub mod mail;
pub mod mail_write;
pub mod meetings;
pub mod message;
pub mod pattern;
pub mod people;
pub mod query;
pub mod request;
pub mod routes;
pub mod shape;
pub mod sharing;
pub mod store;
pub mod teams;
pub mod zone;

use std::time::Duration;

use axum::http::HeaderMap;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::App;
use crate::call::Call;
use crate::entra::claims::Claims;
use crate::entra::sessions::Consent;
use crate::faults::{Fault, Target};
use crate::reply::{self, Reply};
use error::GraphError;
use request::Answer;

const CONTENT_TYPE: &str =
    "application/json; odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
/// Requests Outlook answers at once for one mailbox.
const CONCURRENT: usize = 4;
const OUTLOOK: &[&str] =
    &["/messages", "/mailFolders", "/sendMail", "/calendar", "/events", "/contacts", "/mailboxSettings"];
const BEFORE: &[&str] = &["401", "401-claims", "401-acrs", "403", "404", "410", "429", "503"];
/// Without the faults that the request's token satisfies.
const SATISFIED: &[&str] = &["401", "403", "404", "410", "429", "503"];
const AROUND: &[&str] = &["slow", "act-then-504", "empty-page"];

/// Answers one Graph request and records it.
pub async fn handle(app: &App, call: &Call) -> Reply {
    let request_id = Uuid::new_v4().to_string();
    let subject = (call.method.as_str(), call.path.as_str());
    let ordinary = if challenge::is_answered(app, call) { SATISFIED } else { BEFORE };
    let (before, around) = {
        let mut world = app.world();
        let before = world.faults.take(Target::Graph, ordinary, subject);
        (before, world.faults.take(Target::Graph, AROUND, subject))
    };
    let consent = authenticate(app, call);
    let place = consent.as_ref().ok().and_then(|consent| enter(app, call, consent));
    if let Some(fault) = around.as_ref().filter(|fault| fault.fault == "slow") {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms.unwrap_or(1000))).await;
    }
    let result = match (&consent, before) {
        (_, Some(fault)) => Err(ordered(app, call, &fault)),
        (Err(error), None) => Err(error.clone()),
        (Ok(_), None) if place == Some(false) => Err(throttled()),
        (Ok(consent), None) => routes::answer(app, call, consent),
    };
    let result = afterwards(result, around.as_ref());
    if place == Some(true) {
        leave(app, consent.as_ref().ok());
    }
    let reply = render(result, call, &request_id);
    record(app, call, consent.ok().as_ref(), &reply);
    reply
}

/// What the request's token was asked for with.
fn claims_of(app: &App, call: &Call) -> Claims {
    let token = call.header("authorization").and_then(|header| header.split_once(' ')).map(|(_, token)| token);
    token.and_then(|token| app.world().entra.access.get(token).map(|known| known.claims.clone())).unwrap_or_default()
}

fn authenticate(app: &App, call: &Call) -> Result<Consent, GraphError> {
    let refuse = |message: &str| GraphError::new(401, "InvalidAuthenticationToken", message);
    let header = call.header("authorization").unwrap_or("");
    let (scheme, token) = header.split_once(' ').unwrap_or(("", ""));
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(refuse("Access token is empty."));
    }
    let world = app.world();
    let Some(known) = world.entra.access.get(token) else {
        return Err(refuse("IDX14100: JWT is not well formed, there are no dots (.)."));
    };
    if known.expires_at <= OffsetDateTime::now_utc() {
        return Err(refuse("Lifetime validation failed, the token is expired."));
    }
    Ok(known.consent.clone())
}

/// Takes one of the mailbox's places; false when all are taken, none where no mailbox is asked.
fn enter(app: &App, call: &Call, consent: &Consent) -> Option<bool> {
    if !OUTLOOK.iter().any(|part| call.path.contains(part)) {
        return None;
    }
    let mut world = app.world();
    let mailbox = world.graph.mailbox(consent.user);
    let free = mailbox.in_flight < CONCURRENT;
    mailbox.in_flight += usize::from(free);
    Some(free)
}

fn leave(app: &App, consent: Option<&Consent>) {
    if let Some(consent) = consent {
        let mut world = app.world();
        let mailbox = world.graph.mailbox(consent.user);
        mailbox.in_flight = mailbox.in_flight.saturating_sub(1);
    }
}

fn throttled() -> GraphError {
    GraphError::new(429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.")
}

fn expired() -> GraphError {
    GraphError::new(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
}

fn ordered(app: &App, call: &Call, fault: &Fault) -> GraphError {
    let mut error = match fault.fault.as_str() {
        "401" => expired(),
        "401-claims" | "401-acrs" => challenge::refuse(&fault.fault, &claims_of(app, call)),
        "403" => GraphError::new(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."),
        "404" => GraphError::new(404, "ErrorItemNotFound", "The specified object was not found in the store."),
        "410" => GraphError::new(410, "SyncStateNotFound", "The sync state generation is not found."),
        "429" => throttled(),
        _ => GraphError::new(503, "ServiceUnavailable", "The service is temporarily unavailable."),
    };
    if let Some(seconds) = fault.retry_after {
        error.headers.push(("retry-after", seconds.to_string()));
    }
    error
}

fn afterwards(result: Result<Answer, GraphError>, fault: Option<&Fault>) -> Result<Answer, GraphError> {
    match fault.map(|fault| fault.fault.as_str()) {
        Some("act-then-504") => Err(GraphError::new(504, "GatewayTimeout", "The server did not answer in time.")),
        Some("empty-page") => result.map(|mut answer| {
            if let Some(body) = answer.body.as_mut().filter(|body| body.get("value").is_some()) {
                crate::json::set(body, "value", json!([]));
            }
            answer
        }),
        _ => result,
    }
}

fn render(result: Result<Answer, GraphError>, call: &Call, request_id: &str) -> Reply {
    let client_id = call.header("client-request-id").unwrap_or(request_id).to_owned();
    let (status, body, headers) = match result {
        Ok(answer) => (answer.status, answer.body, answer.headers),
        Err(error) => (error.status, Some(error.body(request_id, &client_id)), error.headers),
    };
    let mut reply = match body {
        // A bare text is no JSON body of Graph's: it is a transcript or a page of OneNote.
        Some(Value::String(text)) if status < 400 => {
            let kind = if text.starts_with("WEBVTT") { "text/vtt" } else { "text/html; charset=utf-8" };
            reply::body(status, kind, text)
        }
        Some(body) if status < 400 => reply::body(status, CONTENT_TYPE, body.to_string()),
        Some(body) => reply::body(status, "application/json", body.to_string()),
        None => reply::empty(status),
    };
    for (name, value) in headers {
        reply = reply::with(reply, name, &value);
    }
    let diagnostic = r#"{"ServerInfo":{"DataCenter":"Emulator","Slice":"E","Ring":"1","ScaleUnit":"000","RoleInstance":"EMULATOR"}}"#;
    let reply = reply::with(reply, "request-id", request_id);
    let reply = reply::with(reply, "client-request-id", &client_id);
    reply::with(reply, "x-ms-ags-diagnostic", diagnostic)
}

fn record(app: &App, call: &Call, consent: Option<&Consent>, reply: &Reply) {
    let request_id = reply.headers().get("request-id").and_then(|value| value.to_str().ok());
    app.world().graph.calls.push(json!({
        "method": call.method.as_str(), "path": call.path, "query": call.query,
        "headers": shown_headers(&call.headers), "user": consent.map(|consent| consent.user.email),
        "status": reply.status().as_u16(), "requestId": request_id,
    }));
}

fn shown_headers(headers: &HeaderMap) -> Value {
    let shown = headers.iter().filter(|(name, _)| name.as_str() != "authorization");
    Value::Object(shown.map(|(name, value)| (name.to_string(), Value::from(value.to_str().unwrap_or("")))).collect())
}
