//! Which item a path means: `me/drive`, `drives/{id}` or `shares/{token}/driveItem`, then `root`, `root:/a/b:` or
//! `items/{id}[:/a/b:]`, then what is wanted of it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Drive, Item, Store, denied, invalid, not_found};
use crate::graph::error::GraphError;
use crate::graph::request::Request;
use crate::json::{items, text};
use crate::sample::directory::{Home, User};

/// A path, taken apart; nothing of it need be there.
pub struct Place {
    drive: Option<usize>,
    /// Whether it is the caller's drive by that name.
    pub own: bool,
    start: String,
    names: Vec<String>,
    /// What is wanted of the item.
    pub tail: Vec<String>,
}

impl Place {
    /// `None` where the path is no drive's.
    pub fn parse(store: &Store, request: &Request<'_>, path: &[&str]) -> Option<Self> {
        let by = |found: &dyn Fn(&Drive) -> bool| store.drives.iter().position(found);
        let user = request.consent.user;
        match path {
            ["me", "drive", rest @ ..] if !rest.is_empty() => {
                Self::below(by(&|drive| drive.owner == Some(user)), true, rest)
            }
            ["drives", id, rest @ ..] if !rest.is_empty() => Self::below(by(&|drive| drive.id == *id), false, rest),
            ["shares", token, "driveItem", tail @ ..] => {
                let (drive, start) = shared(store, token).unzip();
                let tail = tail.iter().map(|part| (*part).to_owned()).collect();
                Some(Self { drive, own: false, start: start.unwrap_or_default(), names: Vec::new(), tail })
            }
            _ => None,
        }
    }

    fn below(drive: Option<usize>, own: bool, rest: &[&str]) -> Option<Self> {
        let (start, rest) = match rest {
            ["items", id, rest @ ..] => (*id, rest),
            [root @ ("root" | "root:"), rest @ ..] => (*root, rest),
            _ => return None,
        };
        let mut rest = rest.iter().map(|part| (*part).to_owned());
        let mut names = Vec::new();
        let Some(start) = start.strip_suffix(':') else {
            return Some(Self { drive, own, start: start.to_owned(), names, tail: rest.collect() });
        };
        for name in rest.by_ref() {
            let last = name.strip_suffix(':').map(str::to_owned);
            let ends = last.is_some();
            names.push(last.unwrap_or(name));
            if ends {
                break;
            }
        }
        Some(Self { drive, own, start: start.to_owned(), names, tail: rest.collect() })
    }
}

/// The item of the link that a sharing token encodes.
fn shared(store: &Store, token: &str) -> Option<(usize, String)> {
    let url = String::from_utf8(URL_SAFE_NO_PAD.decode(token.strip_prefix("u!")?).ok()?).ok()?;
    store.drives.iter().enumerate().find_map(|(at, drive)| {
        let links = |item: &&Item| item.permissions.iter().any(|one| text(one, "/link/webUrl") == url);
        drive.items.iter().find(links).map(|item| (at, item.id.clone()))
    })
}

/// What a place leads to.
pub struct Target {
    /// Position of the drive.
    pub drive: usize,
    /// The item, or the folder that what is missing would be in.
    pub id: String,
    /// The names below it that are not there.
    pub missing: Vec<String>,
    /// Whether names led there.
    pub named: bool,
}

impl Target {
    /// Finds it, and refuses what the caller may not see or write.
    pub fn find(store: &Store, request: &Request<'_>, place: &Place) -> Result<Self, GraphError> {
        let at = place.drive.ok_or_else(not_found)?;
        let drive = store.drives.get(at).ok_or_else(not_found)?;
        let mut item = drive.item(&place.start).ok_or_else(not_found)?;
        let mut missing = Vec::new();
        for name in &place.names {
            check_name(name)?;
            match drive.child(&item.id, name) {
                Some(child) if missing.is_empty() => item = child,
                _ => missing.push(name.clone()),
            }
        }
        let writes = request.call.method != "GET";
        if !may(drive, item, request.consent.user, writes) {
            return Err(denied());
        }
        Ok(Self { drive: at, id: item.id.clone(), missing, named: !place.names.is_empty() })
    }

    /// The item, which must be there.
    pub fn item<'a>(&self, store: &'a Store) -> Result<&'a Item, GraphError> {
        let drive = store.drives.get(self.drive).filter(|_| self.missing.is_empty());
        drive.and_then(|drive| drive.item(&self.id)).ok_or_else(not_found)
    }
}

/// Whether a person sees or writes an item: of the own drive, of the library, or shared.
fn may(drive: &Drive, item: &Item, user: &User, writes: bool) -> bool {
    let grants = |one: &serde_json::Value| {
        let role = !writes || items(one, "/roles").iter().any(|role| role == "write");
        let known = text(one, "/grantedToV2/user/email").eq_ignore_ascii_case(user.email);
        let linked = text(one, "/link/scope") == "anonymous" || text(one, "/link/scope") == "organization";
        role && (known || (linked && user.home == Home::Contoso))
    };
    match drive.owner {
        Some(owner) => owner == user || drive.line(item).any(|item| item.permissions.iter().any(grants)),
        None => user.home == Home::Contoso,
    }
}

/// Refuses what `SharePoint` takes for no name.
pub fn check_name(name: &str) -> Result<(), GraphError> {
    let wrong = name.is_empty()
        || name.len() > 400
        || name.contains(['"', '*', ':', '<', '>', '?', '/', '\\', '|'])
        || name.chars().any(char::is_control)
        || name.starts_with(' ')
        || name.ends_with([' ', '.']);
    if wrong { Err(invalid("The provided name cannot contain this character or be of this form.")) } else { Ok(()) }
}
