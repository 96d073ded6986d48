//! The stateless methods: which the edge answers by itself, and which go to the grant's object.
//!
//! Results are those of the legacy revisions with what 2026-07-28 adds, spliced in front: `resultType`, who answers,
//! and for what may be kept, how long and by whom.

use std::borrow::Cow;

use serde_json::json;
use serde_json::value::RawValue;

use super::discover::discover;
use super::envelope::{Params, text};
use super::{CACHED, FRESH, Hints, MISSING_CAPABILITY};
use crate::agent::{InputMethod, InputRequest};
use crate::exchange::Exchange;
use crate::mcp::completion::complete as complete_argument;
use crate::mcp::methods::{self, Ask};
use crate::mcp::protocol::{Answer, RpcError};
use crate::prompts;
use crate::tools::{self, View};

/// Before every other member of a complete result.
const HEAD: &str = concat!(
    "{\"resultType\":\"complete\",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":{\"name\":\"m365-mcp\",\"version\":\"",
    env!("CARGO_PKG_VERSION"),
    "\"}},"
);

/// The same before a result of another type.
fn head(result_type: &str) -> String {
    HEAD.replacen("complete", result_type, 1)
}

/// What a request comes to.
pub(super) enum Step {
    /// An answer that needs nothing more.
    Answer(Answer),
    /// A question to the grant's object; its result gets these hints.
    Ask(Ask, Option<Hints>),
    /// A prompt.
    Prompt(prompts::Request),
}

/// What a request comes to.
pub(super) fn step(exchange: &Exchange, view: View, method: &str, params: &Params<'_>) -> Step {
    let outcome = match method {
        "server/discover" => discover(&exchange.config).map(answer),
        "tools/list" => list(params, "tools", &exchange.isolate.lists.json(view)),
        "resources/list" => list(params, "resources", &tools::resources_json(view)),
        "resources/templates/list" => list(params, "resourceTemplates", &tools::templates_json(view)),
        "prompts/list" => list(params, "prompts", prompts::list_json()),
        "prompts/get" => methods::prompt(params.raw).map(Step::Prompt),
        "completion/complete" => complete_argument(view, params.raw).map(|result| answer(dress(&result, None))),
        "tools/call" => call(view, params),
        "resources/read" => read(view, params),
        _ => Err(RpcError::method_not_found(method)),
    };
    outcome.unwrap_or_else(|error| Step::Answer(Answer::Error(error)))
}

/// What a call that asks its client something answers. `state` is sealed, so it needs no escaping.
pub(super) fn ask_client(requests: &[InputRequest], state: &str) -> Answer {
    let mut asked = serde_json::Map::new();
    for request in requests {
        asked.insert(request.key.clone(), json!({ "method": request.method, "params": request.params }));
    }
    let requests = serde_json::Value::from(asked);
    let head = head("input_required");
    Answer::Result(format!("{head}\"inputRequests\":{requests},\"requestState\":\"{state}\"}}").into())
}

/// The refusal of a call that would have to ask its client what that never said it answers.
pub(super) fn lacks_capability(method: InputMethod) -> RpcError {
    lacks(&json!({ method.capability(): {} }))
}

/// The refusal of what only a client can ask for that knows tasks.
pub(super) fn lacks_tasks() -> RpcError {
    lacks(&json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } }))
}

fn lacks(required: &serde_json::Value) -> RpcError {
    let data = json!({ "requiredCapabilities": required }).to_string();
    let error = RpcError::new(MISSING_CAPABILITY, "the client lacks a capability that this call needs");
    RpcError { data: Some(data), ..error }
}

/// A result of the object's, with what this revision adds.
pub(super) fn complete(answer: Answer, hints: Option<Hints>) -> Answer {
    match answer {
        Answer::Result(result) => Answer::Result(dress(&result, hints).into()),
        Answer::Error(error) => Answer::Error(error),
    }
}

fn dress(result: &str, hints: Option<Hints>) -> String {
    let members = result.strip_prefix('{').unwrap_or(result);
    let hints = hints.map(Hints::members).unwrap_or_default();
    if members == "}" {
        // The comma is for members that follow.
        return [HEAD.trim_end_matches(','), members].concat();
    }
    [HEAD, &hints, members].concat()
}

/// A call that goes on as this task.
pub(super) fn as_task(task: &str) -> Answer {
    let members = task.strip_prefix('{').unwrap_or(task);
    Answer::Result([&head("task"), members].concat().into())
}

fn answer(text: impl Into<Cow<'static, str>>) -> Step {
    Step::Answer(Answer::Result(text.into()))
}

/// Every list fits one page, so no cursor is ever ours; an empty one is what some clients send for none.
fn list(params: &Params<'_>, name: &str, entries: &str) -> Result<Step, RpcError> {
    if params.cursor.is_some_and(|cursor| text(cursor).is_none_or(|cursor| !cursor.is_empty())) {
        return Err(RpcError::invalid_params("unknown cursor"));
    }
    Ok(answer(dress(&format!("{{\"{name}\":{entries}}}"), Some(CACHED))))
}

fn call(view: View, params: &Params<'_>) -> Result<Step, RpcError> {
    let name = required(params.name, "name")?;
    #[cfg(feature = "conformance")]
    if tools::fixtures::ONLY_TASKS.contains(&name.as_ref()) && !params.knows_tasks() {
        return Err(lacks_tasks());
    }
    match methods::call_tool(view, &name, params.arguments)? {
        methods::Step::Answer(known) => Ok(Step::Answer(complete(known, None))),
        methods::Step::Ask(ask) => Ok(Step::Ask(ask, None)),
    }
}

fn read(view: View, params: &Params<'_>) -> Result<Step, RpcError> {
    let uri = required(params.uri, "uri")?;
    // -32002 has no place in this revision.
    let ask = methods::read_resource(view, &uri).map_err(|error| RpcError { code: -32602, ..error })?;
    Ok(Step::Ask(ask, Some(FRESH)))
}

/// A member of the params that is a string.
pub(super) fn required<'a>(raw: Option<&'a RawValue>, name: &str) -> Result<Cow<'a, str>, RpcError> {
    raw.and_then(text).ok_or_else(|| RpcError::invalid_params(format!("params: {name} must be a string")))
}
