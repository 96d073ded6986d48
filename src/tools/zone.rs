//! Which zone times are in. Zone names go to Graph as they are: it knows both IANA's and Windows' names.

use std::cell::RefCell;

use serde::Deserialize;

use super::ToolError;
use super::call::Call;
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;

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

/// What an object remembers of its user between calls; losing it costs one request.
#[derive(Default)]
pub struct Memory {
    /// The mailbox's zone, and the Unix second until which it counts.
    zone: RefCell<Option<(String, u64)>>,
}

impl Memory {
    /// Asks the mailbox anew at the next call, because its zone was changed.
    pub(super) fn forget_zone(&self) {
        *self.zone.borrow_mut() = None;
    }
}

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
    let memory = &call.context.memory.zone;
    if let Some((zone, _)) = memory.borrow().as_ref().filter(|(_, until)| call.now() < *until) {
        return Ok(Zone::Known(zone.clone()));
    }
    let request = GraphRequest::new(Method::Get, &[Segment::Word("me"), Segment::Word("mailboxSettings")])?
        .query("$select", "timeZone");
    // Without an answer the zone is merely unknown; what needs it says so.
    let settings: Result<Settings, _> = call.json(&request).await;
    let own = settings.ok().and_then(|settings| settings.time_zone).filter(|zone| is_zone(zone));
    *memory.borrow_mut() = own.clone().map(|zone| (zone, call.now() + REMEMBERED));
    Ok(own.map_or(Zone::Unknown, Zone::Known))
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
    fn a_zone_cannot_leave_its_header() {
        assert!(is_zone("Europe/Berlin") && is_zone("Central Standard Time (Mexico)") && is_zone("Etc/GMT+5"));
        for wrong in ["", "x\", IdType=\"y", "x\r\ny: z", "x\\", "é"] {
            assert!(!is_zone(wrong), "{wrong:?}");
        }
    }
}
