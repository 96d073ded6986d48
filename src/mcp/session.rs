//! Legacy session ids: signed statements of whose session it is and what was negotiated, so that a session survives a
//! deploy, an eviction and every isolate without anything being stored.
//!
//! `<owner>.<base64url(channel ‖ capabilities ‖ issued-at ‖ nonce ‖ presets? ‖ party? ‖ HMAC-SHA-256)>`; the owner is the
//! grant, or `~` and a keyed digest of the discovery caller's credentials. Only base64url, `.` and `~`, so it needs no
//! escaping in a query.
//!
//! The party, which only sessions of Streamable HTTP under a grant have, is a keyed digest of the user and one of the
//! client. A client that signed in anew, for more permissions or because its grant ended, goes on with its session under
//! the new grant: SDKs do not initialise again on a 404. A session holds no right and nothing of the user's, so nothing
//! of the earlier grant comes along: the new grant's object knows neither its streams nor which sessions had ended.
//!
//! Whether a session was ended by its client, only the grant's object knows: it keeps the nonce.

use crate::agent::{AgentName, ClientCapabilities};
use crate::config::{EncryptionKeys, PresetSet};
use crate::crypto::{self, Digest, Key, Keyring};
use crate::identity::{GrantId, UserId};
use crate::ports::Random;

use super::protocol::Revision;

const NONCE: usize = 16;
const BODY: usize = 1 + 1 + 4 + NONCE;
/// Presets follow the nonce, where a URL narrowed them; then the party, where there is one.
const PRESETS: usize = 2;
const HALF_PARTY: usize = 8;
const PARTY: usize = 2 * HALF_PARTY;
const MAC: usize = 32;

/// Seconds after which a session id is void and the client initialises anew. Longer than any client keeps one; it
/// bounds how long the object must remember that a session has ended.
pub(super) const LIFETIME: u64 = 90 * 24 * 3600;

/// Whose session it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A grant's, whichever of its tokens is presented.
    Grant(GrantId),
    /// A discovery caller's: keyed digest of the credentials.
    Discovery(String),
}

impl Owner {
    fn to_text(&self) -> String {
        match self {
            Self::Grant(grant) => grant.to_string(),
            Self::Discovery(digest) => format!("~{digest}"),
        }
    }
}

/// How the session's messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    /// Legacy HTTP+SSE. The id precedes `initialize`, so it cannot hold a revision; nothing on this channel depends on
    /// one, since batches are refused and no result has another shape.
    Sse,
    /// Streamable HTTP, with what `initialize` negotiated.
    Streamable(Revision),
}

impl Channel {
    const fn to_byte(self) -> u8 {
        match self {
            Self::Sse => 0,
            Self::Streamable(revision) => revision as u8,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        if byte == 0 {
            return Some(Self::Sse);
        }
        Revision::ALL.into_iter().find(|revision| *revision as u8 == byte).map(Self::Streamable)
    }
}

/// Which client of which user a session was opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Party {
    user: [u8; HALF_PARTY],
    client: [u8; HALF_PARTY],
}

impl Party {
    fn new(key: &Key, user: UserId, slot: &Digest) -> Self {
        Self { user: Self::user(key, user), client: Self::client(key, user, slot) }
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (user, client) = bytes.split_first_chunk::<HALF_PARTY>()?;
        Some(Self { user: *user, client: client.try_into().ok()? })
    }

    fn user(key: &Key, user: UserId) -> [u8; HALF_PARTY] {
        half(key.mac(&[b"user", user.to_string().as_bytes()]))
    }

    fn client(key: &Key, user: UserId, slot: &Digest) -> [u8; HALF_PARTY] {
        half(key.mac(&[b"client", user.to_string().as_bytes(), slot.as_bytes()]))
    }
}

/// Enough to tell parties apart; nobody can make an id with another.
fn half(mac: [u8; MAC]) -> [u8; HALF_PARTY] {
    mac.first_chunk().copied().unwrap_or_default()
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// Whose.
    pub(super) owner: Owner,
    /// How its messages travel.
    pub(super) channel: Channel,
    /// What its client can do.
    pub(super) capabilities: ClientCapabilities,
    /// What the URL that opened it left of the presets.
    pub(super) presets: PresetSet,
    /// Unix seconds.
    pub(super) issued_at: u64,
    /// 128 random bits: the name of the session in the object, and of its stream.
    pub(super) nonce: String,
    /// Who may go on with it under another grant.
    pub(super) party: Option<Party>,
}

impl Session {
    /// A fresh session.
    pub(super) fn new(owner: Owner, channel: Channel, random: &dyn Random, now: u64) -> Self {
        let nonce = crypto::random_text::<NONCE>(random);
        Self {
            owner,
            channel,
            capabilities: ClientCapabilities::default(),
            presets: PresetSet::ALL,
            issued_at: now,
            nonce,
            party: None,
        }
    }

    /// The object that owns the session's streams. A discovery session has one of its own, never a shared one.
    pub(super) fn agent(&self) -> AgentName {
        match &self.owner {
            Owner::Grant(grant) => AgentName::Grant(*grant),
            Owner::Discovery(_) => AgentName::Discovery(self.nonce.clone()),
        }
    }
}

/// Signs and reads session ids under `ENCRYPTION_KEY`.
pub(super) struct SessionKeys<'k>(&'k Keyring);

impl<'k> SessionKeys<'k> {
    /// The session keys of this deployment.
    pub(super) fn new(encryption: &'k EncryptionKeys) -> Self {
        Self(&encryption.sessions)
    }

    /// The owner that a discovery caller's credentials stand for, without being readable from it.
    pub(super) fn discovery_owner(&self, credentials: &str) -> Owner {
        discovery_owner(&self.0.current, credentials)
    }

    /// The owner that they stood for before a rotation.
    pub(super) fn former_discovery_owner(&self, credentials: &str) -> Option<Owner> {
        self.0.previous.as_ref().map(|key| discovery_owner(key, credentials))
    }

    /// Which client of which user, for a session that is about to be signed.
    pub(super) fn party(&self, user: UserId, slot: &Digest) -> Party {
        Party::new(&self.0.current, user, slot)
    }

    /// The id of a session.
    pub(super) fn sign(&self, session: &Session) -> String {
        let owner = session.owner.to_text();
        let issued = u32::try_from(session.issued_at).unwrap_or(u32::MAX).to_be_bytes();
        let nonce = crypto::decode(&session.nonce).unwrap_or_default();
        let mut body = [&[session.channel.to_byte(), session.capabilities.0], issued.as_slice(), &nonce].concat();
        if session.presets != PresetSet::ALL {
            body.extend(session.presets.bits().to_be_bytes());
        }
        if let Some(party) = session.party {
            body.extend([party.user, party.client].concat());
        }
        let mac = self.0.current.mac(&[owner.as_bytes(), &body]);
        format!("{owner}.{}", crypto::encode(&[body.as_slice(), &mac].concat()))
    }

    /// The session that an id states, if it is genuine, not too old, and this owner's.
    pub(super) fn read(&self, id: &str, owner: Owner, now: u64) -> Option<Session> {
        let (claimed, session) = self.open(id, owner, now)?;
        crypto::equal(session.owner.to_text().as_bytes(), claimed.as_bytes()).then_some(session)
    }

    /// The session that an id states, if it is genuine, not too old, and was opened under another grant of this user.
    /// Whether the client is the same, [`Self::is_of`] says.
    pub(super) fn read_earlier(&self, id: &str, grant: GrantId, user: UserId, now: u64) -> Option<Session> {
        let (claimed, session) = self.open(id, Owner::Grant(grant), now)?;
        claimed.parse::<GrantId>().ok()?;
        let stated = session.party?;
        let is_users = self.0.all().any(|key| crypto::equal(&Party::user(key, user), &stated.user));
        is_users.then_some(session)
    }

    /// Whether a session was opened for this client of this user.
    pub(super) fn is_of(&self, session: &Session, user: UserId, slot: &Digest) -> bool {
        let Some(stated) = session.party else { return false };
        self.0.all().any(|key| crypto::equal(&Party::client(key, user, slot), &stated.client))
    }

    /// A genuine id, and whose session it claims to be.
    fn open<'i>(&self, id: &'i str, owner: Owner, now: u64) -> Option<(&'i str, Session)> {
        let (claimed, statement) = id.split_once('.')?;
        let statement = crypto::decode(statement)?;
        let (body, mac) = statement.split_at_checked(statement.len().checked_sub(MAC)?)?;
        if !self.0.all().any(|key| crypto::equal(&key.mac(&[claimed.as_bytes(), body]), mac)) {
            return None;
        }
        let (body, tail) = body.split_at_checked(BODY)?;
        let (&[channel, capabilities], rest) = body.split_first_chunk::<2>()?;
        let (issued, nonce) = rest.split_first_chunk::<4>()?;
        let (presets, party) = read_tail(tail)?;
        let issued_at = u64::from(u32::from_be_bytes(*issued));
        let session = Session {
            channel: Channel::from_byte(channel)?,
            capabilities: ClientCapabilities(capabilities),
            presets,
            issued_at,
            nonce: crypto::encode(nonce),
            party,
            owner,
        };
        (now < issued_at + LIFETIME).then_some((claimed, session))
    }
}

/// What follows the nonce; ids of before there were presets or parties have neither. A new preset widens no session that
/// a URL narrowed before.
fn read_tail(tail: &[u8]) -> Option<(PresetSet, Option<Party>)> {
    let is_narrowed = tail.len() % PARTY == PRESETS;
    let (presets, party) = tail.split_at_checked(if is_narrowed { PRESETS } else { 0 })?;
    let presets = <[u8; PRESETS]>::try_from(presets)
        .map_or(PresetSet::ALL, |bits| PresetSet::from_bits(u16::from_be_bytes(bits)));
    let party = if party.is_empty() { None } else { Some(Party::from_bytes(party)?) };
    Some((presets, party))
}

fn discovery_owner(key: &Key, credentials: &str) -> Owner {
    Owner::Discovery(crypto::encode(&key.mac(&[b"discovery", credentials.as_bytes()])))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;
    use crate::support::SeededRandom;

    fn keys(seed: u8) -> SessionKeys<'static> {
        ring(&Keyring { current: Key::new([seed; 32]), previous: None })
    }

    fn ring(root: &Keyring) -> SessionKeys<'static> {
        SessionKeys::new(Box::leak(Box::new(EncryptionKeys::derive(root))))
    }

    fn grant(seed: u64) -> Owner {
        Owner::Grant(GrantId::random(&SeededRandom::new(seed)))
    }

    fn session(owner: Owner, channel: Channel) -> Session {
        let mut session = Session::new(owner, channel, &SeededRandom::new(9), 1000);
        session.capabilities = ClientCapabilities(ClientCapabilities::SAMPLING | ClientCapabilities::ROOTS);
        session
    }

    #[test]
    fn a_session_reads_back_as_signed() {
        let channels = Revision::ALL.map(Channel::Streamable);
        for channel in channels.into_iter().chain([Channel::Sse]) {
            for owner in [grant(1), keys(1).discovery_owner("Bearer api-key")] {
                let session = session(owner.clone(), channel);
                let id = keys(1).sign(&session);
                assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)), "{id}");
                assert_eq!(keys(1).read(&id, owner, 1000), Some(session));
            }
        }
    }

    #[test]
    fn a_session_keeps_the_presets_that_its_url_left() {
        let mut narrowed = session(grant(1), Channel::Sse);
        narrowed.presets = PresetSet::parse("mail").unwrap();
        for party in [None, Some(Party { user: [1; HALF_PARTY], client: [2; HALF_PARTY] })] {
            narrowed.party = party;
            let id = keys(1).sign(&narrowed);
            assert_eq!(keys(1).read(&id, grant(1), 1000), Some(narrowed.clone()));
        }
    }

    #[test]
    fn a_session_is_nobody_elses() {
        let id = keys(1).sign(&session(grant(1), Channel::Sse));
        assert_eq!(keys(1).read(&id, grant(2), 1000), None);
        assert_eq!(keys(1).read(&id, keys(1).discovery_owner("Bearer x"), 1000), None);
        let id = keys(1).sign(&session(keys(1).discovery_owner("Bearer a"), Channel::Sse));
        assert_eq!(keys(1).read(&id, keys(1).discovery_owner("Bearer b"), 1000), None);
    }

    #[test]
    fn no_byte_of_a_session_id_can_be_changed() {
        let id = keys(1).sign(&session(grant(1), Channel::Streamable(Revision::LATEST)));
        for index in 0..id.len() {
            let mut bytes = id.as_bytes().to_vec();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            assert_eq!(keys(1).read(&String::from_utf8(bytes).unwrap(), grant(1), 1000), None, "byte {index}");
        }
        assert_eq!(keys(2).read(&id, grant(1), 1000), None);
    }

    /// Clients keep one for 90 days. If this fails, read both forms.
    #[test]
    fn a_session_of_the_first_version_still_reads() {
        let first = "sQ2kjOpMCWdrjg782AaUFA.BAkAAAPoH5QrgQ8mNx0Sb7bzzrcxyB2llCnWG6CcA4eWcEhrhdQnAFOyyftEDfWZc0t_jxNh";
        let session = session(grant(1), Channel::Streamable(Revision::V2025_11_25));
        assert_eq!(keys(1).sign(&session), first);
        assert_eq!(keys(1).read(first, grant(1), 1000), Some(session));
    }

    #[test]
    fn a_session_ends_after_its_lifetime_and_survives_a_key_rotation() {
        let id = keys(1).sign(&session(grant(1), Channel::Sse));
        let rotated = ring(&Keyring { current: Key::new([2; 32]), previous: Some(Key::new([1; 32])) });
        assert!(rotated.read(&id, grant(1), 1000 + LIFETIME - 1).is_some());
        assert!(rotated.read(&id, grant(1), 1000 + LIFETIME).is_none());
    }
}
