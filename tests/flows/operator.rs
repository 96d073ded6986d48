//! `/operator/…`: who may come in, and what operators can do to a user's grants.

use super::world::World;
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
async fn without_a_key_in_the_settings_there_is_nothing_here() {
    let world = World::new();
    for authorization in [None, Some("Bearer "), Some("Bearer x")] {
        assert_eq!(ask(&world, authorization, "/operator/grants").await.status, 404);
    }
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
