//! Client tokens: their form, their keyed digest, and what can be read from them without any I/O.
//!
//! `m365a.<owner>.<grant>.<secret>` (access), `m365r.<owner>.<grant>.<secret>` (refresh), `m365c.<grant>.<secret>`
//! (authorization code), and what is sent to Entra as `state`: `m365s.<grant>.<secret>` for a client, `m365u.<id>.<secret>`
//! for the account page, `m365d.<id>.<secret>` for an admin consent. Only characters that RFC 6750
//! section 2.1 allows in a bearer token. The secret is base64url of
//! `expiry (4 bytes, Unix seconds) ‖ scopes (8) ‖ random (24) ‖ HMAC-SHA-256 (32)`, the HMAC over everything before
//! it, so forged and expired tokens are refused at the edge. Whether a genuine one still counts, only the grant's
//! object knows: it keeps the SHA-256.

use crate::config::EncryptionKeys;
use crate::crypto::{self, Generation, Keyring, Secret};
use crate::identity::{GrantId, ScopeSet, UserId};
use crate::ports::Random;

const EXPIRY: usize = 4;
const SCOPES: usize = 8;
const RANDOM: usize = 24;
const BODY: usize = EXPIRY + SCOPES + RANDOM;

/// What a token is for. A token of one kind is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bearer token of the MCP endpoints.
    Access,
    /// Refresh token.
    Refresh,
    /// Authorization code.
    Code,
    /// The `state` sent to Entra for a client's sign-in.
    State,
    /// The `state` of an admin consent.
    AdminConsent,
    /// The `state` sent to Entra for the account page's.
    AccountState,
}

impl Kind {
    /// What texts of this kind begin with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Access => "m365a",
            Self::Refresh => "m365r",
            Self::Code => "m365c",
            Self::State => "m365s",
            Self::AdminConsent => "m365d",
            Self::AccountState => "m365u",
        }
    }

    /// Whether a text claims to be a token of this kind.
    pub fn is_form_of(self, text: &str) -> bool {
        text.strip_prefix(self.prefix()).is_some_and(|rest| rest.starts_with('.'))
    }
}

/// What a token says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The Microsoft user; known for access and refresh tokens.
    pub user: Option<UserId>,
    /// The grant, and so the object to ask.
    pub grant: GrantId,
    /// What it is good for; empty for codes and states.
    pub scopes: ScopeSet,
    /// Unix seconds.
    pub expires_at: u64,
}

/// What an access token says of itself once its HMAC holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessClaims {
    /// The Microsoft user.
    pub user: UserId,
    /// The grant.
    pub grant: GrantId,
    /// What it is good for.
    pub scopes: ScopeSet,
    /// Unix seconds.
    pub expires_at: u64,
}

/// What an `Authorization` header amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearer<'a> {
    /// No header, or another scheme than Bearer.
    Absent,
    /// A bearer that is not of our tokens' form: an "API token".
    Foreign,
    /// Of our form, but forged, malformed or not an access token.
    Invalid,
    /// Ours and genuine, but too old: what every client presents now and then.
    Expired,
    /// Ours: genuine and unexpired.
    Ours {
        /// The token as presented.
        token: &'a str,
        /// What it says.
        claims: AccessClaims,
    },
}

/// Why a token was refused without asking its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token of this kind, or altered.
    #[error("not a genuine token of this kind")]
    Forged,
    /// Genuine, but too old.
    #[error("the token has expired")]
    Expired,
}

/// Makes and reads tokens under `ENCRYPTION_KEY`.
#[derive(Clone, Debug)]
pub struct TokenKeys<'k>(&'k Keyring);

impl<'k> TokenKeys<'k> {
    /// The token keys of this deployment.
    pub fn new(encryption: &'k EncryptionKeys) -> Self {
        Self(&encryption.tokens)
    }

    /// A fresh token.
    pub fn mint(&self, random: &dyn Random, kind: Kind, stamp: &Stamp) -> Secret {
        self.mint_under(Generation::Current, random, kind, stamp)
    }

    /// A token of a given generation: what was issued before a rotation and has to be issued once more, to the byte.
    pub fn mint_under(&self, generation: Generation, random: &dyn Random, kind: Kind, stamp: &Stamp) -> Secret {
        let mut noise = [0; RANDOM];
        random.fill(&mut noise);
        let expiry = u32::try_from(stamp.expires_at).unwrap_or(u32::MAX).to_be_bytes();
        let body = [expiry.as_slice(), &stamp.scopes.bits().to_be_bytes(), &noise].concat();
        let head = match stamp.user {
            Some(user) => format!("{}.{}.{}", kind.prefix(), user.to_owner(), stamp.grant),
            None => format!("{}.{}", kind.prefix(), stamp.grant),
        };
        let mac = self.0.key(generation).mac(&[head.as_bytes(), &body]);
        Secret::new(format!("{head}.{}", crypto::encode(&[body.as_slice(), &mac].concat())))
    }

    /// What a token says, if it is genuine and of this kind.
    pub fn read(&self, kind: Kind, text: &str, now: u64) -> Result<Stamp, TokenError> {
        let (_, head, body) = self.verify(text).ok_or(TokenError::Forged)?;
        let stamp = parse(kind, head, &body).ok_or(TokenError::Forged)?;
        if stamp.expires_at <= now { Err(TokenError::Expired) } else { Ok(stamp) }
    }

    /// Which key a token was made under; the current one where it is not genuine.
    pub fn made_under(&self, token: &Secret) -> Generation {
        self.verify(token.expose()).map_or(Generation::Current, |(generation, ..)| generation)
    }

    /// Head and body of a genuine token, whatever its kind and age.
    fn verify<'t>(&self, text: &'t str) -> Option<(Generation, &'t str, [u8; BODY])> {
        let (head, secret) = text.rsplit_once('.')?;
        let secret = crypto::decode(secret)?;
        let (body, mac) = secret.split_first_chunk::<BODY>()?;
        let mut keys = Generation::ALL.into_iter().zip(self.0.all());
        let (generation, _) = keys.find(|(_, key)| crypto::equal(&key.mac(&[head.as_bytes(), body]), mac))?;
        Some((generation, head, *body))
    }

    /// What an `Authorization` header amounts to. The scheme's case does not matter (RFC 9110 section 11.1).
    pub fn bearer<'a>(&self, header: Option<&'a str>, now: u64) -> Bearer<'a> {
        let Some((scheme, token)) = header.and_then(|value| value.trim().split_once(' ')) else {
            return Bearer::Absent;
        };
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
            return Bearer::Absent;
        }
        if !is_ours_in_form(token) {
            return Bearer::Foreign;
        }
        match self.read(Kind::Access, token, now) {
            Ok(Stamp { user: Some(user), grant, scopes, expires_at }) => {
                Bearer::Ours { token, claims: AccessClaims { user, grant, scopes, expires_at } }
            }
            Err(TokenError::Expired) => Bearer::Expired,
            Ok(Stamp { user: None, .. }) | Err(TokenError::Forged) => Bearer::Invalid,
        }
    }
}

/// Whether a text claims to be one of ours. Refresh tokens and codes count, so that one sent by mistake is an invalid
/// token and never an API token.
fn is_ours_in_form(token: &str) -> bool {
    [Kind::Access, Kind::Refresh, Kind::Code, Kind::State, Kind::AccountState, Kind::AdminConsent]
        .into_iter()
        .any(|kind| kind.is_form_of(token))
}

fn parse(kind: Kind, head: &str, body: &[u8]) -> Option<Stamp> {
    let mut parts = head.strip_prefix(kind.prefix())?.strip_prefix('.')?.split('.');
    let first = parts.next()?;
    let (user, grant) = match (kind, parts.next(), parts.next()) {
        (Kind::Access | Kind::Refresh, Some(grant), None) => (Some(UserId::parse_owner(first)?), grant),
        (Kind::Code | Kind::State | Kind::AccountState | Kind::AdminConsent, None, None) => (None, first),
        _ => return None,
    };
    let expiry: [u8; EXPIRY] = body.get(..EXPIRY)?.try_into().ok()?;
    let scopes: [u8; SCOPES] = body.get(EXPIRY..EXPIRY + SCOPES)?.try_into().ok()?;
    Some(Stamp {
        user,
        grant: grant.parse().ok()?,
        scopes: ScopeSet::from_bits(u64::from_be_bytes(scopes)),
        expires_at: u64::from(u32::from_be_bytes(expiry)),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;
    use crate::crypto::Key;
    use crate::identity::Scope;
    use crate::support::SeededRandom;
    use uuid::Uuid;

    fn keys(seed: u8) -> TokenKeys<'static> {
        let root = Keyring { current: Key::new([seed; 32]), previous: None };
        TokenKeys::new(Box::leak(Box::new(EncryptionKeys::derive(&root))))
    }

    fn stamp() -> Stamp {
        Stamp {
            user: Some(UserId { tid: Uuid::from_u128(7), oid: Uuid::from_u128(8) }),
            grant: GrantId::random(&SeededRandom::new(5)),
            scopes: ScopeSet::of(&[Scope::MailRead, Scope::UserRead]),
            expires_at: 2000,
        }
    }

    #[test]
    fn a_token_reads_back_as_minted_until_it_expires() {
        let token = keys(1).mint(&SeededRandom::new(1), Kind::Access, &stamp());
        assert_eq!(keys(1).read(Kind::Access, token.expose(), 1999), Ok(stamp()));
        assert_eq!(keys(1).read(Kind::Access, token.expose(), 2000), Err(TokenError::Expired));
    }

    #[test]
    fn a_token_of_another_key_or_kind_is_forged() {
        let token = keys(1).mint(&SeededRandom::new(1), Kind::Access, &stamp());
        assert_eq!(keys(2).read(Kind::Access, token.expose(), 0), Err(TokenError::Forged));
        assert_eq!(keys(1).read(Kind::Refresh, token.expose(), 0), Err(TokenError::Forged));
        let renamed = token.expose().replacen("m365a", "m365r", 1);
        assert_eq!(keys(1).read(Kind::Refresh, &renamed, 0), Err(TokenError::Forged));
    }

    #[test]
    fn no_byte_of_a_token_can_be_changed() {
        let token = keys(1).mint(&SeededRandom::new(1), Kind::Access, &stamp());
        for index in 0..token.expose().len() {
            let mut bytes = token.expose().as_bytes().to_vec();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(bytes).unwrap();
            assert!(keys(1).read(Kind::Access, &altered, 0).is_err(), "byte {index}");
        }
    }

    #[test]
    fn a_bearer_is_told_apart_by_form_before_anything_is_asked() {
        let keys = keys(1);
        let token = keys.mint(&SeededRandom::new(1), Kind::Access, &stamp());
        let header = format!("bEaReR {}", token.expose());
        assert!(matches!(keys.bearer(Some(&header), 0), Bearer::Ours { .. }));
        assert_eq!(keys.bearer(Some(&header), u64::MAX), Bearer::Expired);
        assert_eq!(keys.bearer(Some("Bearer some-api-key"), 0), Bearer::Foreign);
        assert_eq!(keys.bearer(Some("Bearer m365r.x.y.z"), 0), Bearer::Invalid);
        assert_eq!(keys.bearer(Some("Basic abc"), 0), Bearer::Absent);
        assert_eq!(keys.bearer(None, 0), Bearer::Absent);
    }

    #[test]
    fn tokens_hold_only_characters_that_rfc_6750_allows() {
        let token = keys(1).mint(&SeededRandom::new(1), Kind::Access, &stamp());
        assert!(token.expose().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)));
    }
}
