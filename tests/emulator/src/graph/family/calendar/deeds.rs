//! What is done to an event that exists: changed, answered, cancelled, deleted.

use serde_json::{Value, json};

use super::find;
use crate::graph::calendar::{KIND, parse_local, zone_known};
use crate::graph::error::GraphError;
use crate::graph::family::Found;
use crate::graph::request::{Answer, Family, Request};
use crate::graph::shape::{is_address, item_body, known_members};
use crate::graph::store::Mailbox;
use crate::graph::zone::Zone;
use crate::json::{flag, items, set, text};

const WRITE: &[&str] = &["Calendars.ReadWrite", "Calendars.ReadWrite.Shared"];
const CHANGEABLE: &[&str] = &[
    "subject",
    "body",
    "start",
    "end",
    "location",
    "attendees",
    "isAllDay",
    "isOnlineMeeting",
    "onlineMeetingProvider",
    "showAs",
    "reminderMinutesBeforeStart",
    "isReminderOn",
    "recurrence",
    "categories",
    "sensitivity",
    "importance",
];

/// Answers a request for `/me/events/{id}` or what is below it.
pub fn route(request: &Request<'_>, mailbox: &mut Mailbox, (id, rest): (&str, &[&str])) -> Found {
    Ok(Some(match (request.call.method.as_str(), rest) {
        ("PATCH", []) => change(request, mailbox, id)?,
        ("DELETE", []) => delete(request, mailbox, id)?,
        ("POST", ["cancel"]) => cancel(request, mailbox, id)?,
        ("POST", ["accept"]) => respond(request, mailbox, (id, "accepted"))?,
        ("POST", ["tentativelyAccept"]) => respond(request, mailbox, (id, "tentativelyAccepted"))?,
        ("POST", ["decline"]) => respond(request, mailbox, (id, "declined"))?,
        _ => return Ok(None),
    }))
}

fn invalid(message: &str) -> GraphError {
    GraphError::new(400, "ErrorInvalidRequest", message)
}

/// An event that is kept as one; exceptions of a series are not kept here.
fn whole(request: &Request<'_>, mailbox: &Mailbox, id: &str) -> Result<usize, GraphError> {
    match find(request, mailbox, id)? {
        (at, None) => Ok(at),
        (_, Some(_)) => Err(GraphError::new(501, "NotImplemented", "The emulator keeps no exceptions of a series.")),
    }
}

fn moment(body: &Value, name: &str) -> Result<time::OffsetDateTime, GraphError> {
    let zone = Zone::parse(text(body, &format!("/{name}/timeZone")));
    let local = parse_local(text(body, &format!("/{name}/dateTime")));
    let found = local.zip(zone).map(|(local, zone)| zone.moment(local));
    found.ok_or_else(|| {
        GraphError::new(400, "ErrorPropertyValidationFailure", "start and end need a dateTime and a known timeZone.")
    })
}

fn change(request: &Request<'_>, mailbox: &mut Mailbox, id: &str) -> Result<Answer, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    zone_known(request)?;
    let body = request.object()?;
    known_members(&body, CHANGEABLE, KIND)?;
    item_body(body.get("body"))?;
    let at = whole(request, mailbox, id)?;
    if items(&body, "/attendees").iter().any(|one| !is_address(text(one, "/emailAddress/address"))) {
        return Err(GraphError::new(400, "ErrorInvalidRecipients", "At least one attendee is not valid."));
    }
    let event = mailbox.events.get_mut(at).ok_or_else(GraphError::no_item)?;
    if !flag(&event.value, "/isOrganizer") && body.get("attendees").is_some() {
        return Err(GraphError::new(403, "ErrorAccessDenied", "Only the organizer can change the attendees."));
    }
    if body.get("start").is_some() || body.get("end").is_some() {
        let (start, end) = (moment(&body, "start")?, moment(&body, "end")?);
        if end < start {
            let message = "The end date is earlier than the start date.";
            return Err(GraphError::new(400, "ErrorCalendarEndDateIsEarlierThanStartDate", message));
        }
        text(&body, "/start/timeZone").clone_into(&mut event.zone);
        event.start = Zone::parse(&event.zone).unwrap_or(Zone::UTC).local(start);
        event.length = end - start;
    }
    for (name, member) in body.as_object().into_iter().flatten() {
        if name != "start" && name != "end" {
            set(&mut event.value, name, member.clone());
        }
    }
    if flag(&body, "/isOnlineMeeting") {
        set(&mut event.value, "onlineMeeting", json!({"joinUrl": "https://teams.contoso.example/l/meetup-join/added"}));
    }
    Ok(Answer::ok(super::shown(request, mailbox, id)?))
}

fn delete(request: &Request<'_>, mailbox: &mut Mailbox, id: &str) -> Result<Answer, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    let at = whole(request, mailbox, id)?;
    mailbox.events.remove(at);
    Ok(Answer::empty(204))
}

fn cancel(request: &Request<'_>, mailbox: &mut Mailbox, id: &str) -> Result<Answer, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    known_members(&request.object()?, &["comment", "Comment"], "microsoft.graph.event.cancel")?;
    let at = whole(request, mailbox, id)?;
    let event = mailbox.events.get(at).ok_or_else(GraphError::no_item)?;
    if !flag(&event.value, "/isOrganizer") {
        return Err(invalid("You need to be an organizer to cancel a meeting."));
    }
    mailbox.events.remove(at);
    Ok(Answer::empty(202))
}

fn respond(request: &Request<'_>, mailbox: &mut Mailbox, (id, response): (&str, &str)) -> Result<Answer, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    let body = request.object()?;
    known_members(&body, &["comment", "sendResponse", "proposedNewTime"], "microsoft.graph.event.respond")?;
    let at = whole(request, mailbox, id)?;
    let event = mailbox.events.get_mut(at).ok_or_else(GraphError::no_item)?;
    if flag(&event.value, "/isOrganizer") {
        return Err(invalid("You can't respond to this meeting because you're the meeting organizer."));
    }
    if let Some(proposal) = body.get("proposedNewTime") {
        let silent = body.get("sendResponse") == Some(&Value::Bool(false));
        if response == "accepted" || silent || !flag(&event.value, "/allowNewTimeProposals") {
            return Err(invalid("A new time cannot be proposed with this response."));
        }
        if moment(proposal, "end")? <= moment(proposal, "start")? {
            return Err(invalid("The proposed end is before its start."));
        }
    }
    if response == "declined" {
        mailbox.events.remove(at);
    } else {
        set(&mut event.value, "responseStatus", json!({"response": response, "time": "2026-01-06T10:00:00Z"}));
    }
    Ok(Answer::empty(202))
}
