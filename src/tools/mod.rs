//! The catalogue: every tool is one declarative value in the file of its family, and everything that the protocol
//! says of it (list entry, annotations, schema, scopes) is read from that value.
//!
//! Owns what a tool asks of Graph and how it answers. Does not send (`graph::Graph` does), does not know the protocol's
//! revisions (`mcp` does). A tool's failure is an answer with `isError`, never a protocol error.

mod address;
mod answer;
mod arguments;
#[cfg_attr(
    not(feature = "conformance"),
    expect(dead_code, reason = "no tool of the catalogue has anything to ask or to say yet")
)]
mod ask;
mod attach;
mod calendar;
mod calendar_read;
mod calendar_write;
mod call;
mod chats;
mod contacts;
pub mod content;
mod core;
mod create;
mod cursor;
mod directory;
mod drive_item;
mod entry;
mod error;
mod event;
mod excel;
mod files_read;
mod files_write;
#[cfg(feature = "conformance")]
pub mod fixtures;
pub mod icon;
mod item;
mod item_resources;
mod ledger;
mod local;
mod mail;
mod mail_manage;
mod mail_read;
mod mail_write;
mod mailbox;
mod meetings;
mod message;
mod notes;
mod outbox;
mod page;
mod people;
mod permission;
mod place;
mod policy;
mod presence;
mod raw;
mod reach;
mod resources;
mod rule;
mod schema;
mod search;
mod send;
mod sharepoint;
mod span;
mod tasks;
mod teams;
mod text;
mod user_resources;
mod view;
mod when;
mod zone;

/// What the tests call to be asked and told.
#[cfg(test)]
#[path = "../../tests/support/probe.rs"]
mod probe;

use std::future::ready;

use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::agent::{Action, Called, Caller, Conversation, Dialogue, GrantError, InputRequest};
use crate::config::{Config, Confirm, Preset, PresetSet};
use crate::graph::Graph;
use crate::identity::{ConsentBy, Scope, ScopeSet};
use crate::ports::AgentPorts;

use answer::Answer;
use call::Call;
use error::ToolError;

pub use resources::{has_resource, is_listed, resources_json, templates_json};
pub use view::{Lists, View};

/// What a tool may use.
pub struct ToolContext<'a> {
    /// Settings.
    pub config: &'a Config,
    /// Clock, randomness, the object's SQL (idempotency keys), log.
    pub ports: &'a AgentPorts,
    /// For whom.
    pub caller: &'a Caller,
    /// What this deployment offers and the caller's URL leaves.
    pub presets: PresetSet,
    /// What this deployment lets clients ask for.
    pub offered: ScopeSet,
    /// Whether a want of permission can still become an HTTP challenge; if not, it is a tool error.
    pub may_challenge: bool,
    /// The way to Graph.
    pub graph: &'a dyn Graph,
    /// What the client can be asked and told.
    pub conversation: &'a Conversation<'a>,
    /// Shown in errors.
    pub request_id: &'a str,
}

impl ToolContext<'_> {
    /// What the caller sees of the catalogue.
    fn view(&self) -> View {
        View { presets: self.presets, scopes: Some(self.caller.scopes), read_only: self.config.read_only }
    }
}

/// What a call can do to the world; decides the annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Changes nothing.
    Read,
    /// Changes what the user can change back, and nobody else sees.
    Write,
    /// Changes what the user can change back; of some of it others are told.
    Joint,
    /// Removes or overwrites.
    Destructive,
    /// Reaches other people, which cannot be taken back.
    Outward,
}

type Outcome = Result<Answer, ToolError>;
type Handler = for<'a> fn(&'a str, &'a Call<'a>) -> LocalBoxFuture<'a, Outcome>;

/// The arguments of one tool: their fields and doc comments are its schema, `run` is what it does.
#[async_trait(?Send)]
trait Input: DeserializeOwned + JsonSchema {
    /// The schema of [`Answer::structured`], for a tool that answers with it. Only for short answers of which a program
    /// may want a part: what a list holds would cost the model's context twice. A program gets the members that it
    /// names (`#[schemars(skip)]` leaves the rest out of it): every list pays for a schema.
    fn output() -> Option<Value> {
        None
    }

    /// Carries out the call.
    async fn run(self, call: &Call<'_>) -> Outcome;
}

/// One tool.
pub struct Tool {
    /// Its name; at most 40 characters, because clients prefix it and cut at 64.
    pub name: &'static str,
    /// What a person sees.
    pub title: &'static str,
    /// What a model sees; at most 200 characters.
    pub description: &'static str,
    /// What it can do to the world.
    pub kind: Kind,
    /// Its group.
    pub preset: Preset,
    /// It is of use with any one of these; the handler asks for the one that the arguments call for. Empty: always.
    pub needs: &'static [Scope],
    /// It can do more, or do it more safely, with these.
    pub also: &'static [Scope],
    /// It can do more with these, but they are asked for only when a call needs one, never at a first sign-in: other
    /// people's mailboxes and drives.
    pub on_use: &'static [Scope],
    /// Arguments that work, shown with every argument error.
    pub example: &'static str,
    schema: fn() -> Schemas,
    handler: Handler,
}

/// What a tool takes, and what it answers with beside text.
#[derive(Default)]
struct Schemas {
    input: Value,
    output: Option<Value>,
}

impl Tool {
    /// Whether it changes anything.
    pub fn writes(&self) -> bool {
        self.kind != Kind::Read
    }

    /// The scope for want of which these scopes cannot use it, if so.
    pub fn missing(&self, scopes: ScopeSet) -> Option<Scope> {
        let usable = self.needs.is_empty() || self.needs.iter().any(|scope| scopes.allows(*scope));
        if usable { None } else { self.needs.first().copied() }
    }
}

/// The tools of each family, preset by preset. `authenticate` is the first of all: it takes no arguments and does no harm,
/// so clients that try the first tool they see come away unhurt. 128 tools fit: a list is known by its bits.
const FAMILIES: &[&[Tool]] = &[
    core::TOOLS,
    mail::TOOLS,
    calendar::TOOLS,
    teams::TOOLS,
    people::TOOLS,
    mail_read::TOOLS,
    mail_write::TOOLS,
    mail_manage::TOOLS,
    calendar_read::TOOLS,
    calendar_write::TOOLS,
    chats::TOOLS,
    meetings::TOOLS,
    presence::TOOLS,
    directory::TOOLS,
    contacts::TOOLS,
    files_read::TOOLS,
    files_write::TOOLS,
    excel::TOOLS,
    sharepoint::TOOLS,
    notes::TOOLS,
    tasks::TOOLS,
    search::TOOLS,
    raw::TOOLS,
    #[cfg(feature = "conformance")]
    fixtures::TOOLS,
    #[cfg(feature = "conformance")]
    fixtures::ASKING,
    #[cfg(feature = "conformance")]
    fixtures::TELLING,
    #[cfg(feature = "conformance")]
    fixtures::TASKS,
];

/// Every tool, always in the same order.
pub fn catalogue() -> impl Iterator<Item = &'static Tool> {
    FAMILIES.iter().copied().flatten()
}

/// The tool of this name.
pub fn find(name: &str) -> Option<&'static Tool> {
    #[cfg(test)]
    if name == probe::TOOL.name {
        return Some(&probe::TOOL);
    }
    catalogue().find(|tool| tool.name == name)
}

/// The scopes that a deployment works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scopes {
    /// What a client asks for at its first sign-in: what the tools and resources need and a person can agree to.
    pub at_sign_in: ScopeSet,
    /// That and what is asked for only when a call needs it.
    pub offered: ScopeSet,
}

/// What the tools of these presets and the resources can use.
pub fn scopes(presets: PresetSet, read_only: bool) -> Scopes {
    let view = View { presets, scopes: None, read_only };
    let shown = || catalogue().filter(|tool| view.shows(tool));
    let union = |all: ScopeSet, more: &[Scope]| all.union(ScopeSet::of(more));
    let used = shown().flat_map(|tool| [tool.needs, tool.also]).fold(resources::scopes(view), union);
    Scopes {
        at_sign_in: used.filter(|scope| scope.consent_by() == ConsentBy::User),
        offered: shown().map(|tool| tool.on_use).fold(used, union),
    }
}

/// What an action may need of its caller. Who holds all of it is never refused for want of a scope.
pub fn needs(action: &Action) -> ScopeSet {
    match action {
        Action::Tool { name, .. } => find(name).map_or_else(ScopeSet::default, |tool| ScopeSet::of(tool.needs)),
        Action::Resource { uri } => resources::needs(uri),
        Action::Wish(_) | Action::Task { .. } => ScopeSet::default(),
    }
}

/// Whether it may have changed something where it breaks off.
pub fn writes(action: &Action) -> bool {
    match action {
        Action::Tool { name, .. } => find(name).is_some_and(Tool::writes),
        Action::Resource { .. } | Action::Wish(_) | Action::Task { .. } => false,
    }
}

/// Runs a tool or reads a resource: the JSON text of a `CallToolResult` or `ReadResourceResult`, questions to the client,
/// or a want of permission that a further sign-in would mend.
pub async fn run(action: &Action, context: &ToolContext<'_>) -> Result<Called, GrantError> {
    match action {
        // Nothing of the catalogue; the object knows of it.
        Action::Wish(_) | Action::Task { .. } => Ok(Called::Done("{}".to_owned())),
        Action::Tool { name, arguments } => {
            let tool = find(name);
            let outcome = match tool {
                Some(tool) if context.view().has(tool) => call_tool(tool, arguments, context).await,
                Some(_) | None => Err(ToolError::NoSuchTool(name.clone())),
            };
            settle(context, outcome, |outcome| answer::tool_result(outcome, tool, context.request_id))
        }
        Action::Resource { uri } => match resources::read(uri, context).await {
            Err(ToolError::NoSuchResource) => Ok(Called::NotFound { uri: uri.clone() }),
            outcome => settle(context, outcome, |outcome| answer::resource_result(uri, outcome, context.request_id)),
        },
    }
}

/// What came of it; `told` says it as a result where nothing else does.
fn settle<T>(
    context: &ToolContext<'_>,
    outcome: Result<T, ToolError>,
    told: impl FnOnce(Result<T, ToolError>) -> String,
) -> Result<Called, GrantError> {
    Ok(match outcome {
        Err(ToolError::StepUp { needed, .. }) if context.may_challenge => {
            return Err(GrantError::InsufficientScope { scopes: context.caller.granted.union(needed) });
        }
        Err(ToolError::InputRequired(requests)) => input_required(requests, context),
        Err(ToolError::CannotAsk(method)) => {
            Called::CannotAsk { method, told: told(Err(ToolError::CannotAsk(method))) }
        }
        outcome => Called::Done(told(outcome)),
    })
}

/// The result of a call that was ended because it took too long.
pub fn too_long(action: &Action, request_id: &str) -> String {
    match action {
        Action::Tool { name, .. } => {
            answer::tool_result(Err(ToolError::TooLong { writes: writes(action) }), find(name), request_id)
        }
        Action::Resource { uri } => answer::resource_result(uri, Err(ToolError::TooLong { writes: false }), request_id),
        // Waits for nothing.
        Action::Wish(_) | Action::Task { .. } => "{}".to_owned(),
    }
}

/// The result of a call that has to ask its client and is too large to be kept until the answer comes.
pub fn too_large_to_wait(action: &Action, request_id: &str) -> String {
    match action {
        Action::Tool { name, .. } => answer::tool_result(Err(ToolError::TooLargeToWait), find(name), request_id),
        Action::Resource { uri } => answer::resource_result(uri, Err(ToolError::TooLargeToWait), request_id),
        // Asks nothing.
        Action::Wish(_) | Action::Task { .. } => "{}".to_owned(),
    }
}

/// Whether a call may want to ask its client: only what others hear of or cannot be taken back is asked about, if
/// anything is.
pub fn may_ask(action: &Action, config: &Config) -> bool {
    match action {
        Action::Tool { .. } if cfg!(feature = "conformance") => true,
        Action::Tool { name, .. } => {
            let asks = config.send_policy.confirm != Confirm::Never;
            asks && find(name).is_some_and(|tool| matches!(tool.kind, Kind::Joint | Kind::Outward | Kind::Destructive))
        }
        Action::Resource { .. } | Action::Wish(_) | Action::Task { .. } => false,
    }
}

fn input_required(requests: Vec<InputRequest>, context: &ToolContext<'_>) -> Called {
    let mut dialogue: Dialogue = context.conversation.dialogue();
    for request in &requests {
        dialogue.note(request);
    }
    Called::InputRequired { requests, dialogue }
}

async fn call_tool(tool: &'static Tool, arguments: &str, context: &ToolContext<'_>) -> Outcome {
    if context.config.read_only && tool.writes() {
        return Err(ToolError::ReadOnly);
    }
    context.require_any(tool.needs)?;
    let call = Call { context, name: tool.name };
    let answer = (tool.handler)(arguments, &call).await?;
    // What Graph says by itself is told word for word.
    if tool.preset == Preset::Raw { Ok(answer) } else { Ok(local::answer(&call, answer).await) }
}

fn handle<'a, I: Input + 'static>(arguments: &str, call: &'a Call<'a>) -> LocalBoxFuture<'a, Outcome> {
    match arguments::parse::<I>(arguments) {
        Ok(input) => input.run(call),
        Err(error) => Box::pin(ready(Err(error))),
    }
}
