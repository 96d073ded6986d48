//! The user's profile, calendars and teams, as JSON.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ToolError;
use super::answer::{UNTRUSTED, clean};
use super::call::Call;
use super::content::Data;
use super::icon;
use super::resources::{Place, Resource, json_text};
use crate::config::Preset;
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;

/// The resources of this family.
pub(super) const RESOURCES: &[Resource] = &[
    Resource {
        preset: Preset::Core,
        place: Place::Fixed("microsoft://profile"),
        name: "profile",
        title: "My profile",
        description: "The signed-in user",
        mime_type: "application/json",
        icon: Some(icon::PERSON),
        scope: Some(Scope::UserRead),
        read: |call, _| Box::pin(profile(call)),
    },
    Resource {
        preset: Preset::Core,
        place: Place::Fixed("microsoft://calendars"),
        name: "calendars",
        title: "My calendars",
        description: "The user's calendars, with ids for calendarId",
        mime_type: "application/json",
        icon: Some(icon::CALENDAR),
        scope: Some(Scope::CalendarsRead),
        read: |call, _| Box::pin(calendars(call)),
    },
    Resource {
        preset: Preset::Core,
        place: Place::Fixed("microsoft://teams"),
        name: "teams",
        title: "My teams",
        description: "The teams that the user is in, with ids for teamId",
        mime_type: "application/json",
        icon: Some(icon::PEOPLE),
        scope: Some(Scope::TeamReadBasicAll),
        read: |call, _| Box::pin(teams(call)),
    },
];

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

async fn profile(call: &Call<'_>) -> Result<Data, ToolError> {
    let fields = "id,displayName,mail,userPrincipalName,jobTitle,officeLocation,preferredLanguage";
    let request = GraphRequest::new(Method::Get, &[Segment::Word("me")])?.query("$select", fields);
    Ok(json_text(&call.json::<Profile>(&request).await?))
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

async fn calendars(call: &Call<'_>) -> Result<Data, ToolError> {
    let request = GraphRequest::new(Method::Get, &[Segment::Word("me"), Segment::Word("calendars")])?
        .query("$select", "id,name,isDefaultCalendar,canEdit")
        .query("$top", "100");
    let (mut calendars, truncated) = list::<CalendarEntry>(call, &request).await?;
    for calendar in &mut calendars {
        calendar.name = calendar.name.as_deref().map(|name| clean(name, 255));
    }
    Ok(json_text(&json!({"untrusted": UNTRUSTED, "calendars": calendars, "truncated": truncated})))
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Team {
    id: String,
    display_name: Option<String>,
    description: Option<String>,
}

async fn teams(call: &Call<'_>) -> Result<Data, ToolError> {
    let request = GraphRequest::new(Method::Get, &[Segment::Word("me"), Segment::Word("joinedTeams")])?
        .query("$select", "id,displayName,description");
    let (mut teams, truncated) = list::<Team>(call, &request).await?;
    for team in &mut teams {
        team.display_name = team.display_name.as_deref().map(|name| clean(name, 255));
        team.description = team.description.as_deref().map(|text| clean(text, 300));
    }
    Ok(json_text(&json!({"untrusted": UNTRUSTED, "teams": teams, "truncated": truncated})))
}
