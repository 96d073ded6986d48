//! Who is signed in to the account page: `__Host-m365-account`, AES-256-GCM under `COOKIE_ENCRYPTION_KEY`, ten minutes.
//! Nothing is stored here, so nothing has to be cleaned up; signing out takes the cookie back.
//!
//! `SameSite=Lax` and not `Strict`: the cookie is set on the way back from Entra, and a browser holds a strict one back
//! from the redirect to the page, because the chain began on another site.

use serde::{Deserialize, Serialize};

use crate::agent::Profile;
use crate::config::Config;
use crate::crypto::{self, Key};
use crate::exchange::Exchange;
use crate::identity::{GrantId, UserId};
use crate::json;
use crate::oauth::cookie;
use crate::web::{Request, Response};

use super::error::AccountError;

const NAME: &str = "__Host-m365-account";

/// What a sealed session is bound to, so that no other sealed cookie passes for one.
const PURPOSE: &str = "account session";

/// A person whom Entra vouched for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Random; what the buttons' tokens are bound to.
    id: String,
    /// The Microsoft user.
    pub user: UserId,
    /// What to call them.
    pub profile: Profile,
    /// Access `sub` of who signed in.
    access: Option<String>,
    /// Unix seconds.
    expires_at: u64,
}

/// What a button does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Ends one grant.
    End(GrantId),
    /// Ends all of them.
    EndAll,
    /// Forgets the session.
    SignOut,
}

impl Session {
    /// A session of this user, for whoever came through Access.
    pub fn new(exchange: &Exchange, user: UserId, profile: Profile) -> Self {
        Self {
            id: crypto::random_text::<16>(exchange.ports.random.as_ref()),
            user,
            profile,
            access: exchange.access.as_ref().map(|identity| identity.sub.clone()),
            expires_at: exchange.context.now + cookie::MAX_AGE_SECONDS,
        }
    }

    /// Hands the browser its session.
    pub fn keep(&self, exchange: &Exchange, response: Response) -> Result<Response, AccountError> {
        let plain = serde_json::to_vec(self).map_err(|_| AccountError::Failed)?;
        let random = exchange.ports.random.as_ref();
        let sealed = key(&exchange.config).seal(random, PURPOSE.as_bytes(), &plain);
        let sealed = sealed.map_err(|_| AccountError::Failed)?;
        Ok(cookie::set(response, NAME, &crypto::encode(&sealed)))
    }

    /// What the form of this button must bring. Good for this session and this deed alone.
    pub fn token(&self, exchange: &Exchange, deed: &Deed) -> String {
        let (name, grant) = match deed {
            Deed::End(grant) => ("end", grant.to_string()),
            Deed::EndAll => ("end-all", String::new()),
            Deed::SignOut => ("sign-out", String::new()),
        };
        let key = exchange.config.keys.cookie_signing.derive("account action");
        crypto::encode(&key.mac(&[self.id.as_bytes(), name.as_bytes(), grant.as_bytes()]))
    }

    /// Whether `token` is of this session's button for this deed.
    pub fn allows(&self, exchange: &Exchange, deed: &Deed, token: &str) -> bool {
        crypto::equal(self.token(exchange, deed).as_bytes(), token.as_bytes())
    }
}

/// The session that this browser holds, for the person who came through Access.
pub fn open(exchange: &Exchange, request: &Request) -> Result<Session, AccountError> {
    let sealed = request.cookie(NAME).and_then(crypto::decode).ok_or(AccountError::NoSession)?;
    let plain = key(&exchange.config).open(PURPOSE.as_bytes(), &sealed).map_err(|_| AccountError::NoSession)?;
    let session: Session = json::read(&plain).map_err(|_| AccountError::NoSession)?;
    if session.expires_at <= exchange.context.now {
        return Err(AccountError::NoSession);
    }
    if session.access.as_deref() != exchange.access.as_ref().map(|identity| identity.sub.as_str()) {
        return Err(AccountError::OtherIdentity);
    }
    Ok(session)
}

/// Takes the session back.
pub fn clear(response: Response) -> Response {
    cookie::clear(response, NAME)
}

fn key(config: &Config) -> Key {
    config.keys.cookie.derive(PURPOSE)
}
