//! Delta queries: what of a list is new, changed or gone since a state that was handed out before.
//!
//! A state is remembered by its number: which item had which content. One that is not known is gone (410), as Graph has
//! it after some weeks; `token=expired` is such a one for tests.

use std::collections::HashMap;

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};

use super::{Found, files, tasks};
use crate::graph::error::GraphError;
use crate::graph::event::Occurrence;
use crate::graph::message;
use crate::graph::query;
use crate::graph::request::{Answer, Family, Request};
use crate::graph::store::GraphStore;
use crate::json::{set, text};

/// Items of a page without a wish.
const PAGE: usize = 10;

/// What this family keeps between requests.
pub struct Store {
    /// What a caller of each state knows: content by id.
    states: Vec<HashMap<String, String>>,
}

impl Store {
    /// No state yet.
    pub fn sample(_today: Date) -> Self {
        Self { states: Vec::new() }
    }
}

/// Answers a request for one of this family's paths.
pub fn route(request: &Request<'_>, store: &mut GraphStore, path: &[&str]) -> Found {
    let Some(("delta", list)) = path.split_last().map(|(last, list)| (*last, list)) else { return Ok(None) };
    if request.call.method != "GET" {
        return Ok(None);
    }
    let (scopes, family): (&[&str], _) = match list {
        ["me", "mailFolders", _, "messages"] => (&["Mail.Read", "Mail.ReadWrite"], Family::Outlook),
        ["me", "calendarView"] => (&["Calendars.Read", "Calendars.ReadWrite"], Family::Outlook),
        ["me", "contacts"] => (&["Contacts.Read", "Contacts.ReadWrite"], Family::Outlook),
        ["me", "todo", "lists", _, "tasks"] => (&["Tasks.Read", "Tasks.ReadWrite"], Family::Outlook),
        ["me", "drive", "root"] => (&["Files.Read", "Files.ReadWrite", "Files.Read.All"], Family::Directory),
        ["drives", _, "root"] => (&["Files.Read.All", "Files.ReadWrite.All", "Sites.Read.All"], Family::Directory),
        _ => return Ok(None),
    };
    request.require(scopes, family)?;
    if list.contains(&"calendarView") && query::option(request, "$select").is_some() {
        return Err(GraphError::new(
            400,
            "ErrorInvalidUrlQuery",
            "The following parameters are not supported with change tracking over the 'CalendarView' resource: '$select'.",
        ));
    }
    let now = items(request, store, list)?;
    Ok(Some(round(request, &mut store.family.delta.states, now)?))
}

fn items(request: &Request<'_>, store: &mut GraphStore, list: &[&str]) -> Result<Vec<Value>, GraphError> {
    let own = request.consent.user;
    Ok(match list {
        ["me", "mailFolders", folder, "messages"] => {
            let mailbox = store.mailbox(own);
            let folder = mailbox.folder(folder).ok_or_else(GraphError::no_item)?;
            let inside = mailbox.messages.iter().filter(|one| one.folder == folder);
            inside.map(|one| message::render(mailbox, one, &request.prefer)).collect()
        }
        ["me", "calendarView"] => {
            let (from, to) = (bound(request, "startDateTime")?, bound(request, "endDateTime")?);
            let mailbox = store.mailbox(own);
            let mut found = Vec::new();
            for event in &mailbox.events {
                let occurrences = event.between(from, to);
                if occurrences.iter().any(|one| one.number.is_some()) {
                    found.push(event.render_master(mailbox, &request.prefer));
                }
                let rendered = |one: Occurrence| (one.number.is_some(), event.render(mailbox, one, &request.prefer));
                let rendered = occurrences.into_iter().map(rendered);
                found.extend(rendered.map(|(of_series, whole)| if of_series { bare(&whole) } else { whole }));
            }
            found
        }
        ["me", "contacts"] => store.family.contacts.book(own).clone(),
        ["me", "todo", "lists", list, "tasks"] => tasks::of_list(request, store, list)?,
        [drive @ .., _] => files::of_drive(request, store, drive)?,
        [] => Vec::new(),
    })
}

/// An occurrence as a delta tells it: what it is about stands with its series.
fn bare(occurrence: &Value) -> Value {
    let kept = ["id", "type", "seriesMasterId", "start", "end"];
    kept.iter().map(|name| ((*name).to_owned(), occurrence.get(name).cloned().unwrap_or_default())).collect()
}

fn bound(request: &Request<'_>, name: &str) -> Result<OffsetDateTime, GraphError> {
    let text = query::option(request, name).unwrap_or_default();
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| GraphError::bad("startDateTime and endDateTime are needed."))
}

fn gone() -> GraphError {
    GraphError::new(410, "SyncStateNotFound", "The sync state generation is not found.")
}

/// One page of what changed since the state that the request names.
fn round(
    request: &Request<'_>,
    states: &mut Vec<HashMap<String, String>>,
    now: Vec<Value>,
) -> Result<Answer, GraphError> {
    let known: HashMap<_, _> = now.iter().map(|item| (text(item, "/id").to_owned(), item.to_string())).collect();
    let token = ["$deltatoken", "token"].iter().find_map(|name| request.query.get(name));
    let (since, skip) = match (token, request.query.get("$skiptoken")) {
        (Some("latest"), _) => (known.clone(), 0),
        (Some(number), _) => (state(states, number)?, 0),
        (None, Some(page)) => {
            let (number, skip) = page.split_once('.').ok_or_else(gone)?;
            (state(states, number)?, skip.parse().map_err(|_| gone())?)
        }
        (None, None) => (HashMap::new(), 0),
    };
    let mut changed: Vec<Value> =
        now.into_iter().filter(|item| since.get(text(item, "/id")) != known.get(text(item, "/id"))).collect();
    let removed = since.keys().filter(|id| !known.contains_key(*id));
    let is_drive = request.call.path.contains("/root/");
    changed.extend(removed.map(|id| {
        if is_drive {
            json!({"id": id, "deleted": {"state": "deleted"}})
        } else {
            json!({"id": id, "@removed": {"reason": "deleted"}})
        }
    }));
    let size = request.call.header("prefer").and_then(|prefer| prefer.split("odata.maxpagesize=").nth(1));
    let size = size.and_then(|rest| rest.split(',').next()).and_then(|size| size.trim().parse().ok()).unwrap_or(PAGE);
    let more = changed.len() > skip + size;
    let shown: Vec<_> = changed.into_iter().skip(skip).take(size).collect();
    // A page that is not the last goes on from the state that this round began with.
    states.push(if more { since } else { known });
    let number = states.len() - 1;
    let mut body = json!({"@odata.context": request.url("$metadata#delta"), "value": shown});
    if more {
        set(&mut body, "@odata.nextLink", link(request, &format!("$skiptoken={number}.{}", skip + size)));
    } else {
        let name = if is_drive { "token" } else { "$deltatoken" };
        set(&mut body, "@odata.deltaLink", link(request, &format!("{name}={number}")));
    }
    Ok(Answer::ok(body))
}

fn state(states: &[HashMap<String, String>], number: &str) -> Result<HashMap<String, String>, GraphError> {
    number.parse().ok().and_then(|number: usize| states.get(number)).cloned().ok_or_else(gone)
}

fn link(request: &Request<'_>, state: &str) -> String {
    let kept = request.call.query.split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default().replace("%24", "$");
        !pair.is_empty() && !matches!(name.as_str(), "$skiptoken" | "$deltatoken" | "token")
    });
    let pairs: Vec<&str> = kept.chain([state]).collect();
    format!("https://graph.microsoft.com{}?{}", request.call.path, pairs.join("&"))
}
