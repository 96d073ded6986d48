//! What is new, changed or gone since the last time, by Graph's delta queries.
//!
//! Graph's links are opaque and hold both the query and the state; the caller gets them sealed, bound to the user and
//! the tool, and they are checked again when they come back. Graph forgets states (410 Gone): then the whole is read
//! anew, and that is said, because what the caller knew may be gone without a word.

mod item;
mod series;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::{Answer, UNTRUSTED};
use crate::tools::arguments::identifier;
use crate::tools::call::Call;
use crate::tools::outbox::IMMUTABLE;
use crate::tools::zone;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, cursor, handle, page, schema, when};
use item::{Found, Item, Shown};

/// The tool that reads changes.
pub(super) const TOOL: Tool = Tool {
    name: "getChanges",
    title: "See what changed",
    description: "What is new, changed or gone since cursor; without it, a start.",
    kind: Kind::Read,
    preset: Preset::Search,
    needs: &[Scope::MailRead, Scope::CalendarsRead, Scope::FilesRead, Scope::TasksRead, Scope::ContactsRead],
    also: &[],
    on_use: &[Scope::FilesReadAll],
    example: r#"{"what":"emails","id":"inbox"}"#,
    schema: schema::of::<GetChanges>,
    handler: handle::<GetChanges>,
};

/// Requests for one call at most; a page may be empty and not the last.
const REQUESTS: usize = 4;
/// Items that Graph is asked for at a time, and beyond which a call asks for no more.
const PAGE: usize = 50;
/// What Graph calls a state that it no longer has, beside the status 410.
const FORGOTTEN: [&str; 4] = ["syncStateNotFound", "syncStateInvalid", "resyncRequired", "SyncStateNotFound"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum What {
    Emails,
    Events,
    Files,
    Tasks,
    Contacts,
}

impl What {
    /// The forms of the links that Graph may give for it.
    const fn families(self) -> &'static [&'static str] {
        match self {
            Self::Emails => &["/me/mailFolders/{id}/messages/delta"],
            Self::Events => &["/me/calendarView/delta", "/me/calendars/{id}/calendarView/delta"],
            Self::Files => &["/me/drive/root/delta", "/drives/{id}/root/delta"],
            Self::Tasks => &["/me/todo/lists/{id}/tasks/delta"],
            Self::Contacts => &["/me/contacts/delta", "/me/contactFolders/{id}/contacts/delta"],
        }
    }

    const fn scope(self, other_drive: bool) -> Scope {
        match self {
            Self::Emails => Scope::MailRead,
            Self::Events => Scope::CalendarsRead,
            Self::Files if other_drive => Scope::FilesReadAll,
            Self::Files => Scope::FilesRead,
            Self::Tasks => Scope::TasksRead,
            Self::Contacts => Scope::ContactsRead,
        }
    }

    const fn select(self) -> Option<&'static str> {
        match self {
            Self::Emails => Some("subject,from,receivedDateTime,isRead"),
            // Neither takes $select.
            Self::Events | Self::Tasks => None,
            Self::Files => Some("id,name,lastModifiedDateTime,webUrl,folder,deleted,root"),
            Self::Contacts => Some("displayName,emailAddresses"),
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetChanges {
    what: What,
    /// Folder, calendar, drive or task list
    id: Option<String>,
    /// For events
    start: Option<String>,
    end: Option<String>,
    cursor: Option<String>,
}

/// Where the caller stands.
#[derive(Serialize, Deserialize)]
struct Place {
    what: What,
    /// Path and query below the version.
    link: String,
    /// The link that reads the whole, for when Graph has forgotten the state.
    whole: String,
    /// Whether it is a drive of others or a shared one.
    other_drive: bool,
    zone: Option<String>,
}

#[derive(Deserialize)]
struct Listing {
    value: Vec<Item>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    delta: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changes {
    untrusted: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
    /// New or changed.
    items: Vec<Shown>,
    /// Ids of what is gone from there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    removed: Vec<String>,
    /// Whether the items are the beginning of the whole, because Graph no longer knew the state.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    reset: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    /// Whether there is more now; if not, the cursor is for later.
    truncated: bool,
    next_cursor: String,
}

#[async_trait(?Send)]
impl Input for GetChanges {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let mut place = match self.cursor.as_deref() {
            Some(text) => {
                let place: Place = cursor::open(call, text)?;
                if place.what != self.what {
                    return Err(ToolError::argument("what", "the cursor is of something else"));
                }
                place
            }
            None => self.start(call).await?,
        };
        call.require(place.what.scope(place.other_drive))?;
        let mut found = Found::default();
        let mut reset = false;
        let mut truncated = true;
        for _ in 0..REQUESTS {
            let listing: Listing = match call.json(&place.request(call)?).await {
                // Once: a whole that is forgotten at once is a fault of Graph's.
                Err(error) if !reset && is_forgotten(&error) => {
                    (reset, found) = (true, Found::default());
                    place.link.clone_from(&place.whole);
                    continue;
                }
                outcome => outcome?,
            };
            found.add(listing.value, place.zone.as_deref());
            truncated = listing.next.is_some();
            place.link = place.follow(call, listing.next.or(listing.delta))?;
            if !truncated || found.len() >= PAGE {
                break;
            }
        }
        series::name_occurrences(call, &mut found).await?;
        let (items, removed) = found.told();
        let note = "Graph no longer knew what changed: this is the whole from its beginning. Drop what you had.";
        Ok(Answer::of(&Changes {
            untrusted: UNTRUSTED,
            zone: place.zone.clone(),
            items,
            removed,
            reset,
            note: reset.then_some(note),
            truncated,
            next_cursor: cursor::seal(call, &place)?,
        }))
    }
}

fn is_forgotten(error: &ToolError) -> bool {
    matches!(error, ToolError::Graph { failure, .. }
        if failure.status == Some(410) || FORGOTTEN.iter().any(|code| failure.code.eq_ignore_ascii_case(code)))
}

impl GetChanges {
    /// The beginning; every argument is checked before anything leaves.
    async fn start(&self, call: &Call<'_>) -> Result<Place, ToolError> {
        let id = self.id.as_deref().map(|id| identifier("id", id)).transpose()?;
        let range = self.range()?;
        let path = self.path(id)?;
        let other_drive = self.what == What::Files && id.is_some();
        call.require(self.what.scope(other_drive))?;
        let mut request = GraphRequest::new(Method::Get, &path)?;
        if let Some((start, end)) = range {
            request = request.query("startDateTime", start).query("endDateTime", end);
        }
        if let Some(fields) = self.what.select() {
            request = request.query("$select", fields);
        }
        if self.what == What::Files {
            // What the others are asked by preference.
            request = request.query("$top", PAGE.to_string());
        }
        let mut link = request.path_and_query();
        let whole = link.clone();
        if self.what == What::Files {
            // A whole drive is too much to begin with, and drives alone can begin with now.
            link.push_str("&token=latest");
        }
        let zone = match self.what {
            What::Events | What::Tasks => Some(zone::choose(call, None).await?.name().unwrap_or("UTC").to_owned()),
            What::Emails | What::Files | What::Contacts => None,
        };
        Ok(Place { what: self.what, link, whole, other_drive, zone })
    }

    /// Of events, between which times; of nothing else.
    fn range(&self) -> Result<Option<(String, String)>, ToolError> {
        match (self.what, self.start.as_deref(), self.end.as_deref()) {
            (What::Events, Some(start), Some(end)) => {
                let (start, end) = (when::instant("start", start)?, when::instant("end", end)?);
                if end <= start {
                    return Err(ToolError::argument("end", "must be later than start"));
                }
                Ok(Some((when::utc(start), when::utc(end))))
            }
            (What::Events, None, _) => Err(ToolError::argument("start", "events need a start and an end")),
            (What::Events, Some(_), None) => Err(ToolError::argument("end", "events need a start and an end")),
            (What::Emails | What::Files | What::Tasks | What::Contacts, None, None) => Ok(None),
            (What::Emails | What::Files | What::Tasks | What::Contacts, Some(_), _) => {
                Err(ToolError::argument("start", "is for events only"))
            }
            (What::Emails | What::Files | What::Tasks | What::Contacts, None, Some(_)) => {
                Err(ToolError::argument("end", "is for events only"))
            }
        }
    }

    fn path<'a>(&self, id: Option<&'a str>) -> Result<Vec<Segment<'a>>, ToolError> {
        use Segment::{Value, Word};
        Ok(match (self.what, id) {
            (What::Emails, id) => {
                vec![Word("me"), Word("mailFolders"), Value(id.unwrap_or("inbox")), Word("messages"), Word("delta")]
            }
            (What::Events, None) => vec![Word("me"), Word("calendarView"), Word("delta")],
            (What::Events, Some(id)) => {
                vec![Word("me"), Word("calendars"), Value(id), Word("calendarView"), Word("delta")]
            }
            (What::Files, None) => vec![Word("me"), Word("drive"), Word("root"), Word("delta")],
            (What::Files, Some(id)) => vec![Word("drives"), Value(id), Word("root"), Word("delta")],
            (What::Tasks, Some(id)) => {
                vec![Word("me"), Word("todo"), Word("lists"), Value(id), Word("tasks"), Word("delta")]
            }
            (What::Tasks, None) => return Err(ToolError::argument("id", "tasks change by list: name the list's id")),
            (What::Contacts, None) => vec![Word("me"), Word("contacts"), Word("delta")],
            (What::Contacts, Some(_)) => {
                return Err(ToolError::argument("id", "there is one address book: leave it out"));
            }
        })
    }
}

impl Place {
    fn request(&self, call: &Call<'_>) -> Result<GraphRequest, ToolError> {
        let route = self.family(call, &self.link).ok_or_else(page::foreign)?;
        let (path, query) = self.link.split_once('?').unwrap_or((&self.link, ""));
        let request = GraphRequest::follow(path, query, route);
        Ok(match self.what {
            // Drives know neither preference.
            What::Files => request,
            What::Emails | What::Events | What::Tasks | What::Contacts => {
                let request = request.prefer(IMMUTABLE).prefer(format!("odata.maxpagesize={PAGE}"));
                request.times_in(self.zone.as_deref())
            }
        })
    }

    /// The form of a link, if it is one that Graph may give for this. Graph writes the function bare, with its
    /// namespace, or with the state in brackets.
    fn family(&self, call: &Call<'_>, link: &str) -> Option<&'static str> {
        let clean = !link.contains('#') && link.bytes().all(|byte| byte.is_ascii_graphic());
        let path = link.split_once('?').map_or(link, |(path, _)| path);
        let (head, function) = path.rsplit_once('/')?;
        let function = function.split('(').next()?;
        let function = function.strip_prefix("microsoft.graph.").unwrap_or(function);
        let plain = format!("{head}/{function}");
        let own = call.context.caller.user.oid.to_string();
        self.what.families().iter().copied().find(|family| clean && page::of_any(&plain, &[family], &own))
    }

    /// The link that Graph gave, as it is followed from here.
    fn follow(&self, call: &Call<'_>, link: Option<String>) -> Result<String, ToolError> {
        let relative = link.and_then(|link| page::relative(call, &link));
        relative.filter(|link| self.family(call, link).is_some()).ok_or_else(page::unreadable)
    }
}
