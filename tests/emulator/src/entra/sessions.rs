//! What Entra has issued: authorization codes, refresh tokens, access tokens, and a record of calls.

use std::collections::{HashMap, HashSet};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::RngCore;
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::claims::Claims;
use crate::sample::directory::User;

/// A signed-in person and what the application may do for them.
#[derive(Clone, Debug)]
pub struct Consent {
    /// Who signed in.
    pub user: &'static User,
    /// Granted scopes: the OpenID ones and Graph's without their resource prefix.
    pub scopes: Vec<String>,
    /// What the sign-in was asked to meet, and met.
    pub met: Claims,
}

/// An authorization code's record.
#[derive(Clone, Debug)]
pub struct Code {
    /// Who, and for what.
    pub consent: Consent,
    /// PKCE `code_challenge`.
    pub challenge: String,
    /// `redirect_uri` of the authorization request.
    pub redirect_uri: String,
    /// `nonce` of the authorization request.
    pub nonce: Option<String>,
    /// End of the ten minutes.
    pub expires_at: OffsetDateTime,
    /// Whether it was redeemed.
    pub used: bool,
}

/// An access token's record.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// Who, and for what.
    pub consent: Consent,
    /// What it was asked for with.
    pub claims: Claims,
    /// When Graph stops taking it.
    pub expires_at: OffsetDateTime,
}

/// All of it.
#[derive(Default)]
pub struct Sessions {
    /// By code.
    pub codes: HashMap<String, Code>,
    /// By refresh token; use does not revoke one, as with the real service.
    pub refresh: HashMap<String, Consent>,
    /// By access token.
    pub access: HashMap<String, AccessToken>,
    /// `jti`s of the client assertions that were used.
    pub assertions: HashSet<String>,
    /// Every call of authorize and token, without secrets.
    pub calls: Vec<Value>,
}

impl Sessions {
    /// Issues an access token for Graph and its lifetime in seconds.
    pub fn issue_access(&mut self, consent: &Consent, claims: Claims) -> (String, i64) {
        // The real lifetime is random between 60 and 90 minutes.
        let lifetime = 3600 + i64::from(rand::thread_rng().next_u32() % 1800);
        let token = format!(
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6ImVtdWxhdG9yIn0.eyJhdWQiOiJlbXVsYXRvciJ9{}.{}",
            random(600),
            random(256)
        );
        let expires_at = OffsetDateTime::now_utc() + Duration::seconds(lifetime);
        self.access.insert(token.clone(), AccessToken { consent: consent.clone(), claims, expires_at });
        (token, lifetime)
    }

    /// Issues a refresh token; older ones keep working.
    pub fn issue_refresh(&mut self, consent: &Consent) -> String {
        let token = format!("1.{}", random(700));
        self.refresh.insert(token.clone(), consent.clone());
        token
    }

    /// Issues a code.
    pub fn issue_code(&mut self, code: Code) -> String {
        let text = format!("1.{}", random(500));
        self.codes.insert(text.clone(), code);
        text
    }

    /// Makes Graph refuse all issued access tokens, of one person or of everybody.
    pub fn expire(&mut self, email: Option<&str>) {
        let now = OffsetDateTime::now_utc();
        for token in self.access.values_mut() {
            if email.is_none_or(|email| token.consent.user.email == email) {
                token.expires_at = now;
            }
        }
    }

    /// Forgets all refresh tokens, of one person or of everybody.
    pub fn revoke(&mut self, email: Option<&str>) {
        self.refresh.retain(|_, consent| email.is_some_and(|email| consent.user.email != email));
    }
}

fn random(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    rand::thread_rng().fill_bytes(&mut buffer);
    URL_SAFE_NO_PAD.encode(buffer)
}
