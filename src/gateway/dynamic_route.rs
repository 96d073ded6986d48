//! Builds the one `env.AI.run` call that a Graph request becomes, and reads the route's chat completion back into
//! Graph's answer. No I/O, no retry.
//!
//! Always: raw response, no cache, one attempt at the gateway (its default would send a mail twice), no payload in
//! its log, a time limit, and metadata of at most five entries, because a sixth is dropped and one null loses all.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::config;
use crate::gateway::classify::{self, CACHE_HIT, UNREADABLE_ANSWER};
use crate::gateway::envelope::{Envelope, EnvelopeError};
use crate::graph::{Failure, GraphResponse, Origin};
use crate::ports::{AiCall, OutboundResponse, UpstreamError};

/// Our own limit: the gateway's 25 s and 5 s for the way there and back.
pub const CALL_LIMIT_MS: u64 = 30_000;

/// The gateway's limit: the handler's 22 s and 3 s for the hop between.
pub const GATEWAY_LIMIT_MS: u64 = 25_000;

/// Header in the handler's answer by which its own failures are told from Graph's; no answer of Graph's carries it,
/// because the handler passes named headers only.
pub const HANDLER_FAILURE: &str = "x-m365-handler-error";

/// What the gateway's log and its quota know of a call. Five entries, and there is no place for a sixth.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata<'a> {
    /// The real `tid:oid`; the route's quota counts by it.
    pub user_id: &'a str,
    /// The tool.
    pub mcp_tool: &'a str,
    /// The client request's id.
    pub request_id: &'a str,
    /// The user's address, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_email: Option<&'a str>,
    /// The Access identity's `sub`, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_subject: Option<&'a str>,
}

#[derive(Serialize)]
struct Inputs<'a> {
    method: &'a str,
    path: &'a str,
    headers: &'a BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    messages: [Message<'a>; 1],
    stream: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Options<'a> {
    gateway: GatewayOptions<'a>,
    return_raw_response: bool,
    extra_headers: ExtraHeaders,
}

#[derive(Serialize)]
struct ExtraHeaders {
    #[serde(rename = "cf-aig-collect-log-payload")]
    collect_log_payload: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GatewayOptions<'a> {
    id: &'a str,
    skip_cache: bool,
    collect_log: bool,
    metadata: &'a Metadata<'a>,
    retries: Retries,
    request_timeout_ms: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Retries {
    max_attempts: u8,
}

/// The call that carries this sealed request.
pub fn build_call(
    gateway: &config::Gateway,
    envelope: &Envelope<'_>,
    metadata: &Metadata<'_>,
) -> Result<AiCall, EnvelopeError> {
    let content = envelope.to_text()?;
    let inputs = Inputs {
        method: &envelope.method,
        path: &envelope.path,
        headers: &envelope.headers,
        body: envelope.body.as_deref(),
        messages: [Message { role: "user", content: &content }],
        stream: false,
    };
    let options = Options {
        gateway: GatewayOptions {
            id: &gateway.id,
            skip_cache: true,
            collect_log: true,
            metadata,
            retries: Retries { max_attempts: 1 },
            request_timeout_ms: GATEWAY_LIMIT_MS,
        },
        return_raw_response: true,
        extra_headers: ExtraHeaders { collect_log_payload: "false" },
    };
    Ok(AiCall {
        model: gateway.route.clone(),
        inputs: serde_json::to_string(&inputs).map_err(|_| EnvelopeError::SealFailed)?,
        options: serde_json::to_string(&options).map_err(|_| EnvelopeError::SealFailed)?,
        limit_ms: CALL_LIMIT_MS,
    })
}

/// Ids by which one call is found again, as far as the far ends gave any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the log line")]
pub struct Ids {
    pub ai_gateway_log_id: Option<String>,
    pub aig_request_id: Option<String>,
    pub aig_event_id: Option<String>,
    pub graph_request_id: Option<String>,
    pub graph_diagnostic: Option<String>,
}

/// What one call gave.
#[derive(Debug)]
pub struct Answer {
    /// Graph's answer below 400, or who failed.
    pub outcome: Result<GraphResponse, Failure>,
    /// For the log line.
    pub ids: Ids,
}

/// Reads the raw response of `env.AI.run`. `now` is in Unix seconds.
pub fn read_answer(result: Result<OutboundResponse, UpstreamError>, now: u64) -> Answer {
    let response = match result {
        Ok(response) => response,
        Err(error) => return Answer { outcome: Err(classify::no_answer(error)), ids: Ids::default() },
    };
    let mut ids = Ids {
        ai_gateway_log_id: id_header(&response, "cf-aig-log-id"),
        aig_request_id: id_header(&response, "cf-aig-request-id"),
        aig_event_id: id_header(&response, "cf-aig-event-id"),
        ..Ids::default()
    };
    let outcome = if is_cache_hit(&response) {
        Err(Failure { status: Some(response.status), ..Failure::of(Origin::Policy, CACHE_HIT) })
    } else {
        match read_completion(&response) {
            Some(graph) => {
                ids.graph_request_id = id_header(&graph, "request-id");
                ids.graph_diagnostic = id_header(&graph, "x-ms-ags-diagnostic");
                graph_outcome(graph, now)
            }
            None => Err(no_completion(&response, now)),
        }
    };
    Answer { outcome, ids }
}

fn is_cache_hit(response: &OutboundResponse) -> bool {
    response.header("cf-aig-cache-status").is_some_and(|status| status.trim().eq_ignore_ascii_case("hit"))
}

/// A 200 without a readable completion and without an error's shape is nobody's answer.
fn no_completion(response: &OutboundResponse, now: u64) -> Failure {
    let failure = classify::classify(response, now);
    match failure.origin {
        Origin::Graph if response.status < 400 => {
            Failure { status: Some(response.status), ..Failure::of(Origin::Transport, UNREADABLE_ANSWER).maybe_acted() }
        }
        Origin::Graph | Origin::Policy | Origin::Transport | Origin::SignIn | Origin::Operator => failure,
    }
}

fn graph_outcome(graph: OutboundResponse, now: u64) -> Result<GraphResponse, Failure> {
    if let Some(word) = graph.header(HANDLER_FAILURE) {
        let code = match word {
            "timeout" => classify::GRAPH_TIMEOUT,
            "too-large" => classify::ANSWER_TOO_LARGE,
            _ => classify::GRAPH_UNREACHABLE,
        };
        return Err(Failure { status: Some(graph.status), ..Failure::of(Origin::Transport, code).maybe_acted() });
    }
    if graph.status >= 400 {
        return Err(classify::graph(&graph, now));
    }
    Ok(GraphResponse { status: graph.status, headers: graph.headers, body: graph.body })
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Reply,
}

#[derive(Deserialize)]
struct Reply {
    content: String,
}

/// Graph's answer as the handler wrote it into the completion.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Carried<'a> {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) body_base64: Cow<'a, str>,
}

fn read_completion(response: &OutboundResponse) -> Option<OutboundResponse> {
    if response.status != 200 {
        return None;
    }
    let completion: Completion = serde_json::from_slice(&response.body).ok()?;
    let [choice] = completion.choices.as_slice() else { return None };
    let carried: Carried<'_> = serde_json::from_str(&choice.message.content).ok()?;
    let headers = carried.headers.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned()));
    (200..600).contains(&carried.status).then_some(())?;
    Some(OutboundResponse {
        status: carried.status,
        headers: headers.collect(),
        body: STANDARD.decode(carried.body_base64.as_bytes()).ok()?,
    })
}

/// An id for a log line: printable and short, whoever sent it.
fn id_header(response: &OutboundResponse, name: &str) -> Option<String> {
    let value = response.header(name)?;
    let printable = value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    (printable && !value.is_empty() && value.len() <= 512).then(|| value.to_owned())
}
