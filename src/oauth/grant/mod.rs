//! The grant's state machine.

use std::rc::Rc;

use async_trait::async_trait;

use crate::agent::{Caller, GrantCommand, GrantError, GrantReply, Presented, TokenSource};
use crate::config::Config;
use crate::crypto::Secret;
use crate::ports::AgentPorts;

/// One grant over its object's storage.
pub struct Grant {
    #[expect(dead_code, reason = "frame")]
    config: Rc<Config>,
    #[expect(dead_code, reason = "frame")]
    ports: AgentPorts,
}

impl Grant {
    /// Touches nothing until the first command.
    pub fn new(config: Rc<Config>, ports: AgentPorts) -> Self {
        Self { config, ports }
    }

    /// Carries out one step.
    pub async fn handle(&self, _command: GrantCommand) -> Result<GrantReply, GrantError> {
        Err(GrantError::Unknown)
    }

    /// Whose token this is, if it counts.
    pub fn present(&self, _presented: &Presented) -> Result<Caller, GrantError> {
        Err(GrantError::Unknown)
    }

    /// The Microsoft tokens that this client token opens.
    pub fn tokens<'a>(&'a self, presented: &'a Presented) -> GrantTokens<'a> {
        GrantTokens { grant: self, presented }
    }
}

/// The Microsoft tokens of one grant, opened by one client token.
pub struct GrantTokens<'a> {
    #[expect(dead_code, reason = "frame")]
    grant: &'a Grant,
    #[expect(dead_code, reason = "frame")]
    presented: &'a Presented,
}

#[async_trait(?Send)]
impl TokenSource for GrantTokens<'_> {
    async fn token(&self) -> Result<Secret, GrantError> {
        Err(GrantError::Unknown)
    }

    async fn renewed(&self, _rejected: &Secret) -> Result<Secret, GrantError> {
        Err(GrantError::Unknown)
    }
}
