//! Writing: contents, folders, names, places, copies, upload sessions, deletions.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::place::{Target, check_name};
use super::{Item, Store, Upload, clash, host, invalid, not_found, show};
use crate::graph::error::GraphError;
use crate::graph::request::{Answer, Request};
use crate::graph::shape::known_members;
use crate::json::text;
use crate::sample::directory::User;

const BEHAVIOUR: &str = "@microsoft.graph.conflictBehavior";

pub(super) fn now() -> String {
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    now.format(&Rfc3339).unwrap_or_default()
}

fn behaviour(request: &Request<'_>, default: &str) -> Result<String, GraphError> {
    let word = request.query.get(BEHAVIOUR).unwrap_or(default);
    if ["fail", "replace", "rename"].contains(&word) { Ok(word.to_owned()) } else { Err(invalid("conflictBehavior")) }
}

/// Refuses when the item is no longer what `If-Match` says.
fn unchanged(request: &Request<'_>, store: &Store, target: &Target) -> Result<(), GraphError> {
    let Some(wanted) = request.call.header("if-match") else { return Ok(()) };
    let drive = store.drives.get(target.drive).ok_or_else(not_found)?;
    let found = render(store, target).unwrap_or_default();
    if wanted == "*" || (drive.item(&target.id).is_some() && text(&found, "/eTag") == wanted) {
        return Ok(());
    }
    Err(GraphError::new(412, "resourceModified", "ETag does not match current item's value"))
}

fn render(store: &Store, target: &Target) -> Option<Value> {
    let drive = store.drives.get(target.drive)?;
    Some(show::render(store, drive, drive.item(&target.id)?))
}

fn answer(store: &Store, target: &Target, status: u16) -> Result<Answer, GraphError> {
    Ok(Answer { status, body: Some(render(store, target).ok_or_else(not_found)?), headers: Vec::new() })
}

/// Puts a new item into a folder; its id.
fn add(
    store: &mut Store,
    drive: usize,
    (folder, name): (&str, &str),
    content: Option<Vec<u8>>,
    user: &'static User,
) -> String {
    let id = store.new_id();
    let versions = vec![(content.as_ref().map_or(0, Vec::len), now(), user)];
    let (parent, name) = (Some(folder.to_owned()), name.to_owned());
    let item =
        Item { id: id.clone(), parent, name, content, versions, created: now(), permissions: Vec::new(), remote: None };
    if let Some(drive) = store.drives.get_mut(drive) {
        drive.items.push(item);
    }
    id
}

/// Writes a content by name, with what `behaviour` says of one that is there; the item and whether it is new.
pub(super) fn write(
    store: &mut Store,
    drive: usize,
    (folder, name): (&str, &str),
    (behaviour, bytes, user): (&str, Vec<u8>, &'static User),
) -> Result<(String, bool), GraphError> {
    let found = |store: &Store, name: &str| {
        store
            .drives
            .get(drive)
            .and_then(|drive| drive.child(folder, name))
            .map(|item| (item.id.clone(), item.content.is_some()))
    };
    match (found(store, name), behaviour) {
        (None, _) => Ok((add(store, drive, (folder, name), Some(bytes), user), true)),
        (Some((id, true)), "replace") => {
            replace(store, drive, &id, bytes, user);
            Ok((id, false))
        }
        (Some(_), "rename") => {
            let (head, ending) = name.rsplit_once('.').unwrap_or((name, ""));
            let dot = if ending.is_empty() { "" } else { "." };
            let free = (1..1000)
                .map(|number| format!("{head} {number}{dot}{ending}"))
                .find(|name| found(store, name).is_none());
            Ok((add(store, drive, (folder, &free.unwrap_or_default()), Some(bytes), user), true))
        }
        (Some(_), _) => Err(clash()),
    }
}

fn replace(store: &mut Store, drive: usize, id: &str, bytes: Vec<u8>, user: &'static User) {
    let found = store.drives.get_mut(drive).and_then(|drive| drive.items.iter_mut().find(|item| item.id == id));
    if let Some(item) = found {
        item.versions.push((bytes.len(), now(), user));
        item.content = Some(bytes);
    }
}

/// PUT `content`. Folders on the way to a new file are made.
pub fn put(request: &Request<'_>, store: &mut Store, target: &Target) -> Result<Answer, GraphError> {
    let (bytes, user) = (request.call.body.to_vec(), request.consent.user);
    if request.call.header("content-type").is_none() {
        return Err(invalid("Content-Type"));
    }
    unchanged(request, store, target)?;
    let word = behaviour(request, "replace")?;
    let Some((name, folders)) = target.missing.split_last() else {
        let item = target.item(store)?.clone();
        return match (item.content.is_some(), target.named, item.parent) {
            (true, true, Some(folder)) => {
                let (id, new) = write(store, target.drive, (&folder, &item.name), (&word, bytes, user))?;
                answer(store, &at(target, id), if new { 201 } else { 200 })
            }
            (true, _, _) => {
                replace(store, target.drive, &target.id, bytes, user);
                answer(store, target, 200)
            }
            (false, _, _) => Err(invalid("The item is a folder")),
        };
    };
    let mut folder = target.id.clone();
    for name in folders {
        folder = add(store, target.drive, (&folder, name), None, user);
    }
    let (id, _) = write(store, target.drive, (&folder, name), (&word, bytes, user))?;
    answer(store, &at(target, id), 201)
}

fn at(target: &Target, id: String) -> Target {
    Target { id, missing: Vec::new(), ..*target }
}

/// POST `children`: a new folder.
pub fn folder(request: &Request<'_>, store: &mut Store, target: &Target) -> Result<Answer, GraphError> {
    let body = request.object()?;
    known_members(&body, &["name", "folder", "description"], "microsoft.graph.driveItem")?;
    let name = text(&body, "/name");
    check_name(name)?;
    if body.get("folder").is_none_or(|facet| !facet.is_object()) {
        return Err(invalid("Missing folder facet"));
    }
    let parent = target.item(store)?;
    if parent.content.is_some() {
        return Err(invalid("The parent is not a folder"));
    }
    let parent = parent.id.clone();
    if store.drives.get(target.drive).is_some_and(|drive| drive.child(&parent, name).is_some()) {
        return Err(clash());
    }
    let id = add(store, target.drive, (&parent, name), None, request.consent.user);
    answer(store, &at(target, id), 201)
}

/// PATCH: another name, another folder of the same drive.
pub fn patch(request: &Request<'_>, store: &mut Store, target: &Target) -> Result<Answer, GraphError> {
    let body = request.object()?;
    known_members(&body, &["name", "parentReference", "description"], "microsoft.graph.driveItem")?;
    unchanged(request, store, target)?;
    let item = target.item(store)?.clone();
    let drive = store.drives.get(target.drive).ok_or_else(not_found)?;
    let Some(parent) = item.parent.clone() else { return Err(invalid("The root cannot be changed")) };
    let other = text(&body, "/parentReference/driveId");
    if !other.is_empty() && other != drive.id {
        return Err(invalid("Items cannot be moved between drives by this request"));
    }
    let parent = match body.get("parentReference") {
        Some(reference) => folder_of(drive, text(reference, "/id"))?,
        None => parent,
    };
    if drive.item(&parent).is_some_and(|folder| drive.line(folder).any(|above| above.id == item.id)) {
        return Err(invalid("A folder cannot be moved into itself"));
    }
    let name = body.get("name").and_then(Value::as_str).unwrap_or(&item.name).to_owned();
    check_name(&name)?;
    if drive.child(&parent, &name).is_some_and(|there| there.id != item.id) {
        return Err(clash());
    }
    let found =
        store.drives.get_mut(target.drive).and_then(|drive| drive.items.iter_mut().find(|one| one.id == item.id));
    if let Some(item) = found {
        (item.name, item.parent) = (name, Some(parent));
    }
    answer(store, target, 200)
}

/// The folder of a reference, which takes ids alone: the word for the root is none.
fn folder_of(drive: &super::Drive, id: &str) -> Result<String, GraphError> {
    if id == "root" {
        return Err(invalid("Provided identifier is malformed"));
    }
    let folder = drive.item(id).ok_or_else(not_found)?;
    if folder.content.is_some() { Err(invalid("The parent is not a folder")) } else { Ok(folder.id.clone()) }
}

/// POST `copy`: accepted, and done at once.
pub fn copy(request: &Request<'_>, store: &mut Store, target: &Target) -> Result<Answer, GraphError> {
    let body = request.object()?;
    known_members(&body, &["name", "parentReference"], "microsoft.graph.driveItem")?;
    let item = target.item(store)?.clone();
    let (mut to, mut folder) = (target.drive, item.parent.clone().ok_or_else(|| invalid("The root cannot be copied"))?);
    if let Some(reference) = body.get("parentReference") {
        let id = text(reference, "/driveId");
        to = store
            .drives
            .iter()
            .position(|drive| drive.id == id)
            .ok_or_else(|| invalid("driveId is missing or unknown"))?;
        let drive = store.drives.get(to).ok_or_else(not_found)?;
        folder = folder_of(drive, text(reference, "/id"))?;
    }
    let name = body.get("name").and_then(Value::as_str).unwrap_or(&item.name).to_owned();
    check_name(&name)?;
    if store.drives.get(to).is_some_and(|drive| drive.child(&folder, &name).is_some()) {
        return Err(clash());
    }
    add(store, to, (&folder, &name), item.content, request.consent.user);
    let monitor = format!("https://{}/_api/v2.0/monitor/4A3407B5", host::HOST);
    Ok(Answer { status: 202, body: None, headers: vec![("location", monitor)] })
}

/// DELETE: to the recycle bin, with everything in it.
pub fn delete(store: &mut Store, target: &Target) -> Result<Answer, GraphError> {
    let item = target.item(store)?;
    if item.parent.is_none() {
        return Err(invalid("The root cannot be deleted"));
    }
    let id = item.id.clone();
    if let Some(drive) = store.drives.get_mut(target.drive) {
        let gone: Vec<_> = drive
            .items
            .iter()
            .filter(|one| drive.line(one).any(|above| above.id == id))
            .map(|one| one.id.clone())
            .collect();
        drive.items.retain(|one| !gone.contains(&one.id));
    }
    Ok(Answer::empty(204))
}

/// POST `createUploadSession`.
pub fn session(request: &Request<'_>, store: &mut Store, target: &Target) -> Result<Answer, GraphError> {
    let body = request.object()?;
    known_members(&body, &["item", "deferCommit"], "microsoft.graph.uploadSession")?;
    unchanged(request, store, target)?;
    let word =
        body.get("item").and_then(|item| item.get(BEHAVIOUR)).and_then(Value::as_str).unwrap_or("fail").to_owned();
    let user = request.consent.user;
    let (folder, name) = match target.missing.as_slice() {
        [] => {
            let item = target.item(store)?;
            let folder = item.parent.clone().filter(|_| item.content.is_some());
            if target.named && word == "fail" {
                return Err(clash());
            }
            (folder.ok_or_else(|| invalid("The item is a folder"))?, item.name.clone())
        }
        [name] => (target.id.clone(), name.clone()),
        _ => return Err(not_found()),
    };
    let drive = store.drives.get(target.drive).map(|drive| drive.id.clone()).unwrap_or_default();
    let upload = Upload { folder, name, behaviour: word, bytes: Vec::new(), user };
    let key = store.ticket(&drive, "", Some(upload));
    Ok(Answer::ok(json!({
        "uploadUrl": host::upload_url(&key), "expirationDateTime": now(), "nextExpectedRanges": ["0-"],
    })))
}
