//! The OAuth 2.1 authorization server in front of Entra.
//!
//! | module | what it owns |
//! |---|---|
//! | [`metadata`] | the two well-known documents |
//! | [`register`], `daily_cap`, [`client`], [`redirect_uri`] | clients, and where they may be answered |
//! | [`client_id`], [`client_document`], [`client_fetch`] | clients whose id is the address of their document |
//! | [`client_auth`], [`client_assertion`] | how a client proves itself |
//! | [`authorize`], [`consent`], [`transaction`] | from the client's request to the user's decision |
//! | [`admin_consent`] | an administrator's way to Microsoft's page and back |
//! | [`callback`], `second_trip`, [`binding`], [`upstream_secrets`], [`id_token`], [`entra`] | the way over Entra and back |
//! | [`token_endpoint`], [`revoke`], [`token`] | tokens |
//! | [`grant`], [`seal`], [`store`] | the grant's state machine in its Durable Object |
//! | [`user_grants`] | a user's grants, listed and ended |
//! | [`error`], [`page`] | what goes wrong, and how it is said |

pub mod admin_consent;
pub mod authorize;
pub mod binding;
pub mod callback;
pub mod client;
pub mod client_assertion;
pub mod client_auth;
pub mod client_document;
pub mod client_fetch;
pub mod client_id;
pub mod consent;
pub mod cookie;
mod daily_cap;
pub mod display;
pub mod entra;
pub mod error;
pub mod grant;
pub mod id_token;
pub mod metadata;
pub mod page;
pub mod params;
pub mod redirect;
pub mod redirect_uri;
pub mod register;
pub mod resource;
pub mod revoke;
pub mod scopes;
pub mod seal;
mod second_trip;
pub mod store;
pub mod token;
pub mod token_endpoint;
pub mod transaction;
pub mod upstream_secrets;
pub mod user_grants;
