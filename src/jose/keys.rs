//! JWK sets (RFC 7517) by URL: fetched, remembered in the isolate and in KV for an hour, fetched again for an unknown
//! key id at most once a minute.
//!
//! The URLs come from the configuration, never from a token. Only RSA signature keys with an id are kept; a key of
//! another kind beside them is no fault of the set.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyAlgorithm, PublicKeyUse};
use serde::{Deserialize, Serialize};

use super::JoseError;
use crate::crypto;
use crate::json;
use crate::ports::{OutboundRequest, Ports, RsaKey};

/// Access and Entra keep old keys published for days, so an hour is safe.
const FRESH_SECONDS: u64 = 3600;
const REFETCH_SECONDS: u64 = 60;
const LIMIT_MS: u64 = 10_000;
const MAX_BYTES: usize = 64 * 1024;
/// One Access team and one tenant are what a deployment uses.
const MAX_SETS: usize = 8;
/// 2048 bits, the least that RFC 7518 section 3.3 allows.
const MIN_MODULUS_BYTES: usize = 256;

/// One published key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PublicKey {
    kid: String,
    pub(super) rsa: RsaKey,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) issuer: Option<String>,
}

/// A set as it is kept in the isolate and in KV.
#[derive(Debug, Serialize, Deserialize)]
struct KeySet {
    fetched_at: u64,
    keys: Vec<PublicKey>,
}

impl KeySet {
    fn find(&self, kid: &str) -> Option<PublicKey> {
        self.keys.iter().find(|key| key.kid == kid).cloned()
    }

    fn is_fresh(&self, now: u64) -> bool {
        now < self.fetched_at.saturating_add(FRESH_SECONDS)
    }
}

/// JWK sets by URL.
#[derive(Default)]
pub struct KeyCache {
    sets: RefCell<HashMap<String, Remembered>>,
}

struct Remembered {
    set: Rc<KeySet>,
    /// When an unknown key id last made this isolate fetch, successfully or not.
    attempted_at: u64,
}

impl KeyCache {
    fn fresh(&self, url: &str, now: u64) -> Option<Rc<KeySet>> {
        let sets = self.sets.borrow();
        sets.get(url).map(|remembered| &remembered.set).filter(|set| set.is_fresh(now)).cloned()
    }

    fn keep(&self, url: &str, set: Rc<KeySet>) {
        let mut sets = self.sets.borrow_mut();
        if sets.len() >= MAX_SETS && !sets.contains_key(url) {
            sets.clear();
        }
        // A fetch for another reason does not use up the one that an unknown key id may cause.
        let attempted_at = sets.get(url).map_or(0, |remembered| remembered.attempted_at);
        sets.insert(url.to_owned(), Remembered { set, attempted_at });
    }

    /// Whether an unknown key id may cause a fetch now; notes that it did.
    fn may_refetch(&self, url: &str, now: u64) -> bool {
        let mut sets = self.sets.borrow_mut();
        let Some(remembered) = sets.get_mut(url) else { return true };
        let may = now >= remembered.attempted_at.saturating_add(REFETCH_SECONDS);
        if may {
            remembered.attempted_at = now;
        }
        may
    }
}

/// Where one issuer's keys are.
pub(super) struct KeySource<'a> {
    pub(super) ports: &'a Ports,
    pub(super) cache: &'a KeyCache,
    pub(super) url: &'a str,
}

impl KeySource<'_> {
    pub(super) async fn find(&self, kid: &str) -> Result<PublicKey, JoseError> {
        let now = self.ports.clock.now();
        let known = match self.cache.fresh(self.url, now) {
            Some(set) => Some(set),
            None => self.stored(now).await,
        };
        if let Some(set) = known {
            if let Some(key) = set.find(kid) {
                return Ok(key);
            }
            if !self.cache.may_refetch(self.url, now) {
                return Err(JoseError::UnknownKey);
            }
        }
        self.fetch(now).await?.find(kid).ok_or(JoseError::UnknownKey)
    }

    fn kv_key(&self) -> String {
        format!("jwks:{}", self.url.split_once("://").map_or(self.url, |(_, rest)| rest))
    }

    /// KV only saves a fetch, so what it cannot answer is fetched.
    async fn stored(&self, now: u64) -> Option<Rc<KeySet>> {
        let bytes = self.ports.kv.get(&self.kv_key()).await.ok().flatten()?;
        let set: KeySet = json::read(&bytes).ok()?;
        // A set from the future would never grow old.
        let set = (set.is_fresh(now) && set.fetched_at <= now + REFETCH_SECONDS).then(|| Rc::new(set))?;
        self.cache.keep(self.url, Rc::clone(&set));
        Some(set)
    }

    async fn fetch(&self, now: u64) -> Result<Rc<KeySet>, JoseError> {
        let request = OutboundRequest {
            method: "GET".to_owned(),
            url: self.url.to_owned(),
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
            body: None,
            max_answer: None,
        };
        let answer = self.ports.upstream.send(request, LIMIT_MS).await.map_err(|_| JoseError::KeysUnavailable)?;
        if answer.status != 200 || answer.body.len() > MAX_BYTES {
            return Err(JoseError::KeysUnavailable);
        }
        let keys = parse_set(&answer.body).ok_or(JoseError::KeysUnavailable)?;
        let set = Rc::new(KeySet { fetched_at: now, keys });
        self.cache.keep(self.url, Rc::clone(&set));
        if let Ok(bytes) = serde_json::to_vec(set.as_ref()) {
            // Not stored means fetched once more by the next isolate, no worse.
            let _ = self.ports.kv.put(&self.kv_key(), &bytes, Some(FRESH_SECONDS)).await;
        }
        Ok(set)
    }
}

/// `None` for what is no set or holds no usable key.
fn parse_set(body: &[u8]) -> Option<Vec<PublicKey>> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<serde_json::Value>,
    }
    let set: Set = json::read(body).ok()?;
    let keys: Vec<_> = set.keys.into_iter().filter_map(parse_key).collect();
    (!keys.is_empty()).then_some(keys)
}

fn parse_key(value: serde_json::Value) -> Option<PublicKey> {
    #[derive(Deserialize)]
    struct Published {
        #[serde(flatten)]
        jwk: Jwk,
        issuer: Option<String>,
    }
    let Published { jwk, issuer } = json::read_value(value).ok()?;
    let for_signatures = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let for_rs256 = matches!(jwk.common.key_algorithm, None | Some(KeyAlgorithm::RS256));
    let AlgorithmParameters::RSA(rsa) = jwk.algorithm else { return None };
    let long_enough = crypto::decode(&rsa.n).is_some_and(|modulus| modulus.len() >= MIN_MODULUS_BYTES);
    let kid = jwk.common.key_id?;
    (for_signatures && for_rs256 && long_enough).then_some(PublicKey {
        kid,
        rsa: RsaKey { n: rsa.n, e: rsa.e },
        issuer,
    })
}
