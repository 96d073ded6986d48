//! Chats and channel messages as they are read: what the sample holds, and what was posted since.

use serde_json::{Value, json};
use time::macros::format_description;
use time::{Date, Duration};

use super::Found;
use crate::graph::error::GraphError;
use crate::graph::query::{self, ListOptions, Sizes};
use crate::graph::request::{Answer, Family, Request};
use crate::graph::store::GraphStore;
use crate::json::{items, set, text};
use crate::sample::directory::{self, Home, USERS, User};
use crate::sample::realistic;
use crate::sample::teams::TEAMS;

const SIZES: Sizes = Sizes { default: 20, max: 50 };
const READ_CHAT: &[&str] = &["Chat.Read", "Chat.ReadWrite"];
const READ_CHANNEL: &[&str] = &["ChannelMessage.Read.All", "Group.Read.All"];
/// Members of a chat that come with it at most.
const MEMBERS: usize = 25;
/// Who talks in the sample's group chat, and its topic.
const GROUP: (&str, &str) = ("19:heron@thread.v2", "Heron lunch");

/// What this family keeps between requests.
pub struct Store {
    chats: Vec<Value>,
    /// Oldest first.
    messages: Vec<Value>,
}

impl Store {
    /// The sample data around a day.
    pub fn sample(today: Date) -> Self {
        let people: Vec<&User> = USERS.iter().filter(|user| user.home == Home::Contoso).take(3).collect();
        let ids: Vec<&str> = people.iter().map(|user| user.oid).collect();
        let chat = json!({"id": GROUP.0, "topic": GROUP.1, "chatType": "group", "memberIds": ids, "webUrl": null});
        let messages = (0..30).zip(people.iter().cycle()).map(|(at, user)| {
            let day = (today - Duration::days(30 - at)).format(format_description!("[year]-[month]-[day]"));
            let stamp = format!("{}T11:{at:02}:00Z", day.unwrap_or_default());
            json!({
                "id": (1_700_000_000_000 + at).to_string(), "chatId": GROUP.0, "messageType": "message",
                "createdDateTime": stamp, "lastModifiedDateTime": stamp, "deletedDateTime": null, "subject": null,
                "from": {"application": null, "device": null, "user": {"id": user.oid, "displayName": user.name}},
                "body": {"contentType": "html", "content": format!("<p>Lunch <b>{at}</b>?</p>")},
                "attachments": [], "mentions": [], "reactions": [],
            })
        });
        let (more, said) = realistic::teams::chats(today);
        Self { chats: [vec![chat], more].concat(), messages: messages.chain(said).collect() }
    }
}

/// Answers a request for one of this family's paths.
pub fn route(request: &Request<'_>, store: &mut GraphStore, path: &[&str]) -> Found {
    if request.call.method != "GET" {
        return Ok(None);
    }
    Ok(Some(match path {
        ["me", "chats"] => chats(request, store)?,
        ["chats" | "me", .., "messages"] if matches!(path, ["chats", _, _] | ["me", "chats", _, _]) => {
            let id = path.iter().rev().nth(1).copied().unwrap_or_default();
            chat_messages(request, store, id)?
        }
        ["teams", team, "channels", channel, "messages"] => channel_messages(request, store, (team, channel, None))?,
        ["teams", team, "channels", channel, "messages", id, "replies"] => {
            channel_messages(request, store, (team, channel, Some(id)))?
        }
        _ => return Ok(None),
    }))
}

fn forbidden() -> GraphError {
    GraphError::new(403, "Forbidden", "The caller is not a member.")
}

fn not_found() -> GraphError {
    GraphError::new(404, "NotFound", "The resource was not found.")
}

/// Teams takes few options, and refuses the others.
fn options(request: &Request<'_>, allowed: &[&str]) -> Result<ListOptions, GraphError> {
    for (name, _) in &request.query.0 {
        if !allowed.contains(&name.as_str()) && !name.starts_with("$skip") {
            return Err(GraphError::bad(&format!("Query option '{name}' is not allowed.")));
        }
    }
    ListOptions::parse(request, SIZES)
}

fn is_in(chat: &Value, user: &User) -> bool {
    items(chat, "/memberIds").iter().any(|id| id.as_str() == Some(user.oid))
}

fn messages_of(store: &GraphStore, holds: impl Fn(&Value) -> bool) -> Vec<Value> {
    let kept = store.family.chats.messages.iter().chain(&store.teams.messages);
    let mut found: Vec<Value> = kept.filter(|message| holds(message)).cloned().collect();
    found.sort_by(|a, b| text(b, "/lastModifiedDateTime").cmp(text(a, "/lastModifiedDateTime")));
    found
}

fn chats(request: &Request<'_>, store: &GraphStore) -> Result<Answer, GraphError> {
    request.require(READ_CHAT, Family::Teams)?;
    let mut options = options(request, &["$expand", "$top", "$filter", "$orderby"])?;
    let order = [("lastMessagePreview/createdDateTime".to_owned(), true)];
    if !options.orderby.is_empty() && options.orderby != order {
        return Err(GraphError::bad("Chats can only be sorted by lastMessagePreview/createdDateTime desc."));
    }
    options.orderby.clear();
    let kept = store.family.chats.chats.iter().chain(&store.teams.chats);
    let mut list: Vec<Value> =
        kept.filter(|chat| is_in(chat, request.consent.user)).map(|chat| rendered(store, chat)).collect();
    for clause in options.filter.as_deref().unwrap_or_default().split(" and ").filter(|clause| !clause.is_empty()) {
        let wanted = |head: &str, tail: &str| clause.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail));
        if let Some(kind) = wanted("chatType eq '", "'") {
            list.retain(|chat| text(chat, "/chatType") == kind);
        } else if let Some(email) = wanted("members/any(m:m/microsoft.graph.aadUserConversationMember/email eq '", "')")
        {
            list.retain(|chat| items(chat, "/members").iter().any(|member| text(member, "/email") == email));
        } else {
            return Err(GraphError::bad("Invalid filter clause"));
        }
    }
    query::page(request, &options, list, "microsoft.graph.chat")
}

fn rendered(store: &GraphStore, chat: &Value) -> Value {
    let mut shown = chat.clone();
    let members = items(chat, "/memberIds").iter().filter_map(|id| directory::by_key(id.as_str().unwrap_or_default()));
    let members: Vec<Value> = members
        .map(|user| json!({"displayName": user.name, "userId": user.oid, "email": user.email, "roles": ["owner"]}))
        .take(MEMBERS)
        .collect();
    crate::json::remove(&mut shown, "memberIds");
    set(&mut shown, "members", members);
    let last = messages_of(store, |message| text(message, "/chatId") == text(chat, "/id")).into_iter().next();
    set(&mut shown, "lastMessagePreview", last.unwrap_or(Value::Null));
    shown
}

fn chat_messages(request: &Request<'_>, store: &GraphStore, id: &str) -> Result<Answer, GraphError> {
    request.require(READ_CHAT, Family::Teams)?;
    let options = options(request, &["$top", "$filter", "$orderby"])?;
    let mut chats = store.family.chats.chats.iter().chain(&store.teams.chats);
    let chat = chats.find(|chat| text(chat, "/id") == id).ok_or_else(not_found)?;
    if !is_in(chat, request.consent.user) {
        return Err(forbidden());
    }
    let mut list = messages_of(store, |message| text(message, "/chatId") == id);
    // A filter without the sort order of the same property is ignored.
    let sorted = options.orderby == [("lastModifiedDateTime".to_owned(), true)];
    if let Some(filter) = options.filter.as_deref().filter(|_| sorted) {
        let since =
            filter.strip_prefix("lastModifiedDateTime gt ").ok_or_else(|| GraphError::bad("Invalid filter clause"))?;
        list.retain(|message| text(message, "/lastModifiedDateTime") > since);
    }
    query::page(request, &options, list, "microsoft.graph.chatMessage")
}

fn channel_messages(
    request: &Request<'_>,
    store: &GraphStore,
    (team, channel, thread): (&str, &str, Option<&str>),
) -> Result<Answer, GraphError> {
    request.require(READ_CHANNEL, Family::Teams)?;
    let options = options(request, &["$top", "$expand"])?;
    let team = TEAMS.iter().find(|one| one.id == team).ok_or_else(not_found)?;
    if !team.has(request.consent.user) {
        return Err(forbidden());
    }
    if !team.channels.iter().any(|(id, _)| *id == channel) {
        return Err(not_found());
    }
    let list = messages_of(store, |message| {
        text(message, "/channelIdentity/channelId") == channel
            && text(message, "/replyToId") == thread.unwrap_or_default()
    });
    query::page(request, &options, list, "microsoft.graph.chatMessage")
}
