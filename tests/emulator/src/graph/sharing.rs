//! Mailboxes that a colleague shares: `/users/{address}` of somebody else is answered as to its owner, with nothing but
//! the scopes for other people's mailboxes.

use super::error::GraphError;
use super::request::Request;
use crate::entra::sessions::Consent;
use crate::sample::directory::{self, Home};

/// Whose mail and calendar every colleague may use.
const SHARES: &str = "megan@contoso.example";
const MAIL: &[&str] = &["messages", "mailFolders", "sendMail"];
const CALENDAR: &[&str] = &["calendar", "calendars", "calendarView", "events"];

/// Whose scopes and which path answer instead, where the path is another person's mail or calendar.
pub fn of(request: &Request<'_>) -> Result<Option<(Consent, Vec<String>)>, GraphError> {
    let own = request.consent.user;
    let [first, key, part, ..] = request.segments.as_slice() else { return Ok(None) };
    let kind = match part.as_str() {
        part if MAIL.contains(&part) => "Mail.",
        part if CALENDAR.contains(&part) => "Calendars.",
        _ => return Ok(None),
    };
    if first != "users" || key == own.oid || key.eq_ignore_ascii_case(own.email) {
        return Ok(None);
    }
    let scopes: Vec<String> = request
        .consent
        .scopes
        .iter()
        .filter(|name| name.starts_with(kind) && name.ends_with(".Shared"))
        .cloned()
        .collect();
    if scopes.is_empty() {
        return Err(GraphError::new(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."));
    }
    let invalid = || GraphError::new(404, "ErrorInvalidUser", "The requested user is invalid.");
    let owner = directory::by_key(key).filter(|user| user.home == Home::Contoso).ok_or_else(invalid)?;
    if owner.email != SHARES || own.home != Home::Contoso {
        return Err(GraphError::no_item());
    }
    let path = ["me".to_owned()].into_iter().chain(request.segments.iter().skip(2).cloned());
    Ok(Some((Consent { user: owner, scopes, ..request.consent.clone() }, path.collect())))
}
