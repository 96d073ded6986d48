//! Creating, changing and deleting an item of a list. What is deleted goes to the site's recycle bin.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::items::{Item, Shown, expand};
use super::{column, items_of, version};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::{Answer, UNTRUSTED};
use crate::tools::arguments::{self, BODY, LINE, identifier, line, prose};
use crate::tools::call::Call;
use crate::tools::create;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "saveListItem",
    title: "Save a SharePoint list item",
    description: "Create a list item, or with id change or delete one.",
    kind: Kind::Destructive,
    preset: Preset::Sharepoint,
    needs: &[Scope::SitesReadWriteAll],
    also: &[],
    on_use: &[],
    example: r#"{"siteId":"root","listId":"Suppliers","id":"3","fields":{"Status":"Done"}}"#,
    schema: schema::of::<SaveListItem>,
    handler: handle::<SaveListItem>,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SaveListItem {
    site_id: String,
    list_id: String,
    id: Option<String>,
    fields: Option<Map<String, Value>>,
    version: Option<u32>,
    delete: Option<bool>,
    dry_run: Option<bool>,
    idempotency_key: Option<String>,
}

#[async_trait(?Send)]
impl Input for SaveListItem {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let key = arguments::key(self.idempotency_key.as_deref())?;
        let items = items_of(&self.site_id, &self.list_id)?;
        let delete = self.delete == Some(true);
        let fields = self.fields.as_ref().map(written).transpose()?;
        let dry = self.dry_run == Some(true);
        match (self.id.as_deref(), fields) {
            (None, _) if delete => Err(ToolError::argument("id", "of the item to delete is needed")),
            (None, _) if self.version.is_some() => Err(ToolError::argument("version", "means nothing without id")),
            (None, None) => Err(ToolError::argument("fields", "a new item needs some")),
            (None, Some(fields)) if dry => Ok(Answer::planned(&json!({"action": "create", "fields": fields}))),
            (None, Some(fields)) => {
                let request = GraphRequest::new(Method::Post, &items)?.body(json!({ "fields": fields }));
                Ok(Answer::of(&create::once(call, key, &request).await?))
            }
            (Some(_), Some(_)) if delete => Err(ToolError::argument("fields", "means nothing with delete=true")),
            (Some(_), None) if !delete => Err(ToolError::argument("fields", "name at least one thing to change")),
            (Some(id), fields) => {
                let path = [items.as_slice(), &[Segment::Value(identifier("id", id)?)]].concat();
                self.existing(call, &path, fields).await
            }
        }
    }
}

impl SaveListItem {
    /// Changes the item at `path` to these fields, or without any deletes it.
    async fn existing(&self, call: &Call<'_>, path: &[Segment<'_>], fields: Option<Map<String, Value>>) -> Outcome {
        if self.dry_run == Some(true) {
            let names = self.fields.as_ref().map(|fields| fields.keys().cloned().collect::<Vec<_>>());
            let request = GraphRequest::new(Method::Get, path)?.query("$expand", expand(names.as_deref())?);
            let item = Shown::of(call.json::<Item>(&request).await?, names.is_none());
            let action = if fields.is_some() { "change" } else { "delete" };
            let would = json!({"untrusted": UNTRUSTED, "action": action, "item": item});
            return Ok(Answer::planned(&with_fields(would, fields)));
        }
        let etag = self.unchanged(call, path).await?;
        let (request, status) = match fields {
            Some(fields) => {
                let path = [path, &[Segment::Word("fields")]].concat();
                // The same values once more change nothing; with an etag they would be refused.
                let request = GraphRequest::new(Method::Patch, &path)?.body(fields.into());
                (if etag.is_none() { request.repeatable() } else { request }, "changed")
            }
            None => (GraphRequest::new(Method::Delete, path)?, "deleted"),
        };
        let request = match etag {
            Some(etag) => request.header("if-match", etag),
            None => request,
        };
        call.send(&request).await?;
        Ok(Answer::of(&json!({"status": status, "id": self.id})))
    }

    /// The etag of the version that the caller means, if it means one and the item still is at it.
    async fn unchanged(&self, call: &Call<'_>, path: &[Segment<'_>]) -> Result<Option<String>, ToolError> {
        let Some(wanted) = self.version else { return Ok(None) };
        let request = GraphRequest::new(Method::Get, path)?.query("$select", "id,eTag");
        let etag = call.json::<Item>(&request).await?.e_tag.unwrap_or_default();
        match version(&etag) {
            Some(found) if found == wanted => Ok(Some(etag)),
            Some(found) => Err(ToolError::argument("version", format!("the item is at {found} by now: read it again"))),
            None => Err(ToolError::argument("version", "the item has none: leave it out")),
        }
    }
}

fn with_fields(mut would: Value, fields: Option<Map<String, Value>>) -> Value {
    if let (Value::Object(would), Some(fields)) = (&mut would, fields) {
        would.insert("fields".to_owned(), fields.into());
    }
    would
}

/// The fields as `SharePoint` takes them: a list of values comes with its type.
fn written(fields: &Map<String, Value>) -> Result<Map<String, Value>, ToolError> {
    if fields.is_empty() {
        return Err(ToolError::argument("fields", "name at least one column"));
    }
    let mut written = Map::new();
    for (name, value) in fields {
        let name = column(name)?;
        for text in value.as_array().into_iter().flatten().filter_map(Value::as_str) {
            line("fields", text, LINE)?;
        }
        let kind = match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => prose("fields", text, BODY).map(|_| None)?,
            Value::Array(list) if list.iter().all(Value::is_i64) && !list.is_empty() => Some("Collection(Edm.Int32)"),
            Value::Array(list) if list.iter().all(Value::is_string) => Some("Collection(Edm.String)"),
            Value::Array(_) | Value::Object(_) => {
                let problem =
                    format!("{name} takes a text, a number, true, false, null, or a list of texts or whole numbers");
                return Err(ToolError::argument("fields", problem));
            }
        };
        if let Some(kind) = kind {
            written.insert(format!("{name}@odata.type"), kind.into());
        }
        written.insert(name.to_owned(), value.clone());
    }
    Ok(written)
}
