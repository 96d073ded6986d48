//! Reading single mails, attachments, folders and the settings of the mailbox.

mod attachment;
pub(super) mod decoding;
mod folders;
mod settings;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, UNTRUSTED, clean};
use super::arguments::{bounded, identifier, several};
use super::call::Call;
use super::mail::Party;
use super::mailbox::Mailbox;
use super::outbox::IMMUTABLE;
use super::text::{self, Cut};
use super::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[GET_EMAIL, attachment::TOOL, folders::TOOL, settings::TOOL];

const GET_EMAIL: Tool = Tool {
    name: "getEmail",
    title: "Read emails",
    description: "Read up to 10 emails as text, without the history that replies quote.",
    kind: Kind::Read,
    preset: Preset::Mail,
    needs: &[Scope::MailRead],
    also: &[],
    on_use: &[Scope::MailReadShared],
    example: r#"{"ids":["AAkALgAA="],"maxChars":4000}"#,
    schema: schema::of::<GetEmail>,
    handler: handle::<GetEmail>,
};

const SELECT: &str =
    "id,conversationId,subject,from,toRecipients,ccRecipients,receivedDateTime,body,isDraft,hasAttachments";
/// Mails that one call reads.
const MOST: usize = 10;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GetEmail {
    #[schemars(length(min = 1, max = 10))]
    ids: Vec<String>,
    /// Of each body
    #[schemars(range(min = 100, max = 50000), extend("default" = 4000))]
    max_chars: Option<u32>,
    /// true: with the quoted history
    quoted: Option<bool>,
    /// Address of a mailbox shared with the user
    mailbox: Option<String>,
}

#[async_trait(?Send)]
impl Input for GetEmail {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let most = bounded("maxChars", self.max_chars, 4000, 50_000)?;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        let requests = several("ids", &self.ids, MOST)?.iter().map(|id| read(&mailbox, id));
        let requests: Vec<_> = requests.collect::<Result<_, _>>()?;
        mailbox.require(call, Scope::MailRead, Scope::MailReadShared)?;
        let outcomes = call.batch::<Message>(&requests).await?;
        let emails = self.ids.iter().zip(outcomes).map(|(id, outcome)| match outcome {
            Ok(message) => Part::Email(Email::of(message, most, self.quoted == Some(true))),
            Err(error) => Part::Failed { id: id.clone(), error: call.report(&error) },
        });
        Ok(Answer::of(&Emails { untrusted: UNTRUSTED, emails: emails.collect() }))
    }
}

fn read(mailbox: &Mailbox, id: &str) -> Result<GraphRequest, ToolError> {
    let path = mailbox.path(&[Segment::Word("messages"), Segment::Value(identifier("ids", id)?)]);
    Ok(GraphRequest::new(Method::Get, &path)?
        .query("$select", SELECT)
        .prefer(IMMUTABLE)
        .prefer("outlook.body-content-type=\"text\""))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    id: String,
    conversation_id: Option<String>,
    subject: Option<String>,
    from: Option<Party>,
    #[serde(default)]
    to_recipients: Vec<Party>,
    #[serde(default)]
    cc_recipients: Vec<Party>,
    received_date_time: Option<String>,
    body: Option<Body>,
    is_draft: Option<bool>,
    has_attachments: Option<bool>,
}

/// Graph's itemBody.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body {
    pub content_type: String,
    pub content: String,
}

#[derive(Serialize)]
struct Emails {
    untrusted: &'static str,
    emails: Vec<Part>,
}

/// Each mail has its own outcome.
#[derive(Serialize)]
#[serde(untagged)]
enum Part {
    Email(Email),
    Failed { id: String, error: serde_json::Value },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the answer's own shape")]
struct Email {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_id: Option<String>,
    from: String,
    to: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cc: Vec<String>,
    subject: String,
    received: String,
    body: String,
    truncated: bool,
    /// An earlier message stood below and was left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    quoted_cut: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    draft: bool,
    attachments: bool,
}

impl Email {
    fn of(message: Message, most: usize, quoted: bool) -> Self {
        let body = message.body.map(|body| text::body(&body.content_type, &body.content, most, quoted));
        let Cut { text, truncated, above_history: quoted_cut } = body.unwrap_or_default();
        let shown = |parties: &[Party]| parties.iter().take(20).map(Party::shown).collect();
        Self {
            id: message.id,
            conversation_id: message.conversation_id,
            from: message.from.map(|party| party.shown()).unwrap_or_default(),
            to: shown(&message.to_recipients),
            cc: shown(&message.cc_recipients),
            subject: clean(message.subject.as_deref().unwrap_or_default(), 255),
            received: message.received_date_time.unwrap_or_default(),
            body: text,
            truncated,
            quoted_cut,
            draft: message.is_draft == Some(true),
            attachments: message.has_attachments == Some(true),
        }
    }
}
