//! Changing an event. Attendees are added and removed by address, so that a model never has to repeat the whole list.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{BEFORE, once};
use crate::graph::request::{Method, Segment};
use crate::graph::{GraphRequest, GraphResponse};
use crate::identity::Scope;
use crate::tools::address::{self, Addresses};
use crate::tools::answer::Answer;
use crate::tools::arguments::{self, BODY, LINE, identifier};
use crate::tools::calendar::Online;
use crate::tools::call::Call;
use crate::tools::event::{NO_LINK, Place};
use crate::tools::mailbox::Mailbox;
use crate::tools::outbox::IMMUTABLE;
use crate::tools::policy::{self, Deed};
use crate::tools::reach::Reach;
use crate::tools::send::{Body, ContentType};
use crate::tools::span::{Clock, Given, Span};
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "updateCalendarEvent",
    title: "Change a calendar event",
    description: "Change an event; attendees get an update. The id of an occurrence changes only that one.",
    kind: Kind::Outward,
    preset: Preset::Calendar,
    needs: &[Scope::CalendarsReadWrite],
    also: &[Scope::MailboxSettingsRead],
    on_use: &[Scope::CalendarsReadWriteShared],
    example: r#"{"id":"AAkALgAA=","start":"2026-03-02T10:00:00","end":"2026-03-02T10:30:00","timezone":"Europe/Berlin"}"#,
    schema: schema::of::<UpdateCalendarEvent>,
    handler: handle::<UpdateCalendarEvent>,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum ShowAs {
    Free,
    Tentative,
    Busy,
    Oof,
    WorkingElsewhere,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct UpdateCalendarEvent {
    id: String,
    subject: Option<String>,
    /// Local ISO date-time, or with offset; with end
    start: Option<String>,
    end: Option<String>,
    /// Default: mailbox zone
    timezone: Option<String>,
    all_day: Option<bool>,
    location: Option<String>,
    /// Plain text; replaces the old one
    body: Option<String>,
    add_attendees: Option<Addresses>,
    remove_attendees: Option<Addresses>,
    /// true: add a Teams link
    online_meeting: Option<bool>,
    show_as: Option<ShowAs>,
    /// Shared mailbox address
    mailbox: Option<String>,
    idempotency_key: Option<String>,
}

/// Graph's event, as far as it is changed here.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changes {
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Clock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<Clock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_all_day: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Body>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attendees: Option<Vec<Guest>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_online_meeting: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    online_meeting_provider: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    show_as: Option<ShowAs>,
}

/// Graph's attendee, handed back as it came.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Guest {
    email_address: EmailAddress,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Value>,
}

#[derive(Deserialize, Serialize)]
struct EmailAddress {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Graph leaves it out of whom it could not find in the directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

impl Changes {
    /// Whether nobody else sees them.
    fn is_private(&self) -> bool {
        let fields = serde_json::to_value(self).unwrap_or_default();
        fields.as_object().is_some_and(|fields| fields.keys().all(|name| name == "showAs"))
    }

    /// As a person is shown them.
    fn shown(&self) -> String {
        let clock = |clock: &Clock| format!("{} ({})", clock.date_time, clock.time_zone);
        let time = self.start.as_ref().zip(self.end.as_ref());
        let lines = [
            self.subject.as_ref().map(|subject| format!("New subject: {subject}")),
            time.map(|(start, end)| format!("{} to {}", clock(start), clock(end))),
            self.location.as_ref().map(|place| place.display_name.clone()),
            self.body.as_ref().map(|body| body.content.clone()),
        ];
        lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}

impl Before {
    /// Whom Exchange tells of a change, those who are taken off the list among them: nobody of somebody else's event.
    fn told(&self, add: &[String]) -> Vec<(&'static str, String)> {
        if self.is_organizer == Some(false) {
            return Vec::new();
        }
        let known = self.attendees.iter().filter_map(|guest| guest.email_address.address.as_ref());
        known.chain(add).map(|address| ("Invited", address.clone())).collect()
    }
}

/// What has to be known of the event before.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Before {
    subject: Option<String>,
    is_organizer: Option<bool>,
    #[serde(default)]
    attendees: Vec<Guest>,
    is_online_meeting: Option<bool>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[async_trait(?Send)]
impl Input for UpdateCalendarEvent {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let key = arguments::key(self.idempotency_key.as_deref())?;
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        let path = mailbox.path(&[Segment::Word("events"), Segment::Value(identifier("id", &self.id)?)]);
        let add = address::optional("addAttendees", self.add_attendees.as_ref())?;
        let remove = address::optional("removeAttendees", self.remove_attendees.as_ref())?;
        let (mut changes, span) = (self.changes()?, self.span()?);
        let guests = !add.is_empty() || !remove.is_empty();
        if serde_json::to_value(&changes).is_ok_and(|value| value == json!({})) && span.is_none() && !guests {
            return Err(ToolError::argument("arguments", "name at least one thing to change"));
        }
        mailbox.require(call, Scope::CalendarsReadWrite, Scope::CalendarsReadWriteShared)?;
        if let Some(span) = span {
            let (start, end) = span.clocks(call, self.timezone.as_deref()).await?;
            (changes.start, changes.end) = (Some(start), Some(end));
            changes.is_all_day = Some(self.all_day == Some(true));
        }
        let asked = json!([self.id, self.mailbox, &changes, &add, &remove]);
        let private = changes.is_private() && !guests;
        let (mut subject, mut told, mut elsewhere) = (String::new(), Vec::new(), false);
        let by_offset = matches!(span, Some(Span::Instants(..)));
        if guests || by_offset || changes.body.is_some() || (policy::matters(call) && !private) {
            let before = look(call, &path).await?;
            if by_offset && before.kind.as_deref() == Some("seriesMaster") {
                // Graph would keep the whole series in UTC, and move it by an hour with the clocks.
                return Err(ToolError::argument("start", "of a series it is local to timezone: leave out the offset"));
            }
            elsewhere = before.is_organizer == Some(false) && !private;
            told = if private { Vec::new() } else { before.told(&add) };
            subject = before.subject.unwrap_or_default();
            if changes.body.is_some() && before.is_online_meeting == Some(true) {
                return Err(ToolError::argument(
                    "body",
                    "holds the join details of this Teams meeting, which replacing it would lose",
                ));
            }
            changes.attendees = guests.then(|| invited(before.attendees, &add, &remove)).transpose()?;
        }
        let body = serde_json::to_value(&changes).unwrap_or(Value::Null);
        let request = GraphRequest::new(Method::Patch, &path)?.prefer(IMMUTABLE).body(body);
        let shown = changes.shown();
        let deed = Deed {
            question: "Change this event and tell them?",
            reach: Reach::People(told),
            subject: &subject,
            text: ("text", &shown),
            content: json!([asked, request.body]),
            ..Deed::unseen()
        };
        let response = once(call, (key, &asked), &request, &deed).await?;
        let linked = self.online_meeting != Some(true) || response.as_ref().is_some_and(has_link);
        let note = match (&response, linked) {
            (None, _) => Some(BEFORE),
            (Some(_), _) if elsewhere => Some(COPY),
            (Some(_), linked) => (!linked).then_some(NO_LINK),
        };
        Ok(Answer::noted(json!({"status": "updated", "id": self.id}), note))
    }
}

impl UpdateCalendarEvent {
    /// Everything but times and attendees.
    fn changes(&self) -> Result<Changes, ToolError> {
        if self.online_meeting == Some(false) {
            return Err(ToolError::argument("onlineMeeting", "a Teams link can be added, not taken away"));
        }
        let line = |name, text: &Option<String>| arguments::optional(name, text.as_deref(), LINE);
        let body = self.body.as_deref().map(|text| arguments::prose("body", text, BODY)).transpose()?;
        Ok(Changes {
            subject: line("subject", &self.subject)?,
            start: None,
            end: None,
            is_all_day: None,
            location: line("location", &self.location)?.map(|display_name| Place { display_name }),
            body: body.map(|content| Body { content_type: ContentType::Text, content }),
            attendees: None,
            is_online_meeting: self.online_meeting,
            online_meeting_provider: self.online_meeting.map(|_| "teamsForBusiness"),
            show_as: self.show_as,
        })
    }

    fn span(&self) -> Result<Option<Span>, ToolError> {
        let all_day = self.all_day == Some(true);
        match (self.start.as_deref(), self.end.as_deref()) {
            (Some(start), Some(end)) => Given { names: ("start", "end"), start, end, all_day }.checked().map(Some),
            (Some(_), None) => Err(ToolError::argument("end", "goes with start")),
            (None, Some(_)) => Err(ToolError::argument("start", "goes with end")),
            (None, None) if self.all_day.is_some() => Err(ToolError::argument("allDay", "goes with start and end")),
            (None, None) => Ok(None),
        }
    }
}

/// Said where the organiser's own event is another.
const COPY: &str = "Somebody else organises it: this changed the copy in this calendar alone, and nobody was told.";

/// An event that has become a Teams meeting.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Changed {
    online_meeting: Option<Online>,
}

fn has_link(response: &GraphResponse) -> bool {
    let changed = response.json::<Changed>().ok();
    changed.and_then(|changed| changed.online_meeting?.join_url).is_some()
}

async fn look(call: &Call<'_>, path: &[Segment<'_>]) -> Result<Before, ToolError> {
    let request = GraphRequest::new(Method::Get, path)?
        .query("$select", "subject,isOrganizer,attendees,isOnlineMeeting,type")
        .prefer(IMMUTABLE);
    call.json(&request).await
}

/// Who is invited afterwards. Nobody is invited twice, and nobody is removed who is not there.
fn invited(mut guests: Vec<Guest>, add: &[String], remove: &[String]) -> Result<Vec<Guest>, ToolError> {
    let is = |guest: &Guest, address: &str| {
        guest.email_address.address.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(address))
    };
    if let Some(absent) = remove.iter().find(|address| !guests.iter().any(|guest| is(guest, address))) {
        return Err(ToolError::argument("removeAttendees", format!("{absent} is not invited")));
    }
    guests.retain(|guest| !remove.iter().any(|address| is(guest, address)));
    for address in add {
        if !guests.iter().any(|guest| is(guest, address)) {
            let email_address = EmailAddress { name: None, address: Some(address.clone()) };
            guests.push(Guest { email_address, kind: Some("required".to_owned()), status: None });
        }
    }
    Ok(guests)
}
