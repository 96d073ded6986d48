//! The in-isolate note that an object confirmed a token lately.

/// Tokens that their objects confirmed lately.
#[derive(Default)]
pub struct Confirmed;
