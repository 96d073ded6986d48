//! Cloudflare's bindings behind the core's ports.
