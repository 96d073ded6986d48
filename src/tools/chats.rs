//! Teams: teams, channels, chats and their messages, to read. No tool yet.

use super::Tool;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[];
