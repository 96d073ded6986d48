//! Questions to the grant's object: one hop, its result spliced into the answer as it came, one `mcp.tool` line.

use super::caller::Holder;
use super::confirm::Asked;
use super::methods::Ask;
use super::protocol::Answer;
use super::refuse::Failure;
use crate::agent::{AgentName, CallCommand, Command, Correlation, GrantError, Presented, Reply};
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
}

impl Call {
    /// Prepares the question.
    pub(super) fn new(exchange: &Exchange, holder: &Holder<'_>, ask: Ask) -> Self {
        let asked = Asked::begin(exchange, holder);
        Self { claims: holder.claims, presented: holder.presented(exchange), asked, ask, may_challenge: true }
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
    pub(super) async fn run(self, exchange: &Exchange) -> Result<Answer, Failure> {
        let started = exchange.ports.clock.now_ms();
        let Self { claims, presented, asked, ask, may_challenge } = self;
        let correlation =
            Correlation { request_id: exchange.context.request_id.clone(), ray_id: exchange.context.ray_id.clone() };
        let command = Command::Call(CallCommand {
            presented,
            correlation,
            action: ask.action,
            presets: ask.presets,
            may_challenge,
        });
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
        outcome.map(|result| Answer::Result(result.into()))
    }
}

fn log(exchange: &Exchange, claims: &AccessClaims, name: &str, started: u64, outcome: &Result<String, Failure>) {
    let reason = match outcome {
        Ok(result) if is_tool_error(result) => "tool-error",
        Ok(_) => "ok",
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
