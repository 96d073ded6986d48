//! The address book, as it is after what was changed in it.

use std::collections::HashMap;

use serde_json::Value;
use time::Date;

use super::Found;
use crate::graph::error::GraphError;
use crate::graph::people;
use crate::graph::query;
use crate::graph::request::{Answer, Family, Request};
use crate::graph::shape::{is_address, known_members};
use crate::graph::store::GraphStore;
use crate::json::{items, set, text};
use crate::sample;
use crate::sample::directory::{USERS, User};

const WRITABLE: &[&str] = &[
    "displayName",
    "givenName",
    "surname",
    "emailAddresses",
    "businessPhones",
    "mobilePhone",
    "companyName",
    "jobTitle",
    "personalNotes",
];

/// What this family keeps between requests.
pub struct Store {
    books: HashMap<&'static str, Vec<Value>>,
}

impl Store {
    /// The sample data around a day.
    pub fn sample(_today: Date) -> Self {
        Self { books: USERS.iter().map(|user| (user.oid, sample::people::contacts(user))).collect() }
    }

    /// A person's contacts.
    pub fn book(&mut self, user: &User) -> &mut Vec<Value> {
        self.books.entry(user.oid).or_default()
    }
}

/// Answers a request for one of this family's paths.
pub fn route(request: &Request<'_>, store: &mut GraphStore, path: &[&str]) -> Found {
    let book = store.family.contacts.book(request.consent.user);
    Ok(Some(match (request.call.method.as_str(), path) {
        ("GET", ["me", "contacts"]) => people::contacts(request, book.clone())?,
        ("GET", ["me", "contacts", id]) => get(request, book, id)?,
        ("POST", ["me", "contacts"]) => create(request, book)?,
        ("PATCH", ["me", "contacts", id]) => change(request, book, id)?,
        ("DELETE", ["me", "contacts", id]) => delete(request, book, id)?,
        _ => return Ok(None),
    }))
}

fn get(request: &Request<'_>, book: &[Value], id: &str) -> Result<Answer, GraphError> {
    request.require(&["Contacts.Read", "Contacts.ReadWrite"], Family::Outlook)?;
    let found = book.iter().find(|contact| text(contact, "/id") == id).ok_or_else(GraphError::no_item)?;
    let chosen: Option<Vec<String>> =
        query::option(request, "$select").map(|list| list.split(',').map(str::to_owned).collect());
    Ok(Answer::ok(query::select(found.clone(), chosen.as_deref(), "microsoft.graph.contact")?))
}

/// The members that a client may write, of the right shape.
fn written(request: &Request<'_>) -> Result<Value, GraphError> {
    request.require(&["Contacts.ReadWrite"], Family::Outlook)?;
    let body = request.object()?;
    known_members(&body, WRITABLE, "microsoft.graph.contact")?;
    let addresses = items(&body, "/emailAddresses");
    if addresses.len() > 3 || addresses.iter().any(|one| !is_address(text(one, "/address"))) {
        return Err(GraphError::new(400, "ErrorInvalidArgument", "The e-mail addresses of the contact are not valid."));
    }
    if items(&body, "/businessPhones").len() > 2 {
        return Err(GraphError::new(400, "ErrorInvalidArgument", "A contact has at most two business phones."));
    }
    Ok(body)
}

fn put(contact: &mut Value, body: &Value) {
    for (name, member) in body.as_object().into_iter().flatten() {
        set(contact, name, member.clone());
    }
}

fn create(request: &Request<'_>, book: &mut Vec<Value>) -> Result<Answer, GraphError> {
    let body = written(request)?;
    let mut contact = book.first().cloned().unwrap_or_default();
    for (_, member) in contact.as_object_mut().into_iter().flatten() {
        *member = Value::Null;
    }
    put(&mut contact, &body);
    set(&mut contact, "id", format!("AAMkAFnew{:04}AAA=", book.len()));
    book.push(contact.clone());
    let location = request.url(&format!("me/contacts('{}')", text(&contact, "/id")));
    Ok(Answer::created(contact, location))
}

fn change(request: &Request<'_>, book: &mut [Value], id: &str) -> Result<Answer, GraphError> {
    let body = written(request)?;
    let contact = book.iter_mut().find(|contact| text(contact, "/id") == id).ok_or_else(GraphError::no_item)?;
    put(contact, &body);
    Ok(Answer::ok(contact.clone()))
}

fn delete(request: &Request<'_>, book: &mut Vec<Value>, id: &str) -> Result<Answer, GraphError> {
    request.require(&["Contacts.ReadWrite"], Family::Outlook)?;
    let at = book.iter().position(|contact| text(contact, "/id") == id).ok_or_else(GraphError::no_item)?;
    book.remove(at);
    Ok(Answer::empty(204))
}
