//! Presence, meetings, search, changes and workbooks: what Graph refuses of them.

use serde_json::{Value, json};

use super::{Fixture, VERIFIER};

const JOIN: &str = "https://teams.contoso.example/l/meetup-join/19%253ameeting_heron%2540thread.v2/0";

/// A signed-in Adele and her emulator.
struct Adele {
    fixture: Fixture,
    token: String,
}

impl Adele {
    async fn with(scopes: &str) -> Self {
        let fixture = Fixture::start().await;
        let code = fixture.code(&[("scope", &format!("openid profile offline_access User.Read {scopes}"))]).await;
        let tokens = fixture.redeem(&code, VERIFIER).await;
        Self { token: tokens["access_token"].as_str().unwrap().to_owned(), fixture }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let path = path.strip_prefix("https://graph.microsoft.com/v1.0").unwrap_or(path);
        let url = format!("{}/v1.0{path}", self.fixture.base);
        let request = self.fixture.http.request(method.parse().unwrap(), url).header("host", "graph.microsoft.com");
        let request = request.bearer_auth(&self.token).header("prefer", "odata.maxpagesize=5");
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn expect(&self, method: &str, path: &str, body: Value, status: u16) -> Value {
        let shown = body.to_string();
        let (found, answer) = self.ask(method, path, body).await;
        assert_eq!(found, status, "{method} {path} {shown}: {answer}");
        answer
    }
}

#[tokio::test]
async fn presence_takes_only_pairs_that_belong_together() {
    let adele = Adele::with("Presence.Read.All Presence.ReadWrite").await;
    let set = "/me/presence/setUserPreferredPresence";
    for (body, status) in [
        (json!({"availability": "Busy", "activity": "Busy", "expirationDuration": "PT8H"}), 200),
        (json!({"availability": "Offline", "activity": "Offline"}), 400),
        (json!({"availability": "Busy", "activity": "InACall"}), 400),
        (json!({"availability": "Busy", "activity": "Busy", "expirationDuration": "8h"}), 400),
        (json!({"availability": "Busy", "activity": "Busy", "sessionId": "x"}), 400),
    ] {
        adele.expect("POST", set, body, status).await;
    }
    assert_eq!(adele.expect("GET", "/me/presence", Value::Null, 200).await["availability"], "Busy");
    adele.expect("POST", "/me/presence/setStatusMessage", json!({"statusMessage": {"message": "x"}}), 400).await;
    let many = "/communications/getPresencesByUserId";
    for body in [json!({"ids": []}), json!({"ids": ["adele@contoso.example"]}), json!({"users": []})] {
        adele.expect("POST", many, body, 400).await;
    }
    let narrow = Adele::with("Presence.Read").await;
    narrow.expect("POST", many, json!({"ids": ["ad000000-0000-4000-8000-000000000001"]}), 403).await;
    narrow.expect("POST", set, json!({"availability": "Busy", "activity": "Busy"}), 403).await;
}

#[tokio::test]
async fn meetings_are_found_by_link_and_never_listed() {
    let adele = Adele::with("OnlineMeetings.Read").await;
    adele.expect("GET", "/me/onlineMeetings", Value::Null, 400).await;
    let found =
        adele.expect("GET", &format!("/me/onlineMeetings?$filter=JoinWebUrl eq '{JOIN}'"), Value::Null, 200).await;
    let id = found["value"][0]["id"].as_str().unwrap();
    adele.expect("GET", &format!("/me/onlineMeetings/{id}/transcripts"), Value::Null, 403).await;
    adele.expect("GET", "/me/onlineMeetings/none", Value::Null, 404).await;
    let wide = Adele::with("OnlineMeetings.Read OnlineMeetingTranscript.Read.All").await;
    wide.expect("GET", &format!("/me/onlineMeetings/{id}/transcripts/t-2/content"), Value::Null, 415).await;
}

#[tokio::test]
async fn search_refuses_mixed_kinds_regions_and_what_was_not_granted() {
    let adele = Adele::with("Mail.Read Calendars.Read").await;
    let query = |types: Value, more: Value| {
        let mut one = json!({"entityTypes": types, "query": {"queryString": "heron"}, "from": 0, "size": 10});
        more.as_object().unwrap().iter().for_each(|(name, value)| one[name] = value.clone());
        json!({"requests": [one]})
    };
    for (body, status) in [
        (query(json!(["message"]), json!({})), 200),
        (query(json!(["message", "event"]), json!({})), 400),
        (query(json!(["driveItem"]), json!({})), 403),
        (query(json!(["message"]), json!({"region": "EMEA"})), 400),
        (query(json!(["message"]), json!({"size": 26})), 400),
        (query(json!([]), json!({})), 400),
        (json!({"requests": []}), 400),
    ] {
        adele.expect("POST", "/search/query", body, status).await;
    }
}

#[tokio::test]
async fn a_delta_ends_in_a_state_from_which_only_changes_come_and_forgets() {
    let adele = Adele::with("Contacts.ReadWrite Calendars.Read").await;
    let (mut page, mut ids) = (adele.expect("GET", "/me/contacts/delta", Value::Null, 200).await, Vec::new());
    loop {
        ids.extend(page["value"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["@odata.nextLink"].as_str().map(str::to_owned) else { break };
        page = adele.expect("GET", &next, Value::Null, 200).await;
    }
    let state = page["@odata.deltaLink"].as_str().unwrap().to_owned();
    assert_eq!(adele.expect("GET", &state, Value::Null, 200).await["value"], json!([]));
    adele.expect("PATCH", &format!("/me/contacts/{}", ids[0]), json!({"jobTitle": "Buyer"}), 200).await;
    adele.expect("DELETE", &format!("/me/contacts/{}", ids[1]), Value::Null, 204).await;
    let changed = adele.expect("GET", &state, Value::Null, 200).await;
    assert_eq!((&changed["value"][0]["id"], changed["value"].as_array().unwrap().len()), (&json!(ids[0]), 2));
    assert_eq!(changed["value"][1], json!({"id": ids[1], "@removed": {"reason": "deleted"}}));
    adele.expect("GET", "/me/contacts/delta?$deltatoken=expired", Value::Null, 410).await;
    let range = "startDateTime=2026-03-02T00:00:00Z&endDateTime=2026-03-09T00:00:00Z";
    adele.expect("GET", &format!("/me/calendarView/delta?{range}&$select=subject"), Value::Null, 400).await;
    adele.expect("GET", "/me/calendarView/delta", Value::Null, 400).await;
    adele.expect("GET", "/me/mailFolders/inbox/messages/delta", Value::Null, 403).await;
}

#[tokio::test]
async fn a_range_takes_values_of_its_own_size_and_a_table_rows_of_its_width() {
    let adele = Adele::with("Files.ReadWrite").await;
    let book = "/me/drive/root:/Reports/Budget.xlsx:/workbook";
    let range = format!("{book}/worksheets/Costs/range(address='A2:B2')");
    for (body, status) in
        [(json!({"values": [["Taxi", "=1"]]}), 200), (json!({"values": [["x"]]}), 400), (json!({"cells": []}), 400)]
    {
        adele.expect("PATCH", &range, body, status).await;
    }
    let values = adele.expect("GET", &range, Value::Null, 200).await["values"].clone();
    assert_eq!(values, json!([["Taxi", "#computed =1"]]), "what begins with = is computed unless it is quoted");
    adele.expect("POST", &format!("{book}/tables/Spent/rows"), json!({"values": [["x"]]}), 400).await;
    adele.expect("POST", &format!("{book}/tables/Spent/rows"), json!({"values": [["x", 1, 2]]}), 201).await;
    adele.expect("GET", &format!("{book}/worksheets/None/range(address='A1')"), Value::Null, 404).await;
    adele.expect("GET", "/me/drive/items/none/workbook/tables", Value::Null, 404).await;
    let reader = Adele::with("Files.Read").await;
    reader.expect("GET", &format!("{book}/worksheets/Costs/usedRange(valuesOnly=true)"), Value::Null, 403).await;
    reader.expect("PATCH", &range, json!({"values": [["x", 1]]}), 403).await;
}
