//! `Mcp-Param-*`: arguments that a tool's schema has its clients repeat in a header (SEP-2243, `x-mcp-header`).
//!
//! No tool of the product has one, since a browser would have to be allowed every such header by name; a fixture does.

use serde_json::Value;
use serde_json::value::RawValue;

use super::headers::{mismatch, value};
use crate::mcp::protocol::RpcError;
use crate::tools::fixtures::MIRRORED;
use crate::web::Request;

/// Whether each repeated argument stands in its header, and is the same.
pub(super) fn check(request: &Request, tool: Option<&str>, arguments: Option<&RawValue>) -> Result<(), RpcError> {
    let arguments: Value = arguments.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    for (name, argument, header) in MIRRORED {
        if tool != Some(name) {
            continue;
        }
        // One that is null is not repeated.
        let said = arguments.get(argument).filter(|value| !value.is_null());
        let said = said.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        if value(request, header)?.as_deref() != said.as_deref() {
            return Err(mismatch("an Mcp-Param header is missing or differs from its argument"));
        }
    }
    Ok(())
}
