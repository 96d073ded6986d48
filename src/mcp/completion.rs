//! `completion/complete`: how the value of an argument may go on. Prompts know some of theirs; the ids of resource
//! templates come from tools and lists, so for them there is nothing to propose.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::protocol::{RpcError, params};
use crate::prompts;
use crate::tools::{self, View};

#[derive(Deserialize)]
struct Params {
    #[serde(rename = "ref")]
    reference: Reference,
    argument: Argument,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Reference {
    #[serde(rename = "ref/prompt")]
    Prompt { name: String },
    #[serde(rename = "ref/resource")]
    Resource { uri: String },
}

#[derive(Deserialize)]
struct Argument {
    name: String,
    value: String,
}

#[derive(Serialize)]
struct CompleteResult {
    completion: Completion,
}

/// All that there are: no argument has as many as a hundred values, the most that may go back at once.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Completion {
    values: Vec<&'static str>,
    total: usize,
    has_more: bool,
}

/// JSON text of the `CompleteResult`.
pub(super) fn complete(view: View, raw: Option<&RawValue>) -> Result<String, RpcError> {
    let Params { reference, argument } = params(raw)?;
    let values = match reference {
        Reference::Prompt { name } => {
            let prompt = prompts::find(&name).map_err(|error| RpcError::invalid_params(error.to_string()))?;
            let known = prompt.argument(&argument.name);
            known.ok_or_else(|| RpcError::invalid_params("unknown argument"))?.complete(&argument.value)
        }
        Reference::Resource { uri } if tools::is_listed(view, &uri) => Vec::new(),
        Reference::Resource { .. } => return Err(RpcError::invalid_params("unknown resource template")),
    };
    let completion = Completion { total: values.len(), values, has_more: false };
    serde_json::to_string(&CompleteResult { completion }).map_err(|_| RpcError::new(-32603, "internal error"))
}
