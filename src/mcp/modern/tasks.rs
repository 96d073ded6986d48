//! `tasks/get`, `tasks/update`, `tasks/cancel`: what is done with a call that went on as a task (extension
//! `io.modelcontextprotocol/tasks`). Its grant's object knows of it; a task of another grant is an unknown one.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::envelope::Params;
use super::in_json;
use super::methods::{complete, lacks_tasks, required};
use super::state;
use crate::agent::{Action, Called, TaskStep};
use crate::config::PresetSet;
use crate::mcp::call::Call;
use crate::mcp::confirm::confirm;
use crate::mcp::methods::Ask;
use crate::mcp::protocol::{Answer, RpcError};
use crate::mcp::{Turn, refuse};
use crate::web::Response;

/// A method on a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TaskMethod {
    Get,
    Update,
    Cancel,
}

impl TaskMethod {
    /// Reads a method's name. `tasks/list` and `tasks/result`, which an older revision had, are none.
    pub(super) fn parse(method: &str) -> Option<Self> {
        match method {
            "tasks/get" => Some(Self::Get),
            "tasks/update" => Some(Self::Update),
            "tasks/cancel" => Some(Self::Cancel),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Get => "tasks/get",
            Self::Update => "tasks/update",
            Self::Cancel => "tasks/cancel",
        }
    }

    /// Asks the object.
    pub(super) async fn answer(
        self,
        turn: &Turn<'_>,
        id: &RawValue,
        params: &Params<'_>,
    ) -> Result<Response, Response> {
        let exchange = turn.exchange;
        let holder = turn.holder(None).ok_or_else(|| turn.sign_in_first())?;
        let action = match self.action(params) {
            Ok(action) => action,
            Err(error) => {
                confirm(turn, None).await?;
                return Ok(in_json(id, &Answer::Error(error)));
            }
        };
        let ask = Ask { action, name: self.name(), presets: PresetSet::ALL };
        let called = Call::new(exchange, &holder, ask).run(exchange).await;
        let called = called.map_err(|failure| refuse::failed(&exchange.config, turn.endpoint, &failure))?;
        Ok(in_json(id, &concluded(called)))
    }

    fn action(self, params: &Params<'_>) -> Result<Action, RpcError> {
        if !params.knows_tasks() {
            return Err(lacks_tasks());
        }
        let id = required(params.task_id, "taskId")?.into_owned();
        let step = match self {
            Self::Get => TaskStep::Get,
            Self::Update => {
                TaskStep::Update(params.input_responses.map_or_else(|| Ok(BTreeMap::new()), state::answers)?)
            }
            Self::Cancel => TaskStep::Cancel,
        };
        Ok(Action::Task { id, step })
    }
}

fn concluded(called: Called) -> Answer {
    match called {
        Called::Done(result) => complete(Answer::Result(result.into()), None),
        Called::NotFound { .. } => Answer::Error(RpcError::invalid_params("unknown task, or its time is over")),
        Called::InputRequired { .. }
        | Called::CannotAsk { .. }
        | Called::OnStream(_)
        | Called::Task(_)
        | Called::Cancelled => Answer::Error(RpcError::new(-32603, "internal error")),
    }
}
