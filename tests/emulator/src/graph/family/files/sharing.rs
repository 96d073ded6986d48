//! Permissions: listing, links, invitations, taking back.

use serde_json::{Value, json};

use super::place::Target;
use super::{Item, Store, denied, host, invalid, not_found, show};
use crate::graph::error::GraphError;
use crate::graph::query::{self, ListOptions, Sizes};
use crate::graph::request::{Answer, Request};
use crate::graph::shape::{is_address, known_members};
use crate::json::{flag, items, set, text};
use crate::sample::directory::{self, Home};

const SIZES: Sizes = Sizes { default: 100, max: 200 };

/// GET `permissions`: those of the item, then those that it inherits, then the owner's.
pub fn list(request: &Request<'_>, store: &Store, target: &Target) -> Result<Answer, GraphError> {
    let options = ListOptions::parse(request, SIZES)?;
    let item = target.item(store)?;
    let drive = store.drives.get(target.drive).ok_or_else(not_found)?;
    let mut all = item.permissions.clone();
    for above in drive.line(item).skip(1) {
        all.extend(above.permissions.iter().cloned().map(|mut one| {
            set(&mut one, "inheritedFrom", json!({"driveId": drive.id, "id": above.id}));
            one
        }));
    }
    all.extend(
        drive.owner.map(|owner| json!({"id": "owner", "roles": ["owner"], "grantedToV2": show::identity(owner)})),
    );
    query::page(request, &ListOptions { select: None, ..options }, all, "microsoft.graph.permission")
}

fn change<'a>(store: &'a mut Store, target: &Target) -> Result<&'a mut Item, GraphError> {
    let id = target.item(store)?.id.clone();
    let drive = store.drives.get_mut(target.drive).ok_or_else(not_found)?;
    drive.items.iter_mut().find(|item| item.id == id).ok_or_else(not_found)
}

/// POST `createLink`; one of the same kind is given back as it is.
pub fn link(request: &Request<'_>, store: &mut Store, target: &Target) -> Result<Answer, GraphError> {
    let body = request.object()?;
    let known = ["type", "scope", "expirationDateTime", "password", "retainInheritedPermissions"];
    known_members(&body, &known, "microsoft.graph.createLink")?;
    let (kind, scope) = (text(&body, "/type"), text(&body, "/scope"));
    if !["view", "edit"].contains(&kind) {
        return Err(invalid("The link type is not supported"));
    }
    let home = request.consent.user.home;
    if !["anonymous", "organization", "users"].contains(&scope) || (scope == "organization" && home == Home::Personal) {
        return Err(invalid("The link scope is not supported"));
    }
    let id = store.new_id();
    let item = change(store, target)?;
    let same = |one: &&Value| text(one, "/link/type") == kind && text(one, "/link/scope") == scope;
    if let Some(known) = item.permissions.iter().find(same) {
        return Ok(Answer::ok(known.clone()));
    }
    let role = if kind == "edit" { "write" } else { "read" };
    let url = format!("https://{}/:t:/g/{id}", host::HOST);
    let mut permission =
        json!({"id": format!("link-{id}"), "roles": [role], "link": {"type": kind, "scope": scope, "webUrl": url}});
    if let Some(expires) = body.get("expirationDateTime") {
        set(&mut permission, "expirationDateTime", expires.clone());
    }
    item.permissions.push(permission.clone());
    Ok(Answer { status: 201, body: Some(permission), headers: Vec::new() })
}

/// POST `invite`.
pub fn invite(request: &Request<'_>, store: &mut Store, target: &Target) -> Result<Answer, GraphError> {
    let body = request.object()?;
    let known = ["recipients", "message", "requireSignIn", "sendInvitation", "roles", "expirationDateTime", "password"];
    known_members(&body, &known, "microsoft.graph.invite")?;
    let recipients = items(&body, "/recipients");
    if recipients.is_empty() || recipients.iter().any(|one| !is_address(text(one, "/email"))) {
        return Err(invalid("The recipients are not valid"));
    }
    let roles = items(&body, "/roles");
    let sound = roles.len() == 1 && roles.iter().all(|role| role == "read" || role == "write");
    if !sound || !(flag(&body, "/requireSignIn") || flag(&body, "/sendInvitation")) {
        return Err(invalid("Roles, requireSignIn or sendInvitation are not valid"));
    }
    if text(&body, "/message").chars().count() > 2000 {
        return Err(invalid("The message is too long"));
    }
    let mut given = Vec::new();
    for one in recipients {
        let email = text(one, "/email");
        let mut who = directory::by_email(email)
            .map_or_else(|| json!({"user": {"email": email, "displayName": email}}), show::identity);
        set(&mut who, "siteUser", json!({"loginName": format!("i:0#.f|membership|{email}")}));
        given.push(json!({"id": format!("p-{}", store.new_id()), "roles": roles, "grantedToV2": who}));
    }
    change(store, target)?.permissions.extend(given.clone());
    Ok(Answer::ok(json!({"value": given})))
}

/// DELETE a permission of the item itself.
pub fn remove(store: &mut Store, target: &Target, id: &str) -> Result<Answer, GraphError> {
    if id == "owner" {
        return Err(denied());
    }
    let item = change(store, target)?;
    let at = item.permissions.iter().position(|one| text(one, "/id") == id).ok_or_else(not_found)?;
    item.permissions.remove(at);
    Ok(Answer::empty(204))
}
