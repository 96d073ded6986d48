//! Questions to the grant's object: one hop, its result spliced into the answer as it came, one `mcp.tool` line.

use super::caller::Holder;
use super::confirm::Asked;
use super::methods::{Ask, no_such_resource};
use super::protocol::{Answer, RpcError};
use super::refuse::Failure;
use crate::agent::{AgentName, CallCommand, Called, Client, Command, Correlation, GrantError, Presented, Reply};
use crate::exchange::Exchange;
use crate::log::{Event, Kind};
use crate::oauth::token::AccessClaims;
use crate::tools;

/// A question that owns all it needs, so that it can outlive the request.
pub(super) struct Call {
    claims: AccessClaims,
    presented: Presented,
    asked: Asked,
    ask: Ask,
    may_challenge: bool,
    client: Client,
}

impl Call {
    /// Prepares the question.
    pub(super) fn new(exchange: &Exchange, holder: &Holder<'_>, ask: Ask) -> Self {
        let asked = Asked::begin(exchange, holder);
        let (presented, client) = (holder.presented(exchange), Client::default());
        Self { claims: holder.claims, presented, asked, ask, may_challenge: true, client }
    }

    /// With what is known of the client.
    pub(super) fn of(self, client: Client) -> Self {
        Self { client, ..self }
    }

    /// A want of permission comes back as a tool error: a status can no longer say it, or not for this message alone.
    pub(super) fn without_challenge(self) -> Self {
        Self { may_challenge: false, ..self }
    }

    /// Whether the object may find that the token lacks a permission.
    pub(super) fn may_lack_scope(&self) -> bool {
        !tools::needs(&self.ask.action).iter().all(|scope| self.claims.scopes.allows(scope))
    }

    /// Asks. The object judges token, identity and session in the same hop, so its yes refreshes the note.
    pub(super) async fn run(self, exchange: &Exchange) -> Result<Called, Failure> {
        let started = exchange.ports.clock.now_ms();
        let Self { claims, presented, asked, ask, may_challenge, client } = self;
        let correlation =
            Correlation { request_id: exchange.context.request_id.clone(), ray_id: exchange.context.ray_id.clone() };
        let command = Command::Call(CallCommand { presented, correlation, action: ask.action, may_challenge, client });
        let reply = exchange.ports.agents.call(&AgentName::Grant(claims.grant), &command).await;
        let outcome = match reply {
            Ok(Reply::Called(outcome)) => {
                let refusal = outcome.as_ref().err();
                // It says what the grant holds, so the grant stands.
                asked.settle(exchange, refusal.filter(|error| !matches!(error, GrantError::InsufficientScope { .. })));
                outcome.map_err(Failure::Refused)
            }
            Ok(Reply::Grant(_) | Reply::Published(_) | Reply::User(_) | Reply::Admission(_)) | Err(_) => {
                Err(Failure::Unavailable)
            }
        };
        log(exchange, &claims, ask.name, started, &outcome);
        outcome
    }
}

/// The answer of a revision with sessions. Its client was never said to be able to answer anything, so that it was
/// asked is a fault of ours.
pub(super) fn answer(called: Called) -> Answer {
    match called {
        Called::Done(result) | Called::CannotAsk { told: result, .. } => Answer::Result(result.into()),
        Called::NotFound { uri } => Answer::Error(no_such_resource(&uri)),
        Called::InputRequired { .. } => Answer::Error(RpcError::new(-32603, "internal error")),
    }
}

fn log(exchange: &Exchange, claims: &AccessClaims, name: &str, started: u64, outcome: &Result<Called, Failure>) {
    let reason = match outcome {
        Ok(Called::Done(result)) if is_tool_error(result) => "tool-error",
        Ok(Called::Done(_)) => "ok",
        Ok(Called::InputRequired { .. }) => "input-required",
        Ok(Called::NotFound { .. }) => "not-found",
        Ok(Called::CannotAsk { .. }) => "cannot-ask",
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

/// Looks for the member in the text instead of parsing it. Text within a JSON string cannot look like it: its quotes
/// are escaped.
fn is_tool_error(result: &str) -> bool {
    result.contains("\"isError\":true")
}
