//! `/operator/clients`: clients that are registered by hand.

use crate::exchange::Exchange;
use crate::web::{Request, Response};

use super::not_found;

/// `/operator/clients[/…]`; `rest` is what follows.
#[expect(clippy::unused_async, reason = "the handlers to come reach storage")]
pub async fn handle(_exchange: &Exchange, _request: &Request, _rest: &str) -> Response {
    not_found()
}
