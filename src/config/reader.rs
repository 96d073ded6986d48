//! Reads the environment, setting by setting, and goes on after a fault, so that all of them are known at once. What one
//! setting may look like is `parse`'s.

use uuid::Uuid;

use super::parse::{
    hex_tag, is_hex, parse_discovery, parse_file_content, parse_graph_version, parse_key, parse_public_url,
    parse_schemes, parse_slug, parse_team_domain, parse_tenants,
};
use super::{
    Access, AccessMode, Config, ConfigError, Discovery, EncryptionKeys, Fault, FileContent, Gateway, Keys, Microsoft,
    PresetSet, SendPolicy,
};
use crate::crypto::{Digest, Key, Keyring, Secret};
use crate::graph::cloud::Cloud;

/// Enough for the busiest day of a roll-out to some hundreds of people with two or three clients each; kept for 90
/// days at 1 KB each, what strangers can make the store hold stays below 100 MB.
const REGISTRATIONS_PER_DAY: u32 = 1000;

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

/// What has been read so far.
pub(super) struct Reader<'a> {
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

    pub(super) fn required<T>(
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

    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    pub(super) fn fault<T>(&mut self, name: &'static str, expected: &'static str) -> Option<T> {
        self.faults.push(ConfigError { name, fault: Fault::Invalid(expected) });
        None
    }
}
