//! The `id_token` of Entra's token endpoint: `OpenID` Connect Core section 3.1.3.7 and Microsoft's "ID token claims".
//!
//! The user is `tid:oid`. An e-mail address or user name is shown and never decides anything: Entra lets tenants set
//! both to what they like.

use serde::Deserialize;
use uuid::Uuid;

use crate::agent::Profile;
use crate::crypto::{self, Secret};
use crate::exchange::Exchange;
use crate::identity::UserId;
use crate::jose::{self, JoseError};

use super::display;

/// The most that Entra's clock and ours may be apart.
const SKEW_SECONDS: u64 = 300;

/// Why Entra's word on the user was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum IdTokenError {
    #[error("id_token: {0}")]
    NotGenuine(#[from] JoseError),
    #[error("id_token: issuer")]
    Issuer,
    #[error("id_token: the key belongs to another issuer")]
    KeyIssuer,
    #[error("id_token: audience")]
    Audience,
    #[error("id_token: expired")]
    Expired,
    #[error("id_token: not valid yet")]
    NotYetValid,
    #[error("id_token: nonce")]
    Nonce,
    #[error("id_token: tenant not allowed")]
    TenantNotAllowed,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    exp: u64,
    nbf: Option<u64>,
    nonce: String,
    tid: Uuid,
    oid: Uuid,
    name: Option<String>,
    preferred_username: Option<String>,
}

/// Who signed in.
pub async fn verify(exchange: &Exchange, id_token: &Secret, nonce: &Secret) -> Result<(UserId, Profile), IdTokenError> {
    let microsoft = &exchange.config.microsoft;
    let jwks = format!("{}/{}/discovery/v2.0/keys", microsoft.cloud.login, microsoft.tenant_id);
    let verified = jose::verify::<Claims>(&exchange.ports, &exchange.isolate.keys, &jwks, id_token.expose()).await?;
    let claims = verified.claims;
    let issuer = format!("{}/{}/v2.0", microsoft.cloud.login, claims.tid);
    if claims.iss != issuer {
        return Err(IdTokenError::Issuer);
    }
    // A key may be limited to one issuer; `{tenantid}` stands for any tenant's.
    let limit = verified.key_issuer.map(|limit| limit.replace("{tenantid}", &claims.tid.to_string()));
    if limit.is_some_and(|limit| limit != issuer) {
        return Err(IdTokenError::KeyIssuer);
    }
    judge(&claims, exchange, nonce)?;
    let profile = Profile {
        name: claims.name.as_deref().and_then(display::clean),
        email: claims.preferred_username.as_deref().and_then(display::clean),
    };
    Ok((UserId { tid: claims.tid, oid: claims.oid }, profile))
}

fn judge(claims: &Claims, exchange: &Exchange, nonce: &Secret) -> Result<(), IdTokenError> {
    let now = exchange.ports.clock.now();
    let microsoft = &exchange.config.microsoft;
    if !claims.aud.eq_ignore_ascii_case(&microsoft.client_id.to_string()) {
        return Err(IdTokenError::Audience);
    }
    if claims.exp.saturating_add(SKEW_SECONDS) <= now {
        return Err(IdTokenError::Expired);
    }
    if claims.nbf.is_some_and(|nbf| nbf > now + SKEW_SECONDS) {
        return Err(IdTokenError::NotYetValid);
    }
    if !crypto::equal(claims.nonce.as_bytes(), nonce.expose().as_bytes()) {
        return Err(IdTokenError::Nonce);
    }
    if microsoft.allowed_tenants.contains(&claims.tid) { Ok(()) } else { Err(IdTokenError::TenantNotAllowed) }
}
