//! Creating, changing and completing tasks.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::assign::{Assigned, others};
use super::fields::{Change, Importance, PlannerFields, TodoFields, assignment, reassigned};
use super::times::{cleared, day, due, reminder, utc};
use super::{Source, Task, list_of, planner, todo, todo_lists};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::Answer;
use crate::tools::arguments::{self, LINE, identifier};
use crate::tools::call::Call;
use crate::tools::create::{self, Created};
use crate::tools::page;
use crate::tools::policy;
use crate::tools::send::{Body, ContentType};
use crate::tools::when;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "saveTask",
    title: "Save a task",
    description: "Create a task, or by id change or complete one; \"\" clears due, reminder or notes.",
    kind: Kind::Joint,
    preset: Preset::Tasks,
    needs: &[Scope::TasksReadWrite],
    also: &[Scope::MailboxSettingsRead, Scope::UserReadBasicAll],
    on_use: &[],
    example: r#"{"source":"planner","listId":"xqQg5FS2LkCp935s-FIFm2QAFkHM","title":"Order samples","due":"2026-03-02"}"#,
    schema: schema::of::<SaveTask>,
    handler: handle::<SaveTask>,
};

/// Characters of the notes.
const NOTES: usize = 30_000;
/// People that Planner assigns a task to.
const ASSIGNEES: usize = 11;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SaveTask {
    source: Option<Source>,
    /// List or plan
    list_id: Option<String>,
    id: Option<String>,
    title: Option<String>,
    notes: Option<String>,
    due: Option<String>,
    reminder: Option<String>,
    done: Option<bool>,
    importance: Option<Importance>,
    /// User ids
    assignees: Option<Vec<String>>,
    bucket_id: Option<String>,
    idempotency_key: Option<String>,
}

#[async_trait(?Send)]
impl Input for SaveTask {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let source = Source::of(call, self.source)?;
        let key = arguments::key(self.idempotency_key.as_deref())?;
        let id = self.id.as_deref().map(|id| identifier("id", id)).transpose()?;
        if id.is_none() && self.title.is_none() {
            return Err(ToolError::argument("title", "a new task needs one"));
        }
        match (source, id) {
            (Source::Todo, None) => self.create_todo(call, key).await,
            (Source::Todo, Some(id)) => self.change_todo(call, id).await,
            (Source::Planner, None) => self.create_planner(call, key).await,
            (Source::Planner, Some(id)) => self.change_planner(call, id).await,
        }
    }
}

impl SaveTask {
    async fn create_todo(&self, call: &Call<'_>, key: Option<String>) -> Outcome {
        let list = self.list_id.as_deref().map(|list| identifier("listId", list)).transpose()?;
        let fields = self.todo(call).await?;
        let list = match list {
            Some(list) => list.to_owned(),
            None => default_list(call).await?,
        };
        let request = todo(Method::Post, &[Segment::Value(&list), Segment::Word("tasks")])?;
        let created = create::once(call, key, &request.body(json!(fields))).await?;
        Ok(Answer::of(&Told { created, list_id: list }))
    }

    async fn change_todo(&self, call: &Call<'_>, id: &str) -> Outcome {
        let path = [Segment::Value(list_of(self.list_id.as_deref())?), Segment::Word("tasks"), Segment::Value(id)];
        let fields = json!(self.todo(call).await?);
        if fields == json!({}) {
            return Err(nothing());
        }
        // The same values once more change nothing.
        call.send(&todo(Method::Patch, &path)?.body(fields).repeatable()).await?;
        Ok(changed(id))
    }

    async fn todo(&self, call: &Call<'_>) -> Result<TodoFields, ToolError> {
        if self.assignees.is_some() {
            return Err(ToolError::argument("assignees", "only with source=planner"));
        }
        if self.bucket_id.is_some() {
            return Err(ToolError::argument("bucketId", "only with source=planner"));
        }
        let title = arguments::optional("title", self.title.as_deref(), LINE)?;
        let content = self.notes()?;
        let day = cleared(self.due.as_deref(), |text| when::moment("due", text).map(day))?;
        let remind = cleared(self.reminder.as_deref(), |text| when::moment("reminder", text))?;
        let due_date_time = match day {
            Some(Change::Set(day)) => Some(Change::Set(due(call, day).await?)),
            Some(Change::Clear) => Some(Change::Clear),
            None => None,
        };
        let reminder_date_time = match remind {
            Some(Change::Set(moment)) => Some(reminder(call, moment).await?),
            Some(Change::Clear) | None => None,
        };
        Ok(TodoFields {
            title,
            body: content.map(|content| Body { content_type: ContentType::Text, content }),
            due_date_time,
            is_reminder_on: self.reminder.as_ref().map(|_| reminder_date_time.is_some()),
            reminder_date_time,
            status: self.done.map(|done| if done { "completed" } else { "notStarted" }),
            importance: self.importance,
        })
    }

    async fn create_planner(&self, call: &Call<'_>, key: Option<String>) -> Outcome {
        let plan = self.list_id.as_deref().ok_or_else(|| ToolError::argument("listId", "a new task needs its plan"))?;
        let plan = identifier("listId", plan)?.to_owned();
        let notes = self.notes()?.filter(|notes| !notes.is_empty());
        let wanted = self.assigned()?.unwrap_or_default();
        let fields = PlannerFields {
            plan_id: Some(plan),
            assignments: wanted.iter().map(|id| (id.clone(), assignment())).collect(),
            ..self.planner()?
        };
        let request = GraphRequest::new(Method::Post, &[Segment::Word("planner"), Segment::Word("tasks")])?;
        let request = request.body(json!(fields));
        let assigned = Assigned::of(call, &others(call, &wanted, None), json!([request.body, notes])).await?;
        let assigned = assigned.about(fields.title.as_deref(), notes.as_deref());
        let mut created = create::passing(call, key, &request, &assigned.deed()).await?;
        if let (Some(notes), Some(id)) = (notes, created.id.clone()) {
            // The task is there; to report a failure would have it made twice.
            created.note = self.describe(call, &id, &notes).await.err().map(|_| NO_NOTES).or(created.note);
        }
        Ok(Answer::of(&created))
    }

    async fn change_planner(&self, call: &Call<'_>, id: &str) -> Outcome {
        if self.list_id.is_some() {
            return Err(ToolError::argument("listId", "a task cannot move to another plan: leave it out"));
        }
        let (notes, wanted) = (self.notes()?, self.assigned()?);
        let fields = json!(self.planner()?);
        if fields == json!({}) && notes.is_none() && wanted.is_none() {
            return Err(nothing());
        }
        let path = planner::task(id);
        if fields != json!({}) || wanted.is_some() {
            let new = self.pass_assignees(call, &path, wanted.as_deref().unwrap_or_default()).await?;
            let build = |task: &Task| {
                let mut body = fields.clone();
                if let (Some(wanted), Value::Object(body)) = (&wanted, &mut body) {
                    if others(call, wanted, Some(task)).iter().any(|id| !new.contains(id)) {
                        return Err(ToolError::argument("assignees", "the task was changed meanwhile: call again"));
                    }
                    body.insert("assignments".to_owned(), json!(reassigned(task, wanted)));
                }
                // The same values once more change nothing.
                Ok(GraphRequest::new(Method::Patch, &path)?.body(body).repeatable())
            };
            planner::guarded(call, &path, &build).await?;
        }
        if let Some(notes) = notes {
            self.describe(call, id, &notes).await?;
        }
        Ok(changed(id))
    }

    /// Whom the change would assign anew, once that has passed the policy.
    async fn pass_assignees(
        &self,
        call: &Call<'_>,
        path: &[Segment<'_>],
        wanted: &[String],
    ) -> Result<Vec<String>, ToolError> {
        let anybody = others(call, wanted, None);
        if anybody.is_empty() || !policy::matters(call) {
            return Ok(anybody);
        }
        let request = GraphRequest::new(Method::Get, path)?;
        let asked = json!([request.path_and_query(), self.title, self.notes, self.due]);
        let task: Task = call.json(&request).await?;
        let new = others(call, wanted, Some(&task));
        let assigned = Assigned::of(call, &new, asked).await?;
        let assigned = assigned.about(self.title.as_deref().or(task.title.as_deref()), self.notes.as_deref());
        policy::pass(call, &assigned.deed()).await?;
        Ok(new)
    }

    fn planner(&self) -> Result<PlannerFields, ToolError> {
        if self.reminder.is_some() {
            return Err(ToolError::argument("reminder", "Planner has none: only with source=todo"));
        }
        let bucket = self.bucket_id.as_deref().map(|id| identifier("bucketId", id).map(str::to_owned)).transpose()?;
        Ok(PlannerFields {
            bucket_id: bucket,
            title: arguments::optional("title", self.title.as_deref(), LINE)?,
            due_date_time: cleared(self.due.as_deref(), |text| utc(when::moment("due", text)?))?,
            percent_complete: self.done.map(|done| if done { 100 } else { 0 }),
            priority: self.importance.map(Importance::priority),
            ..PlannerFields::default()
        })
    }

    /// The users to assign; names are never guessed.
    fn assigned(&self) -> Result<Option<Vec<String>>, ToolError> {
        let Some(ids) = &self.assignees else { return Ok(None) };
        if ids.len() > ASSIGNEES {
            return Err(ToolError::argument("assignees", format!("{} given, Planner takes {ASSIGNEES}", ids.len())));
        }
        let wrong = || ToolError::argument("assignees", "takes user ids, as getUser gives them, never names");
        let parse = |id: &String| Uuid::parse_str(id.trim()).map(|id| id.to_string()).map_err(|_| wrong());
        ids.iter().map(parse).collect::<Result<_, _>>().map(Some)
    }

    fn notes(&self) -> Result<Option<String>, ToolError> {
        Ok(match cleared(self.notes.as_deref(), |text| arguments::prose("notes", text, NOTES))? {
            Some(Change::Set(notes)) => Some(notes),
            Some(Change::Clear) => Some(String::new()),
            None => None,
        })
    }

    /// Writes the notes of a Planner task, which are a resource of their own.
    async fn describe(&self, call: &Call<'_>, id: &str, notes: &str) -> Result<Task, ToolError> {
        let path = [planner::task(id).as_slice(), &[Segment::Word("details")]].concat();
        let build =
            |_: &Task| Ok(GraphRequest::new(Method::Patch, &path)?.body(json!({ "description": notes })).repeatable());
        planner::guarded(call, &path, &build).await
    }
}

const NO_NOTES: &str = "The notes could not be written: call again with this id and the notes.";

/// The list of To Do that a task without a list goes to.
async fn default_list(call: &Call<'_>) -> Result<String, ToolError> {
    let start = page::Position::start(&todo_lists()?);
    let keep = |list: &Listed| list.wellknown_list_name.as_deref() == Some("defaultList");
    let wanted = page::Wanted { families: &["/me/todo/lists"], count: 1, keep: &keep };
    let found = page::pick(call, start, wanted).await?.items.pop();
    found.map(|list| list.id).ok_or_else(|| ToolError::argument("listId", "there is no default list: name one"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    id: String,
    wellknown_list_name: Option<String>,
}

/// A new task of To Do, and where it is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[serde(flatten)]
    created: Created,
    list_id: String,
}

fn changed(id: &str) -> Answer {
    Answer::of(&json!({"status": "changed", "id": id}))
}

fn nothing() -> ToolError {
    ToolError::argument("arguments", "name at least one thing to change")
}
