//! The Durable Object, natively: dispatches commands to the grant's state machine, to tool calls (`calling`), and to the
//! count of a day's registrations.
//!
//! The state machine is `oauth::grant`, the catalogue `tools`, the way out `gateway`.

mod calling;
mod calls;
mod client;
mod command;
mod conversation;
mod graph_client;
mod lanes;
mod pauses;
mod registrations;
pub mod storage;
mod streams;
mod task_calls;
mod tasks;
mod user_grants;
mod waiting;
mod wishes;

use std::rc::Rc;

use async_trait::async_trait;

pub use client::{
    Called, Client, ClientCapabilities, Dialogue, InputAnswer, InputMethod, InputRequest, LogLevel, Question, Spoken,
    Unanswered,
};
pub use command::{
    Action, Admission, AgentName, AnswerCommand, AssertionId, AuthorizationRequest, CallCommand, CallName,
    CancelCommand, Command, Correlation, Description, Enlisted, GrantCommand, GrantError, GrantReply, MicrosoftTokens,
    Presented, Profile, Reply, TaskStep, TokenSet, UserCommand, UserReply,
};
pub use streams::{Attach, Attached, Change, ChangeFilter, EventId, StreamName, Streams, Subscription};

use crate::config::Config;
use crate::crypto::Secret;
use crate::identity::{AccessIdentity, GrantId, ScopeSet, UserId};
use crate::oauth::grant::Grant;
use crate::ports::AgentPorts;

use calls::Calls;
use tasks::Tasks;
use user_grants::Sweep;

pub use conversation::Conversation;
pub(crate) use graph_client::GraphClient;
pub(crate) use lanes::Lanes;
pub(crate) use pauses::Pauses;
pub use wishes::Wish;
pub(crate) use wishes::forget as forget_wishes;

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
    pauses: Pauses,
    calls: Calls,
    tasks: Tasks,
}

impl Agent {
    /// The object over this storage. Touches nothing until the first command.
    pub fn new(config: Rc<Config>, ports: AgentPorts) -> Self {
        let grant = Grant::new(Rc::clone(&config), ports.clone());
        Self {
            config,
            ports,
            grant,
            lanes: Lanes::default(),
            pauses: Pauses::default(),
            calls: Calls::default(),
            tasks: Tasks::default(),
        }
    }

    /// Carries out one command. A call may go on after its reply.
    pub async fn handle(self: &Rc<Self>, command: Command) -> Reply {
        match command {
            Command::Grant(command) => Reply::Grant(self.step(command).await),
            Command::Call(command) => Reply::Called(self.begin(command).await),
            Command::Publish { stream, message } => {
                Reply::Published(Streams::new(&self.ports).publish(&stream, None, &message).is_ok_and(|taken| taken))
            }
            Command::Answer(command) => Reply::Grant(self.answer(command).await),
            Command::Introduce { presented, capabilities } => Reply::Grant(self.introduce(&presented, capabilities)),
            Command::Cancel(command) => Reply::Grant(self.cancel(&command)),
            Command::MaySpeak { presented, stream } => Reply::Grant(self.may_speak(&presented, &stream)),
            Command::MayAttach(asked) => Reply::Grant(self.attach(&asked).map(|_| GrantReply::Done)),
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
                None => self.sweep().await?,
            },
        };
        match next {
            Some(at) => Ok(self.ports.alarm.set(at).await?),
            None => Ok(()),
        }
    }

    async fn sweep(&self) -> Result<Option<u64>, GrantError> {
        let Some(at) = self.grant.sweep().await? else { return Ok(None) };
        let streams = Streams::new(&self.ports).forget_old()?;
        let waiting = waiting::forget_old(&self.ports)?;
        let tasks = tasks::forget_old(&self.ports)?;
        Ok([Some(at), streams, waiting, tasks].into_iter().flatten().min())
    }

    /// What a connection that takes up a stream gets first, if it may: a grant's stream only with a token that counts and
    /// within its own session.
    pub fn attach(&self, asked: &Attach) -> Result<Attached, GrantError> {
        let Some(presented) = &asked.presented else {
            let is_a_grants = self.grant.exists();
            return if is_a_grants {
                Err(GrantError::TokenInvalid)
            } else {
                Streams::new(&self.ports).attach(asked, None)
            };
        };
        self.grant.present(presented)?;
        if presented.session.as_deref().is_some_and(|session| session != asked.stream.session()) {
            return Err(GrantError::EventUnknown);
        }
        let key = asked.after.map(|_| self.grant.stream_key(presented)).transpose()?;
        if let Some(key) = &key {
            let goes_on = self.calls.speak_on(&asked.stream) || waiting::waits_on(&self.ports, &asked.stream)?;
            if !goes_on {
                Streams::new(&self.ports).give_up(&asked.stream, key)?;
            }
        }
        let mut attached = Streams::new(&self.ports).attach(asked, key.as_ref())?;
        attached.events += &self.states(asked)?;
        Ok(attached)
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

    /// A client's connection to a stream has gone.
    pub fn hung_up(&self, stream: &str) {
        self.calls.hung_up(stream);
    }

    /// Says what changed to who listens for it, and to the sessions that subscribed.
    fn tell_of_change(&self, presented: &Presented, change: &Change) -> Result<(), GrantError> {
        let streams = Streams::new(&self.ports);
        streams.announce(change);
        let Change::Resource(uri) = change else { return Ok(()) };
        let sessions = wishes::subscribers(&self.ports, uri)?;
        if sessions.is_empty() {
            return Ok(());
        }
        let key = self.grant.stream_key(presented)?;
        let params = serde_json::json!({ "uri": uri });
        let message = serde_json::json!({
            "jsonrpc": "2.0", "method": "notifications/resources/updated", "params": params,
        });
        for session in sessions {
            streams.publish(&StreamName::of_session(&session), Some(&key), &message.to_string())?;
        }
        Ok(())
    }

    fn may_speak(&self, presented: &Presented, stream: &StreamName) -> Result<GrantReply, GrantError> {
        self.grant.present(presented)?;
        if Streams::new(&self.ports).is_heard(stream) { Ok(GrantReply::Done) } else { Err(GrantError::NotConnected) }
    }

    fn cancel(&self, command: &CancelCommand) -> Result<GrantReply, GrantError> {
        self.grant.present(&command.presented)?;
        let session = command.presented.session.as_deref();
        self.calls.cancel(session, &command.call);
        waiting::cancel(&self.ports, session, &command.call)?;
        Ok(GrantReply::Done)
    }

    fn introduce(&self, presented: &Presented, capabilities: ClientCapabilities) -> Result<GrantReply, GrantError> {
        self.grant.present(presented)?;
        waiting::introduce(&self.ports, presented, capabilities)?;
        Ok(GrantReply::Done)
    }
}
