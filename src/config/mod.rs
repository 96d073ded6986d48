//! The environment contract: every setting and secret, parsed once into one typed value. All faults are listed in
//! one go, by name, without a value.

mod credential;
mod keys;
mod parse;
mod presets;
mod send_policy;

use std::fmt;

use uuid::Uuid;

use crate::crypto::{Digest, Key, Keyring, Secret};
use crate::graph::cloud::Cloud;

pub use credential::{Certificate, ClientCredential};
pub use keys::{EncryptionKeys, Keys};
pub use presets::{Preset, PresetSet};
pub use send_policy::{Confirm, Fallback, Rate, SendPolicy};

use parse::{
    hex_tag, is_hex, parse_discovery, parse_file_content, parse_graph_version, parse_key, parse_public_url,
    parse_schemes, parse_slug, parse_team_domain, parse_tenants,
};

/// Enough for the busiest day of a roll-out to some hundreds of people with two or three clients each; kept for 90
/// days at 1 KB each, what strangers can make the store hold stays below 100 MB.
const REGISTRATIONS_PER_DAY: u32 = 1000;

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

impl Config {
    /// Parses the environment that `lookup` reads; empty values count as missing.
    pub fn parse(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<ConfigError>> {
        let mut reader = Reader { lookup, faults: Vec::new() };
        let config = reader.read();
        match config {
            Some(config) if reader.faults.is_empty() => Ok(config),
            _ => Err(reader.faults),
        }
    }
}

struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<ConfigError>,
}

impl Reader<'_> {
    /// Reads every setting before it gives up, so that all faults are known.
    fn read(&mut self) -> Option<Config> {
        let public_url =
            self.required("PUBLIC_URL", "an https origin without a path, or http on a loopback host", parse_public_url);
        let loopback = public_url.as_ref().is_some_and(|url| url.is_loopback);
        let microsoft = self.microsoft(loopback);
        let keys = self.keys();
        let gateway = self.gateway();
        let access = self.access(loopback);
        let discovery = self.or("DISCOVERY", Discovery::ApiToken, "api-token, open or off", parse_discovery);
        let operator_key = self
            .or("OPERATOR_KEY", None, "at least 32 bytes", |text| (text.len() >= 32).then(|| Some(Secret::new(text))));
        let read_only = self.or("READ_ONLY", false, "true or false", |text| text.parse().ok());
        let file_content = self.or("FILE_CONTENT", FileContent::Direct, "direct or off", parse_file_content);
        let presets = self.or(
            "TOOL_PRESETS",
            PresetSet::usual(),
            "all, or some of core, mail, calendar, teams, people, files, sharepoint, notes, tasks, search, raw, separated by commas",
            |text| PresetSet::parse(text).ok(),
        );
        let redirect_schemes = self.or(
            "REDIRECT_SCHEMES",
            vec!["cursor".to_owned()],
            "lower-case schemes of apps separated by commas, or none",
            parse_schemes,
        );
        let registrations_per_day =
            self.or("REGISTRATIONS_PER_DAY", REGISTRATIONS_PER_DAY, "a whole number, 0 for none", |text| {
                text.parse().ok()
            });
        let send_policy = self.send_policy();
        Some(Config {
            public_url: public_url?,
            microsoft: microsoft?,
            keys: keys?,
            gateway: gateway?,
            access: access?,
            discovery: discovery?,
            operator_key: operator_key?,
            read_only: read_only?,
            file_content: file_content?,
            send_policy: send_policy?,
            presets: presets?,
            redirect_schemes: redirect_schemes?,
            registrations_per_day: registrations_per_day?,
        })
    }

    fn microsoft(&mut self, loopback: bool) -> Option<Microsoft> {
        let guid = "a GUID";
        let client_id = self.required("MICROSOFT_CLIENT_ID", guid, |text| text.parse().ok());
        let tenant_id: Option<Uuid> = self.required("MICROSOFT_TENANT_ID", guid, |text| text.parse().ok());
        let credential = self.credential();
        let graph_version = self.required("GRAPH_API_VERSION", "v1.0 or beta", parse_graph_version);
        let allowed =
            self.or("ALLOWED_TENANTS", None, "GUIDs separated by commas", |text| parse_tenants(text).map(Some));
        let cloud = self.or(
            "CLOUD",
            Cloud::parse("global"),
            "global, usgov, usgov-dod, china, or local:<port> on a loopback host",
            |text| Cloud::parse(text).filter(|cloud| loopback || !cloud.is_local()).map(Some),
        );
        let tenant_id = tenant_id?;
        Some(Microsoft {
            client_id: client_id?,
            tenant_id,
            credential: credential?,
            cloud: cloud??,
            allowed_tenants: allowed?.unwrap_or_else(|| vec![tenant_id]),
            graph_version: graph_version?,
        })
    }

    fn keys(&mut self) -> Option<Keys> {
        let hex = "64 hexadecimal digits";
        let current = self.required("ENCRYPTION_KEY", hex, parse_key);
        let previous = self.or("ENCRYPTION_KEY_PREVIOUS", None, hex, |text| parse_key(text).map(Some));
        let cookie = self.required("COOKIE_ENCRYPTION_KEY", hex, parse_key);
        let cookie_signing = self.required("COOKIE_SECRET", "at least 32 bytes", |text| {
            (text.len() >= 32).then(|| Key::new(*Digest::of(text.as_bytes()).as_bytes()))
        });
        Some(Keys {
            encryption: EncryptionKeys::derive(&Keyring { current: current?, previous: previous? }),
            cookie: cookie?,
            cookie_signing: cookie_signing?,
        })
    }

    fn gateway(&mut self) -> Option<Gateway> {
        let id = self.or("AI_GATEWAY_ID", "m365-egress-gateway".to_owned(), "a gateway id", parse_slug);
        let route =
            self.or("AI_GATEWAY_ROUTE", "dynamic/microsoft-graph-handler".to_owned(), "dynamic/<route>", |text| {
                text.strip_prefix("dynamic/").and_then(parse_slug).map(|_| text.to_owned())
            });
        let long = |text: &str| (text.len() >= 32).then(|| Secret::new(text));
        let handler_key = self.required("GRAPH_HANDLER_KEY", "at least 32 bytes", long);
        let handler_key_previous =
            self.or("GRAPH_HANDLER_KEY_PREVIOUS", None, "at least 32 bytes", |text| long(text).map(Some));
        self.or("GRAPH_EGRESS_MODE", (), "dynamic-route, the only mode there is", |text| {
            (text == "dynamic-route").then_some(())
        })?;
        Some(Gateway { id: id?, route: route?, handler_key: handler_key?, handler_key_previous: handler_key_previous? })
    }

    /// Half a perimeter is none: any of the two settings demands the other, and `off` is for loopback only.
    fn access(&mut self, loopback: bool) -> Option<Access> {
        let mode = self.or("ACCESS_MODE", "strict".to_owned(), "strict, browser or off", |text| {
            matches!(text, "strict" | "browser" | "off").then(|| text.to_owned())
        })?;
        if mode == "off" {
            if loopback {
                return Some(Access::Off);
            }
            return self.fault("ACCESS_MODE", "strict or browser: off is for loopback hosts only");
        }
        let team_domain = self.required("ACCESS_TEAM_DOMAIN", "<team>.cloudflareaccess.com", parse_team_domain);
        let aud = self.required("ACCESS_AUD", hex_tag(), |text| is_hex(text, 64).then(|| text.to_owned()));
        let mode = if mode == "browser" { AccessMode::Browser } else { AccessMode::Strict };
        Some(Access::On { mode, team_domain: team_domain?, aud: aud? })
    }

    fn send_policy(&mut self) -> Option<SendPolicy> {
        SendPolicy::parse(&self.get("SEND_POLICY").unwrap_or_default())
            .map_err(|faults| self.faults.extend(faults))
            .ok()
    }

    fn required<T>(
        &mut self,
        name: &'static str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let Some(text) = self.get(name) else {
            self.faults.push(ConfigError { name, fault: Fault::Missing });
            return None;
        };
        parse(&text).or_else(|| self.fault(name, expected))
    }

    fn or<T>(
        &mut self,
        name: &'static str,
        default: T,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        match self.get(name) {
            None => Some(default),
            Some(text) => parse(&text).or_else(|| self.fault(name, expected)),
        }
    }

    fn get(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn fault<T>(&mut self, name: &'static str, expected: &'static str) -> Option<T> {
        self.faults.push(ConfigError { name, fault: Fault::Invalid(expected) });
        None
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;
    use crate::support::{config, environment};

    fn faults(change: &[(&str, &str)]) -> Vec<String> {
        let environment = environment(change);
        Config::parse(&|name| environment.get(name).cloned())
            .err()
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_whole_environment_parses() {
        assert_eq!(faults(&[]), Vec::<String>::new());
    }

    #[test]
    fn every_fault_is_listed_at_once_and_without_its_value() {
        let found = faults(&[("ENCRYPTION_KEY", "hunter2"), ("MICROSOFT_CLIENT_ID", ""), ("GRAPH_API_VERSION", "v9")]);
        assert_eq!(
            found,
            [
                "MICROSOFT_CLIENT_ID: missing",
                "GRAPH_API_VERSION: expected v1.0 or beta",
                "ENCRYPTION_KEY: expected 64 hexadecimal digits"
            ]
        );
    }

    #[test]
    fn a_previous_key_is_held_to_the_form_of_the_key() {
        let found = faults(&[("ENCRYPTION_KEY_PREVIOUS", "00"), ("GRAPH_HANDLER_KEY_PREVIOUS", "short")]);
        assert_eq!(
            found,
            [
                "ENCRYPTION_KEY_PREVIOUS: expected 64 hexadecimal digits",
                "GRAPH_HANDLER_KEY_PREVIOUS: expected at least 32 bytes"
            ]
        );
    }

    #[test]
    fn access_is_off_on_loopback_hosts_only() {
        let off = "ACCESS_MODE: expected strict or browser: off is for loopback hosts only";
        assert_eq!(faults(&[("PUBLIC_URL", "https://mcp.contoso.example"), ("CLOUD", "global")]), [off]);
    }

    #[test]
    fn an_operator_key_may_be_missing_but_not_short() {
        assert_eq!(faults(&[("OPERATOR_KEY", "")]), Vec::<String>::new());
        assert_eq!(faults(&[("OPERATOR_KEY", &"k".repeat(31))]), ["OPERATOR_KEY: expected at least 32 bytes"]);
    }

    #[test]
    fn half_a_perimeter_is_refused() {
        let half = [("ACCESS_MODE", "strict"), ("ACCESS_TEAM_DOMAIN", "contoso.cloudflareaccess.com")];
        assert_eq!(faults(&half), ["ACCESS_AUD: missing"]);
    }

    #[test]
    fn access_is_strict_unless_said_otherwise() {
        assert_eq!(faults(&[("ACCESS_MODE", "")]), ["ACCESS_TEAM_DOMAIN: missing", "ACCESS_AUD: missing"]);
    }

    #[test]
    fn the_emulator_is_no_cloud_of_a_public_host() {
        let found = faults(&[("PUBLIC_URL", "https://mcp.contoso.example"), ("ACCESS_MODE", "browser")]);
        assert!(found.iter().any(|fault| fault.starts_with("CLOUD: ")), "{found:?}");
    }

    #[test]
    fn a_policy_that_cannot_be_read_is_no_policy_and_refuses_the_deployment() {
        let found = faults(&[("SEND_POLICY", "internal; rate=often")]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|fault| fault.starts_with("SEND_POLICY: expected ")), "{found:?}");
    }

    #[test]
    fn file_content_is_direct_or_off_and_nothing_else() {
        let found = |value| config(&[("FILE_CONTENT", value)]).file_content;
        assert_eq!((found(""), found("off")), (FileContent::Direct, FileContent::Off));
        assert_eq!(faults(&[("FILE_CONTENT", "no")]), ["FILE_CONTENT: expected direct or off"]);
    }

    #[test]
    fn an_unknown_preset_is_refused_and_the_known_ones_are_named() {
        let found = faults(&[("TOOL_PRESETS", "mail,contacts")]);
        assert!(
            found.iter().any(|fault| fault.starts_with("TOOL_PRESETS: expected all, or some of core, ")),
            "{found:?}"
        );
        assert_eq!(faults(&[("TOOL_PRESETS", "mail, files")]), Vec::<String>::new());
    }

    #[test]
    fn no_scheme_of_the_browser_can_be_made_a_redirect_scheme() {
        for schemes in ["javascript", "https", "cursor,data", "Cursor", "a b", ","] {
            assert_eq!(faults(&[("REDIRECT_SCHEMES", schemes)]).len(), 1, "{schemes}");
        }
        assert_eq!(parse_schemes("none"), Some(Vec::new()));
        assert_eq!(parse_schemes("cursor, com.example.app").map(|schemes| schemes.len()), Some(2));
    }

    #[test]
    fn plain_http_is_for_loopback_hosts_only() {
        assert!(parse_public_url("http://mcp.contoso.example").is_none());
        assert!(parse_public_url("https://mcp.contoso.example/path").is_none());
        assert_eq!(parse_public_url("http://localhost:8787/").unwrap().origin, "http://localhost:8787");
    }
}
