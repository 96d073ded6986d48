//! A rule of the inbox, as an argument and as Graph takes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::tools::ToolError;
use crate::tools::address::{Addresses, Recipient};
use crate::tools::arguments::{LINE, identifier, line, several};
use crate::tools::call::Call;
use crate::tools::outbox::IMMUTABLE;

/// Words that one rule looks for.
const MOST: usize = 20;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RuleChange {
    /// To change or delete
    id: Option<String>,
    delete: Option<bool>,
    name: Option<String>,
    from: Option<Addresses>,
    subject_contains: Option<Vec<String>>,
    /// Folder id
    move_to: Option<String>,
    mark_read: Option<bool>,
    /// true: no further rules
    stop: Option<bool>,
}

impl RuleChange {
    /// The request that creates, changes or deletes the rule.
    pub fn request(&self) -> Result<GraphRequest, ToolError> {
        let body = self.body()?;
        match (&self.id, self.delete == Some(true), body == Body::default()) {
            (Some(_), true, true) => self.at(Method::Delete),
            (Some(_), true, false) => Err(ToolError::argument("rule.delete", "goes with rule.id alone")),
            (Some(_), false, false) => Ok(self.at(Method::Patch)?.body(json!(body)).repeatable()),
            (Some(_), false, true) => Err(ToolError::argument("rule", "says nothing that would change")),
            (None, true, _) => Err(ToolError::argument("rule.id", "is needed to delete: getMailboxSettings has it")),
            (None, false, _) => Ok(self.at(Method::Post)?.body(json!(body.whole()?))),
        }
    }

    /// A request to the rule, or to the list of rules.
    fn at(&self, method: Method) -> Result<GraphRequest, ToolError> {
        let mut path = vec![Segment::Word("me"), Segment::Word("mailFolders"), Segment::Word("inbox")];
        path.push(Segment::Word("messageRules"));
        if let Some(id) = &self.id {
            path.push(Segment::Value(identifier("rule.id", id)?));
        }
        Ok(GraphRequest::new(method, &path)?.prefer(IMMUTABLE))
    }

    /// The request with what the rule has besides. Graph replaces its conditions as a whole and its actions as well, so
    /// a change of one of them alone would let the rule take other mails, or do less with them.
    pub async fn kept(&self, call: &Call<'_>, mut request: GraphRequest) -> Result<GraphRequest, ToolError> {
        let parts = ["conditions", "actions"];
        let change = request.body.as_mut().and_then(Value::as_object_mut).filter(|_| request.method == Method::Patch);
        let Some(change) = change.filter(|change| parts.iter().any(|part| change.contains_key(*part))) else {
            return Ok(request);
        };
        let mut rule: Map<String, Value> = call.json(&self.at(Method::Get)?).await?;
        for (part, wanted) in change.iter_mut().filter(|(part, _)| parts.contains(&part.as_str())) {
            if let (Some(Value::Object(mut all)), Value::Object(wanted)) = (rule.remove(part), wanted) {
                all.retain(|_, value| !value.is_null());
                all.append(wanted);
                *wanted = all;
            }
        }
        Ok(request)
    }

    fn body(&self) -> Result<Body, ToolError> {
        let from = self.from.as_ref().map(|from| from.required("rule.from")).transpose()?;
        let words = self.subject_contains.as_deref().map(words).transpose()?;
        let folder = self.move_to.as_deref().map(|folder| identifier("rule.moveTo", folder)).transpose()?;
        let conditions =
            Conditions { from_addresses: from.map(|from| json!(Recipient::all(&from))), subject_contains: words };
        let actions = Actions {
            move_to_folder: folder.map(str::to_owned),
            mark_as_read: self.mark_read,
            stop_processing_rules: self.stop,
        };
        Ok(Body {
            display_name: self.name.as_deref().map(|name| line("rule.name", name, LINE)).transpose()?,
            conditions: Some(conditions).filter(|conditions| *conditions != Conditions::default()),
            actions: Some(actions).filter(|actions| *actions != Actions::default()),
            ..Body::default()
        })
    }
}

fn words(words: &[String]) -> Result<Vec<String>, ToolError> {
    let name = "rule.subjectContains";
    several(name, words, MOST)?.iter().map(|word| line(name, word, LINE)).collect()
}

/// Graph's messageRule, as far as one is made or changed here.
#[derive(Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conditions: Option<Conditions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<Actions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_enabled: Option<bool>,
}

#[derive(Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Conditions {
    #[serde(skip_serializing_if = "Option::is_none")]
    from_addresses: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_contains: Option<Vec<String>>,
}

#[derive(Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Actions {
    #[serde(skip_serializing_if = "Option::is_none")]
    move_to_folder: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mark_as_read: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_processing_rules: Option<bool>,
}

impl Body {
    /// A new rule needs a name, something to look for and something to do; one without conditions would take every mail.
    fn whole(self) -> Result<Self, ToolError> {
        for (given, argument, problem) in [
            (self.display_name.is_some(), "rule.name", "a new rule needs a name"),
            (self.conditions.is_some(), "rule.from", "a new rule needs from or subjectContains"),
            (self.actions.is_some(), "rule.moveTo", "a new rule needs moveTo, markRead or stop"),
        ] {
            if !given {
                return Err(ToolError::argument(argument, problem));
            }
        }
        Ok(Self { sequence: Some(1), is_enabled: Some(true), ..self })
    }
}
