//! Marking mails: read, flagged, categories, importance. All values are absolute, so that a repetition changes nothing.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::many;
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::arguments::{LINE, line};
use crate::tools::call::Call;
use crate::tools::mailbox::Mailbox;
use crate::tools::outbox::IMMUTABLE;
use crate::tools::when::{self, Moment};
use crate::tools::zone::{self, Zone};
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: "updateEmails",
    title: "Mark emails",
    description: "Mark up to 20 emails: read, flag, categories, importance.",
    kind: Kind::Write,
    preset: Preset::Mail,
    needs: &[Scope::MailReadWrite],
    also: &[],
    on_use: &[Scope::MailReadWriteShared],
    example: r#"{"ids":["AAkALgAA="],"read":true,"flag":"flagged","dueDate":"2026-03-02"}"#,
    schema: schema::of::<UpdateEmails>,
    handler: handle::<UpdateEmails>,
};

/// Categories of one mail.
const MOST_CATEGORIES: usize = 25;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Flag {
    Flagged,
    Complete,
    NotFlagged,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Importance {
    Low,
    Normal,
    High,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct UpdateEmails {
    #[schemars(length(min = 1, max = 20))]
    ids: Vec<String>,
    read: Option<bool>,
    flag: Option<Flag>,
    /// YYYY-MM-DD, with flag=flagged
    due_date: Option<String>,
    /// Replace those it has; [] for none
    categories: Option<Vec<String>>,
    importance: Option<Importance>,
    /// Shared mailbox address
    mailbox: Option<String>,
}

/// Graph's message, as far as a mark changes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changes {
    #[serde(skip_serializing_if = "Option::is_none")]
    is_read: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flag: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    categories: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    importance: Option<Importance>,
}

#[async_trait(?Send)]
impl Input for UpdateEmails {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        let ids = many::checked(&self.ids)?;
        let due = self.due()?;
        let categories = self.categories.as_deref().map(categories).transpose()?;
        let asked = [self.read.is_some(), self.flag.is_some(), categories.is_some(), self.importance.is_some()];
        if !asked.contains(&true) {
            return Err(ToolError::argument("read", "give read, flag, categories or importance"));
        }
        mailbox.require(call, Scope::MailReadWrite, Scope::MailReadWriteShared)?;
        let flag = match (self.flag, due) {
            (Some(_), Some(day)) => Some(due_flag(call, &day).await?),
            (flag, _) => flag.map(|flag| json!({ "flagStatus": flag })),
        };
        let changes = Changes { is_read: self.read, flag, categories, importance: self.importance };
        let changes = serde_json::to_value(&changes).unwrap_or_default();
        let requests: Vec<_> = ids.iter().map(|id| mark(&mailbox, id, &changes)).collect::<Result<_, _>>()?;
        many::change(call, "updated", ids, &requests).await
    }
}

impl UpdateEmails {
    /// The day by which a flagged mail is due, at its first minute.
    fn due(&self) -> Result<Option<String>, ToolError> {
        let Some(text) = &self.due_date else { return Ok(None) };
        if self.flag != Some(Flag::Flagged) {
            return Err(ToolError::argument("dueDate", "needs flag=flagged"));
        }
        match when::moment("dueDate", text)? {
            Moment::Day(day) => Ok(Some(when::local(when::midnight(day)))),
            Moment::Local(_) | Moment::Instant(_) => {
                Err(ToolError::argument("dueDate", "needs a day without a time, such as 2026-03-02"))
            }
        }
    }
}

fn mark(mailbox: &Mailbox, id: &str, changes: &Value) -> Result<GraphRequest, ToolError> {
    let path = mailbox.path(&[Segment::Word("messages"), Segment::Value(id)]);
    Ok(GraphRequest::new(Method::Patch, &path)?.prefer(IMMUTABLE).body(changes.clone()).repeatable())
}

/// Graph takes no due date without a start, and both are days of the mailbox's zone.
async fn due_flag(call: &Call<'_>, day: &str) -> Result<Value, ToolError> {
    let zone = match zone::choose(call, None).await? {
        Zone::Known(zone) => zone,
        Zone::Unknown => "UTC".to_owned(),
    };
    let at = json!({"dateTime": day, "timeZone": zone});
    Ok(json!({"flagStatus": Flag::Flagged, "startDateTime": at, "dueDateTime": at}))
}

fn categories(list: &[String]) -> Result<Vec<String>, ToolError> {
    if list.len() > MOST_CATEGORIES {
        let problem = format!("{} given, at most {MOST_CATEGORIES} are taken", list.len());
        return Err(ToolError::argument("categories", problem));
    }
    list.iter().map(|name| line("categories", name, LINE)).collect()
}
