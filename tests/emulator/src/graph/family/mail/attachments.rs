//! Attachments: of every message that has some, one of each kind that a reader must tell apart.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{context, selected};
use crate::graph::error::GraphError;
use crate::graph::mail::READ;
use crate::graph::mail_write::find;
use crate::graph::query::{self, ListOptions};
use crate::graph::request::{Answer, Family, Request};
use crate::graph::store::Mailbox;
use crate::json::{flag, set, text};

/// Number, name, type and content of each.
const FILES: &[(&str, &str, &str, &[u8])] = &[
    ("1", "notes.txt", "text/plain", b"Pallets: 12\r\nBoxes: 40\r\n"),
    ("2", "prices.csv", "text/csv", b"item,price\nchair,49.90\ntable,120.00\n"),
    ("3", "invitation.html", "text/html", b"<html><body><h1>Trade fair</h1><p>Stand 12</p></body></html>"),
    ("4", "contract.pdf", "application/pdf", b"%PDF-1.7 invented"),
];

/// Of a message, whole.
pub fn all(request: &Request<'_>, mailbox: &Mailbox, id: &str) -> Result<Vec<Value>, GraphError> {
    request.require(READ, Family::Outlook)?;
    let stored = mailbox.messages.get(find(request, mailbox, id)?).ok_or_else(GraphError::no_item)?;
    if !flag(&stored.value, "/hasAttachments") {
        return Ok(Vec::new());
    }
    let base = mailbox.immutable_id(stored);
    let shown = FILES.iter().map(|(number, name, kind, content)| {
        json!({
            "@odata.type": "#microsoft.graph.fileAttachment", "id": format!("{base}att{number}"), "name": name,
            "contentType": kind, "size": content.len() + 160, "isInline": false, "contentId": null,
            "lastModifiedDateTime": "2026-03-02T08:00:00Z", "contentBytes": STANDARD.encode(content),
        })
    });
    Ok(shown.collect())
}

/// GET `/me/messages/{id}/attachments`.
pub fn list(request: &Request<'_>, mailbox: &Mailbox, id: &str) -> Result<Answer, GraphError> {
    let options = ListOptions::parse(request, super::SIZES)?;
    query::page(request, &options, all(request, mailbox, id)?, "microsoft.graph.attachment")
}

/// GET `/me/messages/{id}/attachments/{id}`; the base type has no `contentBytes` to select.
pub fn get(request: &Request<'_>, mailbox: &Mailbox, id: &str, one: &str) -> Result<Answer, GraphError> {
    let all = all(request, mailbox, id)?;
    let mut found = all.into_iter().find(|file| text(file, "/id") == one).ok_or_else(GraphError::no_item)?;
    if query::option(request, "$select").is_some_and(|list| list.contains("contentBytes")) {
        return Err(GraphError::bad(
            "Could not find a property named 'contentBytes' on type 'microsoft.graph.attachment'.",
        ));
    }
    set(&mut found, "@odata.context", context(request, "attachments/$entity"));
    Ok(Answer::ok(selected(request, found, "microsoft.graph.attachment")?))
}
