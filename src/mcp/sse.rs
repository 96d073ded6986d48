//! `POST /sse/message`: where a legacy HTTP+SSE client sends its messages. The answer goes over its stream, by way of
//! the object that holds the stream's socket.
//!
//! What is published is the JSON-RPC message itself; the edge frames it as a server-sent event. The version header is
//! not looked at: clients of 2024-11-05 have none, and what a reconnecting one sends was negotiated on another stream.

use super::Turn;
use super::call::Call;
use super::classify::{Classified, Payload, classify};
use super::confirm::{confirm, confirm_now};
use super::initialize::initialize;
use super::methods::{Step, step};
use super::protocol::{Answer, Message, RpcError, render};
use super::refuse::{self, Failure};
use super::session::{Channel, Session};
use crate::agent::{AgentName, Command};
use crate::exchange::Exchange;
use crate::log::{Event, Kind};
use crate::web::Response;
use serde_json::value::RawValue;

/// Takes one message: 202 at once, the work in the background. Who asks is settled before, while a status can still
/// say so.
pub(super) async fn message(turn: &Turn<'_>) -> Result<Response, Response> {
    let session = sse_session(turn)?;
    if !turn.request.has_media_type("application/json") {
        return Err(Response::text(415, "Content-Type must be application/json\n"));
    }
    let classified = classify(&turn.request.body, None);
    if let Ok(Classified::Legacy(payload)) = &classified {
        turn.authorize(payload.messages())?;
    }
    let message = match classified {
        Ok(Classified::Legacy(Payload::Single(message))) => message,
        Ok(Classified::Legacy(Payload::Batch(_))) => {
            return Err(refuse::message(400, None, RpcError::invalid_request("no batches on this endpoint")));
        }
        Ok(Classified::Modern(message, _)) => {
            confirm(turn, Some(&session.nonce)).await?;
            let error = stateless(&message);
            return Ok(accept(turn, &session, message.id().map(|id| (id, Work::Done(Answer::Error(error))))));
        }
        Err(refusal) => return Err(refuse::message(400, refusal.id, refusal.error)),
    };
    let nonce = Some(session.nonce.as_str());
    let work = match work(turn, &session, &message)? {
        // What may end in a challenge is done before the 202, which leaves no room for one.
        Some(Work::Ask(call)) if call.may_lack_scope() => Some(Work::Done(ask_now(turn, *call).await?)),
        Some(Work::Ask(call)) => {
            // A call that the object refuses after the 202 could no longer send the client to refresh its token.
            confirm_now(turn, nonce).await?;
            Some(Work::Ask(call))
        }
        done @ (Some(Work::Done(_)) | None) => {
            confirm(turn, nonce).await?;
            done
        }
    };
    Ok(accept(turn, &session, message.id().zip(work)))
}

async fn ask_now(turn: &Turn<'_>, call: Call) -> Result<Answer, Response> {
    let outcome = call.run(turn.exchange).await;
    outcome.map_err(|failure| refuse::failed(&turn.exchange.config, turn.endpoint, &failure))
}

/// The answer to a stateless message, on which clients fall back to `initialize`: this channel has no stateless revision,
/// and what a client sends over it lacks the headers that one demands.
fn stateless(message: &Message<'_>) -> RpcError {
    match message {
        Message::Request { method, .. } if method == "server/discover" => RpcError::method_not_found(method),
        Message::Request { .. } | Message::Notification { .. } | Message::Response => {
            RpcError::invalid_request("stateless messages go to /mcp: initialize first")
        }
    }
}

/// What is left to do once the client has its 202.
enum Work {
    /// Publish this.
    Done(Answer),
    /// Ask the object and publish what it says.
    Ask(Box<Call>),
}

fn work(turn: &Turn<'_>, session: &Session, message: &Message<'_>) -> Result<Option<Work>, Response> {
    let Message::Request { method, params, .. } = message else { return Ok(None) };
    let config = &turn.exchange.config;
    if method == "initialize" {
        let answer = match initialize(config, *params) {
            Ok(agreed) => Answer::Result(agreed.result.into()),
            Err(error) => Answer::Error(error),
        };
        return Ok(Some(Work::Done(answer)));
    }
    match step(turn.exchange, turn.view(session.presets), method, *params) {
        Step::Answer(answer) => Ok(Some(Work::Done(answer))),
        Step::Ask(ask) => {
            let holder = turn.holder(Some(&session.nonce)).ok_or_else(|| turn.sign_in_first())?;
            Ok(Some(Work::Ask(Box::new(Call::new(turn.exchange, &holder, ask)))))
        }
    }
}

fn accept(turn: &Turn<'_>, session: &Session, work: Option<(&RawValue, Work)>) -> Response {
    if let Some((id, work)) = work {
        let (exchange, id) = (turn.exchange.clone(), id.to_owned());
        let (agent, stream) = (session.agent(), session.nonce.clone());
        turn.exchange.ports.background.run(Box::pin(async move {
            let answer = match work {
                Work::Done(answer) => answer,
                Work::Ask(call) => call
                    .without_challenge()
                    .run(&exchange)
                    .await
                    .unwrap_or_else(|failure| Answer::Error(told(&failure))),
            };
            publish(&exchange, &agent, stream, render(Some(&id), &answer)).await;
        }));
    }
    Response::empty(202)
}

/// A refusal that came too late for a status.
fn told(failure: &Failure) -> RpcError {
    match failure {
        Failure::Refused(error) => RpcError::new(-32603, format!("{error}: connect again")),
        Failure::Unavailable => RpcError::new(-32603, "temporarily unavailable: try again"),
    }
}

async fn publish(exchange: &Exchange, agent: &AgentName, stream: String, message: String) {
    let command = Command::Publish { stream, message };
    if exchange.ports.agents.call(agent, &command).await.is_err() {
        exchange
            .ports
            .log
            .write(&Event { reason: Some("sse-publish-failed"), ..exchange.context.event(Kind::InternalError) });
    }
}

fn sse_session(turn: &Turn<'_>) -> Result<Session, Response> {
    let query = turn.request.query.as_deref().unwrap_or_default();
    let Some((_, id)) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "sessionId") else {
        return Err(refuse::message(400, None, RpcError::invalid_request("sessionId is missing")));
    };
    turn.session(&id).filter(|session| session.channel == Channel::Sse).ok_or_else(|| refuse::unknown_session(None))
}
