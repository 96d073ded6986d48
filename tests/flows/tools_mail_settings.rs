//! The settings of the mailbox.

use serde_json::{Value, json};

use super::tools_fake::{Desk, snapshot};

fn settings() -> Value {
    json!({
        "timeZone": "W. Europe Standard Time",
        "workingHours": {"daysOfWeek": ["monday"], "startTime": "08:00:00.0000000", "endTime": "17:00:00.0000000",
            "timeZone": {"name": "W. Europe Standard Time"}},
        "automaticRepliesSetting": {"status": "scheduled", "externalAudience": "none",
            "scheduledStartDateTime": {"dateTime": "2026-03-02T00:00:00.0000000", "timeZone": "UTC"},
            "scheduledEndDateTime": {"dateTime": "2026-03-09T00:00:00.0000000", "timeZone": "UTC"},
            "internalReplyMessage": "<p>Away\u{202E}</p>", "externalReplyMessage": ""},
    })
}

fn parts(settings: &Value) -> Value {
    let rule = json!({"id": "R1", "displayName": "News", "isEnabled": true, "sequence": 1, "exceptions": null,
        "conditions": {"senderContains": ["news@tailspin.example"], "subjectContains": null},
        "actions": {"moveToFolder": "AQMk=", "stopProcessingRules": true}});
    json!({"responses": [
        {"id": "2", "status": 200, "body": {"value": [rule]}},
        {"id": "1", "status": 200, "body": {"value": [{"displayName": "Blue category"}]}},
        {"id": "0", "status": 200, "body": settings},
    ]})
}

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let desk = Desk::new();
    desk.answer(&parts(&settings()));
    let answer = desk.call("getMailboxSettings", json!({})).await;
    snapshot("get_mailbox_settings", &json!({"requests": desk.wire(), "answer": answer}));
}

#[tokio::test(flavor = "current_thread")]
async fn half_the_settings_are_none() {
    let desk = Desk::new();
    let mut answers = parts(&settings());
    answers["responses"][0] = json!({"id": "2", "status": 403, "body": {"error": {"code": "ErrorAccessDenied"}}});
    desk.answer(&answers);
    assert_eq!(desk.error("getMailboxSettings", json!({})).await["source"], "graph");
}

#[tokio::test(flavor = "current_thread")]
async fn a_missing_scope_or_an_argument_too_many_is_said_before_anything_leaves() {
    let desk = Desk::granted("Mail.Read");
    assert_eq!(desk.error("getMailboxSettings", json!({})).await["missingScope"], "MailboxSettings.Read");
    assert!(desk.asked().is_empty());
    let desk = Desk::new();
    let report = desk.error("getMailboxSettings", json!({"mailbox": "x"})).await;
    assert!(report["message"].as_str().unwrap().starts_with("mailbox: "), "{report}");
}
