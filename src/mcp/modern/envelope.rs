//! What every stateless message carries: its params as they were sent, and in `params._meta` the revision, what the
//! client can do, which log messages it wants, and by which token it wants to hear of progress.
//!
//! The params are read once, into slices of the body; each method takes from them what it knows the type of.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::agent::{Client, ClientCapabilities, LogLevel};
use crate::mcp::initialize::{client_capabilities, knows_tasks};
use crate::mcp::protocol::{RpcError, is_id, present};

/// The params of a stateless message, as sent.
#[derive(Debug, Default, Deserialize)]
pub(in crate::mcp) struct Params<'a> {
    /// All of them, for a method with params of its own.
    #[serde(skip)]
    pub(super) raw: Option<&'a RawValue>,
    #[serde(rename = "_meta", borrow)]
    meta: Meta<'a>,
    /// Of a tool or a prompt.
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) name: Option<&'a RawValue>,
    /// Of a resource.
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) uri: Option<&'a RawValue>,
    /// Of a tool or a prompt.
    #[serde(borrow, default)]
    pub(super) arguments: Option<&'a RawValue>,
    /// Of a task.
    #[serde(rename = "taskId", borrow, default, deserialize_with = "present")]
    pub(super) task_id: Option<&'a RawValue>,
    /// Of a list.
    #[serde(borrow, default)]
    pub(super) cursor: Option<&'a RawValue>,
    /// Of a call whose questions the client has answered.
    #[serde(rename = "inputResponses", borrow, default, deserialize_with = "present")]
    pub(super) input_responses: Option<&'a RawValue>,
    /// As the questions came with it.
    #[serde(rename = "requestState", borrow, default, deserialize_with = "present")]
    pub(super) request_state: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
struct Meta<'a> {
    #[serde(rename = "io.modelcontextprotocol/protocolVersion", borrow, default, deserialize_with = "present")]
    version: Option<&'a RawValue>,
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities", borrow, default, deserialize_with = "present")]
    capabilities: Option<&'a RawValue>,
    #[serde(rename = "io.modelcontextprotocol/logLevel", borrow, default, deserialize_with = "present")]
    log_level: Option<&'a RawValue>,
    #[serde(rename = "progressToken", borrow, default, deserialize_with = "present")]
    progress_token: Option<&'a RawValue>,
}

impl<'a> Params<'a> {
    /// The params of a message that claims a stateless revision; `None` for any other.
    pub(in crate::mcp) fn claimed(raw: Option<&'a RawValue>) -> Option<Self> {
        let params: Self = serde_json::from_str(raw?.get()).ok()?;
        params.meta.version.is_some().then_some(Self { raw, ..params })
    }

    /// The revision that `_meta` claims, once the rest of it has the form that the revision demands.
    pub(in crate::mcp) fn version(&self) -> Result<Cow<'a, str>, RpcError> {
        let Meta { version, capabilities, log_level, progress_token } = &self.meta;
        let version = version.and_then(text).ok_or_else(|| malformed("protocolVersion must be a string"))?;
        if !capabilities.is_some_and(|raw| raw.get().starts_with('{')) {
            return Err(malformed("clientCapabilities must be an object"));
        }
        if log_level.is_some_and(|raw| parse_level(raw).is_none()) {
            return Err(malformed("logLevel must be a severity of RFC 5424"));
        }
        if !progress_token.is_none_or(is_id) {
            return Err(RpcError::invalid_params("params._meta: progressToken must be a string or an integer"));
        }
        Ok(version)
    }

    /// Whether the client knows tasks. Each request says it for itself.
    pub(super) fn knows_tasks(&self) -> bool {
        self.meta.capabilities.is_some_and(knows_tasks)
    }

    /// What `_meta` says of the client, once [`Params::version`] found it in order.
    pub(super) fn client(&self) -> Client {
        let tasks = if self.knows_tasks() { ClientCapabilities::TASKS } else { 0 };
        let others = self.meta.capabilities.map(client_capabilities).unwrap_or_default();
        Client {
            capabilities: ClientCapabilities(others.0 | tasks),
            log_level: self.meta.log_level.and_then(parse_level),
            progress_token: self.meta.progress_token.map(|raw| raw.get().to_owned()),
            ..Client::default()
        }
    }
}

fn parse_level(raw: &RawValue) -> Option<LogLevel> {
    serde_json::from_str(raw.get()).ok()
}

/// A JSON string.
pub(super) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|Text(text)| text)
}

fn malformed(problem: &str) -> RpcError {
    RpcError::invalid_params(format!("params._meta: io.modelcontextprotocol/{problem}"))
}
