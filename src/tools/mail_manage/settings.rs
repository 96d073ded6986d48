//! Changing the settings of the mailbox, one a call: so that a failure never leaves half of what was asked for.
//!
//! A rule can move and mark mails. It can neither forward nor delete them: rules that do are how stolen mailboxes leak.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::rule::RuleChange;
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::Answer;
use crate::tools::arguments::{BODY, LINE, line, prose};
use crate::tools::call::Call;
use crate::tools::outbox::IMMUTABLE;
use crate::tools::policy::{self, Deed};
use crate::tools::reach::Reach;
use crate::tools::zone::{self, Zone};
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema, when};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "updateMailboxSettings",
    title: "Change mailbox settings",
    description: "Set the automatic reply or time zone, add a category, or create, change or delete an inbox rule; one of these a call.",
    kind: Kind::Destructive,
    preset: Preset::Mail,
    needs: &[Scope::MailboxSettingsReadWrite],
    also: &[],
    on_use: &[],
    example: r#"{"autoReply":{"status":"alwaysEnabled","internal":"Back on Monday."}}"#,
    schema: schema::of::<UpdateMailboxSettings>,
    handler: handle::<UpdateMailboxSettings>,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct UpdateMailboxSettings {
    auto_reply: Option<AutoReply>,
    timezone: Option<String>,
    add_category: Option<String>,
    rule: Option<RuleChange>,
    /// Only say what it would do
    dry_run: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Status {
    Disabled,
    AlwaysEnabled,
    Scheduled,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AutoReply {
    status: Status,
    /// ISO date-time with offset, to schedule
    start: Option<String>,
    end: Option<String>,
    internal: Option<String>,
    /// Without it, outsiders get none
    external: Option<String>,
}

/// Graph's automaticRepliesSetting, switched on.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Setting {
    status: Status,
    internal_reply_message: String,
    external_audience: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_reply_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_start_date_time: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_end_date_time: Option<Value>,
}

/// A new rule or category.
#[derive(Deserialize)]
struct Made {
    id: String,
}

#[derive(Serialize)]
struct Updated {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

#[async_trait(?Send)]
impl Input for UpdateMailboxSettings {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let request = self.request(call).await?;
        call.require(Scope::MailboxSettingsReadWrite)?;
        if self.dry_run == Some(true) {
            let would = json!({"method": request.method.name(), "settings": request.route(), "with": request.body});
            return Ok(Answer::planned(&would));
        }
        if let Some(reply) = &self.auto_reply {
            policy::pass(call, &reply.deed(&request)).await?;
        }
        if self.timezone.is_some() {
            zone::forget(call)?;
        }
        let response = call.send(&request).await?;
        // It is done, whatever can be read of the answer.
        let made = response.json::<Made>().ok().filter(|_| request.method == Method::Post);
        Ok(Answer::of(&Updated { status: "updated", id: made.map(|made| made.id) }))
    }
}

impl UpdateMailboxSettings {
    async fn request(&self, call: &Call<'_>) -> Result<GraphRequest, ToolError> {
        match (&self.auto_reply, &self.timezone, &self.add_category, &self.rule) {
            (Some(reply), None, None, None) => settings(json!({ "automaticRepliesSetting": reply.checked()? })),
            (None, Some(zone), None, None) => match zone::choose(call, Some(zone)).await? {
                Zone::Known(zone) => settings(json!({ "timeZone": zone })),
                Zone::Unknown => Err(ToolError::argument("timezone", "not a zone name such as Europe/Berlin")),
            },
            (None, None, Some(name), None) => {
                let body = json!({"displayName": line("addCategory", name, LINE)?, "color": "none"});
                let path = [Segment::Word("me"), Segment::Word("outlook"), Segment::Word("masterCategories")];
                Ok(GraphRequest::new(Method::Post, &path)?.prefer(IMMUTABLE).body(body))
            }
            (None, None, None, Some(rule)) => rule.request(),
            _ => Err(ToolError::argument("autoReply", "give one of autoReply, timezone, addCategory and rule")),
        }
    }
}

fn settings(body: Value) -> Result<GraphRequest, ToolError> {
    let path = [Segment::Word("me"), Segment::Word("mailboxSettings")];
    Ok(GraphRequest::new(Method::Patch, &path)?.prefer(IMMUTABLE).body(body).repeatable())
}

impl AutoReply {
    /// Its going out, to whoever writes.
    fn deed<'a>(&'a self, request: &GraphRequest) -> Deed<'a> {
        let who = if self.external.is_some() { "whoever writes to you" } else { "colleagues who write to you" };
        let reach = match self.status {
            Status::Disabled => Reach::People(Vec::new()),
            Status::AlwaysEnabled | Status::Scheduled => Reach::Place { name: who, outside: self.external.is_some() },
        };
        Deed {
            question: "Switch this automatic reply on?",
            reach,
            text: ("html", self.external.as_ref().or(self.internal.as_ref()).map_or("", String::as_str)),
            content: request.body.clone().unwrap_or_default(),
            ..Deed::unseen()
        }
    }

    fn checked(&self) -> Result<Value, ToolError> {
        let text = |name: &str, given: Option<&String>| given.map(|text| prose(name, text, BODY)).transpose();
        let internal = text("autoReply.internal", self.internal.as_ref())?;
        let external = text("autoReply.external", self.external.as_ref())?;
        let range = self.range()?;
        if self.status == Status::Disabled {
            return Ok(json!({ "status": self.status }));
        }
        let Some(internal) = internal else {
            return Err(ToolError::argument("autoReply.internal", "what is the automatic reply to say?"));
        };
        let (start, end) = range.unzip();
        Ok(json!(Setting {
            status: self.status,
            internal_reply_message: internal,
            external_audience: if external.is_some() { "all" } else { "none" },
            external_reply_message: external,
            scheduled_start_date_time: start,
            scheduled_end_date_time: end,
        }))
    }

    fn range(&self) -> Result<Option<(Value, Value)>, ToolError> {
        let needed = || ToolError::argument("autoReply.start", "status=scheduled, and only that, needs start and end");
        let (start, end) = match (self.status, &self.start, &self.end) {
            (Status::Scheduled, Some(start), Some(end)) => (start, end),
            (Status::Disabled | Status::AlwaysEnabled, None, None) => return Ok(None),
            _ => return Err(needed()),
        };
        let (start, end) = (when::instant("autoReply.start", start)?, when::instant("autoReply.end", end)?);
        if start >= end {
            return Err(ToolError::argument("autoReply.end", "must be later than start"));
        }
        let moment = |at| json!({"dateTime": when::utc(at).trim_end_matches('Z'), "timeZone": "UTC"});
        Ok(Some((moment(start), moment(end))))
    }
}
