//! Answering, forwarding, changing and sending drafts: the right text to the right people, and once.

use serde_json::{Value, json};

use super::tools_fake::{Desk, snapshot};

const HISTORY: &str = "<html><body><hr><p>old</p></body></html>";
const MAKE: &str = "POST /me/messages/M1/createReply";
const CHANGE: &str = "PATCH /me/messages/D1";
const SEND: &str = "POST /me/messages/D1/send";
const LOOK: &str = "GET /me/messages/D1?$select=id%2CisDraft";

/// Somebody whose mailbox cannot be asked for its zone, which is one request less.
fn zoneless() -> Desk {
    Desk::granted("Mail.ReadWrite Mail.Send Mail.ReadWrite.Shared Mail.Send.Shared")
}

fn party(address: &str) -> Value {
    json!({"emailAddress": {"name": "x", "address": address}})
}

/// What Graph makes of an answer before anybody wrote into it.
fn derived() -> Value {
    json!({"id": "D1", "isDraft": true, "body": {"contentType": "html", "content": HISTORY},
        "toRecipients": [party("bo@contoso.example")], "ccRecipients": []})
}

fn look(is_draft: bool) -> Value {
    json!({"id": "D1", "isDraft": is_draft})
}

fn reply(key: &str) -> Value {
    json!({"id": "M1", "body": "Thanks", "idempotencyKey": key})
}

fn sends(desk: &Desk) -> usize {
    desk.asked().iter().filter(|asked| asked.ends_with("/send")).count()
}

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let mut all = Vec::new();
    let full = json!({"id": "M/1=", "kind": "forward", "body": "See\nbelow <", "contentType": "text",
        "to": ["cy@contoso.example"], "cc": "di@contoso.example", "mode": "draft",
        "mailbox": "sales@contoso.example", "idempotencyKey": "k"});
    for arguments in [
        reply("k"),
        json!({"id": "M1", "kind": "replyAll", "body": "x", "to": "BO@contoso.example;ed@contoso.example",
        "idempotencyKey": "k"}),
        full,
    ] {
        let desk = zoneless();
        desk.answer(&derived()).answer(&derived()).accept();
        let answer = desk.call("replyToEmail", arguments.clone()).await;
        all.push(json!({"arguments": arguments, "requests": desk.wire(), "answer": answer}));
    }
    snapshot("reply_to_email", &Value::Array(all));
    let mut all = Vec::new();
    let full = json!({"id": "D/1=", "to": ["bo@contoso.example"], "cc": [], "bcc": "cy@contoso.example", "subject": "s",
        "body": "x\ny", "contentType": "text", "mailbox": "sales@contoso.example"});
    for arguments in [json!({"id": "D1", "subject": "s"}), full] {
        let desk = zoneless();
        desk.answer(&look(true));
        desk.call("updateDraft", arguments.clone()).await;
        all.push(json!({"arguments": arguments, "requests": desk.wire()}));
    }
    snapshot("update_draft", &Value::Array(all));
    let mut all = Vec::new();
    for arguments in [json!({"id": "D1"}), json!({"id": "D/1=", "mailbox": "sales@contoso.example"})] {
        let desk = zoneless();
        desk.answer(&look(true)).accept();
        desk.call("sendDraft", arguments.clone()).await;
        all.push(json!({"arguments": arguments, "requests": desk.wire()}));
    }
    snapshot("send_draft", &Value::Array(all));
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_is_made_completed_and_sent() {
    let desk = zoneless();
    desk.answer(&derived()).answer(&derived()).accept();
    let answer = desk.call("replyToEmail", reply("k")).await;
    assert_eq!((&answer["status"], &answer["to"]), (&json!("sent"), &json!(["bo@contoso.example"])));
    assert_eq!(desk.asked(), [MAKE, CHANGE, SEND]);
    let body = desk.wire()[1]["body"]["body"]["content"].clone();
    assert_eq!(body, "<html><body><div>Thanks</div><br><hr><p>old</p></body></html>");
}

#[tokio::test(flavor = "current_thread")]
async fn the_history_is_quoted_in_the_mailboxs_zone() {
    for kind in ["reply", "forward"] {
        let desk = Desk::answering(&[json!({"timeZone": "W. Europe Standard Time"}), derived(), derived()]);
        let mut arguments = reply("k");
        (arguments["kind"], arguments["to"]) = (json!(kind), json!("bo@contoso.example"));
        desk.accept().call("replyToEmail", arguments).await;
        let prefer = desk.wire()[1]["headers"][0].clone();
        assert_eq!(prefer, "prefer: IdType=\"ImmutableId\", outlook.timezone=\"W. Europe Standard Time\"");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_same_key_never_answers_twice() {
    let desk = zoneless();
    desk.answer(&derived()).answer(&derived()).accept();
    desk.call("replyToEmail", reply("k")).await;
    let again = desk.call("replyToEmail", reply("k")).await;
    assert!(again["note"].as_str().unwrap().contains("nothing was sent now"), "{again}");
    assert_eq!(desk.asked().len(), 3);
    let mut other = reply("k");
    other["kind"] = json!("replyAll");
    let report = desk.error("replyToEmail", other).await;
    assert!(report["message"].as_str().unwrap().starts_with("idempotencyKey: "), "{report}");
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_that_could_not_be_completed_is_never_sent() {
    let desk = zoneless();
    desk.answer(&derived()).refuse(503, "ServiceUnavailable");
    desk.error("replyToEmail", reply("k")).await;
    assert_eq!(desk.asked(), [MAKE, CHANGE]);
    // The retry cannot know what stands in the first draft: it makes another.
    desk.answer(&json!({"value": [look(true)]})).accept().answer(&derived()).answer(&derived()).accept();
    assert_eq!(desk.call("replyToEmail", reply("k")).await["status"], "sent");
    assert!(desk.asked()[2].starts_with("GET /me/messages?$filter=singleValueExtendedProperties"));
    assert_eq!(desk.asked()[3..], ["DELETE /me/messages/D1", MAKE, CHANGE, SEND]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_draft_that_cannot_be_read_loses_neither_history_nor_recipients() {
    for member in ["body", "toRecipients"] {
        let desk = zoneless();
        let mut draft = derived();
        draft.as_object_mut().unwrap().remove(member);
        desk.answer(&draft);
        let mut arguments = reply("k");
        arguments["to"] = json!("ed@contoso.example");
        assert_eq!(desk.error("replyToEmail", arguments).await["code"], "UnreadableAnswer");
        assert_eq!(desk.asked(), [MAKE]);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_whose_making_is_in_doubt_is_looked_for() {
    let desk = zoneless();
    desk.doubt().answer(&json!({"value": [look(true)]})).answer(&derived()).answer(&derived()).accept();
    assert_eq!(desk.call("replyToEmail", reply("k")).await["status"], "sent");
    assert_eq!(desk.asked()[2..], ["GET /me/messages/D1", CHANGE, SEND]);
}

#[tokio::test(flavor = "current_thread")]
async fn after_doubt_a_look_at_the_answer_says_that_it_went() {
    let desk = zoneless();
    desk.answer(&derived()).answer(&derived()).doubt().answer(&look(false));
    assert_eq!(desk.call("replyToEmail", reply("k")).await["status"], "sent");
    assert_eq!(desk.asked()[2..], [SEND, LOOK]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_draft_is_sent_once_whoever_asks_again() {
    let desk = zoneless();
    desk.answer(&look(true)).accept();
    for _ in 0..2 {
        assert_eq!(desk.call("sendDraft", json!({"id": "D1"})).await["status"], "sent");
    }
    assert_eq!(desk.asked(), [LOOK, SEND]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_draft_that_was_sent_elsewhere_is_not_sent_again() {
    let desk = zoneless();
    desk.answer(&look(false));
    let answer = desk.call("sendDraft", json!({"id": "D1"})).await;
    assert!(answer["note"].as_str().unwrap().contains("before"), "{answer}");
    assert_eq!(desk.asked(), [LOOK]);
    let desk = zoneless();
    desk.answer(&look(true)).refuse(403, "ErrorQuota").answer(&look(false));
    desk.error("sendDraft", json!({"id": "D1"})).await;
    desk.call("sendDraft", json!({"id": "D1"})).await;
    assert_eq!(desk.asked(), [LOOK, SEND, LOOK]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_draft_in_doubt_is_looked_at_before_it_is_sent_again() {
    let desk = zoneless();
    desk.answer(&look(true)).doubt().answer(&look(true)).answer(&look(true));
    let report = desk.error("sendDraft", json!({"id": "D1"})).await;
    assert_eq!((&report["code"], &report["retryable"]), (&json!("outcomeUnknown"), &json!(true)));
    assert!(!report["hint"].as_str().unwrap().contains("idempotencyKey"), "{report}");
    desk.answer(&look(false));
    desk.call("sendDraft", json!({"id": "D1"})).await;
    assert_eq!(sends(&desk), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn with_mail_send_alone_a_draft_goes_out_once_and_doubt_is_final() {
    let desk = Desk::granted("Mail.Send");
    desk.doubt();
    for _ in 0..2 {
        let report = desk.error("sendDraft", json!({"id": "D1"})).await;
        assert_eq!((&report["code"], &report["retryable"]), (&json!("outcomeUnknown"), &json!(false)), "{report}");
    }
    assert_eq!(desk.asked(), [SEND]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_draft_that_is_none_is_named_as_such() {
    let desk = zoneless();
    desk.refuse(404, "ErrorItemNotFound");
    let report = desk.error("sendDraft", json!({"id": "D1"})).await;
    assert!(report["message"].as_str().unwrap().starts_with("id: "), "{report}");
    let desk = zoneless();
    desk.answer(&look(false));
    let report = desk.error("updateDraft", json!({"id": "D1", "subject": "s"})).await;
    assert!(report["message"].as_str().unwrap().starts_with("id: "), "{report}");
    assert_eq!(desk.asked(), [LOOK]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    for (tool, argument, arguments) in [
        ("replyToEmail", "id", json!({"id": "../x", "body": "b"})),
        ("replyToEmail", "body", json!({"id": "a", "body": " "})),
        ("replyToEmail", "body", json!({"id": "a", "body": "a\u{202E}b"})),
        ("replyToEmail", "kind", json!({"id": "a", "body": "b", "kind": "answer"})),
        ("replyToEmail", "to", json!({"id": "a", "body": "b", "kind": "forward"})),
        ("replyToEmail", "to", json!({"id": "a", "body": "b", "to": "bo"})),
        ("replyToEmail", "cc", json!({"id": "a", "body": "b", "cc": ["bo@contoso.example\r\nBcc: x@y.example"]})),
        ("replyToEmail", "mailbox", json!({"id": "a", "body": "b", "mailbox": "../me"})),
        ("updateDraft", "id", json!({"id": "a/../b", "subject": "s"})),
        ("updateDraft", "subject", json!({"id": "a"})),
        ("updateDraft", "removeAttachments", json!({"id": "a", "removeAttachments": ["a/../b"]})),
        ("updateDraft", "removeAttachments", json!({"id": "a", "removeAttachments": []})),
        ("updateDraft", "subject", json!({"id": "a", "subject": "a\r\nb"})),
        ("updateDraft", "contentType", json!({"id": "a", "subject": "s", "contentType": "text"})),
        ("updateDraft", "bcc", json!({"id": "a", "bcc": ["bo"]})),
        ("sendDraft", "id", json!({"id": ""})),
        ("sendDraft", "id", json!({})),
    ] {
        let desk = zoneless();
        let report = desk.error(tool, arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(desk.asked().is_empty());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn sending_and_other_mailboxes_need_their_own_scopes() {
    for (granted, tool, arguments, missing) in [
        ("Mail.ReadWrite", "replyToEmail", json!({"id": "a", "body": "b"}), "Mail.Send"),
        (
            "Mail.ReadWrite Mail.Send Mail.ReadWrite.Shared",
            "replyToEmail",
            json!({"id": "a", "body": "b", "mailbox": "sales@contoso.example"}),
            "Mail.Send.Shared",
        ),
        ("Mail.Send", "sendDraft", json!({"id": "a", "mailbox": "sales@contoso.example"}), "Mail.Send.Shared"),
        (
            "Mail.ReadWrite",
            "updateDraft",
            json!({"id": "a", "subject": "s", "mailbox": "sales@contoso.example"}),
            "Mail.ReadWrite.Shared",
        ),
    ] {
        let desk = Desk::granted(granted);
        assert_eq!(desk.error(tool, arguments).await["missingScope"], missing, "{tool}");
        assert!(desk.asked().is_empty());
    }
}
