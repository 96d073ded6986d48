//! One mail and one event by id, as JSON: what a client attaches to a conversation after a tool listed it.

use serde::{Deserialize, Serialize};

use super::ToolError;
use super::answer::{UNTRUSTED, clean};
use super::call::Call;
use super::content::Data;
use super::icon;
use super::mail::Party;
use super::outbox::IMMUTABLE;
use super::resources::{Place, Resource, json_text};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;

/// The resources of this family.
pub(super) const RESOURCES: &[Resource] = &[
    Resource {
        place: Place::Each { before: "microsoft://mail/", after: "" },
        name: "mail",
        title: "An email",
        description: "One email with its text; id as getEmails and searchEmails give it",
        mime_type: "application/json",
        icon: Some(icon::MAIL),
        scope: Some(Scope::MailRead),
        read: |call, id| Box::pin(mail(call, id)),
    },
    Resource {
        place: Place::Each { before: "microsoft://event/", after: "" },
        name: "event",
        title: "A calendar event",
        description: "One event with its text; id as getCalendarEvents gives it",
        mime_type: "application/json",
        icon: Some(icon::CALENDAR),
        scope: Some(Scope::CalendarsRead),
        read: |call, id| Box::pin(event(call, id)),
    },
];

/// Longest text that is handed on; what a client attaches fills the model's context.
const LONGEST: usize = 20_000;
/// As many names as say who is meant.
const MOST_PEOPLE: usize = 50;

/// Graph's itemBody.
#[derive(Deserialize)]
struct Body {
    content: Option<String>,
}

fn text(body: Option<Body>) -> String {
    clean(body.and_then(|body| body.content).as_deref().unwrap_or_default(), LONGEST)
}

fn shown(parties: &[Party]) -> Vec<String> {
    parties.iter().take(MOST_PEOPLE).map(Party::shown).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    id: String,
    subject: Option<String>,
    from: Option<Party>,
    #[serde(default)]
    to_recipients: Vec<Party>,
    #[serde(default)]
    cc_recipients: Vec<Party>,
    received_date_time: Option<String>,
    body: Option<Body>,
}

#[derive(Serialize)]
struct Mail {
    untrusted: &'static str,
    id: String,
    from: String,
    to: Vec<String>,
    cc: Vec<String>,
    subject: String,
    received: String,
    text: String,
}

async fn mail(call: &Call<'_>, id: &str) -> Result<Data, ToolError> {
    let path = [Segment::Word("me"), Segment::Word("messages"), Segment::Value(id)];
    let select = "id,subject,from,toRecipients,ccRecipients,receivedDateTime,body";
    let message: Message = call.json(&one(&path, select)?).await?;
    Ok(json_text(&Mail {
        untrusted: UNTRUSTED,
        id: message.id,
        from: message.from.map(|party| party.shown()).unwrap_or_default(),
        to: shown(&message.to_recipients),
        cc: shown(&message.cc_recipients),
        subject: clean(message.subject.as_deref().unwrap_or_default(), 255),
        received: message.received_date_time.unwrap_or_default(),
        text: text(message.body),
    }))
}

/// Graph's dateTimeTimeZone, in the zone that it names.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Moment {
    date_time: String,
    time_zone: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    id: String,
    subject: Option<String>,
    start: Option<Moment>,
    end: Option<Moment>,
    is_all_day: Option<bool>,
    is_cancelled: Option<bool>,
    location: Option<Location>,
    organizer: Option<Party>,
    #[serde(default)]
    attendees: Vec<Party>,
    body: Option<Body>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    display_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    untrusted: &'static str,
    id: String,
    subject: String,
    start: Option<Moment>,
    end: Option<Moment>,
    all_day: bool,
    cancelled: bool,
    location: String,
    organizer: String,
    attendees: Vec<String>,
    text: String,
}

async fn event(call: &Call<'_>, id: &str) -> Result<Data, ToolError> {
    let path = [Segment::Word("me"), Segment::Word("events"), Segment::Value(id)];
    let select = "id,subject,start,end,isAllDay,isCancelled,location,organizer,attendees,body";
    let found: Found = call.json(&one(&path, select)?).await?;
    let location = found.location.and_then(|location| location.display_name);
    Ok(json_text(&Event {
        untrusted: UNTRUSTED,
        id: found.id,
        subject: clean(found.subject.as_deref().unwrap_or_default(), 255),
        start: found.start,
        end: found.end,
        all_day: found.is_all_day == Some(true),
        cancelled: found.is_cancelled == Some(true),
        location: clean(location.as_deref().unwrap_or_default(), 255),
        organizer: found.organizer.map(|party| party.shown()).unwrap_or_default(),
        attendees: shown(&found.attendees),
        text: text(found.body),
    }))
}

fn one(path: &[Segment<'_>], select: &str) -> Result<GraphRequest, ToolError> {
    Ok(GraphRequest::new(Method::Get, path)?
        .query("$select", select)
        .prefer(IMMUTABLE)
        .prefer("outlook.body-content-type=\"text\""))
}
