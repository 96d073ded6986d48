//! A Graph that answers from a script, and a caller to ask it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use async_trait::async_trait;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::agent::{Action, Called, Caller, Client, Conversation, Profile};
use crate::config::{Config, PresetSet};
use crate::graph::{Failure, Graph, GraphRequest, GraphResponse, Origin};
use crate::identity::{GrantId, ScopeSet, UserId};
use crate::oauth::scopes;
use crate::ports::AgentPorts;
use crate::support::{SeededRandom, TestPlatform};
use crate::tools::{self, ToolContext};

/// The tables of the tools, as a deployment makes them. The mailbox told nobody its zone, so that answers have the times of
/// Graph; who needs a zone asks for it.
const TABLES: [&str; 3] = [
    include_str!("../../migrations/0002_idempotency.sql"),
    include_str!("../../migrations/0012_zone.sql"),
    "INSERT INTO mailbox_zone (one, name, until) VALUES (1, NULL, 9999999999)",
];

/// Answers queued requests in order, else `{}`; keeps what it was asked.
#[derive(Default)]
pub(crate) struct ScriptedGraph {
    pub(crate) queue: RefCell<VecDeque<Result<GraphResponse, Failure>>>,
    pub(crate) seen: RefCell<Vec<GraphRequest>>,
}

#[async_trait(?Send)]
impl Graph for ScriptedGraph {
    async fn send(&self, request: &GraphRequest) -> Result<GraphResponse, Failure> {
        tokio::task::yield_now().await;
        self.seen.borrow_mut().push(request.clone());
        let next = self.queue.borrow_mut().pop_front();
        next.unwrap_or_else(|| Ok(GraphResponse { status: 200, headers: Vec::new(), body: b"{}".to_vec() }))
    }

    fn judge(&self, part: &GraphResponse) -> Failure {
        Failure { status: Some(part.status), ..Failure::of(Origin::Graph, "refused") }
    }

    async fn resume(&self, _request: &GraphRequest, failure: Failure) -> Result<GraphResponse, Failure> {
        Err(failure)
    }
}

/// One user at one grant's object.
pub(crate) struct Desk {
    pub(crate) platform: TestPlatform,
    pub(crate) config: Rc<Config>,
    pub(crate) ports: AgentPorts,
    pub(crate) caller: Caller,
    /// What the deployment offers and the URL leaves.
    pub(crate) presets: PresetSet,
    /// What the deployment lets clients ask for.
    pub(crate) offered: ScopeSet,
    pub(crate) graph: ScriptedGraph,
    /// What is known of the client.
    pub(crate) client: Client,
}

impl Desk {
    /// A user who granted everything.
    pub(crate) fn new() -> Self {
        Self::configured(&[("TOOL_PRESETS", "all")])
    }

    pub(crate) fn configured(changes: &[(&str, &str)]) -> Self {
        let platform = TestPlatform::new(changes);
        let ports = platform.agent_ports();
        for table in TABLES {
            ports.sql.exec(table, &[]).expect("the migration runs");
        }
        let caller = Caller {
            grant: GrantId::random(&SeededRandom::new(9)),
            user: UserId { tid: Uuid::from_u128(1), oid: Uuid::from_u128(2) },
            profile: Profile { name: Some("Adele Vance".into()), email: Some("adele@contoso.example".into()) },
            scopes: tools::scopes(PresetSet::ALL, false).offered,
            granted: tools::scopes(PresetSet::ALL, false).offered,
            refused: ScopeSet::default(),
            access: None,
        };
        let (config, presets) = (platform.config.clone(), platform.config.presets);
        let offered = scopes::offered(&platform.config);
        Self {
            config,
            platform,
            ports,
            caller,
            presets,
            offered,
            graph: ScriptedGraph::default(),
            client: Client::default(),
        }
    }

    /// The same, with these scopes only.
    pub(crate) fn granted(scopes: &str) -> Self {
        let mut desk = Self::new();
        desk.caller.scopes = ScopeSet::parse_known(scopes);
        desk.caller.granted = desk.caller.scopes;
        desk
    }

    /// A user who granted everything, and what Graph will answer.
    pub(crate) fn answering(answers: &[Value]) -> Self {
        let desk = Self::new();
        for answer in answers {
            desk.answer(answer);
        }
        desk
    }

    pub(crate) fn answer(&self, body: &Value) -> &Self {
        let body = body.to_string().into_bytes();
        self.graph.queue.borrow_mut().push_back(Ok(GraphResponse { status: 200, headers: Vec::new(), body }));
        self
    }

    /// An answer without a body, as 202 has it.
    pub(crate) fn accept(&self) -> &Self {
        self.graph.queue.borrow_mut().push_back(Ok(GraphResponse { status: 202, ..GraphResponse::default() }));
        self
    }

    pub(crate) fn fail(&self, failure: Failure) -> &Self {
        self.graph.queue.borrow_mut().push_back(Err(failure));
        self
    }

    /// No answer, and Graph may have acted.
    pub(crate) fn doubt(&self) -> &Self {
        self.fail(Failure::of(Origin::Transport, "timeout").maybe_acted())
    }

    /// A refusal by Graph.
    pub(crate) fn refuse(&self, status: u16, code: &str) -> &Self {
        self.fail(Failure { status: Some(status), ..Failure::of(Origin::Graph, code) })
    }

    /// Runs an action; the result object.
    pub(crate) async fn run(&self, action: &Action) -> Value {
        match self.called(action).await {
            Called::Done(result) | Called::CannotAsk { told: result, .. } => {
                serde_json::from_str(&result).expect("the result is JSON")
            }
            // What the protocol makes of it is not tried here.
            called @ (Called::NotFound { .. }
            | Called::InputRequired { .. }
            | Called::OnStream(_)
            | Called::Task(_)
            | Called::Cancelled) => {
                json!(format!("{called:?}"))
            }
        }
    }

    /// Runs an action; what came of it.
    pub(crate) async fn called(&self, action: &Action) -> Called {
        let conversation = Conversation::new(&self.client, &self.ports, None);
        let context = ToolContext {
            config: &self.config,
            ports: &self.ports,
            caller: &self.caller,
            presets: self.presets,
            offered: self.offered,
            may_challenge: false,
            graph: &self.graph,
            conversation: &conversation,
            request_id: "5f0c0000-0000-4000-8000-000000000001",
        };
        tools::run(action, &context).await.expect("without a challenge there is always a result")
    }

    /// Calls a tool that succeeds; its answer.
    pub(crate) async fn call(&self, name: &str, arguments: Value) -> Value {
        let result = self.outcome(name, arguments).await;
        assert_eq!(result.get("isError"), None, "{result}");
        text(&result)
    }

    /// Calls a tool that fails; its report.
    pub(crate) async fn error(&self, name: &str, arguments: Value) -> Value {
        let result = self.outcome(name, arguments).await;
        assert_eq!(result["isError"], json!(true), "{result}");
        text(&result)
    }

    /// Calls a tool; its result, whatever that is.
    pub(crate) async fn outcome(&self, name: &str, arguments: Value) -> Value {
        self.run(&Action::Tool { name: name.to_owned(), arguments: arguments.to_string() }).await
    }

    /// Calls a tool; what came of it.
    pub(crate) async fn tool(&self, name: &str, arguments: Value) -> Called {
        self.called(&Action::Tool { name: name.to_owned(), arguments: arguments.to_string() }).await
    }

    /// Every request so far, as it goes on the wire: method, path and query, headers, body.
    pub(crate) fn wire(&self) -> Vec<Value> {
        let seen = self.graph.seen.borrow();
        seen.iter()
            .map(|request| {
                let headers: Vec<_> =
                    request.all_headers().iter().map(|(name, value)| format!("{name}: {value}")).collect();
                json!({
                    "request": format!("{} {}", request.method.name(), request.path_and_query()),
                    "headers": headers,
                    "body": request.content.as_ref().map_or_else(|| json!(request.body), |content| json!({"bytes": content.bytes})),
                    "idempotent": request.idempotent,
                    "route": request.route(),
                })
            })
            .collect()
    }

    /// Method and path of every request so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        let seen = self.graph.seen.borrow();
        seen.iter().map(|request| format!("{} {}", request.method.name(), request.path_and_query())).collect()
    }
}

/// What Graph is asked by one call after another, each on a fresh desk with these answers.
pub(crate) async fn requests(name: &str, answers: &[Value], calls: &[Value]) -> Value {
    let mut all = Vec::new();
    for arguments in calls {
        let desk = Desk::answering(answers);
        desk.call(name, arguments.clone()).await;
        all.push(json!({"arguments": arguments, "requests": desk.wire()}));
    }
    Value::Array(all)
}

/// The same with what comes of each, and answers of its own for each.
pub(crate) async fn exchanges(name: &str, calls: &[(Value, Vec<Value>)]) -> Value {
    let mut all = Vec::new();
    for (arguments, answers) in calls {
        let desk = Desk::answering(answers);
        let answer = desk.call(name, arguments.clone()).await;
        all.push(json!({"arguments": arguments, "answer": answer, "requests": desk.wire()}));
    }
    Value::Array(all)
}

fn text(result: &Value) -> Value {
    let text = result["content"][0]["text"].as_str().expect("a text block");
    serde_json::from_str(text).expect("the text is JSON")
}

/// Compares with the stored JSON; `UPDATE_SNAPSHOTS=1` stores it instead.
pub(crate) fn snapshot(name: &str, found: &Value) {
    let text = serde_json::to_string_pretty(found).expect("JSON");
    stored(&format!("tests/snapshots/{name}.json"), &format!("{text}\n"));
}

/// The same with a file of any kind.
pub(crate) fn stored(path: &str, found: &str) {
    let file = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(std::path::Path::new(&file).parent().expect("a folder")).expect("the folder is made");
        std::fs::write(&file, found).expect("the file is written");
    }
    let stored = std::fs::read_to_string(&file).expect("the file exists: run once with UPDATE_SNAPSHOTS=1");
    assert_eq!(stored, found, "{path} differs: look at it, then run with UPDATE_SNAPSHOTS=1");
}
