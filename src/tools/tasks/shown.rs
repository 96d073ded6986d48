//! A task as it is told: the same for To Do and Planner.

use serde::Serialize;

use super::{Clock, Due, Step, Task};
use crate::tools::answer::clean;
use crate::tools::arguments::LINE;
use crate::tools::text::{self, Cut};

/// Characters of the notes in a list.
const NOTES: usize = 200;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    list_id: Option<String>,
    title: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    done: bool,
    /// Of To Do, where it is neither open nor done; of Planner in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reminder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    importance: Option<&'static str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assignees: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Entry>,
}

impl Shown {
    pub fn of(task: Task, zone: Option<&str>) -> Self {
        let done = task.is_done();
        let notes = notes(&task, None, NOTES).text;
        Self {
            title: clean(task.title.as_deref().unwrap_or_default(), LINE),
            done,
            progress: progress(&task).filter(|_| !done),
            due: task.due_date_time.map(|due| match due {
                Due::Clock(clock) => local(&clock, zone),
                Due::Utc(at) => at,
            }),
            reminder: task.reminder_date_time.filter(|_| task.is_reminder_on).map(|clock| local(&clock, zone)),
            importance: importance(task.importance.as_deref(), task.priority),
            notes,
            id: task.id,
            list_id: task.plan_id,
            bucket_id: task.bucket_id,
            assignees: task.assignments.into_keys().filter(|key| !key.starts_with('@')).collect(),
            steps: Vec::new(),
        }
    }

    /// The same, of this list.
    pub fn on(self, list: &str) -> Self {
        Self { list_id: Some(list.to_owned()), ..self }
    }
}

fn progress(task: &Task) -> Option<String> {
    let percent = task.percent_complete.filter(|percent| *percent > 0).map(|percent| format!("{percent}%"));
    percent.or_else(|| task.status.as_deref().filter(|status| *status != "notStarted").map(|status| clean(status, 40)))
}

/// To Do's importance, or what comes nearest to Planner's priority; normal is not said.
fn importance(todo: Option<&str>, planner: Option<u8>) -> Option<&'static str> {
    match (todo, planner) {
        (Some("high"), _) | (_, Some(2..=4)) => Some("high"),
        (Some("low"), _) | (_, Some(8..=10)) => Some("low"),
        (_, Some(0 | 1)) => Some("urgent"),
        (_, _) => None,
    }
}

/// The local time, of a day at midnight the day alone; with its zone where that is not the answer's.
pub fn local(clock: &Clock, zone: Option<&str>) -> String {
    let time = clock.date_time.split('.').next().unwrap_or_default();
    let time = time.strip_suffix("T00:00:00").unwrap_or(time);
    if zone == Some(clock.time_zone.as_str()) { time.to_owned() } else { format!("{time} {}", clock.time_zone) }
}

/// The notes of To Do, or Planner's description.
pub(super) fn notes(task: &Task, description: Option<&str>, most: usize) -> Cut {
    match (&task.body, description) {
        (Some(body), _) => text::body(&body.content_type, &body.content, most, true),
        (None, Some(description)) => text::body("text", description, most, true),
        (None, None) => Cut::default(),
    }
}

#[derive(Serialize)]
pub(super) struct Entry {
    title: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    done: bool,
}

impl Entry {
    pub fn of(step: &Step) -> Self {
        Self { title: clean(step.title.as_deref().unwrap_or_default(), LINE), done: step.is_checked }
    }
}
