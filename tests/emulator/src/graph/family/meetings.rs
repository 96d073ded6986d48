//! Teams: online meetings, who attended, transcripts. What was made since is in the mailbox of the organizer.

use serde_json::{Value, json};
use time::Date;
use time::macros::format_description;

use super::Found;
use crate::graph::error::GraphError;
use crate::graph::query;
use crate::graph::request::{Answer, Family, Request};
use crate::graph::store::GraphStore;
use crate::json::text;
use crate::sample::directory::{Home, USERS, User};

/// The sample's meeting.
const MEETING: &str = "MSpjMGZmZWUwMCoqMTk6bWVldGluZ19oZXJvbg";
const JOIN: &str = "https://teams.contoso.example/l/meetup-join/19%3ameeting_heron%40thread.v2/0";
const READ: &[&str] = &["OnlineMeetings.Read", "OnlineMeetings.ReadWrite"];

/// What this family keeps between requests.
pub struct Store {
    /// The day of the sample's meeting.
    day: String,
}

impl Store {
    /// The sample data around a day.
    pub fn sample(today: Date) -> Self {
        let day = today.previous_day().unwrap_or(today);
        Self { day: day.format(format_description!("[year]-[month]-[day]")).unwrap_or_default() }
    }
}

/// Answers a request for one of this family's paths.
pub fn route(request: &Request<'_>, store: &mut GraphStore, path: &[&str]) -> Found {
    let ["me", "onlineMeetings", rest @ ..] = path else { return Ok(None) };
    if request.call.method != "GET" {
        return Ok(None);
    }
    let scopes = match rest {
        [_, "transcripts", ..] => &["OnlineMeetingTranscript.Read.All"],
        [_, "attendanceReports", ..] => &["OnlineMeetingArtifact.Read.All"],
        _ => READ,
    };
    request.require(scopes, Family::Teams)?;
    if request.consent.user.home != Home::Contoso {
        return Err(GraphError::new(403, "Forbidden", "Online meetings are for work accounts of this tenant."));
    }
    let day = store.family.meetings.day.clone();
    let made = &store.mailbox(request.consent.user).meetings;
    let all: Vec<Value> = made.iter().cloned().chain([sample(&day)]).collect();
    let known = |id: &str| all.iter().find(|meeting| text(meeting, "/id") == id).cloned().ok_or_else(not_found);
    let sampled = |id: &str| if id == MEETING { Ok(()) } else { known(id).and(Err(not_found())) };
    Ok(Some(match rest {
        [] => Answer::ok(json!({"value": [by_url(request, &all)?]})),
        [id] => Answer::ok(known(id)?),
        [id, "transcripts"] => {
            known(id)?;
            Answer::ok(json!({"value": if *id == MEETING { transcripts(&day) } else { Vec::new() }}))
        }
        [id, "transcripts", "t-2", "content"] => {
            sampled(id)?;
            vtt(request)?
        }
        [id, "attendanceReports"] => {
            known(id)?;
            let list = if *id == MEETING { vec![report(&day)] } else { Vec::new() };
            Answer::ok(json!({"value": list}))
        }
        [id, "attendanceReports", "r-1"] => {
            sampled(id)?;
            let mut report = report(&day);
            if query::option(request, "$expand") == Some("attendanceRecords") {
                crate::json::set(&mut report, "attendanceRecords", records());
            }
            Answer::ok(report)
        }
        _ => return Err(not_found()),
    }))
}

fn not_found() -> GraphError {
    GraphError::new(404, "NotFound", "The meeting, report or transcript was not found.")
}

/// Meetings can be asked for by their link, and not be listed.
fn by_url(request: &Request<'_>, all: &[Value]) -> Result<Value, GraphError> {
    let refuse = || GraphError::bad("Filter expression expected - /onlineMeetings?$filter=JoinWebUrl eq '...'.");
    let filter = query::option(request, "$filter").ok_or_else(refuse)?;
    let url = filter.strip_prefix("JoinWebUrl eq '").and_then(|rest| rest.strip_suffix('\'')).ok_or_else(refuse)?;
    all.iter().find(|meeting| text(meeting, "/joinWebUrl") == url).cloned().ok_or_else(not_found)
}

fn person(email: &str) -> Value {
    json!({"upn": email, "role": "attendee", "identity": {"user": {"id": null, "displayName": null}}})
}

fn sample(day: &str) -> Value {
    let staff = || USERS.iter().filter(|user| user.home == Home::Contoso);
    let attendees: Vec<_> = staff().skip(1).map(|user| person(user.email)).collect();
    json!({
        "id": MEETING, "subject": "Heron weekly", "joinWebUrl": JOIN,
        "startDateTime": format!("{day}T09:00:00Z"), "endDateTime": format!("{day}T09:30:00Z"),
        "allowedPresenters": "everyone", "recordAutomatically": true,
        "lobbyBypassSettings": {"scope": "organization", "isDialInBypassEnabled": false},
        "chatInfo": {"threadId": "19:meeting_heron@thread.v2", "messageId": "0", "replyChainMessageId": null},
        "participants": {"organizer": staff().next().map(|user| person(user.email)), "attendees": attendees},
    })
}

fn transcripts(day: &str) -> Vec<Value> {
    ["t-1", "t-2"]
        .iter()
        .zip(["08", "09"])
        .map(|(id, hour)| json!({"id": id, "meetingId": MEETING, "createdDateTime": format!("{day}T{hour}:35:00Z")}))
        .collect()
}

fn vtt(request: &Request<'_>) -> Result<Answer, GraphError> {
    let format = query::option(request, "$format").or_else(|| request.call.header("accept"));
    if format != Some("text/vtt") {
        return Err(GraphError::new(415, "UnsupportedMediaType", "The format is not supported; ask for text/vtt."));
    }
    let names: Vec<_> = USERS.iter().filter(|user| user.home == Home::Contoso).map(|user: &User| user.name).collect();
    let said = ["Shall we move the launch to Thursday?", "Thursday works.", "Done: Thursday &amp; not before."];
    let cues = (0..9).zip(names.iter().cycle().zip(said.iter().cycle()));
    let cues =
        cues.map(|(at, (name, words))| format!("00:00:0{at}.000 --> 00:00:0{at}.900\r\n<v {name}>{words}</v>\r\n"));
    let text = format!("WEBVTT\r\n\r\n{}", cues.collect::<Vec<_>>().join("\r\n"));
    Ok(Answer::ok(Value::String(text)))
}

fn report(day: &str) -> Value {
    json!({"id": "r-1", "totalParticipantCount": 2, "meetingStartDateTime": format!("{day}T09:00:00Z"),
        "meetingEndDateTime": format!("{day}T09:30:00Z")})
}

fn records() -> Vec<Value> {
    let staff = USERS.iter().filter(|user| user.home == Home::Contoso).take(2);
    staff
        .map(|user| {
            json!({"emailAddress": user.email, "totalAttendanceInSeconds": 1700, "role": "Presenter",
                "identity": {"displayName": user.name, "id": user.oid}})
        })
        .collect()
}
