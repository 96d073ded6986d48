//! Streamable HTTP: POST and DELETE on `/mcp` and `/sse`; stateless messages are handed to `modern`.
//!
//! An answer is one JSON body, unless something may have to be said before it: then it is a stream that ends with it.

use futures_util::FutureExt;
use serde_json::value::RawValue;

use super::call::{self, Call};
use super::caller::Caller;
use super::cancel;
use super::classify::{Classified, Payload, classify};
use super::confirm::{confirm, confirm_now, slot, vouch};
use super::initialize::initialize;
use super::methods::{Step, step};
use super::protocol::{Answer, Message, Revision, RpcError, progress_token, render};
use super::session::{Channel, Owner, Session, SessionKeys};
use super::stream::answering;
use super::{Turn, modern, refuse, respond};
use crate::agent::{Attach, Client, Command, GrantCommand, StreamName, Streams};
use crate::web::{Request, Response, Work};

/// POST: one message, or a batch where the session's revision has them.
pub(super) async fn post(turn: &Turn<'_>) -> Result<Response, Response> {
    check_media(turn.request)?;
    let payload = match classify(&turn.request.body, turn.request.header("mcp-protocol-version")) {
        Ok(Classified::Legacy(payload)) => payload,
        Ok(Classified::Modern(message, params)) => {
            turn.authorize([&message])?;
            return modern::post(turn, &message, &params).await;
        }
        Err(refusal) => return Err(refuse::message(400, refusal.id, refusal.error)),
    };
    turn.authorize(payload.messages())?;
    match payload {
        Payload::Single(Message::Request { id, method, params }) if method == "initialize" => {
            open(turn, id, params).await
        }
        Payload::Single(message) => {
            let (session, revision) = turn.streamable_session(message.id()).await?;
            Ok(match one(turn, (&session, revision), &message, true).await? {
                Told::Nothing => Response::empty(202),
                Told::Text(text) => answered(text),
                Told::Stream(response) => response,
            })
        }
        Payload::Batch(items) => batch(turn, &items).await,
    }
}

/// `application/json` in; out too, which is all that `Accept` is held to: some clients send `*/*` or nothing.
fn check_media(request: &Request) -> Result<(), Response> {
    if !request.has_media_type("application/json") {
        return Err(Response::text(415, "Content-Type must be application/json\n"));
    }
    if !accepts(request, "application/json") {
        return Err(Response::text(406, "Accept must allow application/json\n"));
    }
    Ok(())
}

/// Whether `Accept` allows a media type; it does where it is missing (RFC 9110 section 12.5.1).
pub(super) fn accepts(request: &Request, media_type: &str) -> bool {
    let family = media_type.split('/').next().unwrap_or_default();
    request.header("accept").is_none_or(|accept| {
        ranges(accept).any(|range| {
            range == "*/*"
                || range.eq_ignore_ascii_case(media_type)
                || range.strip_suffix("/*").is_some_and(|name| name.eq_ignore_ascii_case(family))
        })
    })
}

/// Whether `Accept` names server-sent events: who does not would not read them.
pub(super) fn takes_events(request: &Request) -> bool {
    let accept = request.header("accept").unwrap_or_default();
    ranges(accept).any(|range| range.eq_ignore_ascii_case("text/event-stream"))
}

/// The media ranges of an `Accept`, but for those whose weight of zero says that they are not wanted.
fn ranges(accept: &str) -> impl Iterator<Item = &str> {
    accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next()?;
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let is_zero = weight.is_some_and(|weight| weight.trim_matches(['0', '.']).is_empty());
        (!is_zero).then_some(name)
    })
}

/// A JSON answer, which belongs to its caller alone.
pub(super) fn answered(text: String) -> Response {
    Response::json_bytes(200, text.into_bytes()).with("cache-control", "no-store")
}

/// `initialize`: a new session, stored nowhere. A session id that comes along is an old one and does not matter.
async fn open(turn: &Turn<'_>, id: &RawValue, params: Option<&RawValue>) -> Result<Response, Response> {
    let exchange = turn.exchange;
    confirm(turn, None).await?;
    let agreed = match initialize(&exchange.config, params) {
        Ok(agreed) => agreed,
        Err(error) => return Ok(answered(render(Some(id), &Answer::Error(error)))),
    };
    let keys = SessionKeys::new(&exchange.config.keys.encryption);
    let channel = Channel::Streamable(agreed.revision);
    let mut session =
        Session::new(turn.caller.owner(&keys), channel, exchange.ports.random.as_ref(), exchange.context.now);
    session.capabilities = agreed.capabilities;
    if let Caller::Grant { claims, .. } = &turn.caller {
        session.party = slot(turn).await?.map(|slot| keys.party(claims.user, &slot));
    }
    session.presets = turn.presets;
    vouch(turn, &session.nonce);
    let body = render(Some(id), &Answer::Result(agreed.result.into()));
    Ok(answered(body).with("mcp-session-id", keys.sign(&session)))
}

/// What a message within a session comes to.
enum Told {
    /// Nothing goes back.
    Nothing,
    /// A JSON-RPC message.
    Text(String),
    /// A stream on which things are said before the answer.
    Stream(Response),
}

/// One message within a session. `alone` messages may be refused for their permissions by a status; in a batch that
/// would take the answers of the others away, and what they did would be done again.
async fn one(
    turn: &Turn<'_>,
    (session, revision): (&Session, Revision),
    message: &Message<'_>,
    alone: bool,
) -> Result<Told, Response> {
    let nonce = Some(session.nonce.as_str());
    let (id, method, params) = match message {
        Message::Request { id, method, params } => (id, method, *params),
        Message::Notification { method, params } => {
            cancel::notified(turn, session, method, *params).await?;
            return Ok(Told::Nothing);
        }
        Message::Response { id, result } => {
            respond::take(turn, session, id, *result).await?;
            return Ok(Told::Nothing);
        }
    };
    let answer = match step(turn.exchange, turn.view(session.presets), method, params) {
        Step::Answer(answer) => {
            confirm(turn, nonce).await?;
            Some(answer)
        }
        Step::Ask(ask) => {
            let holder = turn.holder(nonce).ok_or_else(|| turn.sign_in_first())?;
            let progress_token = progress_token(params);
            let capabilities = session.capabilities;
            let returns = has_priming(revision);
            let client = Client { capabilities, progress_token, returns, ..Client::default() };
            let call = Call::new(turn.exchange, &holder, ask).named(id).of(client);
            if alone && call.may_speak(&turn.exchange.config) && call.may_stream(turn.request) {
                return speak(turn, (session, revision), call, id).await.map(Told::Stream);
            }
            let call = if alone { call } else { call.without_challenge() };
            let outcome = call.run(turn.exchange).await;
            call::answer(outcome.map_err(|failure| refuse::failed(&turn.exchange.config, turn.endpoint, &failure))?)
        }
    };
    Ok(answer.map_or(Told::Nothing, |answer| Told::Text(render(Some(id), &answer))))
}

/// Answers with a stream, which the object ends with the answer. Who asks is settled before, while a status can still say
/// so. A client that loses the stream has not taken the call back: it may take the stream up again.
async fn speak(
    turn: &Turn<'_>,
    (session, revision): (&Session, Revision),
    call: Call,
    id: &RawValue,
) -> Result<Response, Response> {
    let nonce = Some(session.nonce.as_str());
    confirm_now(turn, nonce).await?;
    let stream = StreamName::of_call(&session.nonce, turn.exchange.ports.random.as_ref());
    let presented = turn.holder(nonce).map(|holder| holder.presented(turn.exchange));
    let attach = Attach { presented, stream: stream.clone(), after: None, prime: has_priming(revision), listens: None };
    let (exchange, id) = (turn.exchange.clone(), id.to_owned());
    let work = async move {
        let outcome = call.without_challenge().on(stream).run(&exchange).await;
        let answer = outcome.map_or_else(|failure| Some(Answer::Error(refuse::told(&failure))), call::answer);
        answer.map(|answer| Streams::event(&render(Some(&id), &answer)))
    };
    // Also in the background: the call goes on when the connection has gone.
    let work = work.boxed_local().shared();
    turn.exchange.ports.background.run(Box::pin(work.clone().map(drop)));
    Ok(answering(session.agent(), attach, Work(Box::pin(work))))
}

/// Whether the streams of a revision begin with an event that gives a client something to come back with.
pub(super) fn has_priming(revision: Revision) -> bool {
    revision >= Revision::V2025_11_25
}

/// A batch, its messages one after another. A refusal at the HTTP level ends it, since it would meet every message.
async fn batch(turn: &Turn<'_>, items: &[Result<Message<'_>, RpcError>]) -> Result<Response, Response> {
    let (session, revision) = turn.streamable_session(None).await?;
    if revision != Revision::V2025_03_26 {
        return Err(refuse::message(400, None, RpcError::invalid_request("this revision has no batches")));
    }
    let mut answers = Vec::new();
    for item in items {
        match item {
            Ok(message) => match one(turn, (&session, revision), message, false).await? {
                Told::Text(text) => answers.push(text),
                Told::Nothing | Told::Stream(_) => {}
            },
            Err(error) => answers.push(render(None, &Answer::Error(error.clone()))),
        }
    }
    if answers.is_empty() {
        return Ok(Response::empty(202));
    }
    Ok(answered(format!("[{}]", answers.join(","))))
}

/// DELETE: the client ends its session. Discovery sessions have no object that could remember it, so they cannot be
/// ended, which the specification allows a server to say with 405.
pub(super) async fn delete(turn: &Turn<'_>) -> Result<Response, Response> {
    if turn.request.header("mcp-session-id").is_none() {
        return Err(Response::method_not_allowed("GET, POST, DELETE"));
    }
    let (session, _) = turn.streamable_session(None).await?;
    let Some(holder) = turn.holder(Some(&session.nonce)) else {
        return Err(Response::method_not_allowed("POST"));
    };
    let exchange = turn.exchange;
    let command = Command::Grant(GrantCommand::EndSession(holder.presented(exchange)));
    let told = call::tell(turn, &session.agent(), &command).await;
    // Whatever came of it: the next request asks the object.
    exchange.isolate.confirmed.forget_session(holder.claims.grant, &session.nonce);
    told.map(|()| Response::empty(204))
}

impl Turn<'_> {
    /// The session of `Mcp-Session-Id`, with its revision: 400 without one, 404 for one that is not this caller's. What
    /// `initialize` agreed on counts, also where `MCP-Protocol-Version` names another revision with sessions: a client
    /// should not, and some do that pass on what another one agreed on.
    pub(super) async fn streamable_session(&self, id: Option<&RawValue>) -> Result<(Session, Revision), Response> {
        let Some(text) = self.request.header("mcp-session-id") else {
            return Err(refuse::message(
                400,
                id,
                RpcError::invalid_request("Mcp-Session-Id is missing: initialize first"),
            ));
        };
        let session = match self.session(text) {
            Some(session) => session,
            None => self.earlier_session(text).await?.ok_or_else(|| refuse::unknown_session(id))?,
        };
        let Channel::Streamable(revision) = session.channel else { return Err(refuse::unknown_session(id)) };
        Ok((session, revision))
    }

    /// The session of an id that the same client opened under an earlier grant of the same user.
    async fn earlier_session(&self, id: &str) -> Result<Option<Session>, Response> {
        let Caller::Grant { claims, .. } = &self.caller else { return Ok(None) };
        let keys = SessionKeys::new(&self.exchange.config.keys.encryption);
        let Some(session) = keys.read_earlier(id, claims.grant, claims.user, self.exchange.context.now) else {
            return Ok(None);
        };
        let slot = slot(self).await?;
        Ok(slot.filter(|slot| keys.is_of(&session, claims.user, slot)).map(|_| session))
    }

    /// The session of an id, if it is this caller's.
    pub(super) fn session(&self, id: &str) -> Option<Session> {
        let keys = SessionKeys::new(&self.exchange.config.keys.encryption);
        let read = |owner: Owner| keys.read(id, owner, self.exchange.context.now);
        read(self.caller.owner(&keys)).or_else(|| self.caller.former_owner(&keys).and_then(read))
    }
}
