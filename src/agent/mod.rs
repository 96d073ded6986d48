//! The Durable Object, natively: dispatches commands to the grant's state machine, to tool calls, and to the count of
//! a day's registrations.
//!
//! Owns the order of things in one call (who asks, may they, what do they want); the state machine is
//! `oauth::grant`, the catalogue `tools`, the way out `gateway`.

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
mod user_grants;
mod waiting;
mod wishes;

use std::cell::RefCell;
use std::rc::Rc;

use async_trait::async_trait;

pub use client::{
    Called, Client, ClientCapabilities, Dialogue, InputAnswer, InputMethod, InputRequest, LogLevel, Question, Spoken,
    Unanswered,
};
pub use command::{
    Action, Admission, AgentName, AnswerCommand, AssertionId, AuthorizationRequest, CallCommand, CallName,
    CancelCommand, Command, Correlation, Description, Enlisted, GrantCommand, GrantError, GrantReply, MicrosoftTokens,
    Presented, Profile, Reply, TokenSet, UserCommand, UserReply,
};
pub use streams::{Attach, Attached, Change, ChangeFilter, EventId, StreamName, Streams, Subscription};

use crate::config::Config;
use crate::crypto::{Key, Secret};
use crate::identity::{AccessIdentity, GrantId, ScopeSet, UserId};
use crate::log::{Event, Kind};
use crate::oauth::grant::Grant;
use crate::oauth::scopes;
use crate::ports::AgentPorts;
use crate::tools::{self, Memory, ToolContext};

use calls::{Calls, End};
use user_grants::Sweep;
use waiting::WaitingCalls;

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
    memory: Memory,
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
            memory: Memory::default(),
        }
    }

    /// Carries out one command.
    pub async fn handle(&self, command: Command) -> Reply {
        match command {
            Command::Grant(command) => Reply::Grant(self.step(command).await),
            Command::Call(command) => Reply::Called(self.call(&command).await),
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
        Ok([Some(at), streams, waiting].into_iter().flatten().min())
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
        Streams::new(&self.ports).attach(asked, key.as_ref())
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

    /// Runs the call again that waited for this answer, from its start. What comes of it goes out on its stream.
    async fn answer(&self, command: AnswerCommand) -> Result<GrantReply, GrantError> {
        self.grant.present(&command.presented)?;
        let key = self.grant.stream_key(&command.presented)?;
        let waiting = WaitingCalls::new(&self.ports, &key).take(&command.presented, &command.id, command.answer)?;
        if let Some(call) = waiting {
            let started = self.ports.clock.now_ms();
            let outcome = self.call(&call).await;
            if outcome != Ok(Called::Cancelled) {
                self.log(&call, started, &outcome);
            }
        }
        Ok(GrantReply::Done)
    }

    async fn call(&self, command: &CallCommand) -> Result<Called, GrantError> {
        let key = self.begin_stream(command).await?;
        let client = self.client(command)?;
        let conversation = Conversation::new(&client, &self.ports, key);
        let started = self.ports.clock.now_ms();
        let work = self.run(command, &conversation);
        let called = match self.calls.supervise(command, (&*self.ports.timer, &conversation), work).await {
            End::Finished(outcome) => outcome,
            End::TooLong => Ok(Called::Done(tools::too_long(&command.action, &command.correlation.request_id))),
            End::Cancelled => {
                self.log(command, started, &Ok(Called::Cancelled));
                Ok(Called::Cancelled)
            }
        };
        self.conclude(command, &conversation, called).await
    }

    /// The client, with what the object alone knows: the ids of HTTP+SSE sessions are older than what was said in them,
    /// and a level can be set at any time. What a session hears then goes on its own stream, unless the call has one.
    fn client(&self, command: &CallCommand) -> Result<Client, GrantError> {
        let mut client = command.client.clone();
        let Some(session) = &command.presented.session else { return Ok(client) };
        self.grant.present(&command.presented)?;
        if client.stream.as_ref().is_some_and(StreamName::is_of_session) {
            client.capabilities = waiting::capabilities(&self.ports, session)?;
        }
        if let Some(level) = wishes::level(&self.ports, session)? {
            client.log_level = Some(level);
            client.stream.get_or_insert_with(|| StreamName::of_session(session));
        }
        Ok(client)
    }

    /// A legacy call's own stream can be taken up again, so it gets a log; the log's key.
    async fn begin_stream(&self, command: &CallCommand) -> Result<Option<Key>, GrantError> {
        let (Some(stream), Some(request)) = (&command.client.stream, &command.request) else { return Ok(None) };
        if stream.is_of_session() {
            return Ok(None);
        }
        self.grant.present(&command.presented)?;
        let key = self.grant.stream_key(&command.presented)?;
        Streams::new(&self.ports).begin(stream, request).await?;
        Ok(Some(key))
    }

    async fn run(&self, command: &CallCommand, conversation: &Conversation<'_>) -> Result<Called, GrantError> {
        let caller = self.grant.present(&command.presented)?;
        if let Action::Wish(wish) = &command.action {
            wishes::note(&self.ports, &command.presented, wish)?;
            return Ok(Called::Done("{}".to_owned()));
        }
        let tokens = self.grant.tokens(&command.presented);
        let name = match &command.action {
            Action::Tool { name, .. } => name.as_str(),
            Action::Resource { .. } | Action::Wish(_) => "resources/read",
        };
        let graph = GraphClient {
            config: &self.config,
            ports: &self.ports,
            caller: &caller,
            tokens: &tokens,
            tool: name,
            correlation: &command.correlation,
            lanes: &self.lanes,
            pauses: &self.pauses,
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
            conversation,
            request_id: &command.correlation.request_id,
        };
        let outcome = tools::run(&command.action, &context).await;
        for change in conversation.changed() {
            self.tell_of_change(&command.presented, &change)?;
        }
        graph.sign_in_over().map_or(outcome, Err)
    }

    /// The answer of a legacy call that has a stream goes out on it, and so do its questions. A stream of the call's own ends with it.
    async fn conclude(
        &self,
        command: &CallCommand,
        conversation: &Conversation<'_>,
        called: Result<Called, GrantError>,
    ) -> Result<Called, GrantError> {
        let Some(stream) = &command.client.stream else { return called };
        match (&command.request, called) {
            (Some(id), Ok(Called::Done(result) | Called::CannotAsk { told: result, .. })) => {
                conversation.answer(stream, id, &result)?;
                Ok(Called::OnStream(Spoken::of(&result)))
            }
            (Some(id), Ok(Called::InputRequired { requests, dialogue })) => {
                let key = self.grant.stream_key(&command.presented)?;
                let waiting = WaitingCalls::new(&self.ports, &key);
                let Some(questions) = waiting.keep(command, &requests, dialogue).await? else {
                    let told = tools::too_large_to_wait(&command.action, &command.correlation.request_id);
                    conversation.answer(stream, id, &told)?;
                    return Ok(Called::OnStream(Spoken::of(&told)));
                };
                for message in questions {
                    conversation.say(stream, &message)?;
                }
                Ok(Called::OnStream(Spoken::Questions))
            }
            (Some(_) | None, called) => {
                if !stream.is_of_session() {
                    self.ports.sockets.close(stream.as_str());
                }
                called
            }
        }
    }

    /// The line of a call for whose outcome no request of the Worker's waits.
    fn log(&self, command: &CallCommand, started: u64, outcome: &Result<Called, GrantError>) {
        let (tool, user) = match (&command.action, self.grant.present(&command.presented)) {
            (Action::Tool { name, .. }, Ok(caller)) => (name.as_str(), Some(caller)),
            (Action::Tool { name, .. }, Err(_)) => (name.as_str(), None),
            (Action::Resource { .. } | Action::Wish(_), caller) => ("resources/read", caller.ok()),
        };
        let reason = match outcome {
            Ok(Called::OnStream(spoken)) => spoken.name(),
            Ok(Called::Cancelled) => "cancelled",
            Ok(_) | Err(_) => "refused",
        };
        self.ports.log.write(&Event {
            request_id: Some(&command.correlation.request_id),
            ray_id: command.correlation.ray_id.as_deref(),
            grant_id: user.as_ref().map(|caller| caller.grant.to_string()),
            user_id: user.as_ref().map(|caller| caller.user.to_string()),
            tool: Some(tool),
            duration_ms: Some(self.ports.clock.now_ms().saturating_sub(started)),
            reason: Some(reason),
            ..Event::new(Kind::McpTool)
        });
    }
}
