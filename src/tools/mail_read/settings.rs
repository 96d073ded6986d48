//! The settings of the mailbox: zone, working hours, automatic reply, categories and inbox rules, in one batch.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::{Answer, clean};
use crate::tools::call::Call;
use crate::tools::outbox::IMMUTABLE;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema, text};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "getMailboxSettings",
    title: "Show mailbox settings",
    description: "Time zone, working hours, automatic reply, categories and inbox rules.",
    kind: Kind::Read,
    preset: Preset::Mail,
    needs: &[Scope::MailboxSettingsRead],
    also: &[],
    on_use: &[],
    example: "{}",
    schema: schema::of::<GetMailboxSettings>,
    handler: handle::<GetMailboxSettings>,
};

/// Characters of an automatic reply that are shown.
const REPLY: usize = 1000;
/// Rules and categories that are shown.
const SHOWN: usize = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetMailboxSettings {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    time_zone: Option<String>,
    working_hours: Option<Hours>,
    automatic_replies_setting: Option<Automatic>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hours {
    #[serde(default)]
    days_of_week: Vec<String>,
    start_time: Option<String>,
    end_time: Option<String>,
    time_zone: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Automatic {
    status: Option<String>,
    external_audience: Option<String>,
    scheduled_start_date_time: Option<Moment>,
    scheduled_end_date_time: Option<Moment>,
    internal_reply_message: Option<String>,
    external_reply_message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Moment {
    date_time: String,
    time_zone: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    display_name: Option<String>,
    is_enabled: Option<bool>,
    conditions: Option<Value>,
    exceptions: Option<Value>,
    actions: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Category {
    display_name: Option<String>,
}

#[derive(Deserialize)]
struct Listing<T> {
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_hours: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_reply: Option<Value>,
    categories: Vec<String>,
    rules: Vec<Value>,
    /// There are more categories or rules than are shown.
    truncated: bool,
}

#[async_trait(?Send)]
impl Input for GetMailboxSettings {
    async fn run(self, call: &Call<'_>) -> Outcome {
        call.require(Scope::MailboxSettingsRead)?;
        let mut parts = call.batch::<Value>(&requests()?).await?.into_iter();
        let settings: Settings = part(parts.next())?;
        let categories: Listing<Category> = part(parts.next())?;
        let rules: Listing<Rule> = part(parts.next())?;
        let truncated = categories.next.is_some() || rules.next.is_some() || rules.value.len() > SHOWN;
        let names = categories.value.into_iter().filter_map(|category| category.display_name);
        Ok(Answer::of(&Shown {
            timezone: settings.time_zone.map(|zone| clean(&zone, 100)),
            working_hours: settings.working_hours.map(Hours::shown),
            auto_reply: settings.automatic_replies_setting.map(Automatic::shown),
            categories: names.take(SHOWN).map(|name| clean(&name, 255)).collect(),
            rules: rules.value.into_iter().take(SHOWN).map(Rule::shown).collect(),
            truncated,
        }))
    }
}

fn requests() -> Result<[GraphRequest; 3], ToolError> {
    let me = Segment::Word("me");
    let get = |path: &[Segment<'_>]| GraphRequest::new(Method::Get, path).map(|request| request.prefer(IMMUTABLE));
    let rules = [me, Segment::Word("mailFolders"), Segment::Word("inbox"), Segment::Word("messageRules")];
    Ok([
        get(&[me, Segment::Word("mailboxSettings")])?.query("$select", "timeZone,workingHours,automaticRepliesSetting"),
        get(&[me, Segment::Word("outlook"), Segment::Word("masterCategories")])?
            .query("$select", "displayName")
            .query("$top", SHOWN.to_string()),
        get(&rules)?,
    ])
}

/// One part of the batch; one that failed fails the whole, because half the settings would mislead.
fn part<T: serde::de::DeserializeOwned>(outcome: Option<Result<Value, ToolError>>) -> Result<T, ToolError> {
    let unreadable = || {
        let failure = crate::graph::Failure::of(crate::graph::Origin::Graph, "UnreadableAnswer");
        ToolError::Graph { failure, repeatable: true }
    };
    crate::json::read_value(outcome.ok_or_else(unreadable)??).map_err(|_| unreadable())
}

impl Hours {
    fn shown(self) -> Value {
        let clock = |time: Option<String>| time.unwrap_or_default().chars().take(5).collect::<String>();
        let zone = self.time_zone.and_then(|zone| zone.name);
        json!({"days": self.days_of_week, "start": clock(self.start_time), "end": clock(self.end_time), "zone": zone})
    }
}

impl Automatic {
    fn shown(self) -> Value {
        let status = self.status.unwrap_or_default();
        let mut shown = json!({ "status": status });
        let written = |html: Option<String>| {
            html.map(|html| text::body("html", &html, REPLY, true).text).filter(|text| !text.is_empty())
        };
        let moment = |at: Option<Moment>| at.map(|at| json!({"at": at.date_time, "zone": at.time_zone}));
        let scheduled = status == "scheduled";
        let members = [
            ("internal", written(self.internal_reply_message).map(Value::from)),
            ("external", written(self.external_reply_message).map(Value::from)),
            ("externalAudience", self.external_audience.map(Value::from)),
            ("start", moment(self.scheduled_start_date_time).filter(|_| scheduled)),
            ("end", moment(self.scheduled_end_date_time).filter(|_| scheduled)),
        ];
        for (name, value) in members {
            if let (Some(value), Value::Object(fields)) = (value, &mut shown) {
                fields.insert(name.to_owned(), value);
            }
        }
        shown
    }
}

impl Rule {
    fn shown(self) -> Value {
        let mut shown = json!({
            "id": self.id, "name": clean(&self.display_name.unwrap_or_default(), 255),
            "enabled": self.is_enabled == Some(true), "if": self.conditions, "unless": self.exceptions,
            "then": self.actions,
        });
        compact(&mut shown);
        shown
    }
}

/// Without what a rule does not say, and without what nobody can see in what it says.
fn compact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(compact);
            members.retain(|name, member| !member.is_null() && !name.starts_with('@'));
        }
        Value::Array(items) => items.iter_mut().for_each(compact),
        Value::String(text) => *text = clean(text, 500),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
