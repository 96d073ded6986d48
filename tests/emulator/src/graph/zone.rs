//! Time zones: the few that the sample data and its tests speak, by Windows and IANA name.

use time::macros::time;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, UtcOffset, Weekday};

/// How a zone changes its clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Summer {
    Never,
    /// Last Sunday of March to last Sunday of October, at 01:00 UTC.
    Europe,
    /// Second Sunday of March to first Sunday of November, at 02:00 local time.
    America,
}

/// One zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone {
    minutes: i32,
    summer: Summer,
}

const ZONES: &[(&str, &[&str], Zone)] = &[
    ("UTC", &["Etc/UTC", "Etc/GMT", "GMT", "tzone://Microsoft/Utc"], Zone::UTC),
    (
        "W. Europe Standard Time",
        &["Europe/Berlin", "Europe/Amsterdam", "Europe/Vienna", "Europe/Zurich", "Europe/Rome", "Europe/Stockholm"],
        Zone { minutes: 60, summer: Summer::Europe },
    ),
    (
        "Romance Standard Time",
        &["Europe/Paris", "Europe/Madrid", "Europe/Brussels"],
        Zone { minutes: 60, summer: Summer::Europe },
    ),
    (
        "GMT Standard Time",
        &["Europe/London", "Europe/Dublin", "Europe/Lisbon"],
        Zone { minutes: 0, summer: Summer::Europe },
    ),
    ("Eastern Standard Time", &["America/New_York"], Zone { minutes: -300, summer: Summer::America }),
    ("Central Standard Time", &["America/Chicago"], Zone { minutes: -360, summer: Summer::America }),
    ("Pacific Standard Time", &["America/Los_Angeles"], Zone { minutes: -480, summer: Summer::America }),
    ("E. South America Standard Time", &["America/Sao_Paulo"], Zone { minutes: -180, summer: Summer::Never }),
    ("South Africa Standard Time", &["Africa/Johannesburg"], Zone { minutes: 120, summer: Summer::Never }),
    ("Arabian Standard Time", &["Asia/Dubai"], Zone { minutes: 240, summer: Summer::Never }),
    ("China Standard Time", &["Asia/Shanghai", "Asia/Hong_Kong"], Zone { minutes: 480, summer: Summer::Never }),
    ("India Standard Time", &["Asia/Kolkata"], Zone { minutes: 330, summer: Summer::Never }),
    ("Tokyo Standard Time", &["Asia/Tokyo"], Zone { minutes: 540, summer: Summer::Never }),
];

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self { minutes: 0, summer: Summer::Never };

    /// A zone by Windows or IANA name.
    pub fn parse(name: &str) -> Option<Self> {
        let found =
            ZONES.iter().find(|(windows, others, _)| windows.eq_ignore_ascii_case(name) || others.contains(&name));
        found.map(|(_, _, zone)| *zone)
    }

    fn offset(self, summer: bool) -> UtcOffset {
        let seconds = (self.minutes + if summer { 60 } else { 0 }) * 60;
        UtcOffset::from_whole_seconds(seconds).unwrap_or(UtcOffset::UTC)
    }

    fn is_summer(self, moment: OffsetDateTime) -> bool {
        let year = moment.year();
        let at =
            |day: Date, clock: time::Time, offset: UtcOffset| PrimitiveDateTime::new(day, clock).assume_offset(offset);
        let span = match self.summer {
            Summer::Never => return false,
            Summer::Europe => (
                last_sunday(year, Month::March).map(|day| at(day, time!(01:00), UtcOffset::UTC)),
                last_sunday(year, Month::October).map(|day| at(day, time!(01:00), UtcOffset::UTC)),
            ),
            Summer::America => (
                nth_sunday(year, Month::March, 2).map(|day| at(day, time!(02:00), self.offset(false))),
                nth_sunday(year, Month::November, 1).map(|day| at(day, time!(02:00), self.offset(true))),
            ),
        };
        matches!(span, (Some(start), Some(end)) if start <= moment && moment < end)
    }

    /// The local time of a moment.
    pub fn local(self, moment: OffsetDateTime) -> PrimitiveDateTime {
        let there = moment.to_offset(self.offset(self.is_summer(moment)));
        PrimitiveDateTime::new(there.date(), there.time())
    }

    /// The moment of a local time; in the doubled hour of autumn the earlier one.
    pub fn moment(self, local: PrimitiveDateTime) -> OffsetDateTime {
        let summer = local.assume_offset(self.offset(true));
        if self.is_summer(summer) { summer } else { local.assume_offset(self.offset(false)) }.to_offset(UtcOffset::UTC)
    }
}

fn nth_sunday(year: i32, month: Month, nth: u8) -> Option<Date> {
    let first = Date::from_calendar_date(year, month, 1).ok()?;
    let to_sunday = (7 - first.weekday().number_days_from_sunday()) % 7;
    first.replace_day(1 + to_sunday + 7 * (nth - 1)).ok()
}

fn last_sunday(year: i32, month: Month) -> Option<Date> {
    nth_sunday(year, month, 5).filter(|day| day.weekday() == Weekday::Sunday).or_else(|| nth_sunday(year, month, 4))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;
    use time::macros::datetime;

    #[test]
    fn summer_time_moves_the_local_clock_by_an_hour() {
        let zone = Zone::parse("W. Europe Standard Time").unwrap();
        assert_eq!(zone.local(datetime!(2026-07-01 08:00 UTC)), datetime!(2026-07-01 10:00));
        assert_eq!(zone.local(datetime!(2026-12-01 08:00 UTC)), datetime!(2026-12-01 09:00));
        assert_eq!(zone.moment(datetime!(2026-07-01 10:00)), datetime!(2026-07-01 08:00 UTC));
        let pacific = Zone::parse("America/Los_Angeles").unwrap();
        assert_eq!(pacific.local(datetime!(2026-07-01 08:00 UTC)), datetime!(2026-07-01 01:00));
    }
}
