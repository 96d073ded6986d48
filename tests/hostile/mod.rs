//! The hostile suite: at least one case per rule of the table in TECHNICAL.md ("Rules and their tests"), through the
//! whole app (routes, perimeter, CORS, headers, statuses) wherever the rule can be seen from there.
//!
//! Compiled into the crate's unit-test binary like `tests/flows`, on the same fakes. Cases that need workerd are in
//! `*.test.mjs` beside them; tables of one function stand beside it.

mod access;
mod authorize;
mod bearer;
mod client_parsers;
mod clients;
mod consent;
mod documents;
mod entra;
mod metadata;
mod operator;
mod parsers;
mod races;
mod reauthorization;
mod rules;
mod site;
mod storage;
mod token;
