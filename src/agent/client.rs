//! What a call knows of its client: what it can be asked, what it wants to hear, and what it answered so far.
//!
//! A call is stateless whatever the client's age (the multi-round-trip requests of MCP 2026-07-28): a tool asks by key,
//! and where the answer has not come yet the call ends with its questions. The client's answers come with a second run
//! of the same call from its start. Who carries the [`Dialogue`] from one run to the next is the protocol's affair: the
//! client itself, sealed, or the grant's object.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::streams::StreamName;
use crate::crypto::Digest;

/// What a client said it can do, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientCapabilities(pub u8);

impl ClientCapabilities {
    /// Asks its model.
    pub const SAMPLING: u8 = 1;
    /// Shows its user a form.
    pub const ELICITATION: u8 = 2;
    /// Sends its user to a page.
    pub const ELICITATION_URL: u8 = 4;
    /// Lists the folders that it works on.
    pub const ROOTS: u8 = 8;
    /// Takes a task for the answer to a call, and asks after it. Counts for the one request that says so.
    pub const TASKS: u8 = 16;

    /// Whether it knows tasks.
    pub const fn knows_tasks(self) -> bool {
        self.0 & Self::TASKS != 0
    }

    /// Whether it answers requests of this kind.
    pub const fn allow(self, method: InputMethod) -> bool {
        let bit = match method {
            InputMethod::Elicit => Self::ELICITATION,
            InputMethod::Sample => Self::SAMPLING,
            InputMethod::ListRoots => Self::ROOTS,
        };
        self.0 & bit != 0
    }
}

/// Severities of RFC 5424, least severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "RFC 5424 section 6.2.1 says what each means")]
pub enum LogLevel {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

/// The client of one call.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Client {
    /// What it can be asked.
    pub capabilities: ClientCapabilities,
    /// The least severe log message that it wants; `None`: none at all.
    pub log_level: Option<LogLevel>,
    /// JSON text of the `progressToken` of the call, a string or an integer.
    pub progress_token: Option<String>,
    /// The stream on which it may be told things while the call runs: one of the call's own, which ends with it, or its
    /// session's.
    pub stream: Option<StreamName>,
    /// Whether it comes back to that stream when its connection ends before the answer: it was given an event for that.
    pub returns: bool,
    /// What was asked and answered in earlier runs of the call.
    pub dialogue: Dialogue,
}

/// Why the answers to some questions are not there.
#[derive(Clone, Debug, PartialEq)]
pub enum Unanswered {
    /// The client does not answer such questions.
    CannotAsk(InputMethod),
    /// They are open.
    Open(Vec<InputRequest>),
}

impl Client {
    /// The answers to `requests`, in their order.
    pub fn answers(&self, requests: Vec<InputRequest>) -> Result<Vec<InputAnswer>, Unanswered> {
        let mut answers = Vec::new();
        let mut open = Vec::new();
        for request in requests {
            match self.dialogue.answer(&request) {
                Some(answer) => answers.push(answer.clone()),
                None => open.push(request),
            }
        }
        match open.iter().find(|request| !self.capabilities.allow(request.method)) {
            Some(request) => Err(Unanswered::CannotAsk(request.method)),
            None if open.is_empty() => Ok(answers),
            None => Err(Unanswered::Open(open)),
        }
    }
}

/// What a client may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputMethod {
    /// `elicitation/create`, as a form.
    #[serde(rename = "elicitation/create")]
    Elicit,
    /// `sampling/createMessage`.
    #[serde(rename = "sampling/createMessage")]
    Sample,
    /// `roots/list`.
    #[serde(rename = "roots/list")]
    ListRoots,
}

impl InputMethod {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Elicit => "elicitation/create",
            Self::Sample => "sampling/createMessage",
            Self::ListRoots => "roots/list",
        }
    }

    /// The capability that a client declares for it.
    pub const fn capability(self) -> &'static str {
        match self {
            Self::Elicit => "elicitation",
            Self::Sample => "sampling",
            Self::ListRoots => "roots",
        }
    }
}

/// A question to the client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputRequest {
    /// The tool's name for it, the same in every run.
    pub key: String,
    /// What it is asked.
    pub method: InputMethod,
    /// The request's params.
    pub params: Value,
}

impl InputRequest {
    /// What an answer is bound to: who agreed to one question did not agree to another of the same key.
    pub fn digest(&self) -> Digest {
        Digest::of(format!("{}\n{}", self.method.name(), self.params).as_bytes())
    }
}

/// The questions of one call and their answers, over all its runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialogue {
    /// By the tool's key.
    pub questions: BTreeMap<String, Question>,
    /// What the tool wants to know again in the next run.
    pub memory: Option<String>,
    /// Answers that came before anything was asked, by key. They are bound to no question, so none can mean consent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub loose: BTreeMap<String, InputAnswer>,
}

/// A question that was put to the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// [`InputRequest::digest`].
    pub asked: Digest,
    /// What came back, if anything did.
    pub answer: Option<InputAnswer>,
}

/// What a client answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputAnswer {
    /// JSON text of the result.
    Result(String),
    /// It could not.
    Failed,
}

impl Dialogue {
    /// The answer to exactly this question.
    pub fn answer(&self, request: &InputRequest) -> Option<&InputAnswer> {
        let question = self.questions.get(&request.key)?;
        if question.asked.matches(&request.digest()) { question.answer.as_ref() } else { None }
    }

    /// Notes a question that goes out; what was answered to another of its key counts no more.
    pub fn note(&mut self, request: &InputRequest) {
        self.questions.insert(request.key.clone(), Question { asked: request.digest(), answer: None });
    }

    /// Takes the answer to an open question. One that nobody asked for is ignored.
    pub fn take(&mut self, key: &str, answer: InputAnswer) {
        if let Some(question) = self.questions.get_mut(key) {
            question.answer.get_or_insert(answer);
        }
    }
}

/// What went out on a call's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Spoken {
    /// The answer.
    Answer,
    /// The answer that the tool failed.
    ToolError,
    /// Questions; the answer follows theirs.
    Questions,
}

impl Spoken {
    /// In a log line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answer => "ok",
            Self::ToolError => "tool-error",
            Self::Questions => "input-required",
        }
    }

    /// What a result is. Looks for the member in the text instead of parsing it: text within a JSON string cannot look
    /// like it, because its quotes are escaped.
    pub fn of(result: &str) -> Self {
        if result.contains("\"isError\":true") { Self::ToolError } else { Self::Answer }
    }
}

/// What came of one run of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Called {
    /// It is done. JSON text of the result.
    Done(String),
    /// The client must answer these first.
    InputRequired {
        /// What is open.
        requests: Vec<InputRequest>,
        /// Comes along with the next run, the answers filled in.
        dialogue: Dialogue,
    },
    /// There is no such resource, or task.
    NotFound {
        /// What was asked for.
        uri: String,
    },
    /// The call needs to ask what its client does not answer.
    CannotAsk {
        /// What it would have asked.
        method: InputMethod,
        /// JSON text of the result that says so, for revisions that have no error for it.
        told: String,
    },
    /// What it comes to has gone out on the stream.
    OnStream(Spoken),
    /// The client took it back. Nothing goes out any more.
    Cancelled,
    /// It goes on as a task. JSON text of the task.
    Task(String),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_agreed_to_one_question_did_not_agree_to_another_of_its_key() {
        let asked = |to: &str| InputRequest {
            key: "send".to_owned(),
            method: InputMethod::Elicit,
            params: json!({ "message": to }),
        };
        let mut dialogue = Dialogue::default();
        dialogue.note(&asked("to Adele"));
        dialogue.take("send", InputAnswer::Result("{}".to_owned()));
        assert!(dialogue.answer(&asked("to Adele")).is_some());
        assert_eq!(dialogue.answer(&asked("to everybody")), None);
        dialogue.note(&asked("to everybody"));
        assert_eq!(dialogue.answer(&asked("to everybody")), None, "asked anew, it is open");
    }
}
