//! Mail: what Outlook refuses of moves, answers and marks, and what becomes of ids.

use serde_json::{Value, json};

use super::Fixture;

impl Fixture {
    /// A token, and the immutable id of Adele's first mail with attachments.
    async fn mail(&self) -> (String, String) {
        let token = self.access_token(&[]).await;
        let request = self.http.get(format!("{}/v1.0/me/mailFolders/inbox/messages", self.base));
        let request = request.query(&[("$top", "50"), ("$select", "id,hasAttachments")]);
        let request = request.header("host", "graph.microsoft.com").header("prefer", "IdType=\"ImmutableId\"");
        let list: Value = request.bearer_auth(&token).send().await.unwrap().json().await.unwrap();
        let found = list["value"].as_array().unwrap().iter().find(|mail| mail["hasAttachments"] == true).unwrap();
        (token, found["id"].as_str().unwrap().to_owned())
    }

    async fn read(&self, token: &str, path: &str) -> (u16, Value) {
        let request = self.http.get(format!("{}/v1.0{path}", self.base)).header("host", "graph.microsoft.com");
        let request = request.header("prefer", "IdType=\"ImmutableId\"");
        let answer = request.bearer_auth(token).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn patch(&self, token: &str, path: &str, body: &Value) -> u16 {
        let request = self.http.patch(format!("{}/v1.0{path}", self.base)).header("host", "graph.microsoft.com");
        let request = request.bearer_auth(token).header("prefer", "IdType=\"ImmutableId\"");
        request.json(body).send().await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn a_move_keeps_the_immutable_id_and_a_copy_has_its_own() {
    let fixture = Fixture::start().await;
    let (token, id) = fixture.mail().await;
    let path = format!("/v1.0/me/messages/{id}");
    let (status, moved) = fixture.post(&token, &format!("{path}/move"), &json!({"destinationId": "archive"})).await;
    assert_eq!((status, moved["id"].as_str()), (201, Some(id.as_str())));
    let (status, copy) = fixture.post(&token, &format!("{path}/copy"), &json!({"destinationId": "inbox"})).await;
    assert_eq!(status, 201);
    assert_ne!(copy["id"].as_str(), Some(id.as_str()));
    for (body, expected) in
        [(json!({"destinationId": "nowhere"}), 404), (json!({}), 400), (json!({"folder": "inbox"}), 400)]
    {
        assert_eq!(fixture.post(&token, &format!("{path}/move"), &body).await.0, expected, "{body}");
    }
}

#[tokio::test]
async fn the_history_of_an_answer_says_its_times_in_the_zone_that_is_preferred() {
    let fixture = Fixture::start().await;
    let (token, id) = fixture.mail().await;
    let mut quoted = Vec::new();
    for prefer in ["IdType=\"ImmutableId\", outlook.timezone=\"Asia/Tokyo\"", "IdType=\"ImmutableId\""] {
        let url = format!("{}/v1.0/me/messages/{id}/createReply", fixture.base);
        let request = fixture.http.post(url).header("host", "graph.microsoft.com").header("prefer", prefer);
        let draft: Value = request.bearer_auth(&token).json(&json!({})).send().await.unwrap().json().await.unwrap();
        quoted.push(draft["body"]["content"].as_str().unwrap().to_owned());
    }
    assert!(quoted.iter().all(|history| history.contains("<b>Sent:</b> 20")), "{quoted:?}");
    assert_ne!(quoted[0], quoted[1]);
}

#[tokio::test]
async fn an_answer_takes_a_comment_or_a_body_and_a_forward_needs_one_list() {
    let fixture = Fixture::start().await;
    let (token, id) = fixture.mail().await;
    let to = json!([{"emailAddress": {"address": "alex@contoso.example"}}]);
    for (action, body, expected) in [
        ("createReply", json!({"message": {}}), 201),
        ("createReplyAll", json!({"comment": "x"}), 201),
        ("createReply", json!({"comment": "x", "message": {"body": {"contentType": "text", "content": "y"}}}), 400),
        ("createForward", json!({"message": {}}), 400),
        ("createForward", json!({"message": {"toRecipients": to}, "toRecipients": to}), 400),
        ("createForward", json!({"message": {"toRecipients": to}}), 201),
        ("createReply", json!({"toRecipients": to}), 400),
    ] {
        let (status, draft) = fixture.post(&token, &format!("/v1.0/me/messages/{id}/{action}"), &body).await;
        assert_eq!(status, expected, "{action} {body}");
        assert!(status != 201 || (draft["isDraft"] == true && draft["toRecipients"][0].is_object()), "{draft}");
    }
}

#[tokio::test]
async fn a_due_date_needs_a_start() {
    let fixture = Fixture::start().await;
    let (token, id) = fixture.mail().await;
    let (path, day) = (format!("/me/messages/{id}"), json!({"dateTime": "2026-03-02T00:00:00", "timeZone": "UTC"}));
    let flag = |start: &Value| json!({"flag": {"flagStatus": "flagged", "dueDateTime": day, "startDateTime": start}});
    assert_eq!(fixture.patch(&token, &path, &flag(&Value::Null)).await, 400);
    assert_eq!(fixture.patch(&token, &path, &flag(&day)).await, 200);
}

#[tokio::test]
async fn the_content_of_an_attachment_is_not_a_property_of_its_base_type() {
    let fixture = Fixture::start().await;
    let (token, id) = fixture.mail().await;
    let path = format!("/me/messages/{id}/attachments");
    let (status, list) = fixture.read(&token, &format!("{path}?$select=id,name,contentType,size,isInline")).await;
    assert_eq!((status, list["value"][0]["contentBytes"].is_null()), (200, true));
    let one = format!("{path}/{}", list["value"][0]["id"].as_str().unwrap());
    assert_eq!(fixture.read(&token, &format!("{one}?$select=contentBytes")).await.0, 400);
    assert!(fixture.read(&token, &one).await.1["contentBytes"].is_string());
}

#[tokio::test]
async fn a_file_is_kept_with_its_message_and_one_that_is_none_is_refused() {
    let fixture = Fixture::start().await;
    let token = fixture.access_token(&[]).await;
    let file = |kind: &str, content: &str| json!({"@odata.type": kind, "name": "a.txt", "contentBytes": content});
    let (kind, path) = ("#microsoft.graph.fileAttachment", "/v1.0/me/messages");
    for wrong in [
        json!({"name": "a.txt", "contentBytes": "SGVsbG8="}),
        json!({"@odata.type": kind, "contentBytes": "SGVsbG8="}),
        json!({"@odata.type": kind, "name": "a.txt"}),
        file(kind, "SGVsbG8"),
        file("#microsoft.graph.referenceAttachment", "SGVsbG8="),
    ] {
        let draft = json!({"subject": "s", "attachments": [wrong]});
        assert_eq!(fixture.post(&token, path, &draft).await.0, 400, "{draft}");
        assert_eq!(fixture.post(&token, "/v1.0/me/sendMail", &json!({"message": draft})).await.0, 400);
    }
    let large = file(kind, &"AAAA".repeat(1_100_000));
    assert_eq!(fixture.post(&token, path, &json!({"attachments": [large]})).await.0, 413);
    let draft = json!({"subject": "s", "attachments": [file(kind, "SGVsbG8=")]});
    let (status, made) = fixture.post(&token, path, &draft).await;
    assert_eq!((status, &made["hasAttachments"], &made["attachments"]), (201, &json!(true), &Value::Null));
    let files = format!("/me/messages/{}/attachments", made["id"].as_str().unwrap());
    let more = file(kind, "SGVsbG9v");
    assert_eq!(fixture.post(&token, &format!("/v1.0{files}"), &more).await.0, 201);
    assert_eq!(fixture.post(&token, &format!("/v1.0{files}"), &json!({"name": "a"})).await.0, 400);
    let (_, list) = fixture.read(&token, &files).await;
    let content: Vec<_> = list["value"].as_array().unwrap().iter().map(|one| one["contentBytes"].clone()).collect();
    assert_eq!(content, [json!("SGVsbG8="), json!("SGVsbG9v")]);
}

#[tokio::test]
async fn a_folder_has_a_name_of_its_own_and_those_of_outlook_stay() {
    let fixture = Fixture::start().await;
    let token = fixture.access_token(&[]).await;
    let named = json!({"displayName": "Suppliers"});
    let (status, made) = fixture.post(&token, "/v1.0/me/mailFolders", &named).await;
    assert_eq!(status, 201);
    assert_eq!(fixture.post(&token, "/v1.0/me/mailFolders", &named).await.0, 409);
    let path = format!("/v1.0/me/mailFolders/{}", made["id"].as_str().unwrap());
    assert_eq!(fixture.post(&token, &format!("{path}/childFolders"), &named).await.0, 201);
    let bin = json!({"destinationId": "deleteditems"});
    assert_eq!(fixture.post(&token, &format!("{path}/move"), &bin).await.0, 201);
    let (_, list) = fixture.read(&token, "/me/mailFolders/deleteditems/childFolders").await;
    assert_eq!(
        (&list["value"][0]["displayName"], &list["value"][0]["childFolderCount"]),
        (&json!("Suppliers"), &json!(1))
    );
    assert_eq!(fixture.post(&token, "/v1.0/me/mailFolders/inbox/move", &bin).await.0, 403);
    assert_eq!(fixture.patch(&token, "/me/mailFolders/inbox", &named).await, 403);
}

#[tokio::test]
async fn settings_categories_and_rules_are_checked_before_they_change() {
    let fixture = Fixture::start().await;
    let scopes = "openid profile offline_access User.Read Mail.ReadWrite MailboxSettings.ReadWrite";
    let token = fixture.access_token(&[("scope", scopes)]).await;
    let reply = |status: &str| json!({"automaticRepliesSetting": {"status": status}});
    assert_eq!(fixture.patch(&token, "/me/mailboxSettings", &reply("scheduled")).await, 400);
    assert_eq!(fixture.patch(&token, "/me/mailboxSettings", &json!({"timeZone": "Europe/Berlin"})).await, 200);
    assert_eq!(fixture.read(&token, "/me/mailboxSettings").await.1["timeZone"], "Europe/Berlin");
    let (categories, rules) = ("/v1.0/me/outlook/masterCategories", "/v1.0/me/mailFolders/inbox/messageRules");
    let green = json!({"displayName": "Green", "color": "none"});
    assert_eq!(fixture.post(&token, categories, &green).await.0, 201);
    assert_eq!(fixture.post(&token, categories, &green).await.0, 409);
    let mut rule = json!({"displayName": "x", "sequence": 1, "isEnabled": true, "actions": {"markAsRead": true}});
    let (status, made) = fixture.post(&token, rules, &rule).await;
    assert_eq!(status, 201);
    rule["actions"]["moveToFolder"] = json!("nowhere");
    assert_eq!(fixture.post(&token, rules, &rule).await.0, 400);
    let path = format!("/me/mailFolders/inbox/messageRules/{}", made["id"].as_str().unwrap());
    assert_eq!(fixture.patch(&token, &path, &json!({"forward": 1})).await, 400);
    assert_eq!(fixture.patch(&token, &path, &json!({"isEnabled": false})).await, 200);
}
