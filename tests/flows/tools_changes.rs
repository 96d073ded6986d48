//! What changed since.

use serde_json::{Value, json};
use uuid::Uuid;

use super::tools_fake::{Desk, snapshot};
use crate::crypto;

const BASE: &str = "https://graph.microsoft.com/v1.0";

fn page(items: &[Value], kind: &str, link: &str) -> Value {
    let link = if link.starts_with("http") { link.to_owned() } else { format!("{BASE}{link}") };
    json!({"value": items, (format!("@odata.{kind}")): link})
}

fn mail(id: &str, subject: &str) -> Value {
    json!({"id": id, "subject": subject, "isRead": false, "receivedDateTime": "2026-03-02T08:00:00Z",
        "from": {"emailAddress": {"name": "Bo", "address": "bo@contoso.example"}}})
}

const INBOX: &str = "/me/mailFolders('inbox')/messages/delta?$deltatoken=x";

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let start = json!({"what": "events", "start": "2026-03-02T00:00:00+01:00", "end": "2026-03-09T00:00:00Z"});
    let mut other = start.clone();
    other["id"] = json!("C/1=");
    let event = json!({"id": "e", "subject": "Sync", "start": {"dateTime": "2026-03-02T08:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-03-02T09:00:00.0000000", "timeZone": "UTC"}, "lastModifiedDateTime": "2026-01-01T00:00:00Z"});
    let file = json!({"id": "f", "name": "a.txt", "webUrl": "https://x.example", "lastModifiedDateTime": "2026-01-01T00:00:00Z"});
    let root = json!({"id": "r", "name": "root", "root": {}, "folder": {}});
    let due = |at: &str, zone: &str| json!({"id": at, "title": "Buy", "status": "notStarted", "dueDateTime": {"dateTime": at, "timeZone": zone}});
    let tasks = [
        due("2026-03-02T00:00:00.0000000", "W. Europe Standard Time"),
        // Graph may pass over the zone that was asked for.
        due("2026-03-01T23:00:00.0000000", "UTC"),
    ];
    let contact = json!({"id": "c", "displayName": "Bo", "emailAddresses": [{"address": "bo@contoso.example"}]});
    let zone = json!({"timeZone": "W. Europe Standard Time"});
    let mut all = Vec::new();
    for (arguments, answers) in [
        (json!({"what": "emails"}), vec![page(&[mail("1", "a\u{202E}")], "deltaLink", INBOX)]),
        (
            json!({"what": "emails", "id": "AA/k="}),
            vec![page(&[], "deltaLink", "/me/mailFolders/AA%2Fk=/messages/delta?$deltatoken=x")],
        ),
        (start, vec![zone.clone(), page(&[event], "deltaLink", "/me/calendarView/delta?$deltatoken=x")]),
        (other, vec![zone.clone(), page(&[], "deltaLink", "/me/calendars('C')/calendarView/delta?$deltatoken=x")]),
        (
            json!({"what": "files"}),
            vec![page(&[root, file], "deltaLink", "/drives('b!d')/root/microsoft.graph.delta(token='x')")],
        ),
        (
            json!({"what": "files", "id": "b!d"}),
            vec![page(&[], "deltaLink", "/drives/b!d/root/delta(token='x')?$top=5")],
        ),
        (
            json!({"what": "tasks", "id": "L/1"}),
            vec![zone, page(&tasks, "deltaLink", "/me/todo/lists/L/tasks/delta?$deltatoken=x")],
        ),
        (json!({"what": "contacts"}), vec![page(&[contact], "deltaLink", "/me/contacts/delta?$deltatoken=x")]),
    ] {
        let desk = Desk::answering(&answers);
        let mut answer = desk.call("getChanges", arguments.clone()).await;
        assert!(answer["nextCursor"].take().is_string());
        all.push(json!({"arguments": arguments, "requests": desk.wire(), "answer": answer}));
    }
    snapshot("get_changes", &Value::Array(all));
}

#[tokio::test(flavor = "current_thread")]
async fn a_round_goes_on_from_graphs_own_link_and_merges_what_comes_again() {
    let desk = Desk::new();
    let next = "/me/mailFolders('inbox')/messages/delta?$skiptoken=s";
    let mut bare = mail("3", "c");
    bare["from"] = Value::Null;
    bare["emailAddresses"] = Value::Null;
    desk.answer(&page(&[mail("1", "a"), mail("2", "b"), bare], "nextLink", next));
    desk.answer(&page(&[], "nextLink", next));
    desk.answer(&page(&[mail("1", "new"), json!({"id": "2", "@removed": {"reason": "deleted"}})], "deltaLink", INBOX));
    let first = desk.call("getChanges", json!({"what": "emails"})).await;
    let titles: Vec<_> =
        first["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap()).collect();
    assert_eq!((titles, &first["removed"], &first["truncated"]), (vec!["c", "new"], &json!(["2"]), &json!(false)));
    assert_eq!(desk.asked()[1], format!("GET {next}"));
    desk.answer(&page(&[], "deltaLink", INBOX));
    let later = desk.call("getChanges", json!({"what": "emails", "cursor": first["nextCursor"]})).await;
    assert_eq!((later["items"].as_array().unwrap().len(), later.get("reset")), (0, None));
    assert_eq!(desk.asked()[3], format!("GET {INBOX}"));
    assert!(desk.wire()[3]["headers"][0].as_str().unwrap().contains("ImmutableId"));
}

#[tokio::test(flavor = "current_thread")]
async fn an_occurrence_has_the_name_of_its_series_which_has_no_time_of_its_own() {
    let at = |day: &str| json!({"dateTime": format!("{day}T09:00:00.0000000"), "timeZone": "UTC"});
    let of = |id: &str, series: &str, day: &str| json!({"id": id, "type": "occurrence", "seriesMasterId": series, "start": at(day), "end": at(day)});
    let master = json!({"id": "S/1", "type": "seriesMaster", "seriesMasterId": null, "subject": "Stand\u{202E}-up",
        "start": at("2019-01-07"), "end": at("2019-01-07")});
    let exception = json!({"id": "x", "type": "exception", "seriesMasterId": "S/2", "subject": "Moved",
        "start": at("2026-03-05"), "end": at("2026-03-05")});
    let came =
        [master, of("a", "S/1", "2026-03-02"), of("b", "S/2", "2026-03-03"), of("c", "S/2", "2026-03-04"), exception];
    let desk = Desk::new();
    desk.answer(&json!({"timeZone": "UTC"}));
    desk.answer(&page(&came, "deltaLink", "/me/calendarView/delta?$deltatoken=x"));
    desk.answer(&json!({"id": "S/2", "subject": "Review"}));
    let arguments = json!({"what": "events", "start": "2026-03-02T00:00:00Z", "end": "2026-03-09T00:00:00Z"});
    let items = desk.call("getChanges", arguments.clone()).await["items"].clone();
    assert_eq!(items[0], json!({"id": "S/1", "title": "Stand-up", "series": true}), "its time is that of 2019");
    let titles: Vec<_> = items.as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Stand-up", "Stand-up", "Review", "Review", "Moved"]);
    assert_eq!(items[1]["start"], "2026-03-02T09:00:00");
    let asked = desk.asked();
    assert_eq!((asked.len(), asked[2].as_str()), (3, "GET /me/events/S%2F2?$select=subject"), "each series once");
    // A series that nobody may see takes nothing from the rest.
    let desk = Desk::new();
    desk.answer(&json!({"timeZone": "UTC"}));
    desk.answer(&page(&came, "deltaLink", "/me/calendarView/delta?$deltatoken=x"));
    desk.refuse(404, "ErrorItemNotFound");
    let items = desk.call("getChanges", arguments).await["items"].clone();
    assert_eq!((items.as_array().unwrap().len(), items[2].get("title")), (5, None));
}

#[tokio::test(flavor = "current_thread")]
async fn a_state_that_graph_forgot_starts_again_and_that_is_said() {
    for (status, code) in [(410, "Gone"), (400, "syncStateNotFound"), (400, "resyncRequired")] {
        let desk = Desk::new();
        desk.answer(&page(&[], "deltaLink", "/me/drive/root/delta?token=x"));
        let first = desk.call("getChanges", json!({"what": "files"})).await;
        desk.refuse(status, code);
        desk.answer(&page(&[json!({"id": "f", "name": "a"})], "deltaLink", "/me/drive/root/delta?token=y"));
        let answer = desk.call("getChanges", json!({"what": "files", "cursor": first["nextCursor"]})).await;
        assert_eq!((&answer["reset"], &answer["items"][0]["id"]), (&json!(true), &json!("f")), "{code}");
        let asked = desk.asked();
        assert!(asked[0].ends_with("&token=latest"), "{asked:?}");
        // The whole, not from now: what happened in between must not be lost.
        assert!(asked[2].starts_with("GET /me/drive/root/delta?$select=") && !asked[2].contains("token"), "{asked:?}");
    }
    let desk = Desk::new();
    desk.refuse(410, "Gone").refuse(410, "Gone");
    assert_eq!(desk.error("getChanges", json!({"what": "contacts"})).await["code"], "Gone");
    assert_eq!(desk.asked().len(), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn a_link_elsewhere_is_neither_followed_nor_handed_out() {
    for link in [
        "https://graph.microsoft.com.evil.example/v1.0/me/contacts/delta?x",
        "https://graph.microsoft.com/beta/me/contacts/delta?x",
        "/me/messages",
        "/me/contacts",
        "/me/contacts/delta/x",
        "/users/00000000-0000-4000-8000-000000000009/contacts/delta?x",
        "/me/../contacts/delta",
        "/me/contacts/delta?x#y",
    ] {
        let desk = Desk::new();
        desk.answer(&page(&[], "nextLink", link));
        assert_eq!(desk.error("getChanges", json!({"what": "contacts"})).await["code"], "ForeignNextLink", "{link}");
        assert_eq!(desk.asked().len(), 1, "{link}");
    }
    let desk = Desk::new();
    assert_eq!(
        desk.answer(&json!({"value": []})).error("getChanges", json!({"what": "contacts"})).await["code"],
        "ForeignNextLink"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_cursor_is_of_one_user_one_kind_and_its_own_places() {
    let mut desk = Desk::new();
    desk.answer(&page(&[], "deltaLink", INBOX));
    let cursor = desk.call("getChanges", json!({"what": "emails"})).await["nextCursor"].clone();
    let refused = async |desk: &Desk, arguments: Value, argument: &str| {
        let report = desk.error("getChanges", arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
    };
    refused(&desk, json!({"what": "files", "cursor": cursor}), "what").await;
    refused(&desk, json!({"what": "emails", "cursor": "AAAA"}), "cursor").await;
    // Sealed by this server, but to where this tool does not read.
    let key = desk.config.keys.encryption.cursors.current.clone();
    for link in ["/me/sendMail", "/me/contacts/delta", "/me/mailFolders/%2e%2e/messages/delta", "//evil.example/delta"]
    {
        let place = json!({"what": "emails", "link": link, "whole": link, "other_drive": false, "zone": null});
        let bound = format!("{}\ngetChanges", desk.caller.user);
        let sealed = key.seal(&*desk.platform.random, bound.as_bytes(), place.to_string().as_bytes()).unwrap();
        refused(&desk, json!({"what": "emails", "cursor": crypto::encode(&sealed)}), "cursor").await;
    }
    desk.caller.user.oid = Uuid::from_u128(77);
    refused(&desk, json!({"what": "emails", "cursor": cursor}), "cursor").await;
    assert_eq!(desk.asked().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn each_kind_needs_its_own_scope() {
    let range = json!({"what": "events", "start": "2026-03-02T00:00:00Z", "end": "2026-03-09T00:00:00Z"});
    for (arguments, missing) in [
        (json!({"what": "emails"}), "Mail.Read"),
        (range, "Calendars.Read"),
        (json!({"what": "files"}), "Files.Read"),
        (json!({"what": "files", "id": "b!d"}), "Files.Read.All"),
        (json!({"what": "contacts"}), "Contacts.Read"),
    ] {
        let desk = Desk::granted("Tasks.Read");
        assert_eq!(desk.error("getChanges", arguments).await["missingScope"], missing);
        assert!(desk.asked().is_empty());
    }
    let desk = Desk::granted("Mail.Read");
    assert_eq!(desk.error("getChanges", json!({"what": "tasks", "id": "L"})).await["missingScope"], "Tasks.Read");
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    let events = |start: &str, end: &str| json!({"what": "events", "start": start, "end": end});
    for (argument, arguments) in [
        ("what", json!({})),
        ("what", json!({"what": "notes"})),
        ("id", json!({"what": "emails", "id": "../x"})),
        ("id", json!({"what": "tasks"})),
        ("id", json!({"what": "contacts", "id": "x"})),
        ("start", json!({"what": "events"})),
        ("end", json!({"what": "events", "start": "2026-03-02T00:00:00Z"})),
        ("start", events("2026-03-02T00:00:00", "2026-03-03T00:00:00Z")),
        ("end", events("2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z")),
        ("start", json!({"what": "emails", "start": "2026-03-02T00:00:00Z"})),
        ("end", json!({"what": "files", "end": "2026-03-02T00:00:00Z"})),
    ] {
        let desk = Desk::new();
        let report = desk.error("getChanges", arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(desk.asked().is_empty(), "{argument}");
    }
}
