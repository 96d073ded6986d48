//! m365-mcp: a hardened remote MCP server for Microsoft 365, one Cloudflare Worker.
//!
//! A request goes one way, and there is no way back:
//!
//! ```text
//! client ─► edge ─► app ─► access ─┬─► oauth ─────────────────► Entra
//!                                  └─► mcp ─► agent ─► tools ─► graph ─► gateway ─► env.AI.run ─► Microsoft Graph
//! ```
//!
//! | module | what it owns |
//! |---|---|
//! | [`config`] | the environment contract, parsed once |
//! | [`ports`] | what the core needs of the platform |
//! | [`crypto`], [`identity`], [`json`], [`log`], [`web`] | the types that everything shares |
//! | [`exchange`] | one request being answered |
//! | [`limits`] | who may ask how often |
//! | [`jose`] | JWTs from outside: key sets, RS256 |
//! | [`app`] | routes, and the one place where an error becomes a response |
//! | [`access`] | Cloudflare Access assertions |
//! | [`oauth`] | the authorization server in front of Entra, and the grant's state machine |
//! | [`operator`] | what operators do over HTTP, with a key of their own |
//! | [`account`] | the page on which a person ends grants |
//! | [`mcp`] | the protocol: revisions, sessions, streams |
//! | [`agent`] | the grant's Durable Object: its commands, and the calls it makes |
//! | [`tools`] | the catalogue; one declarative value a tool |
//! | [`prompts`] | what a person can start a conversation with |
//! | [`extract`] | the text of files |
//! | [`graph`] | Graph requests and answers as data |
//! | [`gateway`] | AI Gateway: envelope, errors, and the handler at its far end |
//! | `edge` | Cloudflare's bindings, wasm32 only, without a rule of its own |
//!
//! Everything but `edge` is native Rust: `worker` is a dependency of the wasm32 target only, so the compiler keeps
//! the boundary and `cargo test` runs whole flows on the host.

#[cfg(all(feature = "conformance", not(debug_assertions)))]
compile_error!("the conformance suite's fixtures are for development builds only");

pub mod access;
pub mod account;
pub mod agent;
pub mod app;
pub mod config;
pub mod crypto;
pub mod exchange;
pub mod extract;
pub mod gateway;
pub mod graph;
pub mod identity;
pub mod jose;
pub mod json;
pub mod limits;
pub mod log;
pub mod mcp;
pub mod oauth;
pub mod operator;
pub mod ports;
pub mod prompts;
pub mod tools;
pub mod web;

#[cfg(target_arch = "wasm32")]
mod edge;

#[cfg(test)]
#[path = "../tests/support/mod.rs"]
#[expect(clippy::expect_used, reason = "a fake that cannot be set up should stop the test")]
mod support;

#[cfg(test)]
#[path = "../tests/flows/mod.rs"]
#[expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]
mod flows;

#[cfg(test)]
#[path = "../tests/hostile/mod.rs"]
#[expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod hostile;
