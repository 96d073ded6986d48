//! What is written of a task.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Clock, Task};
use crate::tools::send::Body;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Importance {
    Low,
    Normal,
    High,
}

impl Importance {
    /// The priority that Planner's own pages write.
    pub const fn priority(self) -> u8 {
        match self {
            Self::Low => 9,
            Self::Normal => 5,
            Self::High => 3,
        }
    }
}

/// What becomes of a field.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Change<T> {
    /// This stands in it.
    Set(T),
    /// Nothing does.
    Clear,
}

/// Graph's todoTask, as far as it is written here.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TodoFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_date_time: Option<Change<Clock>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_reminder_on: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reminder_date_time: Option<Clock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub importance: Option<Importance>,
}

/// Graph's plannerTask, as far as it is written here.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlannerFields {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_date_time: Option<Change<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent_complete: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub assignments: BTreeMap<String, Value>,
}

/// Who is added and who is taken off, so that these remain.
pub(super) fn reassigned(task: &Task, wanted: &[String]) -> BTreeMap<String, Value> {
    let now = || task.assignments.keys().filter(|id| !id.starts_with('@'));
    let gone = now().filter(|id| !wanted.contains(id)).map(|id| (id.clone(), Value::Null));
    let added = wanted.iter().filter(|id| !now().any(|other| other == *id)).map(|id| (id.clone(), assignment()));
    gone.chain(added).collect()
}

pub(super) fn assignment() -> Value {
    json!({"@odata.type": "#microsoft.graph.plannerAssignment", "orderHint": " !"})
}
