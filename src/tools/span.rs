//! A start and an end as arguments give them, and as Graph takes them. Both have an offset, or both are local to a zone
//! that is asked for or the mailbox's own.

use serde::Serialize;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

use super::ToolError;
use super::call::Call;
use super::when::{self, Moment};
use super::zone::{self, Zone};

/// Graph's dateTimeTimeZone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Clock {
    pub date_time: String,
    pub time_zone: String,
}

/// The arguments.
pub(super) struct Given<'a> {
    /// What the arguments are called.
    pub names: (&'static str, &'static str),
    pub start: &'a str,
    pub end: &'a str,
    pub all_day: bool,
}

/// A checked span; the end is later than the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// Means the same everywhere.
    Instants(OffsetDateTime, OffsetDateTime),
    /// Local to a zone.
    Local(PrimitiveDateTime, PrimitiveDateTime),
}

impl Given<'_> {
    /// The span, or which argument is wrong.
    pub fn checked(&self) -> Result<Span, ToolError> {
        let (first, last) = self.names;
        let (start, end) = (when::moment(first, self.start)?, when::moment(last, self.end)?);
        if self.all_day {
            return self.days(start, end);
        }
        match (start, end) {
            (Moment::Instant(start), Moment::Instant(end)) if start < end => Ok(Span::Instants(start, end)),
            (Moment::Local(start), Moment::Local(end)) if start < end => Ok(Span::Local(start, end)),
            (Moment::Instant(_), Moment::Instant(_)) | (Moment::Local(_), Moment::Local(_)) => {
                Err(ToolError::argument(last, format!("must be later than {first}")))
            }
            (Moment::Day(_), _) => Err(ToolError::argument(first, "a date alone needs allDay=true")),
            (_, Moment::Day(_)) => Err(ToolError::argument(last, "a date alone needs allDay=true")),
            (Moment::Instant(_), Moment::Local(_)) | (Moment::Local(_), Moment::Instant(_)) => {
                Err(ToolError::argument(last, format!("{first} and {last} must both have an offset, or neither")))
            }
        }
    }

    fn days(&self, start: Moment, end: Moment) -> Result<Span, ToolError> {
        let (first, last) = (day(self.names.0, start)?, day(self.names.1, end)?);
        if last < first {
            return Err(ToolError::argument(self.names.1, format!("must not be before {}", self.names.0)));
        }
        // Graph's end is the midnight after the last day; one day is often asked for with the same date twice.
        let last = if last == first { last.saturating_add(Duration::days(1)) } else { last };
        Ok(Span::Local(first, last))
    }
}

impl Span {
    /// How long it is, but for a change of the clocks.
    pub fn length(&self) -> Duration {
        match self {
            Self::Instants(start, end) => *end - *start,
            Self::Local(start, end) => *end - *start,
        }
    }

    /// Graph's form: local times in the zone asked for, else the mailbox's. Invitations an hour off are worse than a
    /// question back.
    pub async fn clocks(self, call: &Call<'_>, timezone: Option<&str>) -> Result<(Clock, Clock), ToolError> {
        let (start, end) = match self {
            Self::Instants(start, end) => return Ok((instant(start), instant(end))),
            Self::Local(start, end) => (start, end),
        };
        match zone::choose(call, timezone).await? {
            Zone::Known(zone) => {
                let clock = |at| Clock { date_time: when::local(at), time_zone: zone.clone() };
                Ok((clock(start), clock(end)))
            }
            Zone::Unknown => Err(ToolError::argument(
                "timezone",
                "the mailbox's own zone is not known: say one such as Europe/Berlin, or give both times an offset",
            )),
        }
    }
}

fn instant(at: OffsetDateTime) -> Clock {
    Clock { date_time: when::utc(at).trim_end_matches('Z').to_owned(), time_zone: "UTC".to_owned() }
}

fn day(name: &str, moment: Moment) -> Result<PrimitiveDateTime, ToolError> {
    match moment {
        Moment::Day(day) => Ok(when::midnight(day)),
        Moment::Local(at) => Ok(when::midnight(at.date())),
        Moment::Instant(_) => Err(ToolError::argument(name, "an all-day event needs a date, such as 2026-03-02")),
    }
}
