//! The address book: saving and deleting contacts. No tool yet.

use super::Tool;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[];
