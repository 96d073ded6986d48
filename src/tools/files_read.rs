//! Files: listing and reading. No tool yet.

use super::Tool;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[];
