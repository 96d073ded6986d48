//! Sending a new mail. At most once is the business of `outbox`; here is what the mail says and to whom it goes.

use std::borrow::Cow;
use std::cell::Cell;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::address::{self, Addresses, Recipient, one_or_many};
use super::answer::Answer;
use super::arguments::{self, BODY, LINE};
use super::attach::{Attachment, Attachments};
use super::call::Call;
use super::ledger::Ledger;
use super::mailbox::Mailbox;
use super::outbox::{self, Delivery, Mail, Outgoing, Source};
use super::policy::{self, Deed};
use super::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};
use crate::crypto::Digest;
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "sendEmail",
    title: "Send an email",
    description: "Send a new email. mode=draft saves it for review instead. Repeating with the same idempotencyKey never sends twice.",
    kind: Kind::Outward,
    preset: Preset::Core,
    needs: &[Scope::MailSend, Scope::MailReadWrite],
    also: &[Scope::MailReadWrite],
    on_use: &[Scope::MailReadWriteShared, Scope::MailSendShared],
    example: r#"{"to":"adele@contoso.example","subject":"Hello","body":"Good morning.","contentType":"text"}"#,
    schema: schema::of::<SendEmail>,
    handler: handle::<SendEmail>,
};

// No doc comment: it would stand in every schema that has the field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ContentType {
    Text,
    #[default]
    Html,
}

impl ContentType {
    /// As Graph writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Html => "html",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    #[default]
    Send,
    Draft,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SendEmail {
    /// Address(es)
    #[schemars(schema_with = "one_or_many")]
    to: Addresses,
    cc: Option<Addresses>,
    bcc: Option<Addresses>,
    subject: String,
    body: String,
    #[schemars(extend("default" = "html"))]
    content_type: Option<ContentType>,
    attachments: Option<Vec<Attachment>>,
    #[schemars(extend("default" = "send"))]
    mode: Option<Mode>,
    /// Shared mailbox address
    mailbox: Option<String>,
    idempotency_key: Option<String>,
}

/// Graph's message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Draft {
    subject: String,
    body: Body,
    /// A shared mailbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Recipient>,
    to_recipients: Vec<Recipient>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cc_recipients: Vec<Recipient>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bcc_recipients: Vec<Recipient>,
}

/// Graph's itemBody.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body {
    pub content_type: ContentType,
    pub content: String,
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sent<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[schemars(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    recipients: Option<usize>,
    idempotency_key: &'a str,
    #[schemars(skip)]
    note: Cow<'static, str>,
}

#[async_trait(?Send)]
impl Input for SendEmail {
    fn output() -> Option<Value> {
        Some(schema::output::<Sent<'_>>())
    }

    async fn run(self, call: &Call<'_>) -> Outcome {
        let send = self.mode.unwrap_or_default() == Mode::Send;
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        let draft = self.draft(&mailbox)?;
        let attachments = Attachments::checked(self.attachments.as_deref())?;
        let given = arguments::key(self.idempotency_key.as_deref())?;
        let drafted = drafts(call, &mailbox, send)?;
        attachments.require(call)?;
        let recipients = draft.to_recipients.len() + draft.cc_recipients.len() + draft.bcc_recipients.len();
        let message = complete(call, &draft, attachments, send).await?;
        let key = call.key(given);
        let arguments = Digest::of(json!([send, &message]).to_string().as_bytes());
        let delivery = if drafted {
            let (ledger, mailbox, source) = (Ledger::of(call, &key, &arguments), &mailbox, Source::New(message));
            let passed = Cell::default();
            let outgoing = Outgoing { call, ledger, key: Some(&key), mailbox, source, send, agreed: None, passed };
            outgoing.deliver().await?
        } else {
            send_blind(call, &key, &arguments, &message).await?
        };
        Ok(Answer::structured(&told(delivery, Some(recipients), &key)))
    }
}

impl SendEmail {
    fn draft(&self, mailbox: &Mailbox) -> Result<Draft, ToolError> {
        let content = arguments::prose("body", &self.body, BODY)?;
        Ok(Draft {
            from: match mailbox {
                Mailbox::Own => None,
                Mailbox::Shared(address) => Recipient::all(std::slice::from_ref(address)).pop(),
            },
            to_recipients: Recipient::all(&self.to.required("to")?),
            cc_recipients: Recipient::all(&address::optional("cc", self.cc.as_ref())?),
            bcc_recipients: Recipient::all(&address::optional("bcc", self.bcc.as_ref())?),
            subject: arguments::line("subject", &self.subject, LINE)?,
            body: Body { content_type: self.content_type.unwrap_or_default(), content },
        })
    }
}

/// Whether a draft can be made and looked at; refuses the call when the token is not good for it. Nothing leaves a
/// shared mailbox blindly.
fn drafts(call: &Call<'_>, mailbox: &Mailbox, send: bool) -> Result<bool, ToolError> {
    let own = *mailbox == Mailbox::Own;
    if !(send && own) {
        mailbox.require(call, Scope::MailReadWrite, Scope::MailReadWriteShared)?;
    }
    if send {
        mailbox.require(call, Scope::MailSend, Scope::MailSendShared)?;
    }
    Ok(!own || call.allows(Scope::MailReadWrite))
}

/// The message with all that goes along. Nothing is fetched for one that may not go out.
async fn complete(
    call: &Call<'_>,
    draft: &Draft,
    attachments: Attachments<'_>,
    send: bool,
) -> Result<Value, ToolError> {
    let mut message = serde_json::to_value(draft).map_err(|_| ToolError::argument("body", "cannot be sent"))?;
    if send && attachments.are_elsewhere() {
        policy::foresee(call, &Mail::read(call, &message)?.deed(None).reach)?;
    }
    let files = attachments.read(call).await?;
    if let (Value::Object(fields), false) = (&mut message, files.is_empty()) {
        fields.insert("attachments".to_owned(), Value::Array(files));
    }
    Ok(message)
}

/// With nothing but Mail.Send there is no draft to look at: it goes out once, and doubt stays doubt.
async fn send_blind(call: &Call<'_>, key: &str, arguments: &Digest, message: &Value) -> Result<Delivery, ToolError> {
    let request = GraphRequest::new(Method::Post, &[Segment::Word("me"), Segment::Word("sendMail")])?
        .body(json!({"message": message, "saveToSentItems": true}));
    let mail = Mail::read(call, message)?;
    let deed = Deed { is_draft: false, ..mail.deed(None) };
    let answer = outbox::once(&Ledger::of(call, key, arguments), &request, &deed).await?;
    Ok(if answer.is_some() { Delivery::Sent } else { Delivery::SentBefore })
}

pub(super) fn told(delivery: Delivery, recipients: Option<usize>, idempotency_key: &str) -> Sent<'_> {
    let accepted = "Accepted by Exchange; if it cannot be delivered, a mail will say so.";
    let (status, id, note) = match delivery {
        Delivery::Draft(id) => ("draft", Some(id), "Saved in Drafts; nothing was sent.".into()),
        Delivery::Held(id, why) => {
            ("draft", Some(id), format!("Saved in Drafts, not sent: {why}\n{}", why.hint()).into())
        }
        Delivery::Sent => ("sent", None, accepted.into()),
        Delivery::SentBefore => {
            ("sent", None, "An earlier call with this idempotencyKey sent it; nothing was sent now.".into())
        }
    };
    Sent { status, id, recipients, idempotency_key, note }
}
