//! Making, renaming, moving and deleting mail folders. Deleting is a move to Deleted Items, mails and all, so that it can
//! be taken back.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::{Answer, clean};
use crate::tools::arguments::{LINE, identifier, line};
use crate::tools::call::Call;
use crate::tools::mailbox::Mailbox;
use crate::tools::outbox::IMMUTABLE;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "manageMailFolder",
    title: "Manage mail folders",
    description: "Create, rename, move or delete (to Deleted Items) a mail folder.",
    kind: Kind::Destructive,
    preset: Preset::Mail,
    needs: &[Scope::MailReadWrite],
    also: &[],
    on_use: &[Scope::MailReadWriteShared],
    example: r#"{"action":"create","name":"Suppliers","parent":"inbox"}"#,
    schema: schema::of::<ManageMailFolder>,
    handler: handle::<ManageMailFolder>,
};

/// Outlook's own folders by the names that stand for ids.
const WELL_KNOWN: [&str; 9] = [
    "inbox",
    "drafts",
    "sentitems",
    "deleteditems",
    "archive",
    "junkemail",
    "outbox",
    "msgfolderroot",
    "conversationhistory",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Action {
    Create,
    Rename,
    Move,
    Delete,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ManageMailFolder {
    action: Action,
    /// The folder, but to create
    id: Option<String>,
    /// To create, rename
    name: Option<String>,
    /// Folder id or inbox: to create, move
    parent: Option<String>,
    /// Shared mailbox address
    mailbox: Option<String>,
    /// Only say what it would do
    dry_run: Option<bool>,
}

/// What is asked for, with exactly what it needs.
enum Change<'a> {
    Create { name: String, parent: Option<&'a str> },
    Rename { id: &'a str, name: String },
    Move { id: &'a str, parent: &'a str },
    Delete { id: &'a str },
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Folder {
    id: String,
    display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_item_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    child_folder_count: Option<u32>,
}

/// What would be done.
#[derive(Serialize)]
struct Plan<'a> {
    action: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<Folder>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<&'a str>,
}

#[async_trait(?Send)]
impl Input for ManageMailFolder {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        let change = self.change()?;
        let request = change.request(&mailbox)?;
        mailbox.require(call, Scope::MailReadWrite, Scope::MailReadWriteShared)?;
        if self.dry_run == Some(true) {
            return self.plan(call, &mailbox, &change).await;
        }
        let folder = call.json::<Folder>(&request).await?;
        let name = folder.display_name.map(|name| clean(&name, LINE));
        Ok(Answer::of(&json!({"status": change.done(), "id": folder.id, "name": name})))
    }
}

impl ManageMailFolder {
    fn change(&self) -> Result<Change<'_>, ToolError> {
        let id = |wanted: bool| self.wanted("id", self.id.as_deref(), wanted);
        let name = |wanted: bool| self.wanted("name", self.name.as_deref(), wanted);
        let parent = |wanted: bool| self.wanted("parent", self.parent.as_deref(), wanted);
        let text = || line("name", name(true)?.unwrap_or_default(), LINE);
        let own = || changeable(id(true)?.unwrap_or_default());
        Ok(match self.action {
            Action::Create => {
                id(false)?;
                let parent = self.parent.as_deref().map(|parent| identifier("parent", parent)).transpose()?;
                Change::Create { name: text()?, parent }
            }
            Action::Rename => {
                parent(false)?;
                Change::Rename { id: own()?, name: text()? }
            }
            Action::Move => {
                name(false)?;
                let parent = identifier("parent", parent(true)?.unwrap_or_default())?;
                Change::Move { id: own()?, parent }
            }
            Action::Delete => {
                name(false)?;
                parent(false)?;
                Change::Delete { id: own()? }
            }
        })
    }

    /// An argument that this action needs, or one that it does not know what to do with.
    fn wanted<'a>(&self, name: &str, given: Option<&'a str>, wanted: bool) -> Result<Option<&'a str>, ToolError> {
        let action = json!(self.action);
        match (given, wanted) {
            (None, true) => Err(ToolError::argument(name, format!("is needed with action={action}"))),
            (Some(_), false) => Err(ToolError::argument(name, format!("means nothing with action={action}"))),
            (Some(_), true) | (None, false) => Ok(given),
        }
    }

    async fn plan(&self, call: &Call<'_>, mailbox: &Mailbox, change: &Change<'_>) -> Outcome {
        let folder = match change {
            Change::Create { .. } => None,
            Change::Rename { id, .. } | Change::Move { id, .. } | Change::Delete { id } => {
                let path = mailbox.path(&[Segment::Word("mailFolders"), Segment::Value(id)]);
                let select = "id,displayName,totalItemCount,childFolderCount";
                let request = GraphRequest::new(Method::Get, &path)?.query("$select", select).prefer(IMMUTABLE);
                let folder: Folder = call.json(&request).await?;
                Some(Folder { display_name: folder.display_name.map(|name| clean(&name, LINE)), ..folder })
            }
        };
        let (name, parent) = (self.name.as_deref(), self.parent.as_deref());
        Ok(Answer::planned(&Plan { action: self.action, folder, name, parent }))
    }
}

impl Change<'_> {
    fn request(&self, mailbox: &Mailbox) -> Result<GraphRequest, ToolError> {
        let folders = Segment::Word("mailFolders");
        let build = |method: Method, rest: &[Segment<'_>], body: Value| {
            GraphRequest::new(method, &mailbox.path(rest)).map(|request| request.prefer(IMMUTABLE).body(body))
        };
        let to = |id: &str, parent: &str| {
            let rest = [folders, Segment::Value(id), Segment::Word("move")];
            build(Method::Post, &rest, json!({ "destinationId": parent }))
        };
        Ok(match self {
            Self::Create { name, parent: None } => build(Method::Post, &[folders], json!({ "displayName": name })),
            Self::Create { name, parent: Some(parent) } => {
                let rest = [folders, Segment::Value(parent), Segment::Word("childFolders")];
                build(Method::Post, &rest, json!({ "displayName": name }))
            }
            Self::Rename { id, name } => {
                build(Method::Patch, &[folders, Segment::Value(id)], json!({ "displayName": name }))
                    .map(GraphRequest::repeatable)
            }
            Self::Move { id, parent } => to(id, parent),
            Self::Delete { id } => to(id, "deleteditems"),
        }?)
    }

    const fn done(&self) -> &'static str {
        match self {
            Self::Create { .. } => "created",
            Self::Rename { .. } => "renamed",
            Self::Move { .. } => "moved",
            Self::Delete { .. } => "deleted",
        }
    }
}

/// A folder that may be changed at all.
fn changeable(id: &str) -> Result<&str, ToolError> {
    if WELL_KNOWN.iter().any(|name| name.eq_ignore_ascii_case(id)) {
        return Err(ToolError::argument("id", "a folder of Outlook's own: take the id of one that somebody made"));
    }
    identifier("id", id)
}
