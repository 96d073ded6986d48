//! Settings, categories and inbox rules of the mailbox.

use serde_json::{Value, json};

use crate::graph::calendar;
use crate::graph::error::GraphError;
use crate::graph::query::{self, ListOptions};
use crate::graph::request::{Answer, Family, Request};
use crate::graph::shape::{known_members, recipients};
use crate::graph::store::Mailbox;
use crate::json::{items, set, text};

const READ: &[&str] = &["MailboxSettings.Read", "MailboxSettings.ReadWrite"];
const WRITE: &[&str] = &["MailboxSettings.ReadWrite"];
const REPLY: &[&str] = &[
    "status",
    "externalAudience",
    "internalReplyMessage",
    "externalReplyMessage",
    "scheduledStartDateTime",
    "scheduledEndDateTime",
];
const RULE: &[&str] = &["displayName", "sequence", "isEnabled", "conditions", "exceptions", "actions"];

fn refused(message: &str) -> GraphError {
    GraphError::new(400, "ErrorInvalidArgument", message)
}

/// PATCH `/me/mailboxSettings`.
pub fn update(request: &Request<'_>, mailbox: &mut Mailbox) -> Result<Answer, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    let body = request.object()?;
    known_members(&body, &["automaticRepliesSetting", "timeZone", "language", "workingHours"], "mailboxSettings")?;
    if let Some(reply) = body.get("automaticRepliesSetting") {
        known_members(reply, REPLY, "automaticRepliesSetting")?;
        let dated = reply.get("scheduledStartDateTime").is_some() && reply.get("scheduledEndDateTime").is_some();
        if text(reply, "/status") == "scheduled" && !dated {
            return Err(refused("A schedule needs a start and an end."));
        }
    }
    for (name, value) in body.as_object().into_iter().flatten() {
        set(&mut mailbox.settings, name, value.clone());
    }
    calendar::settings(request, mailbox)
}

/// GET `/me/outlook/masterCategories`.
pub fn categories(request: &Request<'_>, mailbox: &Mailbox) -> Result<Answer, GraphError> {
    request.require(READ, Family::Outlook)?;
    let all = mailbox.categories.iter().map(|name| category(name)).collect();
    query::page(request, &ListOptions::parse(request, super::SIZES)?, all, "microsoft.graph.outlookCategory")
}

/// POST `/me/outlook/masterCategories`.
pub fn add_category(request: &Request<'_>, mailbox: &mut Mailbox) -> Result<Answer, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    let body = request.object()?;
    known_members(&body, &["displayName", "color"], "microsoft.graph.outlookCategory")?;
    let name = text(&body, "/displayName");
    if name.is_empty() {
        return Err(refused("A category needs a name."));
    }
    if mailbox.categories.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return Err(GraphError::new(409, "CategoryDuplicate", "A category with this name exists."));
    }
    mailbox.categories.push(name.to_owned());
    Ok(Answer::created(category(name), request.url("me/outlook/masterCategories")))
}

fn category(name: &str) -> Value {
    json!({"id": format!("category-{name}"), "displayName": name, "color": "none"})
}

/// GET `/me/mailFolders/inbox/messageRules`.
pub fn rules(request: &Request<'_>, mailbox: &Mailbox) -> Result<Answer, GraphError> {
    request.require(READ, Family::Outlook)?;
    let options = ListOptions::parse(request, super::SIZES)?;
    query::page(request, &options, mailbox.rules.clone(), "microsoft.graph.messageRule")
}

/// GET `/me/mailFolders/inbox/messageRules/{id}`.
pub fn one_rule(request: &Request<'_>, mailbox: &Mailbox, id: &str) -> Result<Answer, GraphError> {
    request.require(READ, Family::Outlook)?;
    let found = mailbox.rules.iter().find(|rule| text(rule, "/id") == id).ok_or_else(GraphError::no_item)?;
    Ok(Answer::ok(found.clone()))
}

/// POST `/me/mailFolders/inbox/messageRules`.
pub fn add_rule(request: &Request<'_>, mailbox: &mut Mailbox) -> Result<Answer, GraphError> {
    let mut rule = rule(request, mailbox)?;
    if text(&rule, "/displayName").is_empty() || rule.get("actions").is_none() || rule.get("sequence").is_none() {
        return Err(refused("A rule needs a name, a sequence and actions."));
    }
    let id = format!("AQAAAJ5dZp{}=", mailbox.number());
    set(&mut rule, "id", id);
    mailbox.rules.push(rule.clone());
    Ok(Answer::created(rule, request.url("me/mailFolders('inbox')/messageRules")))
}

/// PATCH `/me/mailFolders/inbox/messageRules/{id}`: conditions and actions are replaced as wholes.
pub fn change_rule(request: &Request<'_>, mailbox: &mut Mailbox, id: &str) -> Result<Answer, GraphError> {
    let changes = rule(request, mailbox)?;
    let found = mailbox.rules.iter_mut().find(|rule| text(rule, "/id") == id).ok_or_else(GraphError::no_item)?;
    for (name, value) in changes.as_object().into_iter().flatten() {
        set(found, name, value.clone());
    }
    Ok(Answer::ok(found.clone()))
}

/// DELETE `/me/mailFolders/inbox/messageRules/{id}`.
pub fn remove_rule(request: &Request<'_>, mailbox: &mut Mailbox, id: &str) -> Result<Answer, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    let at = mailbox.rules.iter().position(|rule| text(rule, "/id") == id).ok_or_else(GraphError::no_item)?;
    mailbox.rules.remove(at);
    Ok(Answer::empty(204))
}

/// The rule of a request's body; a folder that it moves to must be there.
fn rule(request: &Request<'_>, mailbox: &Mailbox) -> Result<Value, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    let body = request.object()?;
    known_members(&body, RULE, "microsoft.graph.messageRule")?;
    recipients(body.pointer("/conditions/fromAddresses"))?;
    let folder = text(&body, "/actions/moveToFolder");
    if !folder.is_empty() && mailbox.folder(folder).is_none() {
        return Err(refused("The folder of the rule does not exist."));
    }
    if items(&body, "/conditions/subjectContains").iter().any(|word| !word.is_string()) {
        return Err(refused("A condition must be text."));
    }
    Ok(body)
}
