//! The calendar beyond the core: who may answer, cancel and look where.

use serde_json::{Value, json};

use super::{Fixture, VERIFIER};

const OFFLINE: &str = "openid profile offline_access User.Read ";

/// A signed-in Adele and her emulator.
struct Adele {
    fixture: Fixture,
    token: String,
}

impl Adele {
    async fn with(scopes: &str) -> Self {
        let fixture = Fixture::start().await;
        let code = fixture.code(&[("scope", &format!("{OFFLINE}{scopes}"))]).await;
        let tokens = fixture.redeem(&code, VERIFIER).await;
        Self { token: tokens["access_token"].as_str().unwrap().to_owned(), fixture }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}/v1.0{path}", self.fixture.base);
        let request = self.fixture.http.request(method.parse().unwrap(), url).header("host", "graph.microsoft.com");
        let request = request.bearer_auth(&self.token).header("prefer", "IdType=\"ImmutableId\"");
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// The id of an event, of a series that of its first occurrence.
    async fn event(&self, subject: &str) -> String {
        let path = "/me/calendarView?startDateTime=2020-01-01T00:00:00Z&endDateTime=2040-01-01T00:00:00Z";
        let (_, view) = self.ask("GET", &format!("{path}&$filter=subject eq '{subject}'"), None).await;
        let found = view["value"].as_array().unwrap().first().unwrap();
        found["id"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn only_an_invited_person_answers_and_only_the_organiser_cancels() {
    let adele = Adele::with("Calendars.ReadWrite").await;
    let (own, foreign) = (adele.event("Lunch with Nora").await, adele.event("Supplier call Tokyo").await);
    for (id, deed, status) in
        [(&own, "accept", 400), (&foreign, "cancel", 400), (&foreign, "accept", 202), (&own, "cancel", 202)]
    {
        let (found, _) = adele.ask("POST", &format!("/me/events/{id}/{deed}"), Some(json!({}))).await;
        assert_eq!(found, status, "{deed}");
    }
    assert_eq!(adele.ask("GET", &format!("/me/events/{own}"), None).await.0, 404);
    let (_, event) = adele.ask("GET", &format!("/me/events/{foreign}?$select=responseStatus"), None).await;
    assert_eq!(event["responseStatus"]["response"], "accepted");
}

#[tokio::test]
async fn a_new_time_is_proposed_only_with_an_answer_that_is_sent() {
    let adele = Adele::with("Calendars.ReadWrite").await;
    let id = adele.event("Supplier call Tokyo").await;
    let at = |hour| json!({"dateTime": format!("2026-03-02T{hour}:00:00"), "timeZone": "UTC"});
    let proposed = |send| json!({"sendResponse": send, "proposedNewTime": {"start": at(10), "end": at(11)}});
    for (deed, send, status) in [("accept", true, 400), ("decline", false, 400), ("tentativelyAccept", true, 202)] {
        let (found, _) = adele.ask("POST", &format!("/me/events/{id}/{deed}"), Some(proposed(send))).await;
        assert_eq!(found, status, "{deed} {send}");
    }
}

#[tokio::test]
async fn an_occurrence_is_found_by_its_own_id() {
    let adele = Adele::with("Calendars.Read").await;
    let id = adele.event("Stand-up").await;
    let (status, event) = adele.ask("GET", &format!("/me/events/{id}?$select=type,seriesMasterId"), None).await;
    assert_eq!((status, &event["type"]), (200, &json!("occurrence")));
    assert_eq!(adele.ask("GET", "/me/events/nonsense", None).await.0, 400);
}

#[tokio::test]
async fn other_mailboxes_need_the_shared_scope_and_an_owner_who_shares() {
    let own = Adele::with("Calendars.Read").await;
    assert_eq!(own.ask("GET", "/users/megan@contoso.example/calendars", None).await.0, 403);
    let shared = Adele::with("Calendars.Read.Shared").await;
    for (owner, status) in
        [("megan@contoso.example", 200), ("alex@contoso.example", 404), ("frank@fabrikam.example", 404)]
    {
        assert_eq!(shared.ask("GET", &format!("/users/{owner}/calendars"), None).await.0, status, "{owner}");
    }
    assert_eq!(shared.ask("GET", "/places/microsoft.graph.room", None).await.0, 403);
}

#[tokio::test]
async fn schedules_are_few_and_short_and_hide_what_others_do() {
    let adele = Adele::with("Calendars.Read Calendars.Read.Shared").await;
    let at = |day| json!({"dateTime": format!("2026-{day}T00:00:00"), "timeZone": "UTC"});
    let ask =
        |schedules: Vec<String>, end| json!({"schedules": schedules, "startTime": at("03-02"), "endTime": at(end)});
    let people = |count| (0..count).map(|at| format!("a{at}@contoso.example")).collect::<Vec<_>>();
    for (count, end, status) in
        [(0, "03-09", 400), (21, "03-09", 400), (1, "04-13", 400), (1, "03-02", 400), (20, "04-12", 200)]
    {
        let (found, _) = adele.ask("POST", "/me/calendar/getSchedule", Some(ask(people(count), end))).await;
        assert_eq!(found, status, "{count} {end}");
    }
    let both = vec![
        "adele@contoso.example".to_owned(),
        "alex@contoso.example".to_owned(),
        "nobody@contoso.example".to_owned(),
    ];
    let (_, answer) = adele.ask("POST", "/me/calendar/getSchedule", Some(ask(both, "03-09"))).await;
    assert!(answer["value"][2]["error"].is_object());
    let blocks = |at: usize| answer["value"][at]["scheduleItems"].as_array().unwrap().clone();
    assert!(blocks(1).iter().all(|block| block.get("subject").is_none()));
    let slots = json!({"attendees": [], "timeConstraint": {"activityDomain": "work", "timeSlots": [{"start": at("03-02"), "end": at("03-07")}]}, "meetingDuration": "PT30M", "maxCandidates": 3});
    let (status, found) = adele.ask("POST", "/me/findMeetingTimes", Some(slots)).await;
    assert_eq!((status, found["meetingTimeSuggestions"].as_array().unwrap().len()), (200, 3));
}

#[tokio::test]
async fn a_change_is_kept_and_a_guest_does_not_change_the_list() {
    let adele = Adele::with("Calendars.ReadWrite").await;
    let (own, foreign) = (adele.event("Lunch with Nora").await, adele.event("Supplier call Tokyo").await);
    let change = json!({"subject": "Dinner", "start": {"dateTime": "2026-03-02T18:00:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2026-03-02T20:00:00", "timeZone": "Europe/Berlin"}});
    let (status, event) = adele.ask("PATCH", &format!("/me/events/{own}"), Some(change)).await;
    assert_eq!(
        (status, &event["subject"], &event["start"]["dateTime"]),
        (200, &json!("Dinner"), &json!("2026-03-02T17:00:00.0000000"))
    );
    assert_eq!(adele.ask("PATCH", &format!("/me/events/{foreign}"), Some(json!({"attendees": []}))).await.0, 403);
    assert_eq!(adele.ask("PATCH", &format!("/me/events/{own}"), Some(json!({"colour": 1}))).await.0, 400);
    assert_eq!(adele.ask("DELETE", &format!("/me/events/{own}"), None).await.0, 204);
}
