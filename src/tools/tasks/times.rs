//! When a task is due and when it reminds: arguments that an empty text clears.

use time::Date;

use super::Clock;
use super::fields::Change;
use crate::tools::ToolError;
use crate::tools::call::Call;
use crate::tools::when::{self, Moment};
use crate::tools::zone::{self, Zone};

/// An argument that an empty text clears: absent, cleared, or read.
pub(super) fn cleared<T>(
    text: Option<&str>,
    read: impl FnOnce(&str) -> Result<T, ToolError>,
) -> Result<Option<Change<T>>, ToolError> {
    match text {
        None => Ok(None),
        Some(text) if text.trim().is_empty() => Ok(Some(Change::Clear)),
        Some(text) => read(text).map(|read| Some(Change::Set(read))),
    }
}

/// To Do keeps the day alone, as it was written.
pub(super) fn day(moment: Moment) -> Date {
    match moment {
        Moment::Instant(at) => at.date(),
        Moment::Local(at) => at.date(),
        Moment::Day(day) => day,
    }
}

pub(super) async fn due(call: &Call<'_>, day: Date) -> Result<Clock, ToolError> {
    let time_zone = match zone::choose(call, None).await? {
        Zone::Known(zone) => zone,
        // Of a day, the zone says nothing but which midnight begins it.
        Zone::Unknown => "UTC".to_owned(),
    };
    Ok(Clock { date_time: when::local(when::midnight(day)), time_zone })
}

pub(super) async fn reminder(call: &Call<'_>, moment: Moment) -> Result<Clock, ToolError> {
    let wrong = |problem| Err(ToolError::argument("reminder", problem));
    match moment {
        Moment::Instant(at) => {
            Ok(Clock { date_time: when::utc(at).trim_end_matches('Z').to_owned(), time_zone: "UTC".to_owned() })
        }
        Moment::Day(_) => wrong("needs a time, such as 2026-03-02T09:00:00"),
        Moment::Local(at) => match zone::choose(call, None).await? {
            Zone::Known(time_zone) => Ok(Clock { date_time: when::local(at), time_zone }),
            Zone::Unknown => {
                wrong("the mailbox's own zone is not known: give an offset, as in 2026-03-02T09:00:00+01:00")
            }
        },
    }
}

/// Planner's own form of a day is ten o'clock UTC, which is the same day nearly everywhere.
pub(super) fn utc(moment: Moment) -> Result<String, ToolError> {
    match moment {
        Moment::Instant(at) => Ok(when::utc(at)),
        Moment::Day(day) => Ok(format!("{day}T10:00:00Z")),
        Moment::Local(_) => Err(ToolError::argument(
            "due",
            "Planner keeps UTC: give a date such as 2026-03-02, or an offset as in 2026-03-02T17:00:00+01:00",
        )),
    }
}
