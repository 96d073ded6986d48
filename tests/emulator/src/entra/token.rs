//! The token endpoint: client authentication, code and refresh grants, and every refusal in between.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::claims::{self, Claims};
use super::error::EntraError;
use super::scopes::narrow;
use super::sessions::Consent;
use super::{Audience, client, id_token};
use crate::App;
use crate::call::{Call, Pairs};
use crate::faults::{Fault, Target};
use crate::reply::{self, Reply};

/// Faults that replace or delay the whole answer.
const FAULTS: &[&str] = &[
    "invalid_grant",
    "interaction_required",
    "temporarily_unavailable",
    "invalid_client",
    "slow",
    "unreachable",
    "twice",
];

/// What a grant gives.
struct Granted {
    consent: Consent,
    nonce: Option<String>,
    claims: Claims,
}

/// POST `/{tenant}/oauth2/v2.0/token`.
pub async fn handle(app: &App, call: &Call, tenant: (&str, Audience)) -> Reply {
    let form = call.form();
    let grant = form.get("grant_type").unwrap_or("").to_owned();
    let ordered = app.world().faults.take(Target::Entra, FAULTS, ("POST", "token"));
    if let Some(reply) = before(ordered.as_ref()).await {
        note(app, call, &grant, ordered.as_ref().map_or("", |fault| &fault.fault));
        return reply;
    }
    let result = check(app, call, &form, tenant);
    let outcome = result.as_ref().map_or_else(|e| format!("{} {}", e.error, e.code), |_| "ok".to_owned());
    note(app, call, &grant, &outcome);
    match result {
        Ok(granted) => answer(app, granted).await,
        Err(error) => error.reply(),
    }
}

async fn before(fault: Option<&Fault>) -> Option<Reply> {
    let fault = fault?;
    let error = match fault.fault.as_str() {
        "unreachable" => return Some(reply::unreachable()),
        "invalid_grant" => EntraError::new(
            "invalid_grant",
            50173,
            "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
        ),
        "interaction_required" => {
            let text = "Due to a configuration change made by your administrator, you must use multi-factor authentication to access the resource.";
            EntraError { suberror: Some("basic_action"), ..EntraError::new("interaction_required", 50076, text) }
        }
        "temporarily_unavailable" => {
            EntraError::new("temporarily_unavailable", 90033, "A transient error has occurred. Please try again.")
        }
        "invalid_client" => {
            EntraError::new("invalid_client", 7_000_222, "The provided client secret keys for the app are expired.")
        }
        "slow" => {
            tokio::time::sleep(Duration::from_millis(fault.delay_ms.unwrap_or(1000))).await;
            return None;
        }
        // `twice` changes nothing: the test reads the number of calls afterwards.
        _ => return None,
    };
    Some(error.reply())
}

fn check(app: &App, call: &Call, form: &Pairs, tenant: (&str, Audience)) -> Result<Granted, EntraError> {
    let (tenant, audience) = tenant;
    let refuse = |code, text: &str| EntraError::new("invalid_request", code, text);
    let kind = call.header("content-type").unwrap_or("").split(';').next().unwrap_or("").trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(refuse(900_144, "The request body must contain the following parameter: 'grant_type'."));
    }
    if call.headers.contains_key("origin") {
        return Err(refuse(
            9_002_326,
            "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type.",
        ));
    }
    if let Some(name) = form.repeated() {
        return Err(refuse(9_000_411, &format!("The parameter '{name}' is duplicated.")));
    }
    if form.get("resource").is_some() {
        return Err(EntraError::new(
            "invalid_target",
            9_010_010,
            "The resource parameter provided in the request doesn't match with the requested scopes.",
        ));
    }
    client::authenticate(app, call, form, tenant)?;
    match form.get("grant_type") {
        Some("authorization_code") => redeem(app, form, audience),
        Some("refresh_token") => refresh(app, form, audience),
        None => Err(refuse(900_144, "The request body must contain the following parameter: 'grant_type'.")),
        Some(_) => {
            Err(EntraError::new("unsupported_grant_type", 70003, "The app requested an unsupported grant type."))
        }
    }
}

fn redeem(app: &App, form: &Pairs, audience: Audience) -> Result<Granted, EntraError> {
    let refuse = |code, text: &str| EntraError::new("invalid_grant", code, text);
    let given = form.filled("code").ok_or_else(|| {
        EntraError::new("invalid_request", 900_144, "The request body must contain the following parameter: 'code'.")
    })?;
    let mut world = app.world();
    let code =
        world.entra.codes.get_mut(given).ok_or_else(|| refuse(70000, "Provided grant is invalid or malformed."))?;
    if code.used {
        return Err(refuse(
            54005,
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.",
        ));
    }
    if code.expires_at < OffsetDateTime::now_utc() {
        return Err(refuse(70008, "The provided authorization code or refresh token has expired due to inactivity."));
    }
    if form.get("redirect_uri") != Some(code.redirect_uri.as_str()) {
        return Err(EntraError::new(
            "invalid_client",
            500_112,
            "The reply address does not match the reply address provided when requesting the authorization code.",
        ));
    }
    let verifier = form.get("code_verifier").unwrap_or("");
    if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) != code.challenge {
        return Err(refuse(
            501_481,
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
        ));
    }
    if !audience.admits(code.consent.user) {
        return Err(refuse(50020, "The user account does not exist in this tenant."));
    }
    let consent = narrow(&code.consent, form.filled("scope"))?;
    let mut asked = claims::parse(form)?;
    claims::need_no_person(&asked, &consent.met)?;
    asked.extend(consent.met.clone());
    code.used = true;
    Ok(Granted { consent, nonce: code.nonce.clone(), claims: asked })
}

fn refresh(app: &App, form: &Pairs, audience: Audience) -> Result<Granted, EntraError> {
    let refuse = |code, text: &str| EntraError::new("invalid_grant", code, text);
    let given = form.filled("refresh_token").ok_or_else(|| {
        EntraError::new(
            "invalid_request",
            900_144,
            "The request body must contain the following parameter: 'refresh_token'.",
        )
    })?;
    let world = app.world();
    let consent =
        world.entra.refresh.get(given).ok_or_else(|| refuse(70000, "Provided grant is invalid or malformed."))?;
    if !audience.admits(consent.user) {
        return Err(refuse(50020, "The user account does not exist in this tenant."));
    }
    let asked = claims::parse(form)?;
    claims::need_no_person(&asked, &consent.met)?;
    Ok(Granted { consent: narrow(consent, form.filled("scope"))?, nonce: None, claims: asked })
}

async fn answer(app: &App, granted: Granted) -> Reply {
    let consent = granted.consent;
    let has = |scope: &str| consent.scopes.iter().any(|one| one == scope);
    let fault = app.world().faults.take(Target::Entra, id_token::FAULTS, ("POST", "token"));
    let fault = fault.as_ref().map(|fault| fault.fault.as_str());
    let mut body = tokens(app, &consent, granted.claims);
    if has("openid") {
        let token = id_token::sign(app, &consent, granted.nonce.as_deref(), fault).await;
        crate::json::set(&mut body, "id_token", token);
    }
    let answer = reply::json(200, &body);
    reply::with(reply::with(answer, "cache-control", "no-store, no-cache"), "pragma", "no-cache")
}

fn tokens(app: &App, consent: &Consent, claims: Claims) -> Value {
    let mut world = app.world();
    let (access_token, lifetime) = world.entra.issue_access(consent, claims);
    let shown: Vec<&str> =
        consent.scopes.iter().map(String::as_str).filter(|scope| *scope != "offline_access").collect();
    let mut body = json!({
        "token_type": "Bearer", "scope": shown.join(" "), "expires_in": lifetime,
        "ext_expires_in": lifetime, "access_token": access_token,
    });
    if consent.scopes.iter().any(|scope| scope == "offline_access") {
        crate::json::set(&mut body, "refresh_token", world.entra.issue_refresh(consent));
    }
    body
}

fn note(app: &App, call: &Call, grant: &str, outcome: &str) {
    let auth = match (call.headers.contains_key("authorization"), call.form().get("client_assertion")) {
        (true, _) => "basic",
        (false, Some(_)) => "assertion",
        (false, None) => "body",
    };
    app.world().entra.calls.push(json!({
        "endpoint": "token", "grant_type": grant, "client_auth": auth, "outcome": outcome,
    }));
}
