//! Attachments: of every message and event that has some, one of each kind that a reader must tell apart.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{context, selected};
use crate::graph::error::GraphError;
use crate::graph::family::calendar;
use crate::graph::mail::READ;
use crate::graph::mail_write::{WRITE, find};
use crate::graph::query::{self, ListOptions};
use crate::graph::request::{Answer, Family, Request};
use crate::graph::shape::known_members;
use crate::graph::store::Mailbox;
use crate::json::{flag, items, set, text};

#[path = "../../../../../support/documents.rs"]
mod documents;

const OFFICE: &str = "application/vnd.openxmlformats-officedocument";

/// Name, type and content of each; the last was made to fill its reader's memory.
fn files() -> [(&'static str, String, Vec<u8>); 8] {
    let page = b"<html><body><h1>Trade fair</h1><p>Stand 12</p></body></html>";
    [
        ("notes.txt", "text/plain".into(), b"Pallets: 12\r\nBoxes: 40\r\n".to_vec()),
        ("prices.csv", "text/csv".into(), b"item,price\nchair,49.90\ntable,120.00\n".to_vec()),
        ("invitation.html", "text/html".into(), page.to_vec()),
        ("contract.pdf", "application/pdf".into(), documents::contract()),
        ("offer.docx", format!("{OFFICE}.wordprocessingml.document"), documents::offer()),
        ("prices.xlsx", format!("{OFFICE}.spreadsheetml.sheet"), documents::prices()),
        ("fair.pptx", format!("{OFFICE}.presentationml.presentation"), documents::presentation()),
        ("poster.pdf", "application/pdf".into(), documents::pdf_bomb()),
    ]
}

/// The attachments of an item, whose ids begin with the item's.
fn all(item: &Value, base: &str) -> Vec<Value> {
    if !flag(item, "/hasAttachments") {
        return Vec::new();
    }
    let shown = |(number, (name, kind, content)): (usize, (String, String, Vec<u8>))| {
        json!({
            "@odata.type": "#microsoft.graph.fileAttachment", "id": format!("{base}att{number}"), "name": name,
            "contentType": kind, "size": content.len() + 160, "isInline": false, "contentId": null,
            "lastModifiedDateTime": "2026-03-02T08:00:00Z", "contentBytes": STANDARD.encode(content),
        })
    };
    // What was taken off keeps its place, so that the others keep their ids.
    let there = |(_, file): &(usize, Value)| !file.is_null();
    let all = (1..).zip(kept(item)).filter(there);
    all.map(|(number, file)| shown((number, stored(&file)))).collect()
}

/// What is kept with an item; of one that only says that it has files, a sample.
fn kept(item: &Value) -> Vec<Value> {
    let all = items(item, "/files").to_vec();
    if !all.is_empty() {
        return all;
    }
    let sample = files().map(
        |(name, kind, content)| json!({"name": name, "contentType": kind, "contentBytes": STANDARD.encode(content)}),
    );
    sample.into()
}

/// One that a client sent, by its name's ending where it named no type.
fn stored(file: &Value) -> (String, String, Vec<u8>) {
    let name = text(file, "/name").to_owned();
    let kind = match (text(file, "/contentType"), name.rsplit_once('.').map(|(_, ending)| ending)) {
        ("", Some("txt" | "md")) => "text/plain",
        ("", Some("csv")) => "text/csv",
        ("", Some("pdf")) => "application/pdf",
        ("", _) => "application/octet-stream",
        (named, _) => named,
    };
    let content = STANDARD.decode(text(file, "/contentBytes")).unwrap_or_default();
    (name, kind.to_owned(), content)
}

/// Refuses what is no list of files.
pub fn check_all(list: &Value) -> Result<(), GraphError> {
    let shape = || GraphError::new(400, "RequestBodyRead", "Cannot convert the value to a collection of attachments.");
    list.as_array().ok_or_else(shape)?.iter().try_for_each(check)
}

fn check(file: &Value) -> Result<(), GraphError> {
    let refuse = |told: &str| Err(GraphError::new(400, "RequestBodyRead", told));
    let known = ["name", "contentType", "contentBytes", "isInline", "contentId", "contentLocation"];
    known_members(file, &known, "microsoft.graph.fileAttachment")?;
    if file.get("@odata.type").and_then(Value::as_str) != Some("#microsoft.graph.fileAttachment") {
        return refuse("The type 'microsoft.graph.attachment' is abstract: a derived type must be named.");
    }
    if text(file, "/name").is_empty() {
        return Err(GraphError::new(400, "ErrorRequiredPropertyMissing", "Required property 'Name' is missing."));
    }
    let content = file.get("contentBytes").and_then(Value::as_str).and_then(|bytes| STANDARD.decode(bytes).ok());
    if content.is_none() { refuse("Cannot convert the literal to the expected type 'Edm.Binary'.") } else { Ok(()) }
}

/// Keeps a file with its message.
pub fn attach(message: &mut Value, file: &Value) {
    let mut all: Vec<_> = items(message, "/files").to_vec();
    all.push(file.clone());
    set(message, "files", all);
    set(message, "hasAttachments", true);
}

/// POST `/me/messages/{id}/attachments`.
pub fn add(request: &Request<'_>, mailbox: &mut Mailbox, id: &str) -> Result<Answer, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    let body = request.object()?;
    check(&body)?;
    let at = find(request, mailbox, id)?;
    let message = mailbox.messages.get_mut(at).ok_or_else(GraphError::no_item)?;
    attach(&mut message.value, &body);
    let added = of_message(request, mailbox, id)?.pop().ok_or_else(GraphError::no_item)?;
    let location = request.url(&format!("me/messages('{id}')/attachments('{}')", text(&added, "/id")));
    Ok(Answer::created(added, location))
}

/// DELETE `/me/messages/{id}/attachments/{id}`.
pub fn remove(request: &Request<'_>, mailbox: &mut Mailbox, id: &str, one: &str) -> Result<Answer, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    let at = find(request, mailbox, id)?;
    let known = of_message(request, mailbox, id)?.iter().any(|file| text(file, "/id") == one);
    let number = one.rsplit_once("att").and_then(|(_, number)| number.parse::<usize>().ok()).filter(|_| known);
    let message = mailbox.messages.get_mut(at).ok_or_else(GraphError::no_item)?;
    let mut all = kept(&message.value);
    let file = number.and_then(|number| all.get_mut(number.checked_sub(1)?)).ok_or_else(GraphError::no_item)?;
    *file = Value::Null;
    set(&mut message.value, "hasAttachments", all.iter().any(|file| !file.is_null()));
    set(&mut message.value, "files", all);
    Ok(Answer::empty(204))
}

/// Of a message, whole.
pub fn of_message(request: &Request<'_>, mailbox: &Mailbox, id: &str) -> Result<Vec<Value>, GraphError> {
    request.require(READ, Family::Outlook)?;
    let stored = mailbox.messages.get(find(request, mailbox, id)?).ok_or_else(GraphError::no_item)?;
    Ok(all(&stored.value, &mailbox.immutable_id(stored)))
}

fn listed(request: &Request<'_>, all: Vec<Value>) -> Result<Answer, GraphError> {
    let options = ListOptions::parse(request, super::SIZES)?;
    query::page(request, &options, all, "microsoft.graph.attachment")
}

/// One of them; the base type has no `contentBytes` to select.
fn single(request: &Request<'_>, all: Vec<Value>, one: &str) -> Result<Answer, GraphError> {
    let mut found = all.into_iter().find(|file| text(file, "/id") == one).ok_or_else(GraphError::no_item)?;
    if query::option(request, "$select").is_some_and(|list| list.contains("contentBytes")) {
        return Err(GraphError::bad(
            "Could not find a property named 'contentBytes' on type 'microsoft.graph.attachment'.",
        ));
    }
    set(&mut found, "@odata.context", context(request, "attachments/$entity"));
    Ok(Answer::ok(selected(request, found, "microsoft.graph.attachment")?))
}

/// GET `/me/messages/{id}/attachments`.
pub fn list(request: &Request<'_>, mailbox: &Mailbox, id: &str) -> Result<Answer, GraphError> {
    listed(request, of_message(request, mailbox, id)?)
}

/// GET `/me/messages/{id}/attachments/{id}`.
pub fn get(request: &Request<'_>, mailbox: &Mailbox, id: &str, one: &str) -> Result<Answer, GraphError> {
    single(request, of_message(request, mailbox, id)?, one)
}

/// GET `/me/events/{id}/attachments` and, with `one`, `…/{id}`.
pub fn of_event(request: &Request<'_>, mailbox: &Mailbox, id: &str, one: Option<&str>) -> Result<Answer, GraphError> {
    request.require(calendar::READ, Family::Outlook)?;
    let (at, _) = calendar::find(request, mailbox, id)?;
    let event = mailbox.events.get(at).ok_or_else(GraphError::no_item)?;
    let all = all(&event.value, &mailbox.event_id(event.key, None, true));
    match one {
        Some(one) => single(request, all, one),
        None => listed(request, all),
    }
}
