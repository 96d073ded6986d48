//! The three resources: the user's profile, calendars and teams, as JSON.

use std::sync::OnceLock;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::{Answer, UNTRUSTED, clean};
use super::call::Call;
use super::{Outcome, ToolContext, ToolError};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::{Scope, ScopeSet};

/// What a resource holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Profile,
    Calendars,
    Teams,
}

struct Resource {
    uri: &'static str,
    name: &'static str,
    description: &'static str,
    scope: Scope,
    content: Content,
}

const RESOURCES: [Resource; 3] = [
    Resource {
        uri: "microsoft://profile",
        name: "profile",
        description: "The signed-in user",
        scope: Scope::UserRead,
        content: Content::Profile,
    },
    Resource {
        uri: "microsoft://calendars",
        name: "calendars",
        description: "The user's calendars, with ids for calendarId",
        scope: Scope::CalendarsRead,
        content: Content::Calendars,
    },
    Resource {
        uri: "microsoft://teams",
        name: "teams",
        description: "The teams that the user is in, with ids for teamId",
        scope: Scope::TeamReadBasicAll,
        content: Content::Teams,
    },
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    uri: &'static str,
    name: &'static str,
    description: &'static str,
    mime_type: &'static str,
}

/// JSON text of the array that `resources/list` answers with; made once per isolate.
pub fn resources_json() -> &'static str {
    static LIST: OnceLock<String> = OnceLock::new();
    LIST.get_or_init(|| {
        let entries = RESOURCES.map(|resource| Entry {
            uri: resource.uri,
            name: resource.name,
            description: resource.description,
            mime_type: "application/json",
        });
        serde_json::to_string(&entries).unwrap_or_else(|_| "[]".to_owned())
    })
}

/// Whether there is a resource of this URI.
pub fn has_resource(uri: &str) -> bool {
    RESOURCES.iter().any(|resource| resource.uri == uri)
}

/// What the resources need.
pub(super) fn scopes() -> ScopeSet {
    ScopeSet::of(&RESOURCES.map(|resource| resource.scope))
}

/// What the resource of this URI needs.
pub(super) fn needs(uri: &str) -> ScopeSet {
    RESOURCES
        .iter()
        .find(|resource| resource.uri == uri)
        .map_or_else(ScopeSet::default, |resource| ScopeSet::of(&[resource.scope]))
}

/// Reads a resource.
pub(super) async fn read(uri: &str, context: &ToolContext<'_>) -> Outcome {
    match RESOURCES.into_iter().find(|resource| resource.uri == uri) {
        Some(resource) => resource.read(context).await,
        None => Err(ToolError::NoSuchResource),
    }
}

impl Resource {
    async fn read(&self, context: &ToolContext<'_>) -> Outcome {
        let call = Call { context, name: self.uri };
        call.require(self.scope)?;
        match self.content {
            Content::Profile => profile(&call).await,
            Content::Calendars => calendars(&call).await,
            Content::Teams => teams(&call).await,
        }
    }
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    id: String,
    display_name: Option<String>,
    mail: Option<String>,
    user_principal_name: Option<String>,
    job_title: Option<String>,
    office_location: Option<String>,
    preferred_language: Option<String>,
}

async fn profile(call: &Call<'_>) -> Outcome {
    let fields = "id,displayName,mail,userPrincipalName,jobTitle,officeLocation,preferredLanguage";
    let request = GraphRequest::new(Method::Get, &[Segment::Word("me")])?.query("$select", fields);
    Ok(Answer::of(&call.json::<Profile>(&request).await?))
}

/// A page, and whether there is more of it.
#[derive(Deserialize)]
struct Listing<T> {
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

async fn list<T: DeserializeOwned>(call: &Call<'_>, request: &GraphRequest) -> Result<(Vec<T>, bool), ToolError> {
    let listing: Listing<T> = call.json(request).await?;
    Ok((listing.value, listing.next.is_some()))
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct CalendarEntry {
    id: String,
    name: Option<String>,
    is_default_calendar: Option<bool>,
    can_edit: Option<bool>,
}

async fn calendars(call: &Call<'_>) -> Outcome {
    let request = GraphRequest::new(Method::Get, &[Segment::Word("me"), Segment::Word("calendars")])?
        .query("$select", "id,name,isDefaultCalendar,canEdit")
        .query("$top", "100");
    let (mut calendars, truncated) = list::<CalendarEntry>(call, &request).await?;
    for calendar in &mut calendars {
        calendar.name = calendar.name.as_deref().map(|name| clean(name, 255));
    }
    Ok(Answer::of(&json!({"untrusted": UNTRUSTED, "calendars": calendars, "truncated": truncated})))
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Team {
    id: String,
    display_name: Option<String>,
    description: Option<String>,
}

async fn teams(call: &Call<'_>) -> Outcome {
    let request = GraphRequest::new(Method::Get, &[Segment::Word("me"), Segment::Word("joinedTeams")])?
        .query("$select", "id,displayName,description");
    let (mut teams, truncated) = list::<Team>(call, &request).await?;
    for team in &mut teams {
        team.display_name = team.display_name.as_deref().map(|name| clean(name, 255));
        team.description = team.description.as_deref().map(|text| clean(text, 300));
    }
    Ok(Answer::of(&json!({"untrusted": UNTRUSTED, "teams": teams, "truncated": truncated})))
}
