//! What comes back from Graph, and who failed when nothing useful does.

use serde::de::DeserializeOwned;

use crate::json;

/// A successful answer.
#[derive(Clone, Debug, Default)]
pub struct GraphResponse {
    /// 2xx or 3xx.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body; empty for 202 and 204.
    pub body: Vec<u8>,
}

impl GraphResponse {
    /// The body as a type of ours. Some of the services behind Graph write a byte order mark first.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let body = self.body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.body);
        json::read(body).map_err(|_| Failure::of(Origin::Graph, "UnreadableAnswer"))
    }
}

/// Who failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// AI Gateway or an account policy refused: rate, DLP, spend, configuration.
    Policy,
    /// Graph refused.
    Graph,
    /// Nobody answered, or with something that is neither.
    Transport,
    /// The user's Microsoft sign-in is over.
    SignIn,
    /// Microsoft refuses this server itself: only its operator can mend that.
    Operator,
}

/// A Graph call that gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin:?} {code}")]
pub struct Failure {
    /// Who failed.
    pub origin: Origin,
    /// The deepest known error code: Graph's word, or the gateway's number as text.
    pub code: String,
    /// Graph's or the gateway's HTTP status.
    pub status: Option<u16>,
    /// Graph's message for people; shown to the user, never branched on, never logged.
    pub message: Option<String>,
    /// Seconds to wait before another try, where the far end said so.
    pub retry_after: Option<u64>,
    /// Whether Graph may have done the work although no result came back.
    pub may_have_acted: bool,
    /// Graph's `request-id`.
    pub graph_request_id: Option<String>,
    /// What Graph asks of the next access token, with a 401 or 403 (continuous access evaluation).
    pub claims: Option<String>,
}

impl Failure {
    /// A failure with nothing but its origin and code.
    pub fn of(origin: Origin, code: impl Into<String>) -> Self {
        Self {
            origin,
            code: code.into(),
            status: None,
            message: None,
            retry_after: None,
            may_have_acted: false,
            graph_request_id: None,
            claims: None,
        }
    }

    /// The same, with the doubt that Graph may have acted.
    #[must_use]
    pub const fn maybe_acted(mut self) -> Self {
        self.may_have_acted = true;
        self
    }
}
