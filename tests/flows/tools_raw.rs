//! Reading any allowed path, and nothing else.

use serde_json::{Value, json};

use super::tools_fake::{Desk, snapshot};
use crate::graph::GraphResponse;

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let mut all = Vec::new();
    let desk = Desk::new();
    let arguments = json!({"paths": ["/me/drive?$select=quota"]});
    desk.answer(&json!({"@odata.context": "x", "quota": {"used": 1}, "@odata.nextLink": "https://graph.microsoft.com/v1.0/me/drive?$skiptoken=x"}));
    let answer = desk.call("graphRequest", arguments.clone()).await;
    all.push(json!({"arguments": arguments, "requests": desk.wire(), "answer": answer}));
    let desk = Desk::new();
    let paths = [
        "/users?$search=\"displayName:O'Hara %26 co\"&$count=true",
        "/me/drive/root:/Ä b.txt",
        "/groups/g%201/members",
    ];
    let arguments = json!({"paths": paths, "eventual": true, "maxChars": 30});
    desk.answer(&json!({"responses": [
        {"id": "0", "status": 200, "body": {"value": ["a\u{202E}b"]}},
        {"id": "1", "status": 404, "body": {"error": {"code": "itemNotFound"}}},
        {"id": "2", "status": 200, "body": {"value": ["this is longer than what is left"]}},
    ]}));
    let answer = desk.call("graphRequest", arguments.clone()).await;
    assert_eq!(answer["answers"][1]["error"]["source"], "graph");
    let answers = json!([answer["answers"][0], answer["answers"][2], answer["truncated"]]);
    all.push(json!({"arguments": arguments, "requests": desk.wire(), "answer": answers}));
    snapshot("graph_request", &Value::Array(all));
}

#[tokio::test(flavor = "current_thread")]
async fn a_count_is_read_behind_its_byte_order_mark() {
    let desk = Desk::new();
    let body = "\u{FEFF}42".into();
    desk.graph.queue.borrow_mut().push_back(Ok(GraphResponse { status: 200, headers: Vec::new(), body }));
    let answer = desk.call("graphRequest", json!({"paths": ["/me/messages/$count"]})).await;
    assert_eq!(answer["answers"][0]["body"], 42);
}

#[tokio::test(flavor = "current_thread")]
async fn a_path_that_leaves_its_place_is_refused_before_anything_leaves() {
    for path in [
        "",
        "/",
        "me",
        "me/messages",
        "//me",
        "/me//messages",
        "/me/",
        "https://graph.microsoft.com/v1.0/me",
        "https://evil.example/me",
        "//evil.example/me",
        "/\\evil.example",
        "/me@evil.example",
        "/v1.0/me",
        "/beta/me",
        "/me/..",
        "/me/../users",
        "/me/%2e%2e/users",
        "/me/.%2E/users",
        "/me/%252e%252e/users",
        "/./me",
        "/me%2fmessages",
        "/me/messages%2F..%2F..%2Fapplications",
        "/me/a%5c..%5cb",
        "/me/%00",
        "/me/a\nb",
        "/me/%zz",
        "/me/x%",
        "/me#x",
        "/me?$select=id#x",
        "/%6d%65/%2e%2e",
        "/me;x/../y",
        "/me/..;x/y",
        "/me/\u{202E}x",
    ] {
        refuse(path).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_not_on_the_list_is_refused_whatever_it_is_called() {
    for path in [
        "/applications",
        "/directoryRoles",
        "/auditLogs/signIns",
        "/security/alerts",
        "/deviceManagement",
        "/ME",
        "/identity/conditionalAccess/policies",
        "/reports/x",
        "/$batch",
        "/$metadata",
        "/me/$batch",
        "/search/query",
        "/subscriptions",
        "/communications/calls",
        "/oauth2PermissionGrants",
        "/shares/u!x/driveItem",
        "/Users('x')",
    ] {
        refuse(path).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn bytes_and_streams_are_refused_in_any_clothes() {
    for path in [
        "/me/photo/$value",
        "/me/messages/x/$value",
        "/me/messages/x/%24value",
        "/me/drive/items/x/content",
        "/me/drive/items/x/Content",
        "/me/drive/root:/a.txt:/content",
        "/me/drive/root:/a.txt:/%63ontent",
        "/me/drive/items/x/content()",
        "/me/drive/items/x/contentStream",
        "/me/onenote/pages/x/content?$format=html",
        "/groups/x/members/$ref",
        "/me/drive/root:/content:/x",
    ] {
        refuse(path).await;
    }
}

#[tokio::test(flavor = "current_thread")]
async fn no_query_makes_another_method_or_form_of_it() {
    for query in [
        "X-HTTP-Method=POST",
        "x-http-method-override=PATCH",
        "_method=DELETE",
        "$method=POST",
        "$format=text/vtt",
        "access_token=x",
        "api-version=beta",
        "$select=id&$apply=x",
        "%24batch=1",
        "$compute=x",
        "@p=1",
    ] {
        refuse(&format!("/me/messages?{query}")).await;
    }
}

async fn refuse(path: &str) {
    let desk = Desk::new();
    // One of several is enough to refuse them all.
    let report = desk.error("graphRequest", json!({"paths": ["/me", path]})).await;
    assert_eq!(report["code"], "invalidArgument", "{path}");
    assert!(report["message"].as_str().unwrap().starts_with("paths: "), "{report}");
    assert!(desk.asked().is_empty(), "{path}: {:?}", desk.asked());
}

#[tokio::test(flavor = "current_thread")]
async fn whatever_the_path_it_is_a_get_without_a_body() {
    let desk = Desk::new();
    let paths = json!(["/me/sendMail", "/me/messages/x/send", "/me/drive/items/x/createLink", "/me/messages/x/delete"]);
    desk.answer(&json!({"responses": []}));
    desk.call("graphRequest", json!({"paths": paths})).await;
    for part in desk.wire()[0]["body"]["requests"].as_array().unwrap() {
        assert_eq!((&part["method"], part.get("body")), (&json!("GET"), None), "{part}");
        assert_eq!(part["headers"], json!({"prefer": "IdType=\"ImmutableId\""}));
    }
    let desk = Desk::new();
    desk.call("graphRequest", json!({"paths": ["/me/sendMail"]})).await;
    assert_eq!((desk.asked(), &desk.wire()[0]["body"]), (vec!["GET /me/sendMail".to_owned()], &Value::Null));
}

#[tokio::test(flavor = "current_thread")]
async fn the_one_path_that_fails_is_an_error_and_a_log_names_no_id() {
    let desk = Desk::new();
    desk.refuse(403, "Authorization_RequestDenied");
    assert_eq!(
        desk.error("graphRequest", json!({"paths": ["/users/secret-id"]})).await["code"],
        "Authorization_RequestDenied"
    );
    assert_eq!(desk.wire()[0]["route"], "/users/{path}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_page_elsewhere_is_not_offered() {
    for link in [
        "https://evil.example/v1.0/me",
        "https://graph.microsoft.com/beta/me",
        "https://graph.microsoft.com/v1.0/applications",
    ] {
        let desk = Desk::new();
        let answer = desk
            .answer(&json!({"value": [], "@odata.nextLink": link}))
            .call("graphRequest", json!({"paths": ["/me"]}))
            .await;
        assert_eq!(answer["answers"][0].get("next"), None, "{link}");
        assert!(!answer.to_string().contains("evil"));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    let many: Vec<_> = (0..21).map(|_| "/me").collect();
    for (argument, arguments) in [
        ("paths", json!({})),
        ("paths", json!({"paths": []})),
        ("paths", json!({"paths": many})),
        ("maxChars", json!({"paths": ["/me"], "maxChars": 0})),
        ("method", json!({"paths": ["/me"], "method": "POST"})),
        ("headers", json!({"paths": ["/me"], "headers": {"X-HTTP-Method": "POST"}})),
        ("body", json!({"paths": ["/me"], "body": {}})),
    ] {
        let desk = Desk::new();
        let report = desk.error("graphRequest", arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(desk.asked().is_empty(), "{argument}");
    }
}
