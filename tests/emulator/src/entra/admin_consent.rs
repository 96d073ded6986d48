//! The admin consent endpoint of v2.0: a page for an administrator, and the redirect with what was decided.
//!
//! It records nothing: the emulator's people consent to whatever is asked for at their sign-in.

use serde_json::json;

use super::authorize::{error_page, redirect, redirect_error};
use super::error::EntraError;
use super::{Audience, scopes};
use crate::App;
use crate::call::{Call, Pairs};
use crate::reply::{self, Reply, escape};

/// GET: the page.
pub fn show(app: &App, call: &Call, audience: Audience) -> Reply {
    let query = call.query_pairs();
    if let Err(refusal) = validate(app, &query, audience) {
        return *refusal;
    }
    let body = format!(
        "<h1>Permissions requested</h1><p class=\"note\">Emulated: nobody is asked who they are.</p>\
         <p>Review for your organization</p><p class=\"scopes\">{}</p>\
         <form method=\"post\"><button name=\"accept\" value=\"1\">Accept</button>\
         <button name=\"cancel\" value=\"1\">Cancel</button></form>",
        escape(query.get("scope").unwrap_or(""))
    );
    reply::html(200, crate::layout::document("Permissions requested", &body))
}

/// POST: the administrator decided.
pub fn decide(app: &App, call: &Call, audience: Audience) -> Reply {
    let query = call.query_pairs();
    if let Err(refusal) = validate(app, &query, audience) {
        return *refusal;
    }
    if call.form().filled("accept").is_none() {
        note(app, "cancelled");
        let error = EntraError::new("access_denied", 65004, "User declined to consent to access the app.");
        return redirect_error(&query, &error);
    }
    note(app, "accepted");
    let tenant = app.settings.tenant_id.as_str();
    redirect(&query, &[("admin_consent", "True"), ("tenant", tenant), ("scope", query.get("scope").unwrap_or(""))])
}

fn validate(app: &App, query: &Pairs, audience: Audience) -> Result<(), Box<Reply>> {
    let refuse = |error: &EntraError| {
        note(app, "refused");
        Box::new(error_page(error))
    };
    let invalid = |code, text: &str| refuse(&EntraError::new("invalid_request", code, text));
    if matches!(audience, Audience::Common | Audience::Consumers) {
        return Err(invalid(90009, "Admin consent is not supported on this tenant segment."));
    }
    if query.get("client_id") != Some(app.settings.client_id.as_str()) {
        return Err(invalid(700_016, "Application was not found in the directory 'Contoso'."));
    }
    if query.get("redirect_uri") != Some(app.settings.redirect_uri.as_str()) {
        return Err(invalid(50011, "The redirect URI does not match those configured for the application."));
    }
    scopes::parse_scopes(query.get("scope").unwrap_or("")).map(|_| ()).map_err(|error| refuse(&error))
}

fn note(app: &App, outcome: &str) {
    app.world().entra.calls.push(json!({"endpoint": "adminconsent", "outcome": outcome}));
}
