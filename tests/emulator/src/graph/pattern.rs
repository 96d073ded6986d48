//! A patternedRecurrence: what Graph refuses of it, and the days it falls on.

use serde_json::Value;
use time::{Date, Duration, Weekday};

use super::error::GraphError;
use super::zone::Zone;
use crate::json::{items, text};

const INDEXES: [&str; 5] = ["first", "second", "third", "fourth", "last"];

/// Refuses what lacks a property that its type needs, or does not begin on the day of the event.
pub fn check(recurrence: Option<&Value>, start: Date) -> Result<(), GraphError> {
    let Some(recurrence) = recurrence.filter(|given| !given.is_null()) else { return Ok(()) };
    let at = |path: &str| text(recurrence, path);
    let number = |path: &str, most: u64| {
        let found = recurrence.pointer(path).and_then(Value::as_u64);
        found.is_some_and(|number| (1..=most).contains(&number))
    };
    let days = recurrence.pointer("/pattern/daysOfWeek").and_then(Value::as_array).is_some_and(|days| {
        !days.is_empty() && days.iter().all(|day| DAYS.iter().any(|(_, name)| day.as_str() == Some(name)))
    });
    let (month, date) = (number("/pattern/month", 12), number("/pattern/dayOfMonth", 31));
    let index = INDEXES.contains(&at("/pattern/index"));
    let whole = match at("/pattern/type") {
        "daily" => true,
        "weekly" => days && DAYS.iter().any(|(_, name)| *name == at("/pattern/firstDayOfWeek")),
        "absoluteMonthly" => date,
        "relativeMonthly" => days && index,
        "absoluteYearly" => date && month,
        "relativeYearly" => days && index && month,
        _ => false,
    };
    let ends = match at("/range/type") {
        "noEnd" => true,
        "numbered" => number("/range/numberOfOccurrences", 999),
        "endDate" => at("/range/endDate") >= at("/range/startDate"),
        _ => false,
    };
    let zone = at("/range/recurrenceTimeZone");
    let begins = at("/range/startDate") == start.to_string() && (zone.is_empty() || Zone::parse(zone).is_some());
    if whole && ends && begins && number("/pattern/interval", 999) {
        return Ok(());
    }
    Err(GraphError::new(400, "ErrorPropertyValidationFailure", "At least one property failed validation: recurrence."))
}

/// Whether a series that starts on a day falls on another one, later.
pub fn falls_on(pattern: &Value, start: Date, day: Date) -> bool {
    let interval = pattern.get("interval").and_then(Value::as_i64).unwrap_or(1).max(1);
    let is = |name: &str, number: u8| pattern.get(name).and_then(Value::as_u64) == Some(u64::from(number));
    let months = |day: Date| i64::from(day.year()) * 12 + i64::from(u8::from(day.month()));
    let apart = months(day) - months(start);
    let month = is("month", u8::from(day.month())) && apart / 12 % interval == 0;
    match text(pattern, "/type") {
        "daily" => (day - start).whole_days() % interval == 0,
        "weekly" => {
            let first = DAYS.iter().find(|(_, name)| *name == text(pattern, "/firstDayOfWeek"));
            let first = first.map_or(Weekday::Monday, |(first, _)| *first);
            let into = |day: Date| {
                i64::from(day.weekday().number_days_from_monday() + 7 - first.number_days_from_monday()) % 7
            };
            let week = ((day - start).whole_days() + into(start)) / 7;
            week % interval == 0 && named(pattern, day)
        }
        "absoluteMonthly" => is("dayOfMonth", day.day()) && apart % interval == 0,
        "absoluteYearly" => is("dayOfMonth", day.day()) && month,
        "relativeMonthly" => placed(pattern, day) && apart % interval == 0,
        "relativeYearly" => placed(pattern, day) && month,
        _ => day == start,
    }
}

fn named(pattern: &Value, day: Date) -> bool {
    let name = DAYS.iter().find(|(known, _)| *known == day.weekday()).map(|(_, name)| *name);
    items(pattern, "/daysOfWeek").iter().any(|one| one.as_str() == name)
}

/// Whether it is the one among the named days of its month.
fn placed(pattern: &Value, day: Date) -> bool {
    let others = |sign: i64| {
        let days = (1..31).map(|ahead| day + Duration::days(sign * ahead));
        days.filter(|one| one.month() == day.month() && named(pattern, *one)).count()
    };
    let place = INDEXES.iter().position(|index| *index == text(pattern, "/index")).unwrap_or(0);
    named(pattern, day) && if place == 4 { others(1) == 0 } else { others(-1) == place }
}

const DAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "monday"),
    (Weekday::Tuesday, "tuesday"),
    (Weekday::Wednesday, "wednesday"),
    (Weekday::Thursday, "thursday"),
    (Weekday::Friday, "friday"),
    (Weekday::Saturday, "saturday"),
    (Weekday::Sunday, "sunday"),
];

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::date;

    use super::*;

    #[test]
    fn a_series_falls_on_the_days_of_its_pattern() {
        let start = date!(2026 - 03 - 10);
        for (pattern, expected) in [
            (
                json!({"type": "relativeMonthly", "interval": 2, "daysOfWeek": ["tuesday"], "index": "second"}),
                vec![start, date!(2026 - 05 - 12)],
            ),
            (
                json!({"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["friday"], "index": "last"}),
                vec![date!(2026 - 03 - 27), date!(2026 - 04 - 24), date!(2026 - 05 - 29)],
            ),
            (
                json!({"type": "weekly", "interval": 4, "daysOfWeek": ["tuesday", "sunday"], "firstDayOfWeek": "sunday"}),
                vec![
                    start,
                    date!(2026 - 04 - 05),
                    date!(2026 - 04 - 07),
                    date!(2026 - 05 - 03),
                    date!(2026 - 05 - 05),
                    date!(2026 - 05 - 31),
                ],
            ),
            (json!({"type": "absoluteYearly", "interval": 1, "month": 3, "dayOfMonth": 10}), vec![start]),
        ] {
            let days = (0..83).map(|ahead| start + Duration::days(ahead));
            let found: Vec<Date> = days.filter(|day| falls_on(&pattern, start, *day)).collect();
            assert_eq!(found, expected, "{pattern}");
        }
    }

    #[test]
    fn a_series_without_what_its_type_needs_is_refused() {
        let start = date!(2026 - 03 - 10);
        let with = |path: &str, value: Value| {
            let mut whole = json!({
                "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "monday"},
                "range": {"type": "noEnd", "startDate": "2026-03-10", "recurrenceTimeZone": "Europe/Berlin"},
            });
            if let Some(member) = whole.pointer_mut(path) {
                *member = value;
            }
            check(Some(&whole), start)
        };
        assert!(with("", Value::Null).is_ok() && with("/pattern/interval", json!(2)).is_ok());
        for (path, value) in [
            ("/pattern/type", json!("hourly")),
            ("/pattern/type", json!("relativeMonthly")),
            ("/pattern/type", json!("absoluteMonthly")),
            ("/pattern/interval", json!(0)),
            ("/pattern/daysOfWeek", json!([])),
            ("/pattern/firstDayOfWeek", json!("MO")),
            ("/range/type", json!("numbered")),
            ("/range/type", json!("endDate")),
            ("/range/startDate", json!("2026-03-11")),
            ("/range/recurrenceTimeZone", json!("Mars/Base")),
        ] {
            assert!(with(path, value.clone()).is_err(), "{path} {value}");
        }
    }
}
