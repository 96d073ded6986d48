//! Messages of a chat or a channel, as text.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Listed;
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::clean;
use crate::tools::arguments::{bounded, identifier};
use crate::tools::call::Call;
use crate::tools::page;
use crate::tools::text;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, handle, schema, when};

/// The tool for chats.
pub(super) const CHAT: Tool = Tool {
    name: "getChatMessages",
    title: "Read a chat",
    description: "Messages of a chat as text, newest first.",
    kind: Kind::Read,
    preset: Preset::Teams,
    needs: &[Scope::ChatRead],
    also: &[],
    on_use: &[],
    example: r#"{"chatId":"19:abc@thread.v2","since":"2026-03-01T00:00:00+01:00"}"#,
    schema: schema::of::<GetChatMessages>,
    handler: handle::<GetChatMessages>,
};

/// The tool for channels.
pub(super) const CHANNEL: Tool = Tool {
    name: "getChannelMessages",
    title: "Read a channel",
    description: "Posts of a channel as text, or with messageId the replies to one.",
    kind: Kind::Read,
    preset: Preset::Teams,
    needs: &[Scope::ChannelMessageReadAll],
    also: &[],
    on_use: &[],
    example: r#"{"teamId":"fbe2bf47-16c8-47cf-b4a5-4b9b187c508b","channelId":"19:abc@thread.tacv2"}"#,
    schema: schema::of::<GetChannelMessages>,
    handler: handle::<GetChannelMessages>,
};

const CHATS: [&str; 2] = ["/me/chats/{id}/messages", "/chats/{id}/messages"];
const CHANNELS: [&str; 2] = ["/teams/{id}/channels/{id}/messages", "/teams/{id}/channels/{id}/messages/{id}/replies"];
/// Characters of one message.
const MOST: usize = 2000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GetChatMessages {
    chat_id: String,
    /// ISO date-time with offset
    since: Option<String>,
    #[schemars(range(min = 1, max = 50), extend("default" = 20))]
    count: Option<u32>,
    cursor: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GetChannelMessages {
    team_id: String,
    channel_id: String,
    /// Read its replies
    message_id: Option<String>,
    #[schemars(range(min = 1, max = 50), extend("default" = 20))]
    count: Option<u32>,
    cursor: Option<String>,
}

#[async_trait(?Send)]
impl Input for GetChatMessages {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let count = bounded("count", self.count, 20, 50)?;
        let chat = Segment::Value(identifier("chatId", &self.chat_id)?);
        let since = self.since.as_deref().map(|text| when::instant("since", text)).transpose()?;
        let mut request = GraphRequest::new(Method::Get, &[Segment::Word("chats"), chat, Segment::Word("messages")])?
            .query("$top", count.to_string());
        // Graph filters by the property it sorts by, and by no other.
        if let Some(since) = since {
            request = request
                .query("$orderby", "lastModifiedDateTime desc")
                .query("$filter", format!("lastModifiedDateTime gt {}", when::utc(since)));
        }
        list(call, (&CHATS, &request), (self.cursor.as_deref(), count)).await
    }
}

#[async_trait(?Send)]
impl Input for GetChannelMessages {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let count = bounded("count", self.count, 20, 50)?;
        let mut path = vec![
            Segment::Word("teams"),
            Segment::Value(identifier("teamId", &self.team_id)?),
            Segment::Word("channels"),
            Segment::Value(identifier("channelId", &self.channel_id)?),
            Segment::Word("messages"),
        ];
        if let Some(message) = self.message_id.as_deref() {
            path.extend([Segment::Value(identifier("messageId", message)?), Segment::Word("replies")]);
        }
        let request = GraphRequest::new(Method::Get, &path)?.query("$top", count.to_string());
        list(call, (&CHANNELS, &request), (self.cursor.as_deref(), count)).await
    }
}

/// Messages take no `$select`.
async fn list(
    call: &Call<'_>,
    (families, request): (&[&str], &GraphRequest),
    (cursor, count): (Option<&str>, u32),
) -> Outcome {
    let start = page::begin(call, cursor, request)?;
    let page = page::read::<Message>(call, families, start, count).await?;
    Ok(Listed::of(page, |message| message.shown(MOST)))
}

/// Graph's chatMessage, or its preview in a chat.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    id: String,
    #[serde(rename = "messageType")]
    kind: Option<String>,
    created_date_time: Option<String>,
    deleted_date_time: Option<String>,
    is_deleted: Option<bool>,
    subject: Option<String>,
    from: Option<From>,
    body: Option<Body>,
    #[serde(default)]
    attachments: Vec<Attachment>,
}

#[derive(Deserialize)]
struct From {
    user: Option<Name>,
    application: Option<Name>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Name {
    display_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    content_type: Option<String>,
    content: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attachment {
    name: Option<String>,
    content_type: Option<String>,
}

impl Attachment {
    /// Its name; of cards and quoted messages, which have none, what they are.
    fn shown(self) -> Option<String> {
        let text = |text: Option<String>| text.map(|text| clean(&text, 255)).filter(|text| !text.is_empty());
        text(self.name).or_else(|| text(self.content_type))
    }
}

/// A message as it is told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    id: String,
    /// Who wrote it; absent for what Teams itself says.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    at: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    subject: String,
    text: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    system: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<String>,
}

impl Body {
    fn has_picture(&self) -> bool {
        self.content.as_deref().is_some_and(|content| content.contains("<img"))
    }
}

impl Message {
    /// With at most `most` characters of text.
    pub fn shown(self, most: usize) -> Shown {
        let sender = self.from.and_then(|from| from.user.or(from.application)).and_then(|who| who.display_name);
        // A message that is nothing but a picture would look empty.
        let has_picture = self.body.as_ref().is_some_and(Body::has_picture);
        let body = self.body.map(|body| {
            let kind = body.content_type.unwrap_or_default();
            text::body(&kind, &body.content.unwrap_or_default(), most, true)
        });
        let text::Cut { text, truncated, .. } = body.unwrap_or_default();
        let picture = (has_picture && text.is_empty()).then(|| "picture".to_owned());
        Shown {
            id: self.id,
            from: sender.map(|name| clean(&name, 100)),
            at: self.created_date_time.unwrap_or_default(),
            subject: clean(self.subject.as_deref().unwrap_or_default(), 255),
            text,
            truncated,
            deleted: self.deleted_date_time.is_some() || self.is_deleted == Some(true),
            system: self.kind.is_some_and(|kind| kind != "message"),
            attachments: self.attachments.into_iter().filter_map(Attachment::shown).chain(picture).collect(),
        }
    }
}
