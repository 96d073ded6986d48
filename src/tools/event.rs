//! Creating a calendar event. Its `transactionId` makes a repeated request harmless.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::address::{self, Addresses, Recipient};
use super::answer::Answer;
use super::arguments::{self, BODY, LINE, identifier};
use super::calendar::Online;
use super::call::Call;
use super::mailbox::Mailbox;
use super::outbox::{self, IMMUTABLE, transaction};
use super::policy::Deed;
use super::reach::Reach;
use super::rule::Recurrence;
use super::send::{Body, ContentType};
use super::span::{Clock, Given, Span};
use super::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "createCalendarEvent",
    title: "Create a calendar event",
    description: "Create a calendar event; attendees are invited at once.",
    kind: Kind::Outward,
    preset: Preset::Core,
    needs: &[Scope::CalendarsReadWrite],
    also: &[Scope::MailboxSettingsRead],
    on_use: &[Scope::CalendarsReadWriteShared],
    example: r#"{"subject":"Review","start":"2026-03-02T09:00:00","end":"2026-03-02T09:30:00","timezone":"Europe/Berlin","attendees":["adele@contoso.example"]}"#,
    schema: schema::of::<CreateCalendarEvent>,
    handler: handle::<CreateCalendarEvent>,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CreateCalendarEvent {
    subject: String,
    /// Local ISO date-time, or with offset
    start: String,
    /// Like start
    end: String,
    /// Default: mailbox zone
    timezone: Option<String>,
    attendees: Option<Addresses>,
    optional_attendees: Option<Addresses>,
    location: Option<String>,
    /// Plain text
    body: Option<String>,
    all_day: Option<bool>,
    /// Add a Teams link
    online_meeting: Option<bool>,
    #[schemars(range(min = 0, max = 40320))]
    reminder_minutes: Option<u32>,
    /// RRULE such as FREQ=WEEKLY;COUNT=9
    recurrence: Option<String>,
    calendar_id: Option<String>,
    /// Shared mailbox address
    mailbox: Option<String>,
    idempotency_key: Option<String>,
}

/// Graph's event, as far as it is created here.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    subject: String,
    start: Clock,
    end: Clock,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attendees: Vec<Attendee>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Body>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_all_day: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_online_meeting: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    online_meeting_provider: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_reminder_on: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reminder_minutes_before_start: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recurrence: Option<Recurrence>,
    transaction_id: String,
}

impl Event {
    /// Time, place and text, as a person is shown them; `more` is what the event itself does not say.
    fn shown(&self, more: &[Option<String>; 2]) -> String {
        let time = format!("{} to {} ({})", self.start.date_time, self.end.date_time, self.start.time_zone);
        let place = self.location.as_ref().map(|place| place.display_name.as_str());
        let body = self.body.as_ref().map(|body| body.content.as_str());
        let more = more.iter().map(Option::as_deref);
        [Some(time.as_str())].into_iter().chain(more).chain([place, body]).flatten().collect::<Vec<_>>().join("\n")
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place {
    pub display_name: String,
}

#[derive(Serialize)]
pub(super) struct Attendee {
    #[serde(flatten)]
    recipient: Recipient,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    id: String,
    web_link: Option<String>,
    online_meeting: Option<Online>,
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[schemars(skip)]
    status: &'static str,
    id: String,
    start: String,
    end: String,
    #[schemars(skip)]
    zone: String,
    #[schemars(skip)]
    invited: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    join_url: Option<String>,
    #[schemars(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    web_link: Option<String>,
    #[schemars(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

/// Where Teams is not to be had, Graph makes the event all the same and says nothing.
pub(super) const NO_LINK: &str = "Microsoft told no Teams link: where the event has none, this calendar allows none.";

#[async_trait(?Send)]
impl Input for CreateCalendarEvent {
    fn output() -> Option<Value> {
        Some(schema::output::<Told>())
    }

    async fn run(self, call: &Call<'_>) -> Outcome {
        let key = arguments::key(self.idempotency_key.as_deref())?;
        let calendar = self.calendar_id.as_deref().map(|id| identifier("calendarId", id)).transpose()?;
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        let mut event = self.event()?;
        let span = self.span()?;
        let series = self.series(span)?;
        mailbox.require(call, Scope::CalendarsReadWrite, Scope::CalendarsReadWriteShared)?;
        (event.start, event.end) = span.clocks(call, self.timezone.as_deref()).await?;
        event.recurrence = series.map(|series| series.in_zone(&event.start.time_zone));
        let key = call.key(key);
        event.transaction_id = transaction(&key);
        let events = Segment::Word("events");
        let path = match calendar {
            Some(id) => mailbox.path(&[Segment::Word("calendars"), Segment::Value(id), events]),
            None => mailbox.path(&[events]),
        };
        let body = serde_json::to_value(&event).unwrap_or(Value::Null);
        let request = GraphRequest::new(Method::Post, &path)?.prefer(IMMUTABLE).body(body).repeatable();
        let repeats = self.recurrence.as_ref().map(|rule| format!("Repeats: {rule}"));
        let whose = self.mailbox.as_ref().map(|address| format!("In the calendar of {address}"));
        let shown = event.shown(&[repeats, whose]);
        let deed = Deed {
            question: "Create this event and invite them?",
            reach: Reach::People(
                event.attendees.iter().map(|one| ("Invited", one.recipient.address().to_owned())).collect(),
            ),
            subject: &event.subject,
            text: ("text", &shown),
            content: json!([request.path_and_query(), request.body]),
            ..Deed::unseen()
        };
        let created: Created = outbox::repeatable(call, &key, &request, Some(&deed)).await?;
        let join_url = created.online_meeting.and_then(|online| online.join_url);
        Ok(Answer::structured(&Told {
            note: (event.is_online_meeting && join_url.is_none()).then_some(NO_LINK),
            status: "created",
            id: created.id,
            start: event.start.date_time,
            end: event.end.date_time,
            zone: event.start.time_zone,
            invited: event.attendees.len(),
            join_url,
            web_link: created.web_link,
        }))
    }
}

impl CreateCalendarEvent {
    /// Everything but the times and the transaction.
    fn event(&self) -> Result<Event, ToolError> {
        let unset = Clock { date_time: String::new(), time_zone: String::new() };
        let body = self.body.as_deref().map(|text| arguments::prose("body", text, BODY)).transpose()?;
        let online = self.online_meeting == Some(true);
        if self.reminder_minutes.is_some_and(|minutes| minutes > 40_320) {
            return Err(ToolError::argument("reminderMinutes", "at most 40320, four weeks"));
        }
        Ok(Event {
            subject: arguments::line("subject", &self.subject, LINE)?,
            start: unset.clone(),
            end: unset,
            attendees: self.invited()?,
            location: arguments::optional("location", self.location.as_deref(), LINE)?
                .map(|display_name| Place { display_name }),
            body: body.map(|content| Body { content_type: ContentType::Text, content }),
            is_all_day: self.all_day == Some(true),
            is_online_meeting: online,
            online_meeting_provider: online.then_some("teamsForBusiness"),
            is_reminder_on: self.reminder_minutes.map(|_| true),
            reminder_minutes_before_start: self.reminder_minutes,
            recurrence: None,
            transaction_id: String::new(),
        })
    }

    fn invited(&self) -> Result<Vec<Attendee>, ToolError> {
        let of = |addresses: Vec<String>, kind| {
            Recipient::all(&addresses).into_iter().map(move |recipient| Attendee { recipient, kind })
        };
        let required = address::optional("attendees", self.attendees.as_ref())?;
        let optional = address::optional("optionalAttendees", self.optional_attendees.as_ref())?;
        Ok(of(required, "required").chain(of(optional, "optional")).collect())
    }

    fn span(&self) -> Result<Span, ToolError> {
        let all_day = self.all_day == Some(true);
        Given { names: ("start", "end"), start: &self.start, end: &self.end, all_day }.checked()
    }

    /// A series keeps its hour in a zone when the clocks change, and an offset is none.
    fn series(&self, span: Span) -> Result<Option<Recurrence>, ToolError> {
        let Some(rule) = self.recurrence.as_deref() else { return Ok(None) };
        match span {
            Span::Local(start, _) => Recurrence::parse(rule, start.date()).map(Some),
            Span::Instants(..) => Err(ToolError::argument(
                "start",
                "with recurrence it is local to timezone, such as 2026-03-02T09:00:00: leave out the offset",
            )),
        }
    }
}
