//! The methods: which the edge answers by itself, and which go to the grant's object.
//!
//! Lists are spliced from text that the catalogue serialised once. All revisions get the same text: clients of an older
//! one ignore members that they do not know (`title`, `icons`, `outputSchema`), and their schemas allow them; what
//! would break one, an `outputSchema` or `structuredContent` that is no object, the catalogue never holds.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::protocol::{Answer, RpcError, clip, params};
use crate::agent::Action;
use crate::config::PresetSet;
use crate::exchange::Exchange;
use crate::tools::{self, View};

/// Resource not found, in the revisions up to 2025-11-25.
const RESOURCE_NOT_FOUND: i32 = -32002;

/// What a request comes to.
pub(super) enum Step {
    /// An answer that needs nothing more.
    Answer(Answer),
    /// A question to the grant's object.
    Ask(Ask),
}

/// A question to the grant's object.
pub(super) struct Ask {
    /// What is asked.
    pub(super) action: Action,
    /// Our name for it in log lines.
    pub(super) name: &'static str,
    /// The presets that count for it.
    pub(super) presets: PresetSet,
}

/// What a request comes to; `initialize` is not among them, because it belongs to the channel.
pub(super) fn step(exchange: &Exchange, view: View, method: &str, raw: Option<&RawValue>) -> Step {
    let outcome = match method {
        "ping" => Ok(result("{}")),
        "tools/list" => list(raw, || format!("{{\"tools\":{}}}", exchange.isolate.lists.json(view)).into()),
        "resources/list" => list(raw, || format!("{{\"resources\":{}}}", tools::resources_json()).into()),
        "resources/templates/list" => list(raw, || "{\"resourceTemplates\":[]}".into()),
        "prompts/list" => list(raw, || "{\"prompts\":[]}".into()),
        "prompts/get" => Err(RpcError::invalid_params("no such prompt: this server has none")),
        "tools/call" => call(view, raw),
        "resources/read" => read(raw),
        _ => Err(RpcError::method_not_found(method)),
    };
    outcome.unwrap_or_else(|error| Step::Answer(Answer::Error(error)))
}

fn result(text: impl Into<Cow<'static, str>>) -> Step {
    Step::Answer(Answer::Result(text.into()))
}

#[derive(Deserialize)]
struct ListParams {
    #[serde(default)]
    cursor: Option<String>,
}

/// Every list fits one page, so no cursor is ever ours; an empty one is what some clients send for none.
fn list(raw: Option<&RawValue>, text: impl FnOnce() -> Cow<'static, str>) -> Result<Step, RpcError> {
    let ListParams { cursor } = params(raw)?;
    if cursor.is_some_and(|cursor| !cursor.is_empty()) {
        return Err(RpcError::invalid_params("unknown cursor"));
    }
    Ok(result(text()))
}

#[derive(Deserialize)]
struct CallParams<'a> {
    name: String,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

fn call(view: View, raw: Option<&RawValue>) -> Result<Step, RpcError> {
    let CallParams { name, arguments } = params(raw)?;
    call_tool(view, &name, arguments)
}

/// A call of a tool: a question to the object, unless the deployment or the arguments' form rule it out.
pub(super) fn call_tool(view: View, name: &str, arguments: Option<&RawValue>) -> Result<Step, RpcError> {
    let known = tools::find(name).filter(|tool| view.has(tool));
    let tool = known.ok_or_else(|| RpcError::invalid_params(format!("unknown tool: {}", clip(name))))?;
    if view.read_only && tool.writes() {
        return Ok(result(READ_ONLY));
    }
    let arguments = arguments.map_or("{}", RawValue::get);
    if !arguments.starts_with('{') {
        return Err(RpcError::invalid_params("arguments must be an object"));
    }
    let action = Action::Tool { name: name.to_owned(), arguments: arguments.to_owned() };
    Ok(Step::Ask(Ask { action, name: tool.name, presets: view.presets }))
}

/// A tool error, not a protocol error, so that the model reads why.
const READ_ONLY: &str = r#"{"content":[{"type":"text","text":"This server is read-only: its operator switched off every tool that changes or sends something."}],"isError":true}"#;

#[derive(Deserialize)]
struct ReadParams {
    uri: String,
}

fn read(raw: Option<&RawValue>) -> Result<Step, RpcError> {
    let ReadParams { uri } = params(raw)?;
    read_resource(&uri).map(Step::Ask)
}

/// A read of a resource, by the revisions up to 2025-11-25.
pub(super) fn read_resource(uri: &str) -> Result<Ask, RpcError> {
    if !tools::has_resource(uri) {
        let data = serde_json::json!({ "uri": uri }).to_string();
        let error = RpcError::new(RESOURCE_NOT_FOUND, "resource not found");
        return Err(RpcError { data: Some(data), ..error });
    }
    Ok(Ask { action: Action::Resource { uri: uri.to_owned() }, name: "resources/read", presets: PresetSet::ALL })
}
