//! The way out: every Graph request goes through Cloudflare AI Gateway and nothing else.
//!
//! The caller (`dynamic_route`) packs a request into an `envelope` and runs the gateway's dynamic route; the route's
//! far end is this same Worker's `handler`, which opens the envelope, checks it against the `allow` lists and calls
//! Graph. `classify` says who failed. Owns no retry and no token: those are the grant's object's
//! (`agent::graph_client`).
//!
//! Time limits, each inside the next so that the one who knows most speaks first: Graph 22 s
//! ([`handler::GRAPH_LIMIT_MS`]) < gateway 25 s ([`dynamic_route::GATEWAY_LIMIT_MS`]) < our own call 30 s
//! ([`dynamic_route::CALL_LIMIT_MS`]) < the envelope's life of 60 s ([`envelope::LIFETIME`]).

pub mod allow;
pub mod classify;
pub mod dynamic_route;
pub mod envelope;
pub mod handler;
