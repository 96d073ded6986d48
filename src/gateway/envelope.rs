//! The envelope in which one Graph request travels through AI Gateway, as the content of a chat message.
//!
//! The Microsoft token inside is sealed with AES-256-GCM under a key derived from `ENCRYPTION_KEY`, which the
//! gateway does not have (it has the handler's key, and that one opens nothing). The seal lives at most a minute and
//! its associated data is the request id, method, path with query, headers and the SHA-256 of the body. Binding
//! headers and body goes beyond id, method and path: without it a captured envelope could be sent again with
//! another body, so that the user's token would vouch for somebody else's mail. What remains possible, within that
//! minute and only with the handler's key as well, is to repeat exactly the same request.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::config::EncryptionKeys;
use crate::crypto::{self, Digest, Keyring, Secret};
use crate::ports::Random;

/// Seconds that a seal lives: the 30 s of one call, and as much again for clocks and queues.
pub const LIFETIME: u64 = 60;

/// Seconds by which the clock that sealed may be ahead of the one that opens.
const SKEW: u64 = 5;

/// The version that both sides of this build write and read.
const VERSION: u8 = 1;

const SCHEME: &str = "Bearer ";
const AUTHORIZATION: &str = "authorization";

/// Bytes of the two times before the token.
const TIMES: usize = 16;

/// Why an envelope was not acceptable. For our log only: the other side gets one message for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not the JSON that [`Envelope`] writes.
    #[error("malformed")]
    Malformed,
    /// No sealed credential in it.
    #[error("unsealed")]
    Unsealed,
    /// Sealed by another key, or for another request.
    #[error("foreign-seal")]
    ForeignSeal,
    /// Sealed too long ago, for too long, or in the future.
    #[error("expired")]
    Expired,
    /// The cipher refused to seal, or the envelope did not serialise.
    #[error("seal-failed")]
    SealFailed,
}

/// A request's body.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// None.
    Empty,
    /// Text, JSON as a rule.
    Text(&'a str),
    /// Anything else; travels as base64.
    Binary(&'a [u8]),
}

/// A Graph request before it is sealed.
#[derive(Clone, Debug)]
pub struct Outgoing<'a> {
    /// The client request's id.
    pub request_id: &'a str,
    /// Method.
    pub method: &'a str,
    /// Path from the version on, with the query.
    pub path: &'a str,
    /// Headers, names in lower case, no credential.
    pub headers: &'a [(&'static str, String)],
    /// Body.
    pub content: Content<'a>,
}

/// One sealed Graph request.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope<'a> {
    v: u8,
    /// The client request's id.
    #[serde(borrow)]
    pub request_id: Cow<'a, str>,
    /// Method.
    #[serde(borrow)]
    pub method: Cow<'a, str>,
    /// Path from the version on, with the query.
    #[serde(borrow)]
    pub path: Cow<'a, str>,
    /// Headers, names in lower case; `authorization` is the sealed token.
    pub headers: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    /// Body as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<Cow<'a, str>>,
}

/// What an envelope holds once opened.
#[derive(Debug)]
pub struct Opened {
    /// The Microsoft token, in clear.
    pub token: Secret,
    /// Body.
    pub body: Option<Vec<u8>>,
}

/// Seals and opens envelopes.
pub struct Sealer<'k> {
    keys: &'k Keyring,
}

impl<'k> Sealer<'k> {
    /// With the keys of this deployment.
    pub fn new(encryption: &'k EncryptionKeys) -> Self {
        Self { keys: &encryption.envelopes }
    }

    /// Seals `token` for exactly this request, from `now` (Unix seconds) on.
    pub fn seal<'a>(
        &self,
        random: &dyn Random,
        now: u64,
        outgoing: &Outgoing<'a>,
        token: &Secret,
    ) -> Result<Envelope<'a>, EnvelopeError> {
        let mut envelope = Envelope::unsealed(outgoing);
        let body: &[u8] = match outgoing.content {
            Content::Empty => &[],
            Content::Text(text) => text.as_bytes(),
            Content::Binary(bytes) => bytes,
        };
        let times = [now.to_be_bytes(), now.saturating_add(LIFETIME).to_be_bytes()].concat();
        let plain = [times.as_slice(), token.expose().as_bytes()].concat();
        let sealed = self.keys.current.seal(random, &envelope.associated(body), &plain);
        let credential = format!("{SCHEME}{}", crypto::encode(&sealed.map_err(|_| EnvelopeError::SealFailed)?));
        envelope.headers.insert(AUTHORIZATION.into(), credential.into());
        Ok(envelope)
    }

    /// Opens an envelope that was sealed by this deployment, for exactly this request, less than a minute ago.
    pub fn open(&self, envelope: &Envelope<'_>, now: u64) -> Result<Opened, EnvelopeError> {
        let body = envelope.body_bytes()?;
        let credential = envelope.headers.get(AUTHORIZATION).and_then(|value| value.strip_prefix(SCHEME));
        let sealed = credential.and_then(crypto::decode).ok_or(EnvelopeError::Unsealed)?;
        let aad = envelope.associated(body.as_deref().unwrap_or_default());
        let plain = self.keys.open(&aad, &sealed).map_err(|_| EnvelopeError::ForeignSeal)?;
        let (times, token) = plain.split_first_chunk::<TIMES>().ok_or(EnvelopeError::ForeignSeal)?;
        validate_times(times, now)?;
        let token = std::str::from_utf8(token).map_err(|_| EnvelopeError::ForeignSeal)?;
        Ok(Opened { token: Secret::new(token), body })
    }
}

impl<'a> Envelope<'a> {
    /// Reads the text that the gateway delivered.
    pub fn parse(text: &'a str) -> Result<Self, EnvelopeError> {
        let envelope: Self = serde_json::from_str(text).map_err(|_| EnvelopeError::Malformed)?;
        if envelope.v == VERSION { Ok(envelope) } else { Err(EnvelopeError::Malformed) }
    }

    /// The text that travels.
    pub fn to_text(&self) -> Result<String, EnvelopeError> {
        serde_json::to_string(self).map_err(|_| EnvelopeError::SealFailed)
    }

    /// The headers beside the credential.
    pub fn plain_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        all.filter(|(name, _)| *name != AUTHORIZATION)
    }

    fn unsealed(outgoing: &Outgoing<'a>) -> Self {
        let (body, body_base64) = match outgoing.content {
            Content::Empty => (None, None),
            Content::Text(text) => (Some(Cow::Borrowed(text)), None),
            Content::Binary(bytes) => (None, Some(Cow::Owned(STANDARD.encode(bytes)))),
        };
        let mut headers = BTreeMap::new();
        // Not collected: that sorts, and each kind of map brings 4 KB of a sort of its own.
        for (name, value) in outgoing.headers.iter().filter(|(name, _)| *name != AUTHORIZATION) {
            headers.insert(Cow::Borrowed(*name), Cow::Borrowed(value.as_str()));
        }
        Self {
            v: VERSION,
            request_id: outgoing.request_id.into(),
            method: outgoing.method.into(),
            path: outgoing.path.into(),
            headers,
            body,
            body_base64,
        }
    }

    fn body_bytes(&self) -> Result<Option<Vec<u8>>, EnvelopeError> {
        match (&self.body, &self.body_base64) {
            (None, None) => Ok(None),
            (Some(text), None) => Ok(Some(text.as_bytes().to_vec())),
            (None, Some(text)) => STANDARD.decode(text.as_bytes()).map(Some).map_err(|_| EnvelopeError::Malformed),
            (Some(_), Some(_)) => Err(EnvelopeError::Malformed),
        }
    }

    /// What the seal is bound to. Every part is preceded by its length, so that none can run into the next.
    fn associated(&self, body: &[u8]) -> Vec<u8> {
        let mut aad = Vec::with_capacity(256);
        let mut push = |part: &[u8]| {
            aad.extend_from_slice(&(part.len() as u64).to_be_bytes());
            aad.extend_from_slice(part);
        };
        push(self.request_id.as_bytes());
        push(self.method.as_bytes());
        push(self.path.as_bytes());
        push(Digest::of(body).as_bytes());
        for (name, value) in self.plain_headers() {
            push(name.as_bytes());
            push(value.as_bytes());
        }
        aad
    }
}

/// Issued-at and expiry, two big-endian `u64`.
fn validate_times(times: &[u8; TIMES], now: u64) -> Result<(), EnvelopeError> {
    let (Some(issued), Some(expires)) = (times.first_chunk(), times.last_chunk()) else {
        return Err(EnvelopeError::ForeignSeal);
    };
    let (issued, expires) = (u64::from_be_bytes(*issued), u64::from_be_bytes(*expires));
    let short = expires.checked_sub(issued).is_some_and(|life| life <= LIFETIME);
    if short && issued <= now.saturating_add(SKEW) && now < expires { Ok(()) } else { Err(EnvelopeError::Expired) }
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests;
