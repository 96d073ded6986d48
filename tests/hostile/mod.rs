//! The hostile suite: at least one case per rule of the table in TECHNICAL.md ("Rules and their tests"), through the
//! whole app (routes, perimeter, CORS, headers, statuses) wherever the rule can be seen from there.
//!
//! Compiled into the crate's unit-test binary like `tests/flows`, on the same fakes. Cases that need workerd are in
//! `tests/runtime/hostile-*.test.mjs`; tables of one function stand beside it.

mod access;
mod authorize;
mod bearer;
mod clients;
mod consent;
mod entra;
mod metadata;
mod parsers;
mod races;
mod rules;
mod site;
mod storage;
mod token;
