//! The authorize endpoint: which requests are refused where, the choice of an account, the redirect.
//!
//! An unknown client or redirect URI is told to the person and never redirected (RFC 6749
//! § 4.1.2.1); every other fault goes back to the application with its `state`.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::error::EntraError;
use super::sessions::{Code, Consent};
use super::{Audience, claims, scopes};
use crate::App;
use crate::call::{Call, Pairs};
use crate::faults::Target;
use crate::reply::{self, Reply, escape};
use crate::sample::directory::{self, USERS};

/// A request that was found in order.
struct Valid {
    redirect_uri: String,
    scopes: Vec<String>,
    challenge: String,
    claims: claims::Claims,
}

/// GET: the page with the accounts, or the redirect when `user` is given or a fault is ordered.
pub fn show(app: &App, call: &Call, audience: Audience) -> Reply {
    let query = call.query_pairs();
    let valid = match validate(app, &query) {
        Ok(valid) => valid,
        Err(refusal) => return *refusal,
    };
    note(app, "page");
    if query.get("prompt") == Some("none") {
        let error =
            EntraError::new("login_required", 50058, "A silent sign-in request was sent but no user is signed in.");
        return redirect_error(&query, &error);
    }
    // A person whom Microsoft knows already: no page, one chain of redirects.
    let asks_nothing = app.world().faults.take(Target::Entra, &["asks-nothing"], ("GET", "authorize"));
    match asks_nothing.map(|_| "adele@contoso.example").or_else(|| query.get("user")) {
        Some(email) => sign_in(app, &query, &valid, audience, email),
        None => reply::html(200, form(&query, audience)),
    }
}

/// POST: the person chose an account (`user`) or pressed Cancel (`cancel`).
pub fn choose(app: &App, call: &Call, audience: Audience) -> Reply {
    let (query, form) = (call.query_pairs(), call.form());
    let valid = match validate(app, &query) {
        Ok(valid) => valid,
        Err(refusal) => return *refusal,
    };
    if form.filled("cancel").is_some() {
        note(app, "cancelled");
        let error = EntraError::new("access_denied", 65004, "User declined to consent to access the app.");
        return redirect_error(&query, &error);
    }
    sign_in(app, &query, &valid, audience, form.get("user").unwrap_or(""))
}

fn sign_in(app: &App, query: &Pairs, valid: &Valid, audience: Audience, email: &str) -> Reply {
    let Some(user) = directory::by_email(email) else {
        return error_page(&EntraError::new(
            "invalid_request",
            50034,
            "The user account does not exist in this directory.",
        ));
    };
    if !audience.admits(user) {
        let text =
            format!("User account '{email}' does not exist in tenant 'Contoso' and cannot access the application.");
        return error_page(&EntraError::new("invalid_request", 50020, &text));
    }
    let mut world = app.world();
    let ordered = ["access_denied", "consent_required"];
    if let Some(fault) = world.faults.take(Target::Entra, &ordered, ("POST", "authorize")) {
        drop(world);
        note(app, &fault.fault);
        return redirect_error(query, &ordered_error(&fault.fault));
    }
    let code = world.entra.issue_code(Code {
        consent: Consent { user, scopes: valid.scopes.clone(), met: valid.claims.clone() },
        challenge: valid.challenge.clone(),
        redirect_uri: valid.redirect_uri.clone(),
        nonce: query.filled("nonce").map(str::to_owned),
        expires_at: OffsetDateTime::now_utc() + Duration::minutes(10),
        used: false,
    });
    drop(world);
    note(app, "code");
    let session = uuid::Uuid::new_v4().to_string();
    redirect(query, &[("code", &code), ("session_state", &session)])
}

fn ordered_error(fault: &str) -> EntraError {
    if fault == "access_denied" {
        return EntraError::new("access_denied", 65004, "User declined to consent to access the app.");
    }
    EntraError::new("consent_required", 65001, "The user or administrator has not consented to use the application.")
}

fn validate(app: &App, query: &Pairs) -> Result<Valid, Box<Reply>> {
    let local = |code, text: &str| {
        note(app, "refused");
        Box::new(error_page(&EntraError::new("invalid_request", code, text)))
    };
    if query.get("client_id") != Some(app.settings.client_id.as_str()) {
        return Err(local(700_016, "Application was not found in the directory 'Contoso'."));
    }
    let redirect_uri = query.get("redirect_uri").unwrap_or("");
    if redirect_uri != app.settings.redirect_uri {
        return Err(local(
            50011,
            "The redirect URI specified in the request does not match the redirect URIs configured for the application.",
        ));
    }
    let checked = check_rest(query).map_err(|error| {
        note(app, "refused");
        Box::new(redirect_error(query, &error))
    })?;
    let (scopes, challenge, claims) = checked;
    Ok(Valid { redirect_uri: redirect_uri.to_owned(), scopes, challenge, claims })
}

fn check_rest(query: &Pairs) -> Result<(Vec<String>, String, claims::Claims), EntraError> {
    let refuse = |code, text: &str| EntraError::new("invalid_request", code, text);
    if let Some(name) = query.repeated() {
        return Err(refuse(9_000_411, &format!("The parameter '{name}' is duplicated.")));
    }
    if query.get("resource").is_some() {
        return Err(EntraError::new(
            "invalid_target",
            9_010_010,
            "The resource parameter provided in the request doesn't match with the requested scopes.",
        ));
    }
    match query.get("response_type") {
        Some("code") => {}
        None => {
            return Err(refuse(900_144, "The request body must contain the following parameter: 'response_type'."));
        }
        Some(_) => {
            return Err(EntraError::new(
                "unsupported_response_type",
                700_054,
                "The response_type is not enabled for the application.",
            ));
        }
    }
    if !matches!(query.get("response_mode"), None | Some("query")) {
        return Err(refuse(
            70007,
            "The response_mode is not supported by this emulator for a response_type of 'code'.",
        ));
    }
    let challenge = query.get("code_challenge").unwrap_or("");
    let base64url = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if query.get("code_challenge_method") != Some("S256") || challenge.is_empty() {
        return Err(refuse(
            9_002_325,
            "Proof Key for Code Exchange is required: code_challenge with code_challenge_method S256.",
        ));
    }
    if challenge.len() != 43 || !challenge.chars().all(base64url) {
        return Err(refuse(501_491, "The code_challenge is not a base64url SHA-256 value."));
    }
    let scopes = scopes::parse_scopes(query.get("scope").unwrap_or(""))?;
    if !scopes.iter().any(|scope| scope == "openid") {
        return Err(EntraError::new("invalid_scope", 70011, "The scope must contain 'openid'."));
    }
    Ok((scopes, challenge.to_owned(), claims::parse(query)?))
}

pub(super) fn redirect_error(query: &Pairs, error: &EntraError) -> Reply {
    redirect(query, &[("error", error.error), ("error_description", &error.description())])
}

pub(super) fn redirect(query: &Pairs, added: &[(&str, &str)]) -> Reply {
    let base = query.get("redirect_uri").unwrap_or("");
    let mut location = base.to_owned();
    let state = query.get("state").map(|state| ("state", state));
    for (name, value) in added.iter().copied().chain(state) {
        location.push(if location.contains('?') { '&' } else { '?' });
        location.push_str(name);
        location.push('=');
        location.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    reply::with(reply::found(&location), "cache-control", "no-store, no-cache")
}

fn note(app: &App, outcome: &str) {
    app.world().entra.calls.push(json!({"endpoint": "authorize", "outcome": outcome}));
}

pub(super) fn error_page(error: &EntraError) -> Reply {
    let body = format!(
        "<h1>Sorry, but we’re having trouble signing you in.</h1><p><code>{}</code></p>",
        escape(&error.description())
    );
    reply::html(400, crate::layout::document("Sign in – error", &body))
}

fn form(query: &Pairs, audience: Audience) -> String {
    let hint = query.get("login_hint").unwrap_or("");
    let mut accounts = String::new();
    for user in USERS {
        let focus = if user.email.eq_ignore_ascii_case(hint) { " autofocus" } else { "" };
        let note = if audience.admits(user) { "" } else { " · will be refused here" };
        let email = escape(user.email);
        let opening = format!("<li><button class=\"account\" name=\"user\" value=\"{email}\"{focus}>");
        let label = format!("<strong>{}</strong><span>{email}{note}</span>", escape(user.name));
        accounts.push_str(&[&opening, &label, "</button></li>"].concat());
    }
    let body = format!(
        "<h1>Pick an account</h1><p class=\"note\">Emulated sign-in: invented people, no password. Never type a real one.</p><p>to continue to the application <code>{client}</code>, which asks for</p>\
         <p class=\"scopes\">{scopes}</p>\
         <form method=\"post\"><ul class=\"accounts\">{accounts}</ul>\
         <button name=\"cancel\" value=\"1\">Cancel</button></form>",
        client = escape(query.get("client_id").unwrap_or("")),
        scopes = escape(query.get("scope").unwrap_or("")),
    );
    crate::layout::document("Sign in", &body)
}
