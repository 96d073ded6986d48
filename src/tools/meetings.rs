//! Teams meetings: what was set up, who was there. What was said is `transcript`. Microsoft grants these to work
//! accounts only, and shows a meeting to its organizer and the people invited.

mod attendance;
mod transcript;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{Answer, UNTRUSTED, clean};
use super::arguments::{self, identifier};
use super::call::Call;
use super::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};
use crate::graph::request::{Method, Segment, filter_literal};
use crate::graph::{Failure, GraphRequest, Origin};
use crate::identity::Scope;
use attendance::{Attendance, attended};

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "getOnlineMeeting",
        title: "Read a Teams meeting",
        description: "A Teams meeting by join link, id or event: options, transcripts, on demand who attended.",
        kind: Kind::Read,
        preset: Preset::Teams,
        needs: &[Scope::OnlineMeetingsRead],
        also: &[Scope::OnlineMeetingArtifactReadAll],
        on_use: &[Scope::CalendarsRead, Scope::OnlineMeetingTranscriptReadAll],
        example: r#"{"joinUrl":"https://teams.microsoft.com/l/meetup-join/19%3ameeting_x%40thread.v2/0","attendance":true}"#,
        schema: schema::of::<GetOnlineMeeting>,
        handler: handle::<GetOnlineMeeting>,
    },
    transcript::TOOL,
];

/// Attendees that are shown of one meeting.
const MOST: usize = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GetOnlineMeeting {
    join_url: Option<String>,
    meeting_id: Option<String>,
    event_id: Option<String>,
    attendance: Option<bool>,
}

#[derive(Deserialize)]
struct Listing<T> {
    value: Vec<T>,
}

/// Graph's onlineMeeting.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meeting {
    id: String,
    subject: Option<String>,
    start_date_time: Option<String>,
    end_date_time: Option<String>,
    join_web_url: Option<String>,
    allowed_presenters: Option<String>,
    record_automatically: Option<bool>,
    lobby_bypass_settings: Option<Lobby>,
    chat_info: Option<Chat>,
    participants: Option<Participants>,
}

#[derive(Deserialize)]
struct Lobby {
    scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chat {
    thread_id: Option<String>,
}

#[derive(Deserialize)]
struct Participants {
    organizer: Option<Participant>,
    #[serde(default)]
    attendees: Vec<Participant>,
}

#[derive(Deserialize)]
struct Participant {
    upn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    online_meeting: Option<Online>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Online {
    join_url: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    untrusted: &'static str,
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    subject: String,
    /// In UTC, as Graph has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    join_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organizer: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attendees: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presenters: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lobby_bypass: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    recorded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    transcripts: Option<Vec<Stamped>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attendance: Option<Attendance>,
    /// What of it could not be read, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Value>,
    truncated: bool,
}

/// A transcript or a report, by when it was made.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stamped {
    id: String,
    #[serde(alias = "createdDateTime", alias = "meetingStartDateTime", skip_serializing_if = "Option::is_none")]
    created: Option<String>,
}

#[async_trait(?Send)]
impl Input for GetOnlineMeeting {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let meeting = match (self.join_url.as_deref(), self.meeting_id.as_deref(), self.event_id.as_deref()) {
            (Some(url), None, None) => {
                let url = join_url(url)?;
                call.require(Scope::OnlineMeetingsRead)?;
                by_url(call, &url).await?
            }
            (None, Some(id), None) => {
                let request = GraphRequest::new(Method::Get, &of(identifier("meetingId", id)?, &[]))?;
                call.require(Scope::OnlineMeetingsRead)?;
                call.json(&request).await?
            }
            (None, None, Some(id)) => {
                let path = [Segment::Word("me"), Segment::Word("events"), Segment::Value(identifier("eventId", id)?)];
                let request = GraphRequest::new(Method::Get, &path)?.query("$select", "onlineMeeting");
                [Scope::OnlineMeetingsRead, Scope::CalendarsRead].iter().try_for_each(|scope| call.require(*scope))?;
                let event: Event = call.json(&request.prefer(super::outbox::IMMUTABLE)).await?;
                let url = event.online_meeting.and_then(|online| online.join_url);
                let none = || ToolError::argument("eventId", "this event is no online meeting");
                by_url(call, &url.ok_or_else(none)?).await?
            }
            _ => return Err(ToolError::argument("joinUrl", "give exactly one of joinUrl, meetingId and eventId")),
        };
        let attendance = self.attendance == Some(true);
        if attendance {
            call.require(Scope::OnlineMeetingArtifactReadAll)?;
        }
        let mut shown = Shown::from(meeting);
        shown.add_parts(call, attendance).await?;
        Ok(Answer::of(&shown))
    }
}

/// The path of a meeting, and what follows.
fn of<'a>(id: &'a str, rest: &[Segment<'a>]) -> Vec<Segment<'a>> {
    [&[Segment::Word("me"), Segment::Word("onlineMeetings"), Segment::Value(id)], rest].concat()
}

fn join_url(text: &str) -> Result<String, ToolError> {
    let url = arguments::line("joinUrl", text, 2048)?;
    if url.starts_with("https://") && !url.contains(char::is_whitespace) {
        return Ok(url);
    }
    Err(ToolError::argument("joinUrl", "not a join link such as https://teams.microsoft.com/l/meetup-join/19%3a…"))
}

async fn by_url(call: &Call<'_>, url: &str) -> Result<Meeting, ToolError> {
    let path = [Segment::Word("me"), Segment::Word("onlineMeetings")];
    let request =
        GraphRequest::new(Method::Get, &path)?.query("$filter", format!("JoinWebUrl eq {}", filter_literal(url)));
    let found: Listing<Meeting> = call.json(&request).await?;
    found.value.into_iter().next().ok_or_else(|| ToolError::Graph {
        failure: Failure { status: Some(404), ..Failure::of(Origin::Graph, "NotFound") },
        repeatable: true,
    })
}

impl From<Meeting> for Shown {
    fn from(meeting: Meeting) -> Self {
        let (organizer, attendees) = meeting.participants.map(|all| (all.organizer, all.attendees)).unwrap_or_default();
        let address = |one: Participant| one.upn.map(|upn| clean(&upn, 320)).filter(|upn| !upn.is_empty());
        Self {
            untrusted: UNTRUSTED,
            id: meeting.id,
            subject: clean(&meeting.subject.unwrap_or_default(), 255),
            start: meeting.start_date_time,
            end: meeting.end_date_time,
            join_url: meeting.join_web_url,
            organizer: organizer.and_then(address),
            truncated: attendees.len() > MOST,
            attendees: attendees.into_iter().filter_map(address).take(MOST).collect(),
            chat_id: meeting.chat_info.and_then(|chat| chat.thread_id),
            presenters: meeting.allowed_presenters,
            lobby_bypass: meeting.lobby_bypass_settings.and_then(|lobby| lobby.scope),
            recorded: meeting.record_automatically == Some(true),
            transcripts: None,
            attendance: None,
            errors: Vec::new(),
        }
    }
}

impl Shown {
    /// What else is kept of the meeting. The list of transcripts is left out where an administrator's consent is
    /// missing: nobody asked for it by name, so nothing is asked of an administrator for it.
    async fn add_parts(&mut self, call: &Call<'_>, attendance: bool) -> Result<(), ToolError> {
        let mut parts = Vec::new();
        if call.allows(Scope::OnlineMeetingTranscriptReadAll) {
            parts.push("transcripts");
        }
        if attendance {
            parts.push("attendanceReports");
        }
        if parts.is_empty() {
            return Ok(());
        }
        let list = |part: &&'static str| GraphRequest::new(Method::Get, &of(&self.id, &[Segment::Word(part)]));
        let requests = parts.iter().map(list).collect::<Result<Vec<_>, _>>()?;
        let outcomes = call.batch::<Listing<Stamped>>(&requests).await?;
        for (part, outcome) in parts.into_iter().zip(outcomes) {
            match outcome {
                Ok(list) if part == "transcripts" => self.transcripts = Some(newest_first(list.value)),
                Ok(list) => {
                    let reports = newest_first(list.value);
                    match attended(call, &self.id, &reports).await {
                        Ok(found) => {
                            self.truncated |= found.as_ref().is_some_and(|found| found.truncated());
                            self.attendance = found;
                        }
                        Err(error) => self.fail(call, part, &error),
                    }
                }
                Err(error) => self.fail(call, part, &error),
            }
        }
        Ok(())
    }

    fn fail(&mut self, call: &Call<'_>, part: &str, error: &ToolError) {
        self.errors.push(json!({"part": part, "error": call.report(error)}));
    }
}

fn newest_first(mut list: Vec<Stamped>) -> Vec<Stamped> {
    list.sort_by(|a, b| b.created.cmp(&a.created));
    list
}
