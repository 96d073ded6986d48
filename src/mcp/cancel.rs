//! `notifications/cancelled`: a client of a legacy session takes a request back. It gets no answer then.
//!
//! A stateless client closes the connection instead (`call`).

use serde::Deserialize;
use serde_json::value::RawValue;

use super::confirm::confirm;
use super::session::Session;
use super::{Turn, call};
use crate::agent::{CallName, CancelCommand, Command};
use crate::web::Response;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params<'a> {
    #[serde(borrow)]
    request_id: &'a RawValue,
}

/// Takes a notification of a session. All but the one change nothing.
pub(super) async fn notified(
    turn: &Turn<'_>,
    session: &Session,
    method: &str,
    params: Option<&RawValue>,
) -> Result<(), Response> {
    let nonce = Some(session.nonce.as_str());
    let cancelled = params.filter(|_| method == "notifications/cancelled");
    let cancelled = cancelled.and_then(|params| serde_json::from_str::<Params<'_>>(params.get()).ok());
    let (Some(Params { request_id }), Some(holder)) = (cancelled, turn.holder(nonce)) else {
        return confirm(turn, nonce).await;
    };
    let name = CallName::of_request(request_id.get());
    let command = Command::Cancel(CancelCommand { presented: holder.presented(turn.exchange), call: name });
    call::tell(turn, &session.agent(), &command).await
}
