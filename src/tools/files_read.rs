//! Listing and reading files.

mod download;
mod facts;
mod list;
mod read;

use super::Tool;

pub(super) use download::address;
pub(super) use read::{content, copy, may_copy};

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[list::TOOL, read::TOOL];
