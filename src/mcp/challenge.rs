//! The bearer challenge: RFC 6750 section 3, with the `resource_metadata` of RFC 9728 section 5.1 from which a client
//! finds its way to the sign-in.
//!
//! The first contact carries no `error`, as RFC 6750 asks: the client did nothing wrong. Its `scope` is what all tools
//! of the presets together need; clients of MCP 2025-11-25 and later ask for exactly that.

use crate::config::{Config, PresetSet};
use crate::identity::ScopeSet;
use crate::oauth::scopes;

/// Why a challenge goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// Nothing was presented, at a URL that leaves these presets.
    Missing(PresetSet),
    /// What was presented does not count; says why, in words of ours without quotes.
    InvalidToken(&'static str),
    /// The token is good but not for this; names every scope that the operation needs.
    InsufficientScope(ScopeSet),
}

/// The value of `WWW-Authenticate` for the resource `mcp` or `sse`.
pub fn challenge(config: &Config, resource: &str, kind: Challenge) -> String {
    let metadata = config.public_url.join(&format!("/.well-known/oauth-protected-resource/{resource}"));
    let base = format!("Bearer realm=\"m365-mcp\", resource_metadata=\"{metadata}\"");
    match kind {
        Challenge::Missing(presets) => format!("{base}, scope=\"{}\"", scopes::of_presets(config, presets)),
        Challenge::InvalidToken(why) => format!("{base}, error=\"invalid_token\", error_description=\"{why}\""),
        Challenge::InsufficientScope(scopes) => format!("{base}, error=\"insufficient_scope\", scope=\"{scopes}\""),
    }
}
