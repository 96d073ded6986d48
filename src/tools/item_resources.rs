//! One mail, one event and one file by id, as JSON: what a client attaches to a conversation after a tool listed it.

use serde::Serialize;

use super::answer::UNTRUSTED;
use super::call::Call;
use super::content::Data;
use super::icon;
use super::message::{self, Email, Message};
use super::resources::{Place, Resource, json_text};
use super::{ToolError, calendar_read, files_read, item};
use crate::config::Preset;
use crate::graph::request::Segment;
use crate::identity::Scope;

/// The resources of this family.
pub(super) const RESOURCES: &[Resource] = &[
    Resource {
        preset: Preset::Core,
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
        preset: Preset::Core,
        place: Place::Each { before: "microsoft://event/", after: "" },
        name: "event",
        title: "A calendar event",
        description: "One event with its text; id as getCalendarEvents gives it",
        mime_type: "application/json",
        icon: Some(icon::CALENDAR),
        scope: Some(Scope::CalendarsRead),
        read: |call, id| Box::pin(event(call, id)),
    },
    Resource {
        preset: Preset::Files,
        place: Place::Each { before: "microsoft://file/", after: "" },
        name: "file",
        title: "A file",
        description: "One file's text, from the user's own drive; id as listFiles gives it",
        mime_type: "application/json",
        icon: Some(icon::FILE),
        scope: Some(Scope::FilesRead),
        read: |call, id| Box::pin(file(call, id)),
    },
];

/// Longest text that is handed on; what a client attaches fills the model's context.
const LONGEST: usize = 20_000;

#[derive(Serialize)]
struct Mail {
    untrusted: &'static str,
    #[serde(flatten)]
    email: Email,
}

async fn mail(call: &Call<'_>, id: &str) -> Result<Data, ToolError> {
    let path = [Segment::Word("me"), Segment::Word("messages"), Segment::Value(id)];
    let found: Message = call.json(&item::get(&path)?.query("$select", message::WHOLE)).await?;
    Ok(json_text(&Mail { untrusted: UNTRUSTED, email: found.shown(call.own_address(), (LONGEST, true)) }))
}

async fn event(call: &Call<'_>, id: &str) -> Result<Data, ToolError> {
    let path = [Segment::Word("me"), Segment::Word("events"), Segment::Value(id)];
    Ok(json_text(&calendar_read::event(call, &path, None, LONGEST).await?))
}

async fn file(call: &Call<'_>, id: &str) -> Result<Data, ToolError> {
    Ok(json_text(&files_read::content(call, id, LONGEST).await?))
}
