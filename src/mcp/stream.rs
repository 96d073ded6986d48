//! GET: the server-sent event streams.
//!
//! With `Mcp-Session-Id` it is the standalone stream of Streamable HTTP, on both paths. Without, it is a legacy
//! HTTP+SSE stream on `/sse` and 405 on `/mcp`, where clients expect that. `MCP-Protocol-Version` does not tell the two
//! apart: a legacy client that reconnects sends it too.
//!
//! Nothing is stored here and no object is woken but to confirm the grant: clients probe with a GET and hang up. The
//! edge holds the stream; it connects to `StreamSpec::stream` of the object before it sends the prelude, wraps each
//! text that the object publishes as `event: message\ndata: <text>\n\n`, and sends a comment line at least every 25 s.

use super::confirm::{confirm, vouch};
use super::session::{Channel, Owner, Session, SessionKeys};
use super::streamable::accepts;
use super::{Endpoint, Turn};
use crate::web::{Body, Response, StreamSpec};

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

/// The stream for what a server says unasked. In discovery there is nothing to say.
async fn standalone(turn: &Turn<'_>) -> Result<Response, Response> {
    let (session, _) = turn.streamable_session(None)?;
    match session.owner {
        Owner::Grant(_) => {}
        Owner::Discovery(_) => return Err(Response::method_not_allowed("POST")),
    }
    confirm(turn, Some(&session.nonce)).await?;
    Ok(stream(&session, ": open\n\n".to_owned()))
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
    let prelude = format!("event: endpoint\ndata: /sse/message?sessionId={}\n\n", keys.sign(&session));
    Ok(stream(&session, prelude))
}

fn stream(session: &Session, prelude: String) -> Response {
    let spec = StreamSpec { agent: session.agent(), stream: session.nonce.clone(), prelude };
    Response { body: Body::Stream(spec), ..Response::empty(200) }
        .with("content-type", "text/event-stream")
        .with("cache-control", "no-store, no-transform")
        .with("x-accel-buffering", "no")
}
