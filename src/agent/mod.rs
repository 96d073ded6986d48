//! The Durable Object, natively: dispatches commands to the grant's state machine, to tool calls, and to the count of
//! a day's registrations.
//!
//! Owns the order of things in one call (who asks, may they, what do they want); the state machine is
//! `oauth::grant`, the catalogue `tools`, the way out `gateway`.

mod command;
mod graph_client;
mod lanes;
mod registrations;
pub mod storage;
mod user_grants;

use std::cell::RefCell;
use std::rc::Rc;

use async_trait::async_trait;

pub use command::{
    Action, Admission, AgentName, AssertionId, AuthorizationRequest, CallCommand, Command, Correlation, Description,
    Enlisted, GrantCommand, GrantError, GrantReply, MicrosoftTokens, Presented, Profile, Reply, TokenSet, UserCommand,
    UserReply,
};

use crate::config::Config;
use crate::crypto::Secret;
use crate::identity::{AccessIdentity, GrantId, ScopeSet, UserId};
use crate::oauth::grant::Grant;
use crate::oauth::scopes;
use crate::ports::AgentPorts;
use crate::tools::{self, Memory, ToolContext};

use user_grants::Sweep;

pub(crate) use graph_client::GraphClient;
pub(crate) use lanes::Lanes;

/// Who a valid access token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The grant.
    pub grant: GrantId,
    /// The Microsoft user.
    pub user: UserId,
    /// What to call them.
    pub profile: Profile,
    /// What the token is good for.
    pub scopes: ScopeSet,
    /// What the whole grant is good for; a token may have been narrowed at its refresh.
    pub granted: ScopeSet,
    /// What was asked for at the sign-in and not granted: asking again brings nothing, an administrator must consent.
    pub refused: ScopeSet,
    /// Who consented, by Access.
    pub access: Option<AccessIdentity>,
}

/// Where a call gets its Microsoft token.
#[async_trait(?Send)]
pub trait TokenSource {
    /// An access token that is good for at least another minute; refreshed at Entra where need be, single-flight.
    async fn token(&self) -> Result<Secret, GrantError>;
    /// Another access token than `rejected`, which Graph would not take; `challenge` is what it asks of the next one.
    async fn renewed(&self, rejected: &Secret, challenge: Option<&str>) -> Result<Secret, GrantError>;
    /// Graph asks for the same of a token that was issued for it: the next sign-in has to carry it. Fails with what the
    /// client is to hear of that; nothing, where this sign-in carried it already.
    async fn challenged_again(&self, challenge: &str) -> Result<(), GrantError>;
}

/// One object: a grant's, a user's, a discovery stream's, or the one that counts a day.
pub struct Agent {
    config: Rc<Config>,
    ports: AgentPorts,
    grant: Grant,
    lanes: Lanes,
    memory: Memory,
}

impl Agent {
    /// The object over this storage. Touches nothing until the first command.
    pub fn new(config: Rc<Config>, ports: AgentPorts) -> Self {
        let grant = Grant::new(Rc::clone(&config), ports.clone());
        Self { config, ports, grant, lanes: Lanes::default(), memory: Memory::default() }
    }

    /// Carries out one command.
    pub async fn handle(&self, command: Command) -> Reply {
        match command {
            Command::Grant(command) => Reply::Grant(self.step(command).await),
            Command::Call(command) => Reply::Called(self.call(&command).await),
            Command::Publish { stream, message } => Reply::Published(self.ports.sockets.send(&stream, &message)),
            Command::User(command) => Reply::User(user_grants::handle(&self.ports, &command).await),
            Command::AdmitRegistration { ends_at } => Reply::Admission(self.admit(ends_at).await),
        }
    }

    /// The alarm: erases what is over, or comes back when it will be.
    pub async fn wake(&self) -> Result<(), GrantError> {
        let next = match registrations::ends_at(&self.ports)? {
            Some(ends_at) if ends_at <= self.ports.clock.now() => {
                self.ports.sql.erase().await?;
                None
            }
            Some(ends_at) => Some(ends_at),
            None => match user_grants::sweep(&self.ports).await? {
                Some(Sweep::ComeBack(at)) => Some(at),
                Some(Sweep::Erased) => None,
                None => self.grant.sweep().await?,
            },
        };
        match next {
            Some(at) => Ok(self.ports.alarm.set(at).await?),
            None => Ok(()),
        }
    }

    /// Whether a client may open a stream here: not where the grant is over.
    pub fn takes_streams(&self) -> bool {
        !self.grant.is_over()
    }

    async fn admit(&self, ends_at: u64) -> Admission {
        match registrations::admit(&self.ports, self.config.registrations_per_day, ends_at).await {
            Ok(true) => Admission::Admitted,
            Ok(false) => Admission::Full,
            Err(_) => Admission::Unknown,
        }
    }

    /// The alarm is set before anything is stored: a sign-in that nobody finishes leaves nothing behind.
    async fn step(&self, command: GrantCommand) -> Result<GrantReply, GrantError> {
        if let GrantCommand::Open { expires_at, .. } = &command {
            self.ports.alarm.set(*expires_at).await?;
        }
        self.grant.handle(command).await
    }

    async fn call(&self, command: &CallCommand) -> Result<String, GrantError> {
        let caller = self.grant.present(&command.presented)?;
        let tokens = self.grant.tokens(&command.presented);
        let name = match &command.action {
            Action::Tool { name, .. } => name.as_str(),
            Action::Resource { .. } => "resources/read",
        };
        let graph = GraphClient {
            config: &self.config,
            ports: &self.ports,
            caller: &caller,
            tokens: &tokens,
            tool: name,
            correlation: &command.correlation,
            lanes: &self.lanes,
            over: RefCell::default(),
        };
        let context = ToolContext {
            config: &self.config,
            ports: &self.ports,
            caller: &caller,
            presets: self.config.presets.intersection(command.presets),
            offered: scopes::offered(&self.config),
            may_challenge: command.may_challenge,
            memory: &self.memory,
            graph: &graph,
            request_id: &command.correlation.request_id,
        };
        let outcome = tools::run(&command.action, &context).await;
        graph.sign_in_over().map_or(outcome, Err)
    }
}
