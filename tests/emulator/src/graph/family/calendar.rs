//! The calendar beyond the core: single events and occurrences, rooms, other people's calendars. Answers, changes and
//! cancellations are `deeds`, free and busy times `free`.

mod deeds;
mod free;

use serde_json::{Value, json};
use time::macros::datetime;
use time::{Date, OffsetDateTime};

use super::Found;
use super::mail::attachments;
use crate::graph::calendar as core;
use crate::graph::error::GraphError;
use crate::graph::event::Occurrence;
use crate::graph::query::{self, ListOptions, Sizes};
use crate::graph::request::{Answer, Family, Request};
use crate::graph::store::{GraphStore, Mailbox};

/// Scopes that read calendars.
pub const READ: &[&str] =
    &["Calendars.Read", "Calendars.ReadWrite", "Calendars.Read.Shared", "Calendars.ReadWrite.Shared"];
const SHARED: &[&str] = &["Calendars.Read.Shared", "Calendars.ReadWrite.Shared"];
const SIZES: Sizes = Sizes { default: 10, max: 1000 };
/// Rooms: id, name, address, capacity.
const ROOMS: &[(&str, &str, &str, u32)] = &[
    ("3162f1e1-c4c0-604b-51d8-91da78980001", "Room Linden", "linden@contoso.example", 8),
    ("3162f1e1-c4c0-604b-51d8-91da78980002", "Room Maple", "maple@contoso.example", 20),
];

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
    let user = request.consent.user;
    Ok(Some(match (request.call.method.as_str(), path) {
        ("GET", ["me", "events", id]) => get(request, store.mailbox(user), id)?,
        ("GET", ["me", "events", id, "attachments"]) => attachments::of_event(request, store.mailbox(user), id, None)?,
        ("GET", ["me", "events", id, "attachments", one]) => {
            attachments::of_event(request, store.mailbox(user), id, Some(one))?
        }
        ("GET", ["places", "microsoft.graph.room"]) => rooms(request)?,
        ("POST", ["me", "calendar", "getSchedule"]) => free::schedule(request, store)?,
        ("POST", ["me", "findMeetingTimes"]) => free::suggestions(request, store)?,
        (_, ["me", "events", id, rest @ ..]) => return deeds::route(request, store.mailbox(user), (id, rest)),
        _ => return Ok(None),
    }))
}

/// Where an event or an occurrence of a series is kept. Immutable ids count only where they were asked for.
pub fn find(request: &Request<'_>, mailbox: &Mailbox, id: &str) -> Result<(usize, Option<Occurrence>), GraphError> {
    if !id.starts_with("AAMkAE") && !id.starts_with("AAkALE") {
        return Err(GraphError::malformed_id());
    }
    let immutable = request.prefer.immutable;
    let is = |key, number| {
        mailbox.event_id(key, number, false) == id || (immutable && mailbox.event_id(key, number, true) == id)
    };
    let (from, to) = (OffsetDateTime::UNIX_EPOCH, datetime!(2100-01-01 00:00 UTC));
    for (at, event) in mailbox.events.iter().enumerate() {
        if is(event.key, None) {
            return Ok((at, None));
        }
        let one = event.between(from, to).into_iter().find(|one| one.number.is_some() && is(event.key, one.number));
        if one.is_some() {
            return Ok((at, one));
        }
    }
    Err(GraphError::no_item())
}

fn shown(request: &Request<'_>, mailbox: &Mailbox, id: &str) -> Result<Value, GraphError> {
    let (at, one) = find(request, mailbox, id)?;
    let event = mailbox.events.get(at).ok_or_else(GraphError::no_item)?;
    let value = match one {
        Some(one) => event.render(mailbox, one, &request.prefer),
        None => event.render_master(mailbox, &request.prefer),
    };
    let chosen: Option<Vec<String>> =
        query::option(request, "$select").map(|list| list.split(',').map(str::to_owned).collect());
    query::select(value, chosen.as_deref(), core::KIND)
}

fn get(request: &Request<'_>, mailbox: &Mailbox, id: &str) -> Result<Answer, GraphError> {
    request.require(READ, Family::Outlook)?;
    core::zone_known(request)?;
    Ok(Answer::ok(shown(request, mailbox, id)?))
}

fn rooms(request: &Request<'_>) -> Result<Answer, GraphError> {
    request.require(&["Place.Read.All", "Place.ReadWrite.All"], Family::Directory)?;
    let options = ListOptions::parse(request, SIZES)?;
    let list = ROOMS.iter().map(|(id, name, address, capacity)| {
        // The documents have this number as text, the schema as a number.
        let capacity = if *capacity > 9 { json!(capacity.to_string()) } else { json!(capacity) };
        json!({
            "id": id, "displayName": name, "emailAddress": address, "capacity": capacity, "building": "1",
            "floorNumber": 2, "floorLabel": null, "phone": "", "bookingType": "standard", "nickname": name,
            "isWheelChairAccessible": true, "tags": [], "audioDeviceName": null, "videoDeviceName": null,
        })
    });
    query::page(request, &options, list.collect(), "microsoft.graph.room")
}
