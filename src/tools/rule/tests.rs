//! Rules as Graph takes them, and those that it cannot take.

use serde_json::{Value, json};
use time::macros::date;

use super::*;

/// Monday, the first of March's.
const START: Date = date!(2026 - 03 - 02);

fn graph(rule: &str) -> Value {
    serde_json::to_value(Recurrence::parse(rule, START).unwrap().in_zone("Europe/Berlin")).unwrap()
}

#[test]
fn every_rule_that_graph_knows_is_its_pattern() {
    let weekly =
        |days: Value, first| json!({"type": "weekly", "interval": 1, "daysOfWeek": days, "firstDayOfWeek": first});
    let monthly =
        |days: Value, index| json!({"type": "relativeMonthly", "interval": 1, "daysOfWeek": days, "index": index});
    for (rule, pattern) in [
        ("FREQ=DAILY", json!({"type": "daily", "interval": 1})),
        ("RRULE:FREQ=DAILY;INTERVAL=3;", json!({"type": "daily", "interval": 3})),
        ("freq=weekly;byday=mo,we", weekly(json!(["monday", "wednesday"]), "monday")),
        ("FREQ=WEEKLY;WKST=SU", weekly(json!(["monday"]), "sunday")),
        ("FREQ=MONTHLY", json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 2})),
        ("FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=2", json!({"type": "absoluteMonthly", "interval": 2, "dayOfMonth": 2})),
        ("FREQ=MONTHLY;BYDAY=1MO", monthly(json!(["monday"]), "first")),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1",
            monthly(json!(["monday", "tuesday", "wednesday", "thursday", "friday"]), "first"),
        ),
        ("FREQ=YEARLY", json!({"type": "absoluteYearly", "interval": 1, "month": 3, "dayOfMonth": 2})),
        (
            "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=2",
            json!({"type": "absoluteYearly", "interval": 1, "month": 3, "dayOfMonth": 2}),
        ),
        (
            "FREQ=YEARLY;BYMONTH=3;BYDAY=MO;BYSETPOS=1",
            json!({"type": "relativeYearly", "interval": 1, "month": 3, "daysOfWeek": ["monday"], "index": "first"}),
        ),
    ] {
        assert_eq!(graph(rule).get("pattern"), Some(&pattern), "{rule}");
    }
}

#[test]
fn a_series_ends_by_count_by_day_or_never_in_the_zone_of_its_event() {
    let range = |mut more: Value| {
        let all = json!({"startDate": "2026-03-02", "recurrenceTimeZone": "Europe/Berlin"});
        more.as_object_mut().unwrap().extend(all.as_object().unwrap().clone());
        more
    };
    let until = range(json!({"type": "endDate", "endDate": "2026-12-31"}));
    for (end, expected) in [
        ("", range(json!({"type": "noEnd"}))),
        (";COUNT=10", range(json!({"type": "numbered", "numberOfOccurrences": 10}))),
        (";UNTIL=20261231", until.clone()),
        (";UNTIL=2026-12-31", until.clone()),
        (";UNTIL=20261231T235959Z", until),
    ] {
        assert_eq!(graph(&format!("FREQ=DAILY{end}")).get("range"), Some(&expected), "{end}");
    }
}

#[test]
fn the_start_is_the_first_day_of_its_rule() {
    for (rule, start, fits) in [
        ("FREQ=WEEKLY;BYDAY=TU", date!(2026 - 03 - 02), false),
        ("FREQ=MONTHLY;BYMONTHDAY=15", date!(2026 - 03 - 02), false),
        ("FREQ=MONTHLY;BYDAY=2TU", date!(2026 - 03 - 10), true),
        ("FREQ=MONTHLY;BYDAY=2TU", date!(2026 - 03 - 03), false),
        ("FREQ=MONTHLY;BYDAY=2TU", date!(2026 - 03 - 17), false),
        ("FREQ=MONTHLY;BYDAY=-1FR", date!(2026 - 03 - 27), true),
        ("FREQ=MONTHLY;BYDAY=-1FR", date!(2026 - 03 - 20), false),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=-1", date!(2026 - 02 - 28), true),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=-1", date!(2026 - 03 - 30), false),
        ("FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=2", date!(2026 - 03 - 07), true),
        ("FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=2", date!(2026 - 03 - 02), false),
    ] {
        let found = Recurrence::parse(rule, start);
        assert_eq!(found.is_ok(), fits, "{rule} {start}");
    }
}

#[test]
fn what_graph_cannot_express_is_refused_by_its_part() {
    for (rule, said) in [
        ("", "recurrence: "),
        ("weekly", "WEEKLY is no part"),
        ("FREQ=HOURLY", "FREQ must"),
        ("BYDAY=MO", "FREQ must"),
        ("FREQ=DAILY;FREQ=WEEKLY", "FREQ stands"),
        ("FREQ=DAILY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("FREQ=WEEKLY;BYHOUR=9", "BYHOUR does not"),
        ("FREQ=WEEKLY;BYDAY=1MO", "2TU goes"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY must"),
        ("FREQ=WEEKLY;BYDAY=é", "BYDAY must"),
        ("FREQ=WEEKLY;BYDAY=", "BYDAY must"),
        ("FREQ=WEEKLY;WKST=1", "WKST must"),
        ("FREQ=WEEKLY;INTERVAL=0", "INTERVAL must"),
        ("FREQ=WEEKLY;COUNT=1000", "COUNT must"),
        ("FREQ=WEEKLY;COUNT=2;UNTIL=20261231", "COUNT does not"),
        ("FREQ=WEEKLY;UNTIL=20260301", "UNTIL must"),
        ("FREQ=WEEKLY;UNTIL=20261231T120000Z", "UNTIL must"),
        ("FREQ=MONTHLY;BYDAY=MO", "BYDAY needs"),
        ("FREQ=MONTHLY;BYDAY=1MO,3MO", "BYDAY must"),
        ("FREQ=MONTHLY;BYDAY=1MO,TU", "BYDAY must"),
        ("FREQ=MONTHLY;BYDAY=1MO;BYSETPOS=1", "BYDAY must"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYDAY must"),
        ("FREQ=MONTHLY;BYDAY=5MO", "only places"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "BYSETPOS=-1"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", "BYMONTHDAY must"),
        ("FREQ=MONTHLY;BYMONTHDAY=2;BYDAY=1MO", "BYMONTHDAY does not"),
        ("FREQ=MONTHLY;BYMONTH=3", "BYMONTH does not"),
        ("FREQ=YEARLY;BYDAY=1MO", "needs BYMONTH"),
        ("FREQ=YEARLY;BYMONTHDAY=2", "needs BYMONTH"),
        ("FREQ=YEARLY;BYMONTH=13", "BYMONTH must"),
    ] {
        let error = Recurrence::parse(rule, START).map(|_| ()).unwrap_err().to_string();
        assert!(error.starts_with("recurrence: ") && error.contains(said), "{rule}: {error}");
    }
}

#[test]
fn what_is_read_can_be_written_again() {
    use crate::tools::calendar_read::Recurrence as Read;
    for rule in [
        "FREQ=DAILY;INTERVAL=2;COUNT=5",
        "FREQ=WEEKLY;BYDAY=MO,FR;UNTIL=20261231",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU",
        "FREQ=MONTHLY;BYMONTHDAY=2",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1",
        "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=2",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=MO,TU;BYSETPOS=1",
    ] {
        let read: Read = serde_json::from_value(graph(rule)).unwrap();
        assert_eq!(read.rule().as_deref(), Some(rule));
    }
}
