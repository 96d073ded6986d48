//! The address book, as it is after what was changed in it.

use std::collections::HashMap;

use serde_json::Value;
use time::Date;

use super::Found;
use crate::graph::error::GraphError;
use crate::graph::people;
use crate::graph::query;
use crate::graph::request::{Answer, Family, Request};
use crate::graph::store::GraphStore;
use crate::json::text;
use crate::sample;
use crate::sample::directory::{USERS, User};

/// What this family keeps between requests.
pub struct Store {
    books: HashMap<&'static str, Vec<Value>>,
}

impl Store {
    /// The sample data around a day.
    pub fn sample(_today: Date) -> Self {
        Self { books: USERS.iter().map(|user| (user.oid, sample::people::contacts(user))).collect() }
    }

    fn book(&mut self, user: &User) -> &mut Vec<Value> {
        self.books.entry(user.oid).or_default()
    }
}

/// Answers a request for one of this family's paths.
pub fn route(request: &Request<'_>, store: &mut GraphStore, path: &[&str]) -> Found {
    let book = store.family.contacts.book(request.consent.user);
    Ok(Some(match (request.call.method.as_str(), path) {
        ("GET", ["me", "contacts"]) => people::contacts(request, book.clone())?,
        ("GET", ["me", "contacts", id]) => get(request, book, id)?,
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

fn delete(request: &Request<'_>, book: &mut Vec<Value>, id: &str) -> Result<Answer, GraphError> {
    request.require(&["Contacts.ReadWrite"], Family::Outlook)?;
    let at = book.iter().position(|contact| text(contact, "/id") == id).ok_or_else(GraphError::no_item)?;
    book.remove(at);
    Ok(Answer::empty(204))
}
