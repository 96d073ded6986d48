//! The OAuth 2.1 authorization server in front of Entra.

pub mod grant;
pub mod token;
