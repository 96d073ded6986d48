//! Cloudflare Access assertions.

/// Verified assertions by the digest of the token.
#[derive(Default)]
pub struct Remembered;
