//! Mail beyond the core: folders, moving, answers, attachments, settings.

mod answering;
pub mod attachments;
mod folders;
mod settings;

use serde_json::{Value, json};
use time::Date;

use super::Found;
use crate::graph::error::GraphError;
use crate::graph::mail_write::{WRITE, find, shown};
use crate::graph::query::{self, Sizes};
use crate::graph::request::{Answer, Family, Request};
use crate::graph::shape::known_members;
use crate::graph::store::{GraphStore, Mailbox};
use crate::json::text;

const SIZES: Sizes = Sizes { default: 10, max: 1000 };

/// What this family keeps between requests.
pub struct Store;

impl Store {
    /// The sample data around a day.
    pub fn sample(_today: Date) -> Self {
        Self
    }
}

/// Answers a request for one of this family's paths.
pub fn route(request: &Request<'_>, store: &mut GraphStore, path: &[&str]) -> Found {
    let mailbox = store.mailbox(request.consent.user);
    Ok(Some(match (request.call.method.as_str(), path) {
        ("GET", ["me", "mailFolders", "inbox", "messageRules"]) => settings::rules(request, mailbox)?,
        ("POST", ["me", "mailFolders", "inbox", "messageRules"]) => settings::add_rule(request, mailbox)?,
        ("GET", ["me", "mailFolders", "inbox", "messageRules", id]) => settings::one_rule(request, mailbox, id)?,
        ("PATCH", ["me", "mailFolders", "inbox", "messageRules", id]) => settings::change_rule(request, mailbox, id)?,
        ("DELETE", ["me", "mailFolders", "inbox", "messageRules", id]) => settings::remove_rule(request, mailbox, id)?,
        ("PATCH", ["me", "mailboxSettings"]) => settings::update(request, mailbox)?,
        ("GET", ["me", "outlook", "masterCategories"]) => settings::categories(request, mailbox)?,
        ("POST", ["me", "outlook", "masterCategories"]) => settings::add_category(request, mailbox)?,
        ("GET", ["me", "mailFolders", id]) => folders::get(request, mailbox, id)?,
        ("PATCH", ["me", "mailFolders", id]) => folders::rename(request, mailbox, id)?,
        ("POST", ["me", "mailFolders"]) => folders::create(request, mailbox, "msgfolderroot")?,
        ("POST", ["me", "mailFolders", id, "move"]) => folders::relocate(request, mailbox, id)?,
        ("GET", ["me", "mailFolders", id, "childFolders"]) => folders::children(request, mailbox, id)?,
        ("POST", ["me", "mailFolders", id, "childFolders"]) => folders::create(request, mailbox, id)?,
        ("POST", ["me", "messages", id, "move"]) => relocate(request, mailbox, id, false)?,
        ("POST", ["me", "messages", id, "copy"]) => relocate(request, mailbox, id, true)?,
        ("POST", ["me", "messages", id, action @ ("createReply" | "createReplyAll" | "createForward")]) => {
            answering::create(request, mailbox, id, action)?
        }
        ("GET", ["me", "messages", id, "attachments"]) => attachments::list(request, mailbox, id)?,
        ("POST", ["me", "messages", id, "attachments"]) => attachments::add(request, mailbox, id)?,
        ("GET", ["me", "messages", id, "attachments", one]) => attachments::get(request, mailbox, id, one)?,
        ("DELETE", ["me", "messages", id, "attachments", one]) => attachments::remove(request, mailbox, id, one)?,
        _ => return Ok(None),
    }))
}

/// What `$expand=attachments`, with or without a `$select` of its own, adds to a message.
pub fn expanded(request: &Request<'_>, mailbox: &Mailbox, id: &str) -> Result<Option<Vec<Value>>, GraphError> {
    let Some(rest) = query::option(request, "$expand").and_then(|text| text.strip_prefix("attachments")) else {
        return Ok(None);
    };
    let chosen = match rest.strip_prefix("($select=").and_then(|list| list.strip_suffix(')')) {
        Some(list) => Some(list.split(',').map(str::to_owned).collect::<Vec<_>>()),
        None if rest.is_empty() => None,
        None => return Err(GraphError::bad("Term 'attachments' is not valid in a $select or $expand expression.")),
    };
    let all = attachments::of_message(request, mailbox, id)?;
    let shown = all.into_iter().map(|one| query::select(one, chosen.as_deref(), "microsoft.graph.attachment"));
    shown.collect::<Result<_, _>>().map(Some)
}

/// A move changes the ordinary id and keeps the immutable one; a copy has both anew.
fn relocate(request: &Request<'_>, mailbox: &mut Mailbox, id: &str, copy: bool) -> Result<Answer, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    let body = request.object()?;
    known_members(&body, &["destinationId", "DestinationId"], "microsoft.graph.move")?;
    let destination = body.get("destinationId").or(body.get("DestinationId")).and_then(Value::as_str);
    let destination = destination.ok_or_else(|| GraphError::bad("The parameter 'DestinationId' is missing."))?;
    let folder = mailbox.folder(destination).ok_or_else(GraphError::no_item)?;
    let at = find(request, mailbox, id)?;
    let stored = mailbox.messages.get_mut(at).ok_or_else(GraphError::no_item)?;
    let at = if copy {
        let value = stored.value.clone();
        mailbox.add(folder, value);
        mailbox.messages.len().saturating_sub(1)
    } else {
        stored.folder = folder;
        at
    };
    created(request, mailbox, at)
}

fn created(request: &Request<'_>, mailbox: &Mailbox, at: usize) -> Result<Answer, GraphError> {
    let value = shown(request, mailbox, at)?;
    let location = request.url(&format!("me/messages('{}')", text(&value, "/id")));
    Ok(Answer::created(value, location))
}

/// The two options that a single resource knows here.
fn selected(request: &Request<'_>, value: Value, kind: &str) -> Result<Value, GraphError> {
    let chosen: Option<Vec<String>> =
        query::option(request, "$select").map(|list| list.split(',').map(str::to_owned).collect());
    query::select(value, chosen.as_deref(), kind)
}

/// A context as Graph writes it before a collection of a message.
fn context(request: &Request<'_>, name: &str) -> Value {
    json!(request.url(&format!("$metadata#users('me')/messages('id')/{name}")))
}
