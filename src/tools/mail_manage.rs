//! Changing folders, rules and settings of the mailbox: a file for each.

mod folder;
mod rule;
mod settings;

use super::Tool;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[folder::TOOL, settings::TOOL];
