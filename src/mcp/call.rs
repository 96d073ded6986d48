//! Questions to the grant's object: one hop, its result spliced into the answer as it came, one `mcp.tool` line.

use super::Turn;
use super::caller::Holder;
use super::confirm::Asked;
use super::methods::{Ask, no_such_resource};
use super::protocol::{Answer, RpcError};
use super::refuse::{self, Failure};
use super::streamable::takes_events;
use crate::agent::{
    AgentName, CallCommand, CallName, Called, CancelCommand, Client, ClientCapabilities, Command, Correlation,
    GrantError, Presented, Reply, Spoken, StreamName,
};
use crate::config::Config;
use crate::exchange::Exchange;
use crate::log::{Event, Kind};
use crate::oauth::token::AccessClaims;
use crate::tools;
use crate::web::{Request, Response};
use futures_util::future::{Either, LocalBoxFuture, select};
use serde_json::value::RawValue;
use std::future::pending;

/// A question that owns all it needs, so that it can outlive the request.
pub(super) struct Call {
    claims: AccessClaims,
    presented: Presented,
    asked: Asked,
    ask: Ask,
    may_challenge: bool,
    client: Client,
    request: Option<String>,
}

impl Call {
    /// Prepares the question.
    pub(super) fn new(exchange: &Exchange, holder: &Holder<'_>, ask: Ask) -> Self {
        let asked = Asked::begin(exchange, holder);
        let (presented, client) = (holder.presented(exchange), Client::default());
        Self { claims: holder.claims, presented, asked, ask, may_challenge: true, client, request: None }
    }

    /// With what is known of the client.
    pub(super) fn of(self, client: Client) -> Self {
        Self { client, ..self }
    }

    /// A request of a legacy session, by its id.
    pub(super) fn named(self, id: &RawValue) -> Self {
        Self { request: Some(id.get().to_owned()), ..self }
    }

    /// With a stream on which things can be said while it runs.
    pub(super) fn on(self, stream: StreamName) -> Self {
        Self { client: Client { stream: Some(stream), ..self.client }, ..self }
    }

    /// Whether anything may have to be said before the answer. A stateless client is asked by the answer itself.
    pub(super) fn may_speak(&self, config: &Config) -> bool {
        let Client { progress_token, log_level, capabilities, .. } = &self.client;
        let may_ask = *capabilities != ClientCapabilities::default() && tools::may_ask(&self.ask.action, config);
        progress_token.is_some() || log_level.is_some() || (self.request.is_some() && may_ask)
    }

    /// Whether the answer can be a stream: its client reads one, and no want of permission would need a status.
    pub(super) fn may_stream(&self, request: &Request) -> bool {
        takes_events(request) && !self.may_lack_scope()
    }

    /// A want of permission comes back as a tool error: a status can no longer say it, or not for this message alone.
    pub(super) fn without_challenge(self) -> Self {
        Self { may_challenge: false, ..self }
    }

    /// Whether the object may find that the token lacks a permission.
    pub(super) fn may_lack_scope(&self) -> bool {
        !tools::needs(&self.ask.action).iter().all(|scope| self.claims.scopes.allows(scope))
    }

    /// Asks. The object judges token, identity and session in the same hop, so its yes refreshes the note. Who closes the
    /// connection of a stateless call takes the call back.
    pub(super) async fn run(self, exchange: &Exchange) -> Result<Called, Failure> {
        let started = exchange.ports.clock.now_ms();
        let Self { claims, presented, asked, ask, may_challenge, mut client, request } = self;
        if request.is_some() && client.stream.is_none() {
            // Nowhere to ask.
            client.capabilities = ClientCapabilities::default();
        }
        let correlation =
            Correlation { request_id: exchange.context.request_id.clone(), ray_id: exchange.context.ray_id.clone() };
        let cancel =
            CancelCommand { presented: presented.clone(), call: CallName::Run(correlation.request_id.clone()) };
        let is_stateless = request.is_none();
        let command = Command::Call(CallCommand {
            presented,
            correlation,
            action: ask.action,
            presets: ask.presets,
            may_challenge,
            client,
            request,
        });
        let agent = AgentName::Grant(claims.grant);
        let reply = exchange.ports.agents.call(&agent, &command);
        let outcome = match select(reply, client_gone(exchange, is_stateless)).await {
            Either::Left((Ok(Reply::Called(outcome)), _)) => {
                let refusal = outcome.as_ref().err();
                // It says what the grant holds, so the grant stands.
                asked.settle(exchange, refusal.filter(|error| !matches!(error, GrantError::InsufficientScope { .. })));
                outcome.map_err(Failure::Refused)
            }
            Either::Left((
                Ok(Reply::Grant(_) | Reply::Published(_) | Reply::User(_) | Reply::Admission(_)) | Err(_),
                _,
            )) => Err(Failure::Unavailable),
            Either::Right(_) => {
                take_back(exchange, agent.clone(), cancel);
                Err(Failure::Gone)
            }
        };
        log(exchange, &claims, ask.name, started, &outcome);
        outcome
    }
}

/// Tells an object what it answers with yes or no; its no as a response.
pub(super) async fn tell(turn: &Turn<'_>, agent: &AgentName, command: &Command) -> Result<(), Response> {
    let failure = match turn.exchange.ports.agents.call(agent, command).await {
        Ok(Reply::Grant(Ok(_))) => return Ok(()),
        Ok(Reply::Grant(Err(error))) => error.into(),
        Ok(Reply::Called(_) | Reply::Published(_) | Reply::User(_) | Reply::Admission(_)) | Err(_) => {
            Failure::Unavailable
        }
    };
    Err(refuse::failed(&turn.exchange.config, turn.endpoint, &failure))
}

/// Completes when the client has gone, if that matters.
fn client_gone(exchange: &Exchange, matters: bool) -> LocalBoxFuture<'_, ()> {
    Box::pin(async move {
        if matters {
            exchange.ports.connection.closed().await;
        } else {
            pending::<()>().await;
        }
    })
}

/// Tells the object in the background: there is nobody left to answer.
fn take_back(exchange: &Exchange, agent: AgentName, cancel: CancelCommand) {
    let agents = exchange.ports.agents.clone();
    exchange.ports.background.run(Box::pin(async move {
        // If it does not arrive the call runs on to its own limit.
        let _ = agents.call(&agent, &Command::Cancel(cancel)).await;
    }));
}

/// The answer of a revision with sessions; none where it went out another way, or no more may.
pub(super) fn answer(called: Called) -> Option<Answer> {
    match called {
        Called::Done(result) | Called::CannotAsk { told: result, .. } => Some(Answer::Result(result.into())),
        Called::NotFound { uri } => Some(Answer::Error(no_such_resource(&uri))),
        // Its client was never said to be able to answer anything, or to know tasks: a fault of ours.
        Called::InputRequired { .. } | Called::Task(_) => Some(Answer::Error(RpcError::new(-32603, "internal error"))),
        Called::OnStream(_) | Called::Cancelled => None,
    }
}

fn log(exchange: &Exchange, claims: &AccessClaims, name: &str, started: u64, outcome: &Result<Called, Failure>) {
    let reason = match outcome {
        Ok(Called::Done(result)) => Spoken::of(result).name(),
        Ok(Called::OnStream(what)) => what.name(),
        Ok(Called::InputRequired { .. }) => Spoken::Questions.name(),
        Ok(Called::NotFound { .. }) => "not-found",
        Ok(Called::CannotAsk { .. }) => "cannot-ask",
        Ok(Called::Task(_)) => "task",
        // The object writes the line: it alone knows of every way in which a call is taken back.
        Ok(Called::Cancelled) | Err(Failure::Gone) => return,
        Err(Failure::Refused(GrantError::InsufficientScope { .. })) => "insufficient-scope",
        Err(Failure::Refused(_)) => "refused",
        Err(Failure::Unavailable) => "unavailable",
    };
    exchange.ports.log.write(&Event {
        grant_id: Some(claims.grant.to_string()),
        user_id: Some(claims.user.to_string()),
        access_subject: exchange.access.as_ref().map(|identity| identity.sub.as_str()),
        tool: Some(name),
        duration_ms: Some(exchange.ports.clock.now_ms().saturating_sub(started)),
        reason: Some(reason),
        ..exchange.context.event(Kind::McpTool)
    });
}
