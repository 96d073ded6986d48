//! To Do, Planner, `OneNote` and `SharePoint`: what each refuses in its own manner.

use serde_json::{Value, json};

use super::Fixture;

const SCOPES: &str = "openid User.Read Tasks.ReadWrite Notes.ReadWrite Sites.ReadWrite.All";
const HERON: &str = "/v1.0/sites/contoso.sharepoint.example:/sites/heron";

impl Fixture {
    async fn lists(&self) -> String {
        self.access_token(&[("scope", SCOPES)]).await
    }

    async fn write(&self, token: &str, request: (reqwest::Method, &str), etag: Option<&str>, body: &Value) -> u16 {
        let (method, path) = request;
        let request =
            self.http.request(method, format!("{}/v1.0{path}", self.base)).header("host", "graph.microsoft.com");
        let request = match etag {
            Some(etag) => request.header("if-match", etag),
            None => request,
        };
        request.bearer_auth(token).json(body).send().await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn to_do_refuses_select_and_what_is_no_task() {
    let fixture = Fixture::start().await;
    let token = fixture.lists().await;
    let (status, lists) = fixture.graph(&token, "/v1.0/me/todo/lists").await;
    assert_eq!(status, 200);
    let path = format!("/v1.0/me/todo/lists/{}/tasks", lists["value"][0]["id"].as_str().unwrap());
    assert_eq!(fixture.graph(&token, &format!("{path}?$select=id,title")).await.0, 400);
    assert_eq!(fixture.graph(&token, &format!("{path}?$filter=status%20ne%20'completed'")).await.0, 200);
    let clock = |zone: &str| json!({"dateTime": "2026-03-02T09:00:00", "timeZone": zone});
    for (body, expected) in [
        (json!({"title": "x", "dueDateTime": clock("UTC")}), 201),
        (json!({"title": "x", "dueDateTime": clock("Nowhere")}), 400),
        (json!({"title": "x", "dueDateTime": "2026-03-02T09:00:00Z"}), 400),
        (json!({"title": "x", "importance": "urgent"}), 400),
        (json!({"title": "x", "percentComplete": 100}), 400),
        (json!({}), 400),
    ] {
        assert_eq!(fixture.post(&token, &path, &body).await.0, expected, "{body}");
    }
    assert_eq!(fixture.graph(&token, &format!("{path}/nothing")).await.0, 404);
    let reader = fixture.access_token(&[("scope", "openid User.Read Tasks.Read")]).await;
    assert_eq!(fixture.post(&reader, &path, &json!({"title": "x"})).await.0, 403);
}

#[tokio::test]
async fn planner_changes_nothing_without_the_etag_of_the_moment() {
    let fixture = Fixture::start().await;
    let token = fixture.lists().await;
    let (_, tasks) = fixture.graph(&token, "/v1.0/me/planner/tasks?$filter=percentComplete%20eq%20100&$top=1").await;
    assert_eq!(tasks["value"].as_array().unwrap().len(), 3, "whatever the query says");
    let task = &tasks["value"][0];
    let (path, etag) = (format!("/planner/tasks/{}", task["id"].as_str().unwrap()), task["@odata.etag"].as_str());
    let done = json!({"percentComplete": 100});
    for (method, tag, body, expected) in [
        (reqwest::Method::PATCH, None, &done, 400),
        (reqwest::Method::PATCH, Some("W/\"stale\""), &done, 412),
        (reqwest::Method::PATCH, etag, &json!({"assignments": {"Bo": {}}}), 400),
        (reqwest::Method::PATCH, etag, &json!({"dueDateTime": {"dateTime": "x", "timeZone": "UTC"}}), 400),
        (reqwest::Method::PATCH, etag, &done, 204),
        (reqwest::Method::PATCH, etag, &done, 412),
        (reqwest::Method::DELETE, None, &done, 400),
    ] {
        assert_eq!(fixture.write(&token, (method, &path), tag, body).await, expected, "{body}");
    }
    assert_eq!(fixture.graph(&token, "/v1.0/planner/plans/opsQg5FS2LkCp935s-FIFm2QAFkA/tasks").await.0, 403);
}

#[tokio::test]
async fn a_page_of_onenote_is_well_formed_html() {
    let fixture = Fixture::start().await;
    let token = fixture.lists().await;
    let (_, found) = fixture.graph(&token, "/v1.0/me/onenote/notebooks").await;
    let book = format!("/v1.0/me/onenote/notebooks/{}?$expand=sections", found["value"][0]["id"].as_str().unwrap());
    let (_, book) = fixture.graph(&token, &book).await;
    let path = format!("/me/onenote/sections/{}/pages", book["sections"][0]["id"].as_str().unwrap());
    assert_eq!(fixture.write(&token, (reqwest::Method::POST, &path), None, &json!({"title": "x"})).await, 415);
    let page = |body: &str| format!("<!DOCTYPE html><html><head><title>x</title></head><body>{body}</body></html>");
    for (html, expected) in [(page("<p>a</p>"), 201), (page("<p>a"), 400), ("<p>a</p>".to_owned(), 400)] {
        let request = self_post(&fixture, &token, &path).header("content-type", "text/html").body(html);
        assert_eq!(request.send().await.unwrap().status().as_u16(), expected);
    }
}

fn self_post(fixture: &Fixture, token: &str, path: &str) -> reqwest::RequestBuilder {
    let request = fixture.http.post(format!("{}/v1.0{path}", fixture.base)).header("host", "graph.microsoft.com");
    request.bearer_auth(token)
}

#[tokio::test]
async fn a_list_is_filtered_by_indexed_columns_and_changed_at_its_version() {
    let fixture = Fixture::start().await;
    let token = fixture.lists().await;
    let (status, site) = fixture.graph(&token, HERON).await;
    assert_eq!(status, 200);
    let items = format!("/sites/{}/lists/Suppliers/items", site["id"].as_str().unwrap());
    for (filter, expected) in [("fields/Status%20eq%20'Open'", 200), ("fields/Country%20eq%20'Germany'", 400)] {
        assert_eq!(fixture.graph(&token, &format!("/v1.0{items}?$filter={filter}")).await.0, expected, "{filter}");
    }
    for (tag, body, expected) in [
        (None, json!({"Colour": "red"}), 400),
        (None, json!({"Products": ["Glue"]}), 400),
        (Some("\"5f0c0000-0000-4000-8000-000000000001,9\""), json!({"Status": "Done"}), 412),
        (Some("\"5f0c0000-0000-4000-8000-000000000001,1\""), json!({"Status": "Done"}), 200),
    ] {
        let path = format!("{items}/1/fields");
        assert_eq!(fixture.write(&token, (reqwest::Method::PATCH, &path), tag, &body).await, expected, "{body}");
    }
}
