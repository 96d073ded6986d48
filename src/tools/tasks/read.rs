//! Reading tasks: lists and plans, the tasks of one, the open ones of all, or one in full.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::shown::{Entry, Shown, notes};
use super::{Source, Task, list_of, planner, todo, todo_lists};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::{Answer, UNTRUSTED, clean};
use crate::tools::arguments::{LINE, bounded, identifier};
use crate::tools::call::Call;
use crate::tools::page::{self, Page, Position, Wanted};
use crate::tools::zone::{self, Zone};
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "getTasks",
    title: "Read tasks",
    description: "Open tasks of To Do or Planner: all of the user, those of a list or plan, or one in full by id.",
    kind: Kind::Read,
    preset: Preset::Tasks,
    needs: &[Scope::TasksRead],
    also: &[Scope::MailboxSettingsRead],
    on_use: &[],
    example: r#"{"source":"planner","count":25}"#,
    schema: schema::of::<GetTasks>,
    handler: handle::<GetTasks>,
};

const FAMILIES: [&str; 6] = [
    "/me/todo/lists",
    "/me/todo/lists/{id}/tasks",
    "/me/planner/tasks",
    "/me/planner/plans",
    "/planner/plans/{id}/tasks",
    "/planner/plans/{id}/buckets",
];
/// Lists of To Do whose tasks one call gathers; what one batch takes.
const LISTS: u32 = 20;
/// Characters of the notes of one task.
const NOTES: usize = 10_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GetTasks {
    #[schemars(extend("default" = "todo"))]
    source: Option<Source>,
    /// List or plan
    list_id: Option<String>,
    id: Option<String>,
    /// Only lists, plans or a plan's buckets
    lists: Option<bool>,
    completed: Option<bool>,
    #[schemars(range(min = 1, max = 100))]
    count: Option<u32>,
    cursor: Option<String>,
}

#[async_trait(?Send)]
impl Input for GetTasks {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let source = Source::of(call, self.source)?;
        let count = bounded("count", self.count, 25, 100)?;
        let list = self.list_id.as_deref().map(|id| identifier("listId", id)).transpose()?;
        if let Some(id) = self.id.as_deref() {
            return self.one(call, source, identifier("id", id)?).await;
        }
        if self.lists == Some(true) {
            return self.lists(call, lists(source, list)?, count).await;
        }
        match (source, list) {
            (Source::Todo, None) if self.cursor.is_none() => self.everywhere(call, count).await,
            (Source::Todo, _) => {
                let zone = zone::choose(call, None).await?;
                // Without a list the cursor says which.
                let request = in_list(list.unwrap_or("tasks"), self.done(), &zone)?.query("$top", count.to_string());
                let start = page::begin(call, self.cursor.as_deref(), &request)?;
                Ok(told(page::read(call, &FAMILIES, start, count).await?, &zone))
            }
            (Source::Planner, plan) => {
                let request = GraphRequest::new(Method::Get, &in_plan(plan))?;
                let start = page::begin(call, self.cursor.as_deref(), &request)?;
                let keep = |task: &Task| task.is_done() == self.done();
                let page = page::pick(call, start, Wanted { families: &FAMILIES, count, keep: &keep }).await?;
                Ok(told(page, &Zone::Unknown))
            }
        }
    }
}

impl GetTasks {
    fn done(&self) -> bool {
        self.completed == Some(true)
    }

    /// One task in full: with its notes, and the steps of its checklist.
    async fn one(&self, call: &Call<'_>, source: Source, id: &str) -> Outcome {
        let (requests, zone) = match source {
            Source::Todo => {
                let list = list_of(self.list_id.as_deref())?;
                let path = [Segment::Value(list), Segment::Word("tasks"), Segment::Value(id)];
                let steps = [path.as_slice(), &[Segment::Word("checklistItems")]].concat();
                let zone = zone::choose(call, None).await?;
                ([todo(Method::Get, &path)?.times_in(zone.name()), todo(Method::Get, &steps)?], zone)
            }
            Source::Planner => {
                let details = [planner::task(id).as_slice(), &[Segment::Word("details")]].concat();
                let requests =
                    [GraphRequest::new(Method::Get, &planner::task(id))?, GraphRequest::new(Method::Get, &details)?];
                (requests, Zone::Unknown)
            }
        };
        let mut parts = call.batch::<Task>(&requests).await?.into_iter();
        let (Some(task), Some(more)) = (parts.next(), parts.next()) else { return Err(ToolError::Seal) };
        let (task, more) = (task?, more?);
        let name = zone.name();
        let notes = notes(&task, more.description.as_deref(), NOTES);
        let steps = more.value.iter().chain(more.checklist.values()).map(Entry::of).collect();
        let mut shown = Shown::of(task, name);
        (shown.notes, shown.steps) = (notes.text, steps);
        let truncated = notes.truncated || more.next.is_some();
        Ok(Answer::of(&Found { truncated, ..Found::of(vec![shown], name) }))
    }

    async fn lists(&self, call: &Call<'_>, request: GraphRequest, count: u32) -> Outcome {
        let start = page::begin(call, self.cursor.as_deref(), &request)?;
        let Page { items, next_cursor } = page::read::<Listed>(call, &FAMILIES, start, count).await?;
        let lists = items.into_iter().map(List::from).collect();
        Ok(Answer::of(&Places { untrusted: UNTRUSTED, lists, truncated: next_cursor.is_some(), next_cursor }))
    }

    /// The tasks of all lists of To Do, those that are due first in front.
    async fn everywhere(&self, call: &Call<'_>, count: u32) -> Outcome {
        let zone = zone::choose(call, None).await?;
        let start = Position::start(&lists(Source::Todo, None)?);
        let lists = page::read::<Listed>(call, &FAMILIES, start, LISTS).await?;
        let build = |list: &Listed| {
            in_list(&list.id, self.done(), &zone).map(|request| request.query("$top", count.to_string()))
        };
        let requests: Vec<_> = lists.items.iter().map(build).collect::<Result<_, _>>()?;
        if requests.is_empty() {
            return Ok(Answer::of(&Found::of(Vec::new(), None)));
        }
        let mut found = Found { truncated: lists.next_cursor.is_some(), ..Found::of(Vec::new(), zone.name()) };
        for (list, part) in lists.items.iter().zip(call.batch::<Tasks>(&requests).await?) {
            match part {
                Ok(tasks) => {
                    found.truncated |= tasks.next.is_some();
                    found.tasks.extend(tasks.value.into_iter().map(|task| Shown::of(task, found.zone).on(&list.id)));
                }
                Err(error) => found.failed.push(Failed { list_id: list.id.clone(), error: call.report(&error) }),
            }
        }
        found.tasks.sort_by(|one, other| (one.due.is_none(), &one.due).cmp(&(other.due.is_none(), &other.due)));
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        found.truncated |= found.tasks.len() > count;
        found.tasks.truncate(count);
        found.note = found.truncated.then_some("There are more: ask for one list by its listId.");
        Ok(Answer::of(&found))
    }
}

/// To Do's lists, Planner's plans, or the buckets of a plan.
fn lists(source: Source, list: Option<&str>) -> Result<GraphRequest, ToolError> {
    match (source, list) {
        (Source::Todo, None) => todo_lists(),
        (Source::Todo, Some(_)) => {
            Err(ToolError::argument("listId", "means nothing with lists=true, but to list a plan's buckets"))
        }
        (Source::Planner, None) => {
            let path = [Segment::Word("me"), Segment::Word("planner"), Segment::Word("plans")];
            Ok(GraphRequest::new(Method::Get, &path)?)
        }
        (Source::Planner, Some(plan)) => {
            let path =
                [Segment::Word("planner"), Segment::Word("plans"), Segment::Value(plan), Segment::Word("buckets")];
            Ok(GraphRequest::new(Method::Get, &path)?)
        }
    }
}

fn in_list(list: &str, done: bool, zone: &Zone) -> Result<GraphRequest, ToolError> {
    let request = todo(Method::Get, &[Segment::Value(list), Segment::Word("tasks")])?;
    let operator = if done { "eq" } else { "ne" };
    Ok(request.times_in(zone.name()).query("$filter", format!("status {operator} 'completed'")))
}

fn in_plan(plan: Option<&str>) -> Vec<Segment<'_>> {
    let (planner, tasks) = (Segment::Word("planner"), Segment::Word("tasks"));
    plan.map_or_else(
        || vec![Segment::Word("me"), planner, tasks],
        |plan| vec![planner, Segment::Word("plans"), Segment::Value(plan), tasks],
    )
}

fn told(page: Page<Task>, zone: &Zone) -> Answer {
    let zone = zone.name();
    let tasks = page.items.into_iter().map(|task| Shown::of(task, zone)).collect();
    let truncated = page.next_cursor.is_some();
    Answer::of(&Found { truncated, next_cursor: page.next_cursor, ..Found::of(tasks, zone) })
}

/// One list's part of a batch.
#[derive(Deserialize)]
struct Tasks {
    value: Vec<Task>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<serde::de::IgnoredAny>,
}

/// A list, a plan or a bucket.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    id: String,
    #[serde(alias = "title", alias = "name")]
    display_name: Option<String>,
    #[serde(default)]
    is_shared: bool,
    wellknown_list_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found<'a> {
    untrusted: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'a str>,
    tasks: Vec<Shown>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<Failed>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

impl<'a> Found<'a> {
    fn of(tasks: Vec<Shown>, zone: Option<&'a str>) -> Self {
        let failed = Vec::new();
        Self { untrusted: UNTRUSTED, zone, tasks, failed, truncated: false, next_cursor: None, note: None }
    }
}

/// A list that could not be read.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    list_id: String,
    error: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Places {
    untrusted: &'static str,
    lists: Vec<List>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct List {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    default: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    shared: bool,
}

impl From<Listed> for List {
    fn from(listed: Listed) -> Self {
        Self {
            id: listed.id,
            name: clean(listed.display_name.as_deref().unwrap_or_default(), LINE),
            default: listed.wellknown_list_name.as_deref() == Some("defaultList"),
            shared: listed.is_shared,
        }
    }
}
