//! Deleting a task. Neither To Do nor Planner has a way back.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Source, Task, list_of, planner, todo};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::{Answer, UNTRUSTED, clean};
use crate::tools::arguments::{LINE, identifier};
use crate::tools::call::Call;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "deleteTask",
    title: "Delete a task",
    description: "Delete a task for good.",
    kind: Kind::Destructive,
    preset: Preset::Tasks,
    needs: &[Scope::TasksReadWrite],
    also: &[],
    on_use: &[],
    example: r#"{"listId":"AQMkADtodo=","id":"AAkALgAA=","dryRun":true}"#,
    schema: schema::of::<DeleteTask>,
    handler: handle::<DeleteTask>,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DeleteTask {
    source: Option<Source>,
    list_id: Option<String>,
    id: String,
    dry_run: Option<bool>,
}

#[async_trait(?Send)]
impl Input for DeleteTask {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let source = Source::of(call, self.source)?;
        let id = identifier("id", &self.id)?;
        let dry = self.dry_run == Some(true);
        let gone: Task = match source {
            Source::Todo => {
                let path =
                    [Segment::Value(list_of(self.list_id.as_deref())?), Segment::Word("tasks"), Segment::Value(id)];
                let task = call.json(&todo(Method::Get, &path)?).await?;
                if !dry {
                    call.send(&todo(Method::Delete, &path)?).await?;
                }
                task
            }
            Source::Planner if self.list_id.is_some() => {
                return Err(ToolError::argument("listId", "Planner finds a task by its id alone: leave it out"));
            }
            Source::Planner => {
                let path = planner::task(id);
                if dry {
                    call.json(&GraphRequest::new(Method::Get, &path)?).await?
                } else {
                    planner::guarded(call, &path, &|_| Ok(GraphRequest::new(Method::Delete, &path)?)).await?
                }
            }
        };
        let task = told(&gone, id);
        Ok(if dry {
            Answer::planned(&json!({"untrusted": UNTRUSTED, "delete": task}))
        } else {
            Answer::of(&json!({"status": "deleted", "untrusted": UNTRUSTED, "task": task}))
        })
    }
}

fn told(task: &Task, id: &str) -> Value {
    json!({"id": id, "title": clean(task.title.as_deref().unwrap_or_default(), LINE), "done": task.is_done()})
}
