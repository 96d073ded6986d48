//! Writing, moving, sharing and deleting files: a file for each tool.

mod delete;
mod manage;
mod share;
mod upload;

use serde_json::{Value, json};

use super::Tool;
use super::drive_item::DriveItem;
use super::error::ToolError;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[upload::TOOL, manage::TOOL, delete::TOOL, share::TOOL];

/// Graph's annotation for what to do where the name is there already.
const CONFLICT: &str = "@microsoft.graph.conflictBehavior";

/// That the name is there already, as a fault of the argument that gave it.
fn taken(error: ToolError, argument: &str, advice: &str) -> ToolError {
    match error {
        ToolError::Graph { failure, .. } if failure.code == "nameAlreadyExists" => {
            ToolError::argument(argument, format!("something of this name is there already: {advice}"))
        }
        other => other,
    }
}

/// What became of an item.
fn told(status: &str, item: DriveItem) -> Value {
    let name = item.shown_name();
    json!({"status": status, "id": item.id, "name": name, "size": item.size, "etag": item.e_tag, "webUrl": item.web_url})
}
