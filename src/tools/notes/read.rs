//! Reading notes: notebooks, the sections of one, the pages of a section or by title, and the text of a page.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{explained, onenote};
use crate::graph::request::{Method, Segment, filter_literal};
use crate::graph::{Failure, GraphRequest};
use crate::identity::Scope;
use crate::tools::answer::{Answer, UNTRUSTED, clean};
use crate::tools::arguments::{LINE, bounded, identifier, line};
use crate::tools::call::Call;
use crate::tools::page::{self, Page};
use crate::tools::text;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "getNotes",
    title: "Read notes",
    description: "OneNote: the notebooks, the sections of one, the pages of a section, or a page as text.",
    kind: Kind::Read,
    preset: Preset::Notes,
    needs: &[Scope::NotesRead],
    also: &[],
    on_use: &[],
    example: r#"{"search":"minutes","count":25}"#,
    schema: schema::of::<GetNotes>,
    handler: handle::<GetNotes>,
};

const FAMILIES: [&str; 3] = ["/me/onenote/notebooks", "/me/onenote/pages", "/me/onenote/sections/{id}/pages"];
const NOTEBOOK: &str = "id,displayName,isShared,lastModifiedDateTime";
const PAGE: &str = "id,title,lastModifiedDateTime";
/// The sections of a notebook and of its groups, and those of groups within groups however deep.
const SECTIONS: &str = "sections($select=id,displayName),sectionGroups($expand=sections($select=id,displayName))";
const ALL_SECTIONS: &str = "sections($select=id,displayName),sectionGroups($expand=sections($select=id,displayName),sectionGroups($levels=max;$expand=sections($select=id,displayName)))";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GetNotes {
    notebook_id: Option<String>,
    section_id: Option<String>,
    page_id: Option<String>,
    /// In page titles
    search: Option<String>,
    #[schemars(extend("default" = 8000))]
    max_chars: Option<u32>,
    #[schemars(range(min = 1, max = 100))]
    count: Option<u32>,
    cursor: Option<String>,
}

#[async_trait(?Send)]
impl Input for GetNotes {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let count = bounded("count", self.count, 25, 100)?;
        let most = bounded("maxChars", self.max_chars, 8000, 50_000)?;
        let id =
            |name, id: &Option<String>| id.as_deref().map(|id| identifier(name, id).map(str::to_owned)).transpose();
        let ids =
            (id("notebookId", &self.notebook_id)?, id("sectionId", &self.section_id)?, id("pageId", &self.page_id)?);
        let search = self.search.as_deref().map(|search| line("search", search, LINE)).transpose()?;
        let outcome = match (&ids, &search) {
            ((None, None, Some(id)), None) => content(call, id, most).await,
            ((Some(id), None, None), None) => sections(call, id).await,
            ((None, None, None), None) => self.list(call, notebooks()?, count).await,
            ((None, section, None), search) => {
                self.list(call, pages(section.as_deref(), search.as_deref())?, count).await
            }
            _ => Err(ToolError::argument(
                "arguments",
                "name one of notebookId, sectionId and pageId; search goes with sectionId alone",
            )),
        };
        outcome.map_err(explained)
    }
}

impl GetNotes {
    async fn list(&self, call: &Call<'_>, request: GraphRequest, count: u32) -> Outcome {
        let start = page::begin(call, self.cursor.as_deref(), &request.query("$top", count.to_string()))?;
        let Page { items, next_cursor } = page::read::<Item>(call, &FAMILIES, start, count).await?;
        let items = items.into_iter().map(Shown::from).collect();
        Ok(Answer::of(&Found { untrusted: UNTRUSTED, items, truncated: next_cursor.is_some(), next_cursor }))
    }
}

fn notebooks() -> Result<GraphRequest, ToolError> {
    Ok(onenote(Method::Get, &[Segment::Word("notebooks")])?.query("$select", NOTEBOOK))
}

fn pages(section: Option<&str>, search: Option<&str>) -> Result<GraphRequest, ToolError> {
    let pages = Segment::Word("pages");
    let request = match section {
        Some(id) => onenote(Method::Get, &[Segment::Word("sections"), Segment::Value(id), pages])?,
        None => onenote(Method::Get, &[pages])?.query("$expand", "parentSection($select=id,displayName)"),
    };
    let request = request.query("$select", PAGE).query("$orderby", "lastModifiedDateTime desc");
    Ok(match search {
        Some(text) => {
            request.query("$filter", format!("contains(tolower(title),{})", filter_literal(&text.to_lowercase())))
        }
        None => request,
    })
}

/// All sections of a notebook, those in groups too. Where `OneNote` does not take the question for groups within groups,
/// those of the first level, and that there may be more.
async fn sections(call: &Call<'_>, id: &str) -> Outcome {
    let request = onenote(Method::Get, &[Segment::Word("notebooks"), Segment::Value(id)])?;
    let request = request.query("$select", "id,displayName");
    let (notebook, partly): (Item, bool) = match call.json(&request.clone().query("$expand", ALL_SECTIONS)).await {
        Err(ToolError::Graph { failure: Failure { status: Some(400), .. }, .. }) => {
            (call.json(&request.query("$expand", SECTIONS)).await?, true)
        }
        outcome => (outcome?, false),
    };
    let truncated = partly && !notebook.section_groups.is_empty();
    let mut items = Vec::new();
    notebook.add_sections(None, &mut items);
    Ok(Answer::of(&Found { untrusted: UNTRUSTED, items, truncated, next_cursor: None }))
}

impl Item {
    /// Adds the sections of a notebook or of the group of this name, and those of the groups in it.
    fn add_sections(self, name: Option<&str>, all: &mut Vec<Shown>) {
        all.extend(
            self.sections.into_iter().map(|section| Shown { group: name.map(str::to_owned), ..Shown::from(section) }),
        );
        for group in self.section_groups {
            let own = clean(group.display_name.as_deref().unwrap_or_default(), LINE);
            let path = name.map_or_else(|| own.clone(), |name| format!("{name}/{own}"));
            group.add_sections(Some(&path), all);
        }
    }
}

async fn content(call: &Call<'_>, id: &str, most: u32) -> Outcome {
    let path = [Segment::Word("pages"), Segment::Value(id), Segment::Word("content")];
    let response = call.send(&onenote(Method::Get, &path)?.header("accept", "text/html")).await?;
    let html = String::from_utf8_lossy(&response.body);
    let cut = text::body("html", &html, usize::try_from(most).unwrap_or(usize::MAX), true);
    let title = text::body("html", title(&html), LINE, true).text;
    Ok(Answer::of(&Content { untrusted: UNTRUSTED, id, title, text: cut.text, truncated: cut.truncated }))
}

/// What stands between the tags of the title, which OneNote always writes alike.
fn title(html: &str) -> &str {
    let behind = html.split_once("<title>").map_or("", |(_, behind)| behind);
    behind.split_once("</title>").map_or("", |(title, _)| title)
}

/// A notebook, a section group, a section or a page, by whichever fields it has.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Item {
    id: String,
    #[serde(alias = "title")]
    display_name: Option<String>,
    is_shared: Option<bool>,
    last_modified_date_time: Option<String>,
    parent_section: Option<Box<Item>>,
    sections: Vec<Item>,
    section_groups: Vec<Item>,
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
struct Content<'a> {
    untrusted: &'static str,
    id: &'a str,
    title: String,
    text: String,
    truncated: bool,
}

#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    shared: bool,
    /// Of a section, where it is in one: the names of the groups that lead down to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// Of a page that was searched for.
    #[serde(skip_serializing_if = "Option::is_none")]
    section: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
}

impl From<Item> for Shown {
    fn from(item: Item) -> Self {
        let name = |name: Option<String>| clean(name.as_deref().unwrap_or_default(), LINE);
        Self {
            id: item.id,
            name: name(item.display_name),
            shared: item.is_shared == Some(true),
            group: None,
            section: item.parent_section.map(|section| name(section.display_name)),
            modified: item.last_modified_date_time,
        }
    }
}
