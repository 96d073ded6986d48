//! Teams: posting to a channel, and making a meeting link.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::address::{self, Addresses};
use super::answer::Answer;
use super::arguments::{self, LINE, identifier};
use super::call::Call;
use super::ledger::Ledger;
use super::outbox::{self, transaction};
use super::policy::Deed;
use super::reach::Reach;
use super::send::{Body, ContentType};
use super::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema, when};
use crate::crypto::Digest;
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "sendTeamsMessage",
        title: "Post to a Teams channel",
        description: "Post a message to a Teams channel, or into a thread with replyTo.",
        kind: Kind::Outward,
        preset: Preset::Core,
        needs: &[Scope::ChannelMessageSend],
        also: &[],
        on_use: &[],
        example: r#"{"teamId":"fbe2bf47-16c8-47cf-b4a5-4b9b187c508b","channelId":"19:abc@thread.tacv2","message":"Hello","contentType":"text"}"#,
        schema: schema::of::<SendTeamsMessage>,
        handler: handle::<SendTeamsMessage>,
    },
    Tool {
        name: "createTeamsMeeting",
        title: "Create a Teams meeting link",
        description: "Create a Teams link that is on no calendar and invites nobody. To invite, use createCalendarEvent with onlineMeeting.",
        kind: Kind::Write,
        preset: Preset::Core,
        needs: &[Scope::OnlineMeetingsReadWrite],
        also: &[],
        on_use: &[],
        example: r#"{"subject":"Sync","startTime":"2026-03-02T09:00:00+01:00","endTime":"2026-03-02T09:30:00+01:00"}"#,
        schema: schema::of::<CreateTeamsMeeting>,
        handler: handle::<CreateTeamsMeeting>,
    },
];

/// Teams refuses messages of about 28 KB; the rest is left for the envelope.
const MESSAGE_BYTES: usize = 27_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SendTeamsMessage {
    team_id: String,
    channel_id: String,
    message: String,
    #[schemars(extend("default" = "html"))]
    content_type: Option<ContentType>,
    /// Id of the message that starts the thread
    reply_to: Option<String>,
    idempotency_key: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CreateTeamsMeeting {
    subject: String,
    /// ISO date-time with offset
    start_time: String,
    /// ISO date-time with offset
    end_time: String,
    /// Addresses
    attendees: Option<Addresses>,
    idempotency_key: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Posted {
    #[serde(skip_deserializing)]
    status: &'static str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    web_url: Option<String>,
}

#[async_trait(?Send)]
impl Input for SendTeamsMessage {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let request = self.request()?;
        let given = arguments::key(self.idempotency_key.as_deref())?;
        let key = call.key(given);
        let asked = json!([request.path_and_query(), request.body]);
        let arguments = Digest::of(asked.to_string().as_bytes());
        let place = format!("channel {} of team {}", self.channel_id, self.team_id);
        let kind = self.content_type.unwrap_or_default().name();
        let deed = Deed {
            question: "Post this message in Teams?",
            reach: Reach::Place { name: &place, outside: false },
            text: (kind, &self.message),
            content: asked,
            ..Deed::unseen()
        };
        let response = outbox::once(&Ledger::of(call, &key, &arguments), &request, &deed).await?;
        Ok(match response {
            // Graph said yes; an answer that cannot be read takes nothing from that.
            Some(response) => match response.json::<Posted>() {
                Ok(posted) => Answer::of(&Posted { status: "posted", ..posted }),
                Err(_) => Answer::of(&json!({"status": "posted"})),
            },
            None => {
                Answer::of(&json!({"status": "posted", "note": "An earlier call with this idempotencyKey posted it."}))
            }
        })
    }
}

impl SendTeamsMessage {
    fn request(&self) -> Result<GraphRequest, ToolError> {
        let content = arguments::prose("message", &self.message, MESSAGE_BYTES)?;
        if content.len() > MESSAGE_BYTES {
            return Err(ToolError::argument(
                "message",
                format!("{} bytes, Teams takes {MESSAGE_BYTES}", content.len()),
            ));
        }
        let mut path = vec![
            Segment::Word("teams"),
            Segment::Value(identifier("teamId", &self.team_id)?),
            Segment::Word("channels"),
            Segment::Value(identifier("channelId", &self.channel_id)?),
            Segment::Word("messages"),
        ];
        if let Some(thread) = self.reply_to.as_deref() {
            path.extend([Segment::Value(identifier("replyTo", thread)?), Segment::Word("replies")]);
        }
        let body = Body { content_type: self.content_type.unwrap_or_default(), content };
        Ok(GraphRequest::new(Method::Post, &path)?.body(json!({"body": body})))
    }
}

/// Graph's onlineMeeting, as far as it is created here.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Meeting {
    subject: String,
    start_date_time: String,
    end_date_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    participants: Option<Participants>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
}

#[derive(Serialize)]
struct Participants {
    attendees: Vec<Participant>,
}

#[derive(Serialize)]
struct Participant {
    upn: String,
    role: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    id: String,
    join_web_url: Option<String>,
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[schemars(skip)]
    status: &'static str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    join_url: Option<String>,
    #[schemars(skip)]
    start: String,
    #[schemars(skip)]
    end: String,
    #[schemars(skip)]
    note: &'static str,
}

#[async_trait(?Send)]
impl Input for CreateTeamsMeeting {
    fn output() -> Option<Value> {
        Some(schema::output::<Told>())
    }

    async fn run(self, call: &Call<'_>) -> Outcome {
        let key = arguments::key(self.idempotency_key.as_deref())?;
        let mut meeting = self.meeting()?;
        meeting.external_id = key.as_deref().map(transaction);
        let body = serde_json::to_value(&meeting).unwrap_or(Value::Null);
        let (me, meetings) = (Segment::Word("me"), Segment::Word("onlineMeetings"));
        let created: Created = if let Some(key) = key.as_deref() {
            let path = [me, meetings, Segment::Word("createOrGet")];
            let request = GraphRequest::new(Method::Post, &path)?.body(body).repeatable();
            outbox::repeatable(call, key, &request, None).await?
        } else {
            call.json(&GraphRequest::new(Method::Post, &[me, meetings])?.body(body)).await?
        };
        Ok(Answer::structured(&Told {
            status: "created",
            id: created.id,
            join_url: created.join_web_url,
            start: meeting.start_date_time,
            end: meeting.end_date_time,
            note: "It is on no calendar and nobody was invited.",
        }))
    }
}

impl CreateTeamsMeeting {
    fn meeting(&self) -> Result<Meeting, ToolError> {
        let start = when::instant("startTime", &self.start_time)?;
        let end = when::instant("endTime", &self.end_time)?;
        if end <= start {
            return Err(ToolError::argument("endTime", "must be later than startTime"));
        }
        let attendees: Vec<_> = address::optional("attendees", self.attendees.as_ref())?
            .into_iter()
            .map(|upn| Participant { upn, role: "attendee" })
            .collect();
        Ok(Meeting {
            subject: arguments::line("subject", &self.subject, LINE)?,
            start_date_time: when::with_offset(start),
            end_date_time: when::with_offset(end),
            participants: (!attendees.is_empty()).then_some(Participants { attendees }),
            external_id: None,
        })
    }
}
