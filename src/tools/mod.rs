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
