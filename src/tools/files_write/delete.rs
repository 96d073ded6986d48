//! Deleting a file or folder, so that it can be taken back.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::graph::GraphRequest;
use crate::graph::request::Method;
use crate::identity::Scope;
use crate::tools::answer::Answer;
use crate::tools::call::Call;
use crate::tools::drive_item::{DriveItem, Row, SELECT};
use crate::tools::place::Place;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "deleteFile",
    title: "Delete a file",
    description: "Send a file or folder to the recycle bin.",
    kind: Kind::Destructive,
    preset: Preset::Files,
    needs: &[Scope::FilesReadWrite],
    also: &[],
    on_use: &[Scope::FilesReadWriteAll],
    example: r#"{"path":"/Reports/2026/notes.txt","dryRun":true}"#,
    schema: schema::of::<DeleteFile>,
    handler: handle::<DeleteFile>,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DeleteFile {
    drive_id: Option<String>,
    item_id: Option<String>,
    path: Option<String>,
    dry_run: Option<bool>,
}

#[async_trait(?Send)]
impl Input for DeleteFile {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let place = Place::parse(self.drive_id.as_deref(), self.item_id.as_deref(), self.path.as_deref())?;
        if place.is_root() {
            return Err(ToolError::argument("path", "a drive as a whole cannot be deleted: name a file or folder"));
        }
        let look = GraphRequest::new(Method::Get, &place.segments(&[]))?.query("$select", SELECT);
        let delete = GraphRequest::new(Method::Delete, &place.segments(&[]))?;
        place.require(call, Scope::FilesReadWrite, Scope::FilesReadWriteAll)?;
        if self.dry_run == Some(true) {
            let item: DriveItem = call.json(&look).await?;
            return Ok(Answer::planned(&json!({"delete": Row::of(item, true)})));
        }
        call.send(&delete).await?;
        Ok(Answer::of(&json!({"status": "deleted", "note": "It is in the recycle bin."})))
    }
}
