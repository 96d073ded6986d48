//! To Do and Planner, whose manners differ: `todo` refuses `$select`, `planner` ignores every query option and changes
//! nothing without the etag.

mod planner;
mod todo;

use time::Date;
use time::macros::format_description;

use super::Found;
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

fn day(date: Date) -> String {
    date.format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
}
