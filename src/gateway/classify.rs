//! Who failed: AI Gateway, an account policy, our handler, Graph, or the way between. Never judged by the status
//! alone, because a 401, 403 or 429 may come from any of them.
//!
//! | what came back | origin | code | may Graph have acted? |
//! |---|---|---|---|
//! | `name: AiGatewayError`, or `success: false` with `error` an array | `Policy` | the number, see below | see below |
//! | the same with 2005: the provider, which is our handler, gave nothing | `Transport` | `2005` | yes |
//! | `success: false` with `error` an object (403 deny, 429 spending limit) | `Policy` | its code, or `AccountPolicy` | no |
//! | `success: false` with `errors` (the control plane) | `Policy` | its number, or `ControlPlane` | from 500 on |
//! | `error.type` is [`HANDLER_ERROR`] | `Policy` | `handler_…` | no |
//! | `error.code` a string without `type`, or `request-id` / `x-ms-ags-diagnostic` | `Graph` | deepest known | from 500 on |
//! | anything else | `Transport` | `UnreadableAnswer` | yes |
//!
//! | gateway code | meaning | acted? |
//! |---|---|---|
//! | 2001 | no such gateway | no |
//! | 2003 | rate limited; there is no Retry-After | no |
//! | 2005 | the provider gave nothing | **maybe** |
//! | 2008 | invalid provider | no |
//! | 2009 | not authorised at the gateway | no |
//! | 2016 / 2017 | guardrail blocked the request / the response | no / **maybe** |
//! | 2018, 2021, 2041, 2045 | limits of credit and spending | no |
//! | 2019 | bad chat format | no |
//! | 2029 / 2030 | DLP blocked the request / the response | no / **maybe** |
//! | 2040 | no such key | no |
//! | 7003 | model or route not found | no |
//! | 7013 | the scanner is down | **maybe**: it scans responses as well |
//! | any other | unknown | **maybe** |

use serde::Deserialize;

use crate::graph::{Failure, Origin, challenge};
use crate::json;
use crate::ports::{OutboundResponse, UpstreamError};

/// `error.type` of our handler's refusals, by which they are told from Graph's.
pub const HANDLER_ERROR: &str = "m365_handler_error";

/// The gateway answered from its cache: possibly another user's data.
pub const CACHE_HIT: &str = "GatewayCacheHit";
/// No answer of the gateway within our own limit.
pub const GATEWAY_TIMEOUT: &str = "GatewayTimeout";
/// The connection to the gateway failed.
pub const GATEWAY_UNREACHABLE: &str = "GatewayUnreachable";
/// Graph did not answer the handler in time.
pub const GRAPH_TIMEOUT: &str = "GraphTimeout";
/// The handler could not reach Graph.
pub const GRAPH_UNREACHABLE: &str = "GraphUnreachable";
/// More than we take.
pub const ANSWER_TOO_LARGE: &str = "AnswerTooLarge";
/// An answer that is none of the known shapes.
pub const UNREADABLE_ANSWER: &str = "UnreadableAnswer";
/// A request that our own allow-list refuses; it was not sent.
pub const REQUEST_REFUSED: &str = "RequestRefused";

/// The provider gave nothing: nobody refused anything.
const NO_PROVIDER: i64 = 2005;
/// Gateway codes after which Graph cannot have seen the request.
const BEFORE_GRAPH: &[i64] = &[2001, 2003, 2008, 2009, 2016, 2018, 2019, 2021, 2029, 2040, 2041, 2045, 7003];

/// Codes of Graph that something in this crate or in its tools' advice tells apart. A deeper code that is not here is
/// passed over for the one that encloses it (Microsoft's error guideline).
const KNOWN: &[&str] = &[
    "AccessDenied",
    "ApplicationThrottled",
    "Authorization_RequestDenied",
    "BadRequest",
    "ErrorAccessDenied",
    "ErrorFolderNotFound",
    "ErrorInvalidIdMalformed",
    "ErrorInvalidRecipients",
    "ErrorInvalidRequest",
    "ErrorIrresolvableConflict",
    "ErrorItemNotFound",
    "ErrorMessageSizeExceeded",
    "ErrorQuotaExceeded",
    "ErrorSendAsDenied",
    "Forbidden",
    "InsufficientClaims",
    "InvalidAuthenticationToken",
    "ItemNotFound",
    "MailboxConcurrency",
    "MailboxNotEnabledForRESTAPI",
    "NotFound",
    "Request_ResourceNotFound",
    "ResourceNotFound",
    "ServiceUnavailable",
    "SyncStateNotFound",
    "TooManyRequests",
    "UnknownError",
    "accessDenied",
    "activityLimitReached",
    "invalidRequest",
    "itemNotFound",
    "quotaLimitReached",
    "resyncRequired",
    "serviceNotAvailable",
    "syncStateNotFound",
];

/// Longest message that is kept for people.
const MESSAGE_LIMIT: usize = 500;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Shape {
    success: Option<bool>,
    name: Option<String>,
    #[serde(rename = "internalCode")]
    internal_code: Option<i64>,
    description: Option<String>,
    error: Option<ErrorField>,
    errors: Option<Vec<Coded>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ErrorField {
    Many(Vec<Coded>),
    One(Box<Coded>),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Coded {
    code: Option<Code>,
    message: Option<String>,
    r#type: Option<String>,
    #[serde(rename = "innerError", alias = "innererror", alias = "InnerError")]
    inner: Option<Box<Coded>>,
    #[serde(rename = "request-id")]
    request_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Code {
    Number(i64),
    Text(String),
}

impl Code {
    /// As one word that is safe in a log line, whoever wrote it.
    fn word(&self) -> Option<String> {
        match self {
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => is_word(text).then(|| text.clone()),
        }
    }
}

/// The failure that a raw answer of the gateway stands for. `now` is in Unix seconds.
pub fn classify(response: &OutboundResponse, now: u64) -> Failure {
    let shape: Shape = json::read(&response.body).unwrap_or_default();
    let from_graph = response.header("request-id").or_else(|| response.header("x-ms-ags-diagnostic")).is_some();
    let refused = shape.success == Some(false);
    let failure = match &shape.error {
        _ if shape.name.as_deref() == Some("AiGatewayError") => gateway(&shape),
        Some(ErrorField::Many(_)) if refused => gateway(&shape),
        Some(ErrorField::One(error)) if refused => policy(error),
        _ if refused && shape.errors.is_some() => control_plane(&shape, response.status),
        Some(ErrorField::One(error)) if error.r#type.as_deref() == Some(HANDLER_ERROR) => policy(error),
        Some(ErrorField::One(error)) if is_graph(error) => return graph(response, now),
        _ if from_graph => return graph(response, now),
        _ => Failure::of(Origin::Transport, UNREADABLE_ANSWER).maybe_acted(),
    };
    Failure { status: Some(response.status), retry_after: response.retry_after(now), ..failure }
}

/// The failure that an answer of 400 or more, known to be Graph's own, stands for.
pub fn graph(response: &OutboundResponse, now: u64) -> Failure {
    let shape: Shape = json::read(&response.body).unwrap_or_default();
    let error = match shape.error {
        Some(ErrorField::One(error)) => *error,
        Some(ErrorField::Many(_)) | None => Coded::default(),
    };
    let inner_id = error.inner.as_ref().and_then(|inner| inner.request_id.clone()).filter(|id| is_word(id));
    Failure {
        origin: Origin::Graph,
        code: deepest_known(&error).unwrap_or_else(|| "UnknownError".to_owned()),
        status: Some(response.status),
        message: error.message.as_deref().map(shorten),
        retry_after: response.retry_after(now),
        // Graph advises against repeating a write after anything but a 429: a server error may come after the work.
        may_have_acted: response.status >= 500,
        graph_request_id: response.header("request-id").map(str::to_owned).or(inner_id),
        claims: response
            .header("www-authenticate")
            .filter(|_| matches!(response.status, 401 | 403))
            .and_then(challenge::claims),
    }
}

/// The failure of a call that the gateway gave no answer to.
pub fn no_answer(error: UpstreamError) -> Failure {
    let code = match error {
        UpstreamError::Timeout => GATEWAY_TIMEOUT,
        UpstreamError::Unreachable => GATEWAY_UNREACHABLE,
        UpstreamError::TooLarge => ANSWER_TOO_LARGE,
    };
    Failure::of(Origin::Transport, code).maybe_acted()
}

/// `{"success":false,"error":[{"code":2003,…}],"name":"AiGatewayError","internalCode":2003,…}`
fn gateway(shape: &Shape) -> Failure {
    let first = match &shape.error {
        Some(ErrorField::Many(errors)) => errors.first(),
        Some(ErrorField::One(error)) => Some(error.as_ref()),
        None => None,
    };
    let listed = first.and_then(|error| error.code.as_ref());
    let number = shape.internal_code.or(match listed {
        Some(Code::Number(number)) => Some(*number),
        Some(Code::Text(text)) => text.parse().ok(),
        None => None,
    });
    let message = shape.description.as_deref().or_else(|| first.and_then(|error| error.message.as_deref()));
    let origin = if number == Some(NO_PROVIDER) { Origin::Transport } else { Origin::Policy };
    Failure {
        message: message.map(shorten),
        may_have_acted: !number.is_some_and(|number| BEFORE_GRAPH.contains(&number)),
        ..Failure::of(origin, number.map_or_else(|| "AiGatewayError".to_owned(), |number| number.to_string()))
    }
}

/// An account policy, or our own handler: either refuses before anything reaches Graph.
fn policy(error: &Coded) -> Failure {
    let code = error.code.as_ref().and_then(Code::word).unwrap_or_else(|| "AccountPolicy".to_owned());
    Failure { message: error.message.as_deref().map(shorten), ..Failure::of(Origin::Policy, code) }
}

/// Cloudflare's API in front of the gateway. Its 4xx are said before the call is routed; of its 5xx nobody knows.
fn control_plane(shape: &Shape, status: u16) -> Failure {
    let first = shape.errors.as_ref().and_then(|errors| errors.first());
    let code = first.and_then(|error| error.code.as_ref()).and_then(Code::word);
    Failure {
        message: first.and_then(|error| error.message.as_deref()).map(shorten),
        may_have_acted: status >= 500,
        ..Failure::of(Origin::Policy, code.unwrap_or_else(|| "ControlPlane".to_owned()))
    }
}

/// Graph's errors have a code in words and, unlike those of chat providers, no `type`.
fn is_graph(error: &Coded) -> bool {
    matches!(error.code, Some(Code::Text(_))) && error.r#type.is_none()
}

/// The deepest code of [`KNOWN`], or else the outermost there is.
fn deepest_known(error: &Coded) -> Option<String> {
    let levels = std::iter::successors(Some(error), |level| level.inner.as_deref());
    let words: Vec<_> = levels.filter_map(|level| level.code.as_ref().and_then(Code::word)).collect();
    let known = words.iter().rev().find(|word| KNOWN.contains(&word.as_str()));
    known.or_else(|| words.first()).cloned()
}

fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(plain)
}

fn shorten(message: &str) -> String {
    message.chars().filter(|char| !char.is_control()).take(MESSAGE_LIMIT).collect()
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
