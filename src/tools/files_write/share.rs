//! Who has access to a file: listing it, giving it by a link or an invitation, taking it away. What gives access reaches
//! other people, and passes the policy first.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::permission::{Permission, Permissions, Row, SELECT};
use crate::crypto::Digest;
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::address::Addresses;
use crate::tools::answer::{Answer, UNTRUSTED};
use crate::tools::arguments::{self, identifier, prose};
use crate::tools::call::Call;
use crate::tools::drive_item::DriveItem;
use crate::tools::ledger::Ledger;
use crate::tools::outbox;
use crate::tools::place::Place;
use crate::tools::policy::{self, Deed};
use crate::tools::reach::Reach;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema, when};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "shareFile",
    title: "Share a file",
    description: "List who has access to a file or folder, share it by link or invitation, or remove access.",
    kind: Kind::Outward,
    preset: Preset::Files,
    needs: &[Scope::FilesReadWrite],
    also: &[],
    on_use: &[Scope::FilesReadWriteAll],
    example: r#"{"path":"/Reports/2026","action":"invite","users":["adele@contoso.example"]}"#,
    schema: schema::of::<ShareFile>,
    handler: handle::<ShareFile>,
};

/// Characters of the message that goes with an invitation.
const MESSAGE: usize = 2000;
/// An existing link keeps its own end, and `OneDrive` for work gives what an invitation gives without one.
const LASTS: &str = "Microsoft did not take expires: access without it lasts until it is removed.";
/// Permissions that a list shows.
const LISTED: usize = 100;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Action {
    #[default]
    List,
    Link,
    Invite,
    Remove,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Access {
    #[default]
    View,
    Edit,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Audience {
    Users,
    #[default]
    Organization,
    Anonymous,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ShareFile {
    drive_id: Option<String>,
    item_id: Option<String>,
    path: Option<String>,
    #[schemars(extend("default" = "list"))]
    action: Option<Action>,
    #[schemars(extend("default" = "view"))]
    access: Option<Access>,
    #[schemars(extend("default" = "organization"))]
    scope: Option<Audience>,
    /// Addresses
    users: Option<Addresses>,
    message: Option<String>,
    /// ISO date-time with offset
    expires: Option<String>,
    permission_id: Option<String>,
    idempotency_key: Option<String>,
}

/// What is to be done, with exactly what it needs.
enum Change<'a> {
    List,
    Link { access: Access, audience: Audience, expires: Option<String> },
    Invite { users: Vec<String>, access: Access, message: Option<String>, expires: Option<String> },
    Remove { id: &'a str },
}

#[async_trait(?Send)]
impl Input for ShareFile {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let place = Place::parse(self.drive_id.as_deref(), self.item_id.as_deref(), self.path.as_deref())?;
        if place.is_root() {
            return Err(ToolError::argument("path", "a drive as a whole is not shared: name a file or folder"));
        }
        let change = self.change(call)?;
        let request = change.request(&place)?;
        place.require(call, Scope::FilesReadWrite, Scope::FilesReadWriteAll)?;
        let key = arguments::key(self.idempotency_key.as_deref())?;
        match &change {
            Change::List => list(call, &request).await,
            Change::Remove { .. } => {
                call.send(&request).await?;
                Ok(Answer::of(&json!({"status": "removed"})))
            }
            Change::Link { .. } => {
                let deed = change.deed(call, &place, &request).await?;
                policy::pass(call, &deed).await?;
                let made: Permission = call.json(&request).await.map_err(no_such_link)?;
                let row = Row::of(made);
                let lasts = self.expires.is_some() && row.lasts();
                Ok(Answer::noted(json!({"status": "linked", "access": row}), lasts.then_some(LASTS)))
            }
            Change::Invite { .. } => {
                let deed = change.deed(call, &place, &request).await?;
                let rows = invite(call, &call.key(key), &request, &deed).await?;
                let status = if rows.iter().any(Row::failed) { "partly" } else { "invited" };
                let lasts = self.expires.is_some() && rows.iter().any(Row::lasts);
                Ok(Answer::noted(json!({"status": status, "access": rows}), lasts.then_some(LASTS)))
            }
        }
    }
}

impl ShareFile {
    fn change(&self, call: &Call<'_>) -> Result<Change<'_>, ToolError> {
        let action = self.action.unwrap_or_default();
        self.only_what_goes_with(action)?;
        let access = self.access.unwrap_or_default();
        Ok(match action {
            Action::List => Change::List,
            Action::Link => {
                let audience = self.scope.unwrap_or_default();
                Change::Link { access, audience, expires: self.expiry(call)? }
            }
            Action::Invite => {
                let users = self.users.as_ref().map(|users| users.required("users")).transpose()?;
                let users = users.ok_or_else(|| ToolError::argument("users", "is needed with action=invite"))?;
                let message = self.message.as_deref().map(|text| prose("message", text, MESSAGE)).transpose()?;
                Change::Invite { users, access, message, expires: self.expiry(call)? }
            }
            Action::Remove => {
                let id = self.permission_id.as_deref();
                let id = id.ok_or_else(|| ToolError::argument("permissionId", "is needed with action=remove"))?;
                Change::Remove { id: identifier("permissionId", id)? }
            }
        })
    }

    /// An argument that means nothing with this action may be meant for another one.
    fn only_what_goes_with(&self, action: Action) -> Result<(), ToolError> {
        let gives = matches!(action, Action::Link | Action::Invite);
        let invites = action == Action::Invite;
        let all = [
            ("access", self.access.is_some(), gives),
            ("scope", self.scope.is_some(), action == Action::Link),
            ("users", self.users.is_some(), invites),
            ("message", self.message.is_some(), invites),
            ("expires", self.expires.is_some(), gives),
            ("permissionId", self.permission_id.is_some(), action == Action::Remove),
            ("idempotencyKey", self.idempotency_key.is_some(), invites),
        ];
        match all.into_iter().find(|(_, given, fits)| *given && !fits) {
            Some((name, ..)) => Err(ToolError::argument(name, format!("means nothing with action={}", json!(action)))),
            None => Ok(()),
        }
    }

    fn expiry(&self, call: &Call<'_>) -> Result<Option<String>, ToolError> {
        let Some(text) = &self.expires else { return Ok(None) };
        let at = when::instant("expires", text)?;
        if at <= when::at(call.now()) {
            return Err(ToolError::argument("expires", "is in the past"));
        }
        Ok(Some(when::utc(at)))
    }
}

impl Change<'_> {
    fn request(&self, place: &Place<'_>) -> Result<GraphRequest, ToolError> {
        let build =
            |method, rest: &[Segment<'_>]| GraphRequest::new(method, &[place.segments(&[]).as_slice(), rest].concat());
        let body = |members: Value, expires: &Option<String>| {
            let mut body = members.as_object().cloned().unwrap_or_else(Map::new);
            body.extend(expires.iter().map(|at| ("expirationDateTime".to_owned(), at.as_str().into())));
            Value::Object(body)
        };
        Ok(match self {
            Self::List => build(Method::Get, &[Segment::Word("permissions")])?
                .query("$select", SELECT)
                .query("$top", LISTED.to_string()),
            // Asked again, Graph gives the link that is there.
            Self::Link { access, audience, expires } => build(Method::Post, &[Segment::Word("createLink")])?
                .body(body(json!({"type": access, "scope": audience}), expires))
                .repeatable(),
            Self::Invite { users, access, message, expires } => {
                let recipients: Vec<_> = users.iter().map(|email| json!({"email": email})).collect();
                let role = if *access == Access::Edit { "write" } else { "read" };
                let mut members =
                    json!({"recipients": recipients, "roles": [role], "requireSignIn": true, "sendInvitation": true});
                if let (Some(message), Some(members)) = (message, members.as_object_mut()) {
                    members.insert("message".to_owned(), message.as_str().into());
                }
                build(Method::Post, &[Segment::Word("invite")])?.body(body(members, expires))
            }
            Self::Remove { id } => build(Method::Delete, &[Segment::Word("permissions"), Segment::Value(id)])?,
        })
    }

    /// What other people will see of it, under the name that the file has now.
    async fn deed(&self, call: &Call<'_>, place: &Place<'_>, request: &GraphRequest) -> Result<Deed<'_>, ToolError> {
        let look = GraphRequest::new(Method::Get, &place.segments(&[]))?.query("$select", "id,name");
        let item: Option<DriveItem> = if policy::matters(call) { Some(call.json(&look).await?) } else { None };
        let (access, message, reach) = match self {
            Self::List | Self::Remove { .. } => return Ok(Deed::unseen()),
            Self::Link { access, audience, .. } => (access, "", audience.reach()),
            Self::Invite { users, access, message, .. } => {
                (access, message.as_deref().unwrap_or_default(), Reach::people(&[("Invited", users)]))
            }
        };
        Ok(Deed {
            question: match access {
                Access::View => "Let these people see this file or folder?",
                Access::Edit => "Let these people see and change this file or folder?",
            },
            reach,
            text: ("text", message),
            attachments: item.iter().map(DriveItem::shown_name).collect(),
            content: json!([item.map(|item| item.id), request.path_and_query(), request.body]),
            ..Deed::unseen()
        })
    }
}

impl Audience {
    const fn reach<'a>(self) -> Reach<'a> {
        let (name, outside) = match self {
            Self::Users => ("people who have access already, by a link", false),
            Self::Organization => ("everybody of the organisation who has the link", false),
            Self::Anonymous => ("anybody who has the link", true),
        };
        Reach::Place { name, outside }
    }
}

async fn list(call: &Call<'_>, request: &GraphRequest) -> Outcome {
    let found: Permissions = call.json(request).await?;
    let truncated = found.next.is_some();
    let rows: Vec<_> = found.value.into_iter().map(Row::of).collect();
    Ok(Answer::of(&json!({"untrusted": UNTRUSTED, "access": rows, "truncated": truncated})))
}

/// Once for a key: every invitation is a mail. Of several, Graph may have sent some only (207).
async fn invite(call: &Call<'_>, key: &str, request: &GraphRequest, deed: &Deed<'_>) -> Result<Vec<Row>, ToolError> {
    let asked = json!([request.path_and_query(), request.body]);
    let arguments = Digest::of(asked.to_string().as_bytes());
    let response = outbox::once(&Ledger::of(call, key, &arguments), request, deed).await?;
    let given = response.and_then(|response| response.json::<Permissions>().ok()).map(|given| given.value);
    Ok(given.unwrap_or_default().into_iter().map(Row::of).collect())
}

/// A link of a kind that there is not, which is the caller's to change.
fn no_such_link(error: ToolError) -> ToolError {
    match error {
        ToolError::Graph { failure, .. } if failure.status == Some(400) => ToolError::argument(
            "scope",
            "Microsoft makes no such link here: a personal account has no organization, and some of them no expiry",
        ),
        other => other,
    }
}
