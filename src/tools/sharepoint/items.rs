//! Reading the items of a list.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{cleaned, column, items_of, version};
use crate::graph::request::Method;
use crate::graph::{Failure, GraphRequest};
use crate::identity::Scope;
use crate::tools::answer::{Answer, UNTRUSTED, clean};
use crate::tools::arguments::{LINE, bounded, line};
use crate::tools::call::Call;
use crate::tools::page::{self, Page};
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "getListItems",
    title: "Read a SharePoint list",
    description: "Items of a SharePoint list.",
    kind: Kind::Read,
    preset: Preset::Sharepoint,
    needs: &[Scope::SitesReadAll],
    also: &[],
    on_use: &[],
    example: r#"{"siteId":"root","listId":"Suppliers","filter":"fields/Status eq 'Open'","fields":["Title","Status"]}"#,
    schema: schema::of::<GetListItems>,
    handler: handle::<GetListItems>,
};

const FAMILIES: [&str; 1] = ["/sites/{id}/lists/{id}/items"];
const SELECT: &str = "id,eTag,lastModifiedDateTime,lastModifiedBy,fields";
/// Columns that one call names.
const COLUMNS: usize = 50;
/// Columns of `SharePoint`'s own that say nothing about the item, or what stands beside them already.
const NOISE: [&str; 22] = [
    "id",
    "ContentType",
    "Created",
    "Modified",
    "AuthorLookupId",
    "EditorLookupId",
    "AppAuthorLookupId",
    "AppEditorLookupId",
    "Attachments",
    "Edit",
    "LinkTitle",
    "LinkTitleNoMenu",
    "LinkTitle2",
    "LinkFilename",
    "LinkFilenameNoMenu",
    "DocIcon",
    "ItemChildCount",
    "FolderChildCount",
    "_UIVersionString",
    "_ComplianceFlags",
    "_ComplianceTag",
    "_ComplianceTagUserId",
];

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GetListItems {
    site_id: String,
    /// Id or name
    list_id: String,
    /// OData on indexed fields/
    filter: Option<String>,
    /// Internal names
    fields: Option<Vec<String>>,
    #[schemars(range(min = 1, max = 200))]
    count: Option<u32>,
    cursor: Option<String>,
}

#[async_trait(?Send)]
impl Input for GetListItems {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let count = bounded("count", self.count, 50, 200)?;
        let request = GraphRequest::new(Method::Get, &items_of(&self.site_id, &self.list_id)?)?
            .query("$expand", expand(self.fields.as_deref())?)
            .query("$select", SELECT)
            .query("$top", count.to_string());
        let request = match self.filter.as_deref() {
            Some(filter) => request.query("$filter", checked(filter)?),
            None => request,
        };
        let start = page::begin(call, self.cursor.as_deref(), &request)?;
        let page = page::read::<Item>(call, &FAMILIES, start, count).await;
        let Page { items, next_cursor } = page.map_err(|error| self.explained(error))?;
        let all = self.fields.is_none();
        let items = items.into_iter().map(|item| Shown::of(item, all)).collect();
        Ok(Answer::of(&Found { untrusted: UNTRUSTED, items, truncated: next_cursor.is_some(), next_cursor }))
    }
}

impl GetListItems {
    /// `SharePoint` says of a filter only that the request is invalid.
    fn explained(&self, error: ToolError) -> ToolError {
        match error {
            ToolError::Graph { failure: Failure { status: Some(400), .. }, .. } if self.filter.is_some() => {
                ToolError::argument(
                    "filter",
                    "refused: it takes indexed columns by their internal names, as in fields/Status eq 'Open'",
                )
            }
            error => error,
        }
    }
}

/// The fields that come along: all, or these columns.
pub(super) fn expand(fields: Option<&[String]>) -> Result<String, ToolError> {
    let Some(fields) = fields else { return Ok("fields".to_owned()) };
    if fields.is_empty() || fields.len() > COLUMNS {
        return Err(ToolError::argument("fields", format!("takes 1 to {COLUMNS} columns; leave it out for all")));
    }
    let names: Vec<_> = fields.iter().map(|name| column(name)).collect::<Result<_, _>>()?;
    Ok(format!("fields($select={})", names.join(",")))
}

/// A filter that compares columns; whether they are indexed, only `SharePoint` knows.
fn checked(filter: &str) -> Result<String, ToolError> {
    let filter = line("filter", filter, 1000)?;
    if !filter.contains("fields/") || filter.matches('\'').count() % 2 == 1 {
        return Err(ToolError::argument(
            "filter",
            "must compare columns, as in fields/Status eq 'Open' and fields/Count gt 3",
        ));
    }
    Ok(filter)
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Item {
    pub id: String,
    pub e_tag: Option<String>,
    last_modified_date_time: Option<String>,
    last_modified_by: Option<By>,
    fields: Map<String, Value>,
}

#[derive(Deserialize)]
struct By {
    user: Option<Person>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    display_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    untrusted: &'static str,
    items: Vec<Shown>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Shown {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    fields: Map<String, Value>,
}

impl Shown {
    /// The item; of all its columns only those that say something.
    pub fn of(item: Item, all: bool) -> Self {
        let told = |name: &str, value: &Value| {
            let own = all && NOISE.contains(&name);
            !own && !name.contains("@odata") && !value.is_null()
        };
        let fields = item.fields.into_iter().filter(|(name, value)| told(name, value));
        Self {
            id: item.id,
            version: item.e_tag.as_deref().and_then(version),
            modified: item.last_modified_date_time,
            by: item.last_modified_by.and_then(|by| by.user?.display_name).map(|name| clean(&name, LINE)),
            fields: fields.map(|(name, value)| (clean(&name, 128), cleaned(value))).collect(),
        }
    }
}
