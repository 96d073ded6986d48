//! Dates and times as people, models and Graph write them. No zone database: a time is either an instant, by its
//! offset, or local to a zone that Graph knows.

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

use super::error::ToolError;

const LOCAL: &[BorrowedFormatItem<'_>] = format_description!(
    version = 2,
    "[year]-[month]-[day]T[hour]:[minute][optional [:[second][optional [.[subsecond]]]]]"
);
const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const OFFSET: &[BorrowedFormatItem<'_>] = format_description!("[offset_hour sign:mandatory]:[offset_minute]");
const MINUTE: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute][offset_hour sign:mandatory]:[offset_minute]");
const MINUTE_UTC: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]Z");
const WRITTEN: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");

/// A time as an argument gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// With an offset: means the same everywhere.
    Instant(OffsetDateTime),
    /// Local to a zone that is said elsewhere.
    Local(PrimitiveDateTime),
    /// A whole day.
    Day(Date),
}

/// The time that an argument gives, in ISO 8601.
pub(super) fn moment(name: &str, text: &str) -> Result<Moment, ToolError> {
    parse(text.trim()).ok_or_else(|| {
        ToolError::argument(name, "not an ISO 8601 date-time such as 2026-03-02T09:00:00 or 2026-03-02T09:00:00+01:00")
    })
}

/// The instant that an argument gives; its offset is not guessed.
pub(super) fn instant(name: &str, text: &str) -> Result<OffsetDateTime, ToolError> {
    match moment(name, text)? {
        Moment::Instant(at) => Ok(at),
        Moment::Local(_) | Moment::Day(_) => Err(ToolError::argument(
            name,
            "needs a time with its offset from UTC, such as 2026-03-02T09:00:00+01:00 or 2026-03-02T08:00:00Z",
        )),
    }
}

/// The instant of a Unix time.
pub(super) fn at(seconds: u64) -> OffsetDateTime {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// `days` later; stands still at the end of the calendar.
pub(super) fn after(start: OffsetDateTime, days: u32) -> OffsetDateTime {
    start.checked_add(Duration::days(i64::from(days))).unwrap_or(start)
}

/// The instant in UTC, with its `Z`.
pub(super) fn utc(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{}Z", local(PrimitiveDateTime::new(at.date(), at.time())))
}

/// The instant with the offset it was given with.
pub(super) fn with_offset(at: OffsetDateTime) -> String {
    let offset = at.offset();
    let sign = if offset.is_negative() { '-' } else { '+' };
    let clock = local(PrimitiveDateTime::new(at.date(), at.time()));
    format!("{clock}{sign}{:02}:{:02}", offset.whole_hours().abs(), offset.minutes_past_hour().abs())
}

/// The minute of the instant, with its offset.
pub(super) fn minute(at: OffsetDateTime) -> String {
    if at.offset().is_utc() { at.format(MINUTE_UTC) } else { at.format(MINUTE) }.unwrap_or_default()
}

/// The moment that Graph tells in UTC.
pub(super) fn of_graph(text: &str) -> Option<OffsetDateTime> {
    match parse(text) {
        Some(Moment::Instant(at)) if text.ends_with('Z') => Some(at),
        Some(_) | None => None,
    }
}

/// A local time without zone or offset.
pub(super) fn local(at: PrimitiveDateTime) -> String {
    at.format(WRITTEN).unwrap_or_default()
}

/// Midnight, where a day begins.
pub(super) const fn midnight(day: Date) -> PrimitiveDateTime {
    PrimitiveDateTime::new(day, Time::MIDNIGHT)
}

fn parse(text: &str) -> Option<Moment> {
    if let Ok(day) = Date::parse(text, DATE) {
        return Some(Moment::Day(day));
    }
    let (date, clock) = text.split_once(['T', 't', ' '])?;
    let clock = clock.replace(['z'], "Z");
    let split = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
    let (clock, offset) = clock.split_at_checked(split)?;
    let local = PrimitiveDateTime::parse(&format!("{date}T{clock}"), LOCAL).ok()?;
    match offset {
        "" => Some(Moment::Local(local)),
        "Z" => Some(Moment::Instant(local.assume_utc())),
        _ => Some(Moment::Instant(local.assume_offset(UtcOffset::parse(offset, OFFSET).ok()?))),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;

    #[test]
    fn an_instant_keeps_its_meaning_in_utc() {
        for text in
            ["2026-03-02T09:00:00+01:00", "2026-03-02T09:00+01:00", "2026-03-02 08:00:00.5Z", "2026-03-02T08:00z"]
        {
            let instant = instant("start", text).unwrap();
            assert_eq!(utc(instant), "2026-03-02T08:00:00Z", "{text}");
        }
        assert_eq!(with_offset(instant("start", "2026-03-02T09:00-03:30").unwrap()), "2026-03-02T09:00:00-03:30");
    }

    #[test]
    fn an_offset_is_never_guessed() {
        for text in ["2026-03-02T09:00:00", "2026-03-02"] {
            assert!(instant("start", text).unwrap_err().to_string().contains("+01:00"), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "tomorrow", "2026-02-30", "2026-03-02T25:00", "2026-03-02T09:00+1", "20260302T0900", "T"] {
            assert!(moment("start", text).is_err(), "{text:?}");
        }
    }
}
