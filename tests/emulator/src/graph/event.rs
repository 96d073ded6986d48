//! Stored events, the expansion of series, and the event resource in the zone asked for.

use serde_json::{Value, json};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime};

use super::pattern;
use super::request::Prefer;
use super::store::Mailbox;
use super::zone::Zone;
use crate::json::{items, set, text};

/// `2026-01-31T09:00:00.0000000`, the form of all event times.
pub const STAMP: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]");
const DAY: &[BorrowedFormatItem<'static>] = format_description!("[year]-[month]-[day]");
/// More occurrences than any view of a test needs.
const MOST_OCCURRENCES: i64 = 2000;

/// One event or series.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// Number that never changes.
    pub key: u64,
    /// Name of its calendar.
    pub calendar: String,
    /// Name of the organiser's zone.
    pub zone: String,
    /// Start in that zone.
    pub start: PrimitiveDateTime,
    /// Length.
    pub length: Duration,
    /// Everything that does not depend on time, zone or id.
    pub value: Value,
    /// How it differs from its pattern, or from its series.
    pub exception: Exception,
}

/// What became of single days of a series.
#[derive(Clone, Debug, Default)]
pub struct Exception {
    /// Days of this series on which it does not take place, or not as planned.
    pub left_out: Vec<Date>,
    /// Number of the series of which this event is an occurrence that was moved or changed.
    pub of: Option<u64>,
}

/// One entry of a view.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence {
    /// Start in UTC.
    pub start: OffsetDateTime,
    /// End in UTC.
    pub end: OffsetDateTime,
    /// Which of the series, from 0; a single event is none.
    pub number: Option<i64>,
}

impl StoredEvent {
    fn zone(&self) -> Zone {
        Zone::parse(&self.zone).unwrap_or(Zone::UTC)
    }

    fn at(&self, day: Date, number: Option<i64>) -> Occurrence {
        let start = self.zone().moment(PrimitiveDateTime::new(day, self.start.time()));
        Occurrence { start, end: start + self.length, number }
    }

    /// All occurrences that touch a range.
    pub fn between(&self, from: OffsetDateTime, to: OffsetDateTime) -> Vec<Occurrence> {
        let touches = |one: &Occurrence| one.start < to && one.end > from;
        let pattern = self.value.pointer("/recurrence/pattern");
        let Some(pattern) = pattern else {
            return Some(self.at(self.start.date(), None)).filter(touches).into_iter().collect();
        };
        let last = Date::parse(text(&self.value, "/recurrence/range/endDate"), DAY).ok();
        let most = self.value.pointer("/recurrence/range/numberOfOccurrences").and_then(Value::as_i64);
        let most = most.filter(|_| text(&self.value, "/recurrence/range/type") == "numbered");
        let (mut found, mut number) = (Vec::new(), 0);
        for ahead in 0..MOST_OCCURRENCES {
            let day = self.start.date() + Duration::days(ahead);
            let ended = last.is_some_and(|last| day > last && text(&self.value, "/recurrence/range/type") == "endDate");
            if ended || most.is_some_and(|most| number >= most) {
                break;
            }
            if pattern::falls_on(pattern, self.start.date(), day) {
                let stays = !self.exception.left_out.contains(&day);
                found.extend(Some(self.at(day, Some(number))).filter(|one| stays && touches(one)));
                number += 1;
            }
        }
        found
    }

    /// The resource of one occurrence, or of the event itself.
    pub fn render(&self, mailbox: &Mailbox, one: Occurrence, prefer: &Prefer) -> Value {
        let mut value = self.value.clone();
        let name = prefer.zone.as_deref().unwrap_or("UTC");
        let zone = Zone::parse(name).unwrap_or_else(|| self.zone());
        let shown =
            |moment| json!({"dateTime": zone.local(moment).format(STAMP).unwrap_or_default(), "timeZone": name});
        set(&mut value, "start", shown(one.start));
        set(&mut value, "end", shown(one.end));
        set(&mut value, "originalStartTimeZone", self.zone.clone());
        set(&mut value, "originalEndTimeZone", self.zone.clone());
        let master = mailbox.event_id(self.key, None, prefer.immutable);
        set(&mut value, "id", mailbox.event_id(self.key, one.number, prefer.immutable));
        set(&mut value, "iCalUId", format!("040000008200E00074C5B7101A82E008{:08}", self.key));
        let series = self.exception.of.map(|key| mailbox.event_id(key, None, prefer.immutable));
        let (kind, master) = match one.number {
            _ if series.is_some() => ("exception", series.into()),
            Some(_) => ("occurrence", Value::from(master)),
            None if self.value.get("recurrence").is_some_and(Value::is_object) => ("seriesMaster", Value::Null),
            None => ("singleInstance", Value::Null),
        };
        set(&mut value, "type", kind);
        set(&mut value, "seriesMasterId", master);
        if kind == "occurrence" {
            set(&mut value, "recurrence", Value::Null);
        }
        // Nobody answers to an appointment that is for its owner alone.
        if text(&value, "/responseStatus/response") == "organizer" && items(&value, "/attendees").is_empty() {
            set(&mut value, "responseStatus", json!({"response": "none", "time": "0001-01-01T00:00:00Z"}));
        }
        let content = super::message::html_to_text(text(&self.value, "/body/content"));
        set(&mut value, "bodyPreview", content.trim().chars().take(255).collect::<String>());
        if prefer.text_body {
            set(&mut value, "body", json!({"contentType": "text", "content": content}));
        }
        value
    }

    /// The resource of the event itself.
    pub fn render_master(&self, mailbox: &Mailbox, prefer: &Prefer) -> Value {
        self.render(mailbox, self.at(self.start.date(), None), prefer)
    }
}
