//! Answering invitations and calling events off. Changing them is `update`; creating them is `event`.

mod update;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{Answer, UNTRUSTED, clean};
use super::arguments::{self, identifier};
use super::calendar::{Clock, seconds};
use super::call::Call;
use super::item::Party;
use super::ledger::Ledger;
use super::mailbox::Mailbox;
use super::outbox::{self, IMMUTABLE};
use super::policy::{self, Deed};
use super::reach::Reach;
use super::span::{self, Given, Span};
use super::zone;
use super::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};
use crate::crypto::Digest;
use crate::graph::request::{Method, Segment};
use crate::graph::{GraphRequest, GraphResponse};
use crate::identity::Scope;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[
    update::TOOL,
    Tool {
        name: "respondToEvent",
        title: "Answer an invitation",
        description: "Accept or decline an invitation, or accept it tentatively; the organiser is told.",
        kind: Kind::Outward,
        preset: Preset::Calendar,
        needs: &[Scope::CalendarsReadWrite],
        also: &[Scope::MailboxSettingsRead],
        on_use: &[],
        example: r#"{"id":"AAkALgAA=","response":"accept","comment":"See you there"}"#,
        schema: schema::of::<RespondToEvent>,
        handler: handle::<RespondToEvent>,
    },
    Tool {
        name: "cancelCalendarEvent",
        title: "Cancel or delete a calendar event",
        description: "Cancel the user's own meeting and tell the attendees; any other event is only removed from the calendar.",
        kind: Kind::Outward,
        preset: Preset::Calendar,
        needs: &[Scope::CalendarsReadWrite],
        also: &[Scope::MailboxSettingsRead],
        on_use: &[Scope::CalendarsReadWriteShared],
        example: r#"{"id":"AAkALgAA="}"#,
        schema: schema::of::<CancelCalendarEvent>,
        handler: handle::<CancelCalendarEvent>,
    },
];

/// Characters of a comment.
const COMMENT: usize = 5000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Reply {
    Accept,
    Tentative,
    Decline,
}

impl Reply {
    const fn word(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Tentative => "tentativelyAccept",
            Self::Decline => "decline",
        }
    }

    const fn question(self) -> &'static str {
        match self {
            Self::Accept => "Accept this invitation and tell the organiser?",
            Self::Tentative => "Accept this invitation tentatively and tell the organiser?",
            Self::Decline => "Decline this invitation and tell the organiser?",
        }
    }
}

/// An event as far as a person has to know it who is asked about an answer.
#[derive(Deserialize)]
struct Invitation {
    subject: Option<String>,
    organizer: Option<Party>,
}

impl Invitation {
    async fn read(call: &Call<'_>, id: &str) -> Result<Self, ToolError> {
        let path = [Segment::Word("me"), Segment::Word("events"), Segment::Value(id)];
        let request = GraphRequest::new(Method::Get, &path)?.query("$select", "subject,organizer").prefer(IMMUTABLE);
        call.json(&request).await
    }

    fn deed(&self) -> Deed<'_> {
        let organiser = self.organizer.as_ref().map_or("", Party::address);
        Deed {
            reach: Reach::People(vec![("Organiser", organiser.to_owned())]),
            subject: self.subject.as_deref().unwrap_or_default(),
            ..Deed::unseen()
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RespondToEvent {
    id: String,
    response: Reply,
    comment: Option<String>,
    /// false: tell nobody
    #[schemars(extend("default" = true))]
    send_response: Option<bool>,
    /// Another time, with tentative or decline: local ISO date-time, or with offset
    propose_start: Option<String>,
    propose_end: Option<String>,
    /// Default: mailbox zone
    timezone: Option<String>,
    idempotency_key: Option<String>,
}

/// The body of Graph's accept, tentativelyAccept and decline.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outgoing {
    send_response: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proposed_new_time: Option<Slot>,
}

#[derive(Serialize)]
struct Slot {
    start: span::Clock,
    end: span::Clock,
}

#[async_trait(?Send)]
impl Input for RespondToEvent {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let key = arguments::key(self.idempotency_key.as_deref())?;
        let id = identifier("id", &self.id)?;
        let comment = comment(self.comment.as_deref())?;
        let send_response = self.send_response != Some(false);
        if comment.is_some() && !send_response {
            return Err(ToolError::argument(
                "comment",
                "goes out with the response only: leave out sendResponse=false",
            ));
        }
        let proposed_new_time = match self.proposal(send_response)? {
            Some(span) => {
                let (start, end) = span.clocks(call, self.timezone.as_deref()).await?;
                Some(Slot { start, end })
            }
            None => None,
        };
        let body = Outgoing { send_response, comment, proposed_new_time };
        let path =
            [Segment::Word("me"), Segment::Word("events"), Segment::Value(id), Segment::Word(self.response.word())];
        let body = serde_json::to_value(&body).unwrap_or(Value::Null);
        let request = GraphRequest::new(Method::Post, &path)?.prefer(IMMUTABLE).body(body);
        let asked = json!([request.path_and_query(), request.body]);
        let invitation =
            if send_response && policy::matters(call) { Some(Invitation::read(call, id).await?) } else { None };
        let deed = invitation.as_ref().map_or_else(Deed::unseen, |invitation| Deed {
            question: self.response.question(),
            text: ("text", self.comment.as_deref().unwrap_or_default()),
            content: asked.clone(),
            ..invitation.deed()
        });
        let now = once(call, (key, &asked), &request, &deed).await?.is_some();
        let answer = json!({"status": "answered", "response": self.response.word(), "sent": send_response});
        Ok(Answer::noted(answer, (!now).then_some(BEFORE)))
    }
}

impl RespondToEvent {
    fn proposal(&self, send_response: bool) -> Result<Option<Span>, ToolError> {
        let (start, end) = match (self.propose_start.as_deref(), self.propose_end.as_deref()) {
            (None, None) => return Ok(None),
            (Some(start), Some(end)) => (start, end),
            (Some(_), None) => return Err(ToolError::argument("proposeEnd", "goes with proposeStart")),
            (None, Some(_)) => return Err(ToolError::argument("proposeStart", "goes with proposeEnd")),
        };
        if self.response == Reply::Accept || !send_response {
            return Err(ToolError::argument("proposeStart", "only with response tentative or decline that is sent"));
        }
        Given { names: ("proposeStart", "proposeEnd"), start, end, all_day: false }.checked().map(Some)
    }
}

fn comment(text: Option<&str>) -> Result<Option<String>, ToolError> {
    text.map(|text| arguments::prose("comment", text, COMMENT)).transpose()
}

/// Sends what other people are told of: once for a key, and never again after doubt. Graph's answer, where it was this
/// call that did.
async fn once(
    call: &Call<'_>,
    (key, asked): (Option<String>, &Value),
    request: &GraphRequest,
    deed: &Deed<'_>,
) -> Result<Option<GraphResponse>, ToolError> {
    let arguments = Digest::of(asked.to_string().as_bytes());
    outbox::once(&Ledger::of(call, &call.key(key), &arguments), request, deed).await
}

const BEFORE: &str = "An earlier call with this idempotencyKey did it; nothing was sent now.";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CancelCalendarEvent {
    /// Of an occurrence: only that one; of a series: all
    id: String,
    /// For the attendees
    comment: Option<String>,
    /// Only say what it would do
    dry_run: Option<bool>,
    /// Shared mailbox address
    mailbox: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    subject: Option<String>,
    start: Option<Clock>,
    is_organizer: Option<bool>,
    #[serde(default)]
    attendees: Vec<Party>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[async_trait(?Send)]
impl Input for CancelCalendarEvent {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let comment = comment(self.comment.as_deref())?;
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        let mut path = mailbox.path(&[Segment::Word("events"), Segment::Value(identifier("id", &self.id)?)]);
        mailbox.require(call, Scope::CalendarsReadWrite, Scope::CalendarsReadWriteShared)?;
        let (event, zone) = look(call, &path).await?;
        let told = if event.is_organizer == Some(true) { event.attendees.len() } else { 0 };
        if comment.is_some() && told == 0 {
            return Err(ToolError::argument(
                "comment",
                "nobody would read it: the event is not the user's own meeting",
            ));
        }
        let action = if told > 0 { "cancel" } else { "delete" };
        if self.dry_run == Some(true) {
            return Ok(Answer::planned(&json!({
                "untrusted": UNTRUSTED,
                "action": action,
                "subject": clean(event.subject.as_deref().unwrap_or_default(), 255),
                "start": seconds(event.start),
                "zone": zone,
                "wholeSeries": event.kind.as_deref() == Some("seriesMaster"),
                "attendeesTold": told,
            })));
        }
        if told > 0 {
            let deed = Deed {
                question: "Cancel this event and tell them?",
                reach: Reach::People(event.attendees.iter().map(|one| ("Invited", one.address().to_owned())).collect()),
                subject: event.subject.as_deref().unwrap_or_default(),
                text: ("text", comment.as_deref().unwrap_or_default()),
                content: json!([self.id, self.mailbox, comment]),
                ..Deed::unseen()
            };
            policy::pass(call, &deed).await?;
        }
        let request = if told > 0 {
            path.push(Segment::Word("cancel"));
            GraphRequest::new(Method::Post, &path)?
                .body(comment.map_or_else(|| json!({}), |text| json!({"comment": text})))
        } else {
            GraphRequest::new(Method::Delete, &path)?
        };
        call.send(&request.prefer(IMMUTABLE)).await?;
        let status = if told > 0 { "cancelled" } else { "deleted" };
        Ok(Answer::of(&json!({"status": status, "id": self.id, "attendeesTold": told})))
    }
}

/// The event as it is now, and the zone of its time.
async fn look(call: &Call<'_>, path: &[Segment<'_>]) -> Result<(Event, String), ToolError> {
    let zone = zone::choose(call, None).await?;
    let request = GraphRequest::new(Method::Get, path)?
        .query("$select", "subject,start,isOrganizer,attendees,type")
        .prefer(IMMUTABLE)
        .times_in(zone.name());
    Ok((call.json(&request).await?, zone.name().unwrap_or("UTC").to_owned()))
}
