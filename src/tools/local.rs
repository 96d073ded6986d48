//! Times of answers as the user's clocks show them.
//!
//! Graph tells in UTC when a mail came or a file was changed, whatever zone it is asked for, and a model repeats what it
//! reads. So every answer passes here on its way out, and no tool has to think of it.

use std::ops::Range;

use serde::Deserialize;
use time::{OffsetDateTime, UtcOffset};

use super::answer::Answer;
use super::call::Call;
use super::content::Data;
use super::when;
use super::zone::{self, Zone};
use crate::json;

/// The members of answers that hold a moment.
const MEMBERS: [&str; 10] =
    ["at", "created", "due", "end", "expires", "modified", "received", "start", "until", "when"];

/// An answer that names the zone of its times.
#[derive(Deserialize)]
struct Zoned {
    zone: Option<String>,
}

/// The answer with local times.
pub(super) async fn answer(call: &Call<'_>, answer: Answer) -> Answer {
    match answer.text() {
        Some(text) => match told(call, text).await {
            Some(told) => answer.saying(told),
            None => answer,
        },
        None => answer,
    }
}

/// What a resource holds, with local times.
pub(super) async fn data(call: &Call<'_>, data: Data) -> Data {
    match &data {
        Data::Text(text) => told(call, text).await.map_or(data, |told| Data::Text(told.into())),
        Data::Blob(_) => data,
    }
}

/// The JSON text with local times, in the zone that it names or else the mailbox's own. `None`: it stays as it is, also
/// where the zone cannot be had; nothing is lost for the want of it.
async fn told(call: &Call<'_>, text: &str) -> Option<String> {
    let moments = moments(text);
    if moments.is_empty() {
        return None;
    }
    let named = json::read::<Zoned>(text.as_bytes()).ok().and_then(|zoned| zoned.zone);
    let zone = match named {
        Some(zone) => Zone::Known(zone),
        None => zone::own(call).await.ok()?,
    };
    let zone = zone::iana(zone.name()?);
    let mut told = String::with_capacity(text.len());
    let mut from = 0;
    for (place, at) in moments {
        told.push_str(text.get(from..place.start)?);
        let offset = call.context.ports.zones.offset(zone, at.unix_timestamp())?;
        told.push_str(&when::minute(at.to_offset(UtcOffset::from_whole_seconds(offset).ok()?)));
        from = place.end;
    }
    told.push_str(text.get(from..)?);
    Some(told)
}

/// Where the text tells a moment in UTC. A quote within a JSON string is escaped, so no text of other people reads like
/// a member.
fn moments(text: &str) -> Vec<(Range<usize>, OffsetDateTime)> {
    let member = |(at, mark): (usize, &str)| {
        let name = text.get(..at)?.rsplit('"').next()?;
        if !MEMBERS.contains(&name) {
            return None;
        }
        let start = at + mark.len();
        let value = text.get(start..)?.split('"').next()?;
        Some((start..start + value.len(), when::of_graph(value)?))
    };
    text.match_indices("\":\"").filter_map(member).collect()
}
