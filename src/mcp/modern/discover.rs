//! `server/discover`: which stateless revisions are spoken, what the server can do, how to use it.
//!
//! Lists no legacy revision: those are agreed upon in `initialize`, and a client takes every version that it finds here
//! for one that it may put into `_meta`.

use serde::Serialize;

use super::{CACHED, REVISION};
use crate::config::Config;
use crate::mcp::initialize::{INSTRUCTIONS, Implementation, ServerCapabilities, implementation};
use crate::mcp::protocol::{Revision, RpcError};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DiscoverResult<'a> {
    result_type: &'static str,
    #[serde(rename = "_meta")]
    meta: Meta<'a>,
    supported_versions: [&'static str; 1],
    capabilities: ServerCapabilities,
    instructions: &'static str,
    ttl_ms: u64,
    cache_scope: &'static str,
}

#[derive(Serialize)]
struct Meta<'a> {
    #[serde(rename = "io.modelcontextprotocol/serverInfo")]
    server: Implementation<'a>,
}

/// JSON text of the `DiscoverResult`.
pub(super) fn discover(config: &Config) -> Result<String, RpcError> {
    let result = DiscoverResult {
        result_type: "complete",
        meta: Meta { server: implementation(config, Revision::LATEST) },
        supported_versions: [REVISION],
        capabilities: ServerCapabilities::stateless(),
        instructions: INSTRUCTIONS,
        ttl_ms: CACHED.ttl_ms,
        cache_scope: CACHED.scope,
    };
    serde_json::to_string(&result).map_err(|_| RpcError::new(-32603, "internal error"))
}
