//! `/me/people`, `/me/contacts` and the directory's `/users`, each with its own search rules.

use serde_json::Value;

use super::error::GraphError;
use super::filter;
use super::query::{self, ListOptions, Sizes};
use super::request::{Answer, Family, Request};
use crate::json::{items, text};
use crate::sample::directory::Home;
use crate::sample::people;

const DIRECTORY: &[&str] = &["User.ReadBasic.All", "User.Read.All", "Directory.Read.All"];
/// What `/users` answers without `$select`.
const DEFAULT: &[&str] = &[
    "id",
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];

/// GET `/me/people`.
pub fn relevant(request: &Request<'_>) -> Result<Answer, GraphError> {
    request.require(&["People.Read", "People.Read.All"], Family::Directory)?;
    let options = ListOptions::parse(request, Sizes { default: 10, max: 1000 })?;
    let mut list = people::relevant(request.consent.user);
    if let Some(search) = &options.search {
        let needle = search.trim().trim_matches('"').to_lowercase();
        list.retain(|person| {
            let mail =
                items(person, "/scoredEmailAddresses").iter().any(|one| text(one, "/address").starts_with(&needle));
            mail || words_start(text(person, "/displayName"), &needle)
        });
    }
    query::page(request, &options, list, "microsoft.graph.person")
}

/// GET `/me/contacts`.
pub fn contacts(request: &Request<'_>, mut list: Vec<Value>) -> Result<Answer, GraphError> {
    request.require(&["Contacts.Read", "Contacts.ReadWrite"], Family::Outlook)?;
    let options = ListOptions::parse(request, Sizes { default: 10, max: 1000 })?;
    if options.search.is_some() && (options.filter.is_some() || !options.orderby.is_empty()) {
        return Err(GraphError::new(
            400,
            "SearchWithFilter",
            "The query parameter '$search' cannot be combined with '$filter' or '$orderby'.",
        ));
    }
    let clauses = options.filter.as_deref().map(filter::parse).transpose()?.unwrap_or_default();
    list.retain(|contact| clauses.iter().all(|clause| clause.holds(contact)));
    if let Some(search) = &options.search {
        let needle = quoted(search)?.to_lowercase();
        list.retain(|contact| {
            let mail = items(contact, "/emailAddresses").iter().any(|one| text(one, "/address").contains(&needle));
            mail || words_start(text(contact, "/displayName"), &needle)
                || words_start(text(contact, "/companyName"), &needle)
        });
    }
    query::sort(&mut list, &options.orderby);
    query::page(request, &options, list, "microsoft.graph.contact")
}

fn quoted(search: &str) -> Result<&str, GraphError> {
    let inner = search.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner
        .filter(|inner| !inner.replace("\\\"", "").contains('"'))
        .ok_or_else(|| GraphError::bad("Syntax error: the search text must be in double quotes."))
}

fn words_start(name: &str, needle: &str) -> bool {
    let name = name.to_lowercase();
    name.starts_with(needle) || name.split([' ', '.', '@', '-']).any(|word| word.starts_with(needle))
}

/// GET `/users`.
pub fn users(request: &Request<'_>) -> Result<Answer, GraphError> {
    member(request)?;
    request.require(DIRECTORY, Family::Directory)?;
    let options = ListOptions::parse(request, Sizes { default: 100, max: 999 })?;
    let eventual = request.call.header("consistencylevel").is_some_and(|level| level.eq_ignore_ascii_case("eventual"));
    let mut list = people::directory();
    if let Some(search) = &options.search {
        if !eventual {
            return Err(GraphError::new(
                400,
                "Request_UnsupportedQuery",
                "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
            ));
        }
        let groups = parse_search(search)?;
        list.retain(|user| groups.iter().any(|group| group.iter().all(|clause| clause.holds(user))));
    }
    if options.count && !eventual {
        return Err(GraphError::new(
            400,
            "Request_UnsupportedQuery",
            "$count is not currently supported without 'ConsistencyLevel: eventual'.",
        ));
    }
    let clauses = options.filter.as_deref().map(filter::parse).transpose()?.unwrap_or_default();
    list.retain(|user| clauses.iter().all(|clause| clause.holds(user)));
    query::sort(&mut list, &options.orderby);
    let list = list.into_iter().map(|user| default_members(request, user)).collect();
    query::page(request, &options, list, "microsoft.graph.user")
}

/// GET `/users/{id}`.
pub fn user(request: &Request<'_>, key: &str) -> Result<Answer, GraphError> {
    member(request)?;
    request.require(DIRECTORY, Family::Directory)?;
    let found = people::directory()
        .into_iter()
        .find(|user| text(user, "/id") == key || text(user, "/userPrincipalName").eq_ignore_ascii_case(key));
    let missing = || {
        GraphError::new(
            404,
            "Request_ResourceNotFound",
            &format!(
                "Resource '{key}' does not exist or one of its queried reference-property objects are not present."
            ),
        )
    };
    one(request, found.ok_or_else(missing)?)
}

/// GET `/me`.
pub fn me(request: &Request<'_>) -> Result<Answer, GraphError> {
    request.require(&["User.Read", "User.ReadWrite", "User.Read.All"], Family::Directory)?;
    one(request, people::user_resource(request.consent.user))
}

fn one(request: &Request<'_>, user: Value) -> Result<Answer, GraphError> {
    let chosen: Option<Vec<String>> =
        query::option(request, "$select").map(|list| list.split(',').map(|one| one.trim().to_owned()).collect());
    let user = default_members(request, user);
    let mut value = query::select(user, chosen.as_deref(), "microsoft.graph.user")?;
    crate::json::set(&mut value, "@odata.context", request.url("$metadata#users/$entity"));
    Ok(Answer::ok(value))
}

fn default_members(request: &Request<'_>, user: Value) -> Value {
    match user {
        Value::Object(members) if query::option(request, "$select").is_none() => {
            Value::Object(members.into_iter().filter(|(name, _)| DEFAULT.contains(&name.as_str())).collect())
        }
        other => other,
    }
}

/// A personal account has no directory.
fn member(request: &Request<'_>) -> Result<(), GraphError> {
    if request.consent.user.home == Home::Personal {
        return Err(GraphError::new(
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        ));
    }
    Ok(())
}

/// One `property:text` clause.
struct Clause {
    property: String,
    needle: String,
}

impl Clause {
    fn holds(&self, user: &Value) -> bool {
        let found = text(user, &format!("/{}", self.property));
        self.needle.split_whitespace().all(|word| words_start(found, word))
    }
}

/// `"displayName:ad" OR "mail:ad"`: every clause in quotes, operators outside them in capitals.
fn parse_search(search: &str) -> Result<Vec<Vec<Clause>>, GraphError> {
    let bad = || GraphError::bad("Invalid $search clause: each clause must be \"property:value\" in double quotes.");
    let (mut groups, mut rest) = (vec![Vec::new()], search.trim());
    loop {
        let (clause, after) = take_quoted(rest).ok_or_else(bad)?;
        let (property, needle) = clause.split_once(':').ok_or_else(bad)?;
        let known = ["displayName", "mail", "userPrincipalName", "givenName", "surname", "mailNickname"];
        if !known.contains(&property) || needle.is_empty() {
            return Err(bad());
        }
        let clause = Clause { property: property.to_owned(), needle: needle.to_lowercase() };
        groups.last_mut().ok_or_else(bad)?.push(clause);
        rest = after.trim_start();
        if rest.is_empty() {
            return Ok(groups);
        }
        let next_group = rest.starts_with("OR ");
        let operator = rest.strip_prefix("OR ").or_else(|| rest.strip_prefix("AND "));
        rest = operator.ok_or_else(bad)?.trim_start();
        if next_group {
            groups.push(Vec::new());
        }
    }
}

/// Takes one quoted text with `\"` and `\\` unescaped, and what follows it.
fn take_quoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut out = String::new();
    let mut letters = inner.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((out, inner.get(at + 1..).unwrap_or(""))),
            '\\' => out.push(letters.next()?.1),
            other => out.push(other),
        }
    }
    None
}
