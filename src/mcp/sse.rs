//! `POST /sse/message`: where a legacy HTTP+SSE client sends its messages. The answer goes over its stream, by way of
//! the object that holds the stream's socket.
//!
//! What is published is the JSON-RPC message itself; the edge frames it as a server-sent event. The version header is
//! not looked at: clients of 2024-11-05 have none, and what a reconnecting one sends was negotiated on another stream.

use super::Turn;
use super::call::{self, Call};
use super::cancel;
use super::classify::{Classified, Payload, classify};
use super::confirm::confirm;
use super::initialize::{Agreed, initialize};
use super::methods::{Step, step};
use super::protocol::{Answer, Message, RpcError, progress_token, render};
use super::refuse::{self, Failure};
use super::respond;
use super::session::{Channel, Session};
use crate::agent::{AgentName, Client, ClientCapabilities, Command, Reply, StreamName};
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
            return match message.id() {
                Some(id) => say(turn, &session, id, &Answer::Error(error)).await,
                None => Ok(Response::empty(202)),
            };
        }
        Err(refusal) => return Err(refuse::message(400, refusal.id, refusal.error)),
    };
    let nonce = Some(session.nonce.as_str());
    let work = work(turn, &session, &message)?;
    let Some((id, work)) = message.id().zip(work) else {
        match &message {
            Message::Notification { method, params } => cancel::notified(turn, &session, method, *params).await?,
            Message::Response { id, result } => respond::take(turn, &session, id, *result).await?,
            Message::Request { .. } => confirm(turn, nonce).await?,
        }
        return Ok(Response::empty(202));
    };
    match work {
        Work::Done(answer) => {
            confirm(turn, nonce).await?;
            say(turn, &session, id, &answer).await
        }
        Work::Begin(agreed) => {
            introduce(turn, &session, agreed.capabilities).await?;
            say(turn, &session, id, &Answer::Result(agreed.result.into())).await
        }
        Work::Ask(call) => {
            // A call that the object refuses after the 202 could no longer send the client to refresh its token.
            may_speak(turn, &session).await?;
            // What may end in a challenge is done before the 202, which leaves no room for one.
            if !call.may_lack_scope() {
                return Ok(accept(turn, &session, id, call));
            }
            match ask_now(turn, *call).await? {
                Some(answer) => say(turn, &session, id, &answer).await,
                None => Ok(Response::empty(202)),
            }
        }
    }
}

/// Makes sure of the token, and that somebody is there to hear the answer.
async fn may_speak(turn: &Turn<'_>, session: &Session) -> Result<(), Response> {
    let Some(holder) = turn.holder(Some(&session.nonce)) else { return Ok(()) };
    let (presented, stream) = (holder.presented(turn.exchange), StreamName::of_session(&session.nonce));
    let command = Command::MaySpeak { presented, stream };
    call::tell(turn, &session.agent(), &command).await
}

/// Answers at once: what takes no time is said before the 202, which then means that the stream took it.
async fn say(turn: &Turn<'_>, session: &Session, id: &RawValue, answer: &Answer) -> Result<Response, Response> {
    let stream = StreamName::of_session(&session.nonce);
    let command = Command::Publish { stream, message: render(Some(id), answer) };
    match turn.exchange.ports.agents.call(&session.agent(), &command).await {
        Ok(Reply::Published(true)) => Ok(Response::empty(202)),
        Ok(Reply::Published(false)) => Err(refuse::not_connected()),
        Ok(Reply::Called(_) | Reply::Grant(_) | Reply::User(_) | Reply::Admission(_)) | Err(_) => {
            Err(refuse::failed(&turn.exchange.config, turn.endpoint, &Failure::Unavailable))
        }
    }
}

/// Tells the object what the client can be asked, which the session's id cannot say. In discovery nobody asks.
async fn introduce(turn: &Turn<'_>, session: &Session, capabilities: ClientCapabilities) -> Result<(), Response> {
    let Some(holder) = turn.holder(Some(&session.nonce)) else { return Ok(()) };
    let command = Command::Introduce { presented: holder.presented(turn.exchange), capabilities };
    call::tell(turn, &session.agent(), &command).await
}

async fn ask_now(turn: &Turn<'_>, call: Call) -> Result<Option<Answer>, Response> {
    let outcome = call.run(turn.exchange).await;
    outcome.map(call::answer).map_err(|failure| refuse::failed(&turn.exchange.config, turn.endpoint, &failure))
}

/// The answer to a stateless message, on which clients fall back to `initialize`: this channel has no stateless revision,
/// and what a client sends over it lacks the headers that one demands.
fn stateless(message: &Message<'_>) -> RpcError {
    match message {
        Message::Request { method, .. } if method == "server/discover" => RpcError::method_not_found(method),
        Message::Request { .. } | Message::Notification { .. } | Message::Response { .. } => {
            RpcError::invalid_request("stateless messages go to /mcp: initialize first")
        }
    }
}

/// What a request comes to.
enum Work {
    /// Say this.
    Done(Answer),
    /// Note what the client can be asked, and say what was agreed.
    Begin(Agreed),
    /// Ask the object, which answers on the stream.
    Ask(Box<Call>),
}

fn work(turn: &Turn<'_>, session: &Session, message: &Message<'_>) -> Result<Option<Work>, Response> {
    let Message::Request { id, method, params } = message else { return Ok(None) };
    let config = &turn.exchange.config;
    if method == "initialize" {
        let answer = match initialize(config, *params) {
            Ok(agreed) => return Ok(Some(Work::Begin(agreed))),
            Err(error) => Answer::Error(error),
        };
        return Ok(Some(Work::Done(answer)));
    }
    match step(turn.exchange, turn.view(session.presets), method, *params) {
        Step::Answer(answer) => Ok(Some(Work::Done(answer))),
        Step::Ask(ask) => {
            let holder = turn.holder(Some(&session.nonce)).ok_or_else(|| turn.sign_in_first())?;
            let client = Client { progress_token: progress_token(*params), ..Client::default() };
            let call = Call::new(turn.exchange, &holder, ask).named(id).of(client);
            Ok(Some(Work::Ask(Box::new(call.on(StreamName::of_session(&session.nonce))))))
        }
    }
}

fn accept(turn: &Turn<'_>, session: &Session, id: &RawValue, call: Box<Call>) -> Response {
    let (exchange, id) = (turn.exchange.clone(), id.to_owned());
    let (agent, stream) = (session.agent(), StreamName::of_session(&session.nonce));
    turn.exchange.ports.background.run(Box::pin(async move {
        let outcome = call.without_challenge().run(&exchange).await;
        let answer = outcome.map_or_else(|failure| Some(Answer::Error(refuse::told(&failure))), call::answer);
        if let Some(answer) = answer {
            publish(&exchange, &agent, stream, render(Some(&id), &answer)).await;
        }
    }));
    Response::empty(202)
}

async fn publish(exchange: &Exchange, agent: &AgentName, stream: StreamName, message: String) {
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
