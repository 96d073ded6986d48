//! To Do and Planner, whose manners differ: `todo` refuses `$select`, `planner` ignores every query option and changes
//! nothing without the etag.

mod planner;
mod todo;

use serde_json::Value;
use time::Date;
use time::macros::format_description;

use super::Found;
use crate::graph::error::GraphError;
use crate::graph::request::Request;
use crate::graph::store::GraphStore;

/// What this family keeps between requests.
pub struct Store {
    todo: todo::Store,
    planner: planner::Store,
}

impl Store {
    /// The sample data around a day.
    pub fn sample(today: Date) -> Self {
        Self { todo: todo::Store::sample(today), planner: planner::Store::sample(today) }
    }
}

/// Answers a request for one of this family's paths.
pub fn route(request: &Request<'_>, store: &mut GraphStore, path: &[&str]) -> Found {
    match path {
        ["me", "todo", "lists", rest @ ..] => todo::route(request, &mut store.family.tasks.todo, rest),
        ["me", "planner", rest @ ..] => planner::mine(request, &store.family.tasks.planner, rest),
        ["planner", rest @ ..] => planner::route(request, &mut store.family.tasks.planner, rest),
        _ => Ok(None),
    }
}

/// The tasks of one of the caller's To Do lists, as they are now.
pub fn of_list(request: &Request<'_>, store: &GraphStore, list: &str) -> Result<Vec<Value>, GraphError> {
    todo::of_list(request, &store.family.tasks.todo, list)
}

fn day(date: Date) -> String {
    date.format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
}
