//! Fakes for native tests: a clock that stands still, seeded randomness, stores and upstreams that can be told to
//! fail. Compiled into the crate's unit-test binary (`lib.rs`), so that one build serves every native test.

mod certificate;
#[expect(dead_code, reason = "the reader's own tests use the rest")]
pub(crate) mod documents;
mod fakes;
mod platform;
mod signatures;
mod signer;
mod stores;

pub(crate) use certificate::*;
pub(crate) use fakes::*;
pub(crate) use platform::*;
pub(crate) use signatures::*;
pub(crate) use signer::*;
pub(crate) use stores::*;
