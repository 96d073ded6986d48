//! Files on outgoing mail, and mail from a shared mailbox: what Graph gets, what never leaves, what a person agrees to.

use serde_json::{Value, json};

use super::tools_fake::{Desk, snapshot};
use crate::agent::{Called, ClientCapabilities};
use crate::ports::OutboundResponse;

const ADDRESS: &str = "https://contoso-my.sharepoint.com/personal/a/_layouts/15/download.aspx?tempauth=secret-ticket";

fn mail(attachments: &Value) -> Value {
    json!({"to": "bo@fabrikam.example", "subject": "Offer", "body": "Good morning", "attachments": attachments,
        "idempotencyKey": "k"})
}

fn notes(base64: &str) -> Value {
    json!([{"name": "notes.txt", "base64": base64}])
}

fn item(name: &str, size: u64) -> Value {
    json!({"id": "01F", "name": name, "size": size, "file": {"mimeType": "application/pdf"},
        "@microsoft.graph.downloadUrl": ADDRESS})
}

fn draft() -> Value {
    json!({"id": "D1", "isDraft": true})
}

/// What the contents' host answers next.
fn serve(desk: &Desk, body: &[u8]) {
    let response = OutboundResponse { status: 200, headers: Vec::new(), body: body.to_vec() };
    desk.platform.upstream.queue.borrow_mut().push_back(Ok(response));
}

fn fetched(desk: &Desk) -> usize {
    desk.platform.upstream.seen.borrow().len()
}

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let drive = json!({"driveId": "b!x", "itemId": "01F"});
    let renamed = json!({"itemId": "01F", "name": "Offer 2026.pdf"});
    let here = json!({"name": "notes.txt", "base64": "SGVsbG8="});
    let mut shared = mail(&json!([here, drive, renamed]));
    shared["mailbox"] = json!("sales@contoso.example");
    let update = json!({"id": "D/1=", "attachments": [here, drive], "mailbox": "sales@contoso.example"});
    let mut all = Vec::new();
    for (name, arguments, own) in [
        ("sendEmail", mail(&json!([here])), true),
        ("sendEmail", shared, false),
        ("updateDraft", json!({"id": "D1", "subject": "s", "attachments": [here]}), true),
        ("updateDraft", update, false),
        ("updateDraft", json!({"id": "D1", "removeAttachments": ["A/1=", "A2"]}), true),
    ] {
        let desk = Desk::new();
        if name == "updateDraft" {
            desk.answer(&draft());
        }
        if !own {
            desk.answer(&item("offer.pdf", 5));
            serve(&desk, b"%PDF-");
        }
        if !own && name == "sendEmail" {
            desk.answer(&item("offer.pdf", 5));
            serve(&desk, b"%PDF-");
        }
        desk.answer(&draft()).accept();
        let answer = desk.call(name, arguments.clone()).await;
        all.push(json!({"arguments": arguments, "requests": desk.wire(), "answer": answer}));
    }
    let desk = Desk::granted("Mail.Send");
    desk.accept();
    desk.call("sendEmail", mail(&json!([here]))).await;
    all.push(json!({"granted": "Mail.Send", "requests": desk.wire()}));
    snapshot("mail_attachments", &Value::Array(all));
}

#[tokio::test(flavor = "current_thread")]
async fn a_file_that_is_none_is_named_before_anything_leaves() {
    let hostile = [
        "",
        " ",
        ".",
        "..",
        "../a.pdf",
        "/etc/passwd",
        "a\\b.pdf",
        "C:evil.exe",
        "a.pdf:x.exe",
        "a\nb.pdf",
        "a\u{0}.pdf",
        "invoice\u{202E}fdp.exe",
        "a|b",
        "a<b>",
        "a?",
        "a*",
        "\"a\"",
    ];
    let long = "a".repeat(256);
    let names = hostile.iter().copied().chain([long.as_str()]);
    let names = names.map(|name| (json!([{"name": name, "base64": "SGVsbG8="}]), "attachments[0].name"));
    let base64s = ["", "SGVsbG8", "SGVsbG9=", "SGVs bG8=", "SGVsbG8=\n", "-_-_", "data:text/plain;base64,SGVsbG8="];
    let base64s = base64s.map(|text| (notes(text), "attachments[0].base64"));
    let file = json!({"name": "a", "base64": "SGVsbG8="});
    let others = [
        (json!([{"name": "a.txt"}]), "attachments[0]"),
        (json!([{"base64": "SGVsbG8="}]), "attachments[0]"),
        (json!([{"name": "a", "base64": "SGVsbG8=", "itemId": "01F"}]), "attachments[0]"),
        (json!([{"name": "a", "base64": "SGVsbG8=", "driveId": "b!x"}]), "attachments[0]"),
        (json!([{"driveId": "b!x"}]), "attachments[0]"),
        (json!([file, {"itemId": "../x"}]), "attachments[1].itemId"),
        (json!([{"itemId": "root"}]), "attachments[0].itemId"),
        (json!([{"itemId": "root:/a:"}]), "attachments[0].itemId"),
        (json!([{"itemId": "01F", "driveId": "a/../b"}]), "attachments[0].driveId"),
        (json!([{"itemId": "01F", "name": "../x"}]), "attachments[0].name"),
        (json!([{"name": "a", "base64": "SGVsbG8=", "url": "https://x.example"}]), "attachments[0]"),
        (json!(vec![&file; 11]), "attachments"),
        (json!("a.txt"), "attachments"),
    ];
    for (attachments, argument) in names.chain(base64s).chain(others) {
        for (tool, arguments) in
            [("sendEmail", mail(&attachments)), ("updateDraft", json!({"id": "D1", "attachments": attachments}))]
        {
            let desk = Desk::new();
            let report = desk.error(tool, arguments).await;
            let message = report["message"].as_str().unwrap();
            assert!(message.starts_with(argument) && report["code"] == "invalidArgument", "{attachments}: {message}");
            assert!(desk.asked().is_empty() && fetched(&desk) == 0);
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn all_files_together_are_bounded_wherever_they_come_from() {
    // 0.6 MB, and 0.6 MB.
    let half = "QUFB".repeat(200_000);
    let desk = Desk::new();
    let report =
        desk.error("sendEmail", mail(&json!([{"name": "a", "base64": half}, {"name": "b", "base64": half}]))).await;
    let message = report["message"].as_str().unwrap();
    assert!(message.starts_with("attachments[1].base64: ") && message.contains("itemId"), "{message}");
    assert!(desk.asked().is_empty());
    for (size, fetches) in [(2_000_000, 0), (5, 1)] {
        let desk = Desk::new();
        desk.answer(&item("b.pdf", size));
        serve(&desk, &vec![0; 2_000_000]);
        let files = json!([{"name": "a", "base64": half}, {"itemId": "01F"}]);
        let message = desk.error("sendEmail", mail(&files)).await["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with("attachments[1].itemId: ") && message.contains("shareFile"), "{message}");
        assert_eq!((desk.asked().len(), fetched(&desk)), (1, fetches));
    }
    let desk = Desk::new();
    desk.answer(&draft()).accept();
    assert_eq!(desk.call("sendEmail", mail(&json!([{"name": "a", "base64": half}]))).await["status"], "sent");
}

#[tokio::test(flavor = "current_thread")]
async fn an_item_that_is_no_file_or_has_a_hostile_name_goes_nowhere() {
    let mut folder = item("Reports", 5);
    folder["folder"] = json!({});
    folder.as_object_mut().unwrap().remove("file");
    let mut elsewhere = item("a.pdf", 5);
    elsewhere["@microsoft.graph.downloadUrl"] = json!("https://evil.example/x");
    for (found, told, fetches) in [
        (folder, "attachments[0].itemId: not a file", 0),
        (elsewhere, "host that keeps no files", 0),
        (item("invoice\u{202E}fdp.exe", 5), "attachments[0].itemId: ", 1),
    ] {
        let desk = Desk::new();
        desk.answer(&found);
        serve(&desk, b"%PDF-");
        let report = desk.error("sendEmail", mail(&json!([{"itemId": "01F"}]))).await;
        assert!(report["message"].as_str().unwrap().contains(told), "{report}");
        assert_eq!((desk.asked().len(), fetched(&desk)), (1, fetches));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_server_that_may_not_fetch_attaches_nothing_from_a_drive() {
    let desk = Desk::configured(&[("TOOL_PRESETS", "all"), ("FILE_CONTENT", "off")]);
    let files = json!([{"itemId": "01F"}]);
    for (tool, arguments) in [("sendEmail", mail(&files)), ("updateDraft", json!({"id": "D1", "attachments": files}))] {
        let report = desk.error(tool, arguments).await;
        assert!(report["message"].as_str().unwrap().contains("shareFile"), "{report}");
    }
    assert_eq!((desk.asked().len(), fetched(&desk)), (0, 0));
}

#[tokio::test(flavor = "current_thread")]
async fn drives_and_other_mailboxes_need_their_own_scopes() {
    let mut shared = mail(&json!([]));
    shared["mailbox"] = json!("sales@contoso.example");
    let mut shared_draft = shared.clone();
    shared_draft["mode"] = json!("draft");
    for (granted, arguments, missing) in [
        ("Mail.Send", mail(&json!([{"itemId": "01F"}])), "Files.Read"),
        ("Mail.Send Files.Read", mail(&json!([{"itemId": "01F", "driveId": "b!x"}])), "Files.Read.All"),
        ("Mail.Send Mail.Send.Shared", shared.clone(), "Mail.ReadWrite.Shared"),
        ("Mail.Send Mail.ReadWrite.Shared", shared, "Mail.Send.Shared"),
        ("Mail.ReadWrite", shared_draft, "Mail.ReadWrite.Shared"),
    ] {
        let desk = Desk::granted(granted);
        assert_eq!(desk.error("sendEmail", arguments).await["missingScope"], missing, "{granted}");
        assert!(desk.asked().is_empty());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_shared_mailbox_is_one_address_of_its_own() {
    for wrong in ["../me", "sales", "", "a@b.example,c@d.example"] {
        let desk = Desk::new();
        let mut arguments = mail(&json!([]));
        arguments["mailbox"] = json!(wrong);
        let report = desk.error("sendEmail", arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with("mailbox: "), "{report}");
        assert!(desk.asked().is_empty());
    }
    let desk = Desk::new();
    desk.answer(&draft()).accept();
    desk.call("sendEmail", mail(&json!([]))).await;
    let mut shared = mail(&json!([]));
    shared["mailbox"] = json!("sales@contoso.example");
    let report = desk.error("sendEmail", shared).await;
    assert!(report["message"].as_str().unwrap().starts_with("idempotencyKey: "), "{report}");
}

#[tokio::test(flavor = "current_thread")]
async fn the_same_key_with_other_bytes_is_refused() {
    let desk = Desk::new();
    desk.answer(&draft()).accept();
    desk.call("sendEmail", mail(&notes("SGVsbG8="))).await;
    assert!(desk.call("sendEmail", mail(&notes("SGVsbG8="))).await["note"].as_str().unwrap().contains("earlier"));
    let report = desk.error("sendEmail", mail(&notes("SGVsbG9v"))).await;
    assert!(report["message"].as_str().unwrap().starts_with("idempotencyKey: "), "{report}");
    assert_eq!(desk.asked().len(), 2);
}

/// The form that a call ends with.
async fn form(arguments: &Value) -> String {
    let mut desk = Desk::configured(&[("TOOL_PRESETS", "all"), ("SEND_POLICY", "confirm=always")]);
    desk.client.capabilities = ClientCapabilities(ClientCapabilities::ELICITATION);
    let called = desk.tool("sendEmail", arguments.clone()).await;
    let Called::InputRequired { requests, .. } = called else { panic!("{called:?}") };
    requests[0].params["message"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "current_thread")]
async fn g2_who_agrees_sees_the_files_and_the_mailbox_and_agrees_to_these_bytes() {
    let one = form(&mail(&notes("SGVsbG8="))).await;
    let (shown, digest) = one.rsplit_once(": ").unwrap();
    assert_eq!(
        shown,
        "Send this mail?\nTo: bo@fabrikam.example (OUTSIDE)\nSubject: Offer\nAttached (1): notes.txt\n> Good \
         morning\nDigest of all of it"
    );
    let other = form(&mail(&notes("SGVsbG9v"))).await;
    assert_eq!(other.rsplit_once(": ").unwrap().0, shown);
    assert_ne!(other.rsplit_once(": ").unwrap().1, digest);
    let mut shared = mail(&notes("SGVsbG8="));
    shared["mailbox"] = json!("sales@contoso.example");
    let shared = form(&shared).await;
    assert!(shared.starts_with("Send this mail from sales@contoso.example?\n"), "{shared}");
    assert_ne!(shared.rsplit_once(": ").unwrap().1, digest);
}

#[tokio::test(flavor = "current_thread")]
async fn nothing_is_fetched_for_a_mail_that_may_not_go_out() {
    let desk = Desk::configured(&[("TOOL_PRESETS", "all"), ("SEND_POLICY", "domains=contoso.example")]);
    let report = desk.error("sendEmail", mail(&json!([{"itemId": "01F"}]))).await;
    assert_eq!(report["code"], "sendPolicy");
    assert_eq!((desk.asked().len(), fetched(&desk)), (0, 0));
}

#[tokio::test(flavor = "current_thread")]
async fn a_draft_to_which_only_some_was_added_says_what() {
    let files = json!([{"name": "a", "base64": "SGVsbG8="}, {"name": "b", "base64": "SGVsbG8="},
        {"name": "c", "base64": "SGVsbG8="}]);
    let desk = Desk::new();
    desk.answer(&draft()).answer(&json!({})).doubt();
    let told = desk.call("updateDraft", json!({"id": "D1", "attachments": files})).await;
    assert_eq!(
        (&told["status"], &told["attached"], &told["changed"]),
        (&json!("partly"), &json!(["a"]), &json!(false))
    );
    assert_eq!((&told["notAttached"], &told["error"]["mayHaveActed"]), (&json!(["b", "c"]), &json!(true)), "{told}");
    assert_eq!(desk.asked().len(), 3, "nothing is added again by itself");
    let desk = Desk::new();
    desk.answer(&draft()).answer(&json!({})).refuse(413, "ErrorMessageSizeExceeded");
    let told = desk.call("updateDraft", json!({"id": "D1", "subject": "s", "attachments": files})).await;
    assert_eq!((&told["changed"], &told["attached"]), (&json!(true), &json!([])), "{told}");
    let desk = Desk::new();
    desk.answer(&draft()).refuse(413, "ErrorMessageSizeExceeded");
    assert_eq!(
        desk.error("updateDraft", json!({"id": "D1", "attachments": files})).await["code"],
        "ErrorMessageSizeExceeded"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn what_was_taken_off_before_a_failure_is_not_told_as_if_nothing_had_been_done() {
    let take_off = json!({"id": "D1", "removeAttachments": ["A1"], "subject": "s", "attachments": [{"name": "a", "base64": "SGVsbG8="}]});
    let desk = Desk::new();
    desk.answer(&draft()).accept().refuse(400, "ErrorInvalidRequest");
    let told = desk.call("updateDraft", take_off.clone()).await;
    assert_eq!((&told["status"], &told["notAttached"]), (&json!("partly"), &json!(["a"])), "{told}");
    let desk = Desk::new();
    desk.answer(&draft()).refuse(404, "ErrorItemNotFound");
    let report = desk.error("updateDraft", take_off).await;
    assert!(report["message"].as_str().unwrap().starts_with("removeAttachments: the draft has none"), "{report}");
    assert_eq!(desk.asked().len(), 2, "nothing else is done then");
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_with_attachments_says_how_it_is_done() {
    let desk = Desk::new();
    let report = desk.error("replyToEmail", json!({"id": "M", "body": "b", "attachments": [{"name": "a"}]})).await;
    assert!(report["message"].as_str().unwrap().contains("mode=draft, then updateDraft"), "{report}");
    assert!(desk.asked().is_empty());
}
