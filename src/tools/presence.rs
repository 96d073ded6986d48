//! Who is available in Teams; what others see of the user is set in `setting`. Work accounts only: no personal account is
//! granted these scopes, so none is shown these tools.

mod setting;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::address;
use super::answer::{Answer, UNTRUSTED, clean};
use super::arguments::several;
use super::call::Call;
use super::text;
use super::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "getPresence",
        title: "See who is available",
        description: "Teams availability of up to 20 people by address; default: the user.",
        kind: Kind::Read,
        preset: Preset::Teams,
        needs: &[Scope::PresenceRead],
        also: &[Scope::PresenceReadAll, Scope::UserReadBasicAll],
        on_use: &[],
        example: r#"{"users":["adele@contoso.example"]}"#,
        schema: schema::of::<GetPresence>,
        handler: handle::<GetPresence>,
    },
    setting::TOOL,
];

/// People that one call looks up: the requests that one batch takes.
const MOST: usize = 20;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetPresence {
    users: Option<Vec<String>>,
}

/// Graph's presence.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Presence {
    id: String,
    availability: Option<String>,
    activity: Option<String>,
    status_message: Option<Status>,
    out_of_office_settings: Option<Away>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    message: Option<Content>,
    expiry_date_time: Option<Expiry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    content: Option<String>,
    content_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Expiry {
    date_time: String,
    time_zone: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Away {
    message: Option<String>,
    is_out_of_office: Option<bool>,
}

#[derive(Deserialize)]
struct Presences {
    value: Vec<Presence>,
}

/// What is read of a user to find the id.
#[derive(Deserialize)]
struct Known {
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    /// As it was asked for; absent for the user's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    availability: String,
    /// Where it says more than the availability.
    #[serde(skip_serializing_if = "Option::is_none")]
    activity: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    status_message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_until: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    out_of_office: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    out_of_office_message: String,
}

#[async_trait(?Send)]
impl Input for GetPresence {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let Some(users) = self.users else {
            call.require(Scope::PresenceRead)?;
            let own = [Segment::Word("me"), Segment::Word("presence")];
            let presence: Presence = call.json(&GraphRequest::new(Method::Get, &own)?).await?;
            return Ok(Answer::of(&json!({"untrusted": UNTRUSTED, "people": [presence.shown(None)]})));
        };
        several("users", &users, MOST)?;
        let people = users.iter().map(|user| Person::parse(user)).collect::<Result<Vec<_>, _>>()?;
        call.require(Scope::PresenceReadAll)?;
        let (found, errors) = identify(call, people).await?;
        let mut answer = Map::new();
        answer.insert("untrusted".into(), UNTRUSTED.into());
        answer.insert("people".into(), json!(present(call, &found).await?));
        if !errors.is_empty() {
            answer.insert("errors".into(), Value::Array(errors));
        }
        Ok(Answer::of(&answer))
    }
}

/// Somebody, as the argument names them.
enum Person {
    Id(String),
    Address(String),
}

impl Person {
    fn parse(text: &str) -> Result<Self, ToolError> {
        match Uuid::parse_str(text.trim()) {
            Ok(id) => Ok(Self::Id(id.to_string())),
            Err(_) => address::one("users", text).map(Self::Address),
        }
    }
}

/// Name and id of everybody who could be found, and what is wrong with the others. Presences are kept by id alone.
async fn identify(call: &Call<'_>, people: Vec<Person>) -> Result<(Vec<(String, String)>, Vec<Value>), ToolError> {
    let (mut found, mut addresses, mut requests) = (Vec::new(), Vec::new(), Vec::new());
    for person in people {
        match person {
            Person::Id(id) => found.push((id.clone(), id)),
            Person::Address(address) => {
                let path = [Segment::Word("users"), Segment::Value(&address)];
                requests.push(GraphRequest::new(Method::Get, &path)?.query("$select", "id"));
                addresses.push(address);
            }
        }
    }
    let mut errors = Vec::new();
    if requests.is_empty() {
        return Ok((found, errors));
    }
    call.require(Scope::UserReadBasicAll)?;
    for (address, outcome) in addresses.into_iter().zip(call.batch::<Known>(&requests).await?) {
        match outcome {
            Ok(user) => found.push((address, user.id)),
            Err(error) => errors.push(json!({"user": address, "error": call.report(&error)})),
        }
    }
    Ok((found, errors))
}

async fn present(call: &Call<'_>, found: &[(String, String)]) -> Result<Vec<Shown>, ToolError> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = found.iter().map(|(_, id)| id).collect();
    let path = [Segment::Word("communications"), Segment::Word("getPresencesByUserId")];
    // A POST that only reads.
    let request = GraphRequest::new(Method::Post, &path)?.body(json!({"ids": ids})).repeatable();
    let presences: Presences = call.json(&request).await?;
    let name = |id: &str| found.iter().find(|(_, known)| known.eq_ignore_ascii_case(id)).map(|(name, _)| name.clone());
    Ok(presences.value.into_iter().map(|one| (name(&one.id), one)).map(|(name, one)| one.shown(name)).collect())
}

impl Presence {
    fn shown(self, user: Option<String>) -> Shown {
        let availability = self.availability.map(|word| clean(&word, 50)).unwrap_or_default();
        let (message, until) = self.status_message.map(Status::shown).unwrap_or_default();
        let away = self.out_of_office_settings.filter(|away| away.is_out_of_office == Some(true));
        Shown {
            user,
            activity: self.activity.map(|word| clean(&word, 50)).filter(|word| *word != availability),
            availability,
            status_message: message,
            status_until: until,
            out_of_office: away.is_some(),
            out_of_office_message: clean(&away.and_then(|away| away.message).unwrap_or_default(), 500),
        }
    }
}

impl Status {
    /// The text, and until when it shows; Graph tells the latter of the user alone.
    fn shown(self) -> (String, Option<String>) {
        let message = self.message.map(|message| {
            let kind = message.content_type.unwrap_or_default();
            text::body(&kind, &message.content.unwrap_or_default(), 500, true).text
        });
        let until = self.expiry_date_time.map(|at| {
            let zone = at.time_zone.unwrap_or_default();
            format!("{} {zone}", clean(&at.date_time, 19).trim_end_matches('…')).trim_end().to_owned()
        });
        (message.unwrap_or_default(), until)
    }
}
