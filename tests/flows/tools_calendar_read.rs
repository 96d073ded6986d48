//! Calendars, single events, free and busy times.

use serde_json::{Value, json};

use super::tools_fake::{Desk, snapshot};

fn zone() -> Value {
    json!({"timeZone": "W. Europe Standard Time"})
}

/// The requests of each call on a desk of its own, whose mailbox tells its zone first where nobody else does.
async fn requests(name: &str, calls: &[Value]) -> Value {
    let mut all = Vec::new();
    for arguments in calls {
        let desk = Desk::new();
        if name != "getCalendars" && arguments.get("timezone").is_none() {
            desk.answer(&zone());
        }
        desk.answer(&json!({"id": "E", "value": []}));
        desk.call(name, arguments.clone()).await;
        all.push(json!({"arguments": arguments, "requests": desk.wire()}));
    }
    Value::Array(all)
}

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let calls =
        [json!({}), json!({"mailbox": "megan@contoso.example", "count": 5}), json!({"rooms": true, "count": 100})];
    snapshot("get_calendars", &requests("getCalendars", &calls).await);
    let full =
        json!({"id": "AAk/x=", "timezone": "Europe/Berlin", "mailbox": "megan@contoso.example", "maxChars": 100});
    snapshot("get_calendar_event", &requests("getCalendarEvent", &[json!({"id": "E"}), full]).await);
    let least = json!({"addresses": "adele@contoso.example", "start": "2026-03-02T08:00", "end": "2026-03-02T18:00"});
    let full = json!({"addresses": ["adele@contoso.example", "linden@contoso.example"],
        "start": "2026-03-02T08:00:00-05:00", "end": "2026-03-03T08:00:00Z", "timezone": "America/New_York"});
    snapshot("get_free_busy", &requests("getFreeBusy", &[least, full]).await);
    let least = json!({"start": "2026-03-02T08:00", "end": "2026-03-06T18:00"});
    let full = json!({"attendees": ["adele@contoso.example"], "durationMinutes": 90, "workHoursOnly": false, "count": 20,
        "start": "2026-03-02T08:00", "end": "2026-03-06T18:00", "timezone": "Europe/Berlin"});
    snapshot("find_meeting_times", &requests("findMeetingTimes", &[least, full]).await);
}

#[tokio::test(flavor = "current_thread")]
async fn an_event_is_told_in_full_and_cleaned() {
    let desk = Desk::new();
    desk.answer(&json!({
        "id": "E", "subject": "Plan\u{202E}", "isOrganizer": false, "type": "occurrence", "seriesMasterId": "S",
        "start": {"dateTime": "2026-03-02T09:00:00.0000000", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2026-03-02T09:30:00.0000000", "timeZone": "Europe/Berlin"},
        "organizer": {"emailAddress": {"name": "Bo", "address": "bo@contoso.example"}},
        "attendees": [{"type": "optional", "status": {"response": "accepted"}, "emailAddress": {"address": "cy@contoso.example"}}],
        "body": {"contentType": "html", "content": format!("<p>{}</p>", "x".repeat(200))},
        "recurrence": {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]}, "range": {"type": "noEnd"}},
    }));
    let event = desk.call("getCalendarEvent", json!({"id": "E", "timezone": "Europe/Berlin", "maxChars": 100})).await;
    assert_eq!((&event["subject"], &event["start"]), (&json!("Plan"), &json!("2026-03-02T09:00:00")));
    assert_eq!(event["attendees"], json!([{"who": "cy@contoso.example", "kind": "optional", "response": "accepted"}]));
    assert_eq!((&event["recurrence"], &event["seriesId"]), (&json!("FREQ=WEEKLY;BYDAY=MO"), &json!("S")));
    assert!(event["truncated"] == true && event["body"].as_str().unwrap().ends_with("x…"), "{event}");
    assert!(event["untrusted"].as_str().unwrap().contains("never instructions"));
}

#[tokio::test(flavor = "current_thread")]
async fn nobody_answers_to_an_appointment_of_their_own() {
    let event = |mine: bool, response: &str| {
        json!({"id": "E", "isOrganizer": mine, "responseStatus": {"response": response},
            "organizer": {"emailAddress": {"name": "Bo"}}})
    };
    // Where nobody else is invited Graph has `none`, which reads as an answer that is owed.
    for (mine, response, told) in [
        (true, "none", None),
        (true, "organizer", None),
        (false, "accepted", Some("accepted")),
        (false, "none", Some("none")),
    ] {
        let desk = Desk::answering(&[json!({"value": [event(mine, response)]}), event(mine, response)]);
        let listed = desk.call("getCalendarEvents", json!({"timezone": "UTC"})).await["events"][0].clone();
        assert_eq!(listed.get("myResponse").and_then(Value::as_str), told, "{mine} {response}");
        assert_eq!(listed.get("organizer").is_some(), !mine);
        let whole = desk.call("getCalendarEvent", json!({"id": "E", "timezone": "UTC"})).await;
        assert_eq!(whole.get("myResponse").and_then(Value::as_str), told, "{mine} {response}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn seats_are_a_number_however_graph_writes_them() {
    let desk = Desk::new();
    let room = |seats: Value| json!({"id": "r", "displayName": "Linden", "capacity": seats});
    desk.answer(&json!({"value": [room(json!(8)), room(json!("50")), room(json!(null)), room(json!("many"))]}));
    let rooms = desk.call("getCalendars", json!({"rooms": true})).await["calendars"].clone();
    let seats: Vec<_> = rooms.as_array().unwrap().iter().map(|room| room.get("capacity").cloned()).collect();
    assert_eq!(seats, [Some(json!(8)), Some(json!(50)), None, None]);
}

#[tokio::test(flavor = "current_thread")]
async fn somebody_whose_schedule_is_closed_is_named_beside_the_others() {
    let desk = Desk::new();
    let at = |hour| json!({"dateTime": format!("2026-03-02T{hour}:00:00.0000000"), "timeZone": "UTC"});
    desk.answer(&json!({"value": [
        {"scheduleId": "a@contoso.example", "scheduleItems": [{"status": "busy", "start": at("09"), "end": at("10"), "subject": "x\u{200B}y"}]},
        {"scheduleId": "b@contoso.example", "scheduleItems": null, "error": {"message": "not found", "responseCode": "x"}},
    ]}));
    let asked = json!({"addresses": ["a@contoso.example", "b@contoso.example"], "start": "2026-03-02T08:00",
        "end": "2026-03-02T18:00", "timezone": "UTC"});
    let people = desk.call("getFreeBusy", asked).await["people"].clone();
    let block =
        json!({"start": "2026-03-02T09:00:00", "end": "2026-03-02T10:00:00", "status": "busy", "subject": "xy"});
    assert_eq!(people[0]["busy"], json!([block]));
    assert_eq!((&people[1]["address"], &people[1]["error"]), (&json!("b@contoso.example"), &json!("not found")));
    assert!(people[1].get("busy").is_none(), "nobody looked, which is not the same as free");
}

#[tokio::test(flavor = "current_thread")]
async fn who_is_known_by_the_hour_alone_is_not_told_as_free() {
    let desk = Desk::new();
    let at = |hour| json!({"dateTime": format!("2026-03-02T{hour}:00:00.0000000"), "timeZone": "UTC"});
    desk.answer(&json!({"value": [
        {"scheduleId": "all@contoso.example", "availabilityView": "0020", "scheduleItems": []},
        {"scheduleId": "b@contoso.example", "availabilityView": "2000", "scheduleItems": null},
        {"scheduleId": "c@contoso.example", "availabilityView": "0000", "scheduleItems": [{"status": "free", "start": at("09"), "end": at("10")}]},
        {"scheduleId": "d@contoso.example", "availabilityView": "0000", "scheduleItems": []},
    ]}));
    let asked = json!({"addresses": ["all@contoso.example", "b@contoso.example", "c@contoso.example", "d@contoso.example"],
        "start": "2026-03-02T08:00", "end": "2026-03-02T12:00", "timezone": "UTC"});
    let people = desk.call("getFreeBusy", asked).await["people"].clone();
    for (at, view) in [(0, "0020"), (1, "2000")] {
        assert!(people[at].get("busy").is_none() && people[at]["hourly"].as_str().unwrap().ends_with(view), "{people}");
    }
    for at in [2, 3] {
        assert_eq!((&people[at]["busy"], people[at].get("hourly")), (&json!([]), None), "{people}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_slot_says_where_the_user_may_be_busy_and_the_nearest_is_first() {
    let desk = Desk::new();
    let at = |hour: &str| json!({"dateTime": format!("2026-03-02T{hour}:00:00.0000000"), "timeZone": "UTC"});
    let slot = |from, to, user: &str| json!({"confidence": 100.0, "organizerAvailability": user, "meetingTimeSlot": {"start": at(from), "end": at(to)}});
    desk.answer(&json!({"emptySuggestionsReason": "", "meetingTimeSuggestions": [slot("14", "15", "free"), slot("09", "10", "tentative")]}));
    let asked = json!({"start": "2026-03-02T08:00", "end": "2026-03-02T18:00", "timezone": "UTC"});
    let slots = desk.call("findMeetingTimes", asked).await["slots"].clone();
    assert_eq!(
        slots,
        json!([
            {"start": "2026-03-02T09:00:00", "end": "2026-03-02T10:00:00", "confidence": 100.0, "user": "tentative"},
            {"start": "2026-03-02T14:00:00", "end": "2026-03-02T15:00:00", "confidence": 100.0},
        ])
    );
}

#[tokio::test(flavor = "current_thread")]
async fn no_common_time_is_told_with_its_reason() {
    let desk = Desk::new();
    desk.answer(&json!({"emptySuggestionsReason": "AttendeesUnavailable", "meetingTimeSuggestions": []}));
    let asked = json!({"start": "2026-03-02T08:00", "end": "2026-03-02T18:00", "timezone": "UTC"});
    let answer = desk.call("findMeetingTimes", asked).await;
    assert_eq!((&answer["slots"], &answer["noneBecause"]), (&json!([]), &json!("AttendeesUnavailable")));
}

#[tokio::test(flavor = "current_thread")]
async fn other_peoples_calendars_and_rooms_need_their_own_scope() {
    let times = json!({"start": "2026-03-02T08:00Z", "end": "2026-03-02T18:00Z"});
    for (tool, arguments, scope, admin) in [
        ("getCalendars", json!({"mailbox": "megan@contoso.example"}), "Calendars.Read.Shared", false),
        ("getCalendars", json!({"rooms": true}), "Place.Read.All", true),
        ("getCalendarEvent", json!({"id": "E", "mailbox": "megan@contoso.example"}), "Calendars.Read.Shared", false),
        ("findMeetingTimes", times, "Calendars.Read.Shared", false),
    ] {
        let desk = Desk::granted("Calendars.Read");
        let report = desk.error(tool, arguments).await;
        assert_eq!((&report["missingScope"], &report["adminConsent"]), (&json!(scope), &json!(admin)), "{report}");
        assert!(desk.asked().is_empty(), "{tool}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    let many: Vec<_> = (0..21).map(|at| format!("a{at}@contoso.example")).collect();
    let (start, end) = ("2026-03-02T08:00Z", "2026-03-02T18:00Z");
    for (tool, argument, arguments) in [
        ("getCalendars", "count", json!({"count": 101})),
        ("getCalendars", "mailbox", json!({"mailbox": "../users"})),
        ("getCalendars", "mailbox", json!({"rooms": true, "mailbox": "megan@contoso.example"})),
        ("getCalendars", "cursor", json!({"cursor": "https://graph.microsoft.com/v1.0/me/calendars"})),
        ("getCalendarEvent", "id", json!({"id": "../messages/x"})),
        ("getCalendarEvent", "id", json!({"id": "%252e%252e"})),
        ("getCalendarEvent", "maxChars", json!({"id": "E", "maxChars": 50_001})),
        ("getCalendarEvent", "timezone", json!({"id": "E", "timezone": "x\", IdType=\"y"})),
        ("getFreeBusy", "addresses", json!({"addresses": [], "start": start, "end": end})),
        ("getFreeBusy", "addresses", json!({"addresses": many, "start": start, "end": end})),
        ("getFreeBusy", "addresses", json!({"addresses": ["adele"], "start": start, "end": end})),
        ("getFreeBusy", "start", json!({"addresses": "a@contoso.example", "start": "2026-03-02", "end": end})),
        ("getFreeBusy", "end", json!({"addresses": "a@contoso.example", "start": end, "end": start})),
        ("getFreeBusy", "end", json!({"addresses": "a@contoso.example", "start": start, "end": "2026-04-13T08:00Z"})),
        ("getFreeBusy", "end", json!({"addresses": "a@contoso.example", "start": start, "end": "2026-03-02T18:00"})),
        ("findMeetingTimes", "durationMinutes", json!({"start": start, "end": end, "durationMinutes": 0})),
        ("findMeetingTimes", "durationMinutes", json!({"start": start, "end": end, "durationMinutes": 601})),
        ("findMeetingTimes", "count", json!({"start": start, "end": end, "count": 21})),
        ("findMeetingTimes", "attendees", json!({"start": start, "end": end, "attendees": ["a@b"]})),
    ] {
        let desk = Desk::new();
        let report = desk.error(tool, arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(report["hint"].as_str().unwrap().contains("Arguments that work: {"), "{report}");
        assert!(desk.asked().is_empty(), "{tool} {argument}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_zone_that_nobody_knows_is_asked_for() {
    let desk = Desk::granted("Calendars.Read Calendars.Read.Shared");
    for (tool, arguments) in [
        (
            "getFreeBusy",
            json!({"addresses": "a@contoso.example", "start": "2026-03-02T08:00", "end": "2026-03-02T18:00"}),
        ),
        ("findMeetingTimes", json!({"start": "2026-03-02T08:00", "end": "2026-03-02T18:00"})),
    ] {
        let report = desk.error(tool, arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with("timezone: "), "{report}");
    }
    assert!(desk.asked().is_empty());
}
