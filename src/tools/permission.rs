//! Whether a caller's permissions are enough, and if not, what would help: another sign-in, an administrator, or
//! nothing at this server.
//!
//! A client that can sign in for more is told with an HTTP challenge (RFC 6750 section 3.1, "step-up" in MCP
//! 2025-11-25), so only what a further sign-in would really bring may end in one. What Microsoft already refused would
//! be asked for in a circle.

use super::ToolContext;
use super::error::ToolError;
use crate::identity::{Scope, ScopeSet};

/// What would give the caller a scope that its token lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// A sign-in that asks for it, or a refresh where only this token was narrowed.
    SignIn,
    /// It was asked for and not granted: an administrator of the organisation has to consent first.
    AdminConsent,
    /// This deployment never asks for it.
    Nothing,
}

impl ToolContext<'_> {
    /// What would give the caller this scope.
    pub(super) fn remedy(&self, scope: Scope) -> Remedy {
        if !self.offered.contains(scope) {
            Remedy::Nothing
        } else if self.caller.refused.contains(scope) {
            Remedy::AdminConsent
        } else {
            Remedy::SignIn
        }
    }

    /// Refuses a caller whose token allows none of `needs`. All of them that a sign-in would bring are asked for at
    /// once, so that nobody is sent there twice for one call.
    pub(super) fn require_any(&self, needs: &[Scope]) -> Result<(), ToolError> {
        let Some(first) = needs.first() else { return Ok(()) };
        if needs.iter().any(|scope| self.caller.scopes.allows(*scope)) {
            return Ok(());
        }
        let obtainable: Vec<_> = needs.iter().copied().filter(|scope| self.remedy(*scope) == Remedy::SignIn).collect();
        Err(match obtainable.first() {
            Some(scope) => ToolError::StepUp { missing: *scope, needed: ScopeSet::of(&obtainable) },
            None if self.remedy(*first) == Remedy::AdminConsent => {
                ToolError::NotGranted { scope: *first, consent: self.admin_consent_url() }
            }
            None => ToolError::NotOffered(*first),
        })
    }

    /// Where an administrator consents for the organisation.
    pub(super) fn admin_consent_url(&self) -> String {
        self.config.public_url.join("/admin-consent")
    }
}
