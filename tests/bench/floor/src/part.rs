//! The trivial Worker with one thing more, each of which the product cannot do without: they say how much of the
//! distance to the floor is the platform's.

use worker::{Env, Request, Response, Result, console_log};

/// Reads the body.
pub(crate) async fn body(mut request: Request) -> Result<Response> {
    request.bytes().await?;
    crate::fixed()
}

/// Writes one log line of usual length.
pub(crate) fn log() -> Result<Response> {
    console_log!(
        r#"{{"event":"http.request","requestId":"00000000-0000-4000-8000-000000000000","method":"POST","route":"mcp","status":200}}"#
    );
    crate::fixed()
}

/// Reads one value, which is absent, from the key-value store.
pub(crate) async fn kv(env: &Env) -> Result<Response> {
    env.kv("FLOOR_KV")?.get("client:floor").text().await?;
    crate::fixed()
}
