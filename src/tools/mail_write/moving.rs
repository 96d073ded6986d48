//! Moving and copying mails. Deleting is a move to Deleted Items, from where they can be moved back.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::many;
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::arguments::identifier;
use crate::tools::call::Call;
use crate::tools::mailbox::Mailbox;
use crate::tools::outbox::IMMUTABLE;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "moveEmails",
    title: "Move or copy emails",
    description: "Move or copy up to 20 emails. folder=deleteditems deletes, recoverably.",
    kind: Kind::Write,
    preset: Preset::Mail,
    needs: &[Scope::MailReadWrite],
    also: &[],
    on_use: &[Scope::MailReadWriteShared],
    example: r#"{"ids":["AAkALgAA="],"folder":"archive"}"#,
    schema: schema::of::<MoveEmails>,
    handler: handle::<MoveEmails>,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MoveEmails {
    #[schemars(length(min = 1, max = 20))]
    ids: Vec<String>,
    /// inbox, archive, deleteditems, junkemail, or a folder id
    folder: String,
    /// true: leave the originals
    copy: Option<bool>,
    /// Shared mailbox address
    mailbox: Option<String>,
}

#[async_trait(?Send)]
impl Input for MoveEmails {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let copy = self.copy == Some(true);
        let folder = destination(&self.folder)?;
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        let ids = many::checked(&self.ids)?;
        let requests: Vec<_> = ids.iter().map(|id| relocate(&mailbox, id, folder, copy)).collect::<Result<_, _>>()?;
        mailbox.require(call, Scope::MailReadWrite, Scope::MailReadWriteShared)?;
        many::change(call, if copy { "copied" } else { "moved" }, ids, &requests).await
    }
}

fn relocate(mailbox: &Mailbox, id: &str, folder: &str, copy: bool) -> Result<GraphRequest, ToolError> {
    let action = Segment::Word(if copy { "copy" } else { "move" });
    let path = mailbox.path(&[Segment::Word("messages"), Segment::Value(id), action]);
    let request = GraphRequest::new(Method::Post, &path)?.prefer(IMMUTABLE).body(json!({ "destinationId": folder }));
    // An immutable id stays through a move, so the second one finds the mail where it should be. Copies add up.
    Ok(if copy { request } else { request.repeatable() })
}

/// Where to; the folders behind Deleted Items are no place for it, because nothing comes back from there.
fn destination(folder: &str) -> Result<&str, ToolError> {
    let folder = identifier("folder", folder)?;
    if folder.to_ascii_lowercase().starts_with("recoverableitems") {
        return Err(ToolError::argument("folder", "nobody could undo that: take deleteditems"));
    }
    Ok(folder)
}
