//! Changing folders, rules and settings of the mailbox. No tool yet.

use super::Tool;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[];
