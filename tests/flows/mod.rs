//! Whole flows through the native core, with fakes at the ports. Compiled into the crate's unit-test binary.

#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod tools_catalogue;
#[expect(clippy::expect_used, clippy::indexing_slicing, reason = "a fake that cannot be set up should stop the test")]
mod tools_fake;
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod tools_hostile;
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod tools_once;
