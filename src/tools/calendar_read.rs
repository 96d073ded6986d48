//! The list of calendars and rooms. An event in full is `single`, free and busy times are `availability`.

mod availability;
mod recurrence;
mod single;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Answer, UNTRUSTED, clean};
use super::arguments::bounded;
use super::call::Call;
use super::mailbox::Mailbox;
use super::outbox::IMMUTABLE;
use super::page::{self, Page};
use super::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;

#[cfg(test)]
pub(super) use recurrence::Recurrence;
pub(super) use single::read as event;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "getCalendars",
        title: "List calendars",
        description: "The user's calendars, or with rooms=true the organisation's meeting rooms.",
        kind: Kind::Read,
        preset: Preset::Calendar,
        needs: &[Scope::CalendarsRead],
        also: &[],
        on_use: &[Scope::CalendarsReadShared, Scope::PlaceReadAll],
        example: r#"{"count":50}"#,
        schema: schema::of::<GetCalendars>,
        handler: handle::<GetCalendars>,
    },
    single::TOOL,
    availability::FREE_BUSY,
    availability::MEETING_TIMES,
];

const CALENDARS: &str = "id,name,isDefaultCalendar,canEdit,owner";
const ROOMS: &str = "id,displayName,emailAddress,capacity,building,floorNumber";
const FAMILIES: [&str; 3] = ["/me/calendars", "/users/{id}/calendars", "/places/microsoft.graph.room"];

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetCalendars {
    rooms: Option<bool>,
    /// Shared mailbox address
    mailbox: Option<String>,
    #[schemars(range(min = 1, max = 100), extend("default" = 50))]
    count: Option<u32>,
    cursor: Option<String>,
}

#[async_trait(?Send)]
impl Input for GetCalendars {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let count = bounded("count", self.count, 50, 100)?;
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        let rooms = self.rooms == Some(true);
        if rooms && mailbox != Mailbox::Own {
            return Err(ToolError::argument("mailbox", "rooms are the organisation's: leave mailbox out"));
        }
        let request = if rooms {
            call.require(Scope::PlaceReadAll)?;
            let path = [Segment::Word("places"), Segment::Word("microsoft.graph.room")];
            GraphRequest::new(Method::Get, &path)?.query("$select", ROOMS)
        } else {
            mailbox.require(call, Scope::CalendarsRead, Scope::CalendarsReadShared)?;
            let path = mailbox.path(&[Segment::Word("calendars")]);
            GraphRequest::new(Method::Get, &path)?.query("$select", CALENDARS).prefer(IMMUTABLE)
        };
        let start = page::begin(call, self.cursor.as_deref(), &request.query("$top", count.to_string()))?;
        let Page { items, next_cursor } = page::read::<Listed>(call, &FAMILIES, start, count).await?;
        Ok(Answer::of(&Found {
            untrusted: UNTRUSTED,
            calendars: items.into_iter().map(Entry::from).collect(),
            truncated: next_cursor.is_some(),
            next_cursor,
        }))
    }
}

/// A calendar or a room, by whichever fields it has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    id: String,
    name: Option<String>,
    display_name: Option<String>,
    is_default_calendar: Option<bool>,
    can_edit: Option<bool>,
    owner: Option<super::item::EmailAddress>,
    email_address: Option<String>,
    /// A number, which Graph has been documented to write as text.
    capacity: Option<Value>,
    building: Option<String>,
    floor_number: Option<i32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    untrusted: &'static str,
    calendars: Vec<Entry>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    default: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    can_edit: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    /// Of a room: whom to invite.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    building: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    floor: Option<i32>,
}

impl From<Listed> for Entry {
    fn from(listed: Listed) -> Self {
        let text = |text: Option<String>| text.map(|text| clean(&text, 255)).filter(|text| !text.is_empty());
        Self {
            id: listed.id,
            name: text(listed.name.or(listed.display_name)).unwrap_or_default(),
            default: listed.is_default_calendar == Some(true),
            can_edit: listed.can_edit,
            owner: listed.owner.and_then(|owner| text(owner.address)),
            address: text(listed.email_address),
            capacity: listed.capacity.and_then(|seats| seats.as_u64().or_else(|| seats.as_str()?.parse().ok())),
            building: text(listed.building),
            floor: listed.floor_number,
        }
    }
}
