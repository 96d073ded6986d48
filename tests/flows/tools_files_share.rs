//! Who has access to a file: what is asked of Graph, and that nobody gets access past the policy.

use serde_json::{Value, json};

use super::tools_fake::{Desk, snapshot};
use crate::agent::{Action, Called, ClientCapabilities};

fn permission() -> Value {
    json!({"id": "p1", "roles": ["read"], "link": {"type": "view", "scope": "organization", "webUrl": "https://contoso-my.sharepoint.com/:t:/g/E"}})
}

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let made = json!({"value": [permission()], "id": "p1", "roles": ["read"], "link": permission()["link"]});
    let mut all = Vec::new();
    for arguments in [
        json!({"path": "/a.txt"}),
        json!({"path": "/a.txt", "action": "link"}),
        json!({"driveId": "b!x", "itemId": "01F", "action": "link", "access": "edit", "scope": "anonymous",
            "expires": "2026-04-01T00:00:00+02:00"}),
        json!({"path": "/a.txt", "action": "invite", "users": ["bo@fabrikam.example"]}),
        json!({"itemId": "01F", "action": "invite", "users": ["adele@contoso.example", "bo@fabrikam.example"], "access": "edit",
            "message": "Have a look.\nThanks", "expires": "2026-04-01T00:00:00Z"}),
        json!({"itemId": "01F", "action": "remove", "permissionId": "p/1="}),
    ] {
        let desk = Desk::new();
        desk.answer(&made);
        let answer = desk.call("shareFile", arguments.clone()).await;
        all.push(json!({"arguments": arguments, "requests": desk.wire(), "answer": answer}));
    }
    snapshot("share_file", &Value::Array(all));
}

#[tokio::test(flavor = "current_thread")]
async fn a_list_names_everybody_and_hides_nothing() {
    let desk = Desk::new();
    let bo = json!({"user": {"displayName": "Bo\u{202E}", "email": "bo@fabrikam.example"}});
    let guests = json!({"id": "g", "roles": ["write"], "grantedToIdentitiesV2": [{"group": {"displayName": "Sales"}}, bo],
        "inheritedFrom": {"id": "01D"}, "expirationDateTime": "2026-04-01T00:00:00Z"});
    let site = json!({"id": "s", "roles": ["read"], "grantedToV2": {"siteGroup": {"displayName": "Site Visitors", "id": "4"}}});
    desk.answer(&json!({"value": [permission(), guests, site]}));
    let answer = desk.call("shareFile", json!({"path": "/a.txt"})).await;
    let expected = json!([
        {"id": "p1", "roles": "read", "scope": "organization", "link": "https://contoso-my.sharepoint.com/:t:/g/E"},
        {"id": "g", "roles": "write", "who": ["Sales", "Bo <bo@fabrikam.example>"], "expires": "2026-04-01T00:00:00Z", "inherited": true},
        {"id": "s", "roles": "read", "who": ["Site Visitors"]},
    ]);
    assert_eq!(answer["access"], expected);
}

#[tokio::test(flavor = "current_thread")]
async fn an_invitation_that_failed_for_one_is_not_told_as_sent_to_all() {
    let blocked = json!({"id": "p2", "roles": ["read"], "invitation": {"email": "cy@fabrikam.example"},
        "error": {"code": "notAllowed", "message": "Account verification needed."}});
    let desk = Desk::answering(&[json!({"value": [{"id": "p1", "roles": ["read"]}, blocked]})]);
    let users = json!(["bo@fabrikam.example", "cy@fabrikam.example"]);
    let answer = desk.call("shareFile", json!({"path": "/a", "action": "invite", "users": users})).await;
    assert_eq!(answer["status"], "partly");
    let failed =
        json!({"id": "p2", "roles": "read", "who": ["cy@fabrikam.example"], "error": "Account verification needed."});
    assert_eq!(answer["access"][1], failed);
}

#[tokio::test(flavor = "current_thread")]
async fn access_that_does_not_end_as_asked_is_told_so() {
    let given = |end: Option<&str>| json!({"id": "p", "roles": ["read"], "expirationDateTime": end});
    for (end, told) in [(None, true), (Some("2026-04-01T00:00:00Z"), false)] {
        for (arguments, answer) in [
            (json!({"action": "link"}), given(end)),
            (json!({"action": "invite", "users": ["bo@fabrikam.example"]}), json!({"value": [given(end)]})),
        ] {
            let desk = Desk::answering(&[answer]);
            let mut arguments = arguments;
            arguments["path"] = json!("/a");
            assert!(desk.call("shareFile", arguments.clone()).await["note"].is_null());
            let desk = Desk::answering(&[if arguments["action"] == "link" {
                given(end)
            } else {
                json!({"value": [given(end)]})
            }]);
            arguments["expires"] = json!("2026-04-01T00:00:00Z");
            let answer = desk.call("shareFile", arguments).await;
            assert_eq!(answer["note"].as_str().is_some_and(|note| note.contains("expires")), told, "{answer}");
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn nobody_gets_access_past_the_policy() {
    let link = json!({"path": "/a.txt", "action": "link", "scope": "anonymous"});
    let invite = json!({"path": "/a.txt", "action": "invite", "users": ["bo@fabrikam.example"]});
    for policy in ["domains=partner.example", "external=0", "draft-only"] {
        for arguments in [&link, &invite] {
            let desk = Desk::configured(&[("TOOL_PRESETS", "all"), ("SEND_POLICY", policy)]);
            desk.answer(&json!({"id": "01F", "name": "a.txt"}));
            let report = desk.error("shareFile", arguments.clone()).await;
            assert_eq!(report["code"], "sendPolicy", "{policy}: {report}");
            assert!(desk.asked().iter().all(|asked| asked.starts_with("GET ")), "{policy}: {:?}", desk.asked());
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_user_is_asked_before_anybody_gets_access_and_shown_who_and_what() {
    for (arguments, shown) in [
        (json!({"path": "/a.txt", "action": "link", "scope": "anonymous", "access": "edit"}), "see and change"),
        (json!({"path": "/a.txt", "action": "link"}), "everybody of the organisation"),
        (
            json!({"path": "/a.txt", "action": "invite", "users": ["bo@fabrikam.example"], "message": "Hi"}),
            "bo@fabrikam.example (OUTSIDE)",
        ),
    ] {
        let mut desk = Desk::new();
        desk.client.capabilities = ClientCapabilities(ClientCapabilities::ELICITATION);
        desk.answer(&json!({"id": "01F", "name": "Plan\u{202E}.txt"}));
        let action = Action::Tool { name: "shareFile".to_owned(), arguments: arguments.to_string() };
        let called = desk.called(&action).await;
        let Called::InputRequired { requests, .. } = called else { panic!("{arguments}: {called:?}") };
        let message = requests[0].params["message"].as_str().unwrap();
        assert!(message.contains(shown) && message.contains("Plan.txt"), "{message}");
        assert_eq!(desk.asked(), ["GET /me/drive/root:/a.txt?$select=id%2Cname"]);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn to_look_and_to_take_away_asks_nobody() {
    for arguments in [json!({"path": "/a.txt"}), json!({"path": "/a.txt", "action": "remove", "permissionId": "p1"})] {
        let mut desk = Desk::configured(&[("TOOL_PRESETS", "all"), ("SEND_POLICY", "draft-only")]);
        desk.client.capabilities = ClientCapabilities(ClientCapabilities::ELICITATION);
        desk.call("shareFile", arguments).await;
        assert_eq!(desk.asked().len(), 1);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_invitation_that_may_have_gone_out_is_not_sent_again() {
    let desk = Desk::new();
    desk.doubt();
    let invite = json!({"path": "/a", "action": "invite", "users": ["bo@fabrikam.example"], "idempotencyKey": "k"});
    let report = desk.error("shareFile", invite.clone()).await;
    assert_eq!((&report["mayHaveActed"], &report["retryable"]), (&json!(true), &json!(false)));
    assert!(desk.graph.seen.borrow().iter().all(|request| !request.idempotent));
    assert_eq!(desk.error("shareFile", invite.clone()).await["code"], "outcomeUnknown");
    assert_eq!(desk.asked().len(), 1);
    let desk = Desk::new();
    desk.answer(&json!({"value": [{"id": "p", "roles": ["read"]}]}));
    for _ in 0..2 {
        assert_eq!(desk.call("shareFile", invite.clone()).await["status"], "invited");
    }
    assert_eq!(desk.asked(), ["POST /me/drive/root:/a:/invite"]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    let users = json!(["bo@fabrikam.example"]);
    for (argument, arguments) in [
        ("path", json!({})),
        ("path", json!({"path": "/"})),
        ("path", json!({"path": "/../x"})),
        ("itemId", json!({"itemId": "../x"})),
        ("action", json!({"path": "/a", "action": "own"})),
        ("access", json!({"path": "/a", "access": "edit"})),
        ("access", json!({"path": "/a", "action": "link", "access": "owner"})),
        ("scope", json!({"path": "/a", "action": "invite", "users": users, "scope": "anonymous"})),
        ("users", json!({"path": "/a", "action": "invite"})),
        ("users", json!({"path": "/a", "action": "invite", "users": []})),
        ("users", json!({"path": "/a", "action": "invite", "users": ["bo"]})),
        ("users", json!({"path": "/a", "action": "link", "users": users})),
        ("message", json!({"path": "/a", "action": "link", "message": "x"})),
        ("message", json!({"path": "/a", "action": "invite", "users": users, "message": "a\u{202E}b"})),
        ("message", json!({"path": "/a", "action": "invite", "users": users, "message": "x".repeat(2001)})),
        ("expires", json!({"path": "/a", "action": "link", "expires": "2026-04-01T00:00:00"})),
        ("expires", json!({"path": "/a", "action": "link", "expires": "2026-03-01T00:00:00Z"})),
        ("expires", json!({"path": "/a", "expires": "2026-04-01T00:00:00Z"})),
        ("permissionId", json!({"path": "/a", "action": "remove"})),
        ("permissionId", json!({"path": "/a", "action": "remove", "permissionId": "../x"})),
        ("permissionId", json!({"path": "/a", "permissionId": "p1"})),
        ("idempotencyKey", json!({"path": "/a", "action": "link", "idempotencyKey": "k"})),
    ] {
        let desk = Desk::new();
        let report = desk.error("shareFile", arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(desk.asked().is_empty());
    }
    let desk = Desk::granted("Files.ReadWrite");
    let report = desk.error("shareFile", json!({"driveId": "b!x", "itemId": "01F"})).await;
    assert_eq!(report["missingScope"], "Files.ReadWrite.All");
    assert!(desk.asked().is_empty());
}
