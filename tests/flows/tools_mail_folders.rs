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
    let mut all = Vec::new();
    for arguments in [
        json!({"action": "create", "name": "Suppliers"}),
        json!({"action": "create", "name": "Suppliers", "parent": "A/1=", "mailbox": "sales@contoso.example"}),
        json!({"action": "rename", "id": "A/1=", "name": "Vendors"}),
        json!({"action": "move", "id": "A1", "parent": "inbox"}),
        json!({"action": "delete", "id": "A1"}),
        json!({"action": "delete", "id": "A1", "dryRun": true}),
        json!({"action": "create", "name": "x", "dryRun": true}),
    ] {
        let desk = Desk::new();
        desk.answer(&folder("Suppliers"));
        let answer = desk.call("manageMailFolder", arguments.clone()).await;
        all.push(json!({"arguments": arguments, "requests": desk.wire(), "answer": answer}));
    }
    snapshot("manage_mail_folder", &Value::Array(all));
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
        ("manageMailFolder", "action", json!({"action": "purge", "id": "a"})),
        ("manageMailFolder", "name", json!({"action": "create"})),
        ("manageMailFolder", "name", json!({"action": "create", "name": "a\nb"})),
        ("manageMailFolder", "id", json!({"action": "create", "name": "a", "id": "b"})),
        ("manageMailFolder", "parent", json!({"action": "create", "name": "a", "parent": "../b"})),
        ("manageMailFolder", "id", json!({"action": "rename", "name": "a"})),
        ("manageMailFolder", "parent", json!({"action": "rename", "id": "a", "name": "a", "parent": "b"})),
        ("manageMailFolder", "parent", json!({"action": "move", "id": "a"})),
        ("manageMailFolder", "id", json!({"action": "delete", "id": "Inbox"})),
        ("manageMailFolder", "id", json!({"action": "delete", "id": "a/../inbox"})),
        ("manageMailFolder", "mailbox", json!({"action": "delete", "id": "a", "mailbox": "x"})),
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
    let desk = Desk::granted("Mail.ReadWrite");
    let elsewhere = json!({"action": "delete", "id": "a", "mailbox": "sales@contoso.example"});
    assert_eq!(desk.error("manageMailFolder", elsewhere).await["missingScope"], "Mail.ReadWrite.Shared");
    assert!(desk.asked().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_folder_is_deleted_so_that_it_can_be_taken_back() {
    let desk = Desk::new();
    desk.answer(&folder("x"));
    assert_eq!(desk.call("manageMailFolder", json!({"action": "delete", "id": "A1"})).await["status"], "deleted");
    assert_eq!(desk.asked(), ["POST /me/mailFolders/A1/move"]);
    assert_eq!(desk.wire()[0]["body"], json!({"destinationId": "deleteditems"}));
}

#[tokio::test(flavor = "current_thread")]
async fn a_dry_run_changes_no_folder() {
    for arguments in [
        json!({"action": "delete", "id": "A1", "dryRun": true}),
        json!({"action": "rename", "id": "A1", "name": "x", "dryRun": true}),
        json!({"action": "move", "id": "A1", "parent": "inbox", "dryRun": true}),
        json!({"action": "create", "name": "x", "dryRun": true}),
    ] {
        let desk = Desk::new();
        desk.answer(&folder("x"));
        assert_eq!(desk.call("manageMailFolder", arguments).await["status"], "dryRun");
        assert!(desk.asked().iter().all(|asked| asked.starts_with("GET ")), "{:?}", desk.asked());
    }
}
