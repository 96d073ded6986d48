//! The environment contract: every setting and secret, parsed once into one typed value. All faults are listed in
//! one go, by name, without a value.

mod credential;
mod keys;
mod parse;
mod presets;
mod reader;
mod send_policy;

use std::fmt;

use uuid::Uuid;

use crate::crypto::Secret;
use crate::graph::cloud::Cloud;

pub use credential::{Certificate, ClientCredential};
pub use keys::{EncryptionKeys, Keys};
pub use presets::{Preset, PresetSet};
pub use send_policy::{Confirm, Fallback, Rate, SendPolicy};

/// Everything that an operator sets.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where this server is reached; issuer and every URL come from here, never from `Host`.
    pub public_url: PublicUrl,
    /// The app registration.
    pub microsoft: Microsoft,
    /// Keys of ours.
    pub keys: Keys,
    /// AI Gateway.
    pub gateway: Gateway,
    /// Cloudflare Access.
    pub access: Access,
    /// What callers without a token of ours may do.
    pub discovery: Discovery,
    /// What operators present at `/operator/…`; without it there is nothing there.
    pub operator_key: Option<Secret>,
    /// Hides and refuses every tool that writes.
    pub read_only: bool,
    /// Whether this server fetches the contents of files.
    pub file_content: FileContent,
    /// What may reach other people.
    pub send_policy: SendPolicy,
    /// The groups of tools that are offered.
    pub presets: PresetSet,
    /// Private URI schemes that clients may be answered by (RFC 8252 section 7.1), beside https and loopback.
    pub redirect_schemes: Vec<String>,
    /// How many clients may register themselves in a day (UTC); 0 closes registration.
    pub registrations_per_day: u32,
}

/// The server's own origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    /// `scheme://host[:port]`, no trailing slash.
    pub origin: String,
    /// Whether it is `localhost`, `127.0.0.0/8` or `[::1]`.
    pub is_loopback: bool,
}

impl PublicUrl {
    /// An absolute URL of ours; `path` begins with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

/// The app registration in Entra.
#[derive(Clone, Debug)]
pub struct Microsoft {
    /// Application (client) id.
    pub client_id: Uuid,
    /// The tenant whose endpoints are used.
    pub tenant_id: Uuid,
    /// What proves this server to Entra.
    pub credential: ClientCredential,
    /// Hosts.
    pub cloud: Cloud,
    /// Tenants whose users may sign in.
    pub allowed_tenants: Vec<Uuid>,
    /// `v1.0` or `beta`.
    pub graph_version: &'static str,
}

/// AI Gateway.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Gateway id.
    pub id: String,
    /// `dynamic/<route>`.
    pub route: String,
    /// What the gateway presents to our handler.
    pub handler_key: Secret,
    /// What it presented before a rotation: still taken, because the two ends cannot change at the same moment.
    pub handler_key_previous: Option<Secret>,
}

/// Whether and where Cloudflare Access guards the way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// No perimeter: loopback development only.
    Off,
    /// Assertions are verified.
    On {
        /// Which paths.
        mode: AccessMode,
        /// `<team>.cloudflareaccess.com`.
        team_domain: String,
        /// The application's AUD tag.
        aud: String,
    },
}

/// Which paths need an Access assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessMode {
    /// Every path but the well-known documents, `/healthz` and the gateway's handler.
    Strict,
    /// The paths that a person's browser visits.
    Browser,
}

/// Whether this server fetches the contents of files, which Graph keeps on other hosts than its own, so that they do not
/// pass AI Gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileContent {
    /// From the host that Graph names.
    Direct,
    /// Never: the user gets a link.
    Off,
}

/// What callers without a token of ours may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discovery {
    /// A bearer that is not ours in form may initialise and list.
    ApiToken,
    /// So may a caller with no `Authorization` at all.
    Open,
    /// Nobody may.
    Off,
}

/// One setting that is missing or wrong. Never holds the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {fault}")]
pub struct ConfigError {
    /// The setting.
    pub name: &'static str,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not set.
    Missing,
    /// Set to something unusable; says what is expected.
    Invalid(&'static str),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::Invalid(expected) => write!(f, "expected {expected}"),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests;
