//! Reading the calendar: occurrences in a range. Creating events is `event`.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::answer::{Answer, UNTRUSTED};
use super::arguments::{bounded, identifier};
use super::call::Call;
use super::item::{self, Party, line};
use super::mailbox::Mailbox;
use super::page::{self, Page};
use super::zone::{self, Zone};
use super::{Input, Kind, Outcome, Preset, Tool, ToolError, cursor, event, handle, schema, when};
use crate::graph::GraphRequest;
use crate::graph::request::Segment;
use crate::identity::Scope;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "getCalendarEvents",
        title: "List calendar events",
        description: "Events in a range of time, recurring ones expanded, times local to the zone asked for.",
        kind: Kind::Read,
        preset: Preset::Core,
        needs: &[Scope::CalendarsRead],
        also: &[Scope::MailboxSettingsRead],
        on_use: &[Scope::CalendarsReadShared],
        example: r#"{"start":"2026-03-02T00:00:00+01:00","days":7,"timezone":"Europe/Berlin"}"#,
        schema: schema::of::<GetCalendarEvents>,
        handler: handle::<GetCalendarEvents>,
    },
    event::TOOL,
];

const SELECT: &str = "id,subject,start,end,isAllDay,isCancelled,isOrganizer,location,organizer,attendees,showAs,responseStatus,isOnlineMeeting,type";
const OWN: [&str; 2] = ["/me/calendarView", "/me/calendars/{id}/calendarView"];
const SHARED: [&str; 2] = ["/users/{id}/calendarView", "/users/{id}/calendars/{id}/calendarView"];
/// Said where the zone is not known.
pub(super) const NO_ZONE: &str = "The mailbox's own zone is not known, so times are UTC: say timezone for local ones.";
/// Longest range: Graph expands every occurrence in it.
const LONGEST: Duration = Duration::days(366);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GetCalendarEvents {
    /// Days from start, if end is absent
    #[schemars(range(min = 1, max = 30), extend("default" = 7))]
    days: Option<u32>,
    /// ISO date-time with offset; default: now
    start: Option<String>,
    /// ISO date-time with offset
    end: Option<String>,
    /// Default: mailbox zone
    timezone: Option<String>,
    /// Default: main calendar
    calendar_id: Option<String>,
    /// Shared mailbox address
    mailbox: Option<String>,
    #[schemars(range(min = 1, max = 100), extend("default" = 25))]
    count: Option<u32>,
    cursor: Option<String>,
}

#[async_trait(?Send)]
impl Input for GetCalendarEvents {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let count = bounded("count", self.count, 25, 100)?;
        let (start, end) = self.range(when::at(call.now()))?;
        let calendar = self.calendar_id.as_deref().map(|id| identifier("calendarId", id)).transpose()?;
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        let path = view(&mailbox, calendar);
        mailbox.require(call, Scope::CalendarsRead, Scope::CalendarsReadShared)?;
        let position = if let Some(cursor) = self.cursor.as_deref() {
            cursor::open(call, cursor)?
        } else {
            let zone = zone::choose(call, self.timezone.as_deref()).await?;
            begin(item::get(&path)?, (start, end), count, &zone)
        };
        let zone = position.zone.clone();
        // A cursor of another mailbox is of a path that these are not.
        let families = match mailbox {
            Mailbox::Own => OWN,
            Mailbox::Shared(_) => SHARED,
        };
        let page = page::read(call, &families, position, count).await?;
        Ok(Answer::of(&told(page, zone)))
    }
}

impl GetCalendarEvents {
    fn range(&self, now: OffsetDateTime) -> Result<(OffsetDateTime, OffsetDateTime), ToolError> {
        let days = bounded("days", self.days, 7, 30)?;
        let start = self.start.as_deref().map(|text| when::instant("start", text)).transpose()?.unwrap_or(now);
        let end = match self.end.as_deref() {
            Some(text) => when::instant("end", text)?,
            None => when::after(start, days),
        };
        if end <= start {
            return Err(ToolError::argument("end", "must be later than start, which is now by default"));
        }
        if end - start > LONGEST {
            return Err(ToolError::argument("end", "at most 366 days after start"));
        }
        Ok((start, end))
    }
}

fn view<'a>(mailbox: &'a Mailbox, calendar: Option<&'a str>) -> Vec<Segment<'a>> {
    let view = Segment::Word("calendarView");
    match calendar {
        Some(id) => mailbox.path(&[Segment::Word("calendars"), Segment::Value(id), view]),
        None => mailbox.path(&[view]),
    }
}

/// The bounds go by their own offset, never by the zone that is preferred for the answer.
fn begin(
    request: GraphRequest,
    (start, end): (OffsetDateTime, OffsetDateTime),
    count: u32,
    zone: &Zone,
) -> page::Position {
    let request = request
        .query("startDateTime", when::utc(start))
        .query("endDateTime", when::utc(end))
        .query("$select", SELECT)
        .query("$orderby", "start/dateTime")
        .query("$top", count.to_string())
        .times_in(zone.name());
    let start = page::Position::start(&request);
    match zone {
        Zone::Known(name) => start.in_zone(name),
        Zone::Unknown => start,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GraphEvent {
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
    attendees: Vec<Party>,
    show_as: Option<String>,
    response_status: Option<Response>,
    is_online_meeting: Option<bool>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Graph's dateTimeTimeZone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Clock {
    pub(super) date_time: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place {
    pub(super) display_name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Response {
    pub(super) response: Option<String>,
}

impl Response {
    /// What the user said to somebody else's event. To an appointment of one's own that nobody else is invited to, Graph
    /// has the response `none`.
    pub(super) fn given(self, is_organizer: Option<bool>) -> Option<String> {
        self.response.filter(|response| is_organizer != Some(true) && response != "organizer")
    }
}

/// An event's online meeting.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Online {
    pub(super) join_url: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventList {
    untrusted: &'static str,
    /// Every time of the list is local to it.
    zone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    events: Vec<Shown>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// What a week is overlooked by: nothing that goes without saying. The rest is in `getCalendarEvent`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the answer's own shape")]
struct Shown {
    id: String,
    subject: String,
    start: String,
    /// Only the time where the day is that of the start.
    end: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    all_day: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cancelled: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    recurring: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    location: String,
    /// Absent where it is the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    organizer: Option<String>,
    /// How many are invited.
    #[serde(skip_serializing_if = "is_zero")]
    attendees: usize,
    /// Absent where busy.
    #[serde(skip_serializing_if = "Option::is_none")]
    show_as: Option<String>,
    /// Absent where the user is the organiser.
    #[serde(skip_serializing_if = "Option::is_none")]
    my_response: Option<String>,
    /// A join link is there to be read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    online: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// What Outlook writes for a place where there is none.
const NO_PLACE: &str = "Microsoft Teams Meeting";

impl From<GraphEvent> for Shown {
    fn from(event: GraphEvent) -> Self {
        let all_day = event.is_all_day == Some(true);
        let (start, end) = (short(event.start, all_day), short(event.end, all_day));
        let my_response = event.response_status.and_then(|status| status.given(event.is_organizer));
        let place = line(event.location.and_then(|place| place.display_name).as_deref());
        Self {
            id: event.id,
            subject: line(event.subject.as_deref()),
            end: end
                .strip_prefix(start.split('T').next().unwrap_or_default())
                .and_then(|rest| rest.strip_prefix('T'))
                .unwrap_or(&end)
                .to_owned(),
            start,
            all_day,
            cancelled: event.is_cancelled == Some(true),
            recurring: event.kind.is_some_and(|kind| kind != "singleInstance"),
            location: if place == NO_PLACE { String::new() } else { place },
            organizer: event.organizer.filter(|_| my_response.is_some()).map(|party| party.called()),
            attendees: event.attendees.len(),
            show_as: event.show_as.filter(|show_as| show_as != "busy"),
            my_response,
            online: event.is_online_meeting == Some(true),
        }
    }
}

/// A day, or a time to the minute where it is on one.
fn short(clock: Option<Clock>, all_day: bool) -> String {
    let whole = seconds(clock);
    if all_day {
        return whole.split('T').next().unwrap_or_default().to_owned();
    }
    whole.strip_suffix(":00").filter(|minutes| minutes.len() == "2026-03-02T09:00".len()).unwrap_or(&whole).to_owned()
}

/// Graph writes seven digits of a second that nobody asked for.
pub(super) fn seconds(clock: Option<Clock>) -> String {
    clock.map(|clock| clock.date_time.split('.').next().unwrap_or_default().to_owned()).unwrap_or_default()
}

fn told(page: Page<GraphEvent>, zone: Option<String>) -> EventList {
    EventList {
        untrusted: UNTRUSTED,
        note: zone.is_none().then_some(NO_ZONE),
        zone: zone.unwrap_or_else(|| "UTC".to_owned()),
        events: page.items.into_iter().map(Shown::from).collect(),
        truncated: page.next_cursor.is_some(),
        next_cursor: page.next_cursor,
    }
}
