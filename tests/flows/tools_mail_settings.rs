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

fn changes() -> Vec<Value> {
    let scheduled = json!({"status": "scheduled", "start": "2026-03-02T00:00:00+01:00", "end": "2026-03-09T00:00:00+01:00",
        "internal": "<p>Away</p>", "external": "Away"});
    let rule = json!({"name": "Vendors", "from": ["billing@wideworld.example"], "subjectContains": ["invoice"],
        "moveTo": "AQMk=", "markRead": true, "stop": true});
    vec![
        json!({"autoReply": {"status": "disabled"}}),
        json!({"autoReply": {"status": "alwaysEnabled", "internal": "Away"}}),
        json!({"autoReply": scheduled}),
        json!({"timezone": "Europe/Berlin"}),
        json!({"addCategory": "Green"}),
        json!({"rule": rule}),
        json!({"rule": {"id": "R/1=", "markRead": false}}),
        json!({"rule": {"id": "R1", "delete": true}}),
    ]
}

#[tokio::test(flavor = "current_thread")]
async fn changes_are_as_stored() {
    let mut all = Vec::new();
    for arguments in changes() {
        let desk = Desk::new();
        desk.call("updateMailboxSettings", arguments.clone()).await;
        all.push(json!({"arguments": arguments, "requests": desk.wire()}));
    }
    snapshot("update_mailbox_settings", &Value::Array(all));
}

#[tokio::test(flavor = "current_thread")]
async fn a_dry_run_changes_no_setting() {
    for mut arguments in changes() {
        let desk = Desk::new();
        arguments["dryRun"] = json!(true);
        assert_eq!(desk.call("updateMailboxSettings", arguments).await["status"], "dryRun");
        assert!(desk.asked().iter().all(|asked| asked.starts_with("GET ")), "{:?}", desk.asked());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_lines_of_a_plain_reply_stay_lines() {
    for (text, sent) in [
        ("Hello,\nI am away: 3 < 4 & so on", "Hello,<br>I am away: 3 &lt; 4 &amp; so on"),
        ("<p>Hello,\nworld</p>", "<p>Hello,\nworld</p>"),
    ] {
        let desk = Desk::new();
        let reply = json!({"status": "alwaysEnabled", "internal": text, "external": text});
        desk.call("updateMailboxSettings", json!({"autoReply": reply})).await;
        let setting = desk.wire()[0]["body"]["automaticRepliesSetting"].clone();
        assert_eq!((&setting["internalReplyMessage"], &setting["externalReplyMessage"]), (&json!(sent), &json!(sent)));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_changed_rule_keeps_its_other_conditions_and_actions() {
    let rule = json!({"id": "R1", "conditions": {"senderContains": ["news@"], "subjectContains": ["old"], "sentToMe": null},
        "actions": {"moveToFolder": "AQMk=", "markAsRead": false}, "exceptions": {"hasAttachments": true}});
    let change = json!({"rule": {"id": "R1", "subjectContains": ["new"], "markRead": true}});
    let desk = Desk::answering(&[rule]);
    desk.call("updateMailboxSettings", change.clone()).await;
    assert_eq!(desk.asked()[0], "GET /me/mailFolders/inbox/messageRules/R1");
    let whole = json!({"conditions": {"senderContains": ["news@"], "subjectContains": ["new"]},
        "actions": {"moveToFolder": "AQMk=", "markAsRead": true}});
    assert_eq!(desk.wire()[1]["body"], whole);
    // Where it cannot be read it is left as it is.
    let desk = Desk::new();
    desk.refuse(503, "ServiceUnavailable");
    desk.error("updateMailboxSettings", change).await;
    assert_eq!(desk.asked().len(), 1);
    let desk = Desk::new();
    desk.call("updateMailboxSettings", json!({"rule": {"id": "R1", "name": "News"}})).await;
    assert_eq!(desk.asked(), ["PATCH /me/mailFolders/inbox/messageRules/R1"]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_new_rule_and_a_new_category_are_told_with_their_ids() {
    for arguments in
        [json!({"addCategory": "Green"}), json!({"rule": {"name": "r", "from": "bo@contoso.example", "stop": true}})]
    {
        let desk = Desk::new();
        desk.answer(&json!({"id": "R1", "displayName": "r"}));
        assert_eq!(desk.call("updateMailboxSettings", arguments).await, json!({"status": "updated", "id": "R1"}));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_new_zone_counts_at_once() {
    let desk = Desk::new();
    let zone = |name: &str| json!({ "timeZone": name });
    desk.answer(&zone("UTC")).answer(&json!({"value": []}));
    assert_eq!(desk.call("getCalendarEvents", json!({})).await["zone"], "UTC");
    desk.answer(&json!({}));
    desk.call("updateMailboxSettings", json!({"timezone": "Europe/Berlin"})).await;
    desk.answer(&zone("Europe/Berlin")).answer(&json!({"value": []}));
    assert_eq!(desk.call("getCalendarEvents", json!({})).await["zone"], "Europe/Berlin");
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_change_is_refused_before_anything_leaves() {
    let late =
        json!({"status": "scheduled", "start": "2026-03-09T00:00Z", "end": "2026-03-02T00:00Z", "internal": "x"});
    for (argument, arguments) in [
        ("autoReply", json!({})),
        ("autoReply", json!({"timezone": "UTC", "addCategory": "x"})),
        ("autoReply.internal", json!({"autoReply": {"status": "alwaysEnabled"}})),
        ("autoReply.start", json!({"autoReply": {"status": "scheduled", "internal": "x"}})),
        ("autoReply.start", json!({"autoReply": {"status": "disabled", "start": "2026-03-09T00:00Z"}})),
        ("autoReply.end", json!({"autoReply": late})),
        ("timezone", json!({"timezone": "x\", IdType=\"y"})),
        ("addCategory", json!({"addCategory": "a\nb"})),
        ("rule.name", json!({"rule": {"from": "bo@contoso.example", "markRead": true}})),
        ("rule.from", json!({"rule": {"name": "all", "markRead": true}})),
        ("rule.from", json!({"rule": {"name": "all", "from": [], "markRead": true}})),
        ("rule.moveTo", json!({"rule": {"name": "x", "from": "bo@contoso.example"}})),
        ("rule.moveTo", json!({"rule": {"id": "R1", "moveTo": "../x"}})),
        ("rule.subjectContains", json!({"rule": {"id": "R1", "subjectContains": []}})),
        ("rule.id", json!({"rule": {"id": "a/../b", "delete": true}})),
        ("rule.id", json!({"rule": {"delete": true}})),
        ("rule.delete", json!({"rule": {"id": "R1", "delete": true, "name": "x"}})),
        ("rule", json!({"rule": {"id": "R1"}})),
        ("rule.forwardTo", json!({"rule": {"id": "R1", "forwardTo": "eve@fabrikam.example"}})),
    ] {
        let desk = Desk::new();
        let report = desk.error("updateMailboxSettings", arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{argument}: {report}");
        assert!(desk.asked().is_empty());
    }
    let desk = Desk::granted("MailboxSettings.Read");
    let report = desk.error("updateMailboxSettings", json!({"addCategory": "x"})).await;
    assert_eq!(report["missingScope"], "MailboxSettings.ReadWrite");
}
