//! Assigning a task to others: Planner tells them, so it passes the policy as all does that reaches people. Assigning
//! oneself, and what else is written of a task, does not.

use serde::Deserialize;
use serde_json::Value;

use super::Task;
use crate::graph::request::{Method, Segment};
use crate::graph::{Failure, GraphRequest};
use crate::identity::Scope;
use crate::tools::ToolError;
use crate::tools::call::Call;
use crate::tools::policy::{self, Deed};
use crate::tools::reach::Reach;

/// Who else is assigned by a call, and what they are told of.
#[derive(Default)]
pub(super) struct Assigned {
    people: Vec<(&'static str, String)>,
    title: String,
    notes: String,
    content: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    mail: Option<String>,
    user_principal_name: Option<String>,
}

/// Those of `wanted` who are neither the caller nor on the task.
pub(super) fn others(call: &Call<'_>, wanted: &[String], task: Option<&Task>) -> Vec<String> {
    let own = call.context.caller.user.oid.to_string();
    let there = |id: &String| task.is_some_and(|task| task.assignments.contains_key(id));
    wanted.iter().filter(|id| **id != own && !there(id)).cloned().collect()
}

impl Assigned {
    /// Who these are, where that matters to anybody.
    pub async fn of(call: &Call<'_>, ids: &[String], content: Value) -> Result<Self, ToolError> {
        if ids.is_empty() || !policy::matters(call) {
            return Ok(Self::default());
        }
        Ok(Self { people: people(call, ids).await?, content, ..Self::default() })
    }

    /// With what the task says.
    pub fn about(self, title: Option<&str>, notes: Option<&str>) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Self { title: text(title), notes: text(notes), ..self }
    }

    pub fn deed(&self) -> Deed<'_> {
        Deed {
            question: "Assign this task to these people?",
            reach: Reach::People(self.people.clone()),
            subject: &self.title,
            text: ("text", &self.notes),
            content: self.content.clone(),
            ..Deed::unseen()
        }
    }
}

/// Their addresses. Somebody of whom none is known is shown by the id, and counts as outside.
async fn people(call: &Call<'_>, ids: &[String]) -> Result<Vec<(&'static str, String)>, ToolError> {
    let mut people = Vec::new();
    if !call.allows(Scope::UserReadBasicAll) {
        people.extend(ids.iter().map(|id| ("Assigned", id.clone())));
        return Ok(people);
    }
    let look = |id: &String| {
        let request = GraphRequest::new(Method::Get, &[Segment::Word("users"), Segment::Value(id)])?;
        Ok(request.query("$select", "mail,userPrincipalName"))
    };
    let requests = ids.iter().map(look).collect::<Result<Vec<_>, ToolError>>()?;
    for (id, user) in ids.iter().zip(call.batch::<User>(&requests).await?) {
        let address = match user {
            Ok(user) => user.address(),
            Err(ToolError::Graph { failure: Failure { status: Some(404), .. }, .. }) => {
                return Err(ToolError::argument("assignees", format!("nobody has the id {id}")));
            }
            Err(error) => return Err(error),
        };
        people.push(("Assigned", address.unwrap_or_else(|| id.clone())));
    }
    Ok(people)
}

impl User {
    /// A guest's sign-in name is at the organisation's domain, where the guest is not.
    fn address(self) -> Option<String> {
        self.mail.or_else(|| self.user_principal_name.filter(|name| !name.contains('#')))
    }
}
