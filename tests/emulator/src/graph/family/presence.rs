//! Teams: who is available, and what is preferred over what Teams would show.

use std::collections::HashMap;

use serde_json::{Value, json};
use time::Date;

use super::Found;
use crate::graph::error::GraphError;
use crate::graph::request::{Answer, Family, Request};
use crate::graph::shape::known_members;
use crate::graph::store::GraphStore;
use crate::json::{items, set, text};
use crate::sample::directory::{self, Home, User};

/// What Graph takes as preferred presence, availability and activity.
const PAIRS: [(&str, &str); 6] = [
    ("Available", "Available"),
    ("Busy", "Busy"),
    ("DoNotDisturb", "DoNotDisturb"),
    ("BeRightBack", "BeRightBack"),
    ("Away", "Away"),
    ("Offline", "OffWork"),
];

/// What this family keeps between requests.
pub struct Store {
    /// Presences by person, where something was set.
    set: HashMap<&'static str, Value>,
}

impl Store {
    /// The sample data around a day.
    pub fn sample(_today: Date) -> Self {
        Self { set: HashMap::new() }
    }
}

/// Answers a request for one of this family's paths.
pub fn route(request: &Request<'_>, store: &mut GraphStore, path: &[&str]) -> Found {
    let kept = &mut store.family.presence.set;
    let own = request.consent.user;
    Ok(Some(match (request.call.method.as_str(), path) {
        ("GET", ["me", "presence"]) => {
            require(request, &["Presence.Read", "Presence.Read.All", "Presence.ReadWrite"])?;
            Answer::ok(presence(kept, own, true))
        }
        ("POST", ["communications", "getPresencesByUserId"]) => several(request, kept)?,
        ("POST", ["me", "presence", action]) => {
            require(request, &["Presence.ReadWrite"])?;
            let body = request.object()?;
            change(kept.entry(own.oid).or_insert_with(|| json!({})), action, &body)?
        }
        _ => return Ok(None),
    }))
}

/// No personal account has a presence.
fn require(request: &Request<'_>, any: &[&str]) -> Result<(), GraphError> {
    request.require(any, Family::Teams)?;
    if request.consent.user.home == Home::Personal {
        return Err(GraphError::new(403, "Forbidden", "Presence is not supported for personal accounts."));
    }
    Ok(())
}

fn presence(kept: &HashMap<&'static str, Value>, user: &User, own: bool) -> Value {
    let set_ = kept.get(user.oid).cloned().unwrap_or_default();
    let usual = if user.name.starts_with('A') { ("Available", "Available") } else { ("Busy", "InAMeeting") };
    let word = |name: &str, usual: &'static str| set_.get(name).cloned().unwrap_or_else(|| usual.into());
    let mut status = set_.get("statusMessage").cloned().unwrap_or(Value::Null);
    if !own {
        // When it ends is nobody else's.
        crate::json::remove(&mut status, "expiryDateTime");
    }
    json!({
        "id": user.oid, "availability": word("availability", usual.0), "activity": word("activity", usual.1),
        "outOfOfficeSettings": {"message": null, "isOutOfOffice": false}, "statusMessage": status,
    })
}

fn several(request: &Request<'_>, kept: &HashMap<&'static str, Value>) -> Result<Answer, GraphError> {
    require(request, &["Presence.Read.All"])?;
    let body = request.object()?;
    known_members(&body, &["ids"], "getPresencesByUserId")?;
    let ids = items(&body, "/ids");
    if ids.is_empty() || ids.len() > 650 {
        return Err(GraphError::bad("The collection of ids must have between 1 and 650 elements."));
    }
    let found = ids.iter().map(|id| {
        let user = directory::USERS.iter().find(|user| Some(user.oid) == id.as_str());
        user.map(|user| presence(kept, user, false)).ok_or_else(|| GraphError::bad("An id is not that of a user."))
    });
    Ok(Answer::ok(json!({"value": found.collect::<Result<Vec<_>, _>>()?})))
}

fn change(kept: &mut Value, action: &str, body: &Value) -> Result<Answer, GraphError> {
    match action {
        "setUserPreferredPresence" => {
            known_members(body, &["availability", "activity", "expirationDuration"], action)?;
            let pair = (text(body, "/availability"), text(body, "/activity"));
            if !PAIRS.contains(&pair) {
                return Err(GraphError::bad("The combination of availability and activity is not supported."));
            }
            let duration = body.get("expirationDuration");
            if duration.is_some_and(|one| !one.as_str().is_some_and(|one| one.starts_with("PT"))) {
                return Err(GraphError::bad("expirationDuration is not an ISO 8601 duration."));
            }
            set(kept, "availability", pair.0);
            set(kept, "activity", pair.1);
        }
        "clearUserPreferredPresence" => {
            known_members(body, &[], action)?;
            crate::json::remove(kept, "availability");
            crate::json::remove(kept, "activity");
        }
        "setStatusMessage" => {
            known_members(body, &["statusMessage"], action)?;
            let status = body.get("statusMessage").cloned().unwrap_or_default();
            known_members(&status, &["message", "expiryDateTime"], "microsoft.graph.presenceStatusMessage")?;
            let ends = status.get("expiryDateTime").is_some();
            let whole = !text(&status, "/expiryDateTime/dateTime").is_empty()
                && !text(&status, "/expiryDateTime/timeZone").is_empty();
            if status.pointer("/message/content").is_none_or(|one| !one.is_string()) || (ends && !whole) {
                return Err(GraphError::bad("The status message is not valid."));
            }
            set(kept, "statusMessage", status);
        }
        other => return Err(GraphError::no_segment(other)),
    }
    Ok(Answer::empty(200))
}
