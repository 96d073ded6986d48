//! Answering, changing and cancelling events.

use serde_json::{Value, json};

use super::tools_fake::{Desk, snapshot};

fn meeting(organizer: bool) -> Value {
    json!({"subject": "Review\u{202E}", "isOrganizer": organizer, "type": "singleInstance", "isOnlineMeeting": false,
    "start": {"dateTime": "2026-03-02T09:00:00.0000000", "timeZone": "W. Europe Standard Time"},
    "attendees": [
        {"type": "optional", "status": {"response": "accepted"}, "emailAddress": {"name": "Bo", "address": "bo@contoso.example"}},
        {"type": "required", "status": {"response": "none"}, "emailAddress": {"name": "Cy", "address": "cy@contoso.example"}},
    ]})
}

fn zone() -> Value {
    json!({"timeZone": "W. Europe Standard Time"})
}

/// The requests of each call on a desk of its own, with what Graph answers.
async fn requests(name: &str, calls: &[(Vec<Value>, Value)]) -> Value {
    let mut all = Vec::new();
    for (answers, arguments) in calls {
        let desk = Desk::answering(answers);
        desk.accept().call(name, arguments.clone()).await;
        all.push(json!({"arguments": arguments, "requests": desk.wire()}));
    }
    Value::Array(all)
}

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let full = json!({"id": "AA/k=", "response": "tentative", "comment": "Later?\nPlease.", "idempotencyKey": "k",
        "proposeStart": "2026-03-02T10:00", "proposeEnd": "2026-03-02T11:00", "timezone": "Europe/Berlin"});
    let silent = json!({"id": "E", "response": "decline", "sendResponse": false});
    let calls = [(vec![], json!({"id": "E", "response": "accept"})), (vec![], full), (vec![], silent)];
    snapshot("respond_to_event", &requests("respondToEvent", &calls).await);
    let full = json!({"id": "AA/k=", "subject": "Review", "start": "2026-03-02", "end": "2026-03-03", "allDay": true,
        "timezone": "Europe/Berlin", "location": "Room 1", "body": "Agenda", "addAttendees": ["di@contoso.example", "BO@contoso.example"],
        "removeAttendees": "cy@contoso.example", "onlineMeeting": true, "showAs": "workingElsewhere",
        "mailbox": "megan@contoso.example", "idempotencyKey": "k"});
    let calls = [
        (vec![], json!({"id": "E", "subject": "Review"})),
        (vec![zone()], json!({"id": "E", "start": "2026-03-02T10:00", "end": "2026-03-02T11:00"})),
        (vec![meeting(true)], full),
    ];
    snapshot("update_calendar_event", &requests("updateCalendarEvent", &calls).await);
    let calls = [
        (vec![zone(), meeting(true)], json!({"id": "E"})),
        (vec![zone(), meeting(false)], json!({"id": "E"})),
        (vec![zone(), meeting(true)], json!({"id": "E", "comment": "Sorry", "mailbox": "megan@contoso.example"})),
    ];
    snapshot("cancel_calendar_event", &requests("cancelCalendarEvent", &calls).await);
}

#[tokio::test(flavor = "current_thread")]
async fn a_dry_run_cancels_nothing_and_says_who_would_be_told() {
    let desk = Desk::new();
    desk.answer(&zone()).answer(&meeting(true));
    let answer = desk.call("cancelCalendarEvent", json!({"id": "E", "dryRun": true})).await;
    let would = &answer["would"];
    assert_eq!((&answer["status"], &would["action"]), (&json!("dryRun"), &json!("cancel")));
    assert_eq!((&would["attendeesTold"], &would["subject"]), (&json!(2), &json!("Review")));
    assert!(desk.asked().iter().all(|asked| asked.starts_with("GET ")), "{:?}", desk.asked());
}

#[tokio::test(flavor = "current_thread")]
async fn only_the_organisers_cancellation_carries_a_comment() {
    let desk = Desk::new();
    desk.answer(&zone()).answer(&meeting(false));
    let report = desk.error("cancelCalendarEvent", json!({"id": "E", "comment": "Sorry"})).await;
    assert!(report["message"].as_str().unwrap().starts_with("comment: "), "{report}");
    assert_eq!(desk.asked().len(), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn what_attendees_are_told_of_is_never_sent_again_after_doubt() {
    for (tool, arguments) in [
        ("respondToEvent", json!({"id": "E", "response": "accept", "idempotencyKey": "k"})),
        ("updateCalendarEvent", json!({"id": "E", "subject": "s", "idempotencyKey": "k"})),
    ] {
        let desk = Desk::new();
        desk.doubt();
        assert_eq!(desk.error(tool, arguments.clone()).await["mayHaveActed"], true, "{tool}");
        assert_eq!(desk.error(tool, arguments).await["retryable"], false, "{tool}");
        assert_eq!(desk.asked().len(), 1, "{tool}");
    }
    let desk = Desk::new();
    desk.answer(&zone()).answer(&meeting(true)).doubt();
    let report = desk.error("cancelCalendarEvent", json!({"id": "E"})).await;
    assert_eq!((&report["mayHaveActed"], &report["retryable"]), (&json!(true), &json!(false)));
}

#[tokio::test(flavor = "current_thread")]
async fn a_key_does_one_thing_once() {
    let desk = Desk::new();
    let mut answer = json!({"id": "E", "response": "accept", "idempotencyKey": "k"});
    desk.accept().call("respondToEvent", answer.clone()).await;
    let again = desk.call("respondToEvent", answer.clone()).await;
    assert!(again["note"].as_str().unwrap().contains("nothing was sent now"), "{again}");
    answer["response"] = json!("decline");
    let report = desk.error("respondToEvent", answer).await;
    assert!(report["message"].as_str().unwrap().starts_with("idempotencyKey: "), "{report}");
    assert_eq!(desk.asked().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn the_join_details_of_a_meeting_are_not_overwritten() {
    let desk = Desk::new();
    desk.answer(&json!({"attendees": [], "isOnlineMeeting": true}));
    let report = desk.error("updateCalendarEvent", json!({"id": "E", "body": "x"})).await;
    assert!(report["message"].as_str().unwrap().starts_with("body: "), "{report}");
    assert_eq!(desk.asked().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_link_that_was_asked_for_and_is_not_there_is_told() {
    let join = json!({"id": "E", "onlineMeeting": {"joinUrl": "https://teams.contoso.example/l/1"}});
    let create =
        json!({"subject": "s", "start": "2026-03-02T09:00Z", "end": "2026-03-02T10:00Z", "onlineMeeting": true});
    for (tool, arguments) in
        [("createCalendarEvent", create), ("updateCalendarEvent", json!({"id": "E", "onlineMeeting": true}))]
    {
        for (answer, told) in
            [(json!({"id": "E", "isOnlineMeeting": false, "onlineMeeting": null}), true), (join.clone(), false)]
        {
            let answer = Desk::answering(&[answer]).call(tool, arguments.clone()).await;
            assert_eq!(
                answer["note"].as_str().is_some_and(|note| note.contains("no Teams link")),
                told,
                "{tool}: {answer}"
            );
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_change_to_somebody_elses_event_is_not_told_as_one_that_others_see() {
    for (organizer, told) in [(false, true), (true, false)] {
        let desk = Desk::answering(&[meeting(organizer)]);
        let answer = desk.call("updateCalendarEvent", json!({"id": "E", "addAttendees": ["di@contoso.example"]})).await;
        assert_eq!(answer["note"].as_str().is_some_and(|note| note.contains("Somebody else")), told, "{answer}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_series_is_not_moved_to_an_offset() {
    let (start, end) = ("2026-03-02T09:00:00+01:00", "2026-03-02T10:00:00+01:00");
    for (kind, moved) in [("seriesMaster", false), ("occurrence", true), ("singleInstance", true)] {
        let desk = Desk::answering(&[json!({"type": kind, "attendees": []})]);
        let outcome = desk.outcome("updateCalendarEvent", json!({"id": "E", "start": start, "end": end})).await;
        assert_eq!(desk.asked().len(), if moved { 2 } else { 1 }, "{kind}: {outcome}");
        assert_eq!(outcome.to_string().contains("start: of a series"), !moved, "{kind}: {outcome}");
    }
    let desk = Desk::answering(&[zone()]);
    desk.call("updateCalendarEvent", json!({"id": "E", "start": "2026-03-02T09:00", "end": "2026-03-02T10:00"})).await;
    assert!(desk.asked()[1].starts_with("PATCH "), "{:?}", desk.asked());
}

#[tokio::test(flavor = "current_thread")]
async fn a_guest_without_an_address_stays_a_guest() {
    let mut before = meeting(true);
    before["attendees"][1]["emailAddress"] = json!({"name": "Room 1"});
    let desk = Desk::answering(&[before]);
    desk.call("updateCalendarEvent", json!({"id": "E", "addAttendees": ["di@contoso.example"]})).await;
    let guests = desk.wire()[1]["body"]["attendees"].clone();
    assert_eq!(guests[1]["emailAddress"], json!({"name": "Room 1"}));
    assert_eq!(guests[2]["emailAddress"], json!({"address": "di@contoso.example"}));
}

#[tokio::test(flavor = "current_thread")]
async fn nobody_is_removed_who_is_not_invited() {
    let desk = Desk::new();
    desk.answer(&meeting(true));
    let report = desk.error("updateCalendarEvent", json!({"id": "E", "removeAttendees": ["x@contoso.example"]})).await;
    assert!(report["message"].as_str().unwrap().starts_with("removeAttendees: x@contoso.example"), "{report}");
    assert_eq!(desk.asked().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn another_mailbox_needs_its_own_scope() {
    for tool in ["updateCalendarEvent", "cancelCalendarEvent"] {
        let desk = Desk::granted("Calendars.ReadWrite");
        let mut arguments = json!({"id": "E", "mailbox": "megan@contoso.example"});
        if tool == "updateCalendarEvent" {
            arguments["subject"] = json!("s");
        }
        assert_eq!(desk.error(tool, arguments).await["missingScope"], "Calendars.ReadWrite.Shared");
        assert!(desk.asked().is_empty());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    let (start, end) = ("2026-03-02T08:00Z", "2026-03-02T09:00Z");
    for (tool, argument, arguments) in [
        ("respondToEvent", "id", json!({"id": "../x", "response": "accept"})),
        ("respondToEvent", "response", json!({"id": "E", "response": "yes"})),
        ("respondToEvent", "comment", json!({"id": "E", "response": "accept", "comment": "a\u{202E}b"})),
        ("respondToEvent", "comment", json!({"id": "E", "response": "accept", "comment": "a", "sendResponse": false})),
        ("respondToEvent", "proposeEnd", json!({"id": "E", "response": "decline", "proposeStart": start})),
        ("respondToEvent", "proposeStart", json!({"id": "E", "response": "decline", "proposeEnd": end})),
        (
            "respondToEvent",
            "proposeStart",
            json!({"id": "E", "response": "accept", "proposeStart": start, "proposeEnd": end}),
        ),
        (
            "respondToEvent",
            "proposeEnd",
            json!({"id": "E", "response": "decline", "proposeStart": end, "proposeEnd": start}),
        ),
        ("updateCalendarEvent", "id", json!({"id": "%2e%2e", "subject": "s"})),
        ("updateCalendarEvent", "arguments", json!({"id": "E"})),
        ("updateCalendarEvent", "subject", json!({"id": "E", "subject": "a\r\nb"})),
        ("updateCalendarEvent", "end", json!({"id": "E", "start": start})),
        ("updateCalendarEvent", "end", json!({"id": "E", "start": end, "end": start})),
        ("updateCalendarEvent", "start", json!({"id": "E", "start": "2026-03-02", "end": "2026-03-03"})),
        ("updateCalendarEvent", "allDay", json!({"id": "E", "allDay": true})),
        ("updateCalendarEvent", "onlineMeeting", json!({"id": "E", "onlineMeeting": false})),
        ("updateCalendarEvent", "showAs", json!({"id": "E", "showAs": "away"})),
        ("updateCalendarEvent", "addAttendees", json!({"id": "E", "addAttendees": ["a@b"]})),
        ("cancelCalendarEvent", "id", json!({"id": "a/../b"})),
        ("cancelCalendarEvent", "mailbox", json!({"id": "E", "mailbox": "me"})),
        ("cancelCalendarEvent", "comment", json!({"id": "E", "comment": " "})),
    ] {
        let desk = Desk::new();
        let report = desk.error(tool, arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(report["hint"].as_str().unwrap().contains("Arguments that work: {"), "{report}");
        assert!(desk.asked().is_empty(), "{tool} {argument}");
    }
}
