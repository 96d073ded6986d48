//! A scene for the protocol's flows: a Worker whose grants' objects follow a script.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use async_trait::async_trait;
use serde_json::Value;

use crate::agent::{AgentName, Called, Command, GrantCommand, GrantError, GrantReply, Presented, Reply};
use crate::config::PresetSet;
use crate::crypto::Digest;
use crate::exchange::{Exchange, Isolate};
use crate::identity::{AccessIdentity, GrantId, Scope, ScopeSet, UserId};
use crate::mcp::{self, Endpoint};
use crate::oauth::token::{Kind, Stamp, TokenKeys};
use crate::ports::{AgentUnavailable, Agents, Clock, Ports};
use crate::support::{SeededRandom, TestPlatform};
use crate::web::{Context, Method, Request, Response};

/// What the scripted objects answer to a tool call.
pub(crate) const TOOL_RESULT: &str = r#"{"content":[{"type":"text","text":"Three mails \"isError\":true"}]}"#;

/// Objects that do as they are told and note what they were asked.
#[derive(Default)]
pub(crate) struct ScriptedAgents {
    /// `confirm`, `end`, `call …` or `publish`, each with the object's name.
    pub(crate) seen: RefCell<Vec<String>>,
    /// The presets that each call came with.
    pub(crate) presets: RefCell<Vec<PresetSet>>,
    /// `(stream, message)`.
    pub(crate) published: RefCell<Vec<(String, Value)>>,
    /// What every grant answers, if not yes.
    pub(crate) refusal: RefCell<Option<GrantError>>,
    /// Whether only calls are refused: the grant ended between the confirmation and the call.
    pub(crate) refuse_calls_only: Cell<bool>,
    pub(crate) unreachable: Cell<bool>,
    /// Whether no stream has a connection.
    pub(crate) deaf: Cell<bool>,
    /// Each grant's client, by the object's name, where it is not the usual one.
    pub(crate) clients: RefCell<HashMap<String, &'static str>>,
    ended: RefCell<HashSet<String>>,
}

impl ScriptedAgents {
    fn judge(&self, presented: &Presented) -> Result<(), GrantError> {
        let has_ended = presented.session.as_ref().is_some_and(|session| self.ended.borrow().contains(session));
        match self.refusal.borrow().clone() {
            Some(error) => Err(error),
            None if has_ended => Err(GrantError::SessionEnded),
            None => Ok(()),
        }
    }

    pub(crate) fn hops(&self) -> usize {
        self.seen.borrow().len()
    }
}

#[async_trait(?Send)]
impl Agents for ScriptedAgents {
    async fn call(&self, name: &AgentName, command: &Command) -> Result<Reply, AgentUnavailable> {
        let note = |what: &str| self.seen.borrow_mut().push(format!("{what} {name}"));
        if self.unreachable.get() {
            note("lost");
            return Err(AgentUnavailable);
        }
        match command {
            Command::Grant(GrantCommand::Confirm(presented)) => {
                note("confirm");
                let verdict = if self.refuse_calls_only.get() { Ok(()) } else { self.judge(presented) };
                // The reply takes its time, so that other commands come in between.
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                let client = self.clients.borrow().get(&name.to_string()).copied().unwrap_or("client-1");
                Ok(Reply::Grant(verdict.map(|()| GrantReply::Confirmed(Digest::of(client.as_bytes())))))
            }
            Command::Grant(GrantCommand::EndSession(presented)) => {
                note("end");
                let verdict = self.judge(presented);
                self.ended.borrow_mut().extend(presented.session.clone());
                Ok(Reply::Grant(verdict.map(|()| GrantReply::Done)))
            }
            Command::MaySpeak { presented, .. } => {
                note("heard");
                let verdict = if self.refuse_calls_only.get() { Ok(()) } else { self.judge(presented) };
                let verdict = verdict.and(if self.deaf.get() { Err(GrantError::NotConnected) } else { Ok(()) });
                Ok(Reply::Grant(verdict.map(|()| GrantReply::Done)))
            }
            Command::MayAttach(asked) => {
                note("attach");
                let verdict = asked.presented.as_ref().map_or(Ok(()), |presented| self.judge(presented));
                Ok(Reply::Grant(verdict.map(|()| GrantReply::Done)))
            }
            Command::Answer(answer) => {
                note("answer");
                Ok(Reply::Grant(self.judge(&answer.presented).map(|()| GrantReply::Done)))
            }
            Command::Introduce { presented, .. } => {
                note("introduce");
                Ok(Reply::Grant(self.judge(presented).map(|()| GrantReply::Done)))
            }
            Command::Cancel(cancel) => {
                note(&format!("cancel {:?}", cancel.call));
                Ok(Reply::Grant(self.judge(&cancel.presented).map(|()| GrantReply::Done)))
            }
            Command::Grant(_) | Command::User(_) | Command::AdmitRegistration { .. } => Err(AgentUnavailable),
            Command::Call(call) => {
                note(&format!("call {:?}", call.action));
                self.presets.borrow_mut().push(call.presets);
                Ok(Reply::Called(self.judge(&call.presented).map(|()| Called::Done(TOOL_RESULT.to_owned()))))
            }
            Command::Publish { stream, message } => {
                note("publish");
                let message = serde_json::from_str(message).map_err(|_| AgentUnavailable)?;
                self.published.borrow_mut().push((stream.to_string(), message));
                Ok(Reply::Published(!self.deaf.get()))
            }
        }
    }
}

/// A deployment with scripted objects.
pub(crate) struct Scene {
    pub(crate) platform: TestPlatform,
    pub(crate) agents: Rc<ScriptedAgents>,
    pub(crate) isolate: Rc<Isolate>,
    /// Who came through Access.
    pub(crate) access: RefCell<Option<AccessIdentity>>,
}

impl Scene {
    pub(crate) fn new(changes: &[(&str, &str)]) -> Self {
        Self {
            platform: TestPlatform::new(changes),
            agents: Rc::default(),
            isolate: Rc::default(),
            access: RefCell::default(),
        }
    }

    pub(crate) fn exchange(&self) -> Exchange {
        Exchange {
            config: self.platform.config.clone(),
            ports: Ports { agents: self.agents.clone(), ..self.platform.ports() },
            isolate: self.isolate.clone(),
            context: Context { request_id: "r-1".into(), ray_id: None, now: self.platform.clock.now() },
            access: self.access.borrow().clone(),
        }
    }

    /// `Authorization` of the user whose grant `seed` makes, good for everything, for an hour.
    pub(crate) fn bearer(&self, seed: u64) -> String {
        self.bearer_with((seed, seed), ScopeSet::of(Scope::ALL))
    }

    /// The same of one user's other grant.
    pub(crate) fn bearer_of(&self, user: u64, grant: u64) -> String {
        self.bearer_with((user, grant), ScopeSet::of(Scope::ALL))
    }

    /// The same, of this user and grant and good for these scopes.
    pub(crate) fn bearer_with(&self, (user, grant): (u64, u64), scopes: ScopeSet) -> String {
        let stamp = Stamp {
            user: Some(UserId { tid: uuid::Uuid::from_u128(1), oid: uuid::Uuid::from_u128(user.into()) }),
            grant: GrantId::random(&SeededRandom::new(grant)),
            scopes,
            expires_at: self.platform.clock.now() + 3600,
        };
        let keys = TokenKeys::new(&self.platform.config.keys.encryption);
        let token = keys.mint(self.platform.random.as_ref(), Kind::Access, &stamp);
        format!("Bearer {}", token.expose())
    }

    pub(crate) async fn send(&self, endpoint: Endpoint, request: Request) -> Response {
        mcp::handle(&self.exchange(), endpoint, &request).await
    }

    /// POST to `/mcp`.
    pub(crate) async fn post(&self, headers: &[(&'static str, &str)], body: &str) -> Response {
        self.send(Endpoint::Mcp, request(Method::Post, headers, body)).await
    }

    /// Initialises; the session id.
    pub(crate) async fn initialize(&self, bearer: &str, revision: &str) -> String {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{{}},"clientInfo":{{"name":"t","version":"1"}}}}}}"#
        );
        let response = self.post(&[("authorization", bearer)], &body).await;
        assert_eq!(response.status, 200, "{}", response.body_text());
        response.header("mcp-session-id").unwrap_or_default().to_owned()
    }

    /// POST to `/mcp` within a session.
    pub(crate) async fn within(&self, bearer: &str, session: &str, body: &str) -> Response {
        self.post(&[("authorization", bearer), ("mcp-session-id", session)], body).await
    }
}

/// A request with the headers that every client sends, unless `headers` says otherwise; an empty value removes one.
pub(crate) fn request(method: Method, headers: &[(&'static str, &str)], body: &str) -> Request {
    let usual = [("host", "localhost:8787"), ("content-type", "application/json")];
    let kept = usual.into_iter().filter(|(name, _)| !headers.iter().any(|(given, _)| given == name));
    let headers = kept.chain(headers.iter().copied()).filter(|(_, value)| !value.is_empty());
    Request {
        method,
        path: "/mcp".into(),
        query: None,
        headers: headers.map(|(name, value)| (name, value.to_owned())).collect(),
        body: body.as_bytes().to_vec(),
    }
}

/// A request of this method.
pub(crate) fn rpc(method: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":7,"method":"{method}"}}"#)
}

/// A tool call without arguments.
pub(crate) fn call(tool: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"{tool}"}}}}"#)
}

/// The body as JSON; null when there is none.
pub(crate) fn json(response: &Response) -> Value {
    serde_json::from_str(&response.body_text()).unwrap_or_default()
}
