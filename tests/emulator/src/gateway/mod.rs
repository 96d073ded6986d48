//! The far end of Cloudflare AI Gateway, as strict as the real one is known to be.
//!
//! `binding` is the wire of `env.AI` · `run` checks and performs one call · `provider` reaches the
//! Worker's handler · `error` holds the bodies verbatim · `log` writes
//! entries · `store` is the log and the cache.

pub mod binding;
pub mod error;
pub mod log;
pub mod native;
pub mod provider;
pub mod run;
pub mod store;

/// The one gateway that is provisioned.
pub const GATEWAY: &str = "m365-egress-gateway";
/// The one dynamic route on it.
pub const ROUTE: &str = "microsoft-graph-handler";
