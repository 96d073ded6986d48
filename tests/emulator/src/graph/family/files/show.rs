//! The driveItem resource, lists, searches, versions.

use serde_json::{Value, json};

use super::place::Target;
use super::{Drive, Item, Store, host, invalid, not_found};
use crate::graph::error::GraphError;
use crate::graph::query::{self, ListOptions, Sizes};
use crate::graph::request::{Answer, Request};
use crate::json::{remove, set};
use crate::sample::directory::User;

const SIZES: Sizes = Sizes { default: 200, max: 999 };
/// The properties of the type, there or not.
const PROPERTIES: &[&str] = &[
    "id",
    "name",
    "size",
    "eTag",
    "cTag",
    "webUrl",
    "createdDateTime",
    "createdBy",
    "lastModifiedDateTime",
    "lastModifiedBy",
    "parentReference",
    "file",
    "folder",
    "package",
    "root",
    "remoteItem",
    "shared",
    "deleted",
    "description",
    "@microsoft.graph.downloadUrl",
];
const ADDRESS: &str = "@microsoft.graph.downloadUrl";

/// An item as Graph shows it, without its content's address.
pub fn render(store: &Store, drive: &Drive, item: &Item) -> Value {
    let path: Vec<_> =
        drive.line(item).skip(1).filter(|above| above.parent.is_some()).map(|above| above.name.clone()).collect();
    let path: String = path.iter().rev().flat_map(|name| ["/", name]).collect();
    let newest = item.versions.last();
    let size = item.content.as_ref().map_or_else(|| size_of(drive, &item.id), Vec::len);
    let mut value = json!({
        "id": item.id, "name": item.name, "size": size, "createdDateTime": item.created,
        "eTag": format!("\"{{{}}},{}\"", item.id, item.versions.len()), "webUrl": host::web_url(drive, &path, &item.name),
        "parentReference": {"driveId": drive.id, "driveType": if drive.owner.is_some() { "business" } else { "documentLibrary" }},
    });
    if let (Some(parent), Some(reference)) = (&item.parent, value.get_mut("parentReference")) {
        set(reference, "id", parent.clone());
        set(reference, "path", format!("/drives/{}/root:{path}", drive.id));
    }
    if let Some((_, at, by)) = newest {
        set(&mut value, "lastModifiedDateTime", at.clone());
        set(&mut value, "lastModifiedBy", identity(by));
    }
    let facet = match (&item.content, &item.remote) {
        (_, Some((drive, id))) => remote(store, drive, id).map(|target| ("remoteItem", target)),
        (Some(_), None) if item.name == "Notebook" => Some(("package", json!({"type": "oneNote"}))),
        (Some(_), None) => {
            Some(("file", json!({"mimeType": media_type(&item.name), "hashes": {"quickXorHash": "AAAA"}})))
        }
        (None, None) => Some(("folder", json!({"childCount": drive.children(&item.id).len()}))),
    };
    if let Some((name, facet)) = facet {
        set(&mut value, name, facet);
    }
    value
}

fn remote(store: &Store, drive: &str, id: &str) -> Option<Value> {
    let drive = store.drives.iter().find(|one| one.id == drive)?;
    Some(render(store, drive, drive.item(id)?))
}

fn size_of(drive: &Drive, id: &str) -> usize {
    drive.children(id).iter().map(|item| item.content.as_ref().map_or_else(|| size_of(drive, &item.id), Vec::len)).sum()
}

/// Graph's identitySet of a person.
pub fn identity(user: &User) -> Value {
    json!({"user": {"displayName": user.name, "email": user.email, "id": user.oid}})
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("txt" | "log") => "text/plain",
        Some("csv") => "text/csv",
        Some("html") => "text/html",
        Some("md") => "text/markdown",
        Some("pdf") => "application/pdf",
        Some("docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

/// What `$select` leaves; a property that the type does not have is refused.
fn selected(request: &Request<'_>, mut value: Value) -> Result<Value, GraphError> {
    let Some(chosen) = query::option(request, "$select") else { return Ok(value) };
    let chosen: Vec<_> = chosen.split(',').collect();
    if let Some(name) = chosen.iter().find(|name| !PROPERTIES.contains(name)) {
        let message = format!("Could not find a property named '{name}' on type 'microsoft.graph.driveItem'.");
        return Err(GraphError::bad(&message));
    }
    let names: Vec<String> = value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    for name in names.iter().filter(|name| !chosen.contains(&name.as_str())) {
        remove(&mut value, name);
    }
    Ok(value)
}

/// GET an item.
pub fn one(request: &Request<'_>, store: &mut Store, target: &Target) -> Result<Answer, GraphError> {
    let item = target.item(store)?.clone();
    let drive = store.drives.get(target.drive).ok_or_else(not_found)?;
    let (mut value, id) = (render(store, drive, &item), drive.id.clone());
    if item.content.is_some() {
        let key = store.ticket(&id, &item.id, None);
        set(&mut value, ADDRESS, host::download_url(&key));
    }
    Ok(Answer::ok(selected(request, value)?))
}

/// GET `content`: a redirect to where the content is.
pub fn redirect(store: &mut Store, target: &Target) -> Result<Answer, GraphError> {
    let item = target.item(store)?;
    if item.content.is_none() {
        return Err(invalid("You cannot get content for a folder"));
    }
    let id = item.id.clone();
    let drive = store.drives.get(target.drive).map(|drive| drive.id.clone()).unwrap_or_default();
    let key = store.ticket(&drive, &id, None);
    Ok(Answer { status: 302, body: None, headers: vec![("location", host::download_url(&key))] })
}

/// GET `children`.
pub fn children(request: &Request<'_>, store: &Store, target: &Target) -> Result<Answer, GraphError> {
    let item = target.item(store)?;
    let drive = store.drives.get(target.drive).ok_or_else(not_found)?;
    if item.content.is_some() {
        return Err(invalid("The item is not a folder"));
    }
    page(request, store, drive, &drive.children(&item.id))
}

/// GET `search(q='…')`: by name or content, below the item.
pub fn search(request: &Request<'_>, store: &Store, target: &Target, function: &str) -> Result<Answer, GraphError> {
    let item = target.item(store)?;
    let drive = store.drives.get(target.drive).ok_or_else(not_found)?;
    let literal = function.strip_prefix("search(q='").and_then(|rest| rest.strip_suffix("')"));
    let literal = literal.filter(|text| !text.replace("''", "").contains('\''));
    let words =
        literal.ok_or_else(|| invalid("Syntax error in the function's argument."))?.replace("''", "'").to_lowercase();
    let fits = |one: &&Item| {
        let content = one.content.as_deref().map(String::from_utf8_lossy).unwrap_or_default().to_lowercase();
        let all = words.split_whitespace().all(|word| one.name.to_lowercase().contains(word) || content.contains(word));
        all && one.id != item.id && drive.line(one).any(|above| above.id == item.id)
    };
    page(request, store, drive, &drive.items.iter().filter(fits).collect::<Vec<_>>())
}

fn page(request: &Request<'_>, store: &Store, drive: &Drive, found: &[&Item]) -> Result<Answer, GraphError> {
    let options = ListOptions { select: None, ..ListOptions::parse(request, SIZES)? };
    let rows: Result<Vec<_>, _> = found.iter().map(|item| selected(request, render(store, drive, item))).collect();
    query::page(request, &options, rows?, "microsoft.graph.driveItem")
}

/// GET `versions`, the newest first.
pub fn versions(request: &Request<'_>, store: &Store, target: &Target) -> Result<Answer, GraphError> {
    let item = target.item(store)?;
    if item.content.is_none() {
        return Err(invalid("Folders have no versions"));
    }
    let options = ListOptions::parse(request, SIZES)?;
    let rows = item.versions.iter().enumerate().rev().map(|(at, (size, when, who))| {
        json!({"id": format!("{}.0", at + 1), "size": size, "lastModifiedDateTime": when, "lastModifiedBy": identity(who)})
    });
    query::page(request, &options, rows.collect(), "microsoft.graph.driveItemVersion")
}
