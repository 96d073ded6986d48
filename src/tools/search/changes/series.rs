//! The names of occurrences, which Graph's delta of a calendar leaves to their series (`event: delta`, and what it brings).

use serde::Deserialize;

use super::item::Found;
use crate::graph::request::{Method, Segment};
use crate::graph::{GraphRequest, batch};
use crate::tools::ToolError;
use crate::tools::call::Call;
use crate::tools::outbox::IMMUTABLE;

/// A series, as far as it names its occurrences.
#[derive(Deserialize)]
struct Series {
    subject: Option<String>,
}

/// Names the occurrences by the series that came as well, and else by asking for them. A series that cannot be had leaves
/// its occurrences without a name, and takes nothing from the rest.
pub(super) async fn name_occurrences(call: &Call<'_>, found: &mut Found) -> Result<(), ToolError> {
    found.name_own();
    for part in found.unnamed().chunks(batch::MOST) {
        let requests = part.iter().map(|id| request(id)).collect::<Result<Vec<_>, _>>()?;
        let Ok(outcomes) = call.batch::<Series>(&requests).await else { return Ok(()) };
        for (id, outcome) in part.iter().zip(outcomes) {
            if let Ok(Series { subject: Some(title) }) = outcome {
                found.name(id, &title);
            }
        }
    }
    Ok(())
}

fn request(id: &str) -> Result<GraphRequest, ToolError> {
    let path = [Segment::Word("me"), Segment::Word("events"), Segment::Value(id)];
    Ok(GraphRequest::new(Method::Get, &path)?.query("$select", "subject").prefer(IMMUTABLE))
}
