//! Online meetings: `POST /me/onlineMeetings` and `createOrGet`.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::error::GraphError;
use super::request::{Answer, Family, Request};
use super::shape::{is_address, known_members};
use super::store::Mailbox;
use crate::json::{items, set, text};
use crate::sample::directory::Home;

const KNOWN: &[&str] = &[
    "subject",
    "startDateTime",
    "endDateTime",
    "participants",
    "externalId",
    "lobbyBypassSettings",
    "allowedPresenters",
    "chatInfo",
    "isEntryExitAnnounced",
    "recordAutomatically",
];

/// POST `/me/onlineMeetings`: every call makes a meeting.
pub fn create(request: &Request<'_>, mailbox: &mut Mailbox) -> Result<Answer, GraphError> {
    let body = check(request)?;
    if body.get("externalId").is_some() {
        return Err(GraphError::bad("The property 'externalId' belongs to createOrGet."));
    }
    let meeting = build(request, &body);
    mailbox.meetings.push(meeting.clone());
    let location = request.url(&format!("me/onlineMeetings('{}')", text(&meeting, "/id")));
    Ok(Answer::created(meeting, location))
}

/// POST `/me/onlineMeetings/createOrGet`: the same `externalId` gives the same meeting.
pub fn create_or_get(request: &Request<'_>, mailbox: &mut Mailbox) -> Result<Answer, GraphError> {
    let body = check(request)?;
    let external = text(&body, "/externalId");
    if external.is_empty() {
        return Err(GraphError::bad("The parameter 'externalId' is missing."));
    }
    if let Some(known) = mailbox.meetings.iter().find(|meeting| text(meeting, "/externalId") == external) {
        return Ok(Answer::ok(known.clone()));
    }
    let mut meeting = build(request, &body);
    set(&mut meeting, "externalId", external);
    mailbox.meetings.push(meeting.clone());
    let location = request.url(&format!("me/onlineMeetings('{}')", text(&meeting, "/id")));
    Ok(Answer::created(meeting, location))
}

fn check(request: &Request<'_>) -> Result<Value, GraphError> {
    if request.consent.user.home != Home::Contoso {
        return Err(GraphError::new(403, "Forbidden", "Online meetings are for work accounts of this tenant."));
    }
    request.require(&["OnlineMeetings.ReadWrite"], Family::Teams)?;
    let body = request.object()?;
    known_members(&body, KNOWN, "microsoft.graph.onlineMeeting")?;
    let moment = |name: &str| match body.get(name) {
        None => Ok(None),
        // A time without an offset is refused.
        Some(value) => match OffsetDateTime::parse(value.as_str().unwrap_or(""), &Rfc3339) {
            Ok(moment) => Ok(Some(moment)),
            Err(_) => Err(GraphError::bad(&format!(
                "Cannot convert the literal of '{name}' to the expected type 'Edm.DateTimeOffset'."
            ))),
        },
    };
    let (start, end) = (moment("startDateTime")?, moment("endDateTime")?);
    if start.zip(end).is_some_and(|(start, end)| end <= start) {
        return Err(GraphError::bad("The meeting's end time is not after its start time."));
    }
    items(&body, "/participants/attendees").iter().try_for_each(check_attendee)?;
    Ok(body)
}

fn check_attendee(attendee: &Value) -> Result<(), GraphError> {
    let (upn, id) = (text(attendee, "/upn"), text(attendee, "/identity/user/id"));
    if !id.is_empty() && Uuid::parse_str(id).is_err() {
        return Err(GraphError::bad("The value of identity.user.id is not a directory object id."));
    }
    if upn.is_empty() && id.is_empty() {
        return Err(GraphError::bad("Every attendee needs a upn or an identity."));
    }
    if !upn.is_empty() && !is_address(upn) {
        return Err(GraphError::bad("The value of upn is invalid."));
    }
    Ok(())
}

fn build(request: &Request<'_>, body: &Value) -> Value {
    let (id, user) = (Uuid::new_v4(), request.consent.user);
    let now = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
    let moment = |name: &str| body.get(name).cloned().unwrap_or_else(|| Value::from(now.clone()));
    let attendees = items(body, "/participants/attendees");
    json!({
        "@odata.context": request.url("$metadata#users('me')/onlineMeetings/$entity"),
        "id": format!("MSo{}", id.simple()), "creationDateTime": now,
        "startDateTime": moment("startDateTime"), "endDateTime": moment("endDateTime"),
        "joinUrl": format!("https://teams.contoso.example/l/meetup-join/{id}"),
        "joinWebUrl": format!("https://teams.contoso.example/l/meetup-join/{id}"),
        "meetingCode": "412345678901", "subject": body.get("subject"), "isBroadcast": false,
        "joinMeetingIdSettings": {"isPasscodeRequired": false, "joinMeetingId": "412345678901", "passcode": null},
        "chatInfo": {"threadId": format!("19:meeting_{}@thread.v2", id.simple()), "messageId": "0", "replyChainMessageId": null},
        "participants": {
            "organizer": {"upn": user.email, "role": "presenter", "identity": {"user": {"id": user.oid, "displayName": user.name}}},
            "attendees": attendees,
        },
    })
}
