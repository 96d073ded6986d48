//! Calendars, calendar views, events, and the mailbox's zone.

use serde_json::json;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

use super::error::GraphError;
use super::filter;
use super::query::{self, ListOptions, Sizes};
use super::request::{Answer, Family, Request};
use super::store::Mailbox;
use super::zone::Zone;

/// OData type of an event, as error messages name it.
pub const KIND: &str = "microsoft.graph.event";
const READ: &[&str] = &["Calendars.Read", "Calendars.ReadWrite", "Calendars.Read.Shared", "Calendars.ReadWrite.Shared"];
const SIZES: Sizes = Sizes { default: 10, max: 1000 };

/// Refuses a `Prefer` zone that nobody knows.
pub fn zone_known(request: &Request<'_>) -> Result<(), GraphError> {
    match request.prefer.zone.as_deref() {
        Some(name) if Zone::parse(name).is_none() => {
            let message = format!(
                "A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'."
            );
            Err(GraphError::new(400, "TimeZoneNotSupportedException", &message))
        }
        _ => Ok(()),
    }
}

/// A bound of a view: its own offset counts, without one it is UTC.
fn bound(request: &Request<'_>, name: &str) -> Result<OffsetDateTime, GraphError> {
    let given = request.query.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    let Some((_, text)) = given else {
        return Err(GraphError::new(
            400,
            "ErrorInvalidParameter",
            "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.",
        ));
    };
    parse_moment(text).ok_or_else(|| {
        GraphError::new(400, "ErrorInvalidParameter", &format!("The value '{text}' of parameter '{name}' is invalid."))
    })
}

fn parse_moment(text: &str) -> Option<OffsetDateTime> {
    if let Ok(moment) = OffsetDateTime::parse(text, &Rfc3339) {
        return Some(moment.to_offset(UtcOffset::UTC));
    }
    parse_local(text).map(PrimitiveDateTime::assume_utc)
}

/// A date and time without an offset; seconds and their fractions may be missing.
pub fn parse_local(text: &str) -> Option<PrimitiveDateTime> {
    let whole = text.split('.').next().unwrap_or("");
    let full = match whole.len() {
        10 => format!("{whole}T00:00:00"),
        16 => format!("{whole}:00"),
        _ => whole.to_owned(),
    };
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    PrimitiveDateTime::parse(&full, &format).ok()
}

/// The name of the calendar an id means; none is the default one.
pub fn calendar<'a>(mailbox: &'a Mailbox, id: Option<&str>) -> Result<&'a str, GraphError> {
    let Some(id) = id else { return Ok("Calendar") };
    let found = mailbox.calendars.iter().find(|name| mailbox.calendar_id(name) == id);
    found.map(String::as_str).ok_or_else(GraphError::no_item)
}

/// GET `/me/calendars`.
pub fn calendars(request: &Request<'_>, mailbox: &Mailbox) -> Result<Answer, GraphError> {
    request.require(READ, Family::Outlook)?;
    let options = ListOptions::parse(request, SIZES)?;
    let owner = json!({"name": mailbox.user.name, "address": mailbox.user.email});
    let list = mailbox.calendars.iter().map(|name| {
        json!({
            "id": mailbox.calendar_id(name), "name": name, "color": "auto", "hexColor": "", "changeKey": "cal1",
            "isDefaultCalendar": name == "Calendar", "canShare": true, "canViewPrivateItems": true, "canEdit": true,
            "allowedOnlineMeetingProviders": ["teamsForBusiness"], "defaultOnlineMeetingProvider": "teamsForBusiness",
            "isTallyingResponses": name == "Calendar", "isRemovable": name != "Calendar", "owner": owner,
        })
    });
    query::page(request, &options, list.collect(), "microsoft.graph.calendar")
}

/// GET `/me/calendarView` and `/me/calendars/{id}/calendarView`; not sorted unless asked.
pub fn view(request: &Request<'_>, mailbox: &Mailbox, id: Option<&str>) -> Result<Answer, GraphError> {
    request.require(READ, Family::Outlook)?;
    zone_known(request)?;
    let (from, to) = (bound(request, "startDateTime")?, bound(request, "endDateTime")?);
    if to < from {
        return Err(GraphError::new(400, "ErrorInvalidParameter", "The end of the time window is before its start."));
    }
    let options = ListOptions::parse(request, SIZES)?;
    let name = calendar(mailbox, id)?;
    let clauses = options.filter.as_deref().map(filter::parse).transpose()?.unwrap_or_default();
    let mut entries = Vec::new();
    for event in mailbox.events.iter().filter(|event| event.calendar == name) {
        for one in event.between(from, to) {
            entries.push(event.render(mailbox, one, &request.prefer));
        }
    }
    entries.retain(|entry| clauses.iter().all(|clause| clause.holds(entry)));
    query::sort(&mut entries, &options.orderby);
    query::page(request, &options, entries, KIND)
}

/// GET `/me/events/{id}`.
pub fn get(request: &Request<'_>, mailbox: &Mailbox, id: &str) -> Result<Answer, GraphError> {
    request.require(READ, Family::Outlook)?;
    zone_known(request)?;
    let immutable = request.prefer.immutable;
    let found = mailbox.events.iter().find(|event| {
        mailbox.event_id(event.key, None, false) == id || (immutable && mailbox.event_id(event.key, None, true) == id)
    });
    let event = found.ok_or_else(GraphError::no_item)?;
    Ok(Answer::ok(event.render_master(mailbox, &request.prefer)))
}

/// GET `/me/mailboxSettings`.
pub fn settings(request: &Request<'_>, mailbox: &Mailbox) -> Result<Answer, GraphError> {
    request.require(&["MailboxSettings.Read", "MailboxSettings.ReadWrite"], Family::Outlook)?;
    let mut value = json!({
        "archiveFolder": mailbox.folder_id("archive"), "timeZone": mailbox.user.zone,
        "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
        "dateFormat": "yyyy-MM-dd", "timeFormat": "HH:mm", "userPurpose": "user",
        "automaticRepliesSetting": {"status": "disabled", "externalAudience": "none", "internalReplyMessage": "", "externalReplyMessage": ""},
        "language": {"locale": "en-GB", "displayName": "English (United Kingdom)"},
        "workingHours": {
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "startTime": "08:00:00.0000000", "endTime": "17:00:00.0000000", "timeZone": {"name": mailbox.user.zone},
        },
    });
    for (name, changed) in mailbox.settings.as_object().into_iter().flatten() {
        crate::json::set(&mut value, name, changed.clone());
    }
    let chosen: Option<Vec<String>> =
        query::option(request, "$select").map(|list| list.split(',').map(str::to_owned).collect());
    Ok(Answer::ok(query::select(value, chosen.as_deref(), "microsoft.graph.mailboxSettings")?))
}
