//! What others see of the user: the presence that is preferred over what Teams would show, and the status message.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;
use crate::tools::answer::Answer;
use crate::tools::call::Call;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, arguments, handle, schema, when};

/// The tool that sets it.
pub(super) const TOOL: Tool = Tool {
    name: "setPresence",
    title: "Set the own presence",
    description: "Set or clear the user's Teams availability or status.",
    kind: Kind::Write,
    preset: Preset::Teams,
    needs: &[Scope::PresenceReadWrite],
    also: &[],
    on_use: &[],
    example: r#"{"availability":"DoNotDisturb","statusMessage":"Writing","until":"2099-03-02T17:00:00+01:00"}"#,
    schema: schema::of::<SetPresence>,
    handler: handle::<SetPresence>,
};

/// Characters of a status message, as Teams has it.
const MESSAGE: usize = 280;

// What can be preferred. Graph takes each with one activity only, so nobody is asked for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
enum Availability {
    Available,
    Busy,
    DoNotDisturb,
    BeRightBack,
    Away,
    Offline,
    #[serde(rename = "clear")]
    Clear,
}

impl Availability {
    /// Graph's words for availability and activity; none to clear what was preferred.
    const fn words(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Available => Some(("Available", "Available")),
            Self::Busy => Some(("Busy", "Busy")),
            Self::DoNotDisturb => Some(("DoNotDisturb", "DoNotDisturb")),
            Self::BeRightBack => Some(("BeRightBack", "BeRightBack")),
            Self::Away => Some(("Away", "Away")),
            Self::Offline => Some(("Offline", "OffWork")),
            Self::Clear => None,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SetPresence {
    availability: Option<Availability>,
    /// Empty: clear
    status_message: Option<String>,
    /// With offset
    until: Option<String>,
}

/// A checked time at which it ends.
struct End {
    /// From now on, in ISO 8601.
    duration: String,
    /// In UTC, without its `Z`.
    clock: String,
}

#[async_trait(?Send)]
impl Input for SetPresence {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let message = self.status_message.as_deref().map(message).transpose()?;
        let end = self.until.as_deref().map(|until| End::parse(call, until)).transpose()?;
        let ends = self.availability.is_some_and(|chosen| chosen.words().is_some())
            || message.as_ref().is_some_and(|text| !text.is_empty());
        match (self.availability, &message) {
            (None, None) => return Err(ToolError::argument("availability", "say this, a statusMessage or both")),
            _ if end.is_some() && !ends => {
                return Err(ToolError::argument("until", "what is cleared does not end: leave it out"));
            }
            _ => {}
        }
        call.require(Scope::PresenceReadWrite)?;
        let own = call.context.caller.user.oid.to_string();
        let mut answer = Map::new();
        answer.insert("status".into(), "set".into());
        if let Some(chosen) = self.availability {
            call.send(&preferred(&own, chosen, end.as_ref())?).await?;
            answer.insert("availability".into(), json!(chosen));
            let note = "Others see it while the user is signed in to Teams somewhere.";
            answer.insert("note".into(), note.into());
        }
        if let Some(text) = message {
            match call.send(&status(&own, &text, end.as_ref())?).await {
                Ok(_) if text.is_empty() => answer.insert("statusMessage".into(), "cleared".into()),
                Ok(_) => answer.insert("statusMessage".into(), text.into()),
                // The availability is set, and that has to be told.
                Err(error) if self.availability.is_some() => {
                    answer.insert("errors".into(), json!([{"part": "statusMessage", "error": call.report(&error)}]))
                }
                Err(error) => return Err(error),
            };
        }
        if let Some(end) = end {
            answer.insert("until".into(), format!("{}Z", end.clock).into());
        }
        Ok(Answer::of(&answer))
    }
}

/// The text of a status; empty to clear it.
fn message(text: &str) -> Result<String, ToolError> {
    if text.trim().is_empty() { Ok(String::new()) } else { arguments::line("statusMessage", text, MESSAGE) }
}

impl End {
    fn parse(call: &Call<'_>, until: &str) -> Result<Self, ToolError> {
        let at = when::instant("until", until)?;
        let left = u64::try_from(at.unix_timestamp()).unwrap_or_default().saturating_sub(call.now());
        if left == 0 {
            return Err(ToolError::argument("until", "must be in the future"));
        }
        let clock = when::utc(at).trim_end_matches('Z').to_owned();
        Ok(Self { duration: format!("PT{}M", left.div_ceil(60)), clock })
    }
}

fn action(own: &str, action: &'static str, body: Value) -> Result<GraphRequest, ToolError> {
    let path = [Segment::Word("users"), Segment::Value(own), Segment::Word("presence"), Segment::Word(action)];
    // Said twice, it is still the same presence.
    Ok(GraphRequest::new(Method::Post, &path)?.body(body).repeatable())
}

fn preferred(own: &str, chosen: Availability, end: Option<&End>) -> Result<GraphRequest, ToolError> {
    let Some((availability, activity)) = chosen.words() else {
        return action(own, "clearUserPreferredPresence", json!({}));
    };
    let mut body = json!({"availability": availability, "activity": activity});
    if let (Some(end), Value::Object(fields)) = (end, &mut body) {
        fields.insert("expirationDuration".into(), end.duration.clone().into());
    }
    action(own, "setUserPreferredPresence", body)
}

fn status(own: &str, text: &str, end: Option<&End>) -> Result<GraphRequest, ToolError> {
    let mut body = json!({"message": {"content": text, "contentType": "text"}});
    // A message that is cleared has no end.
    if let (Some(end), Value::Object(fields), false) = (end, &mut body, text.is_empty()) {
        fields.insert("expiryDateTime".into(), json!({"dateTime": end.clock, "timeZone": "UTC"}));
    }
    action(own, "setStatusMessage", json!({"statusMessage": body}))
}
