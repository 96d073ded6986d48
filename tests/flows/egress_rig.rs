//! The whole way out in one process: the object's Graph client, a gateway that does what the dynamic route does, the
//! Worker's handler, and a scripted Graph.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use async_trait::async_trait;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::agent::{Caller, Correlation, GrantError, GraphClient, Lanes, Pauses, Profile, TokenSource};
use crate::crypto::Secret;
use crate::exchange::Exchange;
use crate::gateway::handler;
use crate::graph::request::{Method, Segment};
use crate::graph::{Failure, Graph, GraphRequest, GraphResponse};
use crate::identity::{AccessIdentity, GrantId, ScopeSet, UserId};
use crate::ports::{AgentPorts, AiCall, AiGateway, OutboundResponse, UpstreamError};
use crate::support::{TestPlatform, json_response};
use crate::web::{Body, Context, Request, Response};

pub(super) const TOKEN: &str = "eyJ0eXAiOiJKV1QifQ.first-graph-token.c2ln";
pub(super) const RENEWED: &str = "eyJ0eXAiOiJKV1QifQ.second-graph-token.c2ln";
pub(super) const REQUEST_ID: &str = "7d1f0c7e-5f0a-4a57-9d2c-3f6f0a1b2c3d";
pub(super) const HANDLER_KEY: &str = "a handler key of at least thirty-two bytes";

type Answer = Result<OutboundResponse, UpstreamError>;

/// What the gateway does instead of its duty.
pub(super) enum Trick {
    /// Answers by itself; the handler is not called.
    Instead(Answer),
    /// Calls the handler, and answers this all the same.
    After(Answer),
    /// Adds headers to the honest answer.
    Headers(Vec<(&'static str, &'static str)>),
}

/// The dynamic route: forwards `model`, `messages` and `stream` and nothing else.
pub(super) struct LoopGateway {
    exchange: Exchange,
    pub(super) key: RefCell<String>,
    pub(super) tricks: RefCell<VecDeque<Trick>>,
    pub(super) seen: RefCell<Vec<AiCall>>,
    in_flight: Cell<usize>,
    pub(super) most_in_flight: Cell<usize>,
}

impl LoopGateway {
    async fn forward(&self, call: &AiCall) -> OutboundResponse {
        let inputs: Value = serde_json::from_str(&call.inputs).expect("inputs are JSON");
        let chat = json!({"model": "microsoft-graph", "messages": inputs["messages"], "stream": inputs["stream"]});
        let bearer = format!("Bearer {}", self.key.borrow());
        let response = handler::handle(&self.exchange, &post(&bearer, chat.to_string())).await;
        outbound(response)
    }
}

#[async_trait(?Send)]
impl AiGateway for LoopGateway {
    async fn run(&self, call: AiCall) -> Answer {
        self.in_flight.set(self.in_flight.get() + 1);
        self.most_in_flight.set(self.most_in_flight.get().max(self.in_flight.get()));
        tokio::task::yield_now().await;
        self.seen.borrow_mut().push(call.clone());
        let trick = self.tricks.borrow_mut().pop_front();
        let answer = match trick {
            None => Ok(self.forward(&call).await),
            Some(Trick::Instead(answer)) => answer,
            Some(Trick::After(answer)) => {
                self.forward(&call).await;
                answer
            }
            Some(Trick::Headers(headers)) => {
                let mut response = self.forward(&call).await;
                response.headers.extend(headers.iter().map(|(name, value)| ((*name).into(), (*value).into())));
                Ok(response)
            }
        };
        self.in_flight.set(self.in_flight.get() - 1);
        answer
    }
}

/// A request to the handler.
pub(super) fn post(authorization: &str, body: String) -> Request {
    Request {
        method: crate::web::Method::Post,
        path: "/graph-handler/v1/chat/completions".into(),
        query: None,
        headers: vec![("authorization", authorization.into()), ("content-type", "application/json".into())],
        body: body.into_bytes(),
    }
}

fn outbound(response: Response) -> OutboundResponse {
    let body = match response.body {
        Body::Bytes(bytes) => bytes.into_owned(),
        Body::Empty | Body::Stream(_) => Vec::new(),
    };
    let headers = response.headers.iter().map(|(name, value)| ((*name).to_owned(), value.to_string()));
    OutboundResponse { status: response.status, headers: headers.collect(), body }
}

/// One Microsoft token, and one more.
#[derive(Default)]
pub(super) struct Tokens {
    pub(super) fail: RefCell<Option<GrantError>>,
    pub(super) fail_renewal: RefCell<Option<GrantError>>,
    pub(super) renewals: Cell<usize>,
    /// What each renewal was to ask for.
    pub(super) challenges: RefCell<Vec<Option<String>>>,
    /// What was asked for once more.
    pub(super) again: RefCell<Vec<String>>,
    pub(super) fail_again: RefCell<Option<GrantError>>,
}

#[async_trait(?Send)]
impl TokenSource for Tokens {
    async fn token(&self) -> Result<Secret, GrantError> {
        self.fail.borrow().clone().map_or(Ok(Secret::new(TOKEN)), Err)
    }

    async fn renewed(&self, _rejected: &Secret, challenge: Option<&str>) -> Result<Secret, GrantError> {
        self.challenges.borrow_mut().push(challenge.map(str::to_owned));
        self.renewals.set(self.renewals.get() + 1);
        self.fail_renewal.borrow().clone().map_or(Ok(Secret::new(RENEWED)), Err)
    }

    async fn challenged_again(&self, challenge: &str) -> Result<(), GrantError> {
        self.again.borrow_mut().push(challenge.to_owned());
        self.fail_again.borrow().clone().map_or(Ok(()), Err)
    }
}

/// Everything of one call.
pub(super) struct Rig {
    pub(super) platform: TestPlatform,
    pub(super) gateway: Rc<LoopGateway>,
    pub(super) tokens: Tokens,
    pub(super) caller: Caller,
    pub(super) exchange: Exchange,
    ports: AgentPorts,
    correlation: Correlation,
    lanes: Lanes,
    pauses: Pauses,
}

impl Rig {
    pub(super) fn new() -> Self {
        Self::with(&[])
    }

    pub(super) fn with(changes: &[(&str, &str)]) -> Self {
        let platform = TestPlatform::new(changes);
        let exchange = Exchange {
            config: platform.config.clone(),
            ports: platform.ports(),
            isolate: Rc::default(),
            context: Context { request_id: "handler-request".into(), ray_id: None, now: crate::support::START },
            access: None,
        };
        let gateway = Rc::new(LoopGateway {
            exchange: exchange.clone(),
            key: RefCell::new(HANDLER_KEY.into()),
            tricks: RefCell::default(),
            seen: RefCell::default(),
            in_flight: Cell::new(0),
            most_in_flight: Cell::new(0),
        });
        let ports = AgentPorts { gateway: gateway.clone(), ..platform.agent_ports() };
        let caller = Caller {
            grant: GrantId::random(&*platform.random),
            granted: ScopeSet::default(),
            refused: ScopeSet::default(),
            user: UserId { tid: Uuid::from_u128(1), oid: Uuid::from_u128(2) },
            profile: Profile { name: Some("Adele".into()), email: Some("adele@contoso.example".into()) },
            scopes: ScopeSet::default(),
            access: Some(AccessIdentity { sub: "access-sub-1".into(), email: None }),
        };
        let correlation = Correlation { request_id: REQUEST_ID.into(), ray_id: Some("ray-1".into()) };
        let (tokens, lanes, pauses) = (Tokens::default(), Lanes::default(), Pauses::default());
        Self { platform, gateway, tokens, caller, exchange, ports, correlation, lanes, pauses }
    }

    pub(super) fn client(&self) -> GraphClient<'_> {
        GraphClient {
            config: &self.platform.config,
            ports: &self.ports,
            caller: &self.caller,
            tokens: &self.tokens,
            tool: "getEmails",
            correlation: &self.correlation,
            lanes: &self.lanes,
            pauses: &self.pauses,
            over: RefCell::default(),
        }
    }

    pub(super) async fn send(&self, request: &GraphRequest) -> Result<GraphResponse, Failure> {
        self.client().send(request).await
    }

    pub(super) fn trick(&self, trick: Trick) {
        self.gateway.tricks.borrow_mut().push_back(trick);
    }

    /// Graph's next answer.
    pub(super) fn graph(&self, status: u16, headers: &[(&str, &str)], body: &Value) {
        let mut answer = json_response(status, body);
        answer.headers.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.platform.upstream.queue.borrow_mut().push_back(Ok(answer));
    }

    /// What each request to Graph bore as its credential.
    pub(super) fn credentials(&self) -> Vec<String> {
        let seen = self.platform.upstream.seen.borrow();
        let of = |name: &str, value: &str| (name == "authorization").then(|| value.to_owned());
        seen.iter().flat_map(|request| request.headers.iter().filter_map(|(name, value)| of(name, value))).collect()
    }

    /// The log lines of one kind.
    pub(super) fn events(&self, kind: &str) -> Vec<Value> {
        let lines = self.platform.log.0.borrow();
        let events = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events.filter(|event| event["event"] == kind).collect()
    }
}

pub(super) fn read() -> GraphRequest {
    let segments =
        [Segment::Word("me"), Segment::Word("mailFolders"), Segment::Value("in/box"), Segment::Word("messages")];
    GraphRequest::new(Method::Get, &segments).expect("the path is good").query("$top", "10").prefer("a=\"b\"")
}

pub(super) fn write() -> GraphRequest {
    GraphRequest::new(Method::Post, &[Segment::Word("me"), Segment::Word("sendMail")])
        .expect("the path is good")
        .body(json!({"message": {"subject": "Gr\u{fc}\u{df}e"}}))
}

pub(super) fn graph_error(code: &str) -> Value {
    json!({"error": {"code": code, "message": "said Graph", "innerError": {"request-id": "g-9"}}})
}

#[expect(clippy::unnecessary_wraps, reason = "stands beside answers that fail")]
pub(super) fn gateway_error(code: i64) -> Answer {
    Ok(json_response(
        429,
        &json!({"success": false, "result": [], "messages": [], "error": [{"code": code, "message": "Said so"}],
            "name": "AiGatewayError", "httpCode": 429, "internalCode": code, "message": "Said so", "description": "Said so"}),
    ))
}
