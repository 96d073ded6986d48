//! OneNote: notebooks, sections and pages. Reading is `read`, writing `save`, and the HTML of a page `markup`.

mod markup;
mod read;
mod save;

use super::{Tool, ToolError};
use crate::graph::request::{Method, Segment};
use crate::graph::{Failure, GraphRequest};

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[read::TOOL, save::TOOL];

/// OneNote answers 120 requests a minute and does not say when it has had enough of a rest.
const REST: u64 = 60;
/// OneNote's code for a search that would look through too many sections.
const TOO_MANY_SECTIONS: &str = "20266";

/// A request below the user's notes.
fn onenote(method: Method, rest: &[Segment<'_>]) -> Result<GraphRequest, ToolError> {
    let path = [&[Segment::Word("me"), Segment::Word("onenote")], rest].concat();
    Ok(GraphRequest::new(method, &path)?)
}

/// A refusal with what OneNote leaves unsaid.
fn explained(error: ToolError) -> ToolError {
    match error {
        ToolError::Graph { failure, .. } if failure.code == TOO_MANY_SECTIONS => {
            ToolError::argument("sectionId", "there are too many sections to search at once: name one")
        }
        ToolError::Graph { failure, repeatable } if failure.status == Some(429) => {
            let retry_after = failure.retry_after.or(Some(REST));
            ToolError::Graph { failure: Failure { retry_after, ..failure }, repeatable }
        }
        error => error,
    }
}
