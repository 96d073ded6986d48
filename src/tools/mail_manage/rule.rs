//! A rule of the inbox, as an argument and as Graph takes it.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::tools::ToolError;
use crate::tools::address::{Addresses, Recipient};
use crate::tools::arguments::{LINE, identifier, line, several};
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
        let mut path = vec![Segment::Word("me"), Segment::Word("mailFolders"), Segment::Word("inbox")];
        path.push(Segment::Word("messageRules"));
        if let Some(id) = &self.id {
            path.push(Segment::Value(identifier("rule.id", id)?));
        }
        let build = |method| GraphRequest::new(method, &path).map(|request| request.prefer(IMMUTABLE));
        let body = self.body()?;
        match (&self.id, self.delete == Some(true), body.as_object().is_none_or(serde_json::Map::is_empty)) {
            (Some(_), true, true) => Ok(build(Method::Delete)?),
            (Some(_), true, false) => Err(ToolError::argument("rule.delete", "goes with rule.id alone")),
            (Some(_), false, false) => Ok(build(Method::Patch)?.body(body).repeatable()),
            (Some(_), false, true) => Err(ToolError::argument("rule", "says nothing that would change")),
            (None, true, _) => Err(ToolError::argument("rule.id", "is needed to delete: getMailboxSettings has it")),
            (None, false, _) => Ok(build(Method::Post)?.body(whole(body)?)),
        }
    }

    fn body(&self) -> Result<Value, ToolError> {
        let mut body = json!({});
        if let Some(name) = &self.name {
            body["displayName"] = json!(line("rule.name", name, LINE)?);
        }
        if let Some(from) = &self.from {
            body["conditions"]["fromAddresses"] = json!(Recipient::all(&from.required("rule.from")?));
        }
        if let Some(words) = &self.subject_contains {
            let words = several("rule.subjectContains", words, MOST)?.iter();
            let words: Vec<_> = words.map(|word| line("rule.subjectContains", word, LINE)).collect::<Result<_, _>>()?;
            body["conditions"]["subjectContains"] = json!(words);
        }
        if let Some(folder) = &self.move_to {
            body["actions"]["moveToFolder"] = json!(identifier("rule.moveTo", folder)?);
        }
        for (name, value) in [("markAsRead", self.mark_read), ("stopProcessingRules", self.stop)] {
            if let Some(value) = value {
                body["actions"][name] = json!(value);
            }
        }
        Ok(body)
    }
}

/// A new rule needs a name, something to look for and something to do; one without conditions would take every mail.
fn whole(mut body: Value) -> Result<Value, ToolError> {
    for (member, argument, problem) in [
        ("displayName", "rule.name", "a new rule needs a name"),
        ("conditions", "rule.from", "a new rule needs from or subjectContains"),
        ("actions", "rule.moveTo", "a new rule needs moveTo, markRead or stop"),
    ] {
        if body.get(member).is_none() {
            return Err(ToolError::argument(argument, problem));
        }
    }
    body["sequence"] = json!(1);
    body["isEnabled"] = json!(true);
    Ok(body)
}
