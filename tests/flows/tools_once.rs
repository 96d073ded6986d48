//! At most once: what happens to mails, messages, events and meetings when answers are lost and calls come again.

use serde_json::{Value, json};

use super::tools_fake::Desk;

const SEND: &str = "POST /me/messages/D1/send";
const LOOK: &str = "GET /me/messages/D1?$select=id%2CisDraft";

fn mail(key: &str) -> Value {
    json!({"to": "adele@contoso.example", "subject": "Secret subject", "body": "Secret body", "idempotencyKey": key})
}

fn draft(is_draft: bool) -> Value {
    json!({"id": "D1", "isDraft": is_draft})
}

fn sends(desk: &Desk) -> usize {
    desk.asked().iter().filter(|asked| *asked == SEND || asked.ends_with("/sendMail")).count()
}

#[tokio::test(flavor = "current_thread")]
async fn a_mail_is_drafted_then_sent() {
    let desk = Desk::new();
    desk.answer(&draft(true)).accept();
    let answer = desk.call("sendEmail", mail("k")).await;
    assert_eq!((&answer["status"], &answer["recipients"]), (&json!("sent"), &json!(1)));
    assert_eq!(desk.asked(), ["POST /me/messages", SEND]);
}

#[tokio::test(flavor = "current_thread")]
async fn the_same_key_never_sends_twice() {
    let desk = Desk::new();
    desk.answer(&draft(true)).accept();
    desk.call("sendEmail", mail("k")).await;
    let again = desk.call("sendEmail", mail("k")).await;
    assert!(again["note"].as_str().unwrap().contains("nothing was sent now"), "{again}");
    assert_eq!(desk.asked().len(), 2);
    desk.answer(&draft(true)).accept();
    desk.call("sendEmail", mail("another")).await;
    assert_eq!(sends(&desk), 2);
}

/// What of a mail is looked for after doubt. Exchange keeps it with the copies that others get.
#[tokio::test(flavor = "current_thread")]
async fn no_other_mail_with_the_same_key_is_taken_for_this_one() {
    let reply = json!({"id": "M1", "body": "Thanks", "idempotencyKey": "k"});
    let mut other = mail("k");
    other["subject"] = json!("Another");
    let mut stamps = Vec::new();
    for (user, tool, arguments) in [
        (2, "sendEmail", mail("k")),
        (2, "sendEmail", mail("k")),
        (3, "sendEmail", mail("k")),
        (2, "sendEmail", other),
        (2, "replyToEmail", reply),
    ] {
        let mut desk = Desk::granted("Mail.ReadWrite Mail.Send");
        desk.caller.user.oid = uuid::Uuid::from_u128(user);
        desk.answer(&draft(true)).outcome(tool, arguments).await;
        let body = desk.wire()[0]["body"].clone();
        let message = if body["message"].is_null() { body } else { body["message"].clone() };
        stamps.push(message["singleValueExtendedProperties"][0]["value"].as_str().unwrap().to_owned());
    }
    assert_eq!(stamps.remove(0), stamps[0]);
    stamps.sort();
    stamps.dedup();
    assert_eq!(stamps.len(), 4);
}

#[tokio::test(flavor = "current_thread")]
async fn the_same_key_with_another_mail_is_refused() {
    let desk = Desk::new();
    desk.answer(&draft(true)).accept();
    desk.call("sendEmail", mail("k")).await;
    let mut other = mail("k");
    other["subject"] = json!("Another");
    let report = desk.error("sendEmail", other).await;
    assert!(report["message"].as_str().unwrap().starts_with("idempotencyKey: "), "{report}");
    let mut as_draft = mail("k");
    as_draft["mode"] = json!("draft");
    assert_eq!(desk.error("sendEmail", as_draft).await["code"], "invalidArgument");
    assert_eq!(sends(&desk), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn after_doubt_a_look_at_the_draft_says_that_it_went() {
    let desk = Desk::new();
    desk.answer(&draft(true)).doubt().answer(&draft(false));
    assert_eq!(desk.call("sendEmail", mail("k")).await["status"], "sent");
    assert_eq!(desk.asked(), ["POST /me/messages", SEND, LOOK]);
}

#[tokio::test(flavor = "current_thread")]
async fn doubt_that_stays_is_reported_and_the_retry_finds_out() {
    let desk = Desk::new();
    desk.answer(&draft(true)).doubt().answer(&draft(true)).answer(&draft(true));
    let report = desk.error("sendEmail", mail("k")).await;
    assert_eq!((&report["code"], &report["mayHaveActed"]), (&json!("outcomeUnknown"), &json!(true)));
    assert!(report["hint"].as_str().unwrap().contains("\"k\""), "{report}");
    desk.answer(&draft(false));
    assert_eq!(desk.call("sendEmail", mail("k")).await["status"], "sent");
    assert_eq!(sends(&desk), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_draft_that_stayed_is_sent_again_only_after_a_while() {
    let desk = Desk::new();
    desk.answer(&draft(true)).doubt().answer(&draft(true)).answer(&draft(true));
    desk.error("sendEmail", mail("k")).await;
    desk.answer(&draft(true));
    let report = desk.error("sendEmail", mail("k")).await;
    assert_eq!((&report["retryAfter"], sends(&desk)), (&json!(60), 1));
    desk.platform.clock.advance(60);
    desk.answer(&draft(true)).accept();
    assert_eq!(desk.call("sendEmail", mail("k")).await["status"], "sent");
    assert_eq!(sends(&desk), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn a_draft_that_is_gone_is_not_made_anew() {
    let desk = Desk::new();
    desk.answer(&draft(true)).doubt().doubt().doubt();
    desk.error("sendEmail", mail("k")).await;
    desk.platform.clock.advance(600);
    desk.refuse(404, "ErrorItemNotFound");
    let report = desk.error("sendEmail", mail("k")).await;
    assert_eq!((&report["code"], &report["retryable"]), (&json!("outcomeUnknown"), &json!(false)));
    assert_eq!(sends(&desk), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_lost_draft_is_looked_for_by_its_key() {
    let desk = Desk::new();
    desk.doubt().answer(&json!({"value": []}));
    let report = desk.error("sendEmail", mail("k")).await;
    assert_eq!(report["retryable"], true);
    assert!(
        desk.asked()[1].starts_with("GET /me/messages?$filter=singleValueExtendedProperties"),
        "{:?}",
        desk.asked()
    );
    desk.answer(&json!({"value": [draft(true)]})).accept();
    assert_eq!(desk.call("sendEmail", mail("k")).await["status"], "sent");
    let posts = desk.asked().iter().filter(|asked| *asked == "POST /me/messages").count();
    assert_eq!((posts, sends(&desk)), (1, 1));
}

#[tokio::test(flavor = "current_thread")]
async fn a_refused_send_leaves_a_draft_that_the_retry_sends() {
    let desk = Desk::new();
    desk.answer(&draft(true)).refuse(429, "ApplicationThrottled");
    assert_eq!(desk.error("sendEmail", mail("k")).await["code"], "ApplicationThrottled");
    desk.accept();
    desk.call("sendEmail", mail("k")).await;
    assert_eq!(desk.asked(), ["POST /me/messages", SEND, SEND]);
}

#[tokio::test(flavor = "current_thread")]
async fn two_calls_with_one_key_do_not_race() {
    let desk = Desk::new();
    desk.answer(&draft(true)).accept();
    let outcomes = futures_util::future::join(
        desk.run(&crate::agent::Action::Tool { name: "sendEmail".into(), arguments: mail("k").to_string() }),
        desk.error("sendEmail", mail("k")),
    )
    .await;
    assert_eq!(outcomes.0.get("isError"), None);
    assert_eq!(outcomes.1["code"], "inProgress");
    assert_eq!(sends(&desk), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_that_died_holds_its_key_only_for_a_while() {
    let desk = Desk::new();
    let action = crate::agent::Action::Tool { name: "sendEmail".into(), arguments: mail("k").to_string() };
    // Dropped while it waits for Graph, as by an eviction.
    assert_eq!(futures_util::FutureExt::now_or_never(desk.run(&action)), None);
    assert_eq!(desk.error("sendEmail", mail("k")).await["code"], "inProgress");
    desk.platform.clock.advance(300);
    desk.answer(&json!({"value": [draft(true)]})).accept();
    assert_eq!(desk.call("sendEmail", mail("k")).await["status"], "sent");
    assert_eq!(sends(&desk), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_key_is_forgotten_after_a_week() {
    let desk = Desk::new();
    desk.answer(&draft(true)).accept();
    desk.call("sendEmail", mail("k")).await;
    desk.platform.clock.advance(7 * 24 * 3600 + 1);
    desk.answer(&draft(true)).accept();
    desk.call("sendEmail", mail("k")).await;
    assert_eq!(sends(&desk), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn with_mail_send_alone_doubt_is_final() {
    let mut desk = Desk::granted("Mail.Send");
    desk.doubt();
    let report = desk.error("sendEmail", mail("k")).await;
    assert_eq!((&report["code"], &report["retryable"]), (&json!("outcomeUnknown"), &json!(false)));
    desk.platform.clock.advance(600);
    assert_eq!(desk.error("sendEmail", mail("k")).await["code"], "outcomeUnknown");
    // More permissions later do not make it safe either.
    desk.caller.scopes = crate::tools::scopes(crate::config::PresetSet::ALL, false).offered;
    assert_eq!(desk.error("sendEmail", mail("k")).await["code"], "outcomeUnknown");
    assert_eq!(desk.asked(), ["POST /me/sendMail"]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_mail_that_was_refused_may_be_corrected_under_its_key() {
    let desk = Desk::granted("Mail.Send");
    desk.refuse(400, "ErrorInvalidRecipients").accept();
    desk.error("sendEmail", mail("k")).await;
    assert_eq!(desk.call("sendEmail", mail("k")).await["status"], "sent");
}

#[tokio::test(flavor = "current_thread")]
async fn a_teams_message_is_never_posted_again_after_doubt() {
    let desk = Desk::new();
    let message = json!({"teamId": "t", "channelId": "c", "message": "x", "idempotencyKey": "k"});
    desk.doubt();
    assert_eq!(desk.error("sendTeamsMessage", message.clone()).await["mayHaveActed"], true);
    assert_eq!(desk.error("sendTeamsMessage", message).await["retryable"], false);
    assert_eq!(desk.asked().len(), 1);
    assert!(!desk.graph.seen.borrow()[0].idempotent);
}

#[tokio::test(flavor = "current_thread")]
async fn events_and_meetings_repeat_under_one_id() {
    let desk = Desk::new();
    let event =
        json!({"subject": "s", "start": "2026-03-02T09:00Z", "end": "2026-03-02T10:00Z", "idempotencyKey": "k"});
    desk.doubt().answer(&json!({"id": "E"}));
    let report = desk.error("createCalendarEvent", event.clone()).await;
    assert_eq!((&report["retryable"], &report["mayHaveActed"]), (&json!(true), &json!(true)));
    desk.call("createCalendarEvent", event.clone()).await;
    let ids: Vec<_> = desk.wire().iter().map(|request| request["body"]["transactionId"].clone()).collect();
    assert!(ids[0].is_string() && ids[0] == ids[1], "{ids:?}");
    let mut other = event;
    other["subject"] = json!("t");
    assert!(
        desk.error("createCalendarEvent", other).await["message"].as_str().unwrap().starts_with("idempotencyKey: ")
    );
}

#[tokio::test(flavor = "current_thread")]
async fn an_event_without_a_key_is_told_the_one_that_makes_its_retry_safe() {
    let desk = Desk::new();
    let mut event = json!({"subject": "s", "start": "2026-03-02T09:00Z", "end": "2026-03-02T10:00Z"});
    desk.doubt().answer(&json!({"id": "E"}));
    let report = desk.error("createCalendarEvent", event.clone()).await;
    let key = report["hint"].as_str().unwrap().split('"').nth(1).unwrap();
    event["idempotencyKey"] = json!(key);
    desk.call("createCalendarEvent", event).await;
    let ids: Vec<_> = desk.wire().iter().map(|request| request["body"]["transactionId"].clone()).collect();
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test(flavor = "current_thread")]
async fn an_event_that_was_changed_since_is_not_made_again_under_another_key() {
    let desk = Desk::new();
    desk.doubt().refuse(400, "ErrorDuplicateTransactionId");
    let event =
        json!({"subject": "s", "start": "2026-03-02T09:00Z", "end": "2026-03-02T10:00Z", "idempotencyKey": "k"});
    desk.error("createCalendarEvent", event.clone()).await;
    let report = desk.error("createCalendarEvent", event).await;
    assert_eq!((&report["code"], &report["retryable"]), (&json!("outcomeUnknown"), &json!(false)), "{report}");
    assert!(report["hint"].as_str().unwrap().contains("a new key makes a second one"), "{report}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_refused_event_may_be_corrected_under_its_key() {
    let desk = Desk::new();
    let event = |zone: &str| json!({"subject": "s", "start": "2026-03-02T09:00", "end": "2026-03-02T10:00", "timezone": zone, "idempotencyKey": "k"});
    desk.refuse(400, "TimeZoneNotSupportedException").answer(&json!({"id": "E"}));
    desk.error("createCalendarEvent", event("Mars/Base")).await;
    assert_eq!(desk.call("createCalendarEvent", event("Europe/Berlin")).await["status"], "created");
}

#[tokio::test(flavor = "current_thread")]
async fn nothing_is_sent_that_could_not_be_noted_first() {
    let desk = Desk::new();
    desk.ports.sql.exec("DROP TABLE idempotency", &[]).unwrap();
    assert_eq!(desk.error("sendEmail", mail("k")).await["code"], "storage");
    assert!(desk.asked().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn the_table_holds_no_text_of_a_mail() {
    let desk = Desk::new();
    desk.answer(&draft(true)).accept();
    desk.call("sendEmail", mail("the caller's own key")).await;
    let rows = format!("{:?}", desk.ports.sql.exec("SELECT * FROM idempotency", &[]).unwrap());
    assert!(rows.contains("D1"));
    for text in ["Secret", "adele", "the caller's own key"] {
        assert!(!rows.contains(text), "{rows}");
    }
}
