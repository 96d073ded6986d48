//! Presence: others', the own, and setting it.

use serde_json::{Value, json};

use super::tools_fake::{Desk, snapshot};

const ID: &str = "ad000000-0000-4000-8000-000000000001";

fn presence(id: &str) -> Value {
    json!({"id": id, "availability": "Busy", "activity": "InAMeeting", "outOfOfficeSettings": {"isOutOfOffice": false},
        "statusMessage": {"message": {"content": "Back\u{202E} at <b>five</b>", "contentType": "html"},
            "expiryDateTime": {"dateTime": "2026-03-02T17:00:00.0000000", "timeZone": "UTC"}}})
}

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let mut all = Vec::new();
    let desk = Desk::new();
    let own = desk.answer(&presence(ID)).call("getPresence", json!({})).await;
    all.push(json!({"arguments": {}, "requests": desk.wire(), "answer": own}));
    let desk = Desk::new();
    let arguments =
        json!({"users": ["adele@contoso.example", "A1000000-0000-4000-8000-000000000002", "o'x@contoso.example"]});
    desk.answer(&json!({"responses": [
        {"id": "0", "status": 200, "body": {"id": ID}},
        {"id": "1", "status": 404, "body": {"error": {"code": "Request_ResourceNotFound"}}},
    ]}));
    let other = "a1000000-0000-4000-8000-000000000002";
    desk.answer(&json!({"value": [presence(ID), {"id": other, "availability": "Away", "activity": "Away"}]}));
    let answer = desk.call("getPresence", arguments.clone()).await;
    assert_eq!(answer["errors"][0]["user"], "o'x@contoso.example");
    all.push(json!({"arguments": arguments, "requests": desk.wire(), "answer": answer["people"]}));
    snapshot("get_presence", &Value::Array(all));
}

#[tokio::test(flavor = "current_thread")]
async fn setting_requests_are_as_stored() {
    let mut all = Vec::new();
    for arguments in [
        json!({"availability": "Busy"}),
        json!({"availability": "Offline", "statusMessage": "Off until Monday", "until": "2099-03-02T17:00:00+01:00"}),
        json!({"availability": "clear"}),
        json!({"statusMessage": " "}),
        json!({"availability": "Away", "statusMessage": "", "until": "2099-03-02T17:00:00Z"}),
    ] {
        let desk = Desk::new();
        let answer = desk.accept().accept().call("setPresence", arguments.clone()).await;
        all.push(json!({"arguments": arguments, "requests": desk.wire(), "answer": answer}));
    }
    snapshot("set_presence", &Value::Array(all));
}

#[tokio::test(flavor = "current_thread")]
async fn a_presence_ends_when_it_was_said_to_the_minute_and_never_before() {
    let desk = Desk::new();
    let until = desk.ports.clock.now() + 90;
    let until = time::OffsetDateTime::from_unix_timestamp(i64::try_from(until).unwrap()).unwrap();
    let text = until.format(&time::format_description::well_known::Rfc3339).unwrap();
    desk.accept().call("setPresence", json!({"availability": "Busy", "until": text})).await;
    assert_eq!(desk.wire()[0]["body"]["expirationDuration"], "PT2M");
}

#[tokio::test(flavor = "current_thread")]
async fn what_was_set_before_the_other_failed_is_told() {
    let desk = Desk::new();
    desk.accept().refuse(403, "Forbidden");
    let answer = desk.call("setPresence", json!({"availability": "Busy", "statusMessage": "x"})).await;
    assert_eq!((&answer["availability"], &answer["errors"][0]["part"]), (&json!("Busy"), &json!("statusMessage")));
    assert_eq!(answer.get("statusMessage"), None);
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    let many: Vec<_> = (0..21).map(|at| format!("a{at}@contoso.example")).collect();
    for (tool, argument, arguments) in [
        ("getPresence", "users", json!({"users": []})),
        ("getPresence", "users", json!({"users": many})),
        ("getPresence", "users", json!({"users": ["../me"]})),
        ("getPresence", "users", json!({"users": ["adele"]})),
        ("setPresence", "availability", json!({})),
        ("setPresence", "availability", json!({"until": "2099-03-02T17:00:00Z"})),
        ("setPresence", "availability", json!({"availability": "InAMeeting"})),
        ("setPresence", "until", json!({"availability": "Busy", "until": "2001-03-02T17:00:00Z"})),
        ("setPresence", "until", json!({"availability": "Busy", "until": "2099-03-02T17:00:00"})),
        ("setPresence", "until", json!({"availability": "clear", "until": "2099-03-02T17:00:00Z"})),
        ("setPresence", "until", json!({"statusMessage": "", "until": "2099-03-02T17:00:00Z"})),
        ("setPresence", "statusMessage", json!({"statusMessage": "a\nb"})),
        ("setPresence", "statusMessage", json!({"statusMessage": "x".repeat(281)})),
    ] {
        let desk = Desk::new();
        let report = desk.error(tool, arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(desk.asked().is_empty(), "{argument}");
    }
    let report = Desk::new().error("setPresence", json!({"availability": "InAMeeting"})).await;
    assert!(report["message"].as_str().unwrap().contains("`DoNotDisturb`"), "what works is named: {report}");
}

#[tokio::test(flavor = "current_thread")]
async fn others_and_setting_need_more_than_ones_own() {
    for (granted, tool, arguments, missing) in [
        (
            "Presence.Read User.ReadBasic.All",
            "getPresence",
            json!({"users": ["bo@contoso.example"]}),
            "Presence.Read.All",
        ),
        ("Presence.Read.All", "getPresence", json!({"users": ["bo@contoso.example"]}), "User.ReadBasic.All"),
        ("Presence.Read.All", "setPresence", json!({"availability": "Busy"}), "Presence.ReadWrite"),
    ] {
        let desk = Desk::granted(granted);
        assert_eq!(desk.error(tool, arguments).await["missingScope"], missing);
        assert!(desk.asked().is_empty());
    }
}
