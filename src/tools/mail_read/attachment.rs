//! Attachments of mails and events: what there is, and the text of one. Bytes stay here; what has no text that can be
//! read says so.

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::extract::{self, Text};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::{Answer, UNTRUSTED, clean};
use crate::tools::arguments::{bounded, identifier};
use crate::tools::call::Call;
use crate::tools::mailbox::Mailbox;
use crate::tools::outbox::IMMUTABLE;
use crate::tools::text::{Window, window};
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "getAttachment",
    title: "Read attachments",
    description: "List the attachments of an email or event, or read the text of one (text, PDF, Office).",
    kind: Kind::Read,
    preset: Preset::Mail,
    needs: &[Scope::MailRead, Scope::CalendarsRead],
    also: &[],
    on_use: &[Scope::MailReadShared, Scope::CalendarsReadShared],
    example: r#"{"messageId":"AAkALgAA="}"#,
    schema: schema::of::<GetAttachment>,
    handler: handle::<GetAttachment>,
};

/// Bytes of an attachment that is fetched; base64 makes a third more of it.
const LARGEST: u64 = 2_000_000;
/// Attachments that a list shows; a mail has more only by design.
const LISTED: usize = 100;
const SELECT: &str = "id,name,contentType,size,isInline";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GetAttachment {
    message_id: Option<String>,
    /// Instead of messageId
    event_id: Option<String>,
    /// Without it, the list
    attachment_id: Option<String>,
    offset: Option<u32>,
    #[schemars(range(min = 1, max = 50000), extend("default" = 8000))]
    max_chars: Option<u32>,
    /// Shared mailbox address
    mailbox: Option<String>,
}

/// Graph's attachment; its content is there only when the whole is asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attachment {
    #[serde(rename = "@odata.type")]
    kind: Option<String>,
    id: String,
    name: Option<String>,
    content_type: Option<String>,
    size: Option<u64>,
    is_inline: Option<bool>,
    content_bytes: Option<String>,
}

#[derive(Deserialize)]
struct Listing {
    value: Vec<Attachment>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Serialize)]
struct List {
    untrusted: &'static str,
    attachments: Vec<Entry>,
    truncated: bool,
}

#[derive(Serialize)]
struct Entry {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    size: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    inline: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    untrusted: &'static str,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    truncated: bool,
    /// What `offset` reads on.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_offset: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[async_trait(?Send)]
impl Input for GetAttachment {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let most = usize::try_from(bounded("maxChars", self.max_chars, 8000, 50_000)?).unwrap_or(usize::MAX);
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        let (owner, own, shared) = self.owner()?;
        let mut path = mailbox.path(&owner);
        path.push(Segment::Word("attachments"));
        let Some(id) = &self.attachment_id else {
            let request = GraphRequest::new(Method::Get, &path)?.query("$select", SELECT);
            mailbox.require(call, own, shared)?;
            return list(call, &request.query("$top", LISTED.to_string()).prefer(IMMUTABLE)).await;
        };
        path.push(Segment::Value(identifier("attachmentId", id)?));
        let whole = GraphRequest::new(Method::Get, &path)?.prefer(IMMUTABLE);
        mailbox.require(call, own, shared)?;
        let offset = self.offset.map_or(0, |offset| usize::try_from(offset).unwrap_or(usize::MAX));
        read(call, &whole, offset, most).await
    }
}

impl GetAttachment {
    /// The path of the mail or event below its mailbox, and the scopes that read it.
    fn owner(&self) -> Result<([Segment<'_>; 2], Scope, Scope), ToolError> {
        match (&self.message_id, &self.event_id) {
            (Some(id), None) => {
                let path = [Segment::Word("messages"), Segment::Value(identifier("messageId", id)?)];
                Ok((path, Scope::MailRead, Scope::MailReadShared))
            }
            (None, Some(id)) => {
                let path = [Segment::Word("events"), Segment::Value(identifier("eventId", id)?)];
                Ok((path, Scope::CalendarsRead, Scope::CalendarsReadShared))
            }
            (None, None) | (Some(_), Some(_)) => {
                Err(ToolError::argument("messageId", "give either messageId or eventId"))
            }
        }
    }
}

async fn list(call: &Call<'_>, request: &GraphRequest) -> Outcome {
    let listing: Listing = call.json(request).await?;
    let truncated = listing.next.is_some() || listing.value.len() > LISTED;
    let attachments = listing.value.into_iter().take(LISTED).map(|attachment| Entry {
        name: attachment.shown_name(),
        kind: attachment.shown_type(),
        size: attachment.size.unwrap_or_default(),
        inline: attachment.is_inline == Some(true),
        id: attachment.id,
    });
    Ok(Answer::of(&List { untrusted: UNTRUSTED, attachments: attachments.collect(), truncated }))
}

/// Looks at what it is first: what cannot be read is not fetched. The content has no `$select` of its own, because it
/// is not a property of Graph's base type.
async fn read(call: &Call<'_>, whole: &GraphRequest, offset: usize, most: usize) -> Outcome {
    let look: Attachment = call.json(&whole.clone().query("$select", SELECT)).await?;
    let (name, kind, size) = (look.shown_name(), look.shown_type(), look.size.unwrap_or_default());
    let told = |read: Result<Window, String>| {
        let (window, note) = read.map_or_else(|note| (None, Some(note)), |window| (Some(window), None));
        let (truncated, next_offset) = window.as_ref().map_or((false, None), |window| (window.truncated, window.next));
        let text = window.map(|window| window.text);
        Answer::of(&Read { untrusted: UNTRUSTED, name, kind, size, text, truncated, next_offset, note })
    };
    if let Err(note) = look.promises_text() {
        return Ok(told(Err(note)));
    }
    let full: Attachment = call.json(whole).await?;
    Ok(told(full.read(call).map(|text| window(&text, offset, most))))
}

impl Attachment {
    fn shown_name(&self) -> String {
        clean(self.name.as_deref().unwrap_or_default(), 255)
    }

    /// Without parameters such as a charset.
    fn shown_type(&self) -> String {
        clean(self.content_type.as_deref().unwrap_or_default().split(';').next().unwrap_or_default(), 100)
    }

    /// Why it is not to be fetched.
    fn promises_text(&self) -> Result<(), String> {
        match self.kind.as_deref() {
            Some("#microsoft.graph.itemAttachment") => {
                return Err("An attached email, event or contact cannot be read yet.".to_owned());
            }
            Some("#microsoft.graph.referenceAttachment") => {
                return Err("A link to a file in the cloud, not a file: nothing of it can be read here.".to_owned());
            }
            Some(_) | None => {}
        }
        extract::form(self.name.as_deref().unwrap_or_default(), self.content_type.as_deref())
            .map_err(|why| why.to_string())?;
        if self.size.unwrap_or_default() > LARGEST {
            return Err("It is larger than 2 MB: too large to be read.".to_owned());
        }
        Ok(())
    }

    /// The text of its content.
    fn read(&self, call: &Call<'_>) -> Result<Text, String> {
        let bytes = self.content_bytes.as_deref().and_then(|text| STANDARD.decode(text).ok());
        let bytes = bytes.ok_or("Microsoft gave no content for it.")?;
        let name = self.name.as_deref().unwrap_or_default();
        extract::text(&*call.context.ports.documents, &bytes, name, self.content_type.as_deref())
            .map_err(|why| why.to_string())
    }
}
