//! `getSchedule` and `findMeetingTimes`, out of the events that the mailboxes hold.

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::{READ, SHARED};
use crate::graph::calendar::{parse_local, zone_known};
use crate::graph::error::GraphError;
use crate::graph::event::STAMP;
use crate::graph::request::{Answer, Family, Request};
use crate::graph::shape::{is_address, known_members};
use crate::graph::store::{GraphStore, Mailbox};
use crate::graph::zone::Zone;
use crate::json::{items, text};
use crate::sample::directory::{self, Home, USERS};

/// Schedules in one request, days in one look.
const MOST: usize = 20;
const DAYS: i64 = 42;
/// A list of people, of whom Exchange tells merged hours alone.
const LIST: &str = "everybody@contoso.example";

fn moment(body: &Value, name: &str) -> Result<OffsetDateTime, GraphError> {
    let zone = Zone::parse(text(body, &format!("/{name}/timeZone")));
    let local = parse_local(text(body, &format!("/{name}/dateTime")));
    let found = local.zip(zone).map(|(local, zone)| zone.moment(local));
    found.ok_or_else(|| GraphError::new(400, "ErrorInvalidParameter", "A dateTime and a known timeZone are needed."))
}

fn window(body: &Value, names: (&str, &str)) -> Result<(OffsetDateTime, OffsetDateTime), GraphError> {
    let (start, end) = (moment(body, names.0)?, moment(body, names.1)?);
    if end <= start || end - start >= Duration::days(DAYS) {
        return Err(GraphError::new(400, "ErrorInvalidTimeInterval", "The requested time duration is invalid."));
    }
    Ok((start, end))
}

/// What stands in a mailbox's calendar.
fn blocks(
    mailbox: &Mailbox,
    (from, to): (OffsetDateTime, OffsetDateTime),
) -> Vec<(OffsetDateTime, OffsetDateTime, &Value)> {
    let mut all: Vec<_> = mailbox
        .events
        .iter()
        .filter(|event| event.calendar == "Calendar")
        .flat_map(|event| event.between(from, to).into_iter().map(|one| (one.start, one.end, &event.value)))
        .collect();
    all.sort_by_key(|(start, ..)| *start);
    all
}

fn clock(request: &Request<'_>, at: OffsetDateTime) -> Value {
    let name = request.prefer.zone.as_deref().unwrap_or("UTC");
    let local = Zone::parse(name).unwrap_or(Zone::UTC).local(at);
    json!({"dateTime": local.format(STAMP).unwrap_or_default(), "timeZone": name})
}

/// POST `/me/calendar/getSchedule`.
pub fn schedule(request: &Request<'_>, store: &mut GraphStore) -> Result<Answer, GraphError> {
    request.require(READ, Family::Outlook)?;
    zone_known(request)?;
    let body = request.object()?;
    let known = ["schedules", "startTime", "endTime", "availabilityViewInterval"];
    known_members(&body, &known, "microsoft.graph.calendar.getSchedule")?;
    let range = window(&body, ("startTime", "endTime"))?;
    let asked = items(&body, "/schedules");
    if asked.is_empty() || asked.len() > MOST {
        return Err(GraphError::new(400, "ErrorInvalidParameter", "The number of schedules is out of range."));
    }
    let interval = body.get("availabilityViewInterval").and_then(Value::as_i64).unwrap_or(30);
    if !(5..=1440).contains(&interval) {
        return Err(GraphError::new(400, "ErrorInvalidParameter", "The interval is out of range."));
    }
    let ask = (range, Duration::minutes(interval));
    let value: Vec<Value> = asked.iter().map(|one| of(request, store, one.as_str().unwrap_or_default(), ask)).collect();
    Ok(Answer::ok(json!({"@odata.context": request.url("$metadata#Collection(scheduleInformation)"), "value": value})))
}

fn of(
    request: &Request<'_>,
    store: &mut GraphStore,
    address: &str,
    (range, interval): ((OffsetDateTime, OffsetDateTime), Duration),
) -> Value {
    if address == LIST {
        let staff = USERS.iter().filter(|user| user.home == Home::Contoso);
        let all: Vec<_> = staff.flat_map(|user| taken(store.mailbox(user), range)).collect();
        return json!({"scheduleId": address, "availabilityView": view(&all, range, interval), "scheduleItems": []});
    }
    if super::ROOMS.iter().any(|(_, _, room, _)| *room == address) {
        return json!({"scheduleId": address, "availabilityView": "", "scheduleItems": [], "workingHours": null});
    }
    let Some(user) = directory::by_email(address).filter(|user| user.home == Home::Contoso) else {
        let error = json!({"message": "Unable to resolve e-mail address to a mailbox.", "responseCode": "ErrorMailRecipientNotFound"});
        return json!({"scheduleId": address, "scheduleItems": null, "error": error});
    };
    let mine = user.oid == request.consent.user.oid;
    let merged = view(&taken(store.mailbox(user), range), range, interval);
    let blocks = blocks(store.mailbox(user), range).into_iter().map(|(start, end, event)| {
        let mut block = json!({
            "status": text(event, "/showAs"), "isPrivate": text(event, "/sensitivity") == "private",
            "start": clock(request, start), "end": clock(request, end),
        });
        if mine {
            crate::json::set(&mut block, "subject", text(event, "/subject"));
        }
        block
    });
    json!({"scheduleId": address, "availabilityView": merged, "scheduleItems": blocks.collect::<Vec<_>>(), "workingHours": null})
}

/// A digit for each slot: that of the block in it which counts most.
fn view(
    taken: &[(OffsetDateTime, OffsetDateTime, char)],
    (from, to): (OffsetDateTime, OffsetDateTime),
    interval: Duration,
) -> String {
    let starts = std::iter::successors(Some(from), |start| Some(*start + interval)).take_while(|start| *start < to);
    let in_slot = |start: OffsetDateTime| taken.iter().filter(move |(s, e, _)| *s < start + interval && *e > start);
    starts.map(|start| in_slot(start).map(|(.., digit)| *digit).max().unwrap_or('0')).collect()
}

/// POST `/me/findMeetingTimes`: half-hour steps, by day between 8 and 17 in the user's zone unless unrestricted.
pub fn suggestions(request: &Request<'_>, store: &mut GraphStore) -> Result<Answer, GraphError> {
    request.require(SHARED, Family::Outlook)?;
    let user = request.consent.user;
    if user.home == Home::Personal {
        return Err(GraphError::new(400, "ErrorUnsupportedOperation", "Not available to personal accounts."));
    }
    zone_known(request)?;
    let body = request.object()?;
    let known = [
        "attendees",
        "timeConstraint",
        "meetingDuration",
        "maxCandidates",
        "isOrganizerOptional",
        "minimumAttendeePercentage",
        "returnSuggestionReasons",
        "locationConstraint",
    ];
    known_members(&body, &known, "microsoft.graph.user.findMeetingTimes")?;
    let slot = body.pointer("/timeConstraint/timeSlots/0").cloned().unwrap_or_default();
    let (from, to) = window(&slot, ("start", "end"))?;
    let length = text(&body, "/meetingDuration").strip_prefix("PT").and_then(|text| text.strip_suffix('M'));
    let minutes: i64 = length
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| GraphError::new(400, "ErrorInvalidParameter", "meetingDuration is not an ISO 8601 duration."))?;
    // Of the organiser, what is only tentative is passed over and told.
    let (tentative, mut blocks): (Vec<_>, Vec<_>) =
        taken(store.mailbox(user), (from, to)).into_iter().partition(|(.., digit)| *digit == '1');
    for attendee in items(&body, "/attendees") {
        let address = text(attendee, "/emailAddress/address");
        if !is_address(address) {
            return Err(GraphError::new(400, "ErrorInvalidRecipients", "At least one attendee is not valid."));
        }
        if let Some(other) = directory::by_email(address) {
            blocks.extend(taken(store.mailbox(other), (from, to)));
        }
    }
    let work = text(&body, "/timeConstraint/activityDomain") != "unrestricted";
    let zone = Zone::parse(user.zone).unwrap_or(Zone::UTC);
    let open = |start: OffsetDateTime| {
        let end = start + Duration::minutes(minutes);
        let (first, last) = (zone.local(start), zone.local(end));
        let weekday = first.weekday().number_days_from_monday() < 5;
        let hours = first.hour() >= 8
            && last.date() == first.date()
            && (last.hour() < 17 || (last.hour() == 17 && last.minute() == 0));
        end <= to && (!work || (weekday && hours)) && !overlap(&blocks, (start, end))
    };
    let most =
        body.get("maxCandidates").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok()).unwrap_or(20);
    let steps = (to - from).whole_minutes() / 30;
    let starts = (0..=steps).map(|step| from + Duration::minutes(30 * step)).filter(|start| open(*start));
    let slots = starts.map(|start| (start, start + Duration::minutes(minutes)));
    let mut slots: Vec<_> = slots.map(|slot| (overlap(&tentative, slot), slot)).take(most).collect();
    // The order is not that of time.
    slots.sort_by_key(|(doubtful, _)| *doubtful);
    let told = |(doubtful, (start, end))| {
        let organizer = if doubtful { "tentative" } else { "free" };
        let slot = json!({"start": clock(request, start), "end": clock(request, end)});
        json!({"confidence": 100.0, "organizerAvailability": organizer, "meetingTimeSlot": slot})
    };
    let found: Vec<Value> = slots.into_iter().map(told).collect();
    let reason = if found.is_empty() { "AttendeesUnavailable" } else { "" };
    Ok(Answer::ok(json!({"emptySuggestionsReason": reason, "meetingTimeSuggestions": found})))
}

type Taken = Vec<(OffsetDateTime, OffsetDateTime, char)>;

/// What stands in the way, each with the digit that stands for it.
fn taken(mailbox: &Mailbox, range: (OffsetDateTime, OffsetDateTime)) -> Taken {
    let digit = |event: &Value| match text(event, "/showAs") {
        "free" | "workingElsewhere" => None,
        "tentative" => Some('1'),
        "oof" => Some('3'),
        _ => Some('2'),
    };
    let all = blocks(mailbox, range).into_iter();
    all.filter_map(|(start, end, event)| Some((start, end, digit(event)?))).collect()
}

fn overlap(taken: &[(OffsetDateTime, OffsetDateTime, char)], (start, end): (OffsetDateTime, OffsetDateTime)) -> bool {
    taken.iter().any(|(s, e, _)| *s < end && *e > start)
}
