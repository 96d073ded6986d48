//! Cloudflare's bindings behind the core's ports: the Worker's entry, the Durable Object's class, and one small file a
//! port. No business rule lives here: what a request may do is decided in the core.

mod agent;
mod agents;
mod ai;
mod body;
mod convert;
mod documents;
mod entry;
mod fetch;
mod kv;
mod limiter;
mod platform;
mod ps256;
mod rs256;
mod sockets;
mod sql;
mod stream;
mod zones;
