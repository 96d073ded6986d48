//! Drives and what is in them: each person's own and one library that everybody of the company shares.
//!
//! `drive` is the drive itself · `place` finds an item by id or path · `show` is the resource · `change` writes ·
//! `sharing` permissions and links · `host` is where contents are kept, another host than Graph's. Excel has paths of its
//! own: those are left to others.

mod change;
mod drive;
pub mod host;
mod place;
mod sample;
mod sharing;
mod show;

use serde_json::{Value, json};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::Found;
use crate::graph::error::GraphError;
use crate::graph::request::{Family, Request};
use crate::graph::store::GraphStore;
use crate::json::set;
use crate::sample::directory::User;

use place::{Place, Target};

/// Scopes that read the user's own files, and everybody's.
const READ: &[&str] = &["Files.Read", "Files.ReadWrite", "Files.Read.All", "Files.ReadWrite.All"];
const READ_ALL: &[&str] = &["Files.Read.All", "Files.ReadWrite.All", "Sites.Read.All", "Sites.ReadWrite.All"];
/// Scopes that write them.
const WRITE: &[&str] = &["Files.ReadWrite", "Files.ReadWrite.All"];
const WRITE_ALL: &[&str] = &["Files.ReadWrite.All", "Sites.ReadWrite.All"];

/// A file, a folder (without content), or a shortcut.
#[derive(Clone, Debug)]
pub struct Item {
    /// Never changes.
    pub id: String,
    /// Id of the folder that it is in; the root has none.
    pub parent: Option<String>,
    /// Its name.
    pub name: String,
    /// Absent for folders.
    pub content: Option<Vec<u8>>,
    /// Versions so far, the newest last: size, time, who.
    pub versions: Vec<(usize, String, &'static User)>,
    /// When it was made.
    pub created: String,
    /// Who has access beside the owner.
    pub permissions: Vec<Value>,
    /// Drive and item that it is a shortcut to.
    pub remote: Option<(String, String)>,
}

/// A drive.
pub struct Drive {
    /// Never changes.
    pub id: String,
    /// Whose it is; a library is nobody's.
    pub owner: Option<&'static User>,
    /// Everything in it, the root first.
    pub items: Vec<Item>,
}

impl Drive {
    /// An item by its id; `root` is one.
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id || (id == "root" && item.parent.is_none()))
    }

    /// What is in a folder, by name.
    fn children(&self, id: &str) -> Vec<&Item> {
        let mut all: Vec<_> = self.items.iter().filter(|item| item.parent.as_deref() == Some(id)).collect();
        all.sort_by_key(|item| (item.content.is_some(), item.name.to_lowercase()));
        all
    }

    /// The item of this name in a folder; names differ by more than case.
    fn child(&self, folder: &str, name: &str) -> Option<&Item> {
        self.children(folder).into_iter().find(|item| item.name.eq_ignore_ascii_case(name))
    }

    /// The item and the folders above it.
    fn line<'a>(&'a self, item: &'a Item) -> impl Iterator<Item = &'a Item> {
        std::iter::successors(Some(item), |item| self.item(item.parent.as_deref()?))
    }
}

/// Leave to fetch or to write one content, for whoever has it.
pub struct Ticket {
    key: String,
    drive: String,
    item: String,
    expires: OffsetDateTime,
    /// Of an upload: what is there so far, and whose it will be.
    upload: Option<Upload>,
}

struct Upload {
    folder: String,
    name: String,
    behaviour: String,
    bytes: Vec<u8>,
    user: &'static User,
}

/// What this family keeps between requests.
pub struct Store {
    /// The drives.
    pub drives: Vec<Drive>,
    tickets: Vec<Ticket>,
    /// What the contents' host was asked, oldest first.
    pub calls: Vec<Value>,
    next: u32,
}

impl Store {
    /// The sample data around a day.
    pub fn sample(today: Date) -> Self {
        Self { drives: sample::drives(today), tickets: Vec::new(), calls: Vec::new(), next: 900 }
    }

    fn new_id(&mut self) -> String {
        self.next += 1;
        sample::item_id(self.next)
    }

    fn ticket(&mut self, drive: &str, item: &str, upload: Option<Upload>) -> String {
        let key = Uuid::new_v4().simple().to_string();
        let expires = OffsetDateTime::now_utc() + time::Duration::minutes(if upload.is_some() { 600 } else { 5 });
        self.tickets.push(Ticket { key: key.clone(), drive: drive.to_owned(), item: item.to_owned(), expires, upload });
        key
    }
}

/// Answers a request for one of this family's paths.
pub fn route(request: &Request<'_>, store: &mut GraphStore, path: &[&str]) -> Found {
    let store = &mut store.family.files;
    if let ("GET", Some((at, own))) = (request.call.method.as_str(), drive::named(store, request, path)) {
        request.require(if own { READ } else { READ_ALL }, Family::Files)?;
        return drive::one(request, store, at).map(Some);
    }
    let Some(place) = Place::parse(store, request, path) else { return Ok(None) };
    let (method, tail) = (request.call.method.as_str(), place.tail.clone());
    let tail: Vec<&str> = tail.iter().map(String::as_str).collect();
    let writes = method != "GET";
    if !known(method, &tail) {
        return Ok(None);
    }
    let scopes = match (writes, place.own) {
        (false, true) => READ,
        (false, false) => READ_ALL,
        (true, true) => WRITE,
        (true, false) => WRITE_ALL,
    };
    request.require(scopes, Family::Files)?;
    let target = Target::find(store, request, &place)?;
    Ok(Some(match (method, tail.as_slice()) {
        ("GET", []) => show::one(request, store, &target)?,
        ("GET", ["children"]) => show::children(request, store, &target)?,
        ("GET", ["versions"]) => show::versions(request, store, &target)?,
        ("GET", ["content"]) => show::redirect(store, &target)?,
        ("GET", ["permissions"]) => sharing::list(request, store, &target)?,
        ("GET", [search]) => show::search(request, store, &target, search)?,
        ("PUT", ["content"]) => change::put(request, store, &target)?,
        ("POST", ["children"]) => change::folder(request, store, &target)?,
        ("POST", ["copy"]) => change::copy(request, store, &target)?,
        ("POST", ["createUploadSession"]) => change::session(request, store, &target)?,
        ("POST", ["createLink"]) => sharing::link(request, store, &target)?,
        ("POST", ["invite"]) => sharing::invite(request, store, &target)?,
        ("PATCH", []) => change::patch(request, store, &target)?,
        ("DELETE", ["permissions", id]) => sharing::remove(store, &target, id)?,
        _ => change::delete(store, &target)?,
    }))
}

/// Everything in a drive, as it is now, by the drive's path.
pub fn of_drive(request: &Request<'_>, store: &GraphStore, path: &[&str]) -> Result<Vec<Value>, GraphError> {
    let store = &store.family.files;
    let at = drive::named(store, request, path).and_then(|(at, _)| at).ok_or_else(not_found)?;
    let drive = store.drives.get(at).ok_or_else(not_found)?;
    let shown = |item: &Item| {
        let mut value = show::render(store, drive, item);
        if item.parent.is_none() {
            set(&mut value, "root", json!({}));
        }
        value
    };
    Ok(drive.items.iter().map(shown).collect())
}

fn known(method: &str, tail: &[&str]) -> bool {
    match (method, tail) {
        ("GET" | "PATCH" | "DELETE", []) | ("PUT", ["content"]) | ("DELETE", ["permissions", _]) => true,
        ("GET", [last]) => {
            ["children", "versions", "content", "permissions"].contains(last) || last.starts_with("search(q='")
        }
        ("POST", [last]) => ["children", "copy", "createUploadSession", "createLink", "invite"].contains(last),
        _ => false,
    }
}

fn not_found() -> GraphError {
    GraphError::new(404, "itemNotFound", "The resource could not be found.")
}

fn denied() -> GraphError {
    GraphError::new(403, "accessDenied", "Access denied")
}

fn invalid(message: &str) -> GraphError {
    GraphError::new(400, "invalidRequest", message)
}

fn clash() -> GraphError {
    GraphError::new(409, "nameAlreadyExists", "An item with the same name already exists under the parent")
}
