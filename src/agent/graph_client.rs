//! Sends Graph requests for one call.

use crate::agent::{Caller, Correlation, GrantError, TokenSource};
use crate::config::Config;
use crate::graph::{Failure, Graph, GraphRequest, GraphResponse, Origin};
use crate::ports::AgentPorts;
use async_trait::async_trait;

/// Carries one call's requests through AI Gateway.
pub(crate) struct GraphClient<'a> {
    pub config: &'a Config,
    pub ports: &'a AgentPorts,
    pub caller: &'a Caller,
    pub tokens: &'a dyn TokenSource,
    /// For gateway metadata and log lines.
    pub tool: &'a str,
    pub correlation: &'a Correlation,
}

impl GraphClient<'_> {
    /// The reason why the client must sign in again, when a request failed for it.
    pub(crate) fn sign_in_over(&self) -> Option<GrantError> {
        None
    }
}

#[async_trait(?Send)]
impl Graph for GraphClient<'_> {
    async fn send(&self, _request: &GraphRequest) -> Result<GraphResponse, Failure> {
        Err(Failure::of(Origin::Transport, "stub"))
    }
}
