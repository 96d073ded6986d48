//! What a handler asks of the client and tells it while it runs.
//!
//! A handler asks before it acts, because it runs again from its start with the answers.

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::error::ToolError;
use crate::agent::{Change, InputAnswer, InputMethod, InputRequest, LogLevel, Unanswered};

/// What a person made of a form.
#[derive(Debug, PartialEq)]
pub(super) enum Elicited {
    /// Filled in and sent.
    Accepted(Value),
    /// Refused.
    Declined,
    /// Closed without an answer.
    Cancelled,
}

#[derive(Deserialize)]
struct ElicitResult {
    action: Action,
    #[serde(default)]
    content: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Accept,
    Decline,
    Cancel,
}

impl Call<'_> {
    /// Whether the client answers requests of this kind at all.
    pub fn can_ask(&self, method: InputMethod) -> bool {
        self.context.conversation.client().capabilities.allow(method)
    }

    /// The client's answers to `requests`, in their order. Ends the run with all that is open.
    pub fn ask_all(&self, requests: Vec<InputRequest>) -> Result<Vec<Value>, ToolError> {
        let answers = self.context.conversation.client().answers(requests).map_err(|unanswered| match unanswered {
            Unanswered::CannotAsk(method) => ToolError::CannotAsk(method),
            Unanswered::Open(requests) => ToolError::InputRequired(requests),
        })?;
        answers.iter().map(read).collect()
    }

    /// The client's answer to one request.
    pub fn ask(&self, request: InputRequest) -> Result<Value, ToolError> {
        self.ask_all(vec![request])?.pop().ok_or(ToolError::NotAnswered)
    }

    /// The client's answer to one request, also where it came unasked. Not for what needs a person's consent.
    pub fn ask_loosely(&self, request: InputRequest, fits: fn(&Value) -> bool) -> Result<Value, ToolError> {
        let loose = self.context.conversation.client().dialogue.loose.get(&request.key);
        match loose.map(read) {
            Some(Ok(value)) if fits(&value) => Ok(value),
            Some(_) | None => self.ask(request),
        }
    }

    /// What the client's user makes of a form.
    pub fn elicit(&self, key: &str, message: &str, schema: &Value) -> Result<Elicited, ToolError> {
        let params = json!({ "message": message, "requestedSchema": schema });
        let answer = self.ask(InputRequest { key: key.to_owned(), method: InputMethod::Elicit, params })?;
        let result = ElicitResult::deserialize(answer).map_err(|_| ToolError::NotAnswered)?;
        Ok(match result.action {
            Action::Accept => Elicited::Accepted(result.content),
            Action::Decline => Elicited::Declined,
            Action::Cancel => Elicited::Cancelled,
        })
    }

    /// Says that the call will take long.
    pub async fn defer(&self) {
        self.context.conversation.defer().await;
    }

    /// Says how far the call has come.
    pub fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        self.context.conversation.progress(progress, total, message);
    }

    /// Says what this call changed, to those who asked to hear of it.
    pub fn changed(&self, change: Change) {
        self.context.conversation.change(change);
    }

    /// Says something for the client's log.
    pub fn log(&self, level: LogLevel, data: &Value) {
        self.context.conversation.log(level, self.name, data);
    }
}

fn read(answer: &InputAnswer) -> Result<Value, ToolError> {
    match answer {
        InputAnswer::Result(text) => serde_json::from_str(text).map_err(|_| ToolError::NotAnswered),
        InputAnswer::Failed => Err(ToolError::NotAnswered),
    }
}
