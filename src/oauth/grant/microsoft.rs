//! Microsoft's tokens: opened by the access token that a client presents, renewed at Entra by one request at a time.
//!
//! Entra's refresh tokens are replaced at each use, so calls that come in together share one renewal. It outlives the
//! call that began it: whoever waits next carries it on. Before its result is kept the grant is read again, because a
//! revocation may have come in meanwhile.

use std::cell::Cell;
use std::rc::Rc;

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared};

use super::rows::{Row, Rows};
use super::state::{Active, State};
use super::{Grant, log};
use crate::agent::{AgentName, Command, GrantError, MicrosoftTokens, Presented, Reply, TokenSource, UserCommand};
use crate::config::Config;
use crate::crypto::{Key, Secret};
use crate::json;
use crate::log::Kind;
use crate::oauth::entra::claims::Claims;
use crate::oauth::entra::{Entra, EntraError};
use crate::oauth::seal::Sealer;
use crate::ports::AgentPorts;

/// A token that lives less than this is renewed first: a Graph call may take that long.
const LEAST_SECONDS: u64 = 60;
/// The pause before Entra is asked a second time; chance adds up to a quarter, so that objects do not come in step.
const PAUSE_MS: u64 = 1000;
/// A longer Retry-After is not waited for: the call fails, and Entra is left alone for that time.
const MOST_PAUSE_MS: u64 = 5000;
/// How long Entra is left alone at most, whatever it asks for.
const MOST_AWAY_SECONDS: u64 = 300;

/// A renewal under way.
#[derive(Clone)]
pub(super) struct Renewal {
    claims: Option<Claims>,
    outcome: Shared<LocalBoxFuture<'static, Result<Secret, GrantError>>>,
}

/// Microsoft's tokens of one grant, opened by one client token.
pub struct GrantTokens<'a> {
    grant: &'a Grant,
    presented: &'a Presented,
}

#[async_trait(?Send)]
impl TokenSource for GrantTokens<'_> {
    async fn token(&self) -> Result<Secret, GrantError> {
        self.grant.microsoft_token(self.presented, None, None).await
    }

    async fn renewed(&self, rejected: &Secret, challenge: Option<&str>) -> Result<Secret, GrantError> {
        let claims = challenge.and_then(Claims::parse);
        self.grant.microsoft_token(self.presented, Some(rejected), claims).await
    }

    async fn challenged_again(&self, challenge: &str) -> Result<(), GrantError> {
        let Some(claims) = Claims::parse(challenge) else { return Ok(()) };
        let row = self.grant.load()?;
        let State::Active(active) = row.state.clone() else { return Err(GrantError::Revoked) };
        if active.terms.claims.as_ref() == Some(&claims) {
            return Ok(());
        }
        log(&self.grant.ports, Kind::EntraRefresh, &row.state, "challenged_again");
        need_sign_in((&self.grant.ports, &self.grant.rows), &row, active, Some(claims)).await?;
        self.grant.listed.set(false);
        self.grant.write_listing().await;
        Err(GrantError::SignInNeeded)
    }
}

struct Opened {
    data_key: Key,
    tokens: MicrosoftTokens,
}

impl Grant {
    /// Microsoft's tokens that this client token opens.
    pub fn tokens<'a>(&'a self, presented: &'a Presented) -> GrantTokens<'a> {
        GrantTokens { grant: self, presented }
    }

    /// A renewal under way serves everybody but the caller whose claims it does not ask for: that one waits for it,
    /// because it uses the same refresh token, and does its own.
    async fn microsoft_token(
        &self,
        presented: &Presented,
        rejected: Option<&Secret>,
        claims: Option<Claims>,
    ) -> Result<Secret, GrantError> {
        loop {
            let opened = self.open_tokens(presented)?;
            let fresh = opened.tokens.expires_at > self.now().saturating_add(LEAST_SECONDS);
            let fits = claims.is_none() || claims == opened.tokens.claims;
            if fresh && fits && rejected != Some(&opened.tokens.access) {
                return Ok(opened.tokens.access);
            }
            if self.renewal.borrow().is_none() && self.now() < self.entra_from.get() {
                return Err(GrantError::EntraUnavailable);
            }
            let begin = || self.begin_renewal(opened, claims.clone());
            let renewal = self.renewal.borrow_mut().get_or_insert_with(begin).clone();
            let result = self.finish_renewal(&renewal).await;
            if claims.is_none() || claims == renewal.claims {
                self.listed.set(false);
                self.write_listing().await;
                return result;
            }
            result?;
        }
    }

    fn begin_renewal(&self, opened: Opened, claims: Option<Claims>) -> Renewal {
        let owned = Owned {
            config: Rc::clone(&self.config),
            ports: self.ports.clone(),
            rows: Rc::clone(&self.rows),
            entra_from: Rc::clone(&self.entra_from),
        };
        let renewing = renew(owned, opened, claims.clone());
        Renewal { claims, outcome: renewing.boxed_local().shared() }
    }

    async fn finish_renewal(&self, renewal: &Renewal) -> Result<Secret, GrantError> {
        let result = renewal.outcome.clone().await;
        let mut current = self.renewal.borrow_mut();
        if current.as_ref().is_some_and(|current| current.outcome.ptr_eq(&renewal.outcome)) {
            *current = None;
        }
        result
    }

    /// Seals what is kept of the grant's streams. Opens for every live token of the grant and for nothing else.
    pub fn stream_key(&self, presented: &Presented) -> Result<Key, GrantError> {
        Ok(self.data_key(&self.load()?, presented)?.derive("stream events"))
    }

    fn open_tokens(&self, presented: &Presented) -> Result<Opened, GrantError> {
        let row = self.load()?;
        let data_key = self.data_key(&row, presented)?;
        let State::Active(active) = &row.state else { return Err(GrantError::TokenInvalid) };
        let sealer = Sealer::new(&self.config.keys.encryption, active.terms.binding());
        let ciphertext = row.sealed.as_deref().ok_or(GrantError::Storage)?;
        let plain = sealer.open(&data_key, ciphertext).map_err(|_| GrantError::Storage)?;
        let tokens = json::read(&plain).map_err(|_| GrantError::Storage)?;
        Ok(Opened { data_key, tokens })
    }

    /// The grant's data key, as the presented token opens it.
    fn data_key(&self, row: &Row, presented: &Presented) -> Result<Key, GrantError> {
        let active = match &row.state {
            State::Active(active) => active,
            State::Revoked(_) => return Err(GrantError::Revoked),
            State::Approved(_) | State::SigningIn(_) | State::SignedIn(_) => return Err(GrantError::TokenInvalid),
        };
        let token = active.find_access(&presented.token.digest(), self.now()).ok_or(GrantError::TokenInvalid)?;
        if active.sign_in_needed {
            return Err(GrantError::SignInNeeded);
        }
        let sealer = Sealer::new(&self.config.keys.encryption, active.terms.binding());
        sealer.unwrap(&presented.token, &token.wrapped).map_err(|_| GrantError::TokenInvalid)
    }
}

/// What a renewal needs of the grant. Its own, because nobody in particular waits for it.
struct Owned {
    config: Rc<Config>,
    ports: AgentPorts,
    rows: Rc<Rows>,
    entra_from: Rc<Cell<u64>>,
}

/// One renewal, from Entra's answer to what is stored.
async fn renew(owned: Owned, opened: Opened, claims: Option<Claims>) -> Result<Secret, GrantError> {
    let Owned { config, ports, rows, entra_from } = owned;
    let answer = ask_entra(&config, &ports, &opened.tokens, claims.as_ref()).await;
    if let Err(EntraError::Unavailable { retry_after: Some(seconds) }) = answer {
        entra_from.set(ports.clock.now().saturating_add(seconds.min(MOST_AWAY_SECONDS)));
    }
    let row = rows.load()?.ok_or(GrantError::Unknown)?;
    let State::Active(active) = row.state.clone() else {
        log(&ports, Kind::EntraRefresh, &row.state, "discarded");
        return Err(GrantError::Revoked);
    };
    let failure = match answer {
        Ok(tokens) => {
            let (access, sealed) = seal(&config, &ports, &active, opened, tokens)?;
            rows.store(&row.changed(row.state.clone(), Some(sealed.into())))?;
            log(&ports, Kind::EntraRefresh, &row.state, "renewed");
            return Ok(access);
        }
        Err(failure) => failure,
    };
    log(&ports, Kind::EntraRefresh, &row.state, &failure.reason());
    let error = seen_as(&failure);
    if error == GrantError::SignInNeeded {
        need_sign_in((&ports, &rows), &row, active, claims).await?;
    }
    Err(error)
}

/// Nothing but a sign-in brings another token. What Graph asks for waits with the user's object for it, because nobody
/// knows through which client it will be; if that object does not answer, the next sign-in is challenged once more.
async fn need_sign_in(
    (ports, rows): (&AgentPorts, &Rows),
    row: &Row,
    mut active: Active,
    claims: Option<Claims>,
) -> Result<(), GrantError> {
    active.sign_in_needed = true;
    let user = active.terms.user;
    let state = State::Active(active);
    rows.store(&row.changed(state.clone(), row.sealed.clone()))?;
    let Some(claims) = claims else { return Ok(()) };
    let command = Command::User(UserCommand::Challenge(claims));
    let kept = ports.agents.call(&AgentName::User(user), &command).await;
    log(
        ports,
        Kind::EntraRefresh,
        &state,
        if matches!(kept, Ok(Reply::User(Ok(_)))) { "claims_kept" } else { "claims_lost" },
    );
    Ok(())
}

/// Asks once, and once more where Entra says that it cannot answer now.
async fn ask_entra(
    config: &Config,
    ports: &AgentPorts,
    tokens: &MicrosoftTokens,
    claims: Option<&Claims>,
) -> Result<MicrosoftTokens, EntraError> {
    let refresh = tokens.refresh.as_ref().ok_or(EntraError::SignInNeeded { code: None })?;
    let entra = || Entra {
        microsoft: &config.microsoft,
        redirect_uri: config.public_url.join("/callback"),
        upstream: &*ports.upstream,
        ps256: &*ports.ps256,
        random: &*ports.random,
        now: ports.clock.now(),
    };
    match entra().refresh(refresh, tokens.scopes, claims).await {
        Err(EntraError::Unavailable { retry_after }) => {
            let asked_for = retry_after.unwrap_or_default().saturating_mul(1000);
            if asked_for > MOST_PAUSE_MS {
                return Err(EntraError::Unavailable { retry_after });
            }
            let mut chance = [0; 1];
            ports.random.fill(&mut chance);
            ports.timer.sleep(asked_for.max(PAUSE_MS) + u64::from(chance[0])).await;
            entra().refresh(refresh, tokens.scopes, claims).await
        }
        answer => answer,
    }
}

/// Seals the new tokens under the grant's data key. Entra may leave out a new refresh token; then the old one stays.
fn seal(
    config: &Config,
    ports: &AgentPorts,
    active: &Active,
    opened: Opened,
    new: MicrosoftTokens,
) -> Result<(Secret, Vec<u8>), GrantError> {
    let tokens = MicrosoftTokens { refresh: new.refresh.or(opened.tokens.refresh), ..new };
    let plain = serde_json::to_vec(&tokens).map_err(|_| GrantError::Storage)?;
    let sealer = Sealer::new(&config.keys.encryption, active.terms.binding());
    let ciphertext = sealer.seal(&*ports.random, &opened.data_key, &plain).map_err(|_| GrantError::Storage)?;
    Ok((tokens.access, ciphertext))
}

/// What callers see of a failure.
const fn seen_as(error: &EntraError) -> GrantError {
    match error {
        EntraError::SignInNeeded { .. } | EntraError::ConsentNeeded { .. } | EntraError::Denied { .. } => {
            GrantError::SignInNeeded
        }
        EntraError::Unavailable { .. } | EntraError::Malformed => GrantError::EntraUnavailable,
        EntraError::RefusesServer { .. } => GrantError::EntraRefusesServer,
    }
}
