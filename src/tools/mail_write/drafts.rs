//! Drafts: changing one, sending one as it stands.

use std::cell::Cell;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::crypto::Digest;
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::address::{Addresses, Recipient};
use crate::tools::answer::Answer;
use crate::tools::arguments::{self, BODY, LINE, identifier};
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
    description: "Change a draft: what is given replaces what was there; [] empties a list.",
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

/// What of Graph's message is replaced.
#[derive(Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Changes {
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_recipients: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cc_recipients: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bcc_recipients: Option<serde_json::Value>,
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
        let changes = self.changes()?;
        mailbox.require(call, Scope::MailReadWrite, Scope::MailReadWriteShared)?;
        let look = GraphRequest::new(Method::Get, &path)?.query("$select", "id,isDraft").prefer(IMMUTABLE);
        if !call.json::<Look>(&look).await?.is_draft {
            return Err(ToolError::argument("id", "not a draft: a mail that was sent or received cannot be changed"));
        }
        let changes = serde_json::to_value(&changes).unwrap_or_default();
        let request = GraphRequest::new(Method::Patch, &path)?.prefer(IMMUTABLE).body(changes).repeatable();
        call.send(&request).await?;
        Ok(Answer::of(&json!({"status": "updated", "id": self.id})))
    }
}

impl UpdateDraft {
    fn changes(&self) -> Result<Changes, ToolError> {
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
        if changes == Changes::default() {
            return Err(ToolError::argument("subject", "give what to change: subject, body, to, cc or bcc"));
        }
        Ok(changes)
    }
}

#[async_trait(?Send)]
impl Input for SendDraft {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let id = identifier("id", &self.id)?;
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        mailbox.require(call, Scope::MailSend, Scope::MailSendShared)?;
        // The draft's id is the key: one draft goes out once, whoever asks again.
        let digest = Digest::of(json!([self.mailbox, id]).to_string().as_bytes());
        let ledger = Ledger::of(call, &digest.to_string());
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
            matches!(outgoing.deliver(&digest).await?, Delivery::Sent)
        } else {
            let path = mailbox.path(&[Segment::Word("messages"), Segment::Value(id), Segment::Word("send")]);
            let request = GraphRequest::new(Method::Post, &path)?.prefer(IMMUTABLE);
            outbox::once(&ledger, &digest, &request, &Deed::unseen()).await?.is_some()
        };
        let note = if sent {
            "Accepted by Exchange; if it cannot be delivered, a mail will say so."
        } else {
            "It had been sent before; nothing was sent now."
        };
        Ok(Answer::of(&json!({"status": "sent", "note": note})))
    }
}
