//! A tool that asks its client, tells it things and takes its time, as its arguments say. No catalogue lists it.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::ask::Elicited;
use super::call::Call;
use super::{Input, Kind, Outcome, Preset, Tool, handle, schema};
use crate::agent::{InputMethod, InputRequest, LogLevel};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};

pub(super) const TOOL: Tool = Tool {
    name: "probe",
    title: "Probe",
    description: "For tests",
    kind: Kind::Outward,
    preset: Preset::Core,
    needs: &[],
    also: &[],
    on_use: &[],
    example: "{}",
    schema: schema::of::<Probe>,
    handler: handle::<Probe>,
};

#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing to try by itself")]
struct Probe {
    /// Forms to show, one after another: their keys, which are their messages too
    confirm: Vec<String>,
    /// Put the time into each form, so that it is another question in another second
    timed: bool,
    /// Ask for roots and sampling at once
    both: bool,
    /// How often to say that it is further
    steps: u32,
    /// How often to write to the client's log
    lines: u32,
    /// Milliseconds to wait
    wait: u64,
    /// Ask Graph for the user
    graph: bool,
    /// Say that it will take long, before anything else
    defer: bool,
}

#[async_trait(?Send)]
impl Input for Probe {
    async fn run(self, call: &Call<'_>) -> Outcome {
        if self.defer {
            call.defer().await;
        }
        for step in 0..self.steps {
            call.progress(f64::from(step), Some(f64::from(self.steps)), None);
        }
        for line in 0..self.lines {
            call.log(LogLevel::Info, &json!(line));
        }
        let mut agreed = Vec::new();
        for key in &self.confirm {
            let message = if self.timed { format!("{key} {}", call.now()) } else { key.clone() };
            match call.elicit(key, &message, &json!({"type": "object", "properties": {}}))? {
                Elicited::Accepted(content) => agreed.push(content),
                Elicited::Declined => return Ok(Answer::of(&json!({"declined": key}))),
                Elicited::Cancelled => return Ok(Answer::of(&json!({"cancelled": key}))),
            }
        }
        if self.both {
            let request = |key: &str, method| InputRequest { key: key.to_owned(), method, params: json!({}) };
            let requests = vec![request("roots", InputMethod::ListRoots), request("words", InputMethod::Sample)];
            agreed.extend(call.ask_all(requests)?);
        }
        if self.wait > 0 {
            call.context.ports.timer.sleep(self.wait).await;
        }
        let graph = if self.graph {
            call.json::<Value>(&GraphRequest::new(Method::Get, &[Segment::Word("me")])?).await?
        } else {
            Value::Null
        };
        Ok(Answer::of(&json!({"agreed": agreed, "graph": graph})))
    }
}
