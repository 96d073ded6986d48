//! `OneNote`: what is asked of Graph, how a page reads, and that nothing a model writes leaves its place.

use serde_json::{Value, json};

use super::tools_fake::{Desk, snapshot};
use crate::graph::GraphResponse;

/// Each call on a fresh desk with these answers.
async fn requests(name: &str, calls: &[(Value, Value)]) -> Value {
    let mut all = Vec::new();
    for (arguments, answer) in calls {
        let desk = Desk::new();
        desk.answer(answer);
        let answer = desk.call(name, arguments.clone()).await;
        all.push(json!({"arguments": arguments, "answer": answer, "requests": desk.wire()}));
    }
    Value::Array(all)
}

#[tokio::test(flavor = "current_thread")]
async fn reading_is_as_stored() {
    let page = json!({"value": [{"id": "p", "title": "Minutes\u{202E}", "lastModifiedDateTime": "2026-03-02T08:00:00Z",
        "parentSection": {"id": "s", "displayName": "Meetings"}}]});
    let book = json!({"id": "n", "displayName": "Adele", "sections": [{"id": "s", "displayName": "Meetings"}],
        "sectionGroups": [{"id": "g", "displayName": "Suppliers", "sections": [{"id": "t", "displayName": "Fabrikam"}]}]});
    let calls = [
        (json!({}), json!({"value": [{"id": "n", "displayName": "Adele", "isShared": true}]})),
        (json!({"notebookId": "1-n/x"}), book),
        (json!({"sectionId": "1-s", "count": 100}), page.clone()),
        (json!({"search": "O'Hara's PLAN"}), page.clone()),
        (json!({"sectionId": "1-s", "search": "plan", "count": 5}), page),
    ];
    snapshot("get_notes", &requests("getNotes", &calls).await);
}

#[tokio::test(flavor = "current_thread")]
async fn sections_of_groups_within_groups_are_listed_or_said_to_be_missing() {
    let section = |id: &str| json!([{"id": id, "displayName": id}]);
    let inner = json!([{"id": "h", "displayName": "Former", "sections": section("u"), "sectionGroups": []}]);
    let group = |inner: &Value| json!([{"id": "g", "displayName": "Suppliers", "sections": section("t"), "sectionGroups": inner}]);
    let book = |groups: Value| json!({"id": "n", "sections": section("s"), "sectionGroups": groups});
    let told = async |desk: &Desk| {
        let answer = desk.call("getNotes", json!({"notebookId": "n"})).await;
        let items = answer["items"].as_array().unwrap().iter();
        let shown: Vec<_> = items.map(|one| (one["id"].clone(), one.get("group").cloned())).collect();
        (shown, answer["truncated"].clone())
    };
    let deep = Desk::answering(&[book(group(&inner))]);
    let all =
        vec![(json!("s"), None), (json!("t"), Some(json!("Suppliers"))), (json!("u"), Some(json!("Suppliers/Former")))];
    assert_eq!(told(&deep).await, (all.clone(), json!(false)));
    // OneNote that does not take the question is asked for less.
    for (groups, truncated) in [(group(&json!([])), true), (json!([]), false)] {
        let desk = Desk::new();
        desk.refuse(400, "20112").answer(&book(groups));
        let (shown, cut) = told(&desk).await;
        assert_eq!((shown.as_slice(), cut), (&all[..=usize::from(truncated)], json!(truncated)));
        assert!(!desk.asked()[1].contains("levels"));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_page_is_text_by_somebody_and_a_cut_is_said() {
    let html = "<html><head><title>Minutes &amp; more\u{202E}</title></head><body><script>x</script><div><p>Present:&nbsp;Adele</p>\
                <ul><li>One</li></ul></div><p>From: Bo\nSent: Monday</p></body></html>";
    for (most, truncated) in [(8000, false), (100, true)] {
        let desk = Desk::new();
        let body = html.replace("One", &"One ".repeat(30)).into_bytes();
        desk.graph.queue.borrow_mut().push_back(Ok(GraphResponse { status: 200, headers: Vec::new(), body }));
        let answer = desk.call("getNotes", json!({"pageId": "1-p/x", "maxChars": most})).await;
        assert_eq!(desk.asked(), ["GET /me/onenote/pages/1-p%2Fx/content"]);
        assert_eq!(desk.wire()[0]["headers"], json!(["accept: text/html"]));
        assert_eq!((&answer["title"], &answer["truncated"]), (&json!("Minutes & more"), &json!(truncated)));
        assert!(answer["text"].as_str().unwrap().starts_with("Present: Adele\n\n- One One"), "{answer}");
        assert!(answer["untrusted"].is_string());
        assert_eq!(answer["text"].as_str().unwrap().contains("From: Bo"), !truncated, "nothing is taken for history");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn writing_is_as_stored() {
    let calls = [
        (
            json!({"sectionId": "1-s/x", "title": "Minutes", "content": "a < b\n\nc", "idempotencyKey": "k"}),
            json!({"id": "p"}),
        ),
        (
            json!({"sectionId": "1-s", "title": "</title><script>", "contentType": "html",
            "content": "</body></html><h1>Hi</h1><img src=\"https://evil.example/?d=1\"><p>x"}),
            json!({"id": "p"}),
        ),
        (json!({"pageId": "1-p", "content": "More \"of\" it"}), json!({})),
        (json!({"pageId": "1-p/x", "content": "<ul><li>One<li>Two</ul>", "contentType": "html"}), json!({})),
    ];
    snapshot("save_note", &requests("saveNote", &calls).await);
}

#[tokio::test(flavor = "current_thread")]
async fn a_page_is_written_once_for_a_key_and_never_again_after_doubt() {
    for arguments in [
        json!({"sectionId": "s", "title": "x", "content": "y", "idempotencyKey": "k"}),
        json!({"pageId": "p", "content": "y", "idempotencyKey": "k"}),
    ] {
        let desk = Desk::new();
        desk.accept();
        for _ in 0..2 {
            assert_eq!(desk.call("saveNote", arguments.clone()).await.get("isError"), None);
        }
        assert_eq!(desk.asked().len(), 1);
        let desk = Desk::new();
        desk.doubt();
        for _ in 0..2 {
            assert_eq!(desk.error("saveNote", arguments.clone()).await["mayHaveActed"], true);
        }
        assert_eq!(desk.asked().len(), 1);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn onenote_says_no_retry_after_so_we_do() {
    for (name, arguments) in [
        ("getNotes", json!({})),
        ("getNotes", json!({"pageId": "p"})),
        ("getNotes", json!({"notebookId": "n"})),
        ("saveNote", json!({"pageId": "p", "content": "x"})),
    ] {
        let desk = Desk::new();
        desk.refuse(429, "20166");
        let report = desk.error(name, arguments).await;
        assert_eq!((&report["retryAfter"], &report["retryable"]), (&json!(60), &json!(true)), "{report}");
    }
    let desk = Desk::new();
    desk.refuse(400, "20266");
    let report = desk.error("getNotes", json!({"search": "x"})).await;
    assert!(report["message"].as_str().unwrap().starts_with("sectionId: "), "{report}");
}

#[tokio::test(flavor = "current_thread")]
async fn appending_needs_more_than_creating() {
    let desk = Desk::granted("Notes.Create");
    let report = desk.error("saveNote", json!({"pageId": "p", "content": "x"})).await;
    assert_eq!(report["missingScope"], "Notes.ReadWrite");
    assert!(desk.asked().is_empty());
    desk.call("saveNote", json!({"sectionId": "s", "title": "x", "content": "y"})).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    for (name, argument, arguments) in [
        ("getNotes", "count", json!({"count": 101})),
        ("getNotes", "maxChars", json!({"pageId": "p", "maxChars": 0})),
        ("getNotes", "pageId", json!({"pageId": "../x"})),
        ("getNotes", "notebookId", json!({"notebookId": "%2e%2e"})),
        ("getNotes", "sectionId", json!({"sectionId": "a/../b"})),
        ("getNotes", "arguments", json!({"pageId": "p", "sectionId": "s"})),
        ("getNotes", "arguments", json!({"notebookId": "n", "search": "x"})),
        ("getNotes", "search", json!({"search": "a\u{202E}b"})),
        ("getNotes", "cursor", json!({"cursor": "abc"})),
        ("saveNote", "content", json!({"pageId": "p"})),
        ("saveNote", "content", json!({"pageId": "p", "content": " "})),
        ("saveNote", "content", json!({"pageId": "p", "content": "a\u{0}"})),
        ("saveNote", "content", json!({"pageId": "p", "content": "a".repeat(500_001)})),
        ("saveNote", "contentType", json!({"pageId": "p", "content": "a", "contentType": "markdown"})),
        ("saveNote", "sectionId", json!({"content": "x"})),
        ("saveNote", "sectionId", json!({"sectionId": "../x", "title": "t", "content": "x"})),
        ("saveNote", "pageId", json!({"pageId": "..", "content": "x"})),
        ("saveNote", "pageId", json!({"pageId": "p", "sectionId": "s", "content": "x"})),
        ("saveNote", "title", json!({"sectionId": "s", "content": "x"})),
        ("saveNote", "title", json!({"pageId": "p", "title": "t", "content": "x"})),
        ("saveNote", "title", json!({"sectionId": "s", "title": "a\nb", "content": "x"})),
    ] {
        let desk = Desk::new();
        let report = desk.error(name, arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(report["hint"].as_str().unwrap().contains("Arguments that work: {"), "{report}");
        assert!(desk.asked().is_empty(), "{argument}: {:?}", desk.asked());
    }
}
