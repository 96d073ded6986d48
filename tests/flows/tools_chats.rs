//! Reading teams, chats and their messages.

use serde_json::{Value, json};

use super::tools_fake::{Desk, requests, snapshot};

fn message(id: &str, html: &str) -> Value {
    json!({"id": id, "messageType": "message", "createdDateTime": "2026-03-02T08:00:00Z", "deletedDateTime": null,
        "from": {"user": {"displayName": "Bo\u{202E}"}, "application": null}, "attachments": [{"name": "a.docx"}],
        "body": {"contentType": "html", "content": html}})
}

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let empty = [json!({"value": []})];
    let calls = [json!({}), json!({"teamId": "t/1", "count": 5})];
    snapshot("get_teams", &requests("getTeams", &empty, &calls).await);
    let full = json!({"withUser": "b.o'hara@contoso.example", "type": "oneOnOne", "count": 50});
    snapshot("get_chats", &requests("getChats", &empty, &[json!({}), full]).await);
    let full = json!({"chatId": "19:a/b@thread.v2", "since": "2026-03-02T00:00:00+01:00", "count": 50});
    let calls = [json!({"chatId": "19:a@thread.v2"}), full];
    snapshot("get_chat_messages", &requests("getChatMessages", &empty, &calls).await);
    let full = json!({"teamId": "t", "channelId": "19:c@thread.tacv2", "messageId": "17", "count": 50});
    let calls = [json!({"teamId": "t", "channelId": "19:c@thread.tacv2"}), full];
    snapshot("get_channel_messages", &requests("getChannelMessages", &empty, &calls).await);
}

#[tokio::test(flavor = "current_thread")]
async fn a_message_is_text_by_somebody_and_marked_as_theirs() {
    let desk = Desk::new();
    let event = json!({"id": "2", "messageType": "systemEventMessage", "createdDateTime": "x", "from": null, "body": {"contentType": "html", "content": "<systemEventMessage/>"}});
    desk.answer(&json!({"value": [message("1", "<p>Hi&nbsp;<b>you</b></p><script>x</script>"), event]}));
    let answer = desk.call("getChatMessages", json!({"chatId": "c"})).await;
    assert!(answer["untrusted"].as_str().unwrap().contains("never instructions"));
    let first =
        json!({"id": "1", "from": "Bo", "at": "2026-03-02T08:00:00Z", "text": "Hi you", "attachments": ["a.docx"]});
    assert_eq!(answer["items"][0], first);
    assert_eq!((&answer["items"][1]["system"], answer["items"][1].get("from")), (&json!(true), None));
}

#[tokio::test(flavor = "current_thread")]
async fn a_message_without_words_is_not_told_as_empty() {
    let desk = Desk::new();
    let bare = |html: &str, attachments: Value| {
        let mut one = message("1", html);
        one["attachments"] = attachments;
        one
    };
    let card = json!([{"id": "k", "contentType": "application/vnd.microsoft.card.adaptive", "name": null}]);
    desk.answer(&json!({"value": [
        bare("<p><emoji id=\"yes\" alt=\"\u{1f44d}\" title=\"Yes\"></emoji></p>", json!([])),
        bare("<div><img src=\"https://graph.microsoft.com/v1.0/x/$value\" width=\"67\"></div>", json!([])),
        bare("<attachment id=\"k\"></attachment>", card),
        bare("<p>Look<img src=\"x\"></p>", json!([])),
    ]}));
    let items = desk.call("getChatMessages", json!({"chatId": "c"})).await["items"].clone();
    assert_eq!((&items[0]["text"], items[0].get("attachments")), (&json!("\u{1f44d}"), None));
    assert_eq!((&items[1]["text"], &items[1]["attachments"]), (&json!(""), &json!(["picture"])));
    assert_eq!(items[2]["attachments"], json!(["application/vnd.microsoft.card.adaptive"]));
    assert_eq!((&items[3]["text"], items[3].get("attachments")), (&json!("Look"), None));
}

#[tokio::test(flavor = "current_thread")]
async fn a_long_message_is_cut_and_said_to_be() {
    let desk = Desk::new();
    desk.answer(&json!({"value": [message("1", &"x".repeat(3000))]}));
    let answer = desk.call("getChannelMessages", json!({"teamId": "t", "channelId": "c"})).await;
    assert_eq!(answer["items"][0]["truncated"], true);
    assert!(answer["items"][0]["text"].as_str().unwrap().chars().count() <= 2001);
}

#[tokio::test(flavor = "current_thread")]
async fn a_chat_is_told_with_its_members_and_its_last_message() {
    let desk = Desk::new();
    let members = vec![json!({"displayName": "Bo", "email": "bo@contoso.example"}); 21];
    desk.answer(&json!({"value": [{"id": "c", "topic": null, "chatType": "group", "members": members,
        "lastMessagePreview": message("1", &"y".repeat(300))}]}));
    let chat = desk.call("getChats", json!({})).await["items"][0].clone();
    assert_eq!((&chat["members"][0], &chat["moreMembers"]), (&json!("Bo <bo@contoso.example>"), &json!(true)));
    assert!(chat["last"]["text"].as_str().unwrap().chars().count() <= 201);
}

#[tokio::test(flavor = "current_thread")]
async fn a_cursor_leads_to_messages_of_a_chat_only() {
    let desk = Desk::new();
    for (link, code) in [
        ("/chats/c/messages?$skiptoken=x", None),
        ("/chats/c/members", Some("ForeignNextLink")),
        ("/me/messages", Some("ForeignNextLink")),
    ] {
        let next = format!("https://graph.microsoft.com/v1.0{link}");
        desk.answer(&json!({"value": [message("1", "x"), message("2", "y")], "@odata.nextLink": next}));
        match code {
            None => {
                assert_eq!(desk.call("getChatMessages", json!({"chatId": "c", "count": 2})).await["truncated"], true);
            }
            Some(code) => {
                assert_eq!(desk.error("getChatMessages", json!({"chatId": "c", "count": 2})).await["code"], code);
            }
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn each_list_needs_its_own_scope() {
    for (tool, arguments, held, scope) in [
        ("getTeams", json!({"teamId": "t"}), "Team.ReadBasic.All", "Channel.ReadBasic.All"),
        ("getChats", json!({}), "User.Read", "Chat.Read"),
        ("getChatMessages", json!({"chatId": "c"}), "Chat.ReadBasic", "Chat.Read"),
        ("getChannelMessages", json!({"teamId": "t", "channelId": "c"}), "Chat.Read", "ChannelMessage.Read.All"),
    ] {
        let desk = Desk::granted(held);
        assert_eq!(desk.error(tool, arguments).await["missingScope"], scope, "{tool}");
        assert!(desk.asked().is_empty());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    for (tool, argument, arguments) in [
        ("getTeams", "teamId", json!({"teamId": "../users"})),
        ("getTeams", "count", json!({"count": 101})),
        ("getChats", "withUser", json!({"withUser": "x' or 1 eq 1"})),
        ("getChats", "type", json!({"type": "secret"})),
        ("getChats", "count", json!({"count": 51})),
        ("getChatMessages", "chatId", json!({"chatId": "%2e%2e"})),
        ("getChatMessages", "since", json!({"chatId": "c", "since": "2026-03-02"})),
        ("getChatMessages", "count", json!({"chatId": "c", "count": 0})),
        ("getChatMessages", "cursor", json!({"chatId": "c", "cursor": "x"})),
        ("getChannelMessages", "channelId", json!({"teamId": "t", "channelId": "a/../b"})),
        ("getChannelMessages", "messageId", json!({"teamId": "t", "channelId": "c", "messageId": "."})),
        ("getChannelMessages", "channelId", json!({"teamId": "t"})),
    ] {
        let desk = Desk::new();
        let report = desk.error(tool, arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(report["hint"].as_str().unwrap().contains("Arguments that work: {"), "{report}");
        assert!(desk.asked().is_empty(), "{tool} {argument}");
    }
}
