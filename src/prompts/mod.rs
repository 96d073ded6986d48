//! Prompts: what a person starts a conversation with. Each is one declarative value; the text tells the model which
//! tools to call, and for what.
//!
//! Owns the catalogue of prompts, their arguments and the completion of these. They ask nothing of Graph: what a prompt
//! is about, the model reads by tools, under the permissions of its caller.

#[cfg(feature = "conformance")]
mod fixtures;
mod work;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Serialize;

use crate::agent::{Called, Client, InputAnswer, InputRequest, Unanswered};
use crate::tools::content::Block;
use crate::tools::icon::Icon;

/// Longest value of an argument.
const LONGEST: usize = 200;

/// One prompt.
pub struct Prompt {
    /// Its name.
    pub name: &'static str,
    title: &'static str,
    description: &'static str,
    icon: Option<Icon>,
    /// What it takes.
    pub arguments: &'static [Argument],
    /// What its client is asked first.
    questions: fn() -> Vec<InputRequest>,
    render: fn(&Values<'_>) -> Vec<Message>,
}

/// One argument; its value is always text.
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    description: &'static str,
    required: bool,
    /// Values that it is completed with; it takes others as well.
    values: &'static [&'static str],
}

/// What a prompt is made of.
struct Values<'a> {
    given: &'a BTreeMap<String, String>,
    /// In the order of the questions.
    #[cfg_attr(not(feature = "conformance"), expect(dead_code, reason = "no prompt of the catalogue asks anything"))]
    answers: Vec<InputAnswer>,
}

impl Values<'_> {
    /// A value, or what stands for it where it was left out.
    fn or(&self, name: &str, default: &'static str) -> Cow<'static, str> {
        self.given.get(name).map_or(Cow::Borrowed(default), |value| value.clone().into())
    }
}

/// One message of a prompt. All are the user's.
#[derive(Serialize)]
struct Message {
    role: &'static str,
    content: Block,
}

impl Message {
    fn of(content: Block) -> Self {
        Self { role: "user", content }
    }
}

/// Why a prompt cannot be had as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// There is none of this name.
    #[error("unknown prompt")]
    Unknown,
    /// It cannot be used without this argument.
    #[error("missing argument: {0}")]
    Missing(&'static str),
    /// It has no such argument.
    #[error("an argument that this prompt does not have")]
    Foreign,
    /// A value is too long, or holds what cannot be seen.
    #[error("{0}: one line of at most {LONGEST} characters")]
    Unusable(&'static str),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    arguments: Vec<ArgumentEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icons: Option<[Icon; 1]>,
}

#[derive(Serialize)]
struct ArgumentEntry {
    name: &'static str,
    description: &'static str,
    required: bool,
}

#[derive(Serialize)]
struct GetPromptResult {
    description: &'static str,
    messages: Vec<Message>,
}

const FAMILIES: &[&[Prompt]] = &[
    work::PROMPTS,
    #[cfg(feature = "conformance")]
    fixtures::PROMPTS,
];

/// Every prompt, always in the same order.
pub fn catalogue() -> impl Iterator<Item = &'static Prompt> {
    FAMILIES.iter().copied().flatten()
}

/// The prompt of this name.
pub fn find(name: &str) -> Result<&'static Prompt, PromptError> {
    catalogue().find(|prompt| prompt.name == name).ok_or(PromptError::Unknown)
}

/// JSON text of the array that `prompts/list` answers with; made once per isolate.
pub fn list_json() -> &'static str {
    static LIST: OnceLock<String> = OnceLock::new();
    LIST.get_or_init(|| {
        let entries: Vec<_> = catalogue().map(Prompt::entry).collect();
        serde_json::to_string(&entries).unwrap_or_else(|_| "[]".to_owned())
    })
}

impl Prompt {
    fn entry(&self) -> Entry {
        let arguments = self.arguments.iter().map(|argument| ArgumentEntry {
            name: argument.name,
            description: argument.description,
            required: argument.required,
        });
        Entry {
            name: self.name,
            title: self.title,
            description: self.description,
            arguments: arguments.collect(),
            icons: self.icon.map(|icon| [icon]),
        }
    }

    /// The argument of this name.
    pub fn argument(&self, name: &str) -> Option<&'static Argument> {
        self.arguments.iter().find(|argument| argument.name == name)
    }
}

/// A prompt with its arguments.
pub struct Request {
    prompt: &'static Prompt,
    given: BTreeMap<String, String>,
}

/// Checks what was asked for. An empty value is none: forms send it for what was left blank.
pub fn request(name: &str, mut given: BTreeMap<String, String>) -> Result<Request, PromptError> {
    let prompt = find(name)?;
    given.retain(|_, value| !value.trim().is_empty());
    for argument in prompt.arguments {
        match given.get(argument.name) {
            Some(value) if !is_line(value) => return Err(PromptError::Unusable(argument.name)),
            None if argument.required => return Err(PromptError::Missing(argument.name)),
            Some(_) | None => {}
        }
    }
    if given.keys().any(|name| prompt.argument(name).is_none()) {
        return Err(PromptError::Foreign);
    }
    Ok(Request { prompt, given })
}

impl Request {
    /// What tells it from every other one.
    pub fn identity(&self) -> String {
        serde_json::json!([self.prompt.name, self.given]).to_string()
    }

    /// JSON text of the `GetPromptResult`, or what the client must answer first.
    pub fn get(&self, client: &Client) -> Called {
        let answers = match client.answers((self.prompt.questions)()) {
            Ok(answers) => answers,
            Err(Unanswered::CannotAsk(method)) => return Called::CannotAsk { method, told: String::new() },
            Err(Unanswered::Open(requests)) => {
                let mut dialogue = client.dialogue.clone();
                for request in &requests {
                    dialogue.note(request);
                }
                return Called::InputRequired { requests, dialogue };
            }
        };
        let messages = (self.prompt.render)(&Values { given: &self.given, answers });
        let result = GetPromptResult { description: self.prompt.description, messages };
        Called::Done(serde_json::to_string(&result).unwrap_or_default())
    }
}

impl Argument {
    /// Values that go on as `begun` does.
    pub fn complete(&self, begun: &str) -> Vec<&'static str> {
        let begun = begun.to_lowercase();
        self.values.iter().copied().filter(|value| value.to_lowercase().starts_with(&begun)).collect()
    }
}

fn is_line(value: &str) -> bool {
    value.chars().count() <= LONGEST && !value.chars().any(char::is_control)
}
