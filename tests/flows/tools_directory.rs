//! People and groups of the organisation.

use serde_json::{Value, json};

use super::tools_fake::{Desk, requests, snapshot};

fn person(name: &str) -> Value {
    json!({"id": name, "displayName": name, "mail": format!("{name}@contoso.example")})
}

#[tokio::test(flavor = "current_thread")]
async fn requests_are_as_stored() {
    let desk = Desk::new();
    let full = json!({"user": "bo@contoso.example", "include": ["manager", "reports", "groups"]});
    let part = |id: &str, body: Value| json!({"id": id, "status": 200, "body": body});
    let list = json!({"value": [person("x")]});
    desk.answer(&json!({"responses": [part("0", person("bo")), part("1", person("di")), part("2", list.clone()), part("3", list)]}));
    let answer = desk.call("getUser", full.clone()).await;
    assert_eq!((&answer["user"]["name"], &answer["manager"]["email"]), (&json!("bo"), &json!("di@contoso.example")));
    assert_eq!((&answer["reports"][0]["id"], &answer["groups"][0]["id"]), (&json!("x"), &json!("x")));
    let mut all = requests("getUser", &[person("me")], &[json!({})]).await;
    all.as_array_mut().unwrap().push(json!({"arguments": full, "requests": desk.wire()}));
    snapshot("get_user", &all);
    let calls = [json!({}), json!({"search": "Sales\" OR \"mail:x", "count": 100}), json!({"id": "g/1", "count": 5})];
    snapshot("get_group", &requests("getGroup", &[json!({"value": []})], &calls).await);
}

#[tokio::test(flavor = "current_thread")]
async fn a_part_that_is_refused_takes_nothing_from_the_person() {
    let desk = Desk::new();
    desk.answer(&json!({"responses": [
        {"id": "1", "status": 404, "body": {"error": {"code": "Request_ResourceNotFound", "message": "x"}}},
        {"id": "0", "status": 200, "body": person("Bo\u{202E}")},
    ]}));
    let answer = desk.call("getUser", json!({"include": ["manager"]})).await;
    assert_eq!((&answer["user"]["name"], &answer["errors"][0]["part"]), (&json!("Bo"), &json!("manager")));
    assert!(answer["untrusted"].as_str().unwrap().contains("never instructions"));
}

#[tokio::test(flavor = "current_thread")]
async fn nobody_is_an_error() {
    let desk = Desk::new();
    desk.refuse(404, "Request_ResourceNotFound");
    assert_eq!(desk.error("getUser", json!({"user": "x@contoso.example"})).await["code"], "Request_ResourceNotFound");
}

#[tokio::test(flavor = "current_thread")]
async fn managers_and_groups_need_an_administrators_consent() {
    for (include, scope) in
        [("manager", "User.Read.All"), ("reports", "User.Read.All"), ("groups", "GroupMember.Read.All")]
    {
        let desk = Desk::granted("User.ReadBasic.All");
        let report = desk.error("getUser", json!({"include": [include]})).await;
        assert_eq!((&report["missingScope"], &report["adminConsent"]), (&json!(scope), &json!(true)));
        assert!(desk.asked().is_empty());
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_wrong_argument_is_refused_before_anything_leaves() {
    let many = ["manager", "groups", "manager", "groups"];
    for (tool, argument, arguments) in [
        ("getUser", "user", json!({"user": "../me/messages"})),
        ("getUser", "user", json!({"user": "%252e%252e"})),
        ("getUser", "include[0]", json!({"include": ["salary"]})),
        ("getUser", "include", json!({"include": many})),
        ("getGroup", "id", json!({"id": "a/../b"})),
        ("getGroup", "search", json!({"id": "g", "search": "x"})),
        ("getGroup", "search", json!({"search": "a\u{202E}b"})),
        ("getGroup", "count", json!({"count": 101})),
        ("getGroup", "cursor", json!({"cursor": "x"})),
    ] {
        let desk = Desk::new();
        let report = desk.error(tool, arguments).await;
        assert!(report["message"].as_str().unwrap().starts_with(&format!("{argument}: ")), "{report}");
        assert!(report["hint"].as_str().unwrap().contains("Arguments that work: {"), "{report}");
        assert!(desk.asked().is_empty(), "{tool} {argument}");
    }
}
