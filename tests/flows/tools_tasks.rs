//! To Do and Planner: what is asked of Graph, what a task looks like, and what is never done twice.

use serde_json::{Value, json};
use uuid::Uuid;

use super::tools_fake::{Desk, exchanges, snapshot};

const ZONE: &str = "W. Europe Standard Time";
const BO: &str = "b0000000-0000-4000-8000-000000000002";
const CY: &str = "c0000000-0000-4000-8000-000000000003";

fn zone() -> Value {
    json!({ "timeZone": ZONE })
}

fn lists() -> Value {
    json!({"value": [{"id": "L/1", "displayName": "Tasks\u{202E}", "wellknownListName": "defaultList"},
        {"id": "L2", "displayName": "Groceries", "wellknownListName": "none", "isShared": true}]})
}

fn todo(id: &str, due: Option<&str>) -> Value {
    let due = due.map(|day| json!({"dateTime": format!("{day}T00:00:00.0000000"), "timeZone": ZONE}));
    json!({"id": id, "title": "Send\u{200B} it", "status": "notStarted", "importance": "high", "isReminderOn": true,
        "reminderDateTime": {"dateTime": "2026-03-01T07:00:00.0000000", "timeZone": "UTC"}, "dueDateTime": due,
        "body": {"contentType": "html", "content": format!("<p>{}</p><script>x</script>", "long ".repeat(100))}})
}

fn planned(id: &str, percent: u8) -> Value {
    json!({"@odata.etag": "W/\"1\"", "id": id, "planId": "P", "bucketId": "B", "title": "Order", "percentComplete": percent,
        "priority": 1, "dueDateTime": "2026-03-02T10:00:00Z", "hasDescription": true,
        "assignments": {BO: {"orderHint": "x"}, "@odata.type": "y"}})
}

fn batch(parts: &[Value]) -> Value {
    let parts = parts.iter().zip(0..).map(|(body, id)| json!({"id": id.to_string(), "status": 200, "body": body}));
    json!({"responses": parts.collect::<Vec<_>>()})
}

#[tokio::test(flavor = "current_thread")]
async fn reading_is_as_stored() {
    let page = json!({"value": [todo("T1", Some("2026-03-02"))]});
    let details =
        json!({"id": "T", "description": "a\u{202E}b", "checklist": {"1": {"title": "Quote", "isChecked": true}}});
    let steps = json!({"value": [{"displayName": "Check"}]});
    let everywhere = batch(&[
        json!({"value": [todo("T1", None), todo("T2", Some("2026-03-04"))]}),
        json!({"value": [todo("T3", Some("2026-03-02"))], "@odata.nextLink": "https://graph.microsoft.com/v1.0/me/todo/lists/L2/tasks?$skip=2"}),
    ]);
    let calls = [
        (json!({"count": 2}), vec![zone(), lists(), everywhere]),
        (json!({"listId": "L/1", "completed": true, "count": 100}), vec![zone(), page]),
        (json!({"listId": "L/1", "id": "T=1"}), vec![zone(), batch(&[todo("T=1", None), steps])]),
        (json!({"lists": true}), vec![lists()]),
        (
            json!({"source": "planner"}),
            vec![json!({"value": [planned("T1", 100), planned("T2", 50), planned("T3", 0)]})],
        ),
        (
            json!({"source": "planner", "listId": "P/1", "completed": true}),
            vec![json!({"value": [planned("T1", 100), planned("T2", 50)]})],
        ),
        (json!({"source": "planner", "id": "T"}), vec![batch(&[planned("T", 50), details])]),
        (json!({"source": "planner", "lists": true}), vec![json!({"value": [{"id": "P", "title": "Launch"}]})]),
        (
            json!({"source": "planner", "lists": true, "listId": "P"}),
            vec![json!({"value": [{"id": "B", "name": "Later"}]})],
        ),
    ];
    snapshot("get_tasks", &exchanges("getTasks", &calls).await);
}

#[tokio::test(flavor = "current_thread")]
async fn steps_that_are_left_out_are_said_to_be() {
    let next = "https://graph.microsoft.com/v1.0/me/todo/lists/L/tasks/T/checklistItems?$skip=1";
    for (next, truncated) in [(json!(next), true), (json!(null), false)] {
        let steps = json!({"value": [{"displayName": "Check"}], "@odata.nextLink": next});
        let desk = Desk::answering(&[zone(), batch(&[todo("T", None), steps])]);
        let answer = desk.call("getTasks", json!({"listId": "L", "id": "T"})).await;
        assert_eq!(answer["truncated"], truncated);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn what_planner_cannot_filter_is_left_out_here_and_the_cursor_knows_where_it_was() {
    let desk = Desk::new();
    let all: Vec<_> = (0..9).map(|at| planned(&format!("T{at}"), if at % 3 == 0 { 100 } else { 0 })).collect();
    desk.answer(&json!({ "value": all })).answer(&json!({ "value": all })).answer(&json!({ "value": all }));
    let (mut cursor, mut seen) = (Value::Null, Vec::new());
    for _ in 0..3 {
        let page = desk.call("getTasks", json!({"source": "planner", "count": 2, "cursor": cursor})).await;
        seen.extend(page["tasks"].as_array().unwrap().iter().map(|task| task["id"].as_str().unwrap().to_owned()));
        cursor = page["nextCursor"].clone();
        assert_eq!(page["truncated"], json!(!cursor.is_null()));
    }
    assert_eq!((seen, cursor), (["T1", "T2", "T4", "T5", "T7", "T8"].map(str::to_owned).to_vec(), Value::Null));
}

#[tokio::test(flavor = "current_thread")]
async fn saving_is_as_stored() {
    let made = || json!({"id": "T", "@odata.etag": "W/\"1\""});
    let full = json!({"listId": "L/1", "id": "T=", "title": "Send", "notes": "a\nb", "due": "2026-03-02T23:30:00-08:00",
        "reminder": "2026-03-01T09:00:00", "done": true, "importance": "low"});
    let planner = json!({"source": "planner", "listId": "P", "title": "Order", "notes": "n", "due": "2026-03-02",
        "importance": "high", "assignees": [BO], "bucketId": "B", "idempotencyKey": "k"});
    let change = json!({"source": "planner", "id": "T", "title": "Order", "notes": "", "due": "", "done": false,
        "importance": "normal", "assignees": [CY]});
    let calls = [
        (json!({"title": "Send"}), vec![lists(), made()]),
        (full, vec![zone()]),
        (json!({"listId": "L", "id": "T", "due": "", "reminder": "", "notes": "", "done": false}), vec![]),
        (
            json!({"listId": "L", "title": "x", "reminder": "2026-03-01T09:00:00+01:00", "idempotencyKey": "k"}),
            vec![made()],
        ),
        (json!({"source": "planner", "listId": "P", "title": "Order"}), vec![made()]),
        (planner, vec![made(), made()]),
        (change, vec![planned("T", 0), json!({}), made()]),
    ];
    snapshot("save_task", &exchanges("saveTask", &calls).await);
}

#[tokio::test(flavor = "current_thread")]
async fn a_task_that_somebody_changed_in_between_is_read_once_more_and_no_oftener() {
    for (refused, succeeds) in [(1, true), (2, false)] {
        let desk = Desk::new();
        for at in 0..refused {
            desk.answer(&json!({"id": "T", "@odata.etag": format!("W/\"{at}\"")})).refuse(412, "PreconditionFailed");
        }
        desk.answer(&json!({"id": "T", "@odata.etag": "W/\"9\""}));
        let arguments = json!({"source": "planner", "id": "T", "done": true});
        if succeeds {
            assert_eq!(desk.call("saveTask", arguments).await["status"], "changed");
            assert_eq!(desk.wire()[3]["headers"][0], "if-match: W/\"9\"");
        } else {
            let report = desk.error("saveTask", arguments).await;
            assert!(report["hint"].as_str().unwrap().contains("changed meanwhile"), "{report}");
        }
        assert_eq!(desk.asked().len(), 4);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn planner_is_never_written_without_an_etag() {
    for (name, arguments) in [
        ("saveTask", json!({"source": "planner", "id": "T", "done": true})),
        ("deleteTask", json!({"source": "planner", "id": "T"})),
    ] {
        let desk = Desk::new();
        desk.error(name, arguments).await;
        assert_eq!(desk.asked(), ["GET /planner/tasks/T"]);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_task_is_created_once_for_a_key_and_never_again_after_doubt() {
    let arguments = json!({"listId": "L", "title": "x", "idempotencyKey": "k"});
    let desk = Desk::new();
    desk.answer(&json!({"id": "T"}));
    assert_eq!(desk.call("saveTask", arguments.clone()).await["id"], "T");
    let again = desk.call("saveTask", arguments.clone()).await;
    assert_eq!((&again["status"], again.get("id")), (&json!("created"), None));
    assert!(again["note"].as_str().unwrap().contains("earlier call"));
    let other = desk.error("saveTask", json!({"listId": "L", "title": "y", "idempotencyKey": "k"})).await;
    assert!(other["message"].as_str().unwrap().starts_with("idempotencyKey: "), "{other}");
    assert_eq!(desk.asked().len(), 1);
    let desk = Desk::new();
    desk.doubt();
    for _ in 0..2 {
        let report = desk.error("saveTask", arguments.clone()).await;
        assert_eq!((&report["mayHaveActed"], &report["retryable"]), (&json!(true), &json!(false)));
        assert!(report["hint"].as_str().unwrap().contains("List what is there"), "{report}");
    }
    assert_eq!(desk.asked().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn notes_that_fail_do_not_make_a_new_task_look_unmade() {
    let desk = Desk::new();
    desk.answer(&json!({"id": "T"})).refuse(503, "ServiceUnavailable");
    let answer = desk.call("saveTask", json!({"source": "planner", "listId": "P", "title": "x", "notes": "n"})).await;
    assert_eq!((&answer["status"], &answer["id"]), (&json!("created"), &json!("T")));
    assert!(answer["note"].as_str().unwrap().contains("could not be written"), "{answer}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_dry_run_deletes_nothing_and_shows_what_would_go() {
    let calls = [
        (json!({"listId": "L/1", "id": "T=", "dryRun": true}), vec![todo("T=", None)]),
        (json!({"listId": "L/1", "id": "T="}), vec![todo("T=", None)]),
        (json!({"source": "planner", "id": "T", "dryRun": true}), vec![planned("T", 100)]),
        (json!({"source": "planner", "id": "T"}), vec![planned("T", 100)]),
    ];
    snapshot("delete_task", &exchanges("deleteTask", &calls).await);
}

#[tokio::test(flavor = "current_thread")]
async fn a_personal_account_is_told_that_it_has_no_planner() {
    let mut desk = Desk::new();
    desk.caller.user.tid = Uuid::parse_str("9188040d-6c67-4c5b-b112-36a304b66dad").unwrap();
    for (name, arguments) in [
        ("getTasks", json!({"source": "planner"})),
        ("saveTask", json!({"source": "planner", "listId": "P", "title": "x"})),
        ("deleteTask", json!({"source": "planner", "id": "T"})),
    ] {
        let report = desk.error(name, arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with("source: Planner is for work"), "{report}");
    }
    assert!(desk.asked().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    let planner = |more: Value| {
        let mut arguments = json!({"source": "planner", "id": "T"});
        arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        arguments
    };
    let many: Vec<_> = (0..12).map(|_| BO).collect();
    for (name, argument, arguments) in [
        ("getTasks", "count", json!({"count": 101})),
        ("getTasks", "listId", json!({"listId": "../x"})),
        ("getTasks", "listId", json!({"id": "T"})),
        ("getTasks", "listId", json!({"lists": true, "listId": "L"})),
        ("getTasks", "id", json!({"listId": "L", "id": "%2e%2e"})),
        ("getTasks", "source", json!({"source": "outlook"})),
        ("getTasks", "cursor", json!({"source": "planner", "cursor": "abc"})),
        ("saveTask", "title", json!({})),
        ("saveTask", "title", json!({"listId": "L", "title": "a\u{202E}b"})),
        ("saveTask", "arguments", json!({"listId": "L", "id": "T"})),
        ("saveTask", "arguments", planner(json!({}))),
        ("saveTask", "listId", json!({"id": "T", "done": true})),
        ("saveTask", "listId", json!({"source": "planner", "title": "x"})),
        ("saveTask", "listId", planner(json!({"listId": "P", "done": true}))),
        ("saveTask", "id", json!({"listId": "L", "id": "a/../b", "done": true})),
        ("saveTask", "due", json!({"listId": "L", "title": "x", "due": "tomorrow"})),
        ("saveTask", "due", planner(json!({"due": "2026-03-02T09:00:00"}))),
        ("saveTask", "reminder", json!({"listId": "L", "title": "x", "reminder": "2026-03-02"})),
        ("saveTask", "reminder", planner(json!({"reminder": "2026-03-02T09:00:00Z"}))),
        ("saveTask", "assignees", json!({"listId": "L", "title": "x", "assignees": [BO]})),
        ("saveTask", "assignees", planner(json!({"assignees": ["Bo Berg"]}))),
        ("saveTask", "assignees", planner(json!({"assignees": many}))),
        ("saveTask", "bucketId", json!({"listId": "L", "title": "x", "bucketId": "B"})),
        ("saveTask", "bucketId", planner(json!({"bucketId": ".."}))),
        ("saveTask", "notes", json!({"listId": "L", "title": "x", "notes": "a\u{0}"})),
        ("saveTask", "notes", json!({"listId": "L", "title": "x", "notes": "a".repeat(30_001)})),
        ("saveTask", "idempotencyKey", json!({"title": "x", "idempotencyKey": " "})),
        ("deleteTask", "listId", json!({"id": "T"})),
        ("deleteTask", "listId", planner(json!({"listId": "P"}))),
        ("deleteTask", "id", json!({"listId": "L", "id": "../x"})),
    ] {
        let desk = Desk::new();
        let report = desk.error(name, arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(report["hint"].as_str().unwrap().contains("Arguments that work: {"), "{report}");
        assert!(desk.asked().is_empty(), "{argument}: {:?}", desk.asked());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_local_reminder_is_never_guessed_where_the_zone_is_not_known() {
    let desk = Desk::granted("Tasks.ReadWrite");
    let report = desk.error("saveTask", json!({"listId": "L", "title": "x", "reminder": "2026-03-02T09:00:00"})).await;
    assert!(report["message"].as_str().unwrap().contains("give an offset"), "{report}");
    assert!(desk.asked().is_empty());
    // A day is the same day without it.
    desk.call("saveTask", json!({"listId": "L", "title": "x", "due": "2026-03-02"})).await;
    let body = &desk.wire()[0]["body"];
    assert_eq!(body["dueDateTime"], json!({"dateTime": "2026-03-02T00:00:00", "timeZone": "UTC"}));
}

#[tokio::test(flavor = "current_thread")]
async fn one_list_that_fails_does_not_hide_the_others() {
    let desk = Desk::granted("Tasks.Read");
    let parts = json!({"responses": [{"id": "0", "status": 503, "body": {"error": {}}},
        {"id": "1", "status": 200, "body": {"value": [todo("T", None)]}}]});
    let answer = { desk.answer(&lists()).answer(&parts) }.call("getTasks", json!({})).await;
    assert_eq!((&answer["tasks"][0]["id"], &answer["failed"][0]["listId"]), (&json!("T"), &json!("L/1")));
}
