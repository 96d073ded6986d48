//! Planner's way of writing: with the etag of what is changed, which is read first.

use super::Task;
use crate::graph::request::{Method, Segment};
use crate::graph::{Failure, GraphRequest, Origin};
use crate::tools::call::Call;
use crate::tools::error::ToolError;

/// The path of a task.
pub(super) fn task(id: &str) -> [Segment<'_>; 3] {
    [Segment::Word("planner"), Segment::Word("tasks"), Segment::Value(id)]
}

/// Reads what is at `path`, and sends the request that `build` makes of it with its etag. Once more where somebody changed
/// it in between: then nothing was done. What it was before.
pub(super) async fn guarded(
    call: &Call<'_>,
    path: &[Segment<'_>],
    build: &dyn Fn(&Task) -> Result<GraphRequest, ToolError>,
) -> Result<Task, ToolError> {
    let mut again = true;
    loop {
        let task: Task = call.json(&GraphRequest::new(Method::Get, path)?).await?;
        let etag = task.etag.clone().ok_or_else(no_etag)?;
        match call.send(&build(&task)?.header("if-match", etag)).await {
            Err(ToolError::Graph { failure: Failure { status: Some(409 | 412), .. }, .. }) if again => again = false,
            outcome => return outcome.map(|_| task),
        }
    }
}

fn no_etag() -> ToolError {
    ToolError::Graph { failure: Failure::of(Origin::Graph, "NoETag"), repeatable: true }
}
