//! Sends the Graph requests of one call: fetches the Microsoft token, seals it into an envelope, runs the gateway's
//! route, and decides on the little that is ever tried again.
//!
//! - Graph's 401 means that nothing happened: one renewal, one more try, for writes as well, and never a second.
//! - So does a claims challenge (continuous access evaluation, authentication contexts), whose renewal asks Entra for
//!   what it names; a second one in the same request needs the user.
//! - Graph's 429 and 503 with Retry-After are waited for, for requests that may be repeated; at most twice and 10 s. A
//!   pause that is asked for holds later requests of the kind as well: they wait, or fail unsent.
//! - A part of a batch has the second chances of a request of its own.
//! - Nothing else is repeated: a write never but after that 401, and no refusal of the gateway's.
//!
//! Every try writes one `ai-gateway-request` line. Owns no token: [`TokenSource`] does.

use std::cell::RefCell;

use async_trait::async_trait;

use crate::agent::lanes::Lanes;
use crate::agent::pauses::Pauses;
use crate::agent::{Caller, Correlation, GrantError, TokenSource};
use crate::config::Config;
use crate::crypto::Secret;
use crate::gateway::allow;
use crate::gateway::classify::{self, REQUEST_REFUSED};
use crate::gateway::dynamic_route::{self, Answer, Metadata};
use crate::gateway::envelope::{Content, Outgoing, Sealer};
use crate::graph::request::Method;
use crate::graph::{Failure, Graph, GraphRequest, GraphResponse, Origin};
use crate::log::{Event, Kind};
use crate::ports::{AgentPorts, AiCall, OutboundResponse};

/// Waits for Retry-After at most this often for one request …
const MAX_WAITS: u8 = 2;

/// … and this long in total: the client's own time limit is near.
const MAX_WAITED_MS: u64 = 10_000;

/// Carries one call's requests through AI Gateway.
pub(crate) struct GraphClient<'a> {
    pub config: &'a Config,
    pub ports: &'a AgentPorts,
    pub caller: &'a Caller,
    pub tokens: &'a dyn TokenSource,
    /// For gateway metadata and log lines.
    pub tool: &'a str,
    pub correlation: &'a Correlation,
    /// Shared by all calls of the grant.
    pub lanes: &'a Lanes,
    /// Likewise.
    pub pauses: &'a Pauses,
    /// Why the client must sign in again, once that is known.
    pub over: RefCell<Option<GrantError>>,
}

/// A request as it goes on the wire, made once for all its tries.
struct Prepared<'a> {
    request: &'a GraphRequest,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
}

impl Prepared<'_> {
    fn content(&self) -> Content<'_> {
        match (&self.body, &self.request.content) {
            (Some(text), _) => Content::Text(text),
            (None, Some(content)) => Content::Binary(&content.bytes),
            (None, None) => Content::Empty,
        }
    }
}

/// What one request has used up of its second chances.
#[derive(Default)]
struct Spent {
    renewed: bool,
    challenged: bool,
    waits: u8,
    waited_ms: u64,
}

enum Next {
    Renew,
    SignIn,
    Wait(u64),
    GiveUp,
}

impl GraphClient<'_> {
    /// The reason why the client must sign in again, when a request failed for it.
    pub(crate) fn sign_in_over(&self) -> Option<GrantError> {
        self.over.borrow().clone()
    }

    fn prepare<'a>(&self, request: &'a GraphRequest) -> Result<Prepared<'a>, Failure> {
        let version = self.config.microsoft.graph_version;
        let path = format!("/{version}{}", request.path_and_query());
        let mut headers = request.all_headers();
        if !headers.iter().any(|(name, _)| *name == "accept") {
            headers.push(("accept", "application/json".to_owned()));
        }
        let fits = headers.iter().all(|(name, value)| allow::request_header(name, value));
        if !fits || !allow::path(&path, version) || !allow::request_id(&self.correlation.request_id) {
            return Err(Failure::of(Origin::Transport, REQUEST_REFUSED));
        }
        Ok(Prepared { request, path, headers, body: request.body.as_ref().map(ToString::to_string) })
    }

    /// One try: seal, send, read, log.
    async fn attempt(&self, prepared: &Prepared<'_>, token: &Secret) -> Result<GraphResponse, Failure> {
        let _lane = self.lanes.enter().await;
        let call = self.build_call(prepared, token)?;
        let started = self.ports.clock.now_ms();
        let result = self.ports.gateway.run(call).await;
        let answer = dynamic_route::read_answer(result, self.ports.clock.now());
        self.log_attempt(prepared.request, &answer, self.ports.clock.now_ms().saturating_sub(started));
        self.learn(prepared.request, answer.outcome.as_ref().err());
        answer.outcome.map_err(|failure| Failure {
            // A read leaves nothing behind, so there is nothing to doubt.
            may_have_acted: failure.may_have_acted && prepared.request.method != Method::Get,
            ..failure
        })
    }

    /// Keeps to what Graph's answer says of its load.
    fn learn(&self, request: &GraphRequest, failure: Option<&Failure>) {
        match failure {
            Some(failure) if failure.origin == Origin::Graph && failure.status == Some(429) => {
                self.lanes.throttled();
                if let Some(seconds) = failure.retry_after {
                    let until = self.ports.clock.now_ms().saturating_add(seconds.saturating_mul(1000));
                    self.pauses.note(request.route(), until);
                }
            }
            Some(_) => {}
            None => self.lanes.answered(),
        }
    }

    /// Waits out a pause that Graph asked for, or says at once that it is too long.
    async fn hold(&self, request: &GraphRequest, spent: &mut Spent) -> Result<(), Failure> {
        let left = self.pauses.left(request.route(), self.ports.clock.now_ms());
        if left == 0 {
            return Ok(());
        }
        if left > MAX_WAITED_MS {
            let retry_after = Some(left.div_ceil(1000));
            let failure = Failure::of(Origin::Graph, "TooManyRequests");
            return Err(Failure { status: Some(429), retry_after, ..failure });
        }
        spent.waited_ms = left;
        self.ports.timer.sleep(left).await;
        Ok(())
    }

    fn build_call(&self, prepared: &Prepared<'_>, token: &Secret) -> Result<AiCall, Failure> {
        let outgoing = Outgoing {
            request_id: &self.correlation.request_id,
            method: prepared.request.method.name(),
            path: &prepared.path,
            headers: &prepared.headers,
            content: prepared.content(),
        };
        let user_id = self.caller.user.to_string();
        let metadata = Metadata {
            user_id: &user_id,
            mcp_tool: self.tool,
            request_id: &self.correlation.request_id,
            user_email: self.caller.profile.email.as_deref(),
            access_subject: self.access_subject(),
        };
        Sealer::new(&self.config.keys.encryption)
            .seal(&*self.ports.random, self.ports.clock.now(), &outgoing, token)
            .and_then(|envelope| dynamic_route::build_call(&self.config.gateway, &envelope, &metadata))
            .map_err(|_| Failure::of(Origin::Transport, REQUEST_REFUSED))
    }

    fn next(&self, prepared: &Prepared<'_>, failure: &Failure, spent: &mut Spent) -> Next {
        if failure.origin != Origin::Graph {
            return Next::GiveUp;
        }
        match failure.status {
            Some(401 | 403) if failure.claims.is_some() => {
                spent.renewed = true;
                if std::mem::replace(&mut spent.challenged, true) { Next::SignIn } else { Next::Renew }
            }
            Some(401) if !spent.renewed => {
                spent.renewed = true;
                Next::Renew
            }
            Some(429 | 503) => {
                let next = wait(prepared.request, failure, spent);
                self.log_throttled(prepared.request, failure, &next);
                next
            }
            _ => Next::GiveUp,
        }
    }

    /// Without a Microsoft token nothing is sent. Remembers the reason when it is one that only the user can mend.
    fn no_token(&self, error: GrantError) -> Failure {
        let (origin, code) = match error {
            GrantError::EntraUnavailable => (Origin::Transport, "EntraUnavailable"),
            GrantError::EntraRefusesServer => (Origin::Operator, "EntraRefusesServer"),
            GrantError::Storage => (Origin::Transport, "StorageFailed"),
            GrantError::SignInNeeded => (Origin::SignIn, "SignInNeeded"),
            GrantError::Revoked | GrantError::Unknown => (Origin::SignIn, "GrantEnded"),
            // These are answers to other steps than asking for a token; the safe reading is that this one is over.
            GrantError::Exists
            | GrantError::StateInvalid
            | GrantError::OtherIdentity
            | GrantError::OtherClient
            | GrantError::RedirectMismatch
            | GrantError::VerifierMismatch
            | GrantError::ResourceMismatch
            | GrantError::ScopeExceeded
            | GrantError::CodeInvalid
            | GrantError::CodeReused
            | GrantError::TokenInvalid
            | GrantError::TokenReused
            | GrantError::AssertionReused
            | GrantError::InsufficientScope { .. }
            | GrantError::SessionEnded
            | GrantError::NotConnected
            | GrantError::EventUnknown => (Origin::SignIn, "TokenRefused"),
        };
        if origin == Origin::SignIn {
            *self.over.borrow_mut() = Some(error);
        }
        Failure::of(origin, code)
    }

    fn access_subject(&self) -> Option<&str> {
        self.caller.access.as_ref().map(|access| access.sub.as_str())
    }

    fn event(&self, kind: Kind, request: &GraphRequest) -> Event<'_> {
        Event {
            request_id: Some(&self.correlation.request_id),
            ray_id: self.correlation.ray_id.as_deref(),
            grant_id: Some(self.caller.grant.to_string()),
            user_id: Some(self.caller.user.to_string()),
            user_email: self.caller.profile.email.as_deref(),
            access_subject: self.access_subject(),
            tool: Some(self.tool),
            method: Some(request.method.name()),
            ..Event::new(kind)
        }
    }

    fn log_attempt(&self, request: &GraphRequest, answer: &Answer, duration_ms: u64) {
        let (status, reason) = match &answer.outcome {
            Ok(response) => (Some(response.status), None),
            Err(failure) => (failure.status, Some(failure.code.as_str())),
        };
        let known = answer.outcome.as_ref().err().and_then(|failure| failure.graph_request_id.as_deref());
        self.ports.log.write(&Event {
            route: Some(request.route()),
            status,
            reason,
            duration_ms: Some(duration_ms),
            ai_gateway_log_id: answer.ids.ai_gateway_log_id.as_deref(),
            aig_request_id: answer.ids.aig_request_id.as_deref(),
            aig_event_id: answer.ids.aig_event_id.as_deref(),
            graph_request_id: answer.ids.graph_request_id.as_deref().or(known),
            graph_diagnostic: answer.ids.graph_diagnostic.as_deref(),
            ..self.event(Kind::AiGatewayRequest, request)
        });
    }

    fn log_throttled(&self, request: &GraphRequest, failure: &Failure, next: &Next) {
        let (reason, duration_ms) = match next {
            Next::Wait(ms) => ("waited", Some(*ms)),
            Next::GiveUp | Next::SignIn | Next::Renew => {
                ("given-up", failure.retry_after.map(|seconds| seconds.saturating_mul(1000)))
            }
        };
        self.ports.log.write(&Event {
            route: Some(request.route()),
            status: failure.status,
            reason: Some(reason),
            duration_ms,
            graph_request_id: failure.graph_request_id.as_deref(),
            ..self.event(Kind::GraphThrottled, request)
        });
    }
}

/// Whether and how long to wait, by Retry-After and what is left of our patience.
fn wait(request: &GraphRequest, failure: &Failure, spent: &mut Spent) -> Next {
    let Some(ms) = failure.retry_after.map(|seconds| seconds.saturating_mul(1000)) else { return Next::GiveUp };
    let total = spent.waited_ms.saturating_add(ms);
    if !request.idempotent || spent.waits >= MAX_WAITS || total > MAX_WAITED_MS {
        return Next::GiveUp;
    }
    spent.waits += 1;
    spent.waited_ms = total;
    Next::Wait(ms)
}

#[async_trait(?Send)]
impl Graph for GraphClient<'_> {
    async fn send(&self, request: &GraphRequest) -> Result<GraphResponse, Failure> {
        let mut spent = Spent::default();
        self.hold(request, &mut spent).await?;
        let prepared = self.prepare(request)?;
        let token = self.token().await?;
        match self.attempt(&prepared, &token).await {
            Ok(response) => Ok(response),
            Err(failure) => self.go_on(&prepared, token, failure, spent).await,
        }
    }

    fn judge(&self, part: &GraphResponse) -> Failure {
        let GraphResponse { status, headers, body } = part.clone();
        classify::graph(&OutboundResponse { status, headers, body }, self.ports.clock.now())
    }

    async fn resume(&self, request: &GraphRequest, failure: Failure) -> Result<GraphResponse, Failure> {
        self.learn(request, Some(&failure));
        let prepared = self.prepare(request)?;
        let token = self.token().await?;
        self.go_on(&prepared, token, failure, Spent::default()).await
    }
}

impl GraphClient<'_> {
    async fn token(&self) -> Result<Secret, Failure> {
        self.tokens.token().await.map_err(|error| self.no_token(error))
    }

    /// What is done after a failure, until there is an answer or nothing left to try.
    async fn go_on(
        &self,
        prepared: &Prepared<'_>,
        mut token: Secret,
        mut failure: Failure,
        mut spent: Spent,
    ) -> Result<GraphResponse, Failure> {
        loop {
            match self.next(prepared, &failure, &mut spent) {
                Next::Renew => {
                    let renewed = self.tokens.renewed(&token, failure.claims.as_deref()).await;
                    token = renewed.map_err(|error| self.no_token(error))?;
                }
                Next::Wait(ms) => self.ports.timer.sleep(ms).await,
                Next::SignIn => {
                    let again = self.tokens.challenged_again(failure.claims.as_deref().unwrap_or_default()).await;
                    return again.map_or_else(|error| Err(self.no_token(error)), |()| Err(failure));
                }
                Next::GiveUp => return Err(failure),
            }
            match self.attempt(prepared, &token).await {
                Ok(response) => return Ok(response),
                Err(next) => failure = next,
            }
        }
    }
}
