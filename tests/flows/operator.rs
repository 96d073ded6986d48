//! `/operator/…`: who may come in, and what operators can do to a user's grants.
#![expect(clippy::unwrap_used, reason = "a flow that cannot go on should stop")]

use serde_json::json;

use super::world::{World, json_of};
use crate::oauth::token::{Kind, TokenKeys};
use crate::operator;
use crate::web::{Method, Response};

pub(super) const KEY: &str = "an operator key of at least thirty-two bytes";

fn open() -> World {
    World::with_settings(&[("OPERATOR_KEY", KEY)])
}

async fn ask(world: &World, authorization: Option<&str>, path: &str) -> Response {
    let mut request = world.get("");
    request.method = Method::Get;
    request.path = path.to_owned();
    request.headers = authorization.map(|value| vec![("authorization", value.to_owned())]).unwrap_or_default();
    operator::handle(&world.exchange(), &request).await
}

#[tokio::test(flavor = "current_thread")]
async fn only_the_whole_key_as_a_bearer_lets_an_operator_in() {
    let world = open();
    for wrong in ["", "Bearer", "Bearer ", "Bearer x", &format!("Basic {KEY}"), &format!("Bearer {KEY}x"), KEY] {
        let response = ask(&world, Some(wrong), "/operator/grants").await;
        assert_eq!(response.status, 401, "{wrong}");
        assert_eq!(response.header("cache-control"), Some("no-store"));
    }
    let short = &KEY[..KEY.len() - 1];
    assert_eq!(ask(&world, Some(&format!("Bearer {short}")), "/operator/grants").await.status, 401);
    assert_eq!(ask(&world, None, "/operator/nothing").await.status, 401, "what there is shows to nobody else");
    assert_eq!(ask(&world, Some(&format!("bearer {KEY}")), "/operator/nothing").await.status, 404);
    let log = world.platform.log.text();
    assert!(log.contains("operator.refused") && !log.contains("operator key"), "{log}");
}

/// A user's grant: the user, the client and its refresh token.
async fn connect(world: &World) -> (String, String, String) {
    let client = world.public_client().await;
    let code = world.sign_in(&client).await;
    let tokens = json_of(&world.token(&World::redeeming(&client, &code)).await);
    let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
    let keys = TokenKeys::new(&world.platform.config.keys.encryption);
    let user = keys.read(Kind::Refresh, &refresh, 0).unwrap().user.unwrap();
    (user.to_string(), client, refresh)
}

async fn grants(world: &World, method: Method, query: &str) -> Response {
    let mut request = world.get(query);
    request.method = method;
    request.path = "/operator/grants".to_owned();
    request.headers = vec![("authorization", format!("Bearer {KEY}"))];
    operator::handle(&world.exchange(), &request).await
}

#[tokio::test(flavor = "current_thread")]
async fn an_operator_lists_and_ends_a_users_grants_one_by_one_or_all() {
    let world = open();
    let (user, first, _) = connect(&world).await;
    for _ in 0..2 {
        connect(&world).await;
    }
    let query = format!("user={user}");
    let listed = json_of(&grants(&world, Method::Get, &query).await);
    let listed = listed["grants"].as_array().unwrap();
    assert_eq!(listed.len(), 3);
    assert_eq!(listed[0]["clientId"], first);
    assert_eq!(listed[0]["redirectHost"], "127.0.0.1:4711");
    let grant = listed[0]["grant"].as_str().unwrap();
    let ended = grants(&world, Method::Delete, &format!("{query}&grant={grant}")).await;
    assert_eq!(json_of(&ended)["revoked"], json!([grant]));
    assert_eq!(json_of(&grants(&world, Method::Get, &query).await)["grants"].as_array().unwrap().len(), 2);
    assert_eq!(json_of(&grants(&world, Method::Delete, &query).await)["revoked"].as_array().unwrap().len(), 2);
    assert_eq!(json_of(&grants(&world, Method::Get, &query).await)["grants"], json!([]));
    let log = world.platform.log.text();
    for said in ["grants.list", "grants.revoke", "grants.revoke-all", user.as_str(), grant] {
        assert!(log.contains(said), "{said}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn an_operator_must_say_whose_grants_and_ends_nobody_elses() {
    let world = open();
    let (user, client, refresh) = connect(&world).await;
    let other = "0a1b2c3d-0000-4000-8000-00000000c0de:0a1b2c3d-0000-4000-8000-000000000bad";
    let listed = json_of(&grants(&world, Method::Get, &format!("user={user}")).await);
    let grant = listed["grants"][0]["grant"].as_str().unwrap();
    for query in
        ["", "user=", "user=adele", "user=a:b", &format!("user={user}&user={user}"), &format!("user={user}&grant=x")]
    {
        assert_eq!(grants(&world, Method::Delete, query).await.status, 400, "{query}");
    }
    let foreign = grants(&world, Method::Delete, &format!("user={other}&grant={grant}")).await;
    assert_eq!(json_of(&foreign)["revoked"], json!([]));
    assert_eq!(grants(&world, Method::Post, &format!("user={user}")).await.status, 405);
    let asked = [("grant_type", "refresh_token".to_owned()), ("client_id", client), ("refresh_token", refresh)];
    assert_eq!(world.token(&asked).await.status, 200);
}
