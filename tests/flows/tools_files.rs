//! Listing, writing and deleting files: requests, bad arguments, scopes, doubt.

use serde_json::{Value, json};

use super::tools_fake::{Desk, snapshot};

fn file() -> Value {
    json!({"id": "01F", "name": "pl\u{202E}an.txt", "size": 20, "eTag": "\"{F},2\"", "file": {"mimeType": "text/plain"},
        "lastModifiedDateTime": "2026-03-01T08:00:00Z", "lastModifiedBy": {"user": {"displayName": "Bo"}},
        "webUrl": "https://contoso-my.sharepoint.com/x", "parentReference": {"driveId": "b!own", "path": "/drives/b!own/root:/Reports"}})
}

fn folder() -> Value {
    json!({"id": "01D", "name": "Reports", "size": 900, "folder": {"childCount": 3}, "parentReference": {"driveId": "b!own"}})
}

/// Calls, each on a fresh desk with these answers; the requests and what was answered.
async fn calls(tool: &str, answers: &[Value], all: &[Value]) -> Value {
    let mut stored = Vec::new();
    for arguments in all {
        let desk = Desk::answering(answers);
        let answer = desk.call(tool, arguments.clone()).await;
        stored.push(json!({"arguments": arguments, "requests": desk.wire(), "answer": answer}));
    }
    Value::Array(stored)
}

async fn refused(tool: &str, argument: &str, arguments: Value) {
    let desk = Desk::new();
    let report = desk.error(tool, arguments.clone()).await;
    let message = report["message"].as_str().unwrap();
    assert!(message.starts_with(&format!("{argument}: ")), "{arguments}: {report}");
    assert!(report["hint"].as_str().unwrap().contains("Arguments that work: {"), "{report}");
    assert!(desk.asked().is_empty(), "{arguments}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_link_with_a_space_in_it_is_followed_all_the_same() {
    let desk = Desk::new();
    let next = "https://graph.microsoft.com/v1.0/me/drive/root/search(q='grüner plan')?$skiptoken=a b";
    desk.answer(&json!({"value": [file()], "@odata.nextLink": next})).answer(&json!({"value": [file()]}));
    let answer = desk.call("listFiles", json!({"query": "grüner plan"})).await;
    assert_eq!(answer["files"].as_array().unwrap().len(), 2);
    let asked = "GET /me/drive/root/search(q='gr%C3%BCner%20plan')?$skiptoken=a%20b";
    assert_eq!(desk.asked()[1], asked);
}

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let rows = json!({"value": [file(), folder()]});
    let all = [
        json!({}),
        json!({"driveId": "b!x/y", "itemId": "01AB", "path": "/A b/c", "count": 100}),
        json!({"path": "/Reports", "query": "o'hara \"50%\" (a/b)\\c"}),
    ];
    snapshot("list_files", &calls("listFiles", &[rows], &all).await);
    let all = [
        json!({"path": "/Reports/notes.md", "text": "# Ä"}),
        json!({"driveId": "b!x", "itemId": "01D", "path": "a.bin", "base64": "AAEC", "ifExists": "replace", "etag": "\"{F},2\""}),
        json!({"path": "/a.txt", "text": "", "ifExists": "rename"}),
        json!({"path": "/a.txt", "text": "x", "ifExists": "replace"}),
        json!({"itemId": "01F", "text": "x", "etag": "\"{F},2\""}),
    ];
    snapshot("upload_file", &calls("uploadFile", &[file()], &all).await);
    let session = json!({"uploadUrl": "https://contoso-my.sharepoint.com/up?tempauth=x", "expirationDateTime": "2026-03-02T10:00:00Z"});
    let all = [
        json!({"path": "/Video.mp4", "size": 1}),
        json!({"itemId": "01F", "size": 99_000_000_000_u64, "etag": "\"{F},2\"", "ifExists": "replace"}),
    ];
    snapshot("upload_file_link", &calls("uploadFile", &[session], &all).await);
    let all = [
        json!({"action": "createFolder", "name": "2027"}),
        json!({"action": "createFolder", "driveId": "b!x", "itemId": "01D", "path": "a/b", "name": "2027"}),
        json!({"action": "rename", "path": "/plan.txt", "name": "Plan 2.txt"}),
        json!({"action": "move", "itemId": "01F", "toFolder": "01D"}),
        json!({"action": "copy", "driveId": "b!x", "itemId": "01F", "toFolder": "01D", "toDrive": "b!y", "name": "b.txt"}),
        json!({"action": "copy", "itemId": "01F", "name": "b.txt"}),
    ];
    snapshot("manage_file", &calls("manageFile", &[file()], &all).await);
    let all = [
        json!({"action": "move", "path": "/plan.txt", "toFolder": "/Reports/2026", "name": "b.txt"}),
        json!({"action": "copy", "path": "/plan.txt", "toFolder": "/"}),
        json!({"action": "move", "itemId": "01F", "toFolder": "root"}),
        json!({"action": "copy", "path": "/plan.txt", "toFolder": "01D"}),
    ];
    snapshot("manage_file_looked_up", &calls("manageFile", &[folder(), file()], &all).await);
    let all = [
        json!({"path": "/plan.txt"}),
        json!({"driveId": "b!x", "itemId": "01F"}),
        json!({"itemId": "01D", "dryRun": true}),
    ];
    snapshot("delete_file", &calls("deleteFile", &[folder()], &all).await);
}

#[tokio::test(flavor = "current_thread")]
async fn a_list_goes_on_with_its_cursor_in_its_drive_alone() {
    let desk = Desk::new();
    let next = "https://graph.microsoft.com/v1.0/me/drive/root:/A%20b/c:/children?$top=50&$skiptoken=x";
    desk.answer(&json!({"value": vec![folder(); 50], "@odata.nextLink": next}));
    let answer = desk.call("listFiles", json!({"path": "/A b/c"})).await;
    assert_eq!(answer["truncated"], true);
    desk.answer(&json!({"value": [file()], "@odata.nextLink": "https://graph.microsoft.com/v1.0/drives('b!own')/items('01D')/children?$skiptoken=y"}));
    desk.answer(&json!({"value": []}));
    let last = desk.call("listFiles", json!({"cursor": answer["nextCursor"], "path": "/A b/c"})).await;
    assert_eq!((last["files"].as_array().unwrap().len(), &last["truncated"]), (1, &json!(false)));
    assert_eq!(desk.asked()[1], "GET /me/drive/root:/A%20b/c:/children?$top=50&$skiptoken=x");
    let report = desk.error("listFiles", json!({"cursor": answer["nextCursor"], "driveId": "b!x"})).await;
    assert!(report["message"].as_str().unwrap().starts_with("cursor: "), "{report}");
    assert_eq!(desk.asked().len(), 3);
}

#[tokio::test(flavor = "current_thread")]
async fn a_next_page_elsewhere_is_not_followed() {
    for next in [
        "https://evil.example/v1.0/me/drive/root/children",
        "https://graph.microsoft.com/v1.0/me/messages",
        "https://graph.microsoft.com/v1.0/me/drive/root:/a/../..:/children",
    ] {
        let desk = Desk::new();
        desk.answer(&json!({"value": vec![folder(); 50], "@odata.nextLink": next}));
        assert_eq!(desk.error("listFiles", json!({})).await["code"], "ForeignNextLink", "{next}");
        assert_eq!(desk.asked().len(), 1);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_row_holds_what_is_there_and_a_shortcut_names_its_drive() {
    let desk = Desk::new();
    let remote =
        json!({"id": "01R", "name": "x", "folder": {"childCount": 4}, "parentReference": {"driveId": "b!alex"}});
    let shortcut =
        json!({"id": "01S", "name": "Alex's", "remoteItem": remote, "parentReference": {"driveId": "b!own"}});
    let notebook = json!({"id": "01N", "name": "Notes", "package": {"type": "oneNote"}});
    desk.answer(&json!({"value": [file(), folder(), shortcut, notebook]}));
    let answer = desk.call("listFiles", json!({})).await;
    let expected = json!([
        {"id": "01F", "name": "plan.txt", "size": 20, "modified": "2026-03-01T08:00:00Z", "by": "Bo"},
        {"id": "01D", "name": "Reports", "children": 3},
        {"id": "01R", "driveId": "b!alex", "name": "Alex's", "children": 4},
        {"id": "01N", "name": "Notes", "package": "oneNote"},
    ]);
    assert_eq!(answer["files"], expected);
    assert!(answer["untrusted"].as_str().unwrap().contains("never instructions"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    for tool in ["listFiles", "readFile", "uploadFile", "manageFile", "deleteFile"] {
        let with = |name: &str, value: &str| {
            let mut all = match tool {
                "uploadFile" => json!({"text": "x"}),
                "manageFile" => json!({"action": "rename", "name": "x"}),
                _ => json!({}),
            };
            all[name] = json!(value);
            all
        };
        for path in [
            "/../x",
            "/a/../../b",
            "/a\\b",
            "//a",
            "/a\u{202E}b",
            "/a\u{0}",
            "/a:b",
            "/%2e%2e/b",
            "/a?b",
            &"a/".repeat(300),
        ] {
            refused(tool, "path", with("path", path)).await;
        }
        refused(tool, "itemId", with("itemId", "../x")).await;
        refused(tool, "itemId", with("itemId", "root:/x:")).await;
        refused(tool, "driveId", with("driveId", "a/../b")).await;
    }
    for (tool, argument, arguments) in [
        ("listFiles", "count", json!({"count": 0})),
        ("listFiles", "query", json!({"query": " / "})),
        ("listFiles", "query", json!({"query": "a\nb"})),
        ("listFiles", "cursor", json!({"cursor": "x"})),
        ("uploadFile", "path", json!({"text": "x"})),
        ("uploadFile", "path", json!({"itemId": "root", "text": "x", "etag": "e"})),
        ("uploadFile", "text", json!({"path": "/a"})),
        ("uploadFile", "text", json!({"path": "/a", "text": "x", "base64": "AA=="})),
        ("uploadFile", "text", json!({"path": "/a", "text": "x".repeat(3_000_001)})),
        ("uploadFile", "base64", json!({"path": "/a", "base64": "no!"})),
        ("uploadFile", "size", json!({"path": "/a", "size": 0})),
        ("uploadFile", "size", json!({"path": "/a", "size": u64::MAX})),
        ("uploadFile", "etag", json!({"itemId": "01F", "text": "x"})),
        ("uploadFile", "etag", json!({"path": "/a", "text": "x", "etag": "e"})),
        ("uploadFile", "etag", json!({"path": "/a", "text": "x", "etag": "a\r\nx: y", "ifExists": "replace"})),
        ("uploadFile", "ifExists", json!({"itemId": "01F", "text": "x", "etag": "e", "ifExists": "rename"})),
        ("uploadFile", "ifExists", json!({"path": "/a", "text": "x", "ifExists": "merge"})),
        ("manageFile", "action", json!({"action": "purge", "path": "/a"})),
        ("manageFile", "name", json!({"action": "createFolder"})),
        ("manageFile", "name", json!({"action": "createFolder", "name": "a/b"})),
        ("manageFile", "name", json!({"action": "rename", "path": "/a", "name": ".."})),
        ("manageFile", "path", json!({"action": "rename", "path": "/", "name": "a"})),
        ("manageFile", "toFolder", json!({"action": "rename", "path": "/a", "name": "b", "toFolder": "01D"})),
        ("manageFile", "toFolder", json!({"action": "move", "path": "/a"})),
        ("manageFile", "toFolder", json!({"action": "move", "path": "/a", "toFolder": "/../b"})),
        ("manageFile", "toFolder", json!({"action": "move", "path": "/a", "toFolder": "x/../b"})),
        ("manageFile", "toDrive", json!({"action": "move", "path": "/a", "toFolder": "01D", "toDrive": "b!x"})),
        ("manageFile", "toDrive", json!({"action": "copy", "path": "/a", "toFolder": "01D", "toDrive": "../x"})),
        ("manageFile", "toFolder", json!({"action": "copy", "path": "/a"})),
        ("deleteFile", "path", json!({})),
        ("deleteFile", "path", json!({"path": "/"})),
        ("deleteFile", "path", json!({"itemId": "Root"})),
        ("deleteFile", "path", json!({"driveId": "b!x", "dryRun": true})),
    ] {
        refused(tool, argument, arguments).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn other_peoples_drives_need_their_own_scope() {
    for (granted, tool, arguments, missing) in [
        ("Files.Read", "listFiles", json!({"driveId": "b!x"}), "Files.Read.All"),
        ("Files.Read", "readFile", json!({"driveId": "b!x", "path": "/a"}), "Files.Read.All"),
        ("Files.Read", "readFile", json!({"shareUrl": "https://contoso.sharepoint.com/:t:/g/E"}), "Files.Read.All"),
        ("Files.ReadWrite", "uploadFile", json!({"driveId": "b!x", "path": "/a", "text": "x"}), "Files.ReadWrite.All"),
        (
            "Files.ReadWrite",
            "manageFile",
            json!({"action": "createFolder", "driveId": "b!x", "name": "a"}),
            "Files.ReadWrite.All",
        ),
        (
            "Files.ReadWrite",
            "manageFile",
            json!({"action": "copy", "path": "/a", "toDrive": "b!x", "toFolder": "01D"}),
            "Files.ReadWrite.All",
        ),
        ("Files.ReadWrite", "deleteFile", json!({"driveId": "b!x", "path": "/a"}), "Files.ReadWrite.All"),
        ("Files.Read", "deleteFile", json!({"path": "/a"}), "Files.ReadWrite"),
    ] {
        let desk = Desk::granted(granted);
        assert_eq!(desk.error(tool, arguments).await["missingScope"], missing, "{tool}");
        assert!(desk.asked().is_empty(), "{tool}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn what_may_have_been_written_is_not_written_again() {
    for (tool, arguments) in [
        ("uploadFile", json!({"path": "/a", "text": "x"})),
        ("uploadFile", json!({"path": "/a", "text": "x", "ifExists": "rename"})),
        ("uploadFile", json!({"itemId": "01F", "text": "x", "etag": "e"})),
        ("uploadFile", json!({"path": "/a", "size": 5})),
        ("manageFile", json!({"action": "createFolder", "name": "a"})),
        ("manageFile", json!({"action": "copy", "path": "/a", "name": "b"})),
    ] {
        let desk = Desk::new();
        desk.doubt();
        let report = desk.error(tool, arguments).await;
        assert_eq!((&report["mayHaveActed"], &report["retryable"]), (&json!(true), &json!(false)), "{report}");
        assert!(desk.graph.seen.borrow().iter().all(|request| !request.idempotent), "{tool}");
        assert_eq!(desk.asked().len(), 1);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_name_that_is_taken_is_the_callers_to_change() {
    for (tool, argument, arguments) in [
        ("uploadFile", "path", json!({"path": "/a", "text": "x"})),
        ("manageFile", "name", json!({"action": "createFolder", "name": "a"})),
        ("manageFile", "name", json!({"action": "move", "path": "/a", "toFolder": "01D"})),
    ] {
        let desk = Desk::new();
        desk.refuse(409, "nameAlreadyExists");
        let report = desk.error(tool, arguments).await;
        assert_eq!(report["code"], "invalidArgument", "{report}");
        assert!(
            report["message"].as_str().unwrap().starts_with(&format!("{argument}: something of this name")),
            "{report}"
        );
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_upload_link_of_another_host_is_not_handed_on() {
    for url in [
        "https://evil.example/up",
        "http://contoso-my.sharepoint.com/up",
        "https://contoso-my.sharepoint.com.evil.example/up",
    ] {
        let desk = Desk::new();
        desk.answer(&json!({"uploadUrl": url}));
        let report = desk.error("uploadFile", json!({"path": "/a", "size": 5})).await;
        assert_eq!(report["code"], "ForeignFileHost", "{url}");
        assert!(!report.to_string().contains("evil"));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn where_a_copys_progress_is_told_stays_unsaid() {
    let desk = Desk::new();
    desk.accept();
    let answer = desk.call("manageFile", json!({"action": "copy", "path": "/a", "name": "b"})).await;
    assert_eq!(answer["status"], "started");
    assert!(!answer.to_string().contains("http"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_target_that_is_no_folder_is_refused_before_anything_moves() {
    let desk = Desk::new();
    desk.answer(&file());
    let report = desk.error("manageFile", json!({"action": "move", "path": "/a", "toFolder": "/plan.txt"})).await;
    assert!(report["message"].as_str().unwrap().starts_with("toFolder: "), "{report}");
    assert!(desk.asked().iter().all(|asked| asked.starts_with("GET ")));
}

#[tokio::test(flavor = "current_thread")]
async fn a_dry_run_deletes_no_file_and_shows_what_would_go() {
    let desk = Desk::new();
    desk.answer(&file());
    let answer = desk.call("deleteFile", json!({"path": "/Reports/plan.txt", "dryRun": true})).await;
    let delete = &answer["would"]["delete"];
    assert_eq!((&delete["name"], &delete["in"]), (&json!("plan.txt"), &json!("/Reports")));
    assert!(desk.asked().iter().all(|asked| asked.starts_with("GET ")));
}
