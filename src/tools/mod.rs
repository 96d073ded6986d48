//! The catalogue.

use crate::agent::{Action, Caller};
use crate::config::Config;
use crate::graph::Graph;
use crate::ports::AgentPorts;

/// What a tool may use.
pub struct ToolContext<'a> {
    /// Settings; `keys.encryption` derives the cursor key.
    pub config: &'a Config,
    /// Clock, randomness, the object's SQL (idempotency keys), log.
    pub ports: &'a AgentPorts,
    /// For whom.
    pub caller: &'a Caller,
    /// The way to Graph.
    pub graph: &'a dyn Graph,
    /// Shown in errors.
    pub request_id: &'a str,
}

/// Runs a tool or reads a resource; the JSON text of a `CallToolResult` or `ReadResourceResult`.
pub async fn run(_action: &Action, _context: &ToolContext<'_>) -> String {
    "{}".to_owned()
}

/// Whether and how a tool changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Changes nothing.
    Read,
    /// Changes something.
    Write,
}

/// A tool.
pub struct Tool {
    /// Name.
    pub name: &'static str,
    /// Whether it changes something.
    pub kind: Kind,
}

impl Tool {
    /// Whether a read-only deployment refuses it.
    pub fn writes(&self) -> bool {
        self.kind == Kind::Write
    }
}

const STUB: [Tool; 2] = [Tool { name: "getEmails", kind: Kind::Read }, Tool { name: "sendEmail", kind: Kind::Write }];

/// The JSON text of the `tools` array.
pub fn list_json(read_only: bool) -> &'static str {
    if read_only {
        r#"[{"name":"getEmails","inputSchema":{"type":"object","properties":{}}}]"#
    } else {
        r#"[{"name":"getEmails","inputSchema":{"type":"object","properties":{}}},{"name":"sendEmail","inputSchema":{"type":"object","properties":{}}}]"#
    }
}

/// The tool of this name.
pub fn find(name: &str) -> Option<&'static Tool> {
    const { &STUB }.iter().find(|tool| tool.name == name)
}

/// The JSON text of the `resources` array.
pub fn resources_json() -> &'static str {
    r#"[{"uri":"microsoft://profile","name":"profile"}]"#
}

/// Whether a resource of this URI exists.
pub fn has_resource(uri: &str) -> bool {
    uri == "microsoft://profile"
}
