//! Answering, drafts, marking and moving mails: a file for each.

mod many;
mod marking;
mod moving;

use super::Tool;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[marking::TOOL, moving::TOOL];
