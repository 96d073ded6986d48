//! Teams: joined teams, channels, channel messages with replies, chats.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::error::GraphError;
use super::query::{self, ListOptions, Sizes};
use super::request::{Answer, Family, Request};
use super::shape::known_members;
use crate::json::{items, text};
use crate::sample::directory::{self, Home, User};
use crate::sample::teams::{TEAMS, Team};

/// Graph refuses messages above about this size.
const MESSAGE_LIMIT: usize = 28 * 1024;
const SIZES: Sizes = Sizes { default: 100, max: 999 };
const CHANNEL: &[&str] = &["ChannelMessage.Send", "Group.ReadWrite.All"];
const CHAT: &[&str] = &["ChatMessage.Send", "Chat.ReadWrite"];

/// Everything that was posted.
#[derive(Default)]
pub struct TeamsStore {
    /// Channel and chat messages, oldest first.
    pub messages: Vec<Value>,
    /// Chats that were made.
    pub chats: Vec<Value>,
}

fn not_found(what: &str) -> GraphError {
    GraphError::new(404, "NotFound", &format!("{what} was not found."))
}

fn member_account(request: &Request<'_>) -> Result<(), GraphError> {
    if request.consent.user.home == Home::Contoso {
        return Ok(());
    }
    Err(GraphError::new(403, "Forbidden", "Teams is not available to this account."))
}

fn team(user: &User, id: &str) -> Result<&'static Team, GraphError> {
    let found = TEAMS.iter().find(|team| team.id == id).ok_or_else(|| not_found("The team"))?;
    if found.has(user) {
        return Ok(found);
    }
    Err(GraphError::new(403, "Forbidden", "The caller is not a member of the team."))
}

/// GET `/me/joinedTeams`.
pub fn joined(request: &Request<'_>) -> Result<Answer, GraphError> {
    member_account(request)?;
    request.require(&["Team.ReadBasic.All", "Group.Read.All"], Family::Teams)?;
    let options = ListOptions::parse(request, SIZES)?;
    let mine = TEAMS.iter().filter(|team| team.has(request.consent.user));
    let list = mine.map(|team| {
        json!({
            "id": team.id, "displayName": team.name, "description": team.about, "isArchived": false,
            "createdDateTime": null, "tenantId": null, "visibility": null, "webUrl": null,
        })
    });
    query::page(request, &options, list.collect(), "microsoft.graph.team")
}

/// GET `/teams/{id}/channels`.
pub fn channels(request: &Request<'_>, id: &str) -> Result<Answer, GraphError> {
    member_account(request)?;
    request.require(&["Channel.ReadBasic.All", "Group.Read.All"], Family::Teams)?;
    let options = ListOptions::parse(request, SIZES)?;
    let team = team(request.consent.user, id)?;
    let list = team.channels.iter().map(|(id, name)| {
        json!({
            "id": id, "displayName": name, "description": null, "membershipType": "standard", "email": "",
            "createdDateTime": "2026-01-05T08:00:00Z", "isArchived": false, "tenantId": null,
            "webUrl": format!("https://teams.contoso.example/l/channel/{id}"),
        })
    });
    query::page(request, &options, list.collect(), "microsoft.graph.channel")
}

/// POST `/teams/{t}/channels/{c}/messages` and, with `reply_to`, `…/messages/{m}/replies`.
pub fn post_channel(
    request: &Request<'_>,
    store: &mut TeamsStore,
    (team_id, channel): (&str, &str),
    reply_to: Option<&str>,
) -> Result<Answer, GraphError> {
    member_account(request)?;
    request.require(CHANNEL, Family::Teams)?;
    let team = team(request.consent.user, team_id)?;
    if !team.channels.iter().any(|(id, _)| *id == channel) {
        return Err(not_found("The channel"));
    }
    if let Some(id) = reply_to
        && !store
            .messages
            .iter()
            .any(|message| text(message, "/id") == id && text(message, "/channelIdentity/channelId") == channel)
    {
        return Err(not_found("The message"));
    }
    let mut message = check(request, store)?;
    crate::json::set(&mut message, "replyToId", reply_to.map_or(Value::Null, Value::from));
    crate::json::set(&mut message, "channelIdentity", json!({"teamId": team_id, "channelId": channel}));
    Ok(posted(request, store, message))
}

/// POST `/chats/{id}/messages`.
pub fn post_chat(request: &Request<'_>, store: &mut TeamsStore, chat: &str) -> Result<Answer, GraphError> {
    member_account(request)?;
    request.require(CHAT, Family::Teams)?;
    let found = store.chats.iter().find(|one| text(one, "/id") == chat).ok_or_else(|| not_found("The chat"))?;
    let me = request.consent.user.oid;
    if !items(found, "/memberIds").iter().any(|id| id.as_str() == Some(me)) {
        return Err(GraphError::new(403, "Forbidden", "The caller is not a member of the chat."));
    }
    let mut message = check(request, store)?;
    crate::json::set(&mut message, "chatId", chat);
    Ok(posted(request, store, message))
}

fn posted(request: &Request<'_>, store: &mut TeamsStore, message: Value) -> Answer {
    store.messages.push(message.clone());
    let path = request.segments.join("/");
    let location = request.url(&format!("{path}/{}", text(&message, "/id")));
    Answer::created(message, location)
}

fn check(request: &Request<'_>, store: &TeamsStore) -> Result<Value, GraphError> {
    let body = request.object()?;
    let known = ["body", "mentions", "subject", "importance", "attachments", "messageType", "hostedContents"];
    known_members(&body, &known, "microsoft.graph.chatMessage")?;
    let (content, kind) = (text(&body, "/body/content"), text(&body, "/body/contentType").to_ascii_lowercase());
    if content.is_empty() {
        return Err(GraphError::bad("Missing body content"));
    }
    if content.len() > MESSAGE_LIMIT {
        return Err(GraphError::new(413, "RequestEntityTooLarge", "Message body is too large."));
    }
    if !matches!(kind.as_str(), "" | "text" | "html") {
        return Err(GraphError::bad("Invalid contentType of the body."));
    }
    for mention in items(&body, "/mentions") {
        let id = mention.get("id").and_then(Value::as_i64).unwrap_or(-1);
        if kind != "html" || !content.contains(&format!("<at id=\"{id}\">")) {
            return Err(GraphError::bad("Neither Body nor adaptive card content contains marker for mention."));
        }
    }
    let now = OffsetDateTime::now_utc();
    let (user, stamp) = (request.consent.user, now.format(&Rfc3339).unwrap_or_default());
    Ok(json!({
        // The real ids are the time in milliseconds; the count keeps two of one millisecond apart.
        "id": (now.unix_timestamp() * 1000 + i64::try_from(store.messages.len()).unwrap_or(0)).to_string(),
        "replyToId": null, "etag": "1", "messageType": "message", "createdDateTime": stamp,
        "lastModifiedDateTime": stamp, "deletedDateTime": null, "subject": body.get("subject"), "summary": null,
        "chatId": null, "importance": "normal", "locale": "en-us", "webUrl": null, "channelIdentity": null,
        "from": {"application": null, "device": null, "user": {"id": user.oid, "displayName": user.name, "userIdentityType": "aadUser"}},
        "body": {"contentType": if kind.is_empty() { "text" } else { &kind }, "content": content},
        "attachments": [], "mentions": body.get("mentions").cloned().unwrap_or_else(|| json!([])), "reactions": [],
    }))
}

/// POST `/chats`; a one-on-one chat that exists is answered again.
pub fn create_chat(request: &Request<'_>, store: &mut TeamsStore) -> Result<Answer, GraphError> {
    member_account(request)?;
    request.require(&["Chat.Create", "Chat.ReadWrite"], Family::Teams)?;
    let body = request.object()?;
    known_members(&body, &["chatType", "topic", "members"], "microsoft.graph.chat")?;
    let kind = text(&body, "/chatType");
    let mut people = items(&body, "/members").iter().map(chat_member).collect::<Result<Vec<&User>, GraphError>>()?;
    people.sort_by_key(|user| user.oid);
    people.dedup_by_key(|user| user.oid);
    if !people.iter().any(|user| user.oid == request.consent.user.oid) {
        return Err(GraphError::bad("The caller must be a member of the chat."));
    }
    let id = match (kind, people.as_slice()) {
        ("oneOnOne", [one, two]) => format!("19:{}_{}@unq.gbl.spaces", one.oid, two.oid),
        ("group", [_, _, ..]) => format!("19:{}@thread.v2", uuid::Uuid::new_v4().simple()),
        _ => return Err(GraphError::bad("Invalid chatType or number of members.")),
    };
    if let Some(known) = store.chats.iter().find(|chat| text(chat, "/id") == id) {
        return Ok(Answer::created(known.clone(), request.url(&format!("chats('{id}')"))));
    }
    let stamp = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
    let ids: Vec<&str> = people.iter().map(|user| user.oid).collect();
    let chat = json!({
        "id": id, "topic": body.get("topic"), "chatType": kind, "createdDateTime": stamp,
        "lastUpdatedDateTime": stamp, "webUrl": null, "tenantId": null, "memberIds": ids,
    });
    store.chats.push(chat.clone());
    Ok(Answer::created(chat, request.url(&format!("chats('{id}')"))))
}

fn chat_member(member: &Value) -> Result<&'static User, GraphError> {
    if text(member, "/@odata.type") != "#microsoft.graph.aadUserConversationMember" {
        return Err(GraphError::bad("Every member needs '@odata.type': '#microsoft.graph.aadUserConversationMember'."));
    }
    if items(member, "/roles").is_empty() {
        return Err(GraphError::bad("Every member needs a role."));
    }
    let bind = text(member, "/user@odata.bind");
    let inner = bind.strip_prefix("https://graph.microsoft.com/").and_then(|rest| rest.split_once('/'));
    let key = inner.and_then(|(_, path)| path.strip_prefix("users('")).and_then(|rest| rest.strip_suffix("')"));
    let plain = inner.and_then(|(_, path)| path.strip_prefix("users/"));
    let key = key.or(plain).ok_or_else(|| GraphError::bad("The value of 'user@odata.bind' is invalid."))?;
    let found = directory::by_key(key).filter(|user| user.home == Home::Contoso);
    found.ok_or_else(|| not_found("The user"))
}
