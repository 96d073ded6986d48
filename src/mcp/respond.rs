//! What the client of a legacy session answers to a request of ours: taken with 202, handed to the object in the
//! background, which goes on with the call that waits for it and answers that on its stream.

use serde_json::value::RawValue;

use super::Turn;
use super::confirm::confirm_now;
use super::session::Session;
use crate::agent::{AnswerCommand, Command, InputAnswer};
use crate::log::{Event, Kind};
use crate::web::Response;

/// Takes a response. Who asks is settled before, while a status can still say so; whether anything waits for it, only
/// the object knows, and it tells nobody.
pub(super) async fn take(
    turn: &Turn<'_>,
    session: &Session,
    id: &RawValue,
    result: Option<&RawValue>,
) -> Result<(), Response> {
    let nonce = Some(session.nonce.as_str());
    confirm_now(turn, nonce).await?;
    let (Some(holder), Ok(id)) = (turn.holder(nonce), serde_json::from_str::<String>(id.get())) else {
        // The ids of our requests are strings.
        return Ok(());
    };
    let answer = result.map_or(InputAnswer::Failed, |result| InputAnswer::Result(result.get().to_owned()));
    let command = Command::Answer(AnswerCommand { presented: holder.presented(turn.exchange), id, answer });
    let (exchange, agent) = (turn.exchange.clone(), session.agent());
    turn.exchange.ports.background.run(Box::pin(async move {
        if exchange.ports.agents.call(&agent, &command).await.is_err() {
            let event = exchange.context.event(Kind::InternalError);
            exchange.ports.log.write(&Event { reason: Some("answer-lost"), ..event });
        }
    }));
    Ok(())
}
