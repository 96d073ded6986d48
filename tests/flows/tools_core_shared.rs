//! The core tools on a mailbox that is shared with the user, and series of events.

use serde_json::{Value, json};

use super::tools_fake::Desk;

const SALES: &str = "sales@contoso.example";

fn event(more: &Value) -> Value {
    let mut event = json!({"subject": "s", "start": "2026-03-02T09:00", "end": "2026-03-02T10:00"});
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

async fn refused(desk: &Desk, (tool, argument): (&str, &str), arguments: Value) {
    let report = desk.error(tool, arguments).await;
    assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{tool}: {report}");
}

#[tokio::test(flavor = "current_thread")]
async fn another_mailbox_needs_its_own_scope() {
    for (tool, arguments, scope) in [
        ("getEmails", json!({"mailbox": SALES}), "Mail.Read.Shared"),
        ("searchEmails", json!({"mailbox": SALES, "query": "x"}), "Mail.Read.Shared"),
        ("getCalendarEvents", json!({"mailbox": SALES}), "Calendars.Read.Shared"),
        ("createCalendarEvent", event(&json!({"mailbox": SALES})), "Calendars.ReadWrite.Shared"),
    ] {
        let desk = Desk::granted("Mail.Read Calendars.ReadWrite MailboxSettings.Read");
        assert_eq!(desk.error(tool, arguments).await["missingScope"], scope, "{tool}");
        assert!(desk.asked().is_empty(), "{tool}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_cursor_stays_in_its_mailbox() {
    for (tool, rest) in [
        ("getEmails", "mailFolders/inbox/messages"),
        ("searchEmails", "messages"),
        ("getCalendarEvents", "calendarView"),
    ] {
        let arguments = |more: &Value| {
            let mut all = if tool == "searchEmails" { json!({"query": "x"}) } else { json!({}) };
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            all
        };
        for (of, other, root) in [
            (json!({"mailbox": SALES}), json!({}), "users/sales%40contoso.example"),
            (json!({}), json!({"mailbox": SALES}), "me"),
        ] {
            let desk = Desk::new();
            let page = json!({"value": [], "@odata.nextLink": format!("https://graph.microsoft.com/v1.0/{root}/{rest}?$skip=9")});
            if tool == "getCalendarEvents" {
                desk.answer(&json!({"timeZone": "Europe/Berlin"}));
            }
            for _ in 0..8 {
                desk.answer(&page);
            }
            let cursor = desk.call(tool, arguments(&of)).await["nextCursor"].clone();
            let asked = desk.asked().len();
            let with = |mailbox: &Value| {
                let mut all = arguments(mailbox);
                all["cursor"] = cursor.clone();
                all
            };
            refused(&desk, (tool, "cursor"), with(&other)).await;
            assert_eq!(desk.asked().len(), asked, "{tool}");
            desk.answer(&json!({"value": []}));
            desk.call(tool, with(&of)).await;
            assert_eq!(desk.asked().pop().unwrap(), format!("GET /{root}/{rest}?$skip=9"));
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_series_is_in_the_zone_of_its_event_and_never_in_utc_by_accident() {
    let desk = Desk::new();
    desk.answer(&json!({"timeZone": "W. Europe Standard Time"})).answer(&json!({"id": "E"}));
    desk.call("createCalendarEvent", event(&json!({"recurrence": "FREQ=WEEKLY;COUNT=2"}))).await;
    let body = &desk.wire()[1]["body"];
    assert_eq!(body["recurrence"]["range"]["recurrenceTimeZone"], "W. Europe Standard Time");
    assert_eq!(body["start"]["timeZone"], "W. Europe Standard Time");
    assert_eq!(body["recurrence"]["range"]["startDate"], "2026-03-02");
    let desk = Desk::new();
    let offset = json!({"start": "2026-03-02T09:00Z", "end": "2026-03-02T10:00Z", "recurrence": "FREQ=DAILY", "timezone": "UTC"});
    refused(&desk, ("createCalendarEvent", "start"), event(&offset)).await;
    let desk = Desk::granted("Calendars.ReadWrite");
    refused(&desk, ("createCalendarEvent", "timezone"), event(&json!({"recurrence": "FREQ=DAILY"}))).await;
    assert!(desk.asked().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    for (tool, argument, arguments) in [
        ("getEmails", "mailbox", json!({"mailbox": "../users"})),
        ("searchEmails", "mailbox", json!({"mailbox": "me", "query": "x"})),
        ("getCalendarEvents", "mailbox", json!({"mailbox": "a@b@c"})),
        ("createCalendarEvent", "mailbox", event(&json!({"mailbox": "a/../b@contoso.example/"}))),
        ("createCalendarEvent", "recurrence", event(&json!({"recurrence": "FREQ=HOURLY"}))),
        ("createCalendarEvent", "recurrence", event(&json!({"recurrence": "FREQ=WEEKLY;BYDAY=TU"}))),
        ("createCalendarEvent", "recurrence", event(&json!({"recurrence": "FREQ=DAILY\nEXDATE=20260303"}))),
        ("createCalendarEvent", "recurrence", event(&json!({"recurrence": ""}))),
    ] {
        let desk = Desk::new();
        let report = desk.error(tool, arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(report["hint"].as_str().unwrap().contains("Arguments that work: {"), "{report}");
        assert!(desk.asked().is_empty(), "{tool} {argument}");
    }
}
