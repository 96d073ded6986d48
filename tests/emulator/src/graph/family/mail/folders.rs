//! Mail folders: reading one, making, renaming and moving. Outlook's own stay as they are.

use serde_json::{Value, json};

use super::selected;
use crate::graph::error::GraphError;
use crate::graph::mail::{READ, folder, inside};
use crate::graph::mail_write::WRITE;
use crate::graph::query::{self, ListOptions};
use crate::graph::request::{Answer, Family, Request};
use crate::graph::shape::known_members;
use crate::graph::store::{MadeFolder, Mailbox};
use crate::json::text;

const KIND: &str = "microsoft.graph.mailFolder";

/// GET `/me/mailFolders/{id}`.
pub fn get(request: &Request<'_>, mailbox: &Mailbox, id: &str) -> Result<Answer, GraphError> {
    request.require(READ, Family::Outlook)?;
    let key = mailbox.folder(id).ok_or_else(GraphError::no_item)?;
    Ok(Answer::ok(selected(request, folder(mailbox, key), KIND)?))
}

/// GET `/me/mailFolders/{id}/childFolders`.
pub fn children(request: &Request<'_>, mailbox: &Mailbox, id: &str) -> Result<Answer, GraphError> {
    request.require(READ, Family::Outlook)?;
    let key = mailbox.folder(id).ok_or_else(GraphError::no_item)?;
    query::page(request, &ListOptions::parse(request, super::SIZES)?, inside(mailbox, key), KIND)
}

/// POST `/me/mailFolders` and `/me/mailFolders/{id}/childFolders`.
pub fn create(request: &Request<'_>, mailbox: &mut Mailbox, parent: &str) -> Result<Answer, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    let name = named(&request.object()?, &["displayName", "isHidden"], "displayName")?;
    let parent = mailbox.folder(parent).ok_or_else(GraphError::no_item)?;
    free(mailbox, parent, &name)?;
    // The keys of the sample are words of the program; a handful more for the life of a test is no leak to speak of.
    let key: &'static str = Box::leak(format!("made-{}", mailbox.number()).into_boxed_str());
    mailbox.made.push(MadeFolder { key, name, parent });
    let made = folder(mailbox, key);
    let location = request.url(&format!("me/mailFolders('{}')", text(&made, "/id")));
    Ok(Answer::created(made, location))
}

/// PATCH `/me/mailFolders/{id}`.
pub fn rename(request: &Request<'_>, mailbox: &mut Mailbox, id: &str) -> Result<Answer, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    let name = named(&request.object()?, &["displayName"], "displayName")?;
    let at = made(mailbox, id, "ErrorCannotRenameDistinguishedFolder")?;
    let parent = mailbox.made.get(at).ok_or_else(GraphError::no_item)?.parent;
    free(mailbox, parent, &name)?;
    let found = mailbox.made.get_mut(at).ok_or_else(GraphError::no_item)?;
    found.name = name;
    let key = found.key;
    Ok(Answer::ok(folder(mailbox, key)))
}

/// POST `/me/mailFolders/{id}/move`.
pub fn relocate(request: &Request<'_>, mailbox: &mut Mailbox, id: &str) -> Result<Answer, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    let to = named(&request.object()?, &["destinationId"], "destinationId")?;
    let parent = mailbox.folder(&to).ok_or_else(GraphError::no_item)?;
    let at = made(mailbox, id, "ErrorMoveDistinguishedFolder")?;
    let found = mailbox.made.get_mut(at).ok_or_else(GraphError::no_item)?;
    found.parent = parent;
    let key = found.key;
    Ok(Answer::created(folder(mailbox, key), request.url("me/mailFolders")))
}

/// The one text that the body must have.
fn named(body: &Value, known: &[&str], name: &str) -> Result<String, GraphError> {
    known_members(body, known, KIND)?;
    let found = body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    found.map(str::to_owned).ok_or_else(|| GraphError::bad(&format!("The property '{name}' is required.")))
}

fn free(mailbox: &Mailbox, parent: &str, name: &str) -> Result<(), GraphError> {
    let same = |other: &Value| other.get("displayName").is_some_and(|taken| *taken == json!(name));
    if inside(mailbox, parent).iter().any(same) {
        return Err(GraphError::new(409, "ErrorFolderExists", "A folder with the specified name already exists."));
    }
    Ok(())
}

/// The place of a folder that somebody made.
fn made(mailbox: &Mailbox, id: &str, refusal: &'static str) -> Result<usize, GraphError> {
    let key = mailbox.folder(id).ok_or_else(GraphError::no_item)?;
    let at = mailbox.made.iter().position(|folder| folder.key == key);
    at.ok_or_else(|| GraphError::new(403, refusal, "The folder is one of the mailbox's own."))
}
