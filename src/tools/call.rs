//! One call under way: the context, the tool's name, and the few things that every handler does with them.

use futures_util::future::join_all;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::ToolContext;
use super::error::ToolError;
use crate::agent::LogLevel;
use crate::crypto;
use crate::graph::{Failure, GraphRequest, GraphResponse, batch};
use crate::identity::Scope;
use crate::ports::{SqlRow, SqlValue};

/// One call of one tool, or one read of a resource.
pub(super) struct Call<'a> {
    pub context: &'a ToolContext<'a>,
    /// The tool's name, or the resource's URI.
    pub name: &'static str,
}

impl Call<'_> {
    /// Whether the caller's token is good for `scope`.
    pub fn allows(&self, scope: Scope) -> bool {
        self.context.caller.scopes.allows(scope)
    }

    /// Refuses the call when the caller's token is not good for `scope`, before anything leaves.
    pub fn require(&self, scope: Scope) -> Result<(), ToolError> {
        self.context.require_any(&[scope])
    }

    /// The idempotency key of the call: the caller's, or one of ours. That stays the same when the call runs again with
    /// an answer, so that one answer never sends twice.
    pub fn key(&self, given: Option<String>) -> String {
        let conversation = self.context.conversation;
        given.or_else(|| conversation.memory()).unwrap_or_else(|| {
            let key = crypto::random_text::<12>(&*self.context.ports.random);
            conversation.keep(key.clone());
            key
        })
    }

    /// The user's own address, as far as the sign-in told it.
    pub fn own_address(&self) -> &str {
        self.context.caller.profile.email.as_deref().unwrap_or_default()
    }

    /// Unix seconds.
    pub fn now(&self) -> u64 {
        self.context.ports.clock.now()
    }

    /// Runs one statement on the object's storage.
    pub fn sql(&self, statement: &str, params: &[SqlValue]) -> Result<Vec<SqlRow>, ToolError> {
        self.context.ports.sql.exec(statement, params).map_err(|_| ToolError::Storage)
    }

    /// Sends one request.
    pub async fn send(&self, request: &GraphRequest) -> Result<GraphResponse, ToolError> {
        let repeatable = request.idempotent;
        let outcome = self.context.graph.send(request).await;
        self.log_request(request, &outcome);
        outcome.map_err(|failure| ToolError::Graph { failure, repeatable })
    }

    /// For a client that wants to know what its call is made of: the kind of request, no id and no text.
    fn log_request(&self, request: &GraphRequest, outcome: &Result<GraphResponse, Failure>) {
        let (level, status, code) = match outcome {
            Ok(response) => (LogLevel::Debug, Some(response.status), None),
            Err(failure) => (LogLevel::Warning, failure.status, Some(failure.code.as_str())),
        };
        let data = json!({"method": request.method.name(), "route": request.route(), "status": status, "code": code});
        self.log(level, &data);
    }

    /// Sends one request and reads its answer.
    pub async fn json<T: DeserializeOwned>(&self, request: &GraphRequest) -> Result<T, ToolError> {
        read(request, &self.send(request).await?)
    }

    /// Sends requests as one `$batch` and reads the answer of each, in their order; a single one goes alone. The outer
    /// failure is that of the whole: then nothing is known of any part.
    pub async fn batch<T: DeserializeOwned>(
        &self,
        requests: &[GraphRequest],
    ) -> Result<Vec<Result<T, ToolError>>, ToolError> {
        let outcomes = self.parts(requests).await?;
        let read = |(request, outcome): (&GraphRequest, Result<GraphResponse, ToolError>)| read(request, &outcome?);
        Ok(requests.iter().zip(outcomes).map(read).collect())
    }

    /// The same, unread: what is waited for is compiled once for all types.
    async fn parts(&self, requests: &[GraphRequest]) -> Result<Vec<Result<GraphResponse, ToolError>>, ToolError> {
        if let [only] = requests {
            return Ok(vec![self.send(only).await]);
        }
        let whole = batch::build(requests)?;
        let response = self.send(&whole).await?;
        let outcomes = batch::read(requests, &response, |part| self.context.graph.judge(part))
            .map_err(|failure| ToolError::Graph { failure, repeatable: whole.idempotent })?;
        let parts = requests.iter().zip(outcomes).map(|(request, outcome)| self.settled(request, outcome));
        Ok(join_all(parts).await)
    }

    /// One part of a batch, with the second chance that it would have had alone.
    async fn settled(
        &self,
        request: &GraphRequest,
        outcome: Result<GraphResponse, Failure>,
    ) -> Result<GraphResponse, ToolError> {
        let outcome = match outcome {
            Err(failure) => self.context.graph.resume(request, failure).await,
            Ok(response) => Ok(response),
        };
        outcome.map_err(|failure| ToolError::Graph { failure, repeatable: request.idempotent })
    }

    /// What a part that failed says in the answer of the whole.
    pub fn report(&self, error: &ToolError) -> Value {
        serde_json::to_value(error.report(self.context.request_id, None)).unwrap_or_default()
    }
}

fn read<T: DeserializeOwned>(request: &GraphRequest, response: &GraphResponse) -> Result<T, ToolError> {
    let repeatable = request.idempotent;
    response.json().map_err(|failure| {
        // Graph said yes, though in words that we cannot read: what was asked has been done.
        let failure = if repeatable { failure } else { failure.maybe_acted() };
        ToolError::Graph { failure, repeatable }
    })
}
