//! The organisation's directory: one person with manager, reports and groups; groups and their members.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Answer, UNTRUSTED, clean};
use super::arguments::{self, bounded, identifier};
use super::call::Call;
use super::page::{self, Page};
use super::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment, quoted_phrase};
use crate::identity::Scope;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "getUser",
        title: "Read a directory user",
        description: "A person of the organisation, on demand with manager, direct reports or groups.",
        kind: Kind::Read,
        preset: Preset::People,
        needs: &[Scope::UserReadBasicAll],
        also: &[],
        on_use: &[Scope::UserReadAll, Scope::GroupMemberReadAll],
        example: r#"{"user":"adele@contoso.example","include":["manager"]}"#,
        schema: schema::of::<GetUser>,
        handler: handle::<GetUser>,
    },
    Tool {
        name: "getGroup",
        title: "Find groups or list members",
        description: "Find groups by name, or with id list one group's members.",
        kind: Kind::Read,
        preset: Preset::People,
        needs: &[Scope::GroupMemberReadAll],
        also: &[],
        on_use: &[],
        example: r#"{"search":"sales","count":25}"#,
        schema: schema::of::<GetGroup>,
        handler: handle::<GetGroup>,
    },
];

/// What is shown of oneself, and with `User.Read.All` of everybody.
const FULL: &str = "id,displayName,mail,userPrincipalName,jobTitle,officeLocation";
/// What `User.ReadBasic.All` shows of others.
const BASIC: &str = "id,displayName,mail,userPrincipalName";
const GROUP: &str = "id,displayName,mail,description";
const FAMILIES: [&str; 2] = ["/groups", "/groups/{id}/members"];
/// Reports and groups that are shown of one person.
const MOST: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Include {
    Manager,
    Reports,
    Groups,
}

impl Include {
    const fn word(self) -> &'static str {
        match self {
            Self::Manager => "manager",
            Self::Reports => "directReports",
            Self::Groups => "memberOf",
        }
    }

    /// Microsoft shows nobody's manager, reports or groups without an administrator's consent, not even one's own.
    const fn scope(self) -> Scope {
        match self {
            Self::Manager | Self::Reports => Scope::UserReadAll,
            Self::Groups => Scope::GroupMemberReadAll,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetUser {
    /// Address or id; default: the user
    user: Option<String>,
    include: Option<Vec<Include>>,
}

/// A user or a group, by whichever fields it has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: String,
    display_name: Option<String>,
    mail: Option<String>,
    user_principal_name: Option<String>,
    job_title: Option<String>,
    office_location: Option<String>,
    description: Option<String>,
}

#[derive(Deserialize)]
struct Listing {
    value: Vec<Entry>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

/// The answer to a part of the batch: a person or a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Found {
    Many(Listing),
    One(Entry),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    office: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

impl From<Entry> for Shown {
    fn from(entry: Entry) -> Self {
        let text = |text: Option<String>| text.map(|text| clean(&text, 300)).filter(|text| !text.is_empty());
        Self {
            id: entry.id,
            name: text(entry.display_name).unwrap_or_default(),
            email: text(entry.mail).or_else(|| text(entry.user_principal_name)),
            job_title: text(entry.job_title),
            office: text(entry.office_location),
            description: text(entry.description),
        }
    }
}

#[derive(Default, Serialize)]
struct Person {
    untrusted: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manager: Option<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reports: Option<Vec<Shown>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<Shown>>,
    /// What of it could not be read, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Value>,
    truncated: bool,
}

#[async_trait(?Send)]
impl Input for GetUser {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let mut include = self.include.unwrap_or_default();
        include.dedup();
        if include.len() > 3 {
            return Err(ToolError::argument("include", "each of manager, reports and groups once"));
        }
        let user = self.user.as_deref().map(|user| identifier("user", user)).transpose()?;
        let scopes: Vec<_> = include.iter().map(|part| part.scope()).collect();
        scopes.into_iter().try_for_each(|scope| call.require(scope))?;
        let base = user.map_or(vec![Segment::Word("me")], |user| vec![Segment::Word("users"), Segment::Value(user)]);
        let fields = if user.is_none() || call.allows(Scope::UserReadAll) { FULL } else { BASIC };
        let mut requests = vec![GraphRequest::new(Method::Get, &base)?.query("$select", fields)];
        for part in &include {
            requests.push(part_of(&base, *part)?);
        }
        let mut found = call.batch::<Found>(&requests).await?.into_iter();
        let mut person = Person { untrusted: UNTRUSTED, ..Person::default() };
        match found.next() {
            Some(Ok(Found::One(user))) => person.user = Some(user.into()),
            // Nobody's parts are of use without the person.
            Some(Err(error)) => return Err(error),
            Some(Ok(Found::Many(_))) | None => {}
        }
        for (part, outcome) in include.into_iter().zip(found) {
            person.add(call, part, outcome);
        }
        Ok(Answer::of(&person))
    }
}

fn part_of(base: &[Segment<'_>], part: Include) -> Result<GraphRequest, ToolError> {
    let path = [base, &[Segment::Word(part.word())]].concat();
    let request = GraphRequest::new(Method::Get, &path)?;
    Ok(match part {
        Include::Manager => request.query("$select", FULL),
        Include::Reports => request.query("$select", BASIC).query("$top", MOST.to_string()),
        Include::Groups => request.query("$select", GROUP).query("$top", MOST.to_string()),
    })
}

impl Person {
    fn add(&mut self, call: &Call<'_>, part: Include, outcome: Result<Found, ToolError>) {
        match outcome {
            Ok(Found::One(entry)) => self.manager = Some(entry.into()),
            Ok(Found::Many(list)) => {
                self.truncated |= list.next.is_some();
                let shown = list.value.into_iter().map(Shown::from).collect();
                if part == Include::Reports {
                    self.reports = Some(shown);
                } else {
                    self.groups = Some(shown);
                }
            }
            Err(error) => self.errors.push(serde_json::json!({"part": part.word(), "error": call.report(&error)})),
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetGroup {
    search: Option<String>,
    id: Option<String>,
    #[schemars(range(min = 1, max = 100), extend("default" = 25))]
    count: Option<u32>,
    cursor: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Groups {
    untrusted: &'static str,
    items: Vec<Shown>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[async_trait(?Send)]
impl Input for GetGroup {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let count = bounded("count", self.count, 25, 100)?;
        let search = arguments::optional("search", self.search.as_deref(), 200)?;
        let groups = Segment::Word("groups");
        let request = match (self.id.as_deref(), search) {
            (Some(_), Some(_)) => return Err(ToolError::argument("search", "finds groups; leave it out with id")),
            (Some(id), None) => {
                let path = [groups, Segment::Value(identifier("id", id)?), Segment::Word("members")];
                GraphRequest::new(Method::Get, &path)?.query("$select", BASIC)
            }
            (None, search) => {
                let request = GraphRequest::new(Method::Get, &[groups])?.query("$select", GROUP);
                match search {
                    Some(text) => request
                        .query("$search", quoted_phrase(&format!("displayName:{text}")))
                        .header("consistencylevel", "eventual"),
                    None => request,
                }
            }
        };
        let start = page::begin(call, self.cursor.as_deref(), &request.query("$top", count.to_string()))?;
        let Page { items, next_cursor } = page::read::<Entry>(call, &FAMILIES, start, count).await?;
        Ok(Answer::of(&Groups {
            untrusted: UNTRUSTED,
            items: items.into_iter().map(Shown::from).collect(),
            truncated: next_cursor.is_some(),
            next_cursor,
        }))
    }
}
