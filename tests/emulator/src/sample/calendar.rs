//! The sample calendars: single events, weekly and daily series, several zones, an all-day event.

use serde_json::{Value, json};
use time::macros::time;
use time::{Date, Duration, PrimitiveDateTime, Time};

use super::directory::User;
use super::realistic;
use crate::graph::event::{Exception, StoredEvent};
use crate::json::set;
use crate::sample::mail::recipient;

/// Names of a person's calendars; the first is the default one.
pub fn calendars(user: &User) -> Vec<String> {
    vec!["Calendar".to_owned(), user.project.to_owned()]
}

/// What every event has before a client's or the sample's values are put over it.
pub fn event_defaults(user: &User) -> Value {
    json!({
        "createdDateTime": "2026-01-05T08:00:00Z", "lastModifiedDateTime": "2026-01-05T08:00:00Z",
        "changeKey": "event1", "categories": [], "transactionId": null, "reminderMinutesBeforeStart": 15,
        "isReminderOn": true, "hasAttachments": false, "subject": "", "importance": "normal",
        "sensitivity": "normal", "isAllDay": false, "isCancelled": false, "isOrganizer": true,
        "responseRequested": true, "showAs": "busy", "webLink": "https://outlook.office365.example/owa/",
        "onlineMeetingUrl": null, "isOnlineMeeting": false, "onlineMeetingProvider": "unknown",
        "allowNewTimeProposals": true, "isDraft": false, "hideAttendees": false, "recurrence": null,
        "onlineMeeting": null, "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
        "body": {"contentType": "html", "content": ""}, "location": {"displayName": ""}, "locations": [],
        "attendees": [], "organizer": recipient((user.name, user.email)),
    })
}

/// One line of the sample.
struct Line {
    subject: String,
    day: i64,
    at: Time,
    minutes: i64,
    zone: &'static str,
    extra: Value,
}

/// All events of a person around a day; numbers start at 1.
pub fn events(user: &'static User, today: Date) -> Vec<StoredEvent> {
    if user.email == realistic::OWNER {
        return realistic::calendar::events(user, today);
    }
    let monday = today - Duration::days(i64::from(today.weekday().number_days_from_monday()));
    let offset = (monday - today).whole_days();
    let mut lines = lines(user, offset);
    lines.extend((0..14).map(|at| Line {
        subject: format!("Desk time {}", at + 1),
        day: at % 7,
        at: if at < 7 { time!(11:00) } else { time!(15:30) },
        minutes: 45,
        zone: user.zone,
        extra: json!({"showAs": "tentative"}),
    }));
    lines.into_iter().zip(1..).map(|(line, key)| line.into_event(user, today, key)).collect()
}

fn lines(user: &User, monday: i64) -> Vec<Line> {
    let series = |pattern: Value| json!({"pattern": pattern, "range": {"type": "noEnd", "startDate": "2026-01-05", "recurrenceTimeZone": user.zone}});
    let line = |subject: &str, day, at, minutes, zone, extra| Line {
        subject: subject.to_owned(),
        day,
        at,
        minutes,
        zone,
        extra,
    };
    vec![
        line(
            "Stand-up",
            monday - 28,
            time!(09:15),
            15,
            user.zone,
            json!({
                "recurrence": series(json!({"type": "weekly", "interval": 1, "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"], "firstDayOfWeek": "monday"})),
                "isOnlineMeeting": true, "onlineMeeting": {"joinUrl": "https://teams.contoso.example/l/meetup-join/standup"}, "onlineMeetingProvider": "teamsForBusiness",
            }),
        ),
        line(
            &format!("{}: steering", user.project),
            monday - 13,
            time!(14:00),
            60,
            user.zone,
            json!({
                "recurrence": series(json!({"type": "weekly", "interval": 2, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "monday"})),
                "location": {"displayName": "Room Linden"}, "hasAttachments": true,
            }),
        ),
        line(
            "Call with the west coast",
            2,
            time!(08:00),
            30,
            "Pacific Standard Time",
            json!({"location": {"displayName": "Phone"}}),
        ),
        line(
            "Supplier call Tokyo",
            3,
            time!(10:00),
            60,
            "Tokyo Standard Time",
            json!({
                "isOrganizer": false, "organizer": recipient(("Aiko Tanaka", "aiko@tailspin.example")),
                "responseStatus": {"response": "notResponded", "time": "0001-01-01T00:00:00Z"},
            }),
        ),
        line(
            "Lunch with Nora",
            1,
            time!(12:30),
            60,
            user.zone,
            json!({"sensitivity": "private", "location": {"displayName": "Fourth Coffee"}}),
        ),
        line("Public holiday", 4, Time::MIDNIGHT, 24 * 60, user.zone, json!({"isAllDay": true, "showAs": "free"})),
        line("Trade fair", 5, Time::MIDNIGHT, 48 * 60, user.zone, json!({"isAllDay": true, "showAs": "oof"})),
    ]
}

impl Line {
    fn into_event(self, user: &User, today: Date, key: u64) -> StoredEvent {
        let mut value = event_defaults(user);
        for (name, member) in self.extra.as_object().into_iter().flatten() {
            set(&mut value, name, member.clone());
        }
        set(&mut value, "subject", self.subject);
        let content = format!("<html><body><p>Agenda follows.</p><p>Ref: {}</p></body></html>", user.marker);
        set(&mut value, "body", json!({"contentType": "html", "content": content}));
        if key % 2 == 1 {
            set(
                &mut value,
                "attendees",
                json!([{
                    "type": "required", "status": {"response": "accepted", "time": "2026-01-06T10:00:00Z"},
                    "emailAddress": {"name": "Nora Lind", "address": "nora.lind@fabrikam.example"},
                }]),
            );
        }
        let start = PrimitiveDateTime::new(today + Duration::days(self.day), self.at);
        StoredEvent {
            key,
            calendar: if key == 2 { user.project.to_owned() } else { "Calendar".to_owned() },
            zone: self.zone.to_owned(),
            start,
            length: Duration::minutes(self.minutes),
            value,
            exception: Exception::default(),
        }
    }
}
