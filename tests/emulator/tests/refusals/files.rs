//! Files: what Graph and the host of the contents refuse.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::Fixture;

const SCOPES: &str = "openid profile offline_access User.Read Files.ReadWrite";
const ALL: &str = "openid profile offline_access User.Read Files.ReadWrite Files.ReadWrite.All";
const HOST: &str = "contoso-my.sharepoint.com";
const LIBRARY: &str = "/drives/b!marketing-library/root/children";

struct Files {
    fixture: Fixture,
    token: String,
}

impl Files {
    async fn start(scopes: &str) -> Self {
        let fixture = Fixture::start().await;
        let token = fixture.access_token(&[("scope", scopes)]).await;
        Self { fixture, token }
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Response {
        let request = self.fixture.http.request(method, format!("{}/v1.0{path}", self.fixture.base));
        let request = request.header("host", "graph.microsoft.com").bearer_auth(&self.token);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(body).send().await.unwrap()
    }

    async fn json(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let answer =
            self.send(method, path, &[("content-type", "application/json")], body.to_string().into_bytes()).await;
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.send(Method::GET, path, &[], Vec::new()).await;
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    async fn put(&self, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let headers = [&[("content-type", "text/plain")], headers].concat();
        let answer = self.send(Method::PUT, path, &headers, b"hello".to_vec()).await;
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Asks the contents' host.
    async fn content(&self, method: Method, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> u16 {
        let path = url.strip_prefix(&format!("https://{HOST}")).unwrap();
        let request = self.fixture.http.request(method, format!("{}{path}", self.fixture.base)).header("host", HOST);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(body).send().await.unwrap().status().as_u16()
    }
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn an_item_that_is_not_there_or_not_the_callers_is_refused() {
    let files = Files::start(SCOPES).await;
    for path in ["/me/drive/items/01NOTHING", "/me/drive/root:/Nothing.txt", "/me/drive/root:/Reports/x:/children"] {
        let (status, answer) = files.get(path).await;
        assert_eq!((status, code(&answer)), (404, "itemNotFound"), "{path}");
    }
    assert_eq!(files.get(LIBRARY).await.0, 403);
    let files = Files::start(ALL).await;
    assert_eq!(files.get(LIBRARY).await.0, 200);
    let alex = "/drives/b!a1000000000040008000000000000002/root";
    assert_eq!(files.get(&format!("{alex}/children")).await.0, 403, "nobody shared the whole of it");
    assert_eq!(files.get(&format!("{alex}:/Reports:/children")).await.0, 200);
    assert_eq!(Files::start("openid profile offline_access User.Read").await.get("/me/drive/root").await.0, 403);
}

#[tokio::test]
async fn a_property_that_the_type_does_not_have_is_refused() {
    let files = Files::start(SCOPES).await;
    let (status, chosen) = files.get("/me/drive/root:/Trade fair.html?$select=id,@microsoft.graph.downloadUrl").await;
    assert_eq!((status, chosen.as_object().unwrap().len()), (200, 2));
    assert_eq!(files.get("/me/drive/root/children?$select=id,downloadUrl").await.0, 400);
    assert_eq!(files.get("/me/drive/root/search(q='o'hara')").await.0, 400);
    let (_, found) = files.get("/me/drive/root/search(q='team''s plan')").await;
    assert_eq!(found["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_conflict_and_another_version_are_refused() {
    let files = Files::start(SCOPES).await;
    let path = "/me/drive/root:/New/a.txt:/content";
    let fail = format!("{path}?@microsoft.graph.conflictBehavior=fail");
    let (status, made) = files.put(&fail, &[]).await;
    assert_eq!(status, 201, "folders on the way are made");
    assert_eq!(files.put(&fail, &[]).await.0, 409);
    let (status, renamed) = files.put(&format!("{path}?@microsoft.graph.conflictBehavior=rename"), &[]).await;
    assert_eq!((status, &renamed["name"]), (201, &json!("a 1.txt")));
    let id = format!("/me/drive/items/{}/content", made["id"].as_str().unwrap());
    let etag = made["eTag"].as_str().unwrap();
    let (status, replaced) = files.put(&id, &[("if-match", etag)]).await;
    assert_eq!(status, 200);
    assert_ne!(replaced["eTag"], made["eTag"]);
    assert_eq!(files.put(&id, &[("if-match", etag)]).await.0, 412);
    assert_eq!(files.put("/me/drive/root:/a:b.txt:/content", &[]).await.0, 400);
}

#[tokio::test]
async fn a_body_of_the_wrong_shape_is_refused() {
    let files = Files::start(ALL).await;
    let reports = "/me/drive/root:/Reports";
    for (method, path, body) in [
        (Method::POST, "/me/drive/root/children", json!({"name": "x"})),
        (Method::POST, "/me/drive/root/children", json!({"name": "x", "folder": {}, "colour": 1})),
        (Method::PATCH, "/me/drive/root", json!({"name": "x"})),
        (Method::PATCH, reports, json!({"parentReference": {"id": "x", "driveId": "b!marketing-library"}})),
        (Method::POST, "/me/drive/root:/Reports:/copy", json!({"parentReference": {"id": "x"}})),
        (Method::POST, "/me/drive/root:/a.bin:/createUploadSession", json!({"name": "x"})),
        (Method::POST, "/me/drive/root:/Reports:/createLink", json!({"type": "view", "scope": "all"})),
        (
            Method::POST,
            "/me/drive/root:/Reports:/invite",
            json!({"recipients": [], "roles": ["read"], "sendInvitation": true}),
        ),
        (
            Method::POST,
            "/me/drive/root:/Reports:/invite",
            json!({"recipients": [{"email": "a@b.example"}], "roles": ["read"]}),
        ),
    ] {
        assert_eq!(files.json(method, path, &body).await.0, 400, "{path} {body}");
    }
    let taken = json!({"name": "reports", "folder": {}, "@microsoft.graph.conflictBehavior": "fail"});
    assert_eq!(files.json(Method::POST, "/me/drive/root/children", &taken).await.0, 409);
    assert_eq!(files.send(Method::DELETE, "/me/drive/root", &[], Vec::new()).await.status(), 400);
    assert_eq!(files.send(Method::DELETE, reports, &[], Vec::new()).await.status(), 204);
    assert_eq!(files.get("/me/drive/root:/Reports/2026").await.0, 404, "all in it goes along");
}

#[tokio::test]
async fn the_contents_host_takes_its_own_ticket_and_nothing_else() {
    let files = Files::start(SCOPES).await;
    let answer = files.send(Method::GET, "/me/drive/root:/Trade fair.html:/content", &[], Vec::new()).await;
    assert_eq!(answer.status(), 302);
    let url = answer.headers()["location"].to_str().unwrap().to_owned();
    let get = |headers: &'static [(&str, &str)]| files.content(Method::GET, &url, headers, Vec::new());
    assert_eq!(get(&[]).await, 200);
    assert_eq!(get(&[("authorization", "Bearer x")]).await, 401);
    assert_eq!(get(&[("cookie", "a=b")]).await, 401);
    assert_eq!(get(&[("range", "bytes=0-3")]).await, 206);
    for wrong in ["bytes=9-2", "bytes=0-999999", "bytes=a-b", "lines=0-1"] {
        assert_eq!(files.content(Method::GET, &url, &[("range", wrong)], Vec::new()).await, 416, "{wrong}");
    }
    let altered = url.replace("tempauth=v1.", "tempauth=v1.0");
    assert_eq!(files.content(Method::GET, &altered, &[], Vec::new()).await, 401);
    assert_eq!(files.content(Method::PUT, &url, &[], Vec::new()).await, 404);
}

#[tokio::test]
async fn the_ranges_of_an_upload_are_in_order_and_whole() {
    let files = Files::start(SCOPES).await;
    let body = json!({"item": {"@microsoft.graph.conflictBehavior": "fail"}});
    let (status, session) = files.json(Method::POST, "/me/drive/root:/b.bin:/createUploadSession", &body).await;
    assert_eq!(status, 200);
    let url = session["uploadUrl"].as_str().unwrap();
    let part = async |range: &str, length: usize| {
        files.content(Method::PUT, url, &[("content-range", range)], vec![7; length]).await
    };
    assert_eq!(files.content(Method::PUT, url, &[], vec![7; 5]).await, 400);
    assert_eq!(part("bytes 0-9/400000", 10).await, 416, "no multiple of 320 KiB");
    assert_eq!(part("bytes 327680-400000/400001", 72_321).await, 416, "out of order");
    assert_eq!(part("bytes 0-327679/400001", 327_680).await, 202);
    assert_eq!(part("bytes 327680-400000/400001", 72_320).await, 416, "shorter than it says");
    assert_eq!(part("bytes 327680-400000/400001", 72_321).await, 201);
    assert_eq!(part("bytes 0-4/5", 5).await, 401, "it is over");
    assert_eq!(files.get("/me/drive/root:/b.bin").await.1["size"], 400_001);
}

#[tokio::test]
async fn an_invitation_is_a_permission_until_it_is_taken_back() {
    let files = Files::start(ALL).await;
    let path = "/me/drive/root:/Trade fair.html:";
    let invite = json!({"recipients": [{"email": "alex@contoso.example"}], "roles": ["write"], "requireSignIn": true});
    let (status, given) = files.json(Method::POST, &format!("{path}/invite"), &invite).await;
    assert_eq!((status, &given["value"][0]["roles"]), (200, &json!(["write"])));
    let id = given["value"][0]["id"].as_str().unwrap();
    let (_, all) = files.get(&format!("{path}/permissions")).await;
    assert_eq!(all["value"].as_array().unwrap().len(), 2);
    let gone = files.send(Method::DELETE, &format!("{path}/permissions/{id}"), &[], Vec::new()).await;
    assert_eq!(gone.status(), 204);
    let again = files.send(Method::DELETE, &format!("{path}/permissions/{id}"), &[], Vec::new()).await;
    assert_eq!(again.status(), 404);
    assert_eq!(files.send(Method::DELETE, &format!("{path}/permissions/owner"), &[], Vec::new()).await.status(), 403);
}
