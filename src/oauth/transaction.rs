//! An authorization request between the client's GET and the user's decision. It is kept by the browser, in an encrypted
//! cookie, because an unauthenticated GET must cost no storage.
//!
//! `__Host-m365-consent-{id}`: base64url of AES-256-GCM under `COOKIE_ENCRYPTION_KEY`, bound to its id. The form carries
//! only the id, so the id in a form without the cookie of the same name is worth nothing: that is the CSRF protection.

use serde::{Deserialize, Serialize};

use crate::agent::AuthorizationRequest;
use crate::config::Config;
use crate::crypto::{self, Key};
use crate::identity::GrantId;
use crate::json;
use crate::ports::Random;
use crate::web::{Request, Response};

use super::cookie;

const PREFIX: &str = "__Host-m365-consent-";

/// Browsers keep 4096 bytes of name, value and attributes.
const MAX_SEALED: usize = 3900;

/// What the user is asked to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// Random; the cookie's name and the form's only field.
    pub id: String,
    /// What the client asked for.
    pub request: AuthorizationRequest,
    /// Access `sub` of who was asked.
    pub access: Option<String>,
    /// Unix seconds.
    pub expires_at: u64,
}

/// The request does not fit into a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

/// Seals and opens transactions.
pub struct Transactions(Key);

impl Transactions {
    /// With this deployment's key.
    pub fn new(config: &Config) -> Self {
        Self(config.keys.cookie.derive("consent transaction"))
    }

    /// The cookie's value.
    pub fn seal(&self, random: &dyn Random, transaction: &Transaction) -> Result<String, TooLarge> {
        let plain = serde_json::to_vec(transaction).map_err(|_| TooLarge)?;
        let sealed = self.0.seal(random, transaction.id.as_bytes(), &plain).map_err(|_| TooLarge)?;
        let value = crypto::encode(&sealed);
        if value.len() > MAX_SEALED { Err(TooLarge) } else { Ok(value) }
    }

    /// The transaction of this id, if this browser holds it and it is not over.
    pub fn open(&self, request: &Request, id: &str, now: u64) -> Option<Transaction> {
        let sealed = crypto::decode(request.cookie(&name(id))?)?;
        let plain = self.0.open(id.as_bytes(), &sealed).ok()?;
        json::read(&plain).ok().filter(|transaction: &Transaction| now < transaction.expires_at)
    }

    /// The grant that approving this transaction opens. It follows from the id, so approving twice opens the same
    /// object, which refuses the second time: a consent counts once although nothing was stored before it.
    pub fn grant(&self, transaction: &Transaction) -> Option<GrantId> {
        let mac = self.0.mac(&[b"grant", transaction.id.as_bytes()]);
        crypto::encode(mac.get(..16)?).parse().ok()
    }
}

/// Hands the browser its transaction.
pub fn set_cookie(response: Response, request: &Request, id: &str, sealed: &str) -> Response {
    cookie::set(cookie::make_room(response, request, PREFIX), &name(id), sealed)
}

/// Takes it back.
pub fn clear_cookie(response: Response, id: &str) -> Response {
    cookie::clear(response, &name(id))
}

fn name(id: &str) -> String {
    format!("{PREFIX}{id}")
}
