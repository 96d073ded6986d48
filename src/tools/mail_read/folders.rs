//! The folders of a mailbox, one level a call: a tree of hundreds would cost more than it tells.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::{Answer, UNTRUSTED, clean};
use crate::tools::arguments::identifier;
use crate::tools::call::Call;
use crate::tools::mailbox::Mailbox;
use crate::tools::outbox::IMMUTABLE;
use crate::tools::page;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool. `Mail.ReadBasic` would do, but to ask for it beside `Mail.Read` is one more line of consent for nothing.
pub(super) const TOOL: Tool = Tool {
    name: "getMailFolders",
    title: "List mail folders",
    description: "Mail folders of one level with unread, total and subfolder counts.",
    kind: Kind::Read,
    preset: Preset::Mail,
    needs: &[Scope::MailRead],
    also: &[],
    on_use: &[Scope::MailReadShared],
    example: r#"{"parent":"inbox"}"#,
    schema: schema::of::<GetMailFolders>,
    handler: handle::<GetMailFolders>,
};

/// Folders that one call lists.
const COUNT: u32 = 100;
const SELECT: &str = "id,displayName,childFolderCount,unreadItemCount,totalItemCount";
const OWN: [&str; 2] = ["/me/mailFolders", "/me/mailFolders/{id}/childFolders"];
const SHARED: [&str; 2] = ["/users/{id}/mailFolders", "/users/{id}/mailFolders/{id}/childFolders"];

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetMailFolders {
    /// inbox or a folder id; without it, the top
    parent: Option<String>,
    /// Shared mailbox address
    mailbox: Option<String>,
    cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Folder {
    id: String,
    display_name: Option<String>,
    child_folder_count: Option<u32>,
    unread_item_count: Option<u32>,
    total_item_count: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Level {
    untrusted: &'static str,
    folders: Vec<Shown>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    unread: u32,
    total: u32,
    #[serde(skip_serializing_if = "is_zero")]
    subfolders: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's own signature")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl From<Folder> for Shown {
    fn from(folder: Folder) -> Self {
        Self {
            id: folder.id,
            name: clean(&folder.display_name.unwrap_or_default(), 255),
            unread: folder.unread_item_count.unwrap_or_default(),
            total: folder.total_item_count.unwrap_or_default(),
            subfolders: folder.child_folder_count.unwrap_or_default(),
        }
    }
}

#[async_trait(?Send)]
impl Input for GetMailFolders {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        let request = list(&mailbox, self.parent.as_deref())?;
        mailbox.require(call, Scope::MailRead, Scope::MailReadShared)?;
        // A cursor of another mailbox is of a path that these are not.
        let families = match mailbox {
            Mailbox::Own => OWN,
            Mailbox::Shared(_) => SHARED,
        };
        let start = page::begin(call, self.cursor.as_deref(), &request)?;
        let page = page::read::<Folder>(call, &families, start, COUNT).await?;
        Ok(Answer::of(&Level {
            untrusted: UNTRUSTED,
            folders: page.items.into_iter().map(Shown::from).collect(),
            truncated: page.next_cursor.is_some(),
            next_cursor: page.next_cursor,
        }))
    }
}

fn list(mailbox: &Mailbox, parent: Option<&str>) -> Result<GraphRequest, ToolError> {
    let mut rest = vec![Segment::Word("mailFolders")];
    if let Some(parent) = parent {
        rest.extend([Segment::Value(identifier("parent", parent)?), Segment::Word("childFolders")]);
    }
    Ok(GraphRequest::new(Method::Get, &mailbox.path(&rest))?
        .query("$select", SELECT)
        .query("$top", COUNT.to_string())
        .prefer(IMMUTABLE))
}
