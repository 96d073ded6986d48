//! `SharePoint`: sites with their lists and libraries, and the items of lists. A personal account never gets the scopes,
//! so nobody sees these tools who has no sites.

mod items;
mod save;
mod sites;

use serde_json::{Map, Value};

use super::answer::clean;
use super::arguments::identifier;
use super::{Tool, ToolError};
use crate::graph::request::Segment;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[sites::TOOL, items::TOOL, save::TOOL];

/// Characters of one text in an item.
const TEXT: usize = 1000;

/// The items of a list.
fn items_of<'a>(site: &'a str, list: &'a str) -> Result<[Segment<'a>; 5], ToolError> {
    Ok([
        Segment::Word("sites"),
        Segment::Value(identifier("siteId", site)?),
        Segment::Word("lists"),
        Segment::Value(identifier("listId", list)?),
        Segment::Word("items"),
    ])
}

/// A column's internal name, which stands in a query: letters, digits and underscores.
fn column(name: &str) -> Result<&str, ToolError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if (1..=128).contains(&name.len()) && name.bytes().all(plain) {
        return Ok(name);
    }
    Err(ToolError::argument(
        "fields",
        format!("{:?} is no column's internal name, as getListItems shows them", clean(name, 40)),
    ))
}

/// What an item holds, without what other people hid in it.
fn cleaned(value: Value) -> Value {
    match value {
        Value::String(text) => clean(&text, TEXT).into(),
        Value::Array(list) => list.into_iter().map(cleaned).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (clean(&name, 128), cleaned(value))).collect::<Map<_, _>>().into()
        }
        value @ (Value::Null | Value::Bool(_) | Value::Number(_)) => value,
    }
}

/// The version that ends an item's etag (`"guid,3"`).
fn version(etag: &str) -> Option<u32> {
    etag.rsplit_once(',')?.1.trim_end_matches('"').parse().ok()
}
