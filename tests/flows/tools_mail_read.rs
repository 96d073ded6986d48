//! Reading single mails.

use serde_json::{Value, json};

use super::tools_fake::{Desk, snapshot};

fn mail(id: &str, body: &str) -> Value {
    json!({"id": id, "subject": "s", "body": {"contentType": "text", "content": body}, "isDraft": false,
        "from": {"emailAddress": {"name": "Bo", "address": "bo@contoso.example"}}})
}

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let (one, two) = (json!({"ids": ["AAk/x="]}), json!({"ids": ["a", "b"], "mailbox": "sales@contoso.example"}));
    let mut all = Vec::new();
    for arguments in [one, two] {
        let desk = Desk::new();
        desk.answer(&json!({"id": "a", "responses": []}));
        desk.call("getEmail", arguments.clone()).await;
        all.push(json!({"arguments": arguments, "requests": desk.wire()}));
    }
    snapshot("get_email", &Value::Array(all));
}

#[tokio::test(flavor = "current_thread")]
async fn each_mail_of_a_batch_has_its_own_outcome() {
    let desk = Desk::new();
    desk.answer(&json!({"responses": [
        {"id": "1", "status": 404, "body": {"error": {"code": "ErrorItemNotFound", "message": "gone"}}},
        {"id": "0", "status": 200, "body": mail("a", "Yes.\n\nOn Monday Bo wrote:\n> No?")},
    ]}));
    let emails = desk.call("getEmail", json!({"ids": ["a", "b"]})).await["emails"].clone();
    assert_eq!((&emails[0]["body"], &emails[0]["quotedCut"]), (&json!("Yes."), &json!(true)));
    assert_eq!((&emails[1]["id"], &emails[1]["error"]["source"]), (&json!("b"), &json!("graph")));
}

#[tokio::test(flavor = "current_thread")]
async fn whom_a_mail_is_to_is_left_out_for_the_owner_of_the_mailbox_alone() {
    let to = |address: &str| {
        let mut one = mail("a", "x");
        one["toRecipients"] = json!([{"emailAddress": {"address": address}}]);
        one
    };
    for (mailbox, address, told) in [
        (None, "adele@contoso.example", false),
        (None, "sales@contoso.example", true),
        (Some("sales@contoso.example"), "sales@contoso.example", false),
        (Some("sales@contoso.example"), "adele@contoso.example", true),
    ] {
        let desk = Desk::answering(&[to(address)]);
        let arguments = match mailbox {
            Some(mailbox) => json!({"ids": ["a"], "mailbox": mailbox}),
            None => json!({"ids": ["a"]}),
        };
        let email = desk.call("getEmail", arguments).await["emails"][0].clone();
        assert_eq!(email.get("to").is_some(), told, "{mailbox:?} {address}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn who_has_no_mailbox_is_told_so() {
    let desk = Desk::new();
    desk.refuse(404, "MailboxNotEnabledForRESTAPI");
    let report = desk.error("getEmails", json!({})).await;
    assert!(report["hint"].as_str().unwrap().contains("no mailbox"), "{report}");
}

#[tokio::test(flavor = "current_thread")]
async fn another_mailbox_needs_its_own_scope() {
    let desk = Desk::granted("Mail.Read");
    let report = desk.error("getEmail", json!({"ids": ["a"], "mailbox": "sales@contoso.example"})).await;
    assert_eq!((&report["code"], &report["missingScope"]), (&json!("missingScope"), &json!("Mail.Read.Shared")));
    assert!(desk.asked().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    let eleven = vec!["a"; 11];
    for (argument, arguments) in [
        ("ids", json!({"ids": []})),
        ("ids", json!({"ids": eleven})),
        ("ids", json!({"ids": ["../users"]})),
        ("maxChars", json!({"ids": ["a"], "maxChars": 50_001})),
        ("mailbox", json!({"ids": ["a"], "mailbox": "../me"})),
    ] {
        let desk = Desk::new();
        let report = desk.error("getEmail", arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(desk.asked().is_empty());
    }
}
