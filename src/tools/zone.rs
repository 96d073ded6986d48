//! Which zone times are in. Zone names go to Graph as they are: it knows both IANA's and Windows' names.

use serde::Deserialize;

use super::ToolError;
use super::call::Call;
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::ports::SqlValue;

/// A zone and how it came to be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// Asked for, or the mailbox's own.
    Known(String),
    /// Nobody said, and the mailbox could not be asked.
    Unknown,
}

impl Zone {
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Known(name) => Some(name),
            Self::Unknown => None,
        }
    }
}

/// Seconds for which the mailbox's zone is remembered: people travel, but not by the minute.
const REMEMBERED: u64 = 3600;
/// Seconds for which it is not asked again where it gave no answer.
const REFUSED: u64 = 300;
/// What Windows and IANA call a zone, one a line (Unicode CLDR, `windowsZones`, territory 001).
const WINDOWS: &str = include_str!("zone/windows.txt");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    time_zone: Option<String>,
}

/// The zone that was asked for, else the mailbox's own.
pub(super) async fn choose(call: &Call<'_>, asked: Option<&str>) -> Result<Zone, ToolError> {
    if let Some(asked) = asked {
        let asked = asked.trim();
        return if is_zone(asked) {
            Ok(Zone::Known(asked.to_owned()))
        } else {
            Err(ToolError::argument("timezone", "not a zone name such as Europe/Berlin or W. Europe Standard Time"))
        };
    }
    if !call.allows(Scope::MailboxSettingsRead) {
        return Ok(Zone::Unknown);
    }
    Ok(match heard(call)? {
        Some(zone @ Zone::Known(_)) => zone,
        Some(Zone::Unknown) | None => ask(call).await?,
    })
}

/// The mailbox's own zone, for whom it would be good to know; who did not get it within the hour does without.
pub(super) async fn own(call: &Call<'_>) -> Result<Zone, ToolError> {
    if !call.allows(Scope::MailboxSettingsRead) {
        return Ok(Zone::Unknown);
    }
    match heard(call)? {
        Some(zone) => Ok(zone),
        None => ask(call).await,
    }
}

/// Asks the mailbox anew at the next call, because its zone was changed.
pub(super) fn forget(call: &Call<'_>) -> Result<(), ToolError> {
    call.sql("DELETE FROM mailbox_zone", &[]).map(drop)
}

/// IANA's name of a zone that is known by Windows' or by IANA's.
pub(super) fn iana(name: &str) -> &str {
    let mut zones = WINDOWS.lines().filter_map(|line| line.split_once('='));
    zones.find(|(windows, _)| windows.eq_ignore_ascii_case(name)).map_or(name, |(_, iana)| iana)
}

/// What the mailbox said within the hour. Kept in the object's storage: an object is asleep between most calls.
fn heard(call: &Call<'_>) -> Result<Option<Zone>, ToolError> {
    let rows = call.sql("SELECT name FROM mailbox_zone WHERE until > ?", &[SqlValue::seconds(call.now())])?;
    Ok(rows.into_iter().next().map(|row| match row.into_iter().next() {
        Some(SqlValue::Text(name)) => Zone::Known(name),
        Some(SqlValue::Null | SqlValue::Integer(_) | SqlValue::Blob(_)) | None => Zone::Unknown,
    }))
}

async fn ask(call: &Call<'_>) -> Result<Zone, ToolError> {
    let request = GraphRequest::new(Method::Get, &[Segment::Word("me"), Segment::Word("mailboxSettings")])?
        .query("$select", "timeZone");
    // Without an answer the zone is merely unknown; what needs it says so.
    let settings: Result<Settings, _> = call.json(&request).await;
    let lasts = if settings.is_ok() { REMEMBERED } else { REFUSED };
    let zone = settings.ok().and_then(|settings| settings.time_zone).filter(|zone| is_zone(zone));
    let row = [zone.clone().map_or(SqlValue::Null, SqlValue::Text), SqlValue::seconds(call.now() + lasts)];
    call.sql("INSERT OR REPLACE INTO mailbox_zone (one, name, until) VALUES (1, ?, ?)", &row)?;
    Ok(zone.map_or(Zone::Unknown, Zone::Known))
}

/// Letters of zone names only: the name stands in a quoted header value.
fn is_zone(name: &str) -> bool {
    let letter = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'+' | b'-' | b'.' | b' ' | b'(' | b')')
    };
    (1..=64).contains(&name.len()) && name.bytes().all(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_names_are_known_by_ianas() {
        for (name, known) in [
            ("W. Europe Standard Time", "Europe/Berlin"),
            ("pacific standard time", "America/Los_Angeles"),
            ("Europe/Berlin", "Europe/Berlin"),
            ("UTC", "Etc/UTC"),
        ] {
            assert_eq!(iana(name), known);
        }
        assert_eq!(WINDOWS.lines().filter_map(|line| line.split_once('=')).count(), WINDOWS.lines().count());
    }

    #[test]
    fn a_zone_cannot_leave_its_header() {
        assert!(is_zone("Europe/Berlin") && is_zone("Central Standard Time (Mexico)") && is_zone("Etc/GMT+5"));
        for wrong in ["", "x\", IdType=\"y", "x\r\ny: z", "x\\", "é"] {
            assert!(!is_zone(wrong), "{wrong:?}");
        }
    }
}
