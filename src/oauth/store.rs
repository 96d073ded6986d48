//! The `OAUTH_KV` entries that belong to grants: their keys, their JSON, their TTL.
//!
//! A copy for operators, who list and back up what is here; the grant's object decides. No token, no code, no mail
//! address is written in clear.

use serde::Serialize;

use crate::identity::{GrantId, UserId};

/// The least TTL that KV takes, in seconds.
const LEAST_TTL: u64 = 60;

/// `grant:{tid}:{oid}:{grantId}`: 102 bytes of KV's 512, and one user's grants share a prefix.
pub fn grant_key(user: UserId, grant: GrantId) -> String {
    format!("{}{grant}", user_prefix(user))
}

/// What every grant key of one user begins with.
pub fn user_prefix(user: UserId) -> String {
    format!("grant:{user}:")
}

/// The TTL of an entry that means nothing after `ends_at`.
pub fn ttl(ends_at: u64, now: u64) -> u64 {
    ends_at.saturating_sub(now).max(LEAST_TTL)
}

/// A grant as it is listed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GrantEntry<'a> {
    /// Version of this format.
    pub v: u8,
    /// Grows with every write, so that an older copy can be told.
    pub revision: i64,
    /// Always `active`: a grant is listed from the redemption of its code to its end.
    pub phase: &'a str,
    /// The client's id.
    pub client_id: &'a str,
    /// The client's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<&'a str>,
    /// Scope names, separated by spaces.
    pub scope: String,
    /// RFC 8707 resource.
    pub resource: &'a str,
    /// Unix seconds of the sign-in.
    pub created_at: u64,
    /// Unix seconds after which nothing of it counts.
    pub ends_at: u64,
    /// Whether Entra asks for the user again.
    pub sign_in_needed: bool,
    /// Microsoft's tokens, sealed: base64url of `nonce ‖ ciphertext ‖ tag`. The key is not here.
    pub sealed: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_is_never_less_than_kv_takes() {
        assert_eq!(ttl(100, 99), 60);
        assert_eq!(ttl(99, 100), 60);
        assert_eq!(ttl(1000, 100), 900);
    }
}
