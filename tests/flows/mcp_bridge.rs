//! Legacy clients that are asked something: real requests on the call's stream, and their answers by another POST.

use serde_json::{Value, json};

use super::mcp_rig::{Client, EVENTS, said, spec, told};
use super::world::World;
use crate::mcp::Endpoint;
use crate::web::Method;

/// A call that asks, up to the moment when the client has been asked.
struct Asked<'w> {
    client: Client<'w>,
    session: String,
    stream: String,
}

impl<'w> Asked<'w> {
    async fn new(world: &'w World, arguments: Value) -> Self {
        let client = Client::new(world).await;
        let session = client.initialize("2025-11-25", json!({"elicitation": {}, "roots": {}, "sampling": {}})).await;
        let mut asked = Self { client, session, stream: String::new() };
        asked.call(arguments).await;
        asked
    }

    async fn call(&mut self, arguments: Value) {
        let mut spec = spec(self.client.within(&self.session, EVENTS, arguments, json!({})).await);
        self.stream = spec.attach.stream.to_string();
        assert_eq!(spec.work.take().unwrap().0.await, None, "the edge has nothing to add");
    }

    fn said(&self) -> Vec<Value> {
        said(self.client.world, &self.stream).0
    }

    fn is_over(&self) -> bool {
        said(self.client.world, &self.stream).1
    }

    /// The newest request.
    fn question(&self) -> Value {
        let last = self.said().pop().unwrap();
        assert!(last["id"].is_string() && last["method"].is_string(), "{last}");
        last
    }

    async fn answer(&self, id: &Value, result: Value) -> u16 {
        self.client.respond(&self.session, id, json!({"result": result})).await
    }
}

fn accept() -> Value {
    json!({"action": "accept", "content": {"sure": true}})
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_is_asked_on_the_stream_and_its_answer_ends_the_call_there() {
    let world = World::new();
    let asked = Asked::new(&world, json!({"confirm": ["first", "second"]})).await;
    let first = asked.question();
    assert_eq!((&first["method"], &first["params"]["message"]), (&json!("elicitation/create"), &json!("first")));
    assert!(!asked.is_over(), "the stream waits for the answer");
    assert_eq!(asked.answer(&first["id"], accept()).await, 202);
    let second = asked.question();
    assert_eq!(second["params"]["message"], "second");
    assert_ne!(first["id"], second["id"]);
    // The object slept meanwhile.
    world.platform.agents.evict();
    assert_eq!(asked.answer(&second["id"], accept()).await, 202);
    let answer = asked.said().pop().unwrap();
    assert_eq!((&answer["id"], asked.is_over()), (&json!(9), true));
    assert_eq!(told(&answer["result"])["agreed"], json!([{"sure": true}, {"sure": true}]));
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_goes_on_when_all_that_it_asked_is_answered() {
    let world = World::new();
    let asked = Asked::new(&world, json!({"both": true})).await;
    let requests = asked.said();
    assert_eq!(requests.len(), 2);
    asked.answer(&requests[1]["id"], json!({"role": "assistant"})).await;
    assert_eq!(asked.said().len(), 2, "one is still open");
    asked.answer(&requests[1]["id"], json!({"role": "another"})).await;
    asked.answer(&requests[0]["id"], json!({"roots": []})).await;
    let answer = asked.said().pop().unwrap();
    assert_eq!(
        told(&answer["result"])["agreed"],
        json!([{"roots": []}, {"role": "assistant"}]),
        "the first answer counts"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_refusal_and_an_error_are_told_to_the_tool() {
    let world = World::new();
    let mut asked = Asked::new(&world, json!({"confirm": ["send"]})).await;
    asked.answer(&asked.question()["id"], json!({"action": "decline"})).await;
    assert_eq!(told(&asked.said().pop().unwrap()["result"])["declined"], "send");
    asked.call(json!({"confirm": ["send"]})).await;
    let error = json!({"error": {"code": -32603, "message": "no screen"}});
    asked.client.respond(&asked.session, &asked.question()["id"], error).await;
    assert_eq!(told(&asked.said().pop().unwrap()["result"])["code"], "notAnswered");
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_that_cannot_be_asked_is_told_so_by_the_tool() {
    let world = World::new();
    let client = Client::new(&world).await;
    let session = client.initialize("2025-11-25", json!({})).await;
    let response = client.within(&session, EVENTS, json!({"confirm": ["send"]}), json!({})).await;
    assert_eq!(told(&super::mcp_scene::json(&response)["result"])["code"], "cannotAsk");
    // Neither can one that reads no events.
    let session = client.initialize("2025-11-25", json!({"elicitation": {}})).await;
    let response = client.within(&session, "application/json", json!({"confirm": ["send"]}), json!({})).await;
    assert_eq!(told(&super::mcp_scene::json(&response)["result"])["code"], "cannotAsk");
}

#[tokio::test(flavor = "current_thread")]
async fn an_answer_counts_only_from_its_own_session_and_grant_and_only_once() {
    let world = World::new();
    let asked = Asked::new(&world, json!({"confirm": ["send"]})).await;
    let id = asked.question()["id"].clone();
    let said = asked.said().len();
    let other = Client::new(&world).await;
    let elsewhere = other.initialize("2025-11-25", json!({"elicitation": {}})).await;
    let sibling = asked.client.initialize("2025-11-25", json!({"elicitation": {}})).await;
    let result = json!({"result": accept()});
    assert_eq!(other.respond(&elsewhere, &id, result.clone()).await, 202);
    assert_eq!(asked.client.respond(&sibling, &id, result.clone()).await, 202);
    assert_eq!(other.respond(&asked.session, &id, result.clone()).await, 404, "another's session");
    let call = id.as_str().unwrap().split_once('.').unwrap().0.to_owned();
    for guess in [json!("x"), json!(".0"), json!(1), json!(format!("{call}.1")), json!(format!("{call}")), json!("a.0")]
    {
        assert_eq!(asked.client.respond(&asked.session, &guess, result.clone()).await, 202);
    }
    assert_eq!((asked.said().len(), asked.is_over()), (said, false), "none of them counted");
    asked.answer(&id, accept()).await;
    assert_eq!((asked.said().len(), asked.is_over()), (said + 1, true));
    asked.answer(&id, accept()).await;
    assert_eq!(asked.said().len(), said + 1, "the call ran once more and no oftener");
}

#[tokio::test(flavor = "current_thread")]
async fn a_question_is_open_for_ten_minutes() {
    let world = World::new();
    let asked = Asked::new(&world, json!({"confirm": ["send"]})).await;
    let (id, said) = (asked.question()["id"].clone(), asked.said().len());
    world.platform.clock.advance(600);
    asked.answer(&id, accept()).await;
    assert_eq!(asked.said().len(), said);
    world.platform.agents.wake_all().await;
    assert!(asked.is_over(), "nothing will come on the stream any more");
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_that_waits_can_be_taken_back() {
    let world = World::new();
    let asked = Asked::new(&world, json!({"confirm": ["send"]})).await;
    let (id, said) = (asked.question()["id"].clone(), asked.said().len());
    assert_eq!(asked.client.cancel(&asked.session, json!(9)).await, 202);
    assert!(asked.is_over());
    asked.answer(&id, accept()).await;
    assert_eq!(asked.said().len(), said, "no answer goes out");
}

#[tokio::test(flavor = "current_thread")]
async fn what_waits_is_stored_sealed_and_without_a_token() {
    let world = World::new();
    let asked = Asked::new(&world, json!({"confirm": ["A question of the user's"]})).await;
    let dump = world.platform.agents.dump();
    assert!(dump.contains("waiting") || !dump.is_empty());
    let bearer = asked.client.bearer.trim_start_matches("Bearer ");
    for secret in ["question of the user", bearer] {
        assert!(!dump.contains(secret), "{secret}");
        let bytes = format!("{:?}", secret.as_bytes());
        assert!(!dump.contains(bytes.trim_matches(['[', ']'])), "{secret} is stored as bytes");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_client_of_http_sse_is_asked_on_its_stream_once_it_said_what_it_can() {
    let world = World::new();
    let client = Client::new(&world).await;
    let stream = spec(client.send(Endpoint::Sse, Method::Get, None, &Value::Null).await);
    let query = stream.prelude.split_once('?').unwrap().1.trim_end().to_owned();
    let name = stream.attach.stream.to_string();
    let post = async |body: Value| {
        let status = client.send(Endpoint::SseMessage, Method::Post, Some(&query), &body).await.status;
        world.platform.background.finish().await;
        status
    };
    let call = json!({"jsonrpc": "2.0", "id": 5, "method": "tools/call",
        "params": {"name": "probe", "arguments": {"confirm": ["send"], "steps": 1}, "_meta": {"progressToken": 1}}});
    assert_eq!(post(call.clone()).await, 202);
    let before = said(&world, &name).0;
    assert_eq!(before[0]["method"], "notifications/progress");
    assert_eq!(told(&before[1]["result"])["code"], "cannotAsk", "it has said nothing of itself");
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2024-11-05", "capabilities": {"elicitation": {}}}});
    assert_eq!(post(initialize).await, 202);
    assert_eq!(post(call).await, 202);
    let question = said(&world, &name).0.pop().unwrap();
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(post(json!({"jsonrpc": "2.0", "id": question["id"], "result": accept()})).await, 202);
    let (all, closed) = said(&world, &name);
    assert_eq!(told(&all.last().unwrap()["result"])["agreed"], json!([{"sure": true}]));
    assert!(!closed, "the session's stream stays");
}
