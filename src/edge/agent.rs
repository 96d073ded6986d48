//! The Durable Object class: one object a grant. Maps the platform to the core's `Agent` and accepts the sockets that
//! the Worker opens for its clients' streams.

use std::cell::OnceCell;
use std::rc::Rc;

use worker::{DurableObject, Env, Request, Response, State, WebSocketIncomingMessage, WebSocketPair, durable_object};

use crate::agent::{Agent, Attach, Command};
use crate::crypto;
use crate::edge::agents::ObjectAgents;
use crate::edge::ai::WorkerAi;
use crate::edge::documents::IsolatedReader;
use crate::edge::entry;
use crate::edge::fetch::WorkerFetch;
use crate::edge::kv::WorkerKv;
use crate::edge::platform::{ConsoleLog, ObjectBackground, SystemClock, SystemRandom, WorkerTimer};
use crate::edge::ps256::WebCryptoSigner;
use crate::edge::sockets::{ObjectSockets, accept};
use crate::edge::sql::{ObjectAlarm, ObjectSql};
use crate::edge::stream::ATTACH;
use crate::edge::zones::SystemZones;
use crate::json;
use crate::ports::AgentPorts;

/// The object of one grant; the name is a contract with `wrangler.toml`.
#[durable_object]
pub struct MicrosoftMcpAgent {
    state: Rc<State>,
    env: Env,
    agent: OnceCell<Rc<Agent>>,
}

impl DurableObject for MicrosoftMcpAgent {
    fn new(state: State, env: Env) -> Self {
        Self { state: Rc::new(state), env, agent: OnceCell::new() }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let Some(agent) = self.agent() else {
            return Response::error("not configured", 503);
        };
        if let Some(attach) = request.headers().get(ATTACH)? {
            return self.accept(&agent, &attach);
        }
        let text = request.text().await?;
        let Ok(command) = json::read::<Command>(text.as_bytes()) else {
            return Response::error("not a command", 400);
        };
        Response::ok(serde_json::to_string(&agent.handle(command).await)?)
    }

    async fn alarm(&self) -> worker::Result<Response> {
        match self.agent() {
            // An error makes the platform try again later.
            Some(agent) => agent.wake().await.map_err(|error| worker::Error::RustError(error.to_string()))?,
            None => return Err(worker::Error::RustError("not configured".to_owned())),
        }
        Response::empty()
    }

    async fn websocket_message(
        &self,
        _socket: worker::WebSocket,
        _message: WebSocketIncomingMessage,
    ) -> worker::Result<()> {
        // The Worker's end only listens; what a client has to say comes by POST.
        Ok(())
    }

    async fn websocket_close(
        &self,
        socket: worker::WebSocket,
        code: usize,
        _reason: String,
        _was_clean: bool,
    ) -> worker::Result<()> {
        if let Some(agent) = self.agent() {
            self.state.get_tags(&socket).iter().for_each(|stream| agent.hung_up(stream));
        }
        let code = u16::try_from(code).ok().filter(|code| (1000..=1003).contains(code)).unwrap_or(1000);
        socket.close(Some(code), Some("closed"))
    }
}

impl MicrosoftMcpAgent {
    /// The core's object, made by the first command. `None` where the deployment is not configured.
    fn agent(&self) -> Option<Rc<Agent>> {
        if let Some(agent) = self.agent.get() {
            return Some(Rc::clone(agent));
        }
        let deployment = entry::deployment(&self.env);
        let config = Rc::clone(deployment.config.as_ref().ok()?);
        let ports = AgentPorts {
            clock: Rc::new(SystemClock),
            zones: Rc::new(SystemZones),
            random: Rc::new(SystemRandom),
            sql: Rc::new(ObjectSql(Rc::clone(&self.state))),
            kv: Rc::new(WorkerKv(self.env.clone())),
            upstream: Rc::new(WorkerFetch),
            ps256: Rc::new(WebCryptoSigner),
            gateway: Rc::new(WorkerAi(self.env.clone())),
            agents: Rc::new(ObjectAgents(self.env.clone())),
            alarm: Rc::new(ObjectAlarm(Rc::clone(&self.state))),
            sockets: Rc::new(ObjectSockets(Rc::clone(&self.state))),
            documents: Rc::new(IsolatedReader),
            timer: Rc::new(WorkerTimer),
            log: Rc::new(ConsoleLog),
            background: Rc::new(ObjectBackground(Rc::clone(&self.state))),
        };
        Some(Rc::clone(self.agent.get_or_init(|| Rc::new(Agent::new(config, ports)))))
    }

    /// Hibernatable, so that an idle stream leaves the object asleep. What the connection missed is sent before anything
    /// else can be said on the stream: nothing here waits.
    fn accept(&self, agent: &Agent, attach: &str) -> worker::Result<Response> {
        let attach = crypto::decode(attach).and_then(|json| crate::json::read::<Attach>(&json).ok());
        let Some(attach) = attach else { return Response::error("not a stream", 400) };
        let Ok(first) = agent.attach(&attach) else { return Response::error("refused", 410) };
        let WebSocketPair { client, server } = WebSocketPair::new()?;
        accept(&self.state, &server, attach)?;
        if !first.events.is_empty() {
            server.send_with_str(&first.events)?;
        }
        if first.complete {
            server.close(Some(1000), Some("the stream is complete"))?;
        }
        Response::from_websocket(client)
    }
}
