//! Changing the address book.

use serde_json::json;

use super::tools_fake::Desk;

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
