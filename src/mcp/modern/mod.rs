//! The stateless revision 2026-07-28: no `initialize`, no session, every request complete in itself.
//!
//! Owns the order in which a request is judged: what it claims in `_meta`, its headers against its body, its method.
//! Who asks was settled before. `Mcp-Session-Id` and `Last-Event-ID` mean nothing here and are not looked at.

mod discover;
mod envelope;
mod headers;
mod methods;

use super::call::Call;
use super::confirm::confirm;
use super::protocol::{Answer, Message, render};
use super::streamable::answered;
use super::{Turn, refuse};
use crate::config::PresetSet;
use crate::web::Response;

pub(super) use envelope::Params;
use methods::{Step, complete, step};

/// The only stateless revision so far.
const REVISION: &str = "2026-07-28";

/// A standard header is missing, wrongly encoded, or says something else than the body.
const HEADER_MISMATCH: i32 = -32020;

/// The revision is not served.
const UNSUPPORTED_VERSION: i32 = -32022;

/// How long and by whom a result may be kept.
#[derive(Clone, Copy)]
struct Hints {
    ttl_ms: u64,
    scope: &'static str,
}

/// Lists change with a deploy, and with what the caller's token allows.
const CACHED: Hints = Hints { ttl_ms: 300_000, scope: "private" };

/// A user's own data, which may change at any moment.
const FRESH: Hints = Hints { ttl_ms: 0, scope: "private" };

impl Hints {
    fn members(self) -> String {
        format!("\"ttlMs\":{},\"cacheScope\":\"{}\",", self.ttl_ms, self.scope)
    }
}

/// Answers one stateless message.
pub(super) async fn post(turn: &Turn<'_>, message: &Message<'_>, params: &Params<'_>) -> Result<Response, Response> {
    let refused = |error| refuse::message(400, message.id(), error);
    let version = params.version().map_err(refused)?;
    headers::check_version(turn.request, &version).map_err(refused)?;
    let Message::Request { id, method, .. } = message else {
        // Nothing that a notification could say changes anything: what runs is cancelled by closing its connection.
        confirm(turn, None).await?;
        return Ok(Response::empty(202));
    };
    headers::check_routing(turn.request, method, params).map_err(refused)?;
    let answer = match step(turn.exchange, turn.view(PresetSet::ALL), method, params) {
        Step::Answer(answer) => {
            confirm(turn, None).await?;
            answer
        }
        Step::Ask(ask, hints) => {
            let holder = turn.holder(None).ok_or_else(|| turn.sign_in_first())?;
            let outcome = Call::new(turn.exchange, &holder, ask).run(turn.exchange).await;
            let answer = outcome.map_err(|failure| refuse::failed(&turn.exchange.config, turn.endpoint, &failure))?;
            complete(answer, hints)
        }
    };
    Ok(Response { status: status(&answer), ..answered(render(Some(id), &answer)) })
}

/// The status of an answer: an unknown method alone has one of its own, since everything that is 400 was refused before.
fn status(answer: &Answer) -> u16 {
    match answer {
        Answer::Error(error) if error.code == -32601 => 404,
        Answer::Error(_) | Answer::Result(_) => 200,
    }
}
