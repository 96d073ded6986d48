//! Drafts, changes, deletion, sending and `sendMail`.
//!
//! A sent message moves to Sent Items: its ordinary id changes with the folder, its immutable id
//! does not, and a copy reaches the inbox of every recipient who has a mailbox here.

use serde_json::{Value, json};

use super::compose::{apply, check, compose, now};
use super::error::GraphError;
use super::mail::READ;
use super::message::{self, KIND};
use super::query;
use super::request::{Answer, Family, Request};
use super::shape::{is_address, known_members};
use super::store::{GraphStore, Mailbox};
use crate::json::{flag, items, set, text};
use crate::sample::directory;

/// Scopes that change mail.
pub const WRITE: &[&str] = &["Mail.ReadWrite", "Mail.ReadWrite.Shared"];
const SEND: &[&str] = &["Mail.Send", "Mail.Send.Shared"];
const ANY_TIME: &[&str] =
    &["isRead", "categories", "flag", "importance", "inferenceClassification", "singleValueExtendedProperties"];

/// A message as the request asks to see it.
pub fn shown(request: &Request<'_>, mailbox: &Mailbox, at: usize) -> Result<Value, GraphError> {
    let stored = mailbox.messages.get(at).ok_or_else(GraphError::no_item)?;
    let value = message::default_shape(message::render(mailbox, stored, &request.prefer), request);
    let chosen: Option<Vec<String>> =
        query::option(request, "$select").map(|list| list.split(',').map(|one| one.trim().to_owned()).collect());
    let mut value = query::select(value, chosen.as_deref(), KIND)?;
    set(&mut value, "@odata.context", request.url("$metadata#users('me')/messages/$entity"));
    Ok(value)
}

/// The place of the message that an id means in the request's kind of ids.
pub fn find(request: &Request<'_>, mailbox: &Mailbox, id: &str) -> Result<usize, GraphError> {
    if !id.starts_with("AAMkAD") && !id.starts_with("AAkALg") {
        return Err(GraphError::malformed_id());
    }
    mailbox.position(id, request.prefer.immutable).ok_or_else(GraphError::no_item)
}

/// POST `/me/messages`.
pub fn create(request: &Request<'_>, store: &mut GraphStore) -> Result<Answer, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    let body = request.object()?;
    check(&body)?;
    let mailbox = store.mailbox(request.consent.user);
    let message = compose(mailbox, &body);
    mailbox.add("drafts", message);
    let value = shown(request, mailbox, mailbox.messages.len().saturating_sub(1))?;
    let location = request.url(&format!("me/messages('{}')", text(&value, "/id")));
    Ok(Answer::created(value, location))
}

/// GET `/me/messages/{id}`.
pub fn get(request: &Request<'_>, store: &mut GraphStore, id: &str) -> Result<Answer, GraphError> {
    request.require(READ, Family::Outlook)?;
    let mailbox = store.mailbox(request.consent.user);
    let mut value = shown(request, mailbox, find(request, mailbox, id)?)?;
    if let Some(attachments) = super::family::mail::expanded(request, mailbox, id)? {
        set(&mut value, "attachments", attachments);
    }
    Ok(Answer::ok(value))
}

/// PATCH `/me/messages/{id}`: most of a message can be changed only while it is a draft.
pub fn update(request: &Request<'_>, store: &mut GraphStore, id: &str) -> Result<Answer, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    let changes = request.object()?;
    check(&changes)?;
    dated(&changes)?;
    let mailbox = store.mailbox(request.consent.user);
    let at = find(request, mailbox, id)?;
    let stored = mailbox.messages.get_mut(at).ok_or_else(GraphError::no_item)?;
    let fixed = changes.as_object().into_iter().flatten().find(|(name, _)| !ANY_TIME.contains(&name.as_str()));
    if fixed.is_some() && !flag(&stored.value, "/isDraft") {
        return Err(GraphError::new(400, "ErrorInvalidPropertySet", "The property can be changed only on a draft."));
    }
    apply(&mut stored.value, &changes);
    set(&mut stored.value, "lastModifiedDateTime", now());
    Ok(Answer::ok(shown(request, mailbox, at)?))
}

/// A flag that is due must have begun.
fn dated(changes: &Value) -> Result<(), GraphError> {
    let has = |name: &str| changes.pointer(name).is_some_and(|moment| !moment.is_null());
    if has("/flag/dueDateTime") && !has("/flag/startDateTime") {
        return Err(GraphError::new(400, "ErrorInvalidArgument", "A due date needs a start date."));
    }
    Ok(())
}

/// DELETE `/me/messages/{id}`: to Deleted Items.
pub fn delete(request: &Request<'_>, store: &mut GraphStore, id: &str) -> Result<Answer, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    let mailbox = store.mailbox(request.consent.user);
    let at = find(request, mailbox, id)?;
    let stored = mailbox.messages.get_mut(at).ok_or_else(GraphError::no_item)?;
    stored.folder = "deleteditems";
    Ok(Answer::empty(204))
}

/// POST `/me/messages/{id}/send`.
pub fn send_draft(request: &Request<'_>, store: &mut GraphStore, id: &str) -> Result<Answer, GraphError> {
    request.require(SEND, Family::Outlook)?;
    let mailbox = store.mailbox(request.consent.user);
    let at = find(request, mailbox, id)?;
    let stored = mailbox.messages.get_mut(at).ok_or_else(GraphError::no_item)?;
    if !flag(&stored.value, "/isDraft") {
        return Err(GraphError::new(
            400,
            "ErrorInvalidOperation",
            "The message is not a draft and cannot be sent again.",
        ));
    }
    deliverable(&stored.value)?;
    stored.folder = "sentitems";
    mark_sent(&mut stored.value);
    let copy = stored.value.clone();
    deliver(store, &copy);
    Ok(Answer::empty(202))
}

/// POST `/me/sendMail`.
pub fn send_mail(request: &Request<'_>, store: &mut GraphStore) -> Result<Answer, GraphError> {
    request.require(SEND, Family::Outlook)?;
    let body = request.object()?;
    known_members(&body, &["message", "Message", "saveToSentItems", "SaveToSentItems"], "microsoft.graph.sendMail")?;
    let message = body.get("message").or(body.get("Message")).filter(|message| message.is_object());
    let message =
        message.ok_or_else(|| GraphError::new(400, "ErrorMissingParameter", "The parameter 'Message' is missing."))?;
    check(message)?;
    let mailbox = store.mailbox(request.consent.user);
    let mut value = compose(mailbox, message);
    deliverable(&value)?;
    mark_sent(&mut value);
    if body.get("saveToSentItems").and_then(Value::as_bool) != Some(false) {
        mailbox.add("sentitems", value.clone());
    }
    deliver(store, &value);
    Ok(Answer::empty(202))
}

fn mark_sent(value: &mut Value) {
    set(value, "isDraft", false);
    set(value, "sentDateTime", now());
    set(value, "receivedDateTime", now());
}

fn addresses(message: &Value) -> Vec<&str> {
    let lists = ["/toRecipients", "/ccRecipients", "/bccRecipients"];
    let people = lists.iter().flat_map(|list| items(message, list));
    people.map(|person| text(person, "/emailAddress/address")).collect()
}

fn deliverable(message: &Value) -> Result<(), GraphError> {
    let addresses = addresses(message);
    if !addresses.is_empty() && addresses.iter().all(|address| is_address(address)) {
        return Ok(());
    }
    Err(GraphError::new(
        400,
        "ErrorInvalidRecipients",
        "At least one recipient is not valid., Recipients must be specified.",
    ))
}

fn deliver(store: &mut GraphStore, message: &Value) {
    for address in addresses(message) {
        let Some(user) = directory::by_email(address) else {
            continue;
        };
        let mut copy = message.clone();
        set(&mut copy, "isRead", false);
        set(&mut copy, "bccRecipients", json!([]));
        set(&mut copy, "singleValueExtendedProperties", json!([]));
        store.mailbox(user).add("inbox", copy);
    }
}
