//! Times of answers: as the clocks of the mailbox's zone show them.

use serde_json::{Value, json};

use super::tools_fake::Desk;
use crate::agent::Action;

const ZONE: &str = "GET /me/mailboxSettings?$select=timeZone";

/// A desk whose mailbox has never been asked for its zone.
fn desk(answers: &[Value]) -> Desk {
    let desk = Desk::answering(answers);
    desk.ports.sql.exec("DELETE FROM mailbox_zone", &[]).unwrap();
    desk
}

fn mails(subject: &str) -> Value {
    json!({"value": [
        {"id": "1", "subject": subject, "receivedDateTime": "2026-03-02T06:23:10Z"},
        {"id": "2", "subject": subject, "receivedDateTime": "2026-07-02T22:23:10.1234567Z"},
    ]})
}

fn berlin() -> Value {
    json!({"timeZone": "W. Europe Standard Time"})
}

async fn received(desk: &Desk) -> Vec<String> {
    let answer = desk.call("getEmails", json!({})).await;
    let mails = answer["emails"].as_array().unwrap();
    mails.iter().map(|mail| mail["received"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "current_thread")]
async fn a_moment_is_told_in_the_mailboxs_zone_which_is_asked_for_once_an_hour() {
    let desk = desk(&[mails("a"), berlin(), mails("a")]);
    let local = ["2026-03-02T07:23+01:00", "2026-07-03T00:23+02:00"];
    assert_eq!(received(&desk).await, local);
    assert_eq!(received(&desk).await, local);
    assert_eq!(desk.asked().iter().filter(|asked| *asked == ZONE).count(), 1, "{:?}", desk.asked());
    desk.platform.clock.advance(3600);
    desk.answer(&mails("a")).answer(&json!({"timeZone": "UTC"}));
    assert_eq!(received(&desk).await, ["2026-03-02T06:23Z", "2026-07-02T22:23Z"]);
    desk.answer(&json!({})).answer(&mails("a")).answer(&berlin());
    desk.call("updateMailboxSettings", json!({"timezone": "Europe/Berlin"})).await;
    assert_eq!(received(&desk).await, local, "what the mailbox was before it was changed is forgotten");
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_that_names_a_zone_is_told_in_that() {
    let due = json!({"dateTime": "2026-03-03T00:00:00.0000000", "timeZone": "W. Europe Standard Time"});
    let task = json!({"id": "t", "title": "a", "dueDateTime": due, "lastModifiedDateTime": "2026-03-02T06:23:10Z"});
    let page = json!({"value": [task], "@odata.deltaLink": "https://graph.microsoft.com/v1.0/me/todo/lists/L/tasks/delta?$deltatoken=x"});
    let desk = desk(&[berlin(), page]);
    let answer = desk.call("getChanges", json!({"what": "tasks", "id": "L"})).await;
    let item = &answer["items"][0];
    assert_eq!((&item["when"], &item["due"]), (&json!("2026-03-02T07:23+01:00"), &json!("2026-03-03")));
    assert_eq!(desk.asked().len(), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn nothing_is_lost_where_the_zone_cannot_be_had() {
    let utc = ["2026-03-02T06:23:10Z", "2026-07-02T22:23:10.1234567Z"];
    let refused = desk(&[mails("a")]);
    refused.refuse(403, "ErrorAccessDenied").answer(&mails("a"));
    assert_eq!(received(&refused).await, utc);
    assert_eq!(received(&refused).await, utc);
    assert_eq!(refused.asked().len(), 3, "it is not asked again at once");
    refused.platform.clock.advance(300);
    refused.answer(&mails("a")).answer(&berlin());
    assert_eq!(received(&refused).await[0], "2026-03-02T07:23+01:00");

    let unheard = desk(&[mails("a"), json!({"timeZone": "Tatooine Standard Time"})]);
    assert_eq!(received(&unheard).await, utc);

    let mut narrow = desk(&[mails("a")]);
    narrow.caller.scopes = crate::identity::ScopeSet::parse_known("User.Read Mail.Read");
    assert_eq!(received(&narrow).await, utc);
    assert_eq!(narrow.asked().len(), 1, "the token is not good for the zone");

    let broken = desk(&[mails("a")]);
    broken.ports.sql.exec("DROP TABLE mailbox_zone", &[]).unwrap();
    assert_eq!(received(&broken).await, utc);
}

#[tokio::test(flavor = "current_thread")]
async fn texts_by_others_and_what_graph_says_by_itself_stay_as_they_are() {
    let subject = r#"","received":"2026-03-02T06:23:00Z"#;
    let hostile = desk(&[mails(subject), berlin()]);
    let answer = hostile.call("getEmails", json!({})).await;
    assert_eq!(answer["emails"][0]["subject"], subject);
    let own = json!({"received": "2026-03-02T06:23:10Z", "value": []});
    let raw = desk(&[own, berlin()]);
    let answer = raw.call("graphRequest", json!({"paths": ["/me/drive"]})).await;
    assert!(answer.to_string().contains("2026-03-02T06:23:10Z"), "{answer}");
    assert_eq!(raw.asked().len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_resource_is_told_like_an_answer() {
    let mail = json!({"id": "A", "subject": "a", "receivedDateTime": "2026-03-02T06:23:10Z"});
    let desk = desk(&[mail, berlin()]);
    let result = desk.run(&Action::Resource { uri: "microsoft://mail/A".into() }).await;
    assert!(result.to_string().contains("2026-03-02T07:23+01:00"), "{result}");
}
