//! What is done in one request: once for a key where nothing can be looked up afterwards, or as often as wanted where
//! Graph itself makes a repetition harmless.

use serde::de::DeserializeOwned;
use serde_json::json;

use super::unknown;
use crate::crypto::Digest;
use crate::graph::{Failure, GraphRequest, GraphResponse, Origin};
use crate::tools::call::Call;
use crate::tools::error::{Doubt, ToolError};
use crate::tools::ledger::{Entry, Ledger, Step};
use crate::tools::policy::{self, Deed};

/// Sends one request that cannot be looked up afterwards: once for a key, and never again after doubt. `None` when an
/// earlier call with the same key did it. Nothing is asked and nothing counted then.
pub(in crate::tools) async fn once(
    ledger: &Ledger<'_>,
    request: &GraphRequest,
    deed: &Deed<'_>,
) -> Result<Option<GraphResponse>, ToolError> {
    let call = ledger.call;
    let entry = ledger.open()?;
    let outcome = match entry.map(|entry| entry.step) {
        None | Some(Step::Begun | Step::Drafted) => match policy::pass(call, deed).await {
            Ok(()) => post(ledger, call, request).await.map(Some),
            Err(error) => ledger.forget().and(Err(error)),
        },
        Some(Step::Sending) => Err(unknown("An earlier call with this idempotencyKey may have sent it.")),
        Some(Step::Done) => Ok(None),
    };
    ledger.release();
    outcome
}

async fn post(ledger: &Ledger<'_>, call: &Call<'_>, request: &GraphRequest) -> Result<GraphResponse, ToolError> {
    ledger.mark(Step::Sending, None)?;
    match call.send(request).await {
        Ok(response) => {
            // It is done even if that cannot be noted; the key then stays in doubt, which never sends twice.
            let _: Result<(), ToolError> = ledger.mark(Step::Done, None);
            Ok(response)
        }
        // Told as it is: which policy withheld the answer is worth more than that it is missing.
        Err(error @ ToolError::Graph { failure: Failure { origin: Origin::Policy, .. }, .. }) if error.in_doubt() => {
            Err(error)
        }
        Err(error) if error.in_doubt() => Err(unknown("It may have been sent although no result came back.")),
        Err(error) => {
            ledger.forget()?;
            Err(error)
        }
    }
}

/// The id under which Graph itself makes a repeated request harmless.
pub(in crate::tools) fn transaction(key: &str) -> String {
    Digest::of(key.as_bytes()).to_string()
}

/// Sends a request that Graph makes harmless to repeat by [`transaction`], and reads its answer. The same key with other
/// arguments is refused, because Graph would answer with what it made the first time. `deed` is what others see of it, if
/// anything; who repeats what went out is not asked again.
pub(in crate::tools) async fn repeatable<T: DeserializeOwned>(
    call: &Call<'_>,
    key: &str,
    request: &GraphRequest,
    deed: Option<&Deed<'_>>,
) -> Result<T, ToolError> {
    let asked = json!([request.path_and_query(), request.body]);
    let ledger = Ledger::of(call, key, &Digest::of(asked.to_string().as_bytes()));
    let entry = ledger.open()?;
    let known = matches!(entry, Some(Entry { step: Step::Sending, .. }));
    if let (false, Some(deed)) = (known, deed)
        && let Err(error) = policy::pass(call, deed).await
    {
        return ledger.forget().and(Err(error));
    }
    ledger.mark(Step::Sending, None)?;
    let outcome = call.json(request).await;
    let outcome = match outcome {
        Err(ToolError::Graph { failure, .. }) if failure.code == USED => Err(there()),
        Err(ToolError::Graph { failure, .. }) if failure.may_have_acted => Err(repeat_with(key)),
        Err(error) if !known => ledger.forget().and(Err(error)),
        Ok(_) | Err(_) => outcome,
    };
    ledger.release();
    outcome
}

/// Graph's code for a transaction whose event is there and is another than the one asked for: somebody changed it since,
/// or the key served elsewhere.
const USED: &str = "ErrorDuplicateTransactionId";

fn there() -> ToolError {
    ToolError::Unconfirmed(Doubt {
        what: "What was made under this idempotencyKey is there and differs from this; nothing was created now.",
        hint: "Look at what is there first: a new key makes a second one.".to_owned(),
        retry_after: None,
    })
}

fn repeat_with(key: &str) -> ToolError {
    let hint = format!("Repeat the call unchanged with idempotencyKey {key:?}: it does nothing twice.");
    ToolError::Unconfirmed(Doubt {
        what: "It may have been created although no result came back.",
        hint,
        retry_after: Some(5),
    })
}
