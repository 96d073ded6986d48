//! The OAuth 2.1 authorization server in front of Entra.

pub mod entra;
pub mod grant;
pub mod seal;
pub mod store;
pub mod token;
