//! What every tool of the catalogue keeps, and what each one asks of Graph.

use serde_json::{Value, json};

use super::tools_fake::{Desk, requests, snapshot, stored};
use crate::agent::Action;
use crate::config::{Preset, PresetSet};
use crate::identity::{ConsentBy, Scope, ScopeSet};
use crate::tools::{self, Lists, View};

/// Everything, as somebody sees it who has not signed in yet.
pub(super) const WHOLE: View = View { presets: PresetSet::ALL, scopes: None, read_only: false };

fn shown(view: View) -> Vec<Value> {
    serde_json::from_str(&Lists::default().json(view)).unwrap()
}

fn listed(read_only: bool) -> Vec<Value> {
    shown(View { read_only, ..WHOLE })
}

fn names(view: View) -> Vec<String> {
    shown(view).iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_list_is_as_stored() {
    let entries: Vec<_> = tools::catalogue().map(|tool| format!("{}\n", tool.entry())).collect();
    for (tool, entry) in tools::catalogue().zip(&entries) {
        snapshot(&format!("tools/{}", tool.name), &serde_json::from_str(entry).unwrap());
    }
    stored("src/tools/list.jsonl", &entries.concat());
    snapshot("resources_list", &serde_json::from_str(&tools::resources_json(WHOLE)).unwrap());
    snapshot("templates_list", &serde_json::from_str(&tools::templates_json(WHOLE)).unwrap());
    snapshot("prompts_list", &serde_json::from_str(crate::prompts::list_json()).unwrap());
}

#[test]
fn the_order_is_that_of_the_presets() {
    let order: Vec<_> = tools::catalogue().map(|tool| tool.preset as u8).collect();
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn names_and_descriptions_fit_every_client() {
    for tool in tools::catalogue() {
        assert!(tool.name.len() <= 40, "{}", tool.name);
        // Clients prefix a name with that of the server and refuse more than 64, or 60, together.
        assert!("mcp__m365-mcp__".len() + tool.name.len() <= 60, "{}", tool.name);
        assert!(tool.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{}", tool.name);
        assert!(tool.description.len() <= 200, "{}: {}", tool.name, tool.description.len());
        assert!(!(tool.needs.is_empty() && tool.also.is_empty()), "{} names no scope", tool.name);
        assert_eq!(tools::catalogue().filter(|other| other.name == tool.name).count(), 1);
    }
    assert!(tools::catalogue().count() < 128, "some clients take no more tools than that, of all servers together");
}

#[test]
fn the_first_tool_is_harmless_and_takes_no_arguments() {
    let first = listed(false).remove(0);
    assert_eq!(first["name"], "authenticate");
    assert_eq!(first["inputSchema"], json!({"type": "object", "properties": {}, "additionalProperties": false}));
    assert_eq!(first["annotations"]["readOnlyHint"], true);
}

#[test]
fn a_read_only_server_lists_no_tool_that_writes() {
    let names = names(View { read_only: true, presets: PresetSet::of(&[]), ..WHOLE });
    assert_eq!(names, ["authenticate", "getEmails", "searchEmails", "getCalendarEvents", "getContacts"]);
    assert!(tools::catalogue().all(|tool| !tool.writes() || !names.contains(&tool.name.to_owned())));
}

#[test]
fn the_reference_tools_keep_their_required_parameters() {
    let required: Vec<_> = shown(View { presets: PresetSet::of(&[]), ..WHOLE })
        .iter()
        .map(|tool| (tool["name"].as_str().unwrap().to_owned(), tool["inputSchema"]["required"].clone()))
        .collect();
    let expected = [
        ("authenticate", Value::Null),
        ("sendEmail", json!(["to", "subject", "body"])),
        ("getEmails", Value::Null),
        ("searchEmails", json!(["query"])),
        ("getCalendarEvents", Value::Null),
        ("createCalendarEvent", json!(["subject", "start", "end"])),
        ("sendTeamsMessage", json!(["teamId", "channelId", "message"])),
        ("createTeamsMeeting", json!(["subject", "startTime", "endTime"])),
        ("getContacts", Value::Null),
    ];
    assert_eq!(required, expected.map(|(name, list)| (name.to_owned(), list)));
}

#[test]
fn schemas_hold_nothing_that_a_client_refuses() {
    for tool in listed(false) {
        let schema = &tool["inputSchema"];
        assert_eq!(schema["type"], "object", "{tool}");
        let has_arguments = !schema["properties"].as_object().unwrap().is_empty();
        assert_eq!(schema.get("additionalProperties"), (!has_arguments).then_some(&Value::Bool(false)), "{tool}");
        for keyword in ["anyOf", "oneOf", "allOf", "not", "if"] {
            assert!(schema.get(keyword).is_none(), "{keyword} at the root of {tool}");
        }
        plain(schema);
        if let Some(output) = tool.get("outputSchema") {
            assert_eq!(output["type"], "object", "revisions up to 2025-11-25 know no other: {tool}");
            assert!(output["properties"].is_object(), "{tool}");
            plain(output);
        }
    }
}

#[test]
fn every_list_is_in_the_same_order_each_time_and_has_titles() {
    let all = Lists::default().json(WHOLE);
    let (resources, templates) = (tools::resources_json(WHOLE), tools::templates_json(WHOLE));
    for list in [&*all, &resources, &templates, crate::prompts::list_json()] {
        let entries: Vec<Value> = serde_json::from_str(list).unwrap();
        assert!(!entries.is_empty() && entries.iter().all(|entry| entry["title"].is_string()), "{list}");
        let icons = entries.iter().filter_map(|entry| entry["icons"][0]["src"].as_str());
        assert!(icons.into_iter().all(|src| src.starts_with("data:image/svg+xml,%3Csvg") && !src.contains(' ')));
    }
}

fn plain(schema: &Value) {
    let Value::Object(object) = schema else { return };
    for keyword in ["$ref", "$schema", "$defs", "format", "title"] {
        assert!(!object.contains_key(keyword), "{keyword} in {schema}");
    }
    assert!(object.get("type").is_none_or(|name| name.is_string() && name != "null"), "{schema}");
    assert!(object.get("default").is_none_or(|value| !value.is_null()), "{schema}");
    object.get("properties").and_then(Value::as_object).into_iter().flat_map(|all| all.values()).for_each(plain);
    object.get("anyOf").and_then(Value::as_array).into_iter().flatten().for_each(plain);
    object.get("items").into_iter().for_each(plain);
}

#[test]
fn what_is_listed_is_what_the_scopes_allow() {
    let scopes = ScopeSet::parse_known("User.Read Mail.Read");
    let found = names(View { scopes: Some(scopes), presets: PresetSet::of(&[]), ..WHOLE });
    assert_eq!(found, ["authenticate", "getEmails", "searchEmails"]);
    let none = View { scopes: Some(ScopeSet::default()), ..WHOLE };
    // What the last one reads is what Graph lets the token read.
    assert_eq!(names(none), ["authenticate", "graphRequest"]);
    for tool in tools::catalogue() {
        let view = View { scopes: Some(scopes), ..WHOLE };
        assert_eq!(names(view).contains(&tool.name.to_owned()), tool.missing(scopes).is_none(), "{}", tool.name);
    }
}

#[test]
fn what_is_listed_is_what_the_presets_select() {
    for preset in Preset::ALL {
        let view = View { presets: PresetSet::of(&[preset]), ..WHOLE };
        let expected = tools::catalogue().filter(|tool| [Preset::Core, preset].contains(&tool.preset));
        assert_eq!(names(view), expected.map(|tool| tool.name).collect::<Vec<_>>(), "{preset:?}");
    }
}

#[test]
fn callers_who_see_the_same_share_one_text() {
    let lists = Lists::default();
    let (narrow, wide) = ("Mail.Read", "Mail.Read Files.Read.All Mail.Read.Shared");
    let json =
        |scopes| lists.json(View { scopes: Some(ScopeSet::parse_known(scopes)), presets: PresetSet::of(&[]), ..WHOLE });
    assert!(std::rc::Rc::ptr_eq(&json(narrow), &json(wide)));
    assert!(!std::rc::Rc::ptr_eq(&json(narrow), &json("Mail.Send")));
}

#[test]
fn a_list_has_a_bit_for_every_tool() {
    assert!(tools::catalogue().count() <= 128);
}

#[test]
fn a_sign_in_asks_for_what_a_person_can_agree_to_and_for_nothing_shared() {
    let tools::Scopes { at_sign_in, offered } = tools::scopes(PresetSet::ALL, false);
    assert!(tools::catalogue().all(|tool| tool.missing(offered).is_none()));
    assert!(at_sign_in.iter().all(|scope| scope.consent_by() == ConsentBy::User));
    assert!(!at_sign_in.to_string().contains("Shared"));
    assert!(offered.is_superset(at_sign_in) && at_sign_in.allows(Scope::TeamReadBasicAll));
}

#[test]
fn a_preset_that_is_not_offered_asks_for_nothing() {
    let core = tools::scopes(PresetSet::of(&[]), false).offered;
    let expected = "User.Read Mail.Read Mail.ReadWrite Mail.Send MailboxSettings.Read Calendars.Read \
                    Calendars.ReadWrite ChannelMessage.Send Team.ReadBasic.All OnlineMeetings.ReadWrite People.Read \
                    Contacts.Read User.ReadBasic.All";
    assert_eq!(core.intersection(ScopeSet::parse_known(expected)).to_string(), expected);
    let reading = tools::scopes(PresetSet::of(&[]), true).offered;
    assert!(!reading.allows(Scope::MailSend) && !reading.contains(Scope::MailReadWrite));
}

#[tokio::test(flavor = "current_thread")]
async fn every_tool_refuses_an_argument_that_it_does_not_know_and_names_it() {
    for tool in tools::catalogue() {
        let desk = Desk::new();
        let mut arguments: Value = serde_json::from_str(tool.example).unwrap();
        arguments["nobodyKnowsThis"] = json!(1);
        let result =
            desk.run(&Action::Tool { name: tool.name.to_owned(), arguments: Value::to_string(&arguments) }).await;
        let text = result["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("invalidArgument") && text.contains("nobodyKnowsThis"), "{}: {text}", tool.name);
        assert!(desk.asked().is_empty(), "{}", tool.name);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_example_of_every_tool_passes_its_checks() {
    for tool in tools::catalogue() {
        let desk = Desk::new();
        let arguments = serde_json::from_str(tool.example).unwrap();
        let result =
            desk.run(&Action::Tool { name: tool.name.to_owned(), arguments: Value::to_string(&arguments) }).await;
        assert!(!result.to_string().contains("invalidArgument"), "{}: {result}", tool.name);
        assert!(!desk.asked().is_empty(), "{} asked nothing", tool.name);
    }
}

fn page() -> Value {
    json!({"value": []})
}

#[tokio::test(flavor = "current_thread")]
async fn mail_requests_are_as_stored() {
    let full = json!({"folder": "AAMk/x+y=", "count": 50, "unread": true, "from": "b.o'hara@contoso.example",
        "since": "2026-03-01T00:00:00+01:00", "until": "2026-03-02T00:00Z", "mailbox": "sales@contoso.example"});
    snapshot("get_emails", &requests("getEmails", &[page()], &[json!({}), full]).await);
    let full = json!({"query": "subject:\"budget plan\" & from:ann", "folder": "sentitems", "count": 5,
        "mailbox": "sales@contoso.example"});
    snapshot("search_emails", &requests("searchEmails", &[page()], &[json!({"query": "budget"}), full]).await);
    let least = json!({"to": "adele@contoso.example", "subject": "Hi", "body": "<p>x</p>", "idempotencyKey": "k"});
    let full = json!({"to": ["adele@contoso.example", "bo@contoso.example"], "cc": ["cy@contoso.example"],
        "bcc": "di@contoso.example", "subject": "Hi", "body": "x\ny", "contentType": "text", "mode": "draft",
        "idempotencyKey": "k"});
    let draft = json!({"id": "AAMkDraft=", "isDraft": true});
    snapshot("send_email", &requests("sendEmail", &[draft], &[least, full]).await);
}

#[tokio::test(flavor = "current_thread")]
async fn calendar_requests_are_as_stored() {
    let zone = json!({"timeZone": "W. Europe Standard Time"});
    let full = json!({"start": "2026-03-02T00:00:00+01:00", "end": "2026-03-09T00:00:00+01:00", "calendarId": "AAMk=",
        "count": 100, "timezone": "Europe/Berlin", "mailbox": "megan@contoso.example"});
    let mut all = requests("getCalendarEvents", &[zone.clone(), page()], &[json!({})]).await;
    all.as_array_mut()
        .unwrap()
        .extend(requests("getCalendarEvents", &[page()], &[full]).await.as_array().cloned().unwrap());
    snapshot("get_calendar_events", &all);
    let created = json!({"id": "AAMkEvent="});
    let least = json!({"subject": "Review", "start": "2026-03-02T09:00", "end": "2026-03-02T09:30"});
    let full = json!({"subject": "Review", "start": "2026-03-02", "end": "2026-03-03", "allDay": true,
        "timezone": "Europe/Berlin", "attendees": ["adele@contoso.example"], "optionalAttendees": ["bo@contoso.example"],
        "location": "Room 1", "body": "Agenda", "onlineMeeting": true, "reminderMinutes": 15, "calendarId": "AA/k=",
        "recurrence": "FREQ=MONTHLY;INTERVAL=3;BYDAY=1MO;COUNT=4", "mailbox": "megan@contoso.example", "idempotencyKey": "k"});
    let mut all = requests("createCalendarEvent", &[zone, created.clone()], &[least]).await;
    all.as_array_mut()
        .unwrap()
        .extend(requests("createCalendarEvent", &[created], &[full]).await.as_array().cloned().unwrap());
    snapshot("create_calendar_event", &all);
}

#[tokio::test(flavor = "current_thread")]
async fn teams_requests_are_as_stored() {
    let least = json!({"teamId": "t-1", "channelId": "19:abc@thread.tacv2", "message": "Hello"});
    let full = json!({"teamId": "t-1", "channelId": "19:abc@thread.tacv2", "message": "Hello\nyou",
        "contentType": "text", "replyTo": "1700000000000", "idempotencyKey": "k"});
    snapshot("send_teams_message", &requests("sendTeamsMessage", &[json!({"id": "1"})], &[least, full]).await);
    let least = json!({"subject": "Sync", "startTime": "2026-03-02T09:00:00+01:00", "endTime": "2026-03-02T08:30:00Z"});
    let full = json!({"subject": "Sync", "startTime": "2026-03-02T09:00:00-03:30", "endTime": "2026-03-02T09:30:00-03:30",
        "attendees": ["adele@contoso.example"], "idempotencyKey": "k"});
    snapshot("create_teams_meeting", &requests("createTeamsMeeting", &[json!({"id": "M"})], &[least, full]).await);
}

#[tokio::test(flavor = "current_thread")]
async fn people_requests_are_as_stored() {
    let calls = [
        json!({}),
        json!({"search": "O'Hara \"Bo\" \\", "count": 100}),
        json!({"source": "contacts", "search": "O'Hara"}),
        json!({"source": "contacts", "search": "bo@contoso.example"}),
        json!({"source": "directory", "search": "Bo\" OR \"mail:x & y"}),
        json!({"source": "directory"}),
    ];
    snapshot("get_contacts", &requests("getContacts", &[page()], &calls).await);
}

#[tokio::test(flavor = "current_thread")]
async fn resources_are_read_as_stored() {
    let desk = Desk::new();
    desk.answer(&json!({"id": "2", "displayName": "Adele Vance", "mail": "adele@contoso.example", "extra": 1}))
        .answer(&json!({"value": [{"id": "c", "name": "Calendar", "isDefaultCalendar": true, "canEdit": true}]}))
        .answer(&json!({"value": [{"id": "t", "displayName": "Sales", "description": null}]}))
        .refuse(403, "Forbidden");
    let mut all = Vec::new();
    for uri in
        ["microsoft://profile", "microsoft://calendars", "microsoft://teams", "microsoft://teams", "microsoft://x"]
    {
        assert_eq!(tools::has_resource(WHOLE, uri), uri != "microsoft://x");
        all.push(desk.run(&Action::Resource { uri: uri.to_owned() }).await);
    }
    snapshot("resources", &json!({"results": all, "requests": desk.wire()}));
}

#[tokio::test(flavor = "current_thread")]
async fn authenticate_names_what_is_locked_and_why() {
    let mut desk = Desk::granted("User.Read Mail.Read");
    desk.presets = PresetSet::of(&[]);
    desk.caller.granted = ScopeSet::parse_known("User.Read Mail.Read Calendars.Read");
    desk.caller.refused = ScopeSet::parse_known("ChannelMessage.Send");
    desk.answer(&json!({"displayName": "Adele Vance", "userPrincipalName": "adele@contoso.example"}));
    snapshot("authenticate", &desk.call("authenticate", json!({})).await);
    let desk = Desk::granted("");
    let answer = desk.call("authenticate", json!({})).await;
    assert_eq!(answer["user"]["email"], "adele@contoso.example");
    assert!(desk.asked().is_empty());
}
