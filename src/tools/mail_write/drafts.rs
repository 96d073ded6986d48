//! Drafts: changing one, sending one as it stands.

use std::cell::Cell;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::crypto::Digest;
use crate::graph::request::{Method, Segment};
use crate::graph::{Failure, GraphRequest};
use crate::identity::Scope;
use crate::tools::address::{Addresses, Recipient};
use crate::tools::answer::Answer;
use crate::tools::arguments::{self, BODY, LINE, identifier};
use crate::tools::attach::{Attachment, Attachments};
use crate::tools::call::Call;
use crate::tools::ledger::Ledger;
use crate::tools::mailbox::Mailbox;
use crate::tools::outbox::{self, Delivery, IMMUTABLE, Outgoing, Source};
use crate::tools::policy::{self, Deed};
use crate::tools::send::{Body, ContentType};
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// Changing a draft.
pub(super) const UPDATE: Tool = Tool {
    name: "updateDraft",
    title: "Change a draft",
    description: "Change a draft: what is given replaces what was there; [] empties a list; attachments are added.",
    kind: Kind::Write,
    preset: Preset::Mail,
    needs: &[Scope::MailReadWrite],
    also: &[],
    on_use: &[Scope::MailReadWriteShared],
    example: r#"{"id":"AAkALgAA=","subject":"Budget, second round"}"#,
    schema: schema::of::<UpdateDraft>,
    handler: handle::<UpdateDraft>,
};

/// Sending a draft.
pub(super) const SEND: Tool = Tool {
    name: "sendDraft",
    title: "Send a draft",
    description: "Send a saved draft as it stands. Repeating it never sends twice.",
    kind: Kind::Outward,
    preset: Preset::Mail,
    needs: &[Scope::MailSend],
    also: &[Scope::MailReadWrite],
    on_use: &[Scope::MailSendShared, Scope::MailReadWriteShared],
    example: r#"{"id":"AAkALgAA="}"#,
    schema: schema::of::<SendDraft>,
    handler: handle::<SendDraft>,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct UpdateDraft {
    id: String,
    to: Option<Addresses>,
    cc: Option<Addresses>,
    bcc: Option<Addresses>,
    subject: Option<String>,
    body: Option<String>,
    #[schemars(extend("default" = "html"))]
    content_type: Option<ContentType>,
    attachments: Option<Vec<Attachment>>,
    /// Ids
    remove_attachments: Option<Vec<String>>,
    /// Shared mailbox address
    mailbox: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SendDraft {
    id: String,
    /// As told, once the user agreed
    digest: Option<String>,
    /// Shared mailbox address
    mailbox: Option<String>,
}

/// Attachments that one call takes off.
const REMOVED: usize = 20;

/// What of Graph's message is replaced.
#[derive(Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Changes {
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_recipients: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cc_recipients: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bcc_recipients: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Look {
    is_draft: bool,
}

#[async_trait(?Send)]
impl Input for UpdateDraft {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        let path = mailbox.path(&[Segment::Word("messages"), Segment::Value(identifier("id", &self.id)?)]);
        let attachments = Attachments::checked(self.attachments.as_deref())?;
        let removed = self.removed()?;
        let changes = self.changes(attachments.is_empty() && removed.is_empty())?;
        mailbox.require(call, Scope::MailReadWrite, Scope::MailReadWriteShared)?;
        attachments.require(call)?;
        let look = GraphRequest::new(Method::Get, &path)?.query("$select", "id,isDraft").prefer(IMMUTABLE);
        if !call.json::<Look>(&look).await?.is_draft {
            return Err(ToolError::argument("id", "not a draft: a mail that was sent or received cannot be changed"));
        }
        let files = attachments.read(call).await?;
        let removed = remove(call, &path, &removed).await?;
        let more = changes != Changes::default();
        if more {
            let changes = serde_json::to_value(&changes).unwrap_or_default();
            let request = GraphRequest::new(Method::Patch, &path)?.prefer(IMMUTABLE).body(changes).repeatable();
            match call.send(&request).await {
                Err(error) if removed => return Ok(Answer::of(&partly(call, &self.id, &files, &error))),
                outcome => outcome?,
            };
        }
        let into = [path.as_slice(), &[Segment::Word("attachments")]].concat();
        let into = GraphRequest::new(Method::Post, &into)?.prefer(IMMUTABLE);
        if let Some(failed) = add(call, &into, files, more || removed).await? {
            return Ok(Answer::of(&Partly { id: &self.id, ..failed }));
        }
        Ok(Answer::of(&json!({"status": "updated", "id": self.id})))
    }
}

/// A draft to which some of what was asked for was done.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Partly<'a> {
    status: &'static str,
    id: &'a str,
    /// Whether the rest of the call was done.
    changed: bool,
    attached: Vec<Value>,
    not_attached: Vec<Value>,
    error: Value,
}

/// Adds files one by one, for Graph takes no more in a request; none is added again by itself. What became of them where
/// one failed and something had been done before.
async fn add(
    call: &Call<'_>,
    into: &GraphRequest,
    files: Vec<Value>,
    changed: bool,
) -> Result<Option<Partly<'static>>, ToolError> {
    let mut names: Vec<_> = files.iter().filter_map(|file| file.get("name").cloned()).collect();
    for (at, file) in files.into_iter().enumerate() {
        match call.send(&into.clone().body(file)).await {
            Err(error) if changed || at > 0 => {
                let not_attached = names.split_off(at.min(names.len()));
                let error = call.report(&error);
                return Ok(Some(Partly { status: "partly", id: "", changed, attached: names, not_attached, error }));
            }
            outcome => outcome?,
        };
    }
    Ok(None)
}

/// Takes these files off; whether there were any. The first that cannot be taken off ends the call.
async fn remove(call: &Call<'_>, path: &[Segment<'_>], ids: &[&str]) -> Result<bool, ToolError> {
    for id in ids {
        let path = [path, &[Segment::Word("attachments"), Segment::Value(id)]].concat();
        match call.send(&GraphRequest::new(Method::Delete, &path)?.prefer(IMMUTABLE)).await {
            Err(ToolError::Graph { failure: Failure { status: Some(404), .. }, .. }) => {
                let problem = format!("the draft has none with the id {id}: getAttachment lists them");
                return Err(ToolError::argument("removeAttachments", problem));
            }
            outcome => outcome?,
        };
    }
    Ok(!ids.is_empty())
}

/// Files were taken off, and then the draft could not be changed.
fn partly<'a>(call: &Call<'_>, id: &'a str, files: &[Value], error: &ToolError) -> Partly<'a> {
    let not_attached = files.iter().filter_map(|file| file.get("name").cloned()).collect();
    Partly { status: "partly", id, changed: true, attached: Vec::new(), not_attached, error: call.report(error) }
}

impl UpdateDraft {
    fn removed(&self) -> Result<Vec<&str>, ToolError> {
        let name = "removeAttachments";
        let Some(ids) = &self.remove_attachments else { return Ok(Vec::new()) };
        arguments::several(name, ids, REMOVED)?.iter().map(|id| identifier(name, id)).collect()
    }

    fn changes(&self, needed: bool) -> Result<Changes, ToolError> {
        let list = |name: &str, addresses: Option<&Addresses>| {
            addresses.map(|all| Ok::<_, ToolError>(json!(Recipient::all(&all.checked(name)?)))).transpose()
        };
        if self.content_type.is_some() && self.body.is_none() {
            return Err(ToolError::argument("contentType", "is that of body, which is not given"));
        }
        let body = self.body.as_deref().map(|text| arguments::prose("body", text, BODY)).transpose()?;
        let content_type = self.content_type.unwrap_or_default();
        let changes = Changes {
            subject: arguments::optional("subject", self.subject.as_deref(), LINE)?,
            body: body.map(|content| json!(Body { content_type, content })),
            to_recipients: list("to", self.to.as_ref())?,
            cc_recipients: list("cc", self.cc.as_ref())?,
            bcc_recipients: list("bcc", self.bcc.as_ref())?,
        };
        if needed && changes == Changes::default() {
            return Err(ToolError::argument(
                "subject",
                "give what to change: subject, body, to, cc, bcc, attachments or removeAttachments",
            ));
        }
        Ok(changes)
    }
}

#[async_trait(?Send)]
impl Input for SendDraft {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let id = identifier("id", &self.id)?;
        arguments::optional("digest", self.digest.as_deref(), LINE)?;
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        mailbox.require(call, Scope::MailSend, Scope::MailSendShared)?;
        // The draft's id is the key: one draft goes out once, whoever asks again.
        let digest = Digest::of(json!([self.mailbox, id]).to_string().as_bytes());
        let ledger = Ledger::of(call, &digest.to_string(), &digest);
        let looking = match mailbox {
            Mailbox::Own => Scope::MailReadWrite,
            Mailbox::Shared(_) => Scope::MailReadWriteShared,
        };
        if policy::matters(call) {
            // Nobody can agree to what cannot be read.
            call.require(looking)?;
        }
        let sent = if call.allows(looking) {
            let (source, agreed, passed) = (Source::Saved(id), self.digest.as_deref(), Cell::default());
            let outgoing = Outgoing { call, ledger, key: None, mailbox: &mailbox, source, send: true, agreed, passed };
            matches!(outgoing.deliver().await?, Delivery::Sent)
        } else {
            let path = mailbox.path(&[Segment::Word("messages"), Segment::Value(id), Segment::Word("send")]);
            let request = GraphRequest::new(Method::Post, &path)?.prefer(IMMUTABLE);
            outbox::once(&ledger, &request, &Deed::unseen()).await?.is_some()
        };
        let note = if sent {
            "Accepted by Exchange; if it cannot be delivered, a mail will say so."
        } else {
            "It had been sent before; nothing was sent now."
        };
        Ok(Answer::of(&json!({"status": "sent", "note": note})))
    }
}
