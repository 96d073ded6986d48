//! `SharePoint`: what is asked of Graph, how items read, and what may be changed when.

use serde_json::{Value, json};

use super::tools_fake::{Desk, exchanges, snapshot};

const SITE: &str =
    "contoso.sharepoint.example,da60e844-ba1d-49bc-b4d4-d5e36bae9019,712a596e-90a1-49e3-9b48-bfa80bee8740";

fn item() -> Value {
    json!({"id": "3", "eTag": "\"5f0c0000-0000-4000-8000-000000000003,7\"", "lastModifiedDateTime": "2026-03-02T08:00:00Z",
        "lastModifiedBy": {"user": {"displayName": "Bo\u{202E}"}},
        "fields": {"@odata.etag": "x", "id": "3", "Title": "Fab\u{200B}rikam", "Status": "Open", "Count": 4, "Empty": null,
            "LinkTitle": "x", "_UIVersionString": "1.0", "_x00c4_nderung": true, "Products": ["Pa\u{7}per"],
            "Owner": {"LookupValue": "Bo\u{202E}"}}})
}

#[tokio::test(flavor = "current_thread")]
async fn reading_is_as_stored() {
    let site = json!({"id": SITE, "displayName": "Heron\u{202E}", "name": "heron", "description": "", "webUrl": "https://contoso.sharepoint.example/sites/heron"});
    let lists = json!({"value": [{"id": "l", "displayName": "Suppliers", "webUrl": "u", "list": {"template": "genericList", "hidden": false}},
        {"id": "h", "displayName": "Hidden", "list": {"template": "tasks", "hidden": true}}]});
    let drives = json!({"value": [{"id": "d", "name": "Documents", "webUrl": "u"}], "@odata.nextLink": "https://x"});
    let batch =
        json!({"responses": [{"id": "0", "status": 200, "body": lists}, {"id": "1", "status": 200, "body": drives}]});
    let page = json!({ "value": [site] });
    let calls = [
        (json!({}), vec![page.clone()]),
        (json!({"search": "he & ron", "count": 100}), vec![page]),
        (json!({"siteId": SITE}), vec![site.clone(), batch.clone()]),
        (json!({"siteId": "contoso.sharepoint.example:/sites/he ron/"}), vec![site, batch]),
    ];
    snapshot("get_sites", &exchanges("getSites", &calls).await);
    let page = json!({ "value": [item()] });
    let full = json!({"siteId": SITE, "listId": "Supp/liers", "filter": "fields/Status eq 'O''Hara & co'", "fields": ["Title", "_x00c4_nderung"], "count": 200});
    let calls = [(json!({"siteId": "root", "listId": "l"}), vec![page.clone()]), (full, vec![page])];
    snapshot("get_list_items", &exchanges("getListItems", &calls).await);
}

#[tokio::test(flavor = "current_thread")]
async fn saving_is_as_stored() {
    let at = |more: Value| {
        let mut arguments = json!({"siteId": "root", "listId": "l/1"});
        arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        arguments
    };
    let fields = json!({"Title": "Fabrikam", "Count": 4, "Done": false, "Note": "", "Gone": null, "Products": ["a", "b"], "Ids": [1, 2]});
    let calls = [
        (at(json!({"fields": fields, "idempotencyKey": "k"})), vec![json!({"id": "9"})]),
        (at(json!({"id": "3", "fields": {"Status": "Done"}})), vec![]),
        (at(json!({"id": "3", "version": 7, "fields": {"Status": "Done"}})), vec![item()]),
        (at(json!({"id": "3", "delete": true})), vec![]),
        (at(json!({"id": "3", "version": 7, "delete": true})), vec![item()]),
        (at(json!({"fields": {"Title": "x"}, "dryRun": true})), vec![]),
        (at(json!({"id": "3", "fields": {"Status": "Done"}, "dryRun": true})), vec![item()]),
        (at(json!({"id": "3", "delete": true, "dryRun": true})), vec![item()]),
    ];
    snapshot("save_list_item", &exchanges("saveListItem", &calls).await);
}

#[tokio::test(flavor = "current_thread")]
async fn an_item_that_is_at_another_version_is_left_alone() {
    let desk = Desk::new();
    desk.answer(&item());
    let arguments = json!({"siteId": "root", "listId": "l", "id": "3", "version": 6, "delete": true});
    let report = desk.error("saveListItem", arguments).await;
    assert_eq!(report["message"], "version: the item is at 7 by now: read it again");
    assert_eq!(desk.asked(), ["GET /sites/root/lists/l/items/3?$select=id%2CeTag"]);
    // Changed between our look and our write: told, and not tried again.
    let desk = Desk::new();
    desk.answer(&item()).refuse(412, "notAllowed");
    let arguments = json!({"siteId": "root", "listId": "l", "id": "3", "version": 7, "fields": {"Status": "Done"}});
    let report = desk.error("saveListItem", arguments).await;
    assert!(report["hint"].as_str().unwrap().contains("changed meanwhile"), "{report}");
    assert_eq!(desk.asked().len(), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn an_item_is_created_once_for_a_key_and_never_again_after_doubt() {
    let arguments = json!({"siteId": "root", "listId": "l", "fields": {"Title": "x"}, "idempotencyKey": "k"});
    let desk = Desk::new();
    desk.answer(&json!({"id": "9"}));
    assert_eq!(desk.call("saveListItem", arguments.clone()).await["id"], "9");
    assert!(desk.call("saveListItem", arguments.clone()).await["note"].is_string());
    assert_eq!(desk.asked().len(), 1);
    let desk = Desk::new();
    desk.doubt();
    for _ in 0..2 {
        assert_eq!(desk.error("saveListItem", arguments.clone()).await["mayHaveActed"], true);
    }
    assert_eq!(desk.asked().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_filter_that_sharepoint_refuses_is_told_as_an_argument() {
    let desk = Desk::new();
    desk.refuse(400, "invalidRequest");
    let arguments = json!({"siteId": "root", "listId": "l", "filter": "fields/Country eq 'Germany'"});
    let report = desk.error("getListItems", arguments).await;
    assert_eq!(report["code"], "invalidArgument");
    assert!(report["message"].as_str().unwrap().contains("indexed"), "{report}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    let many: Vec<_> = (0..51).map(|at| format!("C{at}")).collect();
    let at = |more: Value| {
        let mut arguments = json!({"siteId": "root", "listId": "l"});
        arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        arguments
    };
    for (name, argument, arguments) in [
        ("getSites", "count", json!({"count": 101})),
        ("getSites", "search", json!({"search": " "})),
        ("getSites", "search", json!({"search": "x", "siteId": "root"})),
        ("getSites", "siteId", json!({"siteId": "../me"})),
        ("getSites", "siteId", json!({"siteId": "contoso.example:/sites/../x"})),
        ("getSites", "siteId", json!({"siteId": "contoso.example:/sites//x"})),
        ("getSites", "siteId", json!({"siteId": "evil.example/x:/sites/x"})),
        ("getSites", "siteId", json!({"siteId": ":/sites/x"})),
        ("getSites", "cursor", json!({"cursor": "abc"})),
        ("getListItems", "siteId", json!({"listId": "l"})),
        ("getListItems", "siteId", json!({"siteId": "..", "listId": "l"})),
        ("getListItems", "listId", json!({"siteId": "root", "listId": "a/../b"})),
        ("getListItems", "count", at(json!({"count": 201}))),
        ("getListItems", "filter", at(json!({"filter": "Status eq 'Open'"}))),
        ("getListItems", "filter", at(json!({"filter": "fields/Status eq 'Open"}))),
        ("getListItems", "filter", at(json!({"filter": format!("fields/A eq '{}'", "x".repeat(1000))}))),
        ("getListItems", "fields", at(json!({"fields": []}))),
        ("getListItems", "fields", at(json!({"fields": many}))),
        ("getListItems", "fields", at(json!({"fields": ["Title)&$filter=x"]}))),
        ("saveListItem", "fields", at(json!({}))),
        ("saveListItem", "fields", at(json!({"fields": {}}))),
        ("saveListItem", "fields", at(json!({"id": "3"}))),
        ("saveListItem", "fields", at(json!({"id": "3", "delete": true, "fields": {"Title": "x"}}))),
        ("saveListItem", "fields", at(json!({"fields": {"Title@odata.type": "x"}}))),
        ("saveListItem", "fields", at(json!({"fields": {"Title": {"a": 1}}}))),
        ("saveListItem", "fields", at(json!({"fields": {"Title": ["a", 1]}}))),
        ("saveListItem", "fields", at(json!({"fields": {"Title": "a\u{0}"}}))),
        ("saveListItem", "id", at(json!({"delete": true}))),
        ("saveListItem", "id", at(json!({"id": "../3", "delete": true}))),
        ("saveListItem", "version", at(json!({"version": 1, "fields": {"Title": "x"}}))),
        ("saveListItem", "listId", json!({"siteId": "root", "listId": "%2e%2e", "fields": {"Title": "x"}})),
    ] {
        let desk = Desk::new();
        let report = desk.error(name, arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(report["hint"].as_str().unwrap().contains("Arguments that work: {"), "{report}");
        assert!(desk.asked().is_empty(), "{argument}: {:?}", desk.asked());
    }
}
