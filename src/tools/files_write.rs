//! Writing, moving, sharing and deleting files: a file for each tool.

mod delete;
mod manage;
mod permission;
mod share;
mod upload;

use serde::Serialize;

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
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    status: &'static str,
    name: String,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    web_url: Option<String>,
}

impl Done {
    fn of(status: &'static str, item: DriveItem) -> Self {
        let name = item.shown_name();
        Self { status, name, id: item.id, size: item.size, etag: item.e_tag, web_url: item.web_url }
    }
}
