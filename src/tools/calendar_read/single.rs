//! One event in full.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::recurrence::Recurrence;
use crate::graph::request::Segment;
use crate::identity::Scope;
use crate::tools::answer::{Answer, UNTRUSTED};
use crate::tools::arguments::{bounded, identifier};
use crate::tools::calendar::{Clock, NO_ZONE, Online, Place, Response, seconds};
use crate::tools::call::Call;
use crate::tools::item::{self, Body, Party, line};
use crate::tools::mailbox::Mailbox;
use crate::tools::text::Cut;
use crate::tools::zone;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "getCalendarEvent",
    title: "Read a calendar event",
    description: "One event in full: body as text, attendees with their answers, rule of a series, join link.",
    kind: Kind::Read,
    preset: Preset::Calendar,
    needs: &[Scope::CalendarsRead],
    also: &[Scope::MailboxSettingsRead],
    on_use: &[Scope::CalendarsReadShared],
    example: r#"{"id":"AAkALgAA=","timezone":"Europe/Berlin"}"#,
    schema: schema::of::<GetCalendarEvent>,
    handler: handle::<GetCalendarEvent>,
};

const EVENT: &str = "id,subject,start,end,isAllDay,isCancelled,isOrganizer,location,organizer,attendees,showAs,sensitivity,responseStatus,onlineMeeting,body,recurrence,type,seriesMasterId,hasAttachments,webLink";
/// Attendees that are shown; the rest is counted.
const ATTENDEES: usize = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GetCalendarEvent {
    id: String,
    /// Default: mailbox zone
    timezone: Option<String>,
    /// Shared mailbox address
    mailbox: Option<String>,
    /// Of the body
    #[schemars(range(min = 100, max = 50000), extend("default" = 4000))]
    max_chars: Option<u32>,
}

#[async_trait(?Send)]
impl Input for GetCalendarEvent {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let most = usize::try_from(bounded("maxChars", self.max_chars, 4000, 50_000)?).unwrap_or(usize::MAX);
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        let path = mailbox.path(&[Segment::Word("events"), Segment::Value(identifier("id", &self.id)?)]);
        mailbox.require(call, Scope::CalendarsRead, Scope::CalendarsReadShared)?;
        Ok(Answer::of(&read(call, &path, self.timezone.as_deref(), most).await?))
    }
}

/// The event at this path, in `timezone` or else the mailbox's zone, with at most `most` characters of its body.
pub(in crate::tools) async fn read(
    call: &Call<'_>,
    path: &[Segment<'_>],
    timezone: Option<&str>,
    most: usize,
) -> Result<Shown, ToolError> {
    let zone = zone::choose(call, timezone).await?;
    let request = item::get(path)?.query("$select", EVENT).times_in(zone.name());
    let event: Event = call.json(&request).await?;
    Ok(event.shown(zone.name().map(str::to_owned), most))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    id: String,
    subject: Option<String>,
    start: Option<Clock>,
    end: Option<Clock>,
    is_all_day: Option<bool>,
    is_cancelled: Option<bool>,
    is_organizer: Option<bool>,
    location: Option<Place>,
    organizer: Option<Party>,
    #[serde(default)]
    attendees: Vec<Attendee>,
    show_as: Option<String>,
    sensitivity: Option<String>,
    response_status: Option<Response>,
    online_meeting: Option<Online>,
    body: Option<Body>,
    recurrence: Option<Recurrence>,
    series_master_id: Option<String>,
    has_attachments: Option<bool>,
    web_link: Option<String>,
}

#[derive(Deserialize)]
struct Attendee {
    #[serde(flatten)]
    party: Party,
    #[serde(rename = "type")]
    kind: Option<String>,
    status: Option<Response>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the answer's own shape")]
pub(in crate::tools) struct Shown {
    untrusted: &'static str,
    zone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    id: String,
    subject: String,
    start: String,
    end: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    all_day: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cancelled: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    location: String,
    organizer: String,
    /// Whether the mailbox's owner called it.
    mine: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attendees: Vec<Invited>,
    #[serde(skip_serializing_if = "is_zero")]
    more_attendees: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    show_as: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sensitivity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    my_response: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    join_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recurrence: Option<String>,
    /// Of an occurrence: the id that stands for all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    series_id: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    attachments: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    web_link: Option<String>,
    body: String,
    truncated: bool,
}

#[derive(Serialize)]
struct Invited {
    who: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Event {
    fn shown(self, zone: Option<String>, most: usize) -> Shown {
        let Cut { text: body, truncated, .. } = self.body.map(|body| body.cut(most, true)).unwrap_or_default();
        let place = self.location.and_then(|place| place.display_name);
        Shown {
            untrusted: UNTRUSTED,
            note: zone.is_none().then_some(NO_ZONE),
            zone: zone.unwrap_or_else(|| "UTC".to_owned()),
            id: self.id,
            subject: line(self.subject.as_deref()),
            start: seconds(self.start),
            end: seconds(self.end),
            all_day: self.is_all_day == Some(true),
            cancelled: self.is_cancelled == Some(true),
            location: line(place.as_deref()),
            organizer: self.organizer.map(|party| party.shown()).unwrap_or_default(),
            mine: self.is_organizer == Some(true),
            more_attendees: self.attendees.len().saturating_sub(ATTENDEES),
            attendees: self.attendees.into_iter().take(ATTENDEES).map(Invited::from).collect(),
            show_as: self.show_as,
            sensitivity: self.sensitivity.filter(|level| level != "normal"),
            my_response: self.response_status.and_then(|status| status.given(self.is_organizer)),
            join_url: self.online_meeting.and_then(|online| online.join_url),
            recurrence: self.recurrence.and_then(|series| series.rule()),
            series_id: self.series_master_id,
            attachments: self.has_attachments == Some(true),
            web_link: self.web_link,
            body,
            truncated,
        }
    }
}

impl From<Attendee> for Invited {
    fn from(attendee: Attendee) -> Self {
        Self {
            who: attendee.party.shown(),
            kind: attendee.kind.filter(|kind| kind != "required"),
            response: attendee.status.and_then(|status| status.response).filter(|response| response != "none"),
        }
    }
}
