//! Who is acting: the Microsoft user, the Access identity, the grant; and, in `scope`, the Graph permissions it holds.
//!
//! These are the only types that `oauth`, `mcp`, `tools` and `gateway` share.

mod scope;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::crypto;
use crate::ports::Random;

pub use scope::{ConsentBy, Scope, ScopeSet};

/// A Microsoft user by `tid:oid`, the only pair that Entra documents as stable and unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UserId {
    /// Tenant.
    pub tid: Uuid,
    /// Object id of the user in that tenant.
    pub oid: Uuid,
}

impl UserId {
    /// The pair as 43 base64url characters, the owner part of client tokens.
    pub fn to_owner(self) -> String {
        crypto::encode(&[self.tid.as_bytes().as_slice(), self.oid.as_bytes()].concat())
    }

    /// Reads `tid:oid` as [`fmt::Display`] writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let (tid, oid) = text.split_once(':')?;
        Some(Self { tid: tid.parse().ok()?, oid: oid.parse().ok()? })
    }

    /// Reads [`UserId::to_owner`] back.
    pub fn parse_owner(owner: &str) -> Option<Self> {
        let bytes = crypto::decode(owner)?;
        let (tid, oid) = bytes.split_at_checked(16)?;
        Some(Self { tid: Uuid::from_slice(tid).ok()?, oid: Uuid::from_slice(oid).ok()? })
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.tid, self.oid)
    }
}

/// One sign-in of one user through one client; also the name of its Durable Object. 128 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GrantId([u8; 16]);

impl GrantId {
    /// A fresh id.
    pub fn random(random: &dyn Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        Self(bytes)
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crypto::encode(&self.0))
    }
}

impl FromStr for GrantId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = crypto::decode(text).ok_or(InvalidId)?;
        bytes.try_into().map(Self).map_err(|_| InvalidId)
    }
}

impl TryFrom<String> for GrantId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<GrantId> for String {
    fn from(id: GrantId) -> Self {
        id.to_string()
    }
}

/// Not an id that this server writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a grant id")]
pub struct InvalidId;

/// The person whom Cloudflare Access let in, from a verified assertion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessIdentity {
    /// The assertion's `sub`; never empty.
    pub sub: String,
    /// The assertion's `email`.
    pub email: Option<String>,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;
    use crate::support::SeededRandom;

    #[test]
    fn owner_and_grant_ids_read_back_as_written() {
        let user = UserId { tid: Uuid::from_u128(1), oid: Uuid::from_u128(2) };
        assert_eq!(UserId::parse_owner(&user.to_owner()), Some(user));
        assert_eq!(UserId::parse(&user.to_string()), Some(user));
        let grant = GrantId::random(&SeededRandom::new(3));
        assert_eq!(grant.to_string().parse::<GrantId>().unwrap(), grant);
        assert_eq!("../x".parse::<GrantId>(), Err(InvalidId));
    }
}
