//! Reading Teams: teams and channels, chats, and the messages in them.

mod messages;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, UNTRUSTED, clean};
use super::arguments::{bounded, identifier};
use super::call::Call;
use super::page::{self, Page};
use super::{Input, Kind, Outcome, Preset, Tool, ToolError, address, handle, schema};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment, filter_literal};
use crate::identity::Scope;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "getTeams",
        title: "List teams or channels",
        description: "The user's teams, or with teamId the channels of one.",
        kind: Kind::Read,
        preset: Preset::Teams,
        needs: &[Scope::TeamReadBasicAll],
        also: &[Scope::ChannelReadBasicAll],
        on_use: &[],
        example: r#"{"teamId":"fbe2bf47-16c8-47cf-b4a5-4b9b187c508b"}"#,
        schema: schema::of::<GetTeams>,
        handler: handle::<GetTeams>,
    },
    Tool {
        name: "getChats",
        title: "List chats",
        description: "The user's chats with members and the start of the last message; latest first, unless filtered.",
        kind: Kind::Read,
        preset: Preset::Teams,
        needs: &[Scope::ChatRead],
        also: &[],
        on_use: &[],
        example: r#"{"type":"oneOnOne","count":20}"#,
        schema: schema::of::<GetChats>,
        handler: handle::<GetChats>,
    },
    messages::CHAT,
    messages::CHANNEL,
];

const TEAMS: [&str; 2] = ["/me/joinedTeams", "/teams/{id}/channels"];
const CHATS: [&str; 2] = ["/me/chats", "/chats"];
/// Members that are shown of one chat. Graph gives 25 at most, so how many more there are it does not say.
const MEMBERS: usize = 20;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GetTeams {
    team_id: Option<String>,
    #[schemars(range(min = 1, max = 100), extend("default" = 50))]
    count: Option<u32>,
    cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    id: String,
    display_name: Option<String>,
    description: Option<String>,
    membership_type: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<T> {
    untrusted: &'static str,
    items: Vec<T>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl<T> Listed<T> {
    fn of<G>(page: Page<G>, shown: impl Fn(G) -> T) -> Answer
    where
        T: Serialize,
    {
        Answer::of(&Self {
            untrusted: UNTRUSTED,
            items: page.items.into_iter().map(shown).collect(),
            truncated: page.next_cursor.is_some(),
            next_cursor: page.next_cursor,
        })
    }
}

#[derive(Serialize)]
struct Named {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    /// Of a channel that not every member of the team sees: private or shared.
    #[serde(skip_serializing_if = "Option::is_none")]
    membership: Option<String>,
}

impl From<Group> for Named {
    fn from(group: Group) -> Self {
        Self {
            id: group.id,
            name: clean(group.display_name.as_deref().unwrap_or_default(), 255),
            description: clean(group.description.as_deref().unwrap_or_default(), 300),
            membership: group.membership_type.filter(|kind| kind != "standard"),
        }
    }
}

#[async_trait(?Send)]
impl Input for GetTeams {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let count = bounded("count", self.count, 50, 100)?;
        // Neither list takes $top; the page is cut here.
        let request = if let Some(id) = self.team_id.as_deref() {
            let team = Segment::Value(identifier("teamId", id)?);
            call.require(Scope::ChannelReadBasicAll)?;
            GraphRequest::new(Method::Get, &[Segment::Word("teams"), team, Segment::Word("channels")])?
                .query("$select", "id,displayName,description,membershipType")
        } else {
            GraphRequest::new(Method::Get, &[Segment::Word("me"), Segment::Word("joinedTeams")])?
                .query("$select", "id,displayName,description")
        };
        let start = page::begin(call, self.cursor.as_deref(), &request)?;
        let page = page::read::<Group>(call, &TEAMS, start, count).await?;
        Ok(Listed::of(page, Named::from))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum ChatType {
    OneOnOne,
    Group,
    Meeting,
}

impl ChatType {
    const fn name(self) -> &'static str {
        match self {
            Self::OneOnOne => "oneOnOne",
            Self::Group => "group",
            Self::Meeting => "meeting",
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GetChats {
    /// Address of a member
    with_user: Option<String>,
    #[serde(rename = "type")]
    kind: Option<ChatType>,
    #[schemars(range(min = 1, max = 50), extend("default" = 20))]
    count: Option<u32>,
    cursor: Option<String>,
}

#[async_trait(?Send)]
impl Input for GetChats {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let count = bounded("count", self.count, 20, 50)?;
        let request = GraphRequest::new(Method::Get, &[Segment::Word("me"), Segment::Word("chats")])?
            .query("$expand", "members,lastMessagePreview")
            .query("$top", count.to_string());
        // Nothing documents that Graph sorts what it filters.
        let request = match self.filter()? {
            Some(filter) => request.query("$filter", filter),
            None => request.query("$orderby", "lastMessagePreview/createdDateTime desc"),
        };
        let start = page::begin(call, self.cursor.as_deref(), &request)?;
        let page = page::read::<Chat>(call, &CHATS, start, count).await?;
        Ok(Listed::of(page, Shown::from))
    }
}

impl GetChats {
    fn filter(&self) -> Result<Option<String>, ToolError> {
        let with = self.with_user.as_deref().map(|text| address::one("withUser", text)).transpose()?;
        let clauses = [
            self.kind.map(|kind| format!("chatType eq {}", filter_literal(kind.name()))),
            with.map(|with| {
                format!("members/any(m:m/microsoft.graph.aadUserConversationMember/email eq {})", filter_literal(&with))
            }),
        ];
        let clauses: Vec<_> = clauses.into_iter().flatten().collect();
        Ok((!clauses.is_empty()).then(|| clauses.join(" and ")))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chat {
    id: String,
    topic: Option<String>,
    #[serde(rename = "chatType")]
    kind: Option<String>,
    #[serde(default)]
    members: Vec<Member>,
    last_message_preview: Option<messages::Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    display_name: Option<String>,
    email: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    topic: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    members: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more_members: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<messages::Shown>,
}

impl From<Chat> for Shown {
    fn from(chat: Chat) -> Self {
        Self {
            id: chat.id,
            topic: clean(chat.topic.as_deref().unwrap_or_default(), 255),
            kind: chat.kind,
            members: chat.members.iter().take(MEMBERS).map(Member::shown).collect(),
            more_members: chat.members.len() > MEMBERS,
            last: chat.last_message_preview.map(|message| message.shown(PREVIEW)),
        }
    }
}

/// Characters of a last message.
const PREVIEW: usize = 200;

impl Member {
    fn shown(&self) -> String {
        let name = clean(self.display_name.as_deref().unwrap_or_default(), 100);
        match self.email.as_deref().map(|email| clean(email, 320)).filter(|email| !email.is_empty()) {
            Some(email) if name.is_empty() => email,
            Some(email) => format!("{name} <{email}>"),
            None => name,
        }
    }
}
