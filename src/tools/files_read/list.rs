//! The files of a folder, or those of a drive that a search finds. Graph's lists of recent and shared files are not
//! here: Microsoft takes them away.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::{Answer, UNTRUSTED};
use crate::tools::arguments::{LINE, bounded, line};
use crate::tools::call::Call;
use crate::tools::drive_item::{DriveItem, Row, SELECT};
use crate::tools::page;
use crate::tools::place::Place;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "listFiles",
    title: "List files",
    description: "Files and folders in a folder; with query, those below it that match by name or content.",
    kind: Kind::Read,
    preset: Preset::Files,
    needs: &[Scope::FilesRead],
    also: &[],
    on_use: &[Scope::FilesReadAll],
    example: r#"{"path":"/Reports/2026"}"#,
    schema: schema::of::<ListFiles>,
    handler: handle::<ListFiles>,
};

/// The paths of a list in the user's drive, which Graph may also name by its id.
const OWN: [&str; 8] = [
    "/me/drive/root/children",
    "/me/drive/root/:/{id}/children",
    "/me/drive/items/{id}/children",
    "/me/drive/items/{id}/:/{id}/children",
    "/me/drive/root/search()",
    "/me/drive/root/:/{id}/search()",
    "/me/drive/items/{id}/search()",
    "/me/drive/items/{id}/:/{id}/search()",
];
const ANY: [&str; 8] = [
    "/drives/{id}/root/children",
    "/drives/{id}/root/:/{id}/children",
    "/drives/{id}/items/{id}/children",
    "/drives/{id}/items/{id}/:/{id}/children",
    "/drives/{id}/root/search()",
    "/drives/{id}/root/:/{id}/search()",
    "/drives/{id}/items/{id}/search()",
    "/drives/{id}/items/{id}/:/{id}/search()",
];

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ListFiles {
    /// Default: my OneDrive
    drive_id: Option<String>,
    item_id: Option<String>,
    /// e.g. /Reports/2026
    path: Option<String>,
    query: Option<String>,
    #[schemars(range(min = 1, max = 100), extend("default" = 50))]
    count: Option<u32>,
    cursor: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Folder {
    untrusted: &'static str,
    files: Vec<Row>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[async_trait(?Send)]
impl Input for ListFiles {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let count = bounded("count", self.count, 50, 100)?;
        let place = Place::parse(self.drive_id.as_deref(), self.item_id.as_deref(), self.path.as_deref())?;
        let query = self.query.as_deref().map(words).transpose()?;
        let last = query.as_deref().map_or(Segment::Word("children"), |text| Segment::Call("search", "q", text));
        let path = place.segments(&[]);
        let request = GraphRequest::new(Method::Get, &[path.as_slice(), &[last]].concat())?
            .query("$select", SELECT)
            .query("$top", count.to_string());
        place.require(call, Scope::FilesRead, Scope::FilesReadAll)?;
        let families = if place.drive().is_some() { ANY.to_vec() } else { [OWN, ANY].concat() };
        let start = page::begin(call, self.cursor.as_deref(), &request)?;
        let page = page::read::<DriveItem>(call, &families, start, count).await?;
        Ok(Answer::of(&Folder {
            untrusted: UNTRUSTED,
            files: page.items.into_iter().map(|item| Row::of(item, query.is_some())).collect(),
            truncated: page.next_cursor.is_some(),
            next_cursor: page.next_cursor,
        }))
    }
}

/// Words to search for; slashes only set words apart, and could be taken for a path on the way.
fn words(text: &str) -> Result<String, ToolError> {
    line("query", &line("query", text, LINE)?.replace(['/', '\\'], " "), LINE)
}
