//! `/operator/grants`: list and end a user's grants.

use crate::exchange::Exchange;
use crate::web::{Request, Response};

use super::not_found;

/// `/operator/grants`; `rest` is what follows.
#[expect(clippy::unused_async, reason = "the handlers to come reach storage")]
pub async fn handle(_exchange: &Exchange, _request: &Request, _rest: &str) -> Response {
    not_found()
}
