//! Whose mailbox a call is about: the user's own, or one that is shared with them. One argument instead of twin tools;
//! the scope for other people's mailboxes is asked for when it is used, never before.

use super::ToolError;
use super::address;
use super::call::Call;
use crate::graph::request::Segment;
use crate::identity::Scope;

/// A mailbox.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mailbox {
    /// The user's own.
    Own,
    /// The one of this address.
    Shared(String),
}

impl Mailbox {
    /// The mailbox that the argument `mailbox` names; the user's own where it is absent.
    pub fn parse(text: Option<&str>) -> Result<Self, ToolError> {
        text.map_or(Ok(Self::Own), |text| address::one("mailbox", text).map(Self::Shared))
    }

    /// Refuses the call when the token is not good for it: `own` for the user's mailbox, `shared` for another's.
    pub fn require(&self, call: &Call<'_>, own: Scope, shared: Scope) -> Result<(), ToolError> {
        call.require(match self {
            Self::Own => own,
            Self::Shared(_) => shared,
        })
    }

    /// Its address, as far as the sign-in told the user's own.
    pub fn address<'a>(&'a self, call: &'a Call<'_>) -> &'a str {
        match self {
            Self::Own => call.own_address(),
            Self::Shared(address) => address,
        }
    }

    /// `/me` or `/users/{address}`, and what follows.
    pub fn path<'a>(&'a self, rest: &[Segment<'a>]) -> Vec<Segment<'a>> {
        let mut path = match self {
            Self::Own => vec![Segment::Word("me")],
            Self::Shared(address) => vec![Segment::Word("users"), Segment::Value(address)],
        };
        path.extend(rest);
        path
    }
}
