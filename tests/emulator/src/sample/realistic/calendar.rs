//! Carla's calendar: series with a moved and a cancelled day, meetings of other zones, whole days, invitations with the
//! text that Teams puts below them.

use serde_json::{Value, json};
use time::macros::time;
use time::{Date, Duration, PrimitiveDateTime, Time};

use crate::graph::event::{Exception, StoredEvent};
use crate::json::set;
use crate::opaque;
use crate::sample::calendar::event_defaults;
use crate::sample::directory::User;
use crate::sample::mail::recipient;

type Person = (&'static str, &'static str);

const PEOPLE: &[Person] = &[
    ("Megan Bowen", "megan@contoso.example"),
    ("Diego Siciliani", "diego@contoso.example"),
    ("Lynne Robbins", "lynne@contoso.example"),
    ("Nora Lind", "nora.lind@fabrikam.example"),
    ("Jan Kowalski", "jan.kowalski@adatum.example"),
    ("Johanna Lorenz", "johanna@contoso.example"),
    ("Mateo García", "mateo@southridge.example"),
    ("Patti Fernandez", "patti@contoso.example"),
    ("Aiko Tanaka", "aiko@tailspin.example"),
    ("Grady Archie", "grady@contoso.example"),
];
const WEEKDAYS: [&str; 5] = ["monday", "tuesday", "wednesday", "thursday", "friday"];

/// One event: subject, day of the week from Monday, start, minutes, zone.
type Line = (&'static str, i64, Time, i64, &'static str);

const HERE: &str = "W. Europe Standard Time";
/// Of each: who else comes, whether it is online, what more it says.
const SINGLE: &[(Line, usize, bool)] = &[
    (("Frame contract: open points with Fabrikam", 0, time!(10:00), 60, "GMT Standard Time"), 3, true),
    (("Quarterly numbers, preparation", 0, time!(15:00), 90, HERE), 4, true),
    (("Call with the west coast", 1, time!(08:30), 30, "Pacific Standard Time"), 2, true),
    (("Visit: Adatum, loading ramp and new gate", 1, time!(13:00), 120, HERE), 5, false),
    (("見積書レビュー (Tailspin)", 2, time!(16:00), 60, "Tokyo Standard Time"), 2, true),
    (("Dentist", 2, time!(17:15), 45, HERE), 0, false),
    (("Town hall: results of the year", 3, time!(10:00), 60, HERE), 10, true),
    (("Muestras de tela: elección", 4, time!(11:00), 30, "Romance Standard Time"), 1, true),
];

/// All events around a day; numbers start at 1.
pub fn events(user: &User, today: Date) -> Vec<StoredEvent> {
    let monday = today - Duration::days(i64::from(today.weekday().number_days_from_monday()));
    let mut all = series(user, monday);
    for (line, others, online) in SINGLE {
        let key = all.len() as u64 + 1;
        all.push(event(user, (key, monday), *line, (*others, *online)));
    }
    for (subject, day, days, show) in [("Trade fair, Milano", 1, 2, "oof"), ("Diego: Urlaub", 0, 5, "free")] {
        let key = all.len() as u64 + 1;
        let mut whole = event(user, (key, monday), (subject, day, Time::MIDNIGHT, days * 24 * 60, HERE), (0, false));
        set(&mut whole.value, "isAllDay", true);
        set(&mut whole.value, "showAs", show);
        all.push(whole);
    }
    all
}

/// The series, and the days on which they were not as planned.
fn series(user: &User, monday: Date) -> Vec<StoredEvent> {
    let begun = monday - Duration::days(28);
    let weekly = |days: Value| {
        json!({
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": days, "firstDayOfWeek": "monday"},
            "range": {"type": "noEnd", "startDate": begun.to_string(), "recurrenceTimeZone": HERE},
        })
    };
    let mut stand_up = event(user, (1, begun), ("Stand-up purchasing", 0, time!(09:00), 15, HERE), (4, true));
    set(&mut stand_up.value, "recurrence", weekly(json!(WEEKDAYS)));
    // Wednesday's was moved to eleven, Friday's was cancelled.
    stand_up.exception.left_out = vec![monday + Duration::days(2), monday + Duration::days(4)];
    let mut moved = event(user, (2, monday), ("Stand-up purchasing", 2, time!(11:00), 15, HERE), (4, true));
    moved.exception.of = Some(1);
    let mut jour_fixe = event(user, (3, begun), ("Jour fixe Megan / Carla", 3, time!(16:00), 30, HERE), (1, true));
    set(&mut jour_fixe.value, "recurrence", weekly(json!(["thursday"])));
    vec![stand_up, moved, jour_fixe]
}

fn event(user: &User, (key, monday): (u64, Date), line: Line, (others, online): (usize, bool)) -> StoredEvent {
    let (subject, day, at, minutes, zone) = line;
    let mut value = event_defaults(user);
    set(&mut value, "subject", subject);
    let answers = ["accepted", "tentativelyAccepted", "none", "accepted"];
    let guests = PEOPLE.iter().cycle().skip(usize::try_from(key).unwrap_or(0)).take(others).zip(answers.iter().cycle());
    let guests: Vec<Value> = guests
        .map(|((name, address), answer)| {
            json!({"type": "required", "status": {"response": answer, "time": "2026-02-20T10:00:00Z"},
                "emailAddress": {"name": name, "address": address}})
        })
        .collect();
    set(&mut value, "attendees", guests);
    if others > 0 && key.is_multiple_of(3) {
        set(&mut value, "isOrganizer", false);
        set(&mut value, "organizer", recipient(PEOPLE.first().copied().unwrap_or_default()));
        set(&mut value, "responseStatus", json!({"response": "accepted", "time": "2026-02-20T10:00:00Z"}));
    }
    let mut body =
        format!("<html><body><p>Agenda: where we stand, what is open, who does it.</p><p>Ref: {}</p>", user.marker);
    if online {
        let address = join_address(user, key);
        body.push_str(&invitation(&address));
        set(&mut value, "isOnlineMeeting", true);
        set(&mut value, "onlineMeetingProvider", "teamsForBusiness");
        set(&mut value, "onlineMeeting", json!({"joinUrl": address}));
        set(&mut value, "location", json!({"displayName": "Microsoft Teams Meeting"}));
    } else if others > 0 {
        set(&mut value, "location", json!({"displayName": "Room Linden"}));
    }
    body.push_str("</body></html>");
    set(&mut value, "body", json!({"contentType": "html", "content": body}));
    StoredEvent {
        key,
        calendar: "Calendar".to_owned(),
        zone: zone.to_owned(),
        start: PrimitiveDateTime::new(monday + Duration::days(day), at),
        length: Duration::minutes(minutes),
        value,
        exception: Exception::default(),
    }
}

/// As long as those of Teams.
fn join_address(user: &User, key: u64) -> String {
    format!(
        "https://teams.contoso.example/l/meetup-join/19%3ameeting_{}%40thread.v2/0?context=%7b%22Tid%22%3a%22c0270500-0000-4000-8000-000000000001%22%2c%22Oid%22%3a%22{}%22%7d",
        opaque::id(user.oid, &format!("meeting{key}"), 36),
        user.oid
    )
}

fn invitation(address: &str) -> String {
    format!(
        "<br><div>________________________________________________________________________________</div><div class=\"me-email-text\"><div><span style=\"font-size:24px\">Microsoft Teams</span> \
         <a href=\"https://aka.contoso.example/JoinTeamsMeeting?omkt=en-GB\">Need help?</a></div><div><a href=\"{address}\"><b>Join the meeting now</b></a></div>\
         <div>Meeting ID: 365 111 222 333</div><div>Passcode: aB3dE9</div><div>For organisers: <a href=\"https://teams.contoso.example/meetingOptions/?threadId=19_meeting\">Meeting options</a></div></div>"
    )
}
