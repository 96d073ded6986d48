//! The stateless revision 2026-07-28: no `initialize`, no session, every request complete in itself.
//!
//! Owns the order in which a request is judged: what it claims in `_meta`, its headers against its body, its method.
//! Who asks was settled before. `Mcp-Session-Id` and `Last-Event-ID` mean nothing here and are not looked at.

mod discover;
mod envelope;
mod headers;
mod listen;
mod methods;
#[cfg(feature = "conformance")]
mod parameters;
mod state;
mod tasks;

use super::call::Call;
use super::caller::Holder;
use super::confirm::{confirm, confirm_now};
use super::methods::{Ask, no_such_resource};
use super::protocol::{Answer, Message, RpcError, render};
use super::stream::answering;
use super::streamable::answered;
use super::{Turn, refuse};
use crate::agent::{AgentName, Attach, Called, Client, Dialogue, StreamName, Streams};
use crate::config::PresetSet;
use crate::exchange::Exchange;
use crate::prompts;
use crate::web::{Response, Work};
use serde_json::value::RawValue;

pub(super) use envelope::Params;
use methods::{Step, as_task, ask_client, complete, lacks_capability, step};
use state::Binding;
use tasks::TaskMethod;

/// The only stateless revision so far.
const REVISION: &str = "2026-07-28";

/// A standard header is missing, wrongly encoded, or says something else than the body.
const HEADER_MISMATCH: i32 = -32020;

/// The client did not say that it can do what the call needs.
const MISSING_CAPABILITY: i32 = -32021;

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
    let Message::Request { id, method, .. } = message else {
        // Nothing that a notification could say changes anything: what runs is cancelled by closing its connection. What
        // its headers must be, the revision leaves open.
        confirm(turn, None).await?;
        return Ok(Response::empty(202));
    };
    let version = params.version().map_err(refused)?;
    headers::check_version(turn.request, &version).map_err(refused)?;
    headers::check_routing(turn.request, method, params).map_err(refused)?;
    if method == "subscriptions/listen" {
        return listen::listen(turn, id, params).await;
    }
    if let Some(task_method) = TaskMethod::parse(method) {
        return task_method.answer(turn, id, params).await;
    }
    let answer = match step(turn.exchange, turn.view(PresetSet::ALL), method, params) {
        Step::Answer(answer) => {
            confirm(turn, None).await?;
            answer
        }
        Step::Ask(ask, hints) => return call(turn, (id, params), ask, hints).await,
        Step::Prompt(request) => prompt(turn, params, &request).await?,
    };
    Ok(in_json(id, &answer))
}

fn in_json(id: &RawValue, answer: &Answer) -> Response {
    Response { status: status(answer), ..answered(render(Some(id), answer)) }
}

/// Asks the object. A call that needs something of its client ends with its questions, and comes again with the answers.
async fn call(
    turn: &Turn<'_>,
    (id, params): (&RawValue, &Params<'_>),
    ask: Ask,
    hints: Option<Hints>,
) -> Result<Response, Response> {
    let exchange = turn.exchange;
    let holder = turn.holder(None).ok_or_else(|| turn.sign_in_first())?;
    let binding = Binding::new(holder.claims.grant, &ask.action);
    let client = match resume(exchange, params, &binding) {
        Ok(dialogue) => Client { dialogue, ..params.client() },
        Err(error) => {
            confirm(turn, None).await?;
            return Ok(in_json(id, &Answer::Error(error)));
        }
    };
    let call = Call::new(exchange, &holder, ask).of(client);
    if call.may_speak(&turn.exchange.config) && call.may_stream(turn.request) {
        confirm_now(turn, None).await?;
        return Ok(speak(exchange, &holder, id, call, move |exchange, called| {
            conclude(exchange, &binding, hints, called)
        }));
    }
    let called = call.run(exchange).await;
    let called = called.map_err(|failure| refuse::failed(&exchange.config, turn.endpoint, &failure))?;
    Ok(in_json(id, &conclude(exchange, &binding, hints, called)))
}

/// Answers with a stream of the call's own, which ends with the answer. Closing it takes the call back.
fn speak(
    exchange: &Exchange,
    holder: &Holder<'_>,
    id: &RawValue,
    call: Call,
    conclude: impl FnOnce(&Exchange, Called) -> Answer + 'static,
) -> Response {
    let stream = StreamName::alone(exchange.ports.random.as_ref());
    let presented = Some(holder.presented(exchange));
    let attach = Attach { presented, stream: stream.clone(), after: None, prime: false, listens: None };
    let (exchange, id) = (exchange.clone(), id.to_owned());
    let work = Work(Box::pin(async move {
        let answer = match call.without_challenge().on(stream).run(&exchange).await {
            Ok(called) => conclude(&exchange, called),
            Err(failure) => Answer::Error(refuse::told(&failure)),
        };
        Some(Streams::event(&render(Some(&id), &answer)))
    }));
    answering(AgentName::Grant(holder.claims.grant), attach, work)
}

/// A prompt, which the edge makes by itself. It too may need something of its client.
async fn prompt(turn: &Turn<'_>, params: &Params<'_>, request: &prompts::Request) -> Result<Answer, Response> {
    confirm(turn, None).await?;
    let grant = turn.holder(None).ok_or_else(|| turn.sign_in_first())?.claims.grant;
    let binding = Binding::prompt(grant, request);
    Ok(match resume(turn.exchange, params, &binding) {
        Ok(dialogue) => {
            let called = request.get(&Client { dialogue, ..params.client() });
            conclude(turn.exchange, &binding, None, called)
        }
        Err(error) => Answer::Error(error),
    })
}

/// The answer of a call.
fn conclude(exchange: &Exchange, binding: &Binding, hints: Option<Hints>, called: Called) -> Answer {
    match called {
        Called::Done(result) => complete(Answer::Result(result.into()), hints),
        // -32002 has no place in this revision.
        Called::NotFound { uri } => Answer::Error(RpcError { code: -32602, ..no_such_resource(&uri) }),
        Called::CannotAsk { method, .. } => Answer::Error(lacks_capability(method)),
        Called::InputRequired { requests, dialogue } => {
            let keys = &exchange.config.keys.encryption.request_states;
            match binding.seal(keys, exchange.ports.random.as_ref(), exchange.ports.clock.now(), dialogue) {
                Ok(state) => ask_client(&requests, &state),
                Err(error) => Answer::Error(error),
            }
        }
        Called::Task(task) => as_task(&task),
        // Only a call of a session is answered on its stream, and only one that is gone was taken back.
        Called::OnStream(_) | Called::Cancelled => Answer::Error(RpcError::new(-32603, "internal error")),
    }
}

/// The dialogue that a call goes on with: an empty one, or what its state says, with the answers that came along.
fn resume(exchange: &Exchange, params: &Params<'_>, binding: &Binding) -> Result<Dialogue, RpcError> {
    let Some(state) = params.request_state else {
        return params.input_responses.map_or_else(|| Ok(Dialogue::default()), state::loose);
    };
    let state = envelope::text(state).ok_or_else(|| RpcError::invalid_params("requestState must be a string"))?;
    let keys = &exchange.config.keys.encryption.request_states;
    let mut dialogue = binding.open(keys, exchange.context.now, &state)?;
    if let Some(responses) = params.input_responses {
        state::answer(&mut dialogue, responses)?;
    }
    Ok(dialogue)
}

/// The status of an answer: an unknown method and a capability that the client lacks have their own.
fn status(answer: &Answer) -> u16 {
    match answer {
        Answer::Error(error) if error.code == -32601 => 404,
        Answer::Error(error) if error.code == MISSING_CAPABILITY => 400,
        Answer::Error(_) | Answer::Result(_) => 200,
    }
}
