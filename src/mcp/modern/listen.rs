//! `subscriptions/listen`: a stream of change notices, of the kinds that the client asked for and this server has.
//!
//! What it has are the changes that its capabilities promise, and the tasks that a client names. A client that asks for
//! nothing of that is told so and answered at once, without an object; any other stream is a socket of the grant's
//! object, which sleeps behind it.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::envelope::Params;
use super::in_json;
use super::methods::lacks_tasks;
use crate::agent::{AgentName, Attach, ChangeFilter, StreamName, Streams, Subscription};
use crate::mcp::Turn;
use crate::mcp::confirm::confirm;
use crate::mcp::initialize::ServerCapabilities;
use crate::mcp::protocol::{Answer, RpcError, params, render};
use crate::mcp::stream::{event_stream, listening};
use crate::mcp::streamable::answered;
use crate::web::{Body, Response};

/// Bytes of a subscription at most: it lives in its socket, which holds little.
const LONGEST: usize = 1500;

#[derive(Deserialize)]
struct ListenParams {
    notifications: ChangeFilter,
}

/// Answers `subscriptions/listen`.
pub(super) async fn listen(turn: &Turn<'_>, id: &RawValue, sent: &Params<'_>) -> Result<Response, Response> {
    let holder = turn.holder(None).ok_or_else(|| turn.sign_in_first())?;
    confirm(turn, None).await?;
    let asked = match params::<ListenParams>(sent.raw) {
        Ok(asked) => asked.notifications,
        Err(error) => return Ok(answered(render(Some(id), &Answer::Error(error)))),
    };
    if !asked.task_ids.is_empty() && !sent.knows_tasks() {
        return Ok(in_json(id, &Answer::Error(lacks_tasks())));
    }
    let subscription =
        Subscription { id: id.get().to_owned(), filter: delivered(asked, &ServerCapabilities::stateless()) };
    if subscription.filter == ChangeFilter::default() {
        let both = Streams::event(&subscription.acknowledgement()) + &Streams::event(&subscription.answer());
        return Ok(event_stream(Body::Bytes(both.into_bytes().into())));
    }
    if serde_json::to_vec(&subscription).is_ok_and(|bytes| bytes.len() > LONGEST) {
        let error = RpcError::invalid_params("too many resources or tasks for one stream");
        return Ok(answered(render(Some(id), &Answer::Error(error))));
    }
    let exchange = turn.exchange;
    let attach = Attach {
        presented: Some(holder.presented(exchange)),
        stream: StreamName::alone(exchange.ports.random.as_ref()),
        after: None,
        prime: false,
        listens: Some(subscription.clone()),
    };
    let first = Streams::event(&subscription.acknowledgement());
    Ok(listening(turn, AgentName::Grant(holder.claims.grant), attach, &first))
}

/// Of what was asked for as much as the capabilities promise.
fn delivered(asked: ChangeFilter, capabilities: &ServerCapabilities) -> ChangeFilter {
    let ServerCapabilities { tools, prompts, resources, .. } = capabilities;
    ChangeFilter {
        tools_list_changed: asked.tools_list_changed && tools.list_changed,
        prompts_list_changed: asked.prompts_list_changed && prompts.list_changed,
        resources_list_changed: asked.resources_list_changed && resources.list_changed,
        resource_subscriptions: if resources.subscribe { asked.resource_subscriptions } else { Vec::new() },
        // Of one that is not there nothing will ever be told.
        task_ids: asked.task_ids,
    }
}
