//! When people and rooms are free: busy blocks, and slots that suit everybody. Both are POSTs that only read.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::Duration;

use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::address::{self, Addresses, Recipient};
use crate::tools::answer::{Answer, UNTRUSTED, clean};
use crate::tools::arguments::{bounded, several};
use crate::tools::calendar::{Clock, seconds};
use crate::tools::call::Call;
use crate::tools::span::{Given, Span};
use crate::tools::zone::{self, Zone};
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool that reads schedules.
pub(super) const FREE_BUSY: Tool = Tool {
    name: "getFreeBusy",
    title: "See who is busy when",
    description: "Busy blocks of up to 20 people or rooms; between them they are free.",
    kind: Kind::Read,
    preset: Preset::Calendar,
    needs: &[Scope::CalendarsRead],
    also: &[Scope::MailboxSettingsRead],
    on_use: &[],
    example: r#"{"addresses":["adele@contoso.example"],"start":"2026-03-02T08:00:00","end":"2026-03-02T18:00:00","timezone":"Europe/Berlin"}"#,
    schema: schema::of::<GetFreeBusy>,
    handler: handle::<GetFreeBusy>,
};

/// The tool that suggests slots.
pub(super) const MEETING_TIMES: Tool = Tool {
    name: "findMeetingTimes",
    title: "Find a time to meet",
    description: "Slots in which the user and the attendees are free, the nearest first. Work accounts only.",
    kind: Kind::Read,
    preset: Preset::Calendar,
    needs: &[Scope::CalendarsRead],
    also: &[Scope::MailboxSettingsRead],
    on_use: &[Scope::CalendarsReadShared],
    example: r#"{"attendees":["adele@contoso.example"],"start":"2026-03-02T08:00:00","end":"2026-03-06T18:00:00","timezone":"Europe/Berlin"}"#,
    schema: schema::of::<FindMeetingTimes>,
    handler: handle::<FindMeetingTimes>,
};

/// Schedules that one call reads.
const MOST: usize = 20;
/// Exchange looks up less than 42 days.
const LONGEST: Duration = Duration::days(41);
/// Blocks shown of one person.
const BLOCKS: usize = 200;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetFreeBusy {
    addresses: Addresses,
    /// Local ISO date-time, or with offset
    start: String,
    /// Like start
    end: String,
    /// Default: mailbox zone
    timezone: Option<String>,
}

#[async_trait(?Send)]
impl Input for GetFreeBusy {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let addresses = self.addresses.required("addresses")?;
        several("addresses", &addresses, MOST)?;
        let span = range(&self.start, &self.end)?;
        let zone = known(call, self.timezone.as_deref()).await?;
        let (start, end) = span.clocks(call, Some(&zone)).await?;
        let path = [Segment::Word("me"), Segment::Word("calendar"), Segment::Word("getSchedule")];
        let body = json!({"schedules": addresses, "startTime": start, "endTime": end, "availabilityViewInterval": 60});
        let schedules: Listing<Schedule> = call.json(&read(&path, &zone, body)?).await?;
        let people: Vec<_> = schedules.value.into_iter().map(Person::from).collect();
        let truncated = people.iter().any(|person| person.truncated);
        Ok(Answer::of(&json!({"untrusted": UNTRUSTED, "zone": zone, "people": people, "truncated": truncated})))
    }
}

fn range(start: &str, end: &str) -> Result<Span, ToolError> {
    let span = Given { names: ("start", "end"), start, end, all_day: false }.checked()?;
    if span.length() > LONGEST {
        return Err(ToolError::argument("end", "at most 41 days after start"));
    }
    Ok(span)
}

/// The zone that the answer's times are in.
async fn known(call: &Call<'_>, asked: Option<&str>) -> Result<String, ToolError> {
    match zone::choose(call, asked).await? {
        Zone::Known(name) => Ok(name),
        Zone::Unknown => {
            let problem = "the mailbox's own zone is not known: say one such as Europe/Berlin";
            Err(ToolError::argument("timezone", problem))
        }
    }
}

fn read(path: &[Segment<'_>], zone: &str, body: Value) -> Result<GraphRequest, ToolError> {
    Ok(GraphRequest::new(Method::Post, path)?.times_in(Some(zone)).body(body).repeatable())
}

#[derive(Deserialize)]
struct Listing<T> {
    value: Vec<T>,
}

/// Graph's scheduleInformation.
#[derive(Deserialize)]
struct Schedule {
    #[serde(rename = "scheduleId")]
    address: String,
    #[serde(rename = "scheduleItems")]
    items: Option<Vec<Item>>,
    /// A digit for each hour; all that Exchange tells of some, such as lists of people.
    #[serde(rename = "availabilityView")]
    view: Option<String>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Item {
    status: Option<String>,
    start: Option<Clock>,
    end: Option<Clock>,
    subject: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    message: Option<String>,
}

#[derive(Serialize)]
struct Person {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Absent where nobody could look: an empty list would say that they are free.
    #[serde(skip_serializing_if = "Option::is_none")]
    busy: Option<Vec<Block>>,
    /// Instead, where only hours are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    hourly: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

#[derive(Serialize)]
struct Block {
    start: String,
    end: String,
    status: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    subject: String,
}

impl Schedule {
    /// What is known of hours where nothing is of blocks, although there are some.
    fn by_the_hour(&self) -> Option<String> {
        let nothing = self.items.as_ref().is_none_or(Vec::is_empty);
        let view = self.view.as_deref().filter(|view| nothing && view.bytes().any(|hour| hour != b'0'))?;
        Some(format!("Only hours from start are known (0 free, 1 tentative, 2 busy, 3 away): {}", clean(view, 1000)))
    }
}

impl From<Schedule> for Person {
    fn from(schedule: Schedule) -> Self {
        let text = |text: Option<String>| clean(text.as_deref().unwrap_or_default(), 255);
        let hourly = schedule.by_the_hour();
        let mut items = schedule.items.unwrap_or_default();
        // What is shown as free stands in the way of nothing.
        items.retain(|item| item.status.as_deref() != Some("free"));
        let block = |item: Item| Block {
            start: seconds(item.start),
            end: seconds(item.end),
            status: text(item.status),
            subject: text(item.subject),
        };
        Self {
            address: clean(&schedule.address, 320),
            truncated: items.len() > BLOCKS,
            busy: (schedule.error.is_none() && hourly.is_none())
                .then(|| items.into_iter().take(BLOCKS).map(block).collect()),
            hourly,
            error: schedule.error.map(|error| text(error.message)),
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct FindMeetingTimes {
    attendees: Option<Addresses>,
    #[schemars(range(min = 1, max = 1440), extend("default" = 30))]
    duration_minutes: Option<u32>,
    /// Local ISO date-time, or with offset
    start: String,
    /// Like start
    end: String,
    /// Default: mailbox zone
    timezone: Option<String>,
    /// false: at any hour
    #[schemars(extend("default" = true))]
    work_hours_only: Option<bool>,
    #[schemars(range(min = 1, max = 20), extend("default" = 5))]
    count: Option<u32>,
}

#[async_trait(?Send)]
impl Input for FindMeetingTimes {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let count = bounded("count", self.count, 5, 20)?;
        let minutes = bounded("durationMinutes", self.duration_minutes, 30, 1440)?;
        let attendees = address::optional("attendees", self.attendees.as_ref())?;
        let span = range(&self.start, &self.end)?;
        if span.length() < Duration::minutes(i64::from(minutes)) {
            return Err(ToolError::argument("durationMinutes", "longer than the time from start to end"));
        }
        call.require(Scope::CalendarsReadShared)?;
        let zone = known(call, self.timezone.as_deref()).await?;
        let (start, end) = span.clocks(call, Some(&zone)).await?;
        let attendees: Vec<_> =
            Recipient::all(&attendees).into_iter().map(|who| Required { who, kind: "required" }).collect();
        let hours = if self.work_hours_only == Some(false) { "unrestricted" } else { "work" };
        let body = json!({
            "attendees": attendees,
            "timeConstraint": {"activityDomain": hours, "timeSlots": [{"start": start, "end": end}]},
            "meetingDuration": format!("PT{minutes}M"),
            "maxCandidates": count,
            "isOrganizerOptional": false,
            "minimumAttendeePercentage": 100,
        });
        let path = [Segment::Word("me"), Segment::Word("findMeetingTimes")];
        let found: Suggestions = call.json(&read(&path, &zone, body)?).await?;
        Ok(Answer::of(&found.shown(&zone)))
    }
}

#[derive(Serialize)]
struct Required {
    #[serde(flatten)]
    who: Recipient,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// Graph's meetingTimeSuggestionsResult.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Suggestions {
    empty_suggestions_reason: Option<String>,
    #[serde(default)]
    meeting_time_suggestions: Vec<Suggestion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Suggestion {
    confidence: Option<f64>,
    organizer_availability: Option<String>,
    meeting_time_slot: Option<Slot>,
}

#[derive(Deserialize)]
struct Slot {
    start: Option<Clock>,
    end: Option<Clock>,
}

/// A slot as it is told.
#[derive(Serialize)]
struct Free {
    start: String,
    end: String,
    /// Of the attendees; the user does not count.
    confidence: Option<f64>,
    /// What the user has then, where that is not nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}

impl Suggestion {
    fn shown(self) -> Option<Free> {
        let slot = self.meeting_time_slot?;
        let user = self.organizer_availability.filter(|status| status != "free").map(|status| clean(&status, 40));
        Some(Free { start: seconds(slot.start), end: seconds(slot.end), confidence: self.confidence, user })
    }
}

impl Suggestions {
    fn shown(self, zone: &str) -> Value {
        let mut slots: Vec<_> = self.meeting_time_suggestions.into_iter().filter_map(Suggestion::shown).collect();
        // Graph's order is its own; local times of one zone are in order as they are written.
        slots.sort_by(|one, other| one.start.cmp(&other.start));
        let reason = self.empty_suggestions_reason.filter(|reason| slots.is_empty() && !reason.is_empty());
        let mut answer = json!({"zone": zone, "slots": slots});
        if let (Some(reason), Value::Object(fields)) = (reason, &mut answer) {
            fields.insert("noneBecause".to_owned(), json!(clean(&reason, 100)));
        }
        answer
    }
}
