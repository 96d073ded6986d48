//! The families beyond the nine core tools, a file each: what it keeps, and which paths it answers. A new route changes
//! its family's file alone.

pub mod calendar;
pub mod chats;
pub mod contacts;
pub mod delta;
pub mod directory;
pub mod excel;
pub mod files;
pub mod mail;
pub mod meetings;
pub mod notes;
pub mod presence;
pub mod search;
pub mod sharepoint;
pub mod tasks;

use time::Date;

use super::error::GraphError;
use super::request::{Answer, Request};
use super::store::GraphStore;

/// An answer, or nothing where the path is another family's.
pub type Found = Result<Option<Answer>, GraphError>;
type Route = fn(&Request<'_>, &mut GraphStore, &[&str]) -> Found;

/// Before all others those that share their places: a delta ends a list's path, a workbook a file's.
const ROUTES: [Route; 14] = [
    delta::route,
    excel::route,
    calendar::route,
    chats::route,
    contacts::route,
    directory::route,
    files::route,
    mail::route,
    meetings::route,
    notes::route,
    presence::route,
    search::route,
    sharepoint::route,
    tasks::route,
];

/// What the families keep between requests.
pub struct Stores {
    /// Calendar.
    pub calendar: calendar::Store,
    /// Chats.
    pub chats: chats::Store,
    /// Contacts.
    pub contacts: contacts::Store,
    /// Delta queries.
    pub delta: delta::Store,
    /// Directory.
    pub directory: directory::Store,
    /// Excel.
    pub excel: excel::Store,
    /// Files.
    pub files: files::Store,
    /// Mail.
    pub mail: mail::Store,
    /// Meetings.
    pub meetings: meetings::Store,
    /// Notes.
    pub notes: notes::Store,
    /// Presence.
    pub presence: presence::Store,
    /// Search.
    pub search: search::Store,
    /// Sharepoint.
    pub sharepoint: sharepoint::Store,
    /// Tasks.
    pub tasks: tasks::Store,
}

impl Stores {
    /// The sample data around a day.
    pub fn sample(today: Date) -> Self {
        Self {
            calendar: calendar::Store::sample(today),
            chats: chats::Store::sample(today),
            contacts: contacts::Store::sample(today),
            delta: delta::Store::sample(today),
            directory: directory::Store::sample(today),
            excel: excel::Store::sample(today),
            files: files::Store::sample(today),
            mail: mail::Store::sample(today),
            meetings: meetings::Store::sample(today),
            notes: notes::Store::sample(today),
            presence: presence::Store::sample(today),
            search: search::Store::sample(today),
            sharepoint: sharepoint::Store::sample(today),
            tasks: tasks::Store::sample(today),
        }
    }
}

/// The answer of the family whose path it is. Whoever names themselves by id or address instead of `me` means the same.
pub fn answer(request: &Request<'_>, store: &mut GraphStore, segments: &[&str]) -> Found {
    let own = request.consent.user;
    let path = match segments {
        ["users", key, rest @ ..] if !rest.is_empty() && (*key == own.oid || key.eq_ignore_ascii_case(own.email)) => {
            [&["me"], rest].concat()
        }
        _ => segments.to_vec(),
    };
    for route in ROUTES {
        if let Some(answer) = route(request, store, &path)? {
            return Ok(Some(answer));
        }
    }
    Ok(None)
}
