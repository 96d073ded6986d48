//! Tool calls and resources, and what a client says to them while they run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Correlation, Presented};
use crate::agent::client::{Client, InputAnswer};
use crate::agent::wishes::Wish;
use crate::config::PresetSet;

/// A tool call or resource read.
#[derive(Debug, Serialize, Deserialize)]
pub struct CallCommand {
    /// Who asks.
    pub presented: Presented,
    /// Joins the log lines.
    pub correlation: Correlation,
    /// What is asked.
    pub action: Action,
    /// The presets that the client's URL leaves.
    #[serde(default = "PresetSet::all")]
    pub presets: PresetSet,
    /// Whether a want of permission can still be told by an HTTP status.
    pub may_challenge: bool,
    /// What is known of the client.
    pub client: Client,
    /// JSON text of the request's id within its legacy session. Where there is a stream the answer goes out on it, under
    /// this id; a stateless call has none, and its answer goes back with the reply.
    pub request: Option<String>,
}

/// An answer to a request of ours.
#[derive(Debug, Serialize, Deserialize)]
pub struct AnswerCommand {
    /// Who answers.
    pub presented: Presented,
    /// The id of our request.
    pub id: String,
    /// What it says.
    pub answer: InputAnswer,
}

/// A call is taken back by whoever made it.
#[derive(Debug, Serialize, Deserialize)]
pub struct CancelCommand {
    /// Who asks.
    pub presented: Presented,
    /// Which.
    pub call: CallName,
}

/// A call that may still run. A name of nothing that does is no error: it may have ended meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallName {
    /// A stateless one, by the [`Correlation::request_id`] that it came with.
    Run(String),
    /// One of the presented session, by its request's id.
    Request(String),
}

impl CallName {
    /// Of JSON text of an id, which may be spelt in more than one way.
    pub fn of_request(id: &str) -> Self {
        let said = serde_json::from_str::<serde_json::Value>(id).map(|value| value.to_string());
        Self::Request(said.unwrap_or_else(|_| id.to_owned()))
    }
}

/// What is asked of a grant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Action {
    /// `tools/call`.
    Tool {
        /// A name that the catalogue holds.
        name: String,
        /// JSON text of `arguments`; `{}` when absent.
        arguments: String,
    },
    /// `resources/read`.
    Resource {
        /// A URI that the catalogue holds.
        uri: String,
    },
    /// What the client of a legacy session wants to be told from now on.
    Wish(Wish),
    /// `tasks/get`, `tasks/update` or `tasks/cancel`.
    Task {
        /// Which.
        id: String,
        /// What of it.
        step: TaskStep,
    },
}

/// What is asked of a task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum TaskStep {
    /// How far it is, and what it came to.
    Get,
    /// It gets these answers to its questions.
    Update(BTreeMap<String, InputAnswer>),
    /// It is taken back.
    Cancel,
}
