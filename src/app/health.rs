//! What the deployment has: parsed settings or the list of faults, and `/healthz`, which shows them by name.

use std::rc::Rc;

use serde::Serialize;

use crate::config::{Config, ConfigError};
use crate::web::Response;

/// The settings of this deployment and what is wrong with them.
pub struct Deployment {
    /// The settings, if everything needed is there.
    pub config: Result<Rc<Config>, Unconfigured>,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
}

/// Something needed is missing; [`Deployment::names`] says what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the deployment is not configured")]
pub struct Unconfigured;

#[derive(Serialize)]
struct Fault {
    name: String,
    fault: String,
}

#[derive(Serialize)]
struct Health<'a> {
    status: &'static str,
    version: &'static str,
    /// Settings and bindings that are missing or wrong, with what is expected; never a value.
    faults: &'a [Fault],
    /// What the server does without, and should not.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [Fault],
}

impl Deployment {
    /// Judges parsed settings together with the names of missing bindings.
    pub fn new(config: Result<Config, Vec<ConfigError>>, missing_bindings: impl Iterator<Item = String>) -> Self {
        let mut faults: Vec<_> =
            missing_bindings.map(|name| Fault { name, fault: "missing binding".to_owned() }).collect();
        let config = match config {
            Ok(config) => Ok(Rc::new(config)),
            Err(errors) => {
                let of = |error: ConfigError| Fault { name: error.name.to_owned(), fault: error.fault.to_string() };
                faults.extend(errors.into_iter().map(of));
                Err(Unconfigured)
            }
        };
        let config = if faults.is_empty() { config } else { Err(Unconfigured) };
        Self { config, faults, warnings: Vec::new() }
    }

    /// Adds the rate limits that have no binding. The server runs without them: they slow down who asks too often,
    /// and no right depends on them.
    #[must_use]
    pub fn warn_of_unlimited(mut self, bindings: impl Iterator<Item = &'static str>) -> Self {
        let warning =
            |name: &str| Fault { name: name.to_owned(), fault: "missing binding: not rate limited".to_owned() };
        self.warnings.extend(bindings.map(warning));
        self
    }

    /// The names of what is missing or wrong.
    pub fn names(&self) -> Vec<String> {
        self.faults.iter().map(|fault| fault.name.clone()).collect()
    }

    /// `/healthz`: 200 when everything is there, else 503 with the names.
    pub fn health(&self) -> Response {
        let (status, word) = if self.config.is_ok() { (200, "ok") } else { (503, "unconfigured") };
        let health =
            Health { status: word, version: env!("CARGO_PKG_VERSION"), faults: &self.faults, warnings: &self.warnings };
        Response::json(status, &health).with("cache-control", "no-store")
    }
}
