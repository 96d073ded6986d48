//! Creating what Graph neither makes idempotent nor lets anybody look up: once for a key, and never again after doubt.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::call::Call;
use super::error::{Doubt, ToolError};
use super::ledger::Ledger;
use super::outbox;
use super::policy::Deed;
use crate::crypto::Digest;
use crate::graph::GraphRequest;

/// What was made.
#[derive(Serialize)]
pub(super) struct Created {
    status: &'static str,
    /// Absent where an earlier call made it, or Graph's answer could not be read: it is made all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

impl Created {
    /// The same, under another word for what was done.
    pub fn with(self, status: &'static str) -> Self {
        Self { status, ..self }
    }
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

/// Sends the request that creates, once for this key.
pub(super) async fn once(call: &Call<'_>, key: Option<String>, request: &GraphRequest) -> Result<Created, ToolError> {
    passing(call, key, request, &Deed::unseen()).await
}

/// The same for what other people are told of.
pub(super) async fn passing(
    call: &Call<'_>,
    key: Option<String>,
    request: &GraphRequest,
    deed: &Deed<'_>,
) -> Result<Created, ToolError> {
    let key = call.key(key);
    let content = request.content.as_ref().map(|content| Digest::of(&content.bytes).to_string());
    let asked = json!([request.path_and_query(), request.body, content]);
    let arguments = Digest::of(asked.to_string().as_bytes());
    let response = outbox::once(&Ledger::of(call, &key, &arguments), request, deed).await.map_err(where_to_look)?;
    let note = response.is_none().then_some("An earlier call with this idempotencyKey did it.");
    let made = response.and_then(|response| response.json::<Made>().ok());
    Ok(Created { status: "created", id: made.map(|made| made.id), note })
}

/// The outbox speaks of messages.
fn where_to_look(error: ToolError) -> ToolError {
    match error {
        ToolError::Unconfirmed(_) => ToolError::Unconfirmed(Doubt {
            what: "It may have been created although no result came back.",
            hint: "List what is there. Only if it is missing, call again with a new idempotencyKey.".to_owned(),
            retry_after: None,
        }),
        error => error,
    }
}
