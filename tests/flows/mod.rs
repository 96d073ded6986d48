//! Whole flows through the native core, with fakes at the ports. Compiled into the crate's unit-test binary.

#[expect(clippy::expect_used, reason = "a test that cannot go on should stop")]
mod architecture;
#[expect(clippy::expect_used, reason = "a test that cannot go on should stop")]
mod cleanup;
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod egress_faults;
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod egress_handler;
#[expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod egress_loop;
#[expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod egress_rig;
mod ending;
mod entra;
mod grant;
mod granted;
mod mcp_call;
mod mcp_door;
mod mcp_scene;
mod mcp_session;
mod mcp_sse;
mod races;
mod rotation;
mod sealed;
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod tools_catalogue;
#[expect(clippy::expect_used, clippy::indexing_slicing, reason = "a fake that cannot be set up should stop the test")]
mod tools_fake;
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod tools_hostile;
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod tools_once;
