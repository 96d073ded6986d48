//! The trivial Durable Object, one hop away, with a `SQLite` database that it does not use.

use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use crate::{fixed, gateway};

/// Answers fixed JSON under `/object/{name}`, and what Graph answers under `/loop/{name}`.
#[durable_object(fetch)]
pub struct FloorObject {
    env: Env,
}

impl DurableObject for FloorObject {
    fn new(_state: State, env: Env) -> Self {
        Self { env }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        if request.path().starts_with("/loop/") { gateway::run(request, &self.env).await } else { fixed() }
    }
}

/// Hands the request to the object that the path's last segment names.
pub(crate) async fn forward(request: Request, path: &str, env: &Env) -> Result<Response> {
    let name = path.rsplit('/').next().unwrap_or("");
    env.durable_object("FLOOR_OBJECT")?.get_by_name(name)?.fetch_with_request(request).await
}
