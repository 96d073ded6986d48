//! The drive resource: whose it is and how full.

use serde_json::{Value, json};

use super::{Drive, Store, not_found, show};
use crate::graph::error::GraphError;
use crate::graph::query::{self, ListOptions, Sizes};
use crate::graph::request::{Answer, Request};

/// What a person's drive may hold: a terabyte.
const TOTAL: usize = 1 << 40;

/// The drive that a path is, if it is one, and whether it is the caller's by that name.
pub fn named(store: &Store, request: &Request<'_>, path: &[&str]) -> Option<(Option<usize>, bool)> {
    let by = |found: &dyn Fn(&Drive) -> bool| store.drives.iter().position(found);
    match path {
        ["me", "drive"] => Some((by(&|drive| drive.owner == Some(request.consent.user)), true)),
        ["drives", id] => Some((by(&|drive| drive.id == *id), false)),
        _ => None,
    }
}

/// GET a drive.
pub fn one(request: &Request<'_>, store: &Store, at: Option<usize>) -> Result<Answer, GraphError> {
    let drive = at.and_then(|at| store.drives.get(at)).ok_or_else(not_found)?;
    let options = ListOptions::parse(request, Sizes { default: 1, max: 1 })?;
    Ok(Answer::ok(query::select(render(drive), options.select.as_deref(), "microsoft.graph.drive")?))
}

fn render(drive: &Drive) -> Value {
    let used: usize = drive.items.iter().filter_map(|item| item.content.as_ref()).map(Vec::len).sum();
    let (kind, name) = if drive.owner.is_some() { ("business", "OneDrive") } else { ("documentLibrary", "Documents") };
    json!({
        "id": drive.id, "driveType": kind, "name": name, "owner": drive.owner.map(show::identity),
        "quota": {"total": TOTAL, "used": used, "remaining": TOTAL - used, "deleted": 0, "state": "normal"},
    })
}
