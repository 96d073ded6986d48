//! To Do and Planner. No route yet.

use time::Date;

use super::Found;
use crate::graph::request::Request;
use crate::graph::store::GraphStore;

/// What this family keeps between requests.
pub struct Store;

impl Store {
    /// The sample data around a day.
    pub fn sample(_today: Date) -> Self {
        Self
    }
}

/// Answers a request for one of this family's paths.
pub fn route(_request: &Request<'_>, _store: &mut GraphStore, _path: &[&str]) -> Found {
    Ok(None)
}
