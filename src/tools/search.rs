//! Search across everything, and what changed since. No tool yet.

use super::Tool;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[];
