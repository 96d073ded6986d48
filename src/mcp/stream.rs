//! GET: the server-sent event streams.
//!
//! With `Mcp-Session-Id` it is the standalone stream of Streamable HTTP, on both paths. Without, it is a legacy
//! HTTP+SSE stream on `/sse` and 405 on `/mcp`, where clients expect that. `MCP-Protocol-Version` does not tell the two
//! apart: a legacy client that reconnects sends it too.
//!
//! Nothing is stored here and no object is woken but to confirm the grant: clients probe with a GET and hang up. The
//! edge holds the stream; it connects to the object by `StreamSpec::attach` before it sends the prelude, relays the
//! events that the object sends as they are, and sends a comment line at least every 25 s.
//!
//! `Last-Event-ID` (2025-03-26 and later) names a stream of the session and the last of its events that arrived: the
//! client gets that stream's later events and no other's, and if that was a call's stream, nothing but that stream.
//!
//! A client that has gone is noticed by the request's signal, or else by a comment line that cannot be written.

use super::confirm::{confirm, vouch};
use super::session::{Channel, Session, SessionKeys};
use super::streamable::{accepts, has_priming};
use super::{Endpoint, Turn, call, refuse};
use crate::agent::{AgentName, Attach, Command, EventId, StreamName};
use crate::web::{Body, Response, StreamSpec, Watch, Work};

/// Opens a stream.
pub(super) async fn open(turn: &Turn<'_>) -> Result<Response, Response> {
    let resumes = turn.request.header("mcp-session-id").is_some();
    if !resumes && turn.endpoint != Endpoint::Sse {
        return Err(Response::method_not_allowed("POST, DELETE"));
    }
    if !accepts(turn.request, "text/event-stream") {
        return Err(Response::text(406, "Accept must allow text/event-stream\n"));
    }
    if resumes { standalone(turn).await } else { legacy(turn).await }
}

/// The stream for what a server says unasked, or the one that `Last-Event-ID` names. In discovery there is nothing to
/// say.
async fn standalone(turn: &Turn<'_>) -> Result<Response, Response> {
    let (session, revision) = turn.streamable_session(None).await?;
    let Some(holder) = turn.holder(Some(&session.nonce)) else { return Err(Response::method_not_allowed("POST")) };
    let presented = Some(holder.presented(turn.exchange));
    let prime = has_priming(revision);
    let Some(id) = turn.request.header("last-event-id") else {
        confirm(turn, Some(&session.nonce)).await?;
        let stream = StreamName::of_session(&session.nonce);
        let attach = Attach { presented, stream, after: None, prime, listens: None };
        return Ok(listening(turn, session.agent(), attach, OPENING));
    };
    let id = EventId::parse(id).filter(|id| id.stream.session() == session.nonce).ok_or_else(refuse::unknown_event)?;
    let attach = Attach { presented, stream: id.stream, after: Some(id.number), prime, listens: None };
    // Before there is a status: the object alone knows its streams' events. It judges the token as well.
    call::tell(turn, &session.agent(), &Command::MayAttach(attach.clone())).await?;
    Ok(listening(turn, session.agent(), attach, OPENING))
}

/// A legacy stream: its first event says where to post. Each GET is a new session that needs no `initialize`, because
/// the TypeScript SDK reconnects without one.
async fn legacy(turn: &Turn<'_>) -> Result<Response, Response> {
    confirm(turn, None).await?;
    let exchange = turn.exchange;
    let keys = SessionKeys::new(&exchange.config.keys.encryption);
    let random = exchange.ports.random.as_ref();
    let mut session = Session::new(turn.caller.owner(&keys), Channel::Sse, random, exchange.context.now);
    session.presets = turn.presets;
    vouch(turn, &session.nonce);
    let prelude =
        format!("retry: {RETRY_MS}\nevent: endpoint\ndata: /sse/message?sessionId={}\n\n", keys.sign(&session));
    let presented = turn.holder(Some(&session.nonce)).map(|holder| holder.presented(exchange));
    let stream = StreamName::of_session(&session.nonce);
    let attach = Attach { presented, stream, after: None, prime: false, listens: None };
    Ok(listening(turn, session.agent(), attach, &prelude))
}

/// Milliseconds after which a client whose stream was taken away comes back; what it calls meanwhile is refused. Within the
/// event, because some clients take a block of its own for a message.
const RETRY_MS: u64 = 1000;

/// Sent at once, so that the client's HTTP library hands the stream out.
const OPENING: &str = ": open\n\n";

/// A stream of an object's on which a call is answered.
pub(super) fn answering(agent: AgentName, attach: Attach, work: Work) -> Response {
    let prelude = OPENING.to_owned();
    event_stream(Body::Stream(Box::new(StreamSpec { agent, attach, prelude, work: Some(work), watch: None })))
}

/// A stream of an object's on which its client listens.
pub(super) fn listening(turn: &Turn<'_>, agent: AgentName, attach: Attach, prelude: &str) -> Response {
    let grant = match &agent {
        AgentName::Grant(grant) => Some(grant.to_string()),
        AgentName::Discovery(_) | AgentName::User(_) | AgentName::Registrations { .. } => None,
    };
    let watch = Some(Watch::new(turn.exchange, turn.endpoint.resource(), grant));
    event_stream(Body::Stream(Box::new(StreamSpec { agent, attach, prelude: prelude.to_owned(), work: None, watch })))
}

/// Server-sent events.
pub(super) fn event_stream(body: Body) -> Response {
    Response { body, ..Response::empty(200) }
        .with("content-type", "text/event-stream")
        .with("cache-control", "no-store, no-transform")
        .with("x-accel-buffering", "no")
}
