//! One search across mail, events, chats, files and sites (Microsoft Search). What changed since is `changes`.
//!
//! Graph takes few kinds of content together, so there is a request for each group that it does, all in one batch, and
//! the answer is by group. A kind for which the permission is missing is named, never silently left out.

mod changes;
mod hit;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{Answer, UNTRUSTED};
use super::arguments::{self, bounded};
use super::call::Call;
use super::cursor;
use super::permission::Remedy;
use super::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::{ConsentBy, Scope};
use hit::{Found, Shown};

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "searchContent",
        title: "Search everything",
        description: "One search (KQL) across mail, events, files, sites, list items and chats. Work accounts only.",
        kind: Kind::Read,
        preset: Preset::Search,
        needs: &[Scope::MailRead, Scope::CalendarsRead, Scope::FilesReadAll, Scope::SitesReadAll, Scope::ChatRead],
        also: &[],
        on_use: &[],
        example: r#"{"query":"budget AND author:adele","types":["driveItem"],"count":10}"#,
        schema: schema::of::<SearchContent>,
        handler: handle::<SearchContent>,
    },
    changes::TOOL,
];

/// The tenant of every personal account.
const PERSONAL: Uuid = Uuid::from_u128(0x9188_040d_6c67_4c5b_b112_36a3_04b6_6dad);
/// Characters of a query.
const QUERY: usize = 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Content {
    Message,
    Event,
    DriveItem,
    Site,
    ListItem,
    ChatMessage,
}

impl Content {
    const ALL: [Self; 6] = [Self::Message, Self::Event, Self::DriveItem, Self::Site, Self::ListItem, Self::ChatMessage];

    /// Any one of these opens it.
    const fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Message => &[Scope::MailRead],
            Self::Event => &[Scope::CalendarsRead],
            Self::DriveItem => &[Scope::FilesReadAll, Scope::SitesReadAll],
            Self::Site | Self::ListItem => &[Scope::SitesReadAll],
            Self::ChatMessage => &[Scope::ChatRead],
        }
    }

    /// Which others Graph searches in the same request.
    const fn group(self) -> u8 {
        match self {
            Self::Message => 0,
            Self::Event => 1,
            Self::DriveItem | Self::Site | Self::ListItem => 2,
            Self::ChatMessage => 3,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchContent {
    query: String,
    types: Option<Vec<Content>>,
    #[schemars(range(min = 1, max = 25), extend("default" = 10))]
    count: Option<u32>,
    cursor: Option<String>,
}

/// Where the search goes on.
#[derive(Serialize, Deserialize)]
struct Place {
    query: String,
    groups: Vec<Group>,
}

/// Kinds of content that are searched together, from which hit on.
#[derive(Clone, Serialize, Deserialize)]
struct Group {
    types: Vec<Content>,
    from: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Results {
    untrusted: &'static str,
    groups: Vec<Part>,
    /// Kinds that were not searched, and for want of what.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    skipped: Vec<Value>,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// What was found in one group.
#[derive(Serialize)]
struct Part {
    types: Vec<Content>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hits: Option<Vec<Shown>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
}

#[async_trait(?Send)]
impl Input for SearchContent {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let count = bounded("count", self.count, 10, 25)?;
        let query = arguments::line("query", &self.query, QUERY)?;
        if call.context.caller.user.tid == PERSONAL {
            let instead = "Personal accounts have no search across everything: use searchEmails.";
            return Err(ToolError::WorkOnly { instead });
        }
        let (groups, skipped) = match self.cursor.as_deref() {
            Some(text) => {
                let place: Place = cursor::open(call, text)?;
                if place.query != query {
                    return Err(ToolError::argument("query", "the cursor is of another query: leave one of them out"));
                }
                (place.groups, Vec::new())
            }
            None => chosen(call, self.types.as_deref())?,
        };
        // A cursor may be older than the token's scopes.
        let allowed = |kind: &Content| kind.scopes().iter().any(|scope| call.allows(*scope));
        if let Some(kind) = groups.iter().flat_map(|group| &group.types).find(|kind| !allowed(kind)) {
            call.context.require_any(kind.scopes())?;
        }
        let requests = groups.iter().map(|group| ask(&query, group, count)).collect::<Result<Vec<_>, _>>()?;
        let outcomes = call.batch::<Found>(&requests).await?;
        let alone = requests.len() == 1;
        let (mut results, mut rest) = (Vec::new(), Vec::new());
        for (mut group, outcome) in groups.into_iter().zip(outcomes) {
            match outcome {
                Err(error) if alone => return Err(error),
                Err(error) => results.push(Part::failed(group.types, call.report(&error))),
                Ok(found) => {
                    let (hits, total, more) = found.shown();
                    results.push(Part { types: group.types.clone(), hits: Some(hits), total, error: None });
                    if more {
                        group.from = group.from.saturating_add(count);
                        rest.push(group);
                    }
                }
            }
        }
        let truncated = !rest.is_empty();
        let next = truncated.then(|| cursor::seal(call, &Place { query, groups: rest })).transpose()?;
        Ok(Answer::of(&Results { untrusted: UNTRUSTED, groups: results, skipped, truncated, next_cursor: next }))
    }
}

impl Part {
    fn failed(types: Vec<Content>, error: Value) -> Self {
        Self { types, hits: None, total: None, error: Some(error) }
    }
}

/// The groups to search, and the kinds that the token does not allow. Where it allows none, that is the error.
fn chosen(call: &Call<'_>, asked: Option<&[Content]>) -> Result<(Vec<Group>, Vec<Value>), ToolError> {
    if asked.is_some_and(<[Content]>::is_empty) {
        return Err(ToolError::argument("types", "needs at least one: leave it out to search all"));
    }
    let (mut groups, mut skipped): (Vec<Group>, Vec<Value>) = (Vec::new(), Vec::new());
    let mut refused = None;
    // In this order and each once, whatever was given.
    for kind in Content::ALL.into_iter().filter(|kind| asked.is_none_or(|asked| asked.contains(kind))) {
        if let Err(error) = call.context.require_any(kind.scopes()) {
            skipped.extend(kind.scopes().first().map(|scope| skip(call, kind, *scope)));
            refused = refused.or(Some(error));
            continue;
        }
        match groups.iter_mut().find(|group| group.types.iter().any(|other| other.group() == kind.group())) {
            Some(group) => group.types.push(kind),
            None => groups.push(Group { types: vec![kind], from: 0 }),
        }
    }
    match refused {
        Some(error) if groups.is_empty() => Err(error),
        _ => Ok((groups, skipped)),
    }
}

fn skip(call: &Call<'_>, kind: Content, scope: Scope) -> Value {
    let administrator = scope.consent_by() == ConsentBy::Admin || call.context.remedy(scope) == Remedy::AdminConsent;
    json!({"type": kind, "missingScope": scope.name(), "adminConsent": administrator})
}

/// A POST that only reads. `region` is for applications without a user and is refused from anybody else.
fn ask(query: &str, group: &Group, count: u32) -> Result<GraphRequest, ToolError> {
    let path = [Segment::Word("search"), Segment::Word("query")];
    let body = json!({"requests": [
        {"entityTypes": group.types, "query": {"queryString": query}, "from": group.from, "size": count},
    ]});
    Ok(GraphRequest::new(Method::Post, &path)?.body(body).repeatable())
}
