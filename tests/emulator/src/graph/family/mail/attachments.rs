//! Attachments: of every message and event that has some, one of each kind that a reader must tell apart.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{context, selected};
use crate::graph::error::GraphError;
use crate::graph::family::calendar;
use crate::graph::mail::READ;
use crate::graph::mail_write::find;
use crate::graph::query::{self, ListOptions};
use crate::graph::request::{Answer, Family, Request};
use crate::graph::store::Mailbox;
use crate::json::{flag, set, text};

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
    let shown = (1..).zip(files()).map(|(number, (name, kind, content))| {
        json!({
            "@odata.type": "#microsoft.graph.fileAttachment", "id": format!("{base}att{number}"), "name": name,
            "contentType": kind, "size": content.len() + 160, "isInline": false, "contentId": null,
            "lastModifiedDateTime": "2026-03-02T08:00:00Z", "contentBytes": STANDARD.encode(content),
        })
    });
    shown.collect()
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
