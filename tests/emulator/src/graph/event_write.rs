//! Creating events: checks, defaults, and the `transactionId` that makes a repeated POST harmless.

use serde_json::{Value, json};
use uuid::Uuid;

use super::calendar::{KIND, calendar, parse_local, zone_known};
use super::error::GraphError;
use super::event::{Exception, StoredEvent};
use super::pattern;
use super::request::{Answer, Family, Request};
use super::shape::{is_address, item_body, known_members};
use super::store::Mailbox;
use super::zone::Zone;
use crate::json::{flag, items, set, text};
use crate::sample::calendar::event_defaults;
use crate::sample::directory::Home;

const WRITE: &[&str] = &["Calendars.ReadWrite", "Calendars.ReadWrite.Shared"];
const WRITABLE: &[&str] = &[
    "subject",
    "body",
    "start",
    "end",
    "location",
    "locations",
    "attendees",
    "isAllDay",
    "recurrence",
    "isOnlineMeeting",
    "onlineMeetingProvider",
    "transactionId",
    "showAs",
    "sensitivity",
    "importance",
    "reminderMinutesBeforeStart",
    "isReminderOn",
    "responseRequested",
    "allowNewTimeProposals",
    "categories",
    "hideAttendees",
    "singleValueExtendedProperties",
];

/// POST `/me/events` and `/me/calendars/{id}/events`; a repeated `transactionId` gives the first event again,
/// as long as that is still the same.
pub fn create(request: &Request<'_>, mailbox: &mut Mailbox, id: Option<&str>) -> Result<Answer, GraphError> {
    request.require(WRITE, Family::Outlook)?;
    zone_known(request)?;
    let body = request.object()?;
    let calendar = calendar(mailbox, id)?.to_owned();
    let transaction = text(&body, "/transactionId");
    let repeated = mailbox
        .events
        .iter()
        .find(|event| !transaction.is_empty() && text(&event.value, "/transactionId") == transaction);
    if let Some(event) = repeated {
        if text(&event.value, "/subject") != text(&body, "/subject") {
            return Err(GraphError::new(
                400,
                "ErrorDuplicateTransactionId",
                "The TransactionId specified in the request has already been used to create a different event.",
            ));
        }
        return Ok(created(request, event.render_master(mailbox, &request.prefer)));
    }
    let event = check(mailbox, &body, calendar)?;
    let value = event.render_master(mailbox, &request.prefer);
    mailbox.events.push(event);
    Ok(created(request, value))
}

fn created(request: &Request<'_>, value: Value) -> Answer {
    let location = request.url(&format!("me/events('{}')", text(&value, "/id")));
    Answer::created(value, location)
}

fn check(mailbox: &mut Mailbox, body: &Value, calendar: String) -> Result<StoredEvent, GraphError> {
    let refuse = |message: &str| GraphError::new(400, "ErrorPropertyValidationFailure", message);
    known_members(body, WRITABLE, KIND)?;
    item_body(body.get("body"))?;
    let time = |name: &str| {
        let zone = text(body, &format!("/{name}/timeZone")).to_owned();
        let local = parse_local(text(body, &format!("/{name}/dateTime")));
        local.zip(Zone::parse(&zone)).map(|(local, found)| (local, zone, found))
    };
    let wrong =
        || refuse("At least one property failed validation: start and end need a dateTime and a known timeZone.");
    let (start, zone, start_zone) = time("start").ok_or_else(wrong)?;
    let (end, _, end_zone) = time("end").ok_or_else(wrong)?;
    let length = end_zone.moment(end) - start_zone.moment(start);
    if length.is_negative() {
        return Err(GraphError::new(
            400,
            "ErrorCalendarEndDateIsEarlierThanStartDate",
            "The end date is earlier than the start date.",
        ));
    }
    if flag(body, "/isAllDay")
        && (start.time() != time::Time::MIDNIGHT || end.time() != time::Time::MIDNIGHT || length.is_zero())
    {
        return Err(refuse("The Event.Start property for an all-day event needs to be set to midnight."));
    }
    pattern::check(body.get("recurrence"), start.date())?;
    for attendee in items(body, "/attendees") {
        if !is_address(text(attendee, "/emailAddress/address")) {
            return Err(GraphError::new(400, "ErrorInvalidRecipients", "At least one attendee is not valid."));
        }
    }
    let mut value = event_defaults(mailbox.user);
    for (name, member) in body.as_object().into_iter().flatten() {
        if name != "start" && name != "end" {
            set(&mut value, name, member.clone());
        }
    }
    let attendees: Vec<Value> = items(body, "/attendees").iter().map(attendee).collect();
    set(&mut value, "attendees", attendees);
    if mailbox.user.home == Home::Personal {
        // No Teams link, and no word about it.
        set(&mut value, "isOnlineMeeting", false);
        set(&mut value, "onlineMeetingProvider", "unknown");
    } else if flag(body, "/isOnlineMeeting") {
        set(&mut value, "onlineMeetingProvider", "teamsForBusiness");
        let join = format!("https://teams.contoso.example/l/meetup-join/{}", Uuid::new_v4());
        set(&mut value, "onlineMeeting", json!({"joinUrl": join}));
    }
    Ok(StoredEvent { key: mailbox.number(), calendar, zone, start, length, value, exception: Exception::default() })
}

fn attendee(given: &Value) -> Value {
    let address = text(given, "/emailAddress/address");
    let name = Some(text(given, "/emailAddress/name")).filter(|name| !name.is_empty()).unwrap_or(address);
    let kind = Some(text(given, "/type")).filter(|kind| !kind.is_empty()).unwrap_or("required");
    json!({
        "type": kind, "status": {"response": "none", "time": "0001-01-01T00:00:00Z"},
        "emailAddress": {"name": name, "address": address},
    })
}
