//! Marking and moving mails, several at once.

use serde_json::json;

use super::tools_fake::{Desk, requests, snapshot};

const ZONE: &str = "W. Europe Standard Time";

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let batch = json!({"id": "a/=", "responses": []});
    let least = json!({"ids": ["a/="], "folder": "archive"});
    let full = json!({"ids": ["a", "b"], "folder": "AQMk/x=", "copy": true, "mailbox": "sales@contoso.example"});
    snapshot("move_emails", &requests("moveEmails", std::slice::from_ref(&batch), &[least, full]).await);
    let least = json!({"ids": ["a/="], "read": true});
    let mut all = requests("updateEmails", std::slice::from_ref(&batch), &[least]).await;
    let full = json!({"ids": ["a", "b"], "read": false, "flag": "flagged", "dueDate": "2026-03-02",
        "categories": ["Blue category"], "importance": "high", "mailbox": "sales@contoso.example"});
    let more = requests("updateEmails", &[json!({"timeZone": ZONE}), batch], &[full]).await;
    all.as_array_mut().unwrap().extend(more.as_array().cloned().unwrap());
    snapshot("update_emails", &all);
}

#[tokio::test(flavor = "current_thread")]
async fn each_mail_has_its_own_outcome() {
    let gone = json!({"id": "0", "status": 404, "body": {"error": {"code": "ErrorItemNotFound", "message": "gone"}}});
    for (tool, arguments, status) in [
        ("moveEmails", json!({"ids": ["a", "b"], "folder": "archive"}), "partly"),
        ("updateEmails", json!({"ids": ["a", "b"], "read": true}), "partly"),
    ] {
        let desk = Desk::new();
        desk.answer(&json!({"responses": [{"id": "1", "status": 200, "body": {"id": "b"}}, gone]}));
        let answer = desk.call(tool, arguments).await;
        assert_eq!((&answer["status"], &answer["ids"]), (&json!(status), &json!(["b"])), "{tool}");
        assert_eq!((&answer["failed"][0]["id"], answer["failed"].as_array().unwrap().len()), (&json!("a"), 1));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_move_may_be_repeated_and_a_copy_may_not() {
    for (copy, repeatable) in [(false, true), (true, false)] {
        let desk = Desk::new();
        desk.doubt();
        let answer = desk.call("moveEmails", json!({"ids": ["a"], "folder": "archive", "copy": copy})).await;
        assert_eq!(answer["status"], "failed");
        let error = &answer["failed"][0]["error"];
        assert_eq!((&error["retryable"], error["mayHaveActed"] == true), (&json!(repeatable), !repeatable), "{error}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn nothing_goes_where_nobody_can_fetch_it_back() {
    for folder in ["recoverableitemspurges", "RecoverableItemsDeletions", "recoverableitemsroot"] {
        let desk = Desk::new();
        let report = desk.error("moveEmails", json!({"ids": ["a"], "folder": folder})).await;
        assert!(report["message"].as_str().unwrap().starts_with("folder: "), "{report}");
        assert!(desk.asked().is_empty());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    let many: Vec<_> = (0..21).map(|number| number.to_string()).collect();
    for (tool, argument, arguments) in [
        ("moveEmails", "ids", json!({"ids": many, "folder": "archive"})),
        ("moveEmails", "ids", json!({"ids": [], "folder": "archive"})),
        ("moveEmails", "ids", json!({"ids": ["a", "a"], "folder": "archive"})),
        ("moveEmails", "ids", json!({"ids": ["a", "../b"], "folder": "archive"})),
        ("moveEmails", "folder", json!({"ids": ["a"], "folder": "a/../b"})),
        ("moveEmails", "folder", json!({"ids": ["a"]})),
        ("updateEmails", "read", json!({"ids": ["a"]})),
        ("updateEmails", "dueDate", json!({"ids": ["a"], "flag": "complete", "dueDate": "2026-03-02"})),
        ("updateEmails", "dueDate", json!({"ids": ["a"], "flag": "flagged", "dueDate": "2026-03-02T09:00"})),
        ("updateEmails", "dueDate", json!({"ids": ["a"], "flag": "flagged", "dueDate": "Monday"})),
        ("updateEmails", "categories", json!({"ids": ["a"], "categories": ["a\nb"]})),
        ("updateEmails", "categories", json!({"ids": ["a"], "categories": vec!["x"; 26]})),
        ("updateEmails", "flag", json!({"ids": ["a"], "flag": "red"})),
        ("updateEmails", "mailbox", json!({"ids": ["a"], "read": true, "mailbox": "nobody"})),
    ] {
        let desk = Desk::new();
        let report = desk.error(tool, arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(desk.asked().is_empty());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn another_mailbox_needs_its_own_scope() {
    for (tool, mut arguments) in [
        ("moveEmails", json!({"ids": ["a"], "folder": "archive"})),
        ("updateEmails", json!({"ids": ["a"], "read": true})),
    ] {
        let desk = Desk::granted("Mail.ReadWrite");
        arguments["mailbox"] = json!("sales@contoso.example");
        assert_eq!(desk.error(tool, arguments).await["missingScope"], "Mail.ReadWrite.Shared");
        assert!(desk.asked().is_empty());
    }
}
