//! The trivial Durable Object, one hop away, with a `SQLite` database that it uses only under `/stored/{name}`.

use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use crate::{fixed, gateway};

/// Answers fixed JSON under `/object/{name}`, and what Graph answers under `/loop/{name}`.
#[durable_object(fetch)]
pub struct FloorObject {
    state: State,
    env: Env,
}

impl DurableObject for FloorObject {
    fn new(state: State, env: Env) -> Self {
        Self { state, env }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        match request.path().split('/').nth(1) {
            Some("loop") => gateway::run(request, &self.env).await,
            Some("stored") => self.store(),
            _ => fixed(),
        }
    }
}

impl FloorObject {
    /// Writes one row and waits, as every answer of an object does, until it is on disk.
    fn store(&self) -> Result<Response> {
        let sql = self.state.storage().sql();
        sql.exec("CREATE TABLE IF NOT EXISTS one (id INTEGER PRIMARY KEY, number INTEGER)", None)?;
        sql.exec("INSERT INTO one VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET number = number + 1", None)?;
        fixed()
    }
}

/// Hands the request to the object that the path's last segment names.
pub(crate) async fn forward(request: Request, path: &str, env: &Env) -> Result<Response> {
    let name = path.rsplit('/').next().unwrap_or("");
    env.durable_object("FLOOR_OBJECT")?.get_by_name(name)?.fetch_with_request(request).await
}
