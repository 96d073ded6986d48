//! The far end of the gateway's dynamic route: `POST /graph-handler/v1/chat/completions`, a chat provider whose one
//! model is Microsoft Graph.
//!
//! In order: 1. the gateway shows our key; 2. the body is a chat request with one user message; 3. its content is an
//! envelope whose method, path and headers are on the allow-lists; 4. the envelope was sealed by this deployment,
//! for this request, less than a minute ago; 5. Graph is called, on the configured host only; 6. the answer goes
//! back as a chat completion, always 200, so that the route never retries and never falls back.
//!
//! Refusals carry one message for every fault of an envelope; the log line says which it was. Owns no user, no grant
//! and no state: it knows what the envelope says, and speaks for nobody without one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::config::Gateway;
use crate::crypto::Digest;
use crate::exchange::Exchange;
use crate::gateway::allow;
use crate::gateway::classify::HANDLER_ERROR;
use crate::gateway::dynamic_route::{Carried, HANDLER_FAILURE};
use crate::gateway::envelope::{Envelope, EnvelopeError, Opened, Sealer};
use crate::log::{Event, Kind};
use crate::ports::{OutboundRequest, OutboundResponse, UpstreamError};
use crate::web::{Method, Request, Response};

/// Graph's limit, 3 s below the gateway's, so that the handler itself gets to say that Graph was too slow.
pub const GRAPH_LIMIT_MS: u64 = 22_000;

/// Longest request: Graph takes 4 MB of JSON, which is quoted twice on its way (envelope, chat message), so that a
/// quotation mark becomes four bytes; text without many of them stays far below. The same as the route's limit.
pub const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// Longest answer of Graph's that is passed on; a third more as base64.
pub const ANSWER_LIMIT: usize = 8 * 1024 * 1024;

/// Why the handler refused. Each is one status and one code; nothing of the request is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("unauthorized")]
    Unauthorized,
    #[error("too-large")]
    TooLarge,
    #[error("not-a-chat-request")]
    NotChat,
    #[error("method-not-allowed")]
    Method,
    #[error("path-not-allowed")]
    Path,
    #[error("header-not-allowed")]
    Header,
    #[error("request-id-not-allowed")]
    RequestId,
    #[error("{0}")]
    Envelope(#[from] EnvelopeError),
}

impl Refusal {
    const fn answer(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::Unauthorized => (401, "handler_unauthorized", "a valid key is required"),
            Self::TooLarge => (413, "handler_too_large", "the request is too large"),
            Self::NotChat => (400, "handler_not_chat", "expected a chat request with one user message, not streamed"),
            Self::Method | Self::Path | Self::Header | Self::RequestId | Self::Envelope(_) => {
                (400, "handler_envelope", "the envelope is not acceptable")
            }
        }
    }

    fn response(self) -> Response {
        let (status, code, message) = self.answer();
        let body = ErrorBody { error: ErrorDetail { message, r#type: HANDLER_ERROR, code } };
        Response::json(status, &body).with("cache-control", "no-store")
    }
}

#[derive(Serialize)]
struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Serialize)]
struct ErrorDetail {
    message: &'static str,
    r#type: &'static str,
    code: &'static str,
}

#[derive(Deserialize)]
struct ChatRequest<'a> {
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
    #[serde(default)]
    stream: Option<bool>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    content: Cow<'a, str>,
}

/// Answers the gateway.
pub async fn handle(exchange: &Exchange, request: &Request) -> Response {
    if request.method != Method::Post {
        return Response::method_not_allowed("POST");
    }
    let content = match read_content(exchange, request) {
        Ok(content) => content,
        Err(refusal) => return refuse(exchange, refusal),
    };
    match accept(exchange, &content) {
        Ok((envelope, opened)) => forward(exchange, &envelope, opened).await,
        Err(refusal) => refuse(exchange, refusal),
    }
}

/// Steps 1 and 2: the text of the one user message.
fn read_content<'a>(exchange: &Exchange, request: &'a Request) -> Result<Cow<'a, str>, Refusal> {
    if !is_gateway(request, &exchange.config.gateway) {
        return Err(Refusal::Unauthorized);
    }
    if request.body.len() > BODY_LIMIT {
        return Err(Refusal::TooLarge);
    }
    let chat: ChatRequest<'a> = serde_json::from_slice(&request.body).map_err(|_| Refusal::NotChat)?;
    let [message]: [Message<'a>; 1] = chat.messages.try_into().map_err(|_| Refusal::NotChat)?;
    if message.role != "user" || chat.stream == Some(true) {
        return Err(Refusal::NotChat);
    }
    Ok(message.content)
}

/// Steps 3 and 4. The allow-lists count for sealed requests too: a fault of a tool must not become a request to
/// anything but Graph.
fn accept<'a>(exchange: &Exchange, content: &'a str) -> Result<(Envelope<'a>, Opened), Refusal> {
    let envelope = Envelope::parse(content)?;
    if !allow::request_id(&envelope.request_id) {
        return Err(Refusal::RequestId);
    }
    if !allow::method(&envelope.method) {
        return Err(Refusal::Method);
    }
    if !allow::path(&envelope.path, exchange.config.microsoft.graph_version) {
        return Err(Refusal::Path);
    }
    if !envelope.plain_headers().all(|(name, value)| allow::request_header(name, value)) {
        return Err(Refusal::Header);
    }
    let opened = Sealer::new(&exchange.config.keys.encryption).open(&envelope, exchange.ports.clock.now())?;
    Ok((envelope, opened))
}

/// Steps 5 and 6.
async fn forward(exchange: &Exchange, envelope: &Envelope<'_>, opened: Opened) -> Response {
    let started = exchange.ports.clock.now_ms();
    let request = build_request(exchange, envelope, opened);
    let answer = exchange.ports.upstream.send(request, GRAPH_LIMIT_MS).await;
    let answer = match answer {
        Ok(answer) if answer.body.len() > ANSWER_LIMIT => Err(UpstreamError::TooLarge),
        other => other,
    };
    let failure = answer.as_ref().err().map(|error| failure_word(*error));
    let answer = answer.unwrap_or_else(no_answer);
    exchange.ports.log.write(&Event {
        request_id: Some(&envelope.request_id),
        ray_id: exchange.context.ray_id.as_deref(),
        method: Some(&envelope.method),
        status: Some(answer.status),
        duration_ms: Some(exchange.ports.clock.now_ms().saturating_sub(started)),
        reason: failure,
        graph_request_id: answer.header("request-id"),
        graph_diagnostic: answer.header("x-ms-ags-diagnostic"),
        ..Event::new(Kind::GraphHandler)
    });
    completion(exchange, &answer, failure)
}

/// Host, credential and `client-request-id` are written here and nowhere else.
fn build_request(exchange: &Exchange, envelope: &Envelope<'_>, opened: Opened) -> OutboundRequest {
    let mut headers: Vec<_> =
        envelope.plain_headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    headers.push(("authorization".to_owned(), format!("Bearer {}", opened.token.expose())));
    headers.push(("client-request-id".to_owned(), envelope.request_id.clone().into_owned()));
    headers.push(("return-client-request-id".to_owned(), "true".to_owned()));
    OutboundRequest {
        method: envelope.method.clone().into_owned(),
        url: format!("{}{}", exchange.config.microsoft.cloud.graph, envelope.path),
        headers,
        body: opened.body,
        max_answer: None,
    }
}

const fn failure_word(error: UpstreamError) -> &'static str {
    match error {
        UpstreamError::Timeout => "timeout",
        UpstreamError::Unreachable => "unreachable",
        UpstreamError::TooLarge => "too-large",
    }
}

/// What stands in for Graph's answer when there is none.
const fn no_answer(error: UpstreamError) -> OutboundResponse {
    let status = match error {
        UpstreamError::Timeout => 504,
        UpstreamError::Unreachable | UpstreamError::TooLarge => 502,
    };
    OutboundResponse { status, headers: Vec::new(), body: Vec::new() }
}

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'static str,
    choices: [Choice; 1],
    usage: Usage,
}

#[derive(Serialize)]
struct Choice {
    index: u8,
    message: Reply,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Reply {
    role: &'static str,
    content: String,
}

/// There are no tokens to count, but a chat client may insist on the numbers.
#[derive(Default, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are those of a chat completion")]
struct Usage {
    prompt_tokens: u8,
    completion_tokens: u8,
    total_tokens: u8,
}

/// `failure` becomes the marker that tells our own 502 and 504 from Graph's; no answer of Graph's can bring it along,
/// because only named headers pass.
fn completion(exchange: &Exchange, answer: &OutboundResponse, failure: Option<&'static str>) -> Response {
    let mut headers = passed_headers(answer);
    headers.extend(failure.map(|word| (HANDLER_FAILURE.into(), word.into())));
    let carried = Carried { status: answer.status, headers, body_base64: STANDARD.encode(&answer.body).into() };
    let Ok(content) = serde_json::to_string(&carried) else { return Response::empty(500) };
    let body = Completion {
        id: &exchange.context.request_id,
        object: "chat.completion",
        created: exchange.context.now,
        model: "microsoft-graph",
        choices: [Choice { index: 0, message: Reply { role: "assistant", content }, finish_reason: "stop" }],
        usage: Usage::default(),
    };
    Response::json(200, &body).with("cache-control", "no-store")
}

/// Headers of one name become one (RFC 9110 section 5.3): Graph may send several challenges.
fn passed_headers(answer: &OutboundResponse) -> BTreeMap<Cow<'_, str>, Cow<'_, str>> {
    let mut headers: BTreeMap<Cow<'_, str>, Cow<'_, str>> = BTreeMap::new();
    for (name, value) in answer.headers.iter().filter(|(name, _)| allow::response_header(name)) {
        headers
            .entry(name.as_str().into())
            .and_modify(|known| *known = format!("{known}, {value}").into())
            .or_insert_with(|| value.as_str().into());
    }
    headers
}

/// Digests are compared, in constant time, so that not even the key's length shows.
fn is_gateway(request: &Request, gateway: &Gateway) -> bool {
    let bearer = request.header("authorization").and_then(|value| value.split_once(' '));
    let mut keys = std::iter::once(&gateway.handler_key).chain(&gateway.handler_key_previous);
    bearer.is_some_and(|(scheme, presented)| {
        let presented = Digest::of(presented.as_bytes());
        scheme.eq_ignore_ascii_case("bearer") && keys.any(|key| presented.matches(&key.digest()))
    })
}

fn refuse(exchange: &Exchange, refusal: Refusal) -> Response {
    let (status, ..) = refusal.answer();
    exchange.ports.log.write(&Event {
        status: Some(status),
        reason: Some(&refusal.to_string()),
        ..exchange.context.event(Kind::GraphHandler)
    });
    refusal.response()
}
