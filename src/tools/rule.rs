//! An iCalendar rule (RFC 5545, 3.3.10) as Graph's patternedRecurrence. Graph knows fewer rules: what it cannot express
//! is refused, never bent. The way back is `calendar_read::recurrence`, which writes nothing that is refused here.

use serde::Serialize;
use time::{Date, Duration};

use super::ToolError;
use super::arguments;

/// Days of the week, as rules and as Graph call them, from Monday on.
pub(super) const DAYS: [(&str, &str); 7] = [
    ("MO", "monday"),
    ("TU", "tuesday"),
    ("WE", "wednesday"),
    ("TH", "thursday"),
    ("FR", "friday"),
    ("SA", "saturday"),
    ("SU", "sunday"),
];
/// Which of a month's days it is, as rules and as Graph call it.
pub(super) const PLACES: [(i8, &str); 5] = [(1, "first"), (2, "second"), (3, "third"), (4, "fourth"), (-1, "last")];
/// Parts of every rule.
const COMMON: [&str; 5] = ["FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"];
/// Characters of a rule.
const LONGEST: usize = 200;
/// Exchange counts no further.
const MOST: u16 = 999;

/// Graph's patternedRecurrence.
#[derive(Serialize)]
pub(super) struct Recurrence {
    pattern: Pattern,
    range: Range,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Pattern {
    #[serde(rename = "type")]
    kind: &'static str,
    interval: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    month: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    day_of_month: Option<u16>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    days_of_week: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_day_of_week: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Range {
    #[serde(rename = "type")]
    kind: &'static str,
    start_date: String,
    recurrence_time_zone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number_of_occurrences: Option<u16>,
}

impl Recurrence {
    /// The series that begins on `start`. A start beside the rule is refused: Graph would begin on another day than the
    /// one that was said.
    pub fn parse(text: &str, start: Date) -> Result<Self, ToolError> {
        let text = arguments::line("recurrence", text, LONGEST)?.to_ascii_uppercase();
        let parts = Parts::read(text.strip_prefix("RRULE:").unwrap_or(&text))?;
        let pattern = parts.pattern(start)?;
        if !pattern.falls_on(start) {
            return Err(refuse(&format!("start, {start}, is not a day of this rule: start on its first day")));
        }
        Ok(Self { pattern, range: parts.range(start)? })
    }

    /// The same, with the zone in which its days begin and end.
    #[must_use]
    pub fn in_zone(mut self, zone: &str) -> Self {
        zone.clone_into(&mut self.range.recurrence_time_zone);
        self
    }
}

impl Pattern {
    fn falls_on(&self, day: Date) -> bool {
        let named = |day: Date| self.days_of_week.contains(&weekday(day));
        let placed = |index| {
            let month = |weeks: i64| (1..=31).map(move |days| day.checked_add(Duration::days(weeks * days)));
            let others = |weeks| month(weeks).flatten().filter(|one| one.month() == day.month() && named(*one)).count();
            match PLACES.iter().find(|(_, name)| *name == index) {
                Some((-1, _)) => others(1) == 0,
                Some((place, _)) => usize::try_from(*place) == Ok(others(-1) + 1),
                None => false,
            }
        };
        self.month.is_none_or(|month| month == u16::from(u8::from(day.month())))
            && self.day_of_month.is_none_or(|wanted| wanted == u16::from(day.day()))
            && (self.days_of_week.is_empty() || named(day))
            && self.index.is_none_or(placed)
    }
}

/// What stands between the semicolons.
struct Parts<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Parts<'a> {
    fn read(rule: &'a str) -> Result<Self, ToolError> {
        let mut parts: Vec<(&str, &str)> = Vec::new();
        for part in rule.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| refuse(&format!("{part} is no part of a rule such as FREQ=WEEKLY;BYDAY=MO,WE")))?;
            if parts.iter().any(|(known, _)| *known == name) {
                return Err(refuse(&format!("{name} stands there twice")));
            }
            parts.push((name, value));
        }
        Ok(Self(parts))
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn number(&self, name: &str, most: u16) -> Result<Option<u16>, ToolError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| (1..=most).contains(number));
        let last =
            if name == "BYMONTHDAY" { "; a month's last day is BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=-1" } else { "" };
        number
            .map(Some)
            .ok_or_else(|| refuse(&format!("{name} must be one number from 1 to {most}, such as {name}=2{last}")))
    }

    fn pattern(&self, start: Date) -> Result<Pattern, ToolError> {
        let frequency = self.get("FREQ").unwrap_or_default();
        let (more, example): (&[&str], _) = match frequency {
            "DAILY" => (&[], "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
            "WEEKLY" => (&["BYDAY"], "FREQ=WEEKLY;BYDAY=MO,WE"),
            "MONTHLY" => (&["BYDAY", "BYSETPOS", "BYMONTHDAY"], "FREQ=MONTHLY;BYDAY=2TU"),
            "YEARLY" => (&["BYDAY", "BYSETPOS", "BYMONTHDAY", "BYMONTH"], "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=31"),
            _ => return Err(refuse("FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY, such as FREQ=DAILY;COUNT=5")),
        };
        if let Some((name, _)) = self.0.iter().find(|(name, _)| !COMMON.contains(name) && !more.contains(name)) {
            return Err(refuse(&format!("{name} does not go with FREQ={frequency}; what works: {example}")));
        }
        let interval = self.number("INTERVAL", MOST)?.unwrap_or(1);
        let (days_of_week, index) = self.days()?;
        let first = self.get("WKST").map_or(Some("monday"), |day| named(&DAYS, &day));
        let first = first.ok_or_else(|| refuse("WKST must be one day, such as WKST=MO"))?;
        let pattern = Pattern { interval, days_of_week, index, ..Pattern::default() };
        match frequency {
            "DAILY" => Ok(Pattern { kind: "daily", ..pattern }),
            "WEEKLY" => weekly(Pattern { first_day_of_week: Some(first), ..pattern }, start),
            "MONTHLY" => self.dated(pattern, ("absoluteMonthly", "relativeMonthly"), start),
            _ => {
                let month = match self.number("BYMONTH", 12)? {
                    None if self.get("BYDAY").or(self.get("BYMONTHDAY")).is_some() => {
                        return Err(refuse(&format!("FREQ=YEARLY needs BYMONTH too, such as {example}")));
                    }
                    month => month.unwrap_or_else(|| u8::from(start.month()).into()),
                };
                let pattern = Pattern { month: Some(month), ..pattern };
                self.dated(pattern, ("absoluteYearly", "relativeYearly"), start)
            }
        }
    }

    /// The days of the week, and which of the month's it is.
    fn days(&self) -> Result<(Vec<&'static str>, Option<&'static str>), ToolError> {
        let wrong =
            || refuse("BYDAY must be days such as BYDAY=MO,WE, or one with its place such as BYDAY=2TU or BYDAY=-1FR");
        let mut place = self.get("BYSETPOS");
        let mut days = Vec::new();
        for day in self.get("BYDAY").into_iter().flat_map(|days| days.split(',')) {
            let (number, name) = day.split_at_checked(day.len().saturating_sub(2)).ok_or_else(wrong)?;
            days.push(named(&DAYS, &name).ok_or_else(wrong)?);
            if !number.is_empty() && place.replace(number).is_some() {
                return Err(wrong());
            }
        }
        let index = place.map(|place| {
            let index = place.parse().ok().and_then(|place: i8| named(&PLACES, &place));
            index.ok_or_else(|| refuse("only places 1 to 4 and -1, the last, are known, such as BYDAY=-1FR"))
        });
        // One place is that of one day, or with BYSETPOS of all of them.
        if index.is_some() && (days.is_empty() || days.len() > 1 && self.get("BYSETPOS").is_none()) {
            return Err(wrong());
        }
        Ok((days, index.transpose()?))
    }

    fn dated(
        &self,
        pattern: Pattern,
        (by_date, by_day): (&'static str, &'static str),
        start: Date,
    ) -> Result<Pattern, ToolError> {
        let date = self.number("BYMONTHDAY", 31)?;
        if pattern.days_of_week.is_empty() {
            let day_of_month = Some(date.unwrap_or_else(|| start.day().into()));
            return Ok(Pattern { kind: by_date, day_of_month, ..pattern });
        }
        if date.is_some() {
            return Err(refuse("BYMONTHDAY does not go with BYDAY: give one of them, such as BYMONTHDAY=15"));
        }
        if pattern.index.is_none() {
            return Err(refuse("BYDAY needs its place in the month, such as BYDAY=2TU or BYDAY=-1FR"));
        }
        Ok(Pattern { kind: by_day, ..pattern })
    }

    fn range(&self, start: Date) -> Result<Range, ToolError> {
        let count = self.number("COUNT", MOST)?;
        let until = self.get("UNTIL").map(|text| until(text, start)).transpose()?;
        let kind = match (count, until) {
            (Some(_), Some(_)) => {
                return Err(refuse("COUNT does not go with UNTIL: give one of them, such as COUNT=10"));
            }
            (Some(_), None) => "numbered",
            (None, Some(_)) => "endDate",
            (None, None) => "noEnd",
        };
        Ok(Range {
            kind,
            start_date: start.to_string(),
            recurrence_time_zone: String::new(),
            end_date: until.map(|day| day.to_string()),
            number_of_occurrences: count,
        })
    }
}

fn weekly(pattern: Pattern, start: Date) -> Result<Pattern, ToolError> {
    if pattern.index.is_some() {
        return Err(refuse("a place such as 2TU goes with FREQ=MONTHLY only; what works: FREQ=WEEKLY;BYDAY=TU"));
    }
    let days_of_week = if pattern.days_of_week.is_empty() { vec![weekday(start)] } else { pattern.days_of_week };
    Ok(Pattern { kind: "weekly", days_of_week, ..pattern })
}

/// The last day, which is a whole one in Graph: a time would be lost.
fn until(text: &str, start: Date) -> Result<Date, ToolError> {
    let wrong = || refuse("UNTIL must be a day, not before start, such as UNTIL=20261231");
    let day = text.strip_suffix('Z').unwrap_or(text);
    let digits = day.strip_suffix("T235959").unwrap_or(day).replace('-', "");
    let format = time::macros::format_description!("[year][month][day]");
    Date::parse(&digits, format).ok().filter(|day| *day >= start).ok_or_else(wrong)
}

fn weekday(day: Date) -> &'static str {
    let number = usize::from(day.weekday().number_days_from_monday());
    DAYS.get(number).map_or("", |(_, name)| name)
}

/// What Graph calls it.
fn named<T: PartialEq>(table: &[(T, &'static str)], key: &T) -> Option<&'static str> {
    table.iter().find(|(known, _)| known == key).map(|(_, name)| *name)
}

fn refuse(what: &str) -> ToolError {
    ToolError::argument("recurrence", what)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests;
