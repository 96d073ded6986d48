//! One change to up to twenty mails, in one `$batch`: which mails, and what became of each.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::graph::GraphRequest;
use crate::tools::arguments::{identifier, several};
use crate::tools::call::Call;
use crate::tools::{Answer, Outcome, ToolError};

/// Mails that one call changes: what one batch takes.
const MOST: usize = crate::graph::batch::MOST;

/// The mails of the argument `ids`. One twice is refused: parts of a batch run side by side.
pub(super) fn checked(ids: &[String]) -> Result<&[String], ToolError> {
    let ids = several("ids", ids, MOST)?;
    for (at, id) in ids.iter().enumerate() {
        identifier("ids", id)?;
        if ids.iter().take(at).any(|before| before == id) {
            return Err(ToolError::argument("ids", format!("{id:?} is there twice")));
        }
    }
    Ok(ids)
}

/// What Graph tells of a mail that was changed.
#[derive(Deserialize)]
struct Changed {
    id: String,
}

#[derive(Serialize)]
struct Outcomes<'a> {
    status: &'static str,
    /// The ids after the change: a copy has one of its own.
    ids: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<Failed<'a>>,
}

#[derive(Serialize)]
struct Failed<'a> {
    id: &'a str,
    error: Value,
}

/// Sends the requests, one for each of `ids`, and tells what became of each.
pub(super) async fn change(
    call: &Call<'_>,
    status: &'static str,
    ids: &[String],
    requests: &[GraphRequest],
) -> Outcome {
    let mut outcomes = Outcomes { status, ids: Vec::new(), failed: Vec::new() };
    for (id, outcome) in ids.iter().zip(call.batch::<Changed>(requests).await?) {
        match outcome {
            Ok(changed) => outcomes.ids.push(changed.id),
            Err(error) => outcomes.failed.push(Failed { id, error: call.report(&error) }),
        }
    }
    if outcomes.ids.is_empty() {
        outcomes.status = "failed";
    } else if !outcomes.failed.is_empty() {
        outcomes.status = "partly";
    }
    Ok(Answer::of(&outcomes))
}
