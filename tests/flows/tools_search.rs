//! One search across everything.

use serde_json::{Value, json};
use uuid::Uuid;

use super::tools_fake::{Desk, snapshot};

fn hits(list: &[Value], more: bool) -> Value {
    json!({"value": [{"hitsContainers": [{"hits": list, "total": 40, "moreResultsAvailable": more}]}]})
}

fn mail() -> Value {
    json!({"hitId": "AA/b+c=", "summary": "the <c0>budget</c0><ddd/>\u{202E} &amp; more", "resource": {
        "@odata.type": "#microsoft.graph.message", "subject": "Budget", "receivedDateTime": "2026-03-02T08:00:00Z",
        "from": {"emailAddress": {"name": "Bo", "address": "bo@contoso.example"}}, "webLink": "https://outlook.example/1"}})
}

fn file() -> Value {
    json!({"hitId": "01F", "summary": "", "resource": {"@odata.type": "#microsoft.graph.driveItem", "id": "01F",
        "name": "Budget.xlsx", "lastModifiedDateTime": "2026-03-01T08:00:00Z", "webUrl": "javascript:alert(1)",
        "lastModifiedBy": {"user": {"displayName": "Di"}}, "parentReference": {"driveId": "b!d", "siteId": "s"}}})
}

fn event() -> Value {
    json!({"hitId": "AAe", "resource": {"@odata.type": "#microsoft.graph.event", "subject": "Sync", "bodyPreview": "Agenda",
        "start": {"dateTime": "2026-03-02T08:00:00.0000000", "timeZone": "UTC"},
        "organizer": {"emailAddress": {"name": "Di", "address": "di@contoso.example"}}}})
}

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let mut all = Vec::new();
    let desk = Desk::new();
    let part = |id: &str, body: Value| json!({"id": id, "status": 200, "body": body});
    desk.answer(&json!({"responses": [
        part("2", hits(&[file()], false)), part("0", hits(&[mail()], true)), part("1", hits(&[event()], false)),
        {"id": "3", "status": 403, "body": {"error": {"code": "Forbidden"}}},
    ]}));
    let arguments = json!({"query": "budget"});
    let mut answer = desk.call("searchContent", arguments.clone()).await;
    let cursor = answer["nextCursor"].take();
    all.push(json!({"arguments": arguments, "requests": desk.wire(), "answer": answer}));

    desk.graph.seen.borrow_mut().clear();
    let next = desk.answer(&hits(&[], false)).call("searchContent", json!({"query": "budget", "cursor": cursor})).await;
    assert_eq!((&next["truncated"], next.get("nextCursor")), (&json!(false), None));
    all.push(json!({"next page": desk.wire(), "answer": next}));

    let desk = Desk::new();
    let arguments = json!({"query": "a\" OR b", "types": ["site", "driveItem", "site"], "count": 25});
    desk.answer(&hits(&[file()], false)).call("searchContent", arguments.clone()).await;
    all.push(json!({"arguments": arguments, "requests": desk.wire()}));
    snapshot("search_content", &Value::Array(all));
}

#[tokio::test(flavor = "current_thread")]
async fn a_kind_without_its_permission_is_named_and_the_others_are_searched() {
    let desk = Desk::granted("Mail.ReadWrite");
    let answer = desk.answer(&hits(&[mail()], false)).call("searchContent", json!({"query": "x"})).await;
    let skipped: Vec<_> =
        answer["skipped"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(skipped, ["event", "driveItem", "site", "listItem", "chatMessage"]);
    assert_eq!(answer["skipped"][4]["missingScope"], "Chat.Read");
    assert_eq!(desk.wire()[0]["body"]["requests"][0]["entityTypes"], json!(["message"]));
    let report = desk.error("searchContent", json!({"query": "x", "types": ["event", "chatMessage"]})).await;
    assert_eq!((&report["missingScope"], desk.asked().len()), (&json!("Calendars.Read"), 1));
}

#[tokio::test(flavor = "current_thread")]
async fn the_one_group_that_fails_is_an_error() {
    let desk = Desk::new();
    desk.refuse(429, "TooManyRequests");
    let report = desk.error("searchContent", json!({"query": "x", "types": ["message"]})).await;
    assert_eq!((&report["code"], &report["retryable"]), (&json!("TooManyRequests"), &json!(true)));
}

#[tokio::test(flavor = "current_thread")]
async fn a_personal_account_is_told_what_it_has_instead() {
    let mut desk = Desk::new();
    desk.caller.user.tid = Uuid::parse_str("9188040d-6c67-4c5b-b112-36a304b66dad").unwrap();
    let report = desk.error("searchContent", json!({"query": "x"})).await;
    assert_eq!(report["code"], "workAccountOnly");
    assert!(report["hint"].as_str().unwrap().contains("searchEmails"), "{report}");
    assert!(desk.asked().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_cursor_is_of_one_user_one_query_and_what_is_still_allowed() {
    let mut desk = Desk::new();
    let first = json!({"query": "x", "types": ["message"]});
    let answer = desk.answer(&hits(&[mail()], true)).call("searchContent", first).await;
    let cursor = answer["nextCursor"].clone();
    let report = desk.error("searchContent", json!({"query": "y", "cursor": cursor})).await;
    assert!(report["message"].as_str().unwrap().starts_with("query: "), "{report}");
    let report = desk.error("getChanges", json!({"what": "emails", "cursor": cursor})).await;
    assert!(report["message"].as_str().unwrap().starts_with("cursor: "), "{report}");
    desk.caller.scopes = crate::identity::ScopeSet::parse_known("Calendars.Read");
    let report = desk.error("searchContent", json!({"query": "x", "cursor": cursor})).await;
    assert_eq!(report["missingScope"], "Mail.Read");
    desk.caller.scopes = desk.caller.granted;
    desk.caller.user.oid = Uuid::from_u128(77);
    let report = desk.error("searchContent", json!({"query": "x", "cursor": cursor})).await;
    assert!(report["message"].as_str().unwrap().starts_with("cursor: "), "{report}");
    assert_eq!(desk.asked().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    for (argument, arguments) in [
        ("query", json!({})),
        ("query", json!({"query": " "})),
        ("query", json!({"query": "a\nb"})),
        ("query", json!({"query": "x".repeat(1001)})),
        ("types", json!({"query": "x", "types": []})),
        ("types[0]", json!({"query": "x", "types": ["person"]})),
        ("count", json!({"query": "x", "count": 26})),
        ("cursor", json!({"query": "x", "cursor": "AAAA"})),
    ] {
        let desk = Desk::new();
        let report = desk.error("searchContent", arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(desk.asked().is_empty(), "{argument}");
    }
}
