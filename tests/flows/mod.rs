//! Whole flows through the native core, with fakes at the ports. Compiled into the crate's unit-test binary.

mod access;
mod entra;
mod grant;
mod granted;
mod races;
mod registration;
mod sealed;
mod sign_in;
mod token_endpoint;
mod world;
