//! What the operator allows to go out: whom it may reach, how often, and what happens where nobody can be asked.

use serde_json::{Value, json};

use super::tools_fake::Desk;
use crate::agent::{AgentName, Called, ClientCapabilities};
use crate::tools::{self, Kind};

/// Whatever Graph is asked to show: a mailbox, a draft, a meeting of the user's with people outside.
pub(super) fn anything() -> Value {
    let person = |address: &str| json!({"emailAddress": {"name": "Adele", "address": address}});
    json!({
        "timeZone": "W. Europe Standard Time", "id": "D1", "isDraft": true, "subject": "Offer",
        "body": {"contentType": "html", "content": "<p>Good morning</p>"},
        "toRecipients": [person("bo@fabrikam.example")], "ccRecipients": [], "bccRecipients": [],
        "isOrganizer": true, "organizer": person("bo@fabrikam.example"),
        "attendees": [{"emailAddress": {"address": "bo@fabrikam.example"}, "type": "required"}],
        "isOnlineMeeting": false, "value": [],
    })
}

/// A desk under this policy whose Graph shows [`anything`].
pub(super) fn desk(policy: &str) -> Desk {
    let desk = Desk::configured(&[("TOOL_PRESETS", "all"), ("SEND_POLICY", policy)]);
    for _ in 0..8 {
        desk.answer(&anything());
    }
    desk
}

pub(super) fn mail(to: &Value) -> Value {
    json!({"to": to, "subject": "Offer", "body": "<p>Good morning</p>"})
}

/// The requests that changed something.
pub(super) fn writes(desk: &Desk) -> Vec<String> {
    desk.asked().into_iter().filter(|asked| !asked.starts_with("GET ")).collect()
}

/// Everything that can reach somebody else; the mailbox settings by an automatic reply.
fn outward() -> Vec<(&'static str, Value)> {
    let reaches = |tool: &&tools::Tool| tool.kind == Kind::Outward || tool.name == "updateMailboxSettings";
    let example = |tool: &tools::Tool| (tool.name, serde_json::from_str(tool.example).unwrap());
    let bo = "b0000000-0000-4000-8000-000000000002";
    let assigning = json!({"source": "planner", "listId": "P", "title": "Order samples", "assignees": [bo]});
    let joint = tools::catalogue().filter(|tool| tool.kind == Kind::Joint).map(|tool| tool.name);
    assert_eq!(joint.collect::<Vec<_>>(), ["saveTask"], "what else others are told of is tried here");
    tools::catalogue().filter(reaches).map(example).chain([("saveTask", assigning)]).collect()
}

#[tokio::test(flavor = "current_thread")]
async fn g1_no_tool_reaches_anybody_past_the_policy() {
    for (name, arguments) in outward() {
        let refusing = desk("fallback=refuse");
        let report = refusing.error(name, arguments.clone()).await;
        assert_eq!(
            (&report["code"], &report["source"]),
            (&json!("cannotAsk"), &json!("sendPolicy")),
            "{name}: {report}"
        );
        assert_eq!(writes(&refusing), [""; 0], "{name} wrote before it was refused");
        // So that the first half cannot pass for want of anything to refuse.
        let open = desk("");
        open.call(name, arguments).await;
        assert!(!writes(&open).is_empty(), "the example of {name} reaches nobody");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn g1_what_reaches_nobody_needs_nobodys_consent() {
    for (name, arguments) in [
        ("sendEmail", json!({"to": "bo@fabrikam.example", "subject": "s", "body": "b", "mode": "draft"})),
        ("createCalendarEvent", json!({"subject": "s", "start": "2026-03-02T09:00Z", "end": "2026-03-02T10:00Z"})),
        ("updateCalendarEvent", json!({"id": "AAkALgAA=", "showAs": "busy"})),
        ("respondToEvent", json!({"id": "AAkALgAA=", "response": "accept", "sendResponse": false})),
        ("cancelCalendarEvent", json!({"id": "AAkALgAA=", "dryRun": true})),
        (
            "createTeamsMeeting",
            json!({"subject": "s", "startTime": "2026-03-02T09:00:00Z",
            "endTime": "2026-03-02T09:30:00Z", "attendees": "bo@fabrikam.example"}),
        ),
        ("saveTask", json!({"source": "planner", "listId": "P", "title": "s"})),
        ("saveTask", json!({"listId": "L", "title": "s"})),
        ("updateMailboxSettings", json!({"timezone": "Europe/Berlin"})),
        ("updateMailboxSettings", json!({"autoReply": {"status": "disabled"}})),
    ] {
        desk("fallback=refuse; external=0; rate=1/d").call(name, arguments).await;
    }
}

/// A draft is read again only where something depends on it, so each clause has to say that it does.
#[tokio::test(flavor = "current_thread")]
async fn g1_a_saved_draft_passes_every_clause_by_itself() {
    for (clause, code) in
        [("domains=contoso.example", "sendPolicy"), ("external=0", "sendPolicy"), ("draft-only", "sendPolicy")]
    {
        let desk = desk(&format!("confirm=never; {clause}"));
        let report = desk.error("sendDraft", json!({"id": "D1"})).await;
        assert_eq!(report["code"], code, "{clause}: {report}");
        assert_eq!(writes(&desk), [""; 0], "{clause}");
    }
    let desk = desk("confirm=never; rate=1/d");
    desk.call("sendTeamsMessage", json!({"teamId": "t", "channelId": "c", "message": "m"})).await;
    assert_eq!(desk.error("sendDraft", json!({"id": "D1"})).await["code"], "sendRate");
    assert_eq!(writes(&desk).len(), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn g1_a_rule_can_neither_forward_nor_redirect() {
    for action in ["forwardTo", "redirectTo", "forwardAsAttachmentTo"] {
        let mut rule = json!({"name": "r", "from": ["a@fabrikam.example"], "stop": true});
        rule[action] = json!(["evil@evil.example"]);
        let desk = desk("");
        assert_eq!(desk.error("updateMailboxSettings", json!({ "rule": rule })).await["code"], "invalidArgument");
        assert!(desk.asked().is_empty());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn g3_only_the_allowed_domains_are_reached_and_nothing_that_looks_like_them() {
    let policy = "domains=fabrikam.example";
    for address in ["adele@contoso.example", "ADELE@Contoso.Example", "bo@fabrikam.example"] {
        desk(policy).call("sendEmail", mail(&json!(address))).await;
    }
    for stranger in [
        "a@evil.example",
        "a@sub.contoso.example",
        "a@contoso.example.evil.example",
        "a@notcontoso.example",
        "a@fabrikam.example.evil",
        "a@xn--contso-7ta.example",
        "a+contoso.example@evil.example",
        "contoso.example <a@evil.example>",
    ] {
        let desk = desk(policy);
        let report = desk.error("sendEmail", mail(&json!(["adele@contoso.example", stranger]))).await;
        assert_eq!(report["code"], "sendPolicy", "{stranger}: {report}");
        assert!(desk.asked().is_empty(), "{stranger}");
    }
    for trick in
        ["\"a@contoso.example\"@evil.example", "a@evil.example(a@contoso.example)", "a@contoso.example@evil.example"]
    {
        assert_eq!(desk(policy).error("sendEmail", mail(&json!(trick))).await["code"], "invalidArgument", "{trick}");
    }
}

/// What a draft may hold that no argument can.
#[tokio::test(flavor = "current_thread")]
async fn g3_a_recipient_of_a_draft_that_is_no_plain_address_is_outside() {
    for trick in [
        "\"a@contoso.example\"@evil.example",
        "a@evil.example,b@contoso.example",
        "<a@evil.example> b@contoso.example",
        "a@evil.example\u{0}@contoso.example",
        "a@c\u{43e}ntoso.example",
        "a@\u{ff43}ontoso.example",
        "a@contoso.example.",
        "/o=ExchangeLabs/ou=Group/cn=Recipients/cn=x",
        "",
    ] {
        let desk = Desk::configured(&[("TOOL_PRESETS", "all"), ("SEND_POLICY", "external=0")]);
        let mut draft = anything();
        draft["toRecipients"] = json!([{"emailAddress": {"name": "Adele <adele@contoso.example>", "address": trick}}]);
        desk.answer(&draft).answer(&draft);
        let report = desk.error("sendDraft", json!({"id": "D1"})).await;
        assert_eq!(report["code"], "sendPolicy", "{trick}: {report}");
        assert_eq!(writes(&desk), [""; 0], "{trick}");
    }
    let nameless = Desk::configured(&[("TOOL_PRESETS", "all"), ("SEND_POLICY", "external=0")]);
    let mut draft = anything();
    draft["bccRecipients"] = json!([{}]);
    draft["toRecipients"] = json!([]);
    nameless.answer(&draft).answer(&draft);
    assert_eq!(nameless.error("sendDraft", json!({"id": "D1"})).await["code"], "sendPolicy");
}

#[tokio::test(flavor = "current_thread")]
async fn g3_own_is_what_the_operator_names_and_else_the_users_domain() {
    let inside = mail(&json!("bo@contoso.example"));
    desk("external=0").call("sendEmail", inside.clone()).await;
    assert_eq!(desk("own=fabrikam.example; external=0").error("sendEmail", inside.clone()).await["code"], "sendPolicy");
    let mut unknown = desk("external=0");
    unknown.caller.profile.email = None;
    assert_eq!(unknown.error("sendEmail", inside).await["code"], "sendPolicy", "nobody's domain is not everybody's");
}

#[tokio::test(flavor = "current_thread")]
async fn g3_so_many_outside_and_no_more_over_all_lists() {
    let outsiders = |count: usize| (0..count).map(|number| format!("p{number}@evil.example")).collect::<Vec<_>>();
    let spread = |count: usize| {
        let mut mail = mail(&json!(["adele@contoso.example"]));
        mail["bcc"] = json!(outsiders(count));
        mail
    };
    desk("external=5").call("sendEmail", spread(5)).await;
    let refused = desk("external=5");
    let report = refused.error("sendEmail", spread(6)).await;
    assert!(report["message"].as_str().unwrap().starts_with("6 recipients are outside"), "{report}");
    assert!(refused.asked().is_empty());
    desk("").call("sendEmail", spread(499)).await;
}

#[tokio::test(flavor = "current_thread")]
async fn g5_the_rate_is_the_users_over_all_clients_and_exact_at_its_edge() {
    let desk = desk("rate=2/h; confirm=never");
    let send = || desk.outcome("sendTeamsMessage", json!({"teamId": "t", "channelId": "c", "message": "m"}));
    let outcomes = futures_util::future::join_all([send(), send(), send()]).await;
    let refused: Vec<_> = outcomes.iter().filter(|result| result["isError"] == true).collect();
    assert_eq!((refused.len(), writes(&desk).len()), (1, 2), "of calls at once so many go out as the rate allows");
    // Another grant of the same user, and an object that woke anew.
    desk.platform.agents.evict();
    desk.platform.clock.advance(3599);
    let report = desk.error("sendEmail", mail(&json!("bo@contoso.example"))).await;
    assert_eq!((&report["code"], &report["retryAfter"]), (&json!("sendRate"), &json!(1)));
    assert_eq!(writes(&desk).len(), 2);
    desk.platform.clock.advance(1);
    desk.call("sendEmail", mail(&json!("bo@contoso.example"))).await;
    let user = AgentName::User(desk.caller.user);
    assert!(!desk.platform.agents.dump_of(&user).contains("contoso"), "it is counted and not noted");
}

#[tokio::test(flavor = "current_thread")]
async fn g5_what_cannot_be_counted_does_not_go_out() {
    let desk = desk("rate=9/h; confirm=never");
    desk.call("sendEmail", mail(&json!("bo@contoso.example"))).await;
    let before = writes(&desk).len();
    for storage in desk.platform.agents.storages() {
        storage.fail.set(true);
    }
    desk.outcome("sendTeamsMessage", json!({"teamId": "t", "channelId": "c", "message": "m"})).await;
    assert_eq!(writes(&desk).len(), before);
}

#[tokio::test(flavor = "current_thread")]
async fn g5_a_repeat_of_what_went_out_is_not_counted() {
    let desk = desk("rate=1/d; confirm=never");
    let mut mail = mail(&json!("bo@contoso.example"));
    mail["idempotencyKey"] = json!("k");
    desk.call("sendEmail", mail.clone()).await;
    assert!(desk.call("sendEmail", mail).await["note"].as_str().unwrap().contains("nothing was sent now"));
}

#[tokio::test(flavor = "current_thread")]
async fn g6_who_cannot_be_asked_gets_a_draft_and_its_digest_sends_exactly_that() {
    let desk = desk("fallback=draft");
    let held = desk.call("sendEmail", mail(&json!("bo@fabrikam.example"))).await;
    assert_eq!((&held["status"], &held["id"]), (&json!("draft"), &json!("D1")));
    let note = held["note"].as_str().unwrap();
    assert!(note.contains("To: bo@fabrikam.example (OUTSIDE)") && note.contains("> Good morning"), "{note}");
    assert!(!desk.asked().iter().any(|asked| asked.ends_with("/send")), "{:?}", desk.asked());
    let digest = note.split('"').nth(1).unwrap().to_owned();
    let report = desk.error("sendDraft", json!({"id": "D1"})).await;
    assert_eq!(report["code"], "agreementNeeded");
    assert!(report["hint"].as_str().unwrap().contains(&digest), "{report}");
    assert_eq!(desk.error("sendDraft", json!({"id": "D1", "digest": "x"})).await["code"], "agreementNeeded");
    assert!(!desk.asked().iter().any(|asked| asked.ends_with("/send")), "{:?}", desk.asked());
    desk.graph.queue.borrow_mut().clear();
    for changed in ["body", "kind", "toRecipients", "bccRecipients", "attachments", "from", "subject"] {
        let mut draft = anything();
        let field = if changed == "kind" { "body" } else { changed };
        draft[field] = match changed {
            "kind" => json!({"contentType": "text", "content": "<p>Good morning</p>"}),
            "body" => json!({"contentType": "html", "content": "<p>Good morning!</p>"}),
            "attachments" => json!([{"id": "a", "name": "all.zip", "size": 9}]),
            "from" => json!({"emailAddress": {"address": "boss@contoso.example"}}),
            "subject" => json!("Another"),
            _ => json!([{"emailAddress": {"address": "evil@evil.example"}}]),
        };
        desk.answer(&draft).answer(&draft);
        let report = desk.error("sendDraft", json!({"id": "D1", "digest": digest})).await;
        assert_eq!(report["code"], "agreementNeeded", "{changed}");
    }
    desk.answer(&anything()).answer(&anything()).accept();
    assert_eq!(desk.call("sendDraft", json!({"id": "D1", "digest": digest})).await["status"], "sent");
}

#[tokio::test(flavor = "current_thread")]
async fn g6_what_has_no_draft_is_refused_and_the_same_call_again_goes_on_with_its_draft() {
    let post = json!({"teamId": "t", "channelId": "c", "message": "m"});
    assert_eq!(desk("fallback=draft").error("sendTeamsMessage", post).await["code"], "cannotAsk");
    let desk = desk("fallback=draft");
    let mut mail = mail(&json!("bo@fabrikam.example"));
    mail["idempotencyKey"] = json!("k");
    for _ in 0..2 {
        assert_eq!(desk.call("sendEmail", mail.clone()).await["status"], "draft");
    }
    assert_eq!(writes(&desk), ["POST /me/messages"], "one draft");
}

#[tokio::test(flavor = "current_thread")]
async fn g6_draft_only_lets_nothing_out() {
    let asking = ClientCapabilities(ClientCapabilities::ELICITATION);
    for (name, arguments) in outward() {
        let mut desk = desk("draft-only; confirm=never");
        desk.client.capabilities = asking;
        let called = desk.outcome(name, arguments).await;
        assert!(called.to_string().contains("drafts"), "{name}: {called}");
        assert!(writes(&desk).iter().all(|asked| asked.contains("/messages") && !asked.contains("send")), "{name}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_policy_for_outsiders_asks_about_them_alone() {
    let mut desk = desk("confirm=external");
    desk.client.capabilities = ClientCapabilities(ClientCapabilities::ELICITATION);
    desk.call("sendEmail", mail(&json!("bo@contoso.example"))).await;
    desk.call("sendTeamsMessage", json!({"teamId": "t", "channelId": "c", "message": "m"})).await;
    let called = desk.tool("sendEmail", mail(&json!("bo@fabrikam.example"))).await;
    assert!(matches!(called, Called::InputRequired { .. }), "{called:?}");
}

/// An answer to a mail whose recipients are known only once Graph has drafted it.
#[tokio::test(flavor = "current_thread")]
async fn g1_a_derived_draft_that_may_not_go_out_is_thrown_away() {
    let desk = desk("external=0");
    let reply = json!({"id": "M1", "body": "Thanks", "contentType": "text"});
    assert_eq!(desk.error("replyToEmail", reply).await["code"], "sendPolicy");
    let writes = writes(&desk);
    assert_eq!(writes, ["POST /me/messages/M1/createReply", "PATCH /me/messages/D1", "DELETE /me/messages/D1"]);
}
