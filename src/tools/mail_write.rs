//! Answering, drafts, marking and moving mails: a file for each.

pub(super) mod above;
mod drafts;
mod many;
mod marking;
mod moving;
mod reply;

use super::Tool;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[reply::TOOL, drafts::UPDATE, drafts::SEND, marking::TOOL, moving::TOOL];
