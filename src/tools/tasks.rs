//! To Do and Planner: what a task is in either. Reading is `read`, saving `save`, deleting `delete`.
//!
//! To Do refuses `$select`, so whole tasks come and are projected here. Planner ignores every query option, and writes
//! only with the etag of what is changed.

mod assign;
mod delete;
mod fields;
mod planner;
mod read;
mod save;
mod shown;
mod times;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(super) use shown::local;

use super::call::Call;
use super::item::Body;
use super::outbox::IMMUTABLE;
use super::{Tool, ToolError};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[read::TOOL, save::TOOL, delete::TOOL];

/// The tenant of every personal account.
const PERSONAL: Uuid = Uuid::from_u128(0x9188_040d_6c67_4c5b_b112_36a3_04b6_6dad);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Source {
    #[default]
    Todo,
    Planner,
}

impl Source {
    /// The source asked for; refuses Planner where nobody has it.
    fn of(call: &Call<'_>, asked: Option<Self>) -> Result<Self, ToolError> {
        let source = asked.unwrap_or_default();
        if source == Self::Planner && call.context.caller.user.tid == PERSONAL {
            return Err(ToolError::argument(
                "source",
                "Planner is for work and school accounts: leave it out for To Do",
            ));
        }
        Ok(source)
    }
}

/// A task of To Do or Planner, and the details of the latter, by whichever fields it has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Task {
    id: String,
    #[serde(rename = "@odata.etag")]
    etag: Option<String>,
    #[serde(alias = "displayName", alias = "name")]
    title: Option<String>,
    status: Option<String>,
    importance: Option<String>,
    body: Option<Body>,
    due_date_time: Option<Due>,
    is_reminder_on: bool,
    reminder_date_time: Option<Clock>,
    percent_complete: Option<u8>,
    priority: Option<u8>,
    plan_id: Option<String>,
    bucket_id: Option<String>,
    assignments: BTreeMap<String, Option<IgnoredAny>>,
    /// Of Planner's details.
    description: Option<String>,
    checklist: BTreeMap<String, Step>,
    /// The steps of To Do, which are a list of their own.
    value: Vec<Step>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<IgnoredAny>,
}

/// Graph's dateTimeTimeZone.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Clock {
    date_time: String,
    time_zone: String,
}

/// When a task is due: in To Do local to a zone, in Planner in UTC.
#[derive(Deserialize)]
#[serde(untagged)]
enum Due {
    Clock(Clock),
    Utc(String),
}

/// An entry of a checklist.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Step {
    #[serde(alias = "displayName")]
    title: Option<String>,
    #[serde(default)]
    is_checked: bool,
}

impl Task {
    fn is_done(&self) -> bool {
        self.status.as_deref() == Some("completed") || self.percent_complete == Some(100)
    }
}

/// A request below To Do's lists.
fn todo(method: Method, rest: &[Segment<'_>]) -> Result<GraphRequest, ToolError> {
    let path = [&[Segment::Word("me"), Segment::Word("todo"), Segment::Word("lists")], rest].concat();
    Ok(GraphRequest::new(method, &path)?.prefer(IMMUTABLE))
}

/// To Do's lists. Without `$top` Graph gives some of them and no link to the rest.
fn todo_lists() -> Result<GraphRequest, ToolError> {
    Ok(todo(Method::Get, &[])?.query("$top", "100"))
}

/// A list's id, which To Do needs to find a task.
fn list_of(list: Option<&str>) -> Result<&str, ToolError> {
    let list =
        list.ok_or_else(|| ToolError::argument("listId", "To Do finds a task by its list: getTasks names both"))?;
    super::arguments::identifier("listId", list)
}
