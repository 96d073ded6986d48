//! JWTs from outside.

/// JWK sets by URL.
#[derive(Default)]
pub struct KeyCache;
