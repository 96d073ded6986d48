//! The folders of a mailbox: listing and changing them.

use serde_json::{Value, json};

use super::tools_fake::{Desk, snapshot};

fn folder(name: &str) -> Value {
    json!({"id": "f", "displayName": name, "childFolderCount": 0, "unreadItemCount": 2, "totalItemCount": 9})
}

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let mut all = Vec::new();
    for arguments in [json!({}), json!({"parent": "AQMk/x=", "mailbox": "sales@contoso.example"})] {
        let desk = Desk::new();
        desk.answer(&json!({"value": []}));
        desk.call("getMailFolders", arguments.clone()).await;
        all.push(json!({"arguments": arguments, "requests": desk.wire()}));
    }
    snapshot("get_mail_folders", &Value::Array(all));
}

#[tokio::test(flavor = "current_thread")]
async fn a_level_goes_on_with_its_cursor_and_hides_nothing_in_a_name() {
    let desk = Desk::new();
    let next = "https://graph.microsoft.com/v1.0/me/mailFolders?$skip=100";
    desk.answer(&json!({"value": vec![folder("Ven\u{202E}dors"); 100], "@odata.nextLink": next}));
    let answer = desk.call("getMailFolders", json!({})).await;
    assert_eq!(answer["folders"][0], json!({"id": "f", "name": "Vendors", "unread": 2, "total": 9}));
    assert_eq!(answer["truncated"], true);
    desk.answer(&json!({"value": []}));
    let last = desk.call("getMailFolders", json!({"cursor": answer["nextCursor"]})).await;
    assert_eq!((&last["truncated"], desk.asked()[1].as_str()), (&json!(false), "GET /me/mailFolders?$skip=100"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_cursor_stays_in_its_mailbox() {
    let desk = Desk::new();
    let next = "https://graph.microsoft.com/v1.0/users/sales%40contoso.example/mailFolders?$skip=100";
    desk.answer(&json!({"value": vec![folder("x"); 100], "@odata.nextLink": next}));
    let answer = desk.call("getMailFolders", json!({"mailbox": "sales@contoso.example"})).await;
    let report = desk.error("getMailFolders", json!({"cursor": answer["nextCursor"]})).await;
    assert!(report["message"].as_str().unwrap().starts_with("cursor: "), "{report}");
    assert_eq!(desk.asked().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    for (tool, argument, arguments) in [
        ("getMailFolders", "parent", json!({"parent": "../messages"})),
        ("getMailFolders", "mailbox", json!({"mailbox": "me/../x"})),
        ("getMailFolders", "cursor", json!({"cursor": "x"})),
    ] {
        let desk = Desk::new();
        let report = desk.error(tool, arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(desk.asked().is_empty());
    }
    let desk = Desk::granted("Mail.Read");
    let report = desk.error("getMailFolders", json!({"mailbox": "sales@contoso.example"})).await;
    assert_eq!(report["missingScope"], "Mail.Read.Shared");
    assert!(desk.asked().is_empty());
}
