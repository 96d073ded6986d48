//! The directory beyond the list of users: managers, reports, groups and their members. The groups are the teams.

use serde_json::{Value, json};
use time::Date;

use super::Found;
use crate::graph::error::GraphError;
use crate::graph::query::{self, ListOptions, Sizes};
use crate::graph::request::{Answer, Family, Request};
use crate::graph::store::GraphStore;
use crate::json::text;
use crate::sample::directory::{self, Home, USERS, User};
use crate::sample::people;
use crate::sample::teams::{TEAMS, Team};

const PEOPLE: &[&str] = &["User.Read.All", "Directory.Read.All"];
const GROUPS: &[&str] = &["GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"];
const SIZES: Sizes = Sizes { default: 100, max: 999 };
/// Whom everybody else reports to.
const HEAD: &str = "megan@contoso.example";

/// What this family keeps between requests.
pub struct Store;

impl Store {
    /// The sample data around a day.
    pub fn sample(_today: Date) -> Self {
        Self
    }
}

/// Answers a request for one of this family's paths.
pub fn route(request: &Request<'_>, _store: &mut GraphStore, path: &[&str]) -> Found {
    if request.call.method != "GET" {
        return Ok(None);
    }
    Ok(Some(match path {
        ["me", part @ ("manager" | "directReports" | "memberOf")] => of(request, request.consent.user, part)?,
        ["users", key, part @ ("manager" | "directReports" | "memberOf")] => {
            let user = directory::by_key(key).filter(|user| user.home == Home::Contoso);
            of(request, user.ok_or_else(missing)?, part)?
        }
        ["groups"] => groups(request)?,
        ["groups", id, "members"] => members(request, id)?,
        _ => return Ok(None),
    }))
}

fn missing() -> GraphError {
    GraphError::new(
        404,
        "Request_ResourceNotFound",
        "Resource does not exist or one of its queried reference-property objects are not present.",
    )
}

fn staff() -> impl Iterator<Item = &'static User> {
    USERS.iter().filter(|user| user.home == Home::Contoso)
}

fn group(team: &Team) -> Value {
    json!({"id": team.id, "displayName": team.name, "description": team.about, "mail": null, "groupTypes": ["Unified"],
        "mailEnabled": true, "securityEnabled": false, "visibility": "Private"})
}

fn of(request: &Request<'_>, user: &User, part: &str) -> Result<Answer, GraphError> {
    if part == "memberOf" {
        request.require(GROUPS, Family::Directory)?;
        let list = TEAMS.iter().filter(|team| team.has(user)).map(group).collect();
        return query::page(request, &ListOptions::parse(request, SIZES)?, list, "microsoft.graph.group");
    }
    request.require(PEOPLE, Family::Directory)?;
    let head = user.email == HEAD;
    if part == "manager" {
        let manager = staff().find(|other| other.email == HEAD).filter(|_| !head).ok_or_else(missing)?;
        let chosen: Option<Vec<String>> =
            query::option(request, "$select").map(|list| list.split(',').map(str::to_owned).collect());
        let value = query::select(people::user_resource(manager), chosen.as_deref(), "microsoft.graph.user")?;
        return Ok(Answer::ok(value));
    }
    let list = staff().filter(|other| head && other.email != HEAD).map(people::user_resource).collect();
    query::page(request, &ListOptions::parse(request, SIZES)?, list, "microsoft.graph.user")
}

fn groups(request: &Request<'_>) -> Result<Answer, GraphError> {
    request.require(GROUPS, Family::Directory)?;
    let options = ListOptions::parse(request, SIZES)?;
    let mut list: Vec<Value> = TEAMS.iter().map(group).collect();
    if let Some(search) = &options.search {
        let eventual =
            request.call.header("consistencylevel").is_some_and(|level| level.eq_ignore_ascii_case("eventual"));
        let clause = search.strip_prefix("\"displayName:").and_then(|rest| rest.strip_suffix('"'));
        let needle = clause.filter(|_| eventual).ok_or_else(|| {
            GraphError::new(
                400,
                "Request_UnsupportedQuery",
                "$search needs ConsistencyLevel: eventual and a quoted clause.",
            )
        })?;
        let needle = needle.to_lowercase();
        list.retain(|group| {
            text(group, "/displayName").to_lowercase().split(' ').any(|word| word.starts_with(&needle))
        });
    }
    query::page(request, &options, list, "microsoft.graph.group")
}

fn members(request: &Request<'_>, id: &str) -> Result<Answer, GraphError> {
    request.require(GROUPS, Family::Directory)?;
    let team = TEAMS.iter().find(|team| team.id == id).ok_or_else(missing)?;
    let list = staff().filter(|user| team.has(user)).map(people::user_resource).collect();
    query::page(request, &ListOptions::parse(request, SIZES)?, list, "microsoft.graph.user")
}
