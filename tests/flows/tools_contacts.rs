//! Changing the address book.

use serde_json::json;

use super::tools_fake::{Desk, snapshot};

#[tokio::test(flavor = "current_thread")]
async fn a_dry_run_deletes_nothing_and_shows_what_would_go() {
    let desk = Desk::new();
    desk.answer(&json!({"id": "c", "displayName": "Bo\u{202E}"}));
    let answer = desk.call("deleteContact", json!({"id": "c", "dryRun": true})).await;
    assert_eq!((&answer["status"], &answer["would"]["delete"]["displayName"]), (&json!("dryRun"), &json!("Bo")));
    assert_eq!(desk.asked(), ["GET /me/contacts/c?$select=id%2CdisplayName"]);
    desk.accept();
    assert_eq!(desk.call("deleteContact", json!({"id": "c"})).await["status"], "deleted");
    assert_eq!(desk.asked()[1], "DELETE /me/contacts/c");
}

#[tokio::test(flavor = "current_thread")]
async fn an_id_that_climbs_is_refused_before_anything_leaves() {
    let desk = Desk::new();
    let report = desk.error("deleteContact", json!({"id": "../messages/x"})).await;
    assert!(report["message"].as_str().unwrap().starts_with("id: "), "{report}");
    assert!(desk.asked().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let full = json!({"id": "c/1", "name": "Bo", "emails": "bo@contoso.example", "phones": ["1", "2"], "mobile": "3",
        "company": "Contoso", "title": "Buyer", "notes": "a\nb"});
    let mut all = Vec::new();
    for arguments in [json!({"name": "Bo"}), full, json!({"id": "c", "emails": []})] {
        let desk = Desk::new();
        desk.answer(&json!({"id": "c", "displayName": "Bo", "personalNotes": "long"}));
        let answer = desk.call("saveContact", arguments.clone()).await;
        assert_eq!(answer["contact"], json!({"id": "c", "displayName": "Bo"}));
        all.push(json!({"arguments": arguments, "requests": desk.wire()}));
    }
    snapshot("save_contact", &serde_json::Value::Array(all));
}

#[tokio::test(flavor = "current_thread")]
async fn a_contact_is_not_created_again_after_doubt() {
    let desk = Desk::new();
    desk.doubt();
    let report = desk.error("saveContact", json!({"name": "Bo"})).await;
    assert_eq!((&report["mayHaveActed"], &report["retryable"]), (&json!(true), &json!(false)));
    assert_eq!(desk.asked().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    let four: Vec<_> = (0..4).map(|at| format!("a{at}@contoso.example")).collect();
    for (argument, arguments) in [
        ("name", json!({})),
        ("name", json!({"name": "a\u{202E}b"})),
        ("arguments", json!({"id": "c"})),
        ("id", json!({"id": "../x", "name": "Bo"})),
        ("emails", json!({"name": "Bo", "emails": ["bo"]})),
        ("emails", json!({"name": "Bo", "emails": four})),
        ("phones", json!({"name": "Bo", "phones": ["1", "2", "3"]})),
        ("phones", json!({"name": "Bo", "phones": [" "]})),
        ("notes", json!({"name": "Bo", "notes": "a\u{0}"})),
    ] {
        let desk = Desk::new();
        let report = desk.error("saveContact", arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(desk.asked().is_empty(), "{argument}");
    }
}
