//! Failures a test can order: which service, which failure, how often, for which requests.
//!
//! A service asks [`Faults::take`] at the place where the failure would happen, naming the
//! failures that belong there; a fault with a count is used up by that.

use serde::{Deserialize, Serialize};

/// The service that fails.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Sign-in and token endpoint.
    Entra,
    /// Microsoft Graph.
    Graph,
    /// AI Gateway.
    Gateway,
    /// Cloudflare Access.
    Access,
    /// The host of an app's own document.
    Publisher,
    /// The host of the contents of files.
    Files,
}

impl Target {
    /// The failures a service knows.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Entra => &[
                "invalid_grant",
                "interaction_required",
                "temporarily_unavailable",
                "invalid_client",
                "slow",
                "unreachable",
                "twice",
                "access_denied",
                "consent_required",
                "asks-nothing",
                "bad-nonce",
                "wrong-audience",
                "wrong-tenant",
                "unknown-kid",
                "bad-signature",
                "expired",
            ],
            Self::Graph => &[
                "401",
                "401-claims",
                "401-acrs",
                "403",
                "404",
                "410",
                "429",
                "503",
                "slow",
                "act-then-504",
                "empty-page",
            ],
            Self::Gateway => &[
                "2001",
                "2003",
                "2005",
                "2008",
                "2009",
                "2029",
                "2030",
                "2041",
                "2045",
                "7003",
                "policy-deny",
                "policy-spend",
                "act-then-timeout",
                "act-then-2005",
                "unreachable",
                "cache-hit",
                "slow",
            ],
            Self::Access => &["unreachable"],
            Self::Files => &["redirect", "expired", "endless", "slow", "unreachable"],
            Self::Publisher => &["redirect", "404", "too-large", "slow", "html", "wrong-id", "unreachable"],
        }
    }
}

/// Which requests a fault is for; every given part must fit.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The HTTP method (for the gateway: of the Graph request inside).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// A part of the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// One ordered failure.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The service.
    pub target: Target,
    /// The failure's name.
    pub fault: String,
    /// How often it still happens; absent means until cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Which requests it is for.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub only: Option<Match>,
    /// Seconds for `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// How long a slow answer takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
}

impl Fault {
    fn fits(&self, method: &str, path: &str) -> bool {
        self.only.as_ref().is_none_or(|only| {
            let method_fits = only.method.as_ref().is_none_or(|m| m.eq_ignore_ascii_case(method));
            method_fits && only.path.as_ref().is_none_or(|part| path.contains(part.as_str()))
        })
    }
}

/// All failures that are ordered now.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Orders a failure; a name the service does not know is refused.
    pub fn add(&mut self, fault: Fault) -> Result<(), String> {
        if !fault.target.names().contains(&fault.fault.as_str()) {
            return Err(format!("unknown fault {:?} for {:?}", fault.fault, fault.target));
        }
        if fault.times != Some(0) {
            self.0.push(fault);
        }
        Ok(())
    }

    /// Forgets all failures.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The first ordered failure of these names that fits the request; nothing is counted.
    pub fn find(&self, target: Target, names: &[&str], (method, path): (&str, &str)) -> Option<&Fault> {
        self.0
            .iter()
            .find(|fault| fault.target == target && names.contains(&fault.fault.as_str()) && fault.fits(method, path))
    }

    /// The first ordered failure of these names that fits the request, counted down.
    pub fn take(&mut self, target: Target, names: &[&str], request: (&str, &str)) -> Option<Fault> {
        let (method, path) = request;
        let at = self.0.iter().position(|fault| {
            fault.target == target && names.contains(&fault.fault.as_str()) && fault.fits(method, path)
        })?;
        let fault = self.0.get_mut(at)?;
        let taken = fault.clone();
        if let Some(times) = fault.times.as_mut() {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.0.remove(at);
            }
        }
        Some(taken)
    }
}
