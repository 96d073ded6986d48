//! Graph's patternedRecurrence as an iCalendar rule (RFC 5545, 3.3.10): one short text that models know. The way there is
//! `rule`.

use serde::Deserialize;

use crate::tools::rule::{DAYS, PLACES};

#[derive(Deserialize)]
pub(in crate::tools) struct Recurrence {
    pattern: Pattern,
    range: Range,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pattern {
    #[serde(rename = "type")]
    kind: String,
    interval: Option<u32>,
    month: Option<u32>,
    day_of_month: Option<u32>,
    #[serde(default)]
    days_of_week: Vec<String>,
    index: Option<String>,
    first_day_of_week: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Range {
    #[serde(rename = "type")]
    kind: String,
    end_date: Option<String>,
    number_of_occurrences: Option<u32>,
}

impl Recurrence {
    /// The rule, such as `FREQ=WEEKLY;BYDAY=MO;COUNT=10`; `None` for a pattern that Graph has not documented.
    pub fn rule(&self) -> Option<String> {
        let pattern = &self.pattern;
        let (frequency, yearly, relative) = match pattern.kind.as_str() {
            "daily" => ("DAILY", false, false),
            "weekly" => ("WEEKLY", false, true),
            "absoluteMonthly" => ("MONTHLY", false, false),
            "relativeMonthly" => ("MONTHLY", false, true),
            "absoluteYearly" => ("YEARLY", true, false),
            "relativeYearly" => ("YEARLY", true, true),
            _ => return None,
        };
        let mut parts = vec![format!("FREQ={frequency}")];
        parts.extend(pattern.interval.filter(|every| *every > 1).map(|every| format!("INTERVAL={every}")));
        // Graph writes a zero where a number has no meaning.
        parts.extend(pattern.month.filter(|_| yearly).map(|month| format!("BYMONTH={month}")));
        if relative {
            let days: Option<Vec<_>> = pattern.days_of_week.iter().map(|day| weekday(day)).collect();
            parts.push(format!("BYDAY={}", days?.join(",")));
            if frequency != "WEEKLY" {
                parts.push(format!("BYSETPOS={}", position(pattern.index.as_deref())?));
            }
        } else {
            parts.extend(pattern.day_of_month.filter(|day| *day > 0).map(|day| format!("BYMONTHDAY={day}")));
        }
        // Where weeks are left out, it matters when they begin; Monday goes without saying.
        let first = pattern.first_day_of_week.as_deref().and_then(weekday).filter(|day| *day != "MO");
        let every = pattern.interval.is_some_and(|every| every > 1) && frequency == "WEEKLY";
        parts.extend(first.filter(|_| every).map(|day| format!("WKST={day}")));
        parts.extend(self.range.end());
        Some(parts.join(";"))
    }
}

impl Range {
    fn end(&self) -> Option<String> {
        match self.kind.as_str() {
            "endDate" => self.end_date.as_deref().map(|day| format!("UNTIL={}", day.replace('-', ""))),
            "numbered" => self.number_of_occurrences.map(|count| format!("COUNT={count}")),
            _ => None,
        }
    }
}

fn weekday(name: &str) -> Option<&'static str> {
    DAYS.iter().find(|(_, day)| day.eq_ignore_ascii_case(name)).map(|(short, _)| *short)
}

fn position(index: Option<&str>) -> Option<i8> {
    PLACES.iter().find(|(_, name)| *name == index.unwrap_or("first")).map(|(place, _)| *place)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_pattern_of_graph_is_one_rule() {
        let none =
            json!({"type": "noEnd", "startDate": "2026-01-05", "endDate": "0001-01-01", "numberOfOccurrences": 0});
        let zeros = json!({"month": 0, "dayOfMonth": 0, "firstDayOfWeek": "sunday", "index": "first"});
        for (pattern, range, rule) in [
            (json!({"type": "daily", "interval": 2}), &none, Some("FREQ=DAILY;INTERVAL=2")),
            (
                json!({"type": "weekly", "interval": 1, "daysOfWeek": ["monday", "friday"]}),
                &json!({"type": "numbered", "numberOfOccurrences": 10}),
                Some("FREQ=WEEKLY;BYDAY=MO,FR;COUNT=10"),
            ),
            (
                json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}),
                &json!({"type": "endDate", "endDate": "2026-12-31"}),
                Some("FREQ=MONTHLY;BYMONTHDAY=31;UNTIL=20261231"),
            ),
            (
                json!({"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["tuesday"], "index": "last"}),
                &none,
                Some("FREQ=MONTHLY;BYDAY=TU;BYSETPOS=-1"),
            ),
            (
                json!({"type": "absoluteYearly", "interval": 1, "month": 3, "dayOfMonth": 2}),
                &none,
                Some("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=2"),
            ),
            (
                json!({"type": "relativeYearly", "interval": 1, "month": 3, "daysOfWeek": ["sunday"], "index": "second"}),
                &none,
                Some("FREQ=YEARLY;BYMONTH=3;BYDAY=SU;BYSETPOS=2"),
            ),
            (json!({"type": "hourly", "interval": 1}), &none, None),
        ] {
            let mut whole = zeros.clone();
            whole.as_object_mut().unwrap().extend(pattern.as_object().unwrap().clone());
            let found: Recurrence = serde_json::from_value(json!({"pattern": whole, "range": range})).unwrap();
            assert_eq!(found.rule().as_deref(), rule, "{pattern}");
        }
    }
}
