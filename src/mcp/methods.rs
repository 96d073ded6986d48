//! The methods: which the edge answers by itself, and which go to the grant's object.
//!
//! Lists are spliced from text that the catalogue serialised once. All revisions get the same text: clients of an older
//! one ignore members that they do not know (`title`, `icons`, `outputSchema`), and their schemas allow them; what
//! would break one, an `outputSchema` or `structuredContent` that is no object, the catalogue never holds.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::completion::complete;
use super::protocol::{Answer, RpcError, clip, params};
use crate::agent::{Action, Called, Client, LogLevel, Wish};
use crate::config::PresetSet;
use crate::exchange::Exchange;
use crate::prompts;
use crate::tools::{self, View};

/// Whether a client is told of changes. Nothing tells this server when mail or a calendar changes, and its lists change
/// with a deploy only, so that the product would promise what it cannot keep.
pub(super) const CHANGES: bool = cfg!(feature = "conformance");

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
        "resources/list" => list(raw, || format!("{{\"resources\":{}}}", tools::resources_json(view)).into()),
        "resources/templates/list" => {
            list(raw, || format!("{{\"resourceTemplates\":{}}}", tools::templates_json(view)).into())
        }
        "prompts/list" => list(raw, || format!("{{\"prompts\":{}}}", prompts::list_json()).into()),
        "prompts/get" => get_prompt(raw).map(result),
        "completion/complete" => complete(view, raw).map(result),
        "logging/setLevel" => log_level(raw),
        "resources/subscribe" if CHANGES => subscription(view, raw, Wish::Subscribe),
        "resources/unsubscribe" if CHANGES => subscription(view, raw, Wish::Unsubscribe),
        "tools/call" => call(view, raw),
        "resources/read" => read(view, raw),
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
struct LevelParams {
    level: LogLevel,
}

fn log_level(raw: Option<&RawValue>) -> Result<Step, RpcError> {
    let LevelParams { level } = params(raw)?;
    Ok(wish("logging/setLevel", Wish::LogLevel(level)))
}

fn wish(name: &'static str, wish: Wish) -> Step {
    Step::Ask(Ask { action: Action::Wish(wish), name, presets: PresetSet::ALL })
}

fn subscription(view: View, raw: Option<&RawValue>, of: fn(String) -> Wish) -> Result<Step, RpcError> {
    let ReadParams { uri } = params(raw)?;
    if !tools::has_resource(view, &uri) {
        return Err(no_such_resource(&uri));
    }
    Ok(wish("resources/subscribe", of(uri)))
}

#[derive(Deserialize)]
struct PromptParams {
    name: String,
    #[serde(default)]
    arguments: Option<BTreeMap<String, String>>,
}

/// A prompt that was asked for.
pub(super) fn prompt(raw: Option<&RawValue>) -> Result<prompts::Request, RpcError> {
    let PromptParams { name, arguments } = params(raw)?;
    let request = prompts::request(&name, arguments.unwrap_or_default());
    request.map_err(|error| RpcError::invalid_params(error.to_string()))
}

/// JSON text of the `GetPromptResult`. No client of a revision with sessions is asked anything for a prompt.
fn get_prompt(raw: Option<&RawValue>) -> Result<String, RpcError> {
    match prompt(raw)?.get(&Client::default()) {
        Called::Done(result) => Ok(result),
        Called::CannotAsk { .. }
        | Called::InputRequired { .. }
        | Called::NotFound { .. }
        | Called::OnStream(_)
        | Called::Task(_)
        | Called::Cancelled => Err(RpcError::invalid_params("this prompt needs a client of a newer revision")),
    }
}

#[derive(Deserialize)]
struct ReadParams {
    uri: String,
}

fn read(view: View, raw: Option<&RawValue>) -> Result<Step, RpcError> {
    let ReadParams { uri } = params(raw)?;
    read_resource(view, &uri).map(Step::Ask)
}

/// A read of a resource, by the revisions up to 2025-11-25.
pub(super) fn read_resource(view: View, uri: &str) -> Result<Ask, RpcError> {
    if !tools::has_resource(view, uri) {
        return Err(no_such_resource(uri));
    }
    Ok(Ask { action: Action::Resource { uri: uri.to_owned() }, name: "resources/read", presets: view.presets })
}

/// What the revisions up to 2025-11-25 say where there is no resource.
pub(super) fn no_such_resource(uri: &str) -> RpcError {
    let data = serde_json::json!({ "uri": uri }).to_string();
    RpcError { data: Some(data), ..RpcError::new(RESOURCE_NOT_FOUND, "resource not found") }
}
