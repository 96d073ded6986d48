//! Writing notes: a new page, or more at the end of one. Nothing that is there is ever replaced.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{explained, markup, onenote};
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::Answer;
use crate::tools::arguments::{self, BODY, LINE, identifier};
use crate::tools::call::Call;
use crate::tools::create;
use crate::tools::send::ContentType;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "saveNote",
    title: "Save a note",
    description: "Create a OneNote page in a section, or append to a page.",
    kind: Kind::Write,
    preset: Preset::Notes,
    needs: &[Scope::NotesCreate],
    also: &[Scope::NotesReadWrite],
    on_use: &[],
    example: r#"{"sectionId":"1-4ff1","title":"Minutes","content":"Present: Adele, Megan"}"#,
    schema: schema::of::<SaveNote>,
    handler: handle::<SaveNote>,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SaveNote {
    section_id: Option<String>,
    /// To append
    page_id: Option<String>,
    title: Option<String>,
    content: String,
    #[schemars(extend("default" = "text"))]
    content_type: Option<ContentType>,
    idempotency_key: Option<String>,
}

#[async_trait(?Send)]
impl Input for SaveNote {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let key = arguments::key(self.idempotency_key.as_deref())?;
        let content = arguments::prose("content", &self.content, BODY)?;
        let content = match self.content_type.unwrap_or(ContentType::Text) {
            ContentType::Text => markup::from_text(&content),
            ContentType::Html => markup::from_html(&content),
        };
        let title = arguments::optional("title", self.title.as_deref(), LINE)?;
        let (request, status) = match (self.section_id.as_deref(), self.page_id.as_deref(), title) {
            (Some(section), None, Some(title)) => {
                let section = Segment::Value(identifier("sectionId", section)?);
                call.require(Scope::NotesCreate)?;
                let request = onenote(Method::Post, &[Segment::Word("sections"), section, Segment::Word("pages")])?;
                (request.content("text/html; charset=utf-8", markup::page(&title, &content).into_bytes()), "created")
            }
            (None, Some(page), None) => {
                let page = Segment::Value(identifier("pageId", page)?);
                call.require(Scope::NotesReadWrite)?;
                let request = onenote(Method::Patch, &[Segment::Word("pages"), page, Segment::Word("content")])?;
                let content = format!("<div>{content}</div>");
                let request = request.body(json!([{"target": "body", "action": "append", "content": content}]));
                (request, "appended")
            }
            (Some(_), None, None) => return Err(ToolError::argument("title", "a new page needs one")),
            (None, Some(_), Some(_)) => return Err(ToolError::argument("title", "a page keeps its own: leave it out")),
            (Some(_), Some(_), _) => return Err(ToolError::argument("pageId", "not together with sectionId")),
            (None, None, _) => {
                return Err(ToolError::argument("sectionId", "a new page needs its section; pageId appends to a page"));
            }
        };
        let done = create::once(call, key, &request).await.map_err(explained)?;
        Ok(Answer::of(&done.with(status)))
    }
}
