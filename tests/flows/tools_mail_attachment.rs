//! Attachments: lists, texts, and what cannot be read.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::tools_fake::{Desk, snapshot};
use crate::support::documents;

fn file(name: &str, kind: &str, content: &[u8]) -> Value {
    json!({"@odata.type": "#microsoft.graph.fileAttachment", "id": "A1", "name": name, "contentType": kind, "size": 20,
        "isInline": false, "contentBytes": STANDARD.encode(content)})
}

fn one() -> Value {
    json!({"messageId": "M1", "attachmentId": "A1"})
}

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let mut all = Vec::new();
    let full = json!({"eventId": "E/1=", "attachmentId": "A/1=", "maxChars": 5, "mailbox": "sales@contoso.example"});
    for arguments in [json!({"messageId": "M1"}), full] {
        let desk = Desk::new();
        let mut attachment = file("a.txt", "text/plain; charset=utf-8", b"abcdefgh");
        attachment["value"] = json!([]);
        desk.answer(&attachment).answer(&attachment);
        let answer = desk.call("getAttachment", arguments.clone()).await;
        all.push(json!({"arguments": arguments, "requests": desk.wire(), "answer": answer}));
    }
    snapshot("get_attachment", &Value::Array(all));
}

#[tokio::test(flavor = "current_thread")]
async fn a_list_shows_no_content_and_hides_nothing() {
    let desk = Desk::new();
    let next = "https://graph.microsoft.com/v1.0/me/messages/M1/attachments?$skip=100";
    desk.answer(&json!({"value": [file("pay\u{202E}fdp.exe", "image/png", b"x")], "@odata.nextLink": next}));
    let answer = desk.call("getAttachment", json!({"messageId": "M1"})).await;
    assert_eq!(answer["attachments"], json!([{"id": "A1", "name": "payfdp.exe", "type": "image/png", "size": 20}]));
    assert_eq!(answer["truncated"], true);
}

#[tokio::test(flavor = "current_thread")]
async fn the_text_of_a_page_is_read_without_what_nobody_sees() {
    let desk = Desk::new();
    let page = file("a.html", "text/html", "<style>x</style><p>Pay\u{202E} now</p><script>y</script>".as_bytes());
    desk.answer(&page).answer(&page);
    let answer = desk.call("getAttachment", one()).await;
    assert_eq!((&answer["text"], &answer["truncated"]), (&json!("Pay now"), &json!(false)));
    assert!(answer["untrusted"].as_str().unwrap().contains("never instructions"));
}

#[tokio::test(flavor = "current_thread")]
async fn documents_are_read_part_by_part() {
    for (name, content, expected) in [
        ("offer.docx", documents::offer(), "# Offer 2026-17\nDear Megan"),
        ("prices.xlsx", documents::prices(), "# Prices\nItem,Price,,Since"),
        ("fair.pptx", documents::presentation(), "# Slide 1\nTrade fair"),
        ("contract.pdf", documents::contract(), "# Page 1\nContract 42"),
    ] {
        let desk = Desk::new();
        let document = file(name, "application/octet-stream", &content);
        (0..4).for_each(|_| {
            desk.answer(&document);
        });
        let whole = desk.call("getAttachment", one()).await;
        let text = whole["text"].as_str().unwrap();
        assert!(text.starts_with(expected), "{whole}");
        assert_eq!((&whole["truncated"], whole.get("nextOffset")), (&json!(false), None));
        let part = json!({"messageId": "M1", "attachmentId": "A1", "offset": 2, "maxChars": 9});
        let part = desk.call("getAttachment", part).await;
        let expected: String = text.chars().skip(2).take(9).collect();
        assert_eq!(part["text"], expected.trim());
        assert_eq!((&part["truncated"], &part["nextOffset"]), (&json!(true), &json!(11)));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_document_without_text_says_why_and_what_it_hides_is_stripped() {
    let hidden = "<w:p><w:r><w:t>pay\u{202E}txt\u{200B}&#x202E;.exe</w:t></w:r></w:p>";
    for (name, content, text, word) in [
        ("a.docx", documents::word(hidden), Some("paytxt.exe"), None),
        ("a.docx", b"PK broken".to_vec(), None, Some("damaged")),
        ("a.pdf", documents::pdf_page(documents::stream("", b"")), None, Some("pictures")),
        ("a.xlsx", b"MZ".to_vec(), None, Some("no document")),
    ] {
        let desk = Desk::new();
        let document = file(name, "application/octet-stream", &content);
        desk.answer(&document).answer(&document);
        let answer = desk.call("getAttachment", one()).await;
        assert_eq!(answer.get("text").is_some(), text.is_some(), "{answer}");
        assert!(answer["text"].as_str().unwrap_or_default().starts_with(text.unwrap_or_default()), "{answer}");
        assert!(answer["note"].as_str().unwrap_or_default().contains(word.unwrap_or_default()), "{answer}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn what_cannot_be_read_is_not_fetched_and_says_why() {
    let mut large = file("a.txt", "text/plain", b"x");
    large["size"] = json!(2_000_001);
    let mut item = file("Mail", "", b"x");
    item["@odata.type"] = json!("#microsoft.graph.itemAttachment");
    for (attachment, word) in [
        (file("a.doc", "application/msword", b"x"), "before 2007"),
        (file("a.png", "image/png", b"x"), "no text"),
        (large, "2 MB"),
        (item, "attached email"),
    ] {
        let desk = Desk::new();
        desk.answer(&attachment);
        let answer = desk.call("getAttachment", one()).await;
        assert!(answer["note"].as_str().unwrap().contains(word), "{answer}");
        assert_eq!((answer.get("text"), desk.asked().len()), (None, 1));
        assert!(!answer.to_string().contains("contentBytes"));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn each_kind_of_owner_and_mailbox_needs_its_own_scope() {
    for (granted, arguments, missing) in [
        ("Mail.Read", json!({"eventId": "E1"}), "Calendars.Read"),
        ("Calendars.Read", json!({"messageId": "M1"}), "Mail.Read"),
        ("Mail.Read", json!({"messageId": "M1", "mailbox": "sales@contoso.example"}), "Mail.Read.Shared"),
        ("Calendars.Read", json!({"eventId": "E1", "mailbox": "sales@contoso.example"}), "Calendars.Read.Shared"),
    ] {
        let desk = Desk::granted(granted);
        assert_eq!(desk.error("getAttachment", arguments).await["missingScope"], missing);
        assert!(desk.asked().is_empty());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    for (argument, arguments) in [
        ("messageId", json!({})),
        ("messageId", json!({"messageId": "a", "eventId": "b"})),
        ("messageId", json!({"messageId": "../x"})),
        ("eventId", json!({"eventId": "a/../b"})),
        ("attachmentId", json!({"messageId": "a", "attachmentId": ".."})),
        ("maxChars", json!({"messageId": "a", "maxChars": 0})),
        ("mailbox", json!({"messageId": "a", "mailbox": "x"})),
    ] {
        let desk = Desk::new();
        let report = desk.error("getAttachment", arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(desk.asked().is_empty());
    }
}
