//! One call of a tool, or one read of a resource, in the grant's object.
//!
//! Owns the order of things in a call: who asks, may they, what do they want, where does the answer go.

use std::cell::RefCell;
use std::rc::Rc;

use super::calls::{Deferral, End};
use super::client::{Called, Client, Spoken};
use super::command::{Action, AnswerCommand, CallCommand, GrantError, GrantReply};
use super::streams::{StreamName, Streams};
use super::waiting::{self, WaitingCalls};
use super::{Agent, Conversation, GraphClient, wishes};
use crate::crypto::Key;
use crate::log::{Event, Kind};
use crate::oauth::scopes;
use crate::tools::{self, ToolContext};

impl Agent {
    /// Runs the call again that waited for this answer, from its start. What comes of it goes out on its stream.
    pub(super) async fn answer(&self, command: AnswerCommand) -> Result<GrantReply, GrantError> {
        self.grant.present(&command.presented)?;
        let key = self.grant.stream_key(&command.presented)?;
        let waiting = WaitingCalls::new(&self.ports, &key).take(&command.presented, &command.id, command.answer)?;
        if let Some(call) = waiting {
            let started = self.ports.clock.now_ms();
            let outcome = self.call(&call, &Rc::default()).await;
            if outcome != Ok(Called::Cancelled) {
                self.log(&call, started, &outcome);
            }
        }
        Ok(GrantReply::Done)
    }

    /// One call from its beginning to its end.
    pub(super) async fn call(&self, command: &CallCommand, deferral: &Rc<Deferral>) -> Result<Called, GrantError> {
        let key = self.begin_stream(command).await?;
        let client = self.client(command)?;
        let conversation = Conversation::new(&client, &self.ports, key).deferring(deferral);
        let started = self.ports.clock.now_ms();
        let stands = || self.grant.present(&command.presented).map(|_| ());
        let work = self.run(command, &conversation);
        let supervised = self.calls.supervise((command, deferral), (&*self.ports.timer, &conversation, &stands), work);
        let called = match supervised.await {
            End::Finished(outcome) => outcome,
            End::Refused(error) => Err(error),
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
            Action::Resource { .. } | Action::Wish(_) | Action::Task { .. } => "resources/read",
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
    pub(super) fn log(&self, command: &CallCommand, started: u64, outcome: &Result<Called, GrantError>) {
        let (tool, user) = match (&command.action, self.grant.present(&command.presented)) {
            (Action::Tool { name, .. }, Ok(caller)) => (name.as_str(), Some(caller)),
            (Action::Tool { name, .. }, Err(_)) => (name.as_str(), None),
            (Action::Resource { .. } | Action::Wish(_) | Action::Task { .. }, caller) => {
                ("resources/read", caller.ok())
            }
        };
        let reason = match outcome {
            Ok(Called::OnStream(spoken)) => spoken.name(),
            Ok(Called::Cancelled) => "cancelled",
            Ok(Called::Done(result)) => Spoken::of(result).name(),
            Ok(Called::InputRequired { .. }) => Spoken::Questions.name(),
            Ok(Called::CannotAsk { .. }) => "cannot-ask",
            Ok(Called::NotFound { .. } | Called::Task(_)) | Err(_) => "refused",
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
