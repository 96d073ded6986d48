//! The person's word: what is shown, what counts as yes, and to what it is bound.

use serde_json::{Value, json};

use super::mcp_rig::{Client, MODERN};
use super::mcp_scene::json as body;
use super::policy::{anything, desk, mail, writes};
use super::tools_fake::Desk;
use super::world::World;
use crate::agent::{Called, ClientCapabilities, InputAnswer};

fn asking(policy: &str) -> Desk {
    let mut desk = desk(policy);
    desk.client.capabilities = ClientCapabilities(ClientCapabilities::ELICITATION);
    desk
}

/// Runs a call up to its question; the form's text.
async fn question(desk: &mut Desk, name: &str, arguments: &Value) -> String {
    let called = desk.tool(name, arguments.clone()).await;
    let Called::InputRequired { requests, dialogue } = called else { panic!("{called:?}") };
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].params["requestedSchema"]["required"], json!(["agree"]));
    desk.client.dialogue = dialogue;
    requests[0].params["message"].as_str().unwrap().to_owned()
}

fn answer(desk: &mut Desk, result: &Value) {
    desk.client.dialogue.take("agree", InputAnswer::Result(result.to_string()));
}

fn yes() -> Value {
    json!({"action": "accept", "content": {"agree": true}})
}

fn sent(desk: &Desk) -> usize {
    desk.asked().iter().filter(|asked| asked.ends_with("/send")).count()
}

#[tokio::test(flavor = "current_thread")]
async fn a_mail_is_shown_before_anything_is_done_and_sent_on_a_yes() {
    let mut desk = asking("");
    let mail = mail(&json!(["adele@contoso.example", "bo@fabrikam.example"]));
    let form = question(&mut desk, "sendEmail", &mail).await;
    let (shown, digest) = form.rsplit_once(": ").unwrap();
    assert_eq!(
        shown,
        "Send this mail?\nTo: bo@fabrikam.example (OUTSIDE), adele@contoso.example\nSubject: Offer\n> Good morning\n\
         Digest of all of it"
    );
    assert_eq!(digest.len(), 16);
    assert!(desk.asked().is_empty(), "nothing was done yet");
    answer(&mut desk, &yes());
    assert_eq!(desk.call("sendEmail", mail).await["status"], "sent");
    assert_eq!(writes(&desk), ["POST /me/messages", "POST /me/messages/D1/send"]);
}

#[tokio::test(flavor = "current_thread")]
async fn g2_nothing_but_an_explicit_yes_is_a_yes() {
    for (result, code) in [
        (json!({"action": "decline"}), "declined"),
        (json!({"action": "cancel"}), "declined"),
        (json!({"action": "accept"}), "declined"),
        (json!({"action": "accept", "content": {}}), "declined"),
        (json!({"action": "accept", "content": {"agree": false}}), "declined"),
        (json!({"action": "accept", "content": {"agree": "true"}}), "declined"),
        (json!({"action": "accept", "content": {"agree": 1}}), "declined"),
        (json!({"action": "decline", "content": {"agree": true}}), "declined"),
        (json!({"action": "agree", "content": {"agree": true}}), "notAnswered"),
        (json!({"content": {"agree": true}}), "notAnswered"),
        (json!(true), "notAnswered"),
    ] {
        let mut desk = asking("");
        let mail = mail(&json!("bo@fabrikam.example"));
        question(&mut desk, "sendEmail", &mail).await;
        answer(&mut desk, &result);
        assert_eq!(desk.error("sendEmail", mail).await["code"], code, "{result}");
        assert!(desk.asked().is_empty(), "{result}: a mail that was declined is kept as nothing");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn g2_one_answer_sends_once_however_often_it_comes() {
    for (name, arguments, sending) in [
        ("sendEmail", mail(&json!("bo@fabrikam.example")), "/send"),
        ("sendTeamsMessage", json!({"teamId": "t", "channelId": "c", "message": "m"}), "/messages"),
        ("updateCalendarEvent", json!({"id": "E", "subject": "Later"}), "/events/E"),
        ("respondToEvent", json!({"id": "E", "response": "accept"}), "/accept"),
    ] {
        let mut desk = asking("");
        question(&mut desk, name, &arguments).await;
        answer(&mut desk, &yes());
        for _ in 0..3 {
            desk.call(name, arguments.clone()).await;
        }
        let count = writes(&desk).iter().filter(|asked| asked.ends_with(sending)).count();
        assert_eq!(count, 1, "{name}: {:?}", desk.asked());
    }
    // An event's repetition is harmless by its transaction.
    let mut desk = asking("");
    let event = json!({"subject": "s", "start": "2026-03-02T09:00Z", "end": "2026-03-02T10:00Z",
        "attendees": ["bo@fabrikam.example"]});
    question(&mut desk, "createCalendarEvent", &event).await;
    answer(&mut desk, &yes());
    for _ in 0..2 {
        desk.call("createCalendarEvent", event.clone()).await;
    }
    let ids: Vec<_> = desk.wire().iter().map(|request| request["body"]["transactionId"].clone()).collect();
    assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn g2_who_agreed_to_one_mail_did_not_agree_to_another() {
    let one = mail(&json!("bo@fabrikam.example"));
    for (name, changed) in [
        ("to", json!("evil@evil.example")),
        ("bcc", json!("evil@evil.example")),
        ("subject", json!("Another")),
        ("body", json!("<p>Good morning </p>")),
        ("contentType", json!("text")),
    ] {
        let mut desk = asking("");
        question(&mut desk, "sendEmail", &one).await;
        answer(&mut desk, &yes());
        let mut other = one.clone();
        other[name] = changed;
        question(&mut desk, "sendEmail", &other).await;
        assert!(desk.asked().is_empty(), "{name}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn g2_who_agreed_to_one_event_agreed_neither_to_a_series_nor_to_another_calendar() {
    let one = json!({"subject": "s", "start": "2026-03-02T09:00", "end": "2026-03-02T10:00", "timezone": "Europe/Berlin",
        "attendees": ["bo@fabrikam.example"]});
    for (name, changed, said) in [
        ("recurrence", "FREQ=DAILY", "> Repeats: FREQ=DAILY"),
        ("mailbox", "megan@contoso.example", "> In the calendar of megan@contoso.example"),
        ("calendarId", "AAMk=", ""),
    ] {
        let mut desk = asking("");
        question(&mut desk, "createCalendarEvent", &one).await;
        answer(&mut desk, &yes());
        let mut other = one.clone();
        other[name] = json!(changed);
        let form = question(&mut desk, "createCalendarEvent", &other).await;
        assert!(form.contains(said) && form.contains("Invited: bo@fabrikam.example"), "{form}");
        assert!(desk.asked().is_empty(), "{name}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn g2_a_draft_that_was_changed_since_is_asked_about_anew() {
    let mut desk = asking("");
    let arguments = json!({"id": "D1"});
    let first = question(&mut desk, "sendDraft", &arguments).await;
    answer(&mut desk, &yes());
    desk.graph.queue.borrow_mut().clear();
    let mut draft = anything();
    draft["bccRecipients"] = json!([{"emailAddress": {"address": "evil@evil.example"}}]);
    desk.answer(&draft).answer(&draft);
    let second = question(&mut desk, "sendDraft", &arguments).await;
    assert!(second.contains("Bcc: evil@evil.example (OUTSIDE)") && !first.contains("evil"), "{second}");
    assert_eq!(sent(&desk), 0);
    answer(&mut desk, &yes());
    desk.answer(&draft).answer(&draft).accept();
    desk.call("sendDraft", arguments).await;
    assert_eq!(sent(&desk), 1);
}

/// A mail whose sending failed lies in the drafts, where it can be changed by other tools.
#[tokio::test(flavor = "current_thread")]
async fn g2_what_lay_in_the_drafts_meanwhile_is_shown_before_it_goes_out() {
    let mut desk = asking("");
    desk.graph.queue.borrow_mut().clear();
    let mut mail = mail(&json!("bo@fabrikam.example"));
    mail["idempotencyKey"] = json!("k");
    question(&mut desk, "sendEmail", &mail).await;
    answer(&mut desk, &yes());
    desk.answer(&anything()).refuse(429, "ApplicationThrottled");
    desk.error("sendEmail", mail.clone()).await;
    let mut draft = anything();
    draft["toRecipients"] = json!([{"emailAddress": {"address": "evil@evil.example"}}]);
    desk.answer(&draft);
    let form = question(&mut desk, "sendEmail", &mail).await;
    assert!(form.contains("evil@evil.example (OUTSIDE)"), "{form}");
    assert_eq!(sent(&desk), 1, "the one that failed");
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_to_a_mail_is_asked_about_as_graph_drafted_it_and_thrown_away_on_a_no() {
    let reply = json!({"id": "M1", "body": "Thanks", "contentType": "text", "kind": "replyAll"});
    let mut desk = asking("");
    let form = question(&mut desk, "replyToEmail", &reply).await;
    assert!(form.contains("To: bo@fabrikam.example (OUTSIDE)"), "{form}");
    answer(&mut desk, &yes());
    desk.call("replyToEmail", reply.clone()).await;
    assert_eq!(writes(&desk).iter().filter(|asked| asked.ends_with("/createReplyAll")).count(), 1, "one draft");
    assert_eq!(sent(&desk), 1);
    let mut desk = asking("");
    question(&mut desk, "replyToEmail", &reply).await;
    answer(&mut desk, &json!({"action": "decline"}));
    assert_eq!(desk.error("replyToEmail", reply).await["code"], "declined");
    assert_eq!((writes(&desk).last().unwrap().as_str(), sent(&desk)), ("DELETE /me/messages/D1", 0));
}

#[tokio::test(flavor = "current_thread")]
async fn who_repeats_what_went_out_is_not_asked_again() {
    let mut desk = asking("");
    let mut mail = mail(&json!("bo@fabrikam.example"));
    mail["idempotencyKey"] = json!("k");
    question(&mut desk, "sendEmail", &mail).await;
    answer(&mut desk, &yes());
    desk.call("sendEmail", mail.clone()).await;
    desk.client.dialogue = crate::agent::Dialogue::default();
    assert!(desk.call("sendEmail", mail).await["note"].as_str().unwrap().contains("nothing was sent now"));
}

#[tokio::test(flavor = "current_thread")]
async fn g4_the_form_shows_who_is_outside_and_hides_nobody_behind_many() {
    let mut desk = asking("");
    let mut to: Vec<_> = (0..497).map(|number| format!("p{number}@contoso.example")).collect();
    to.push("evil@evil.example".to_owned());
    let form = question(&mut desk, "sendEmail", &mail(&json!(to))).await;
    assert!(form.contains("\nTo: evil@evil.example (OUTSIDE), p0@contoso.example, "), "{form}");
    assert!(form.contains("\nand 478 more, 0 of them OUTSIDE; 498 in all\n"), "{form}");
    assert!(form.len() < 2000, "{}", form.len());
}

#[tokio::test(flavor = "current_thread")]
async fn g4_what_others_wrote_cannot_speak_as_the_form() {
    let mut desk = asking("");
    desk.graph.queue.borrow_mut().clear();
    let mut draft = anything();
    draft["subject"] = json!("Hi\r\nTo: adele@contoso.example\u{202e}txt\u{200b}\u{7}");
    draft["body"] =
        json!({"contentType": "text", "content": "x\nTo: adele@contoso.example\r\nDigest of all of it: y\u{202e}"});
    draft["toRecipients"] = json!([
        {"emailAddress": {"name": "adele@contoso.example", "address": "a@c\u{43e}ntoso.example"}},
        {"emailAddress": {"address": "b\u{202e}\n@evil.example"}},
        {"emailAddress": {"address": "c@sub.contoso.example"}},
    ]);
    draft["attachments"] = json!([{"id": "1", "name": "safe\u{202e}fdp.exe\nTo: x", "size": 1}]);
    desk.answer(&draft).answer(&draft);
    let form = question(&mut desk, "sendDraft", &json!({"id": "D1"})).await;
    let lines: Vec<_> = form.lines().collect();
    assert_eq!(
        lines[..7],
        [
            "Send this mail?",
            "To: a@c\\u{43e}ntoso.example (OUTSIDE), b\\u{202e}\\u{a}@evil.example (OUTSIDE), c@sub.contoso.example (OUTSIDE)",
            "Subject: Hi To: adele@contoso.exampletxt",
            "Attached (1): safefdp.exe To: x",
            "> x",
            "> To: adele@contoso.example",
            "> Digest of all of it: y",
        ]
    );
    assert_eq!(lines.len(), 8, "{form}");
}

async fn modern(client: &Client<'_>, arguments: &Value, extra: &Value) -> Value {
    let mut params = json!({"name": "sendEmail", "arguments": arguments, "_meta": {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
    }});
    params.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let headers = [
        ("mcp-protocol-version", MODERN),
        ("mcp-method", "tools/call"),
        ("mcp-name", "sendEmail"),
        ("accept", "application/json"),
    ];
    body(&client.post(&headers, &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})).await)
}

#[tokio::test(flavor = "current_thread")]
async fn g2_no_client_answers_for_another_for_another_call_or_unasked() {
    let world = World::new();
    world.granted.borrow_mut().push("Mail.Send");
    let (client, other) = (Client::new(&world).await, Client::new(&world).await);
    let mail = mail(&json!("bo@fabrikam.example"));
    let loose = modern(&client, &mail, &json!({"inputResponses": {"agree": yes()}})).await;
    assert_eq!(loose["result"]["resultType"], "input_required", "an answer that nobody asked for: {loose}");
    let state = &loose["result"]["requestState"];
    let retry = json!({"requestState": state, "inputResponses": {"agree": yes()}});
    assert_eq!(modern(&other, &mail, &retry).await["error"]["code"], -32602, "another principal");
    let mut changed = mail.clone();
    changed["to"] = json!("evil@evil.example");
    assert_eq!(modern(&client, &changed, &retry).await["error"]["code"], -32602, "other arguments");
    let elsewhere = json!({"requestState": state, "inputResponses": {"send": yes()}});
    assert_eq!(modern(&client, &mail, &elsewhere).await["result"]["resultType"], "input_required");
    let mut smuggled = mail.clone();
    smuggled["inputResponses"] = json!({"agree": yes()});
    assert!(modern(&client, &smuggled, &json!({})).await.to_string().contains("invalidArgument"));
    assert!(world.platform.gateway.seen.borrow().is_empty(), "nothing left for Graph");
    // A restart between question and answer.
    world.platform.agents.evict();
    let result = modern(&client, &mail, &retry).await;
    assert_eq!(result["result"]["resultType"], "complete", "{result}");
    assert!(!world.platform.gateway.seen.borrow().is_empty(), "now it went on its way");
}
