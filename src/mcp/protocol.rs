//! JSON-RPC 2.0 as MCP uses it, and the legacy revisions.
//!
//! Ids and params stay the raw text that came in: an id goes back byte for byte, params are parsed once, by the method
//! that knows their type.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A revision with an `initialize` handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Revision {
    /// HTTP+SSE.
    V2024_11_05 = 1,
    /// Streamable HTTP; the only one with batches.
    V2025_03_26,
    /// Structured output, titles.
    V2025_06_18,
    /// Icons, descriptions.
    V2025_11_25,
}

impl Revision {
    /// Oldest first.
    pub(super) const ALL: [Self; 4] = [Self::V2024_11_05, Self::V2025_03_26, Self::V2025_06_18, Self::V2025_11_25];

    /// What a client is offered that asks for something unknown.
    pub(super) const LATEST: Self = Self::V2025_11_25;

    /// The date that names it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
        }
    }

    /// Reads a name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.name() == name)
    }
}

/// One message from a client.
#[derive(Clone, Debug)]
pub(super) enum Message<'a> {
    /// Wants an answer.
    Request {
        /// A string or an integer, as sent.
        id: &'a RawValue,
        /// Method.
        method: String,
        /// Params, as sent.
        params: Option<&'a RawValue>,
    },
    /// Wants none.
    Notification {
        /// Method.
        method: String,
        /// Params, as sent.
        params: Option<&'a RawValue>,
    },
    /// An answer to a request of ours.
    Response {
        /// As sent.
        id: &'a RawValue,
        /// What it says, as sent; none where it is an error.
        result: Option<&'a RawValue>,
    },
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(default)]
    jsonrpc: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(default)]
    method: Option<String>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// Keeps `null` apart from absence: `"id": null` is an invalid request, no id a notification.
pub(super) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> Message<'a> {
    /// Reads one message: -32700 for what is no JSON, -32600 for what is no JSON-RPC 2.0.
    pub(super) fn parse(text: &'a str) -> Result<Self, RpcError> {
        let wire: Wire<'a> = serde_json::from_str(text).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => RpcError::invalid_request("not a JSON-RPC 2.0 message"),
            serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof
            | serde_json::error::Category::Io => RpcError::new(-32700, "the body is not JSON"),
        })?;
        if wire.jsonrpc.as_deref() != Some("2.0") {
            return Err(RpcError::invalid_request("jsonrpc must be \"2.0\""));
        }
        match (wire.method, wire.id) {
            (Some(method), Some(id)) if is_id(id) => Ok(Self::Request { id, method, params: wire.params }),
            (Some(_), Some(_)) => Err(RpcError::invalid_request("id must be a string or an integer")),
            (Some(method), None) => Ok(Self::Notification { method, params: wire.params }),
            (None, Some(id)) if wire.result.is_some() != wire.error.is_some() => {
                Ok(Self::Response { id, result: wire.result })
            }
            (None, _) => Err(RpcError::invalid_request("neither a request, a notification nor a response")),
        }
    }

    /// The id to put on an answer or refusal.
    pub(super) fn id(&self) -> Option<&'a RawValue> {
        match self {
            Self::Request { id, .. } => Some(id),
            Self::Notification { .. } | Self::Response { .. } => None,
        }
    }

    /// Params, of whatever has them.
    pub(super) fn params(&self) -> Option<&'a RawValue> {
        match self {
            Self::Request { params, .. } | Self::Notification { params, .. } => *params,
            Self::Response { .. } => None,
        }
    }

    /// Whether it is a request of this method.
    pub(super) fn is_request(&self, name: &str) -> bool {
        matches!(self, Self::Request { method, .. } if method == name)
    }
}

/// Whether it is what identifies a request, or its progress: a string or an integer.
pub(super) fn is_id(id: &RawValue) -> bool {
    let text = id.get();
    text.starts_with('"') || text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok()
}

/// Params as `T`; absent params are an empty object.
pub(super) fn params<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Result<T, RpcError> {
    let text = raw.map_or("{}", RawValue::get);
    if !text.starts_with('{') {
        return Err(RpcError::invalid_params("params must be an object"));
    }
    serde_json::from_str(text).map_err(|error| RpcError::invalid_params(format!("params: {error}")))
}

/// Whether a member of this name can be in a JSON text: only an escape can spell it otherwise (some write every `/` as
/// `\\/`). Spares most messages a reading.
pub(super) fn may_hold(text: &str, name: &str) -> bool {
    text.contains(name) || text.contains('\\')
}

/// The progress token of a request, as JSON text; none where it is no token.
pub(super) fn progress_token(raw: Option<&RawValue>) -> Option<String> {
    #[derive(Default, Deserialize)]
    struct Params<'a> {
        #[serde(rename = "_meta", borrow, default)]
        meta: Meta<'a>,
    }
    #[derive(Default, Deserialize)]
    struct Meta<'a> {
        #[serde(rename = "progressToken", borrow, default)]
        token: Option<&'a RawValue>,
    }
    let text = raw.map(RawValue::get).filter(|text| may_hold(text, "progressToken"))?;
    let params: Params<'_> = serde_json::from_str(text).ok()?;
    params.meta.token.filter(|token| is_id(token)).map(|token| token.get().to_owned())
}

/// A JSON-RPC error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RpcError {
    /// Code.
    pub(super) code: i32,
    /// For people.
    pub(super) message: Cow<'static, str>,
    /// JSON text of `data`.
    pub(super) data: Option<String>,
}

impl RpcError {
    pub(super) fn new(code: i32, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    pub(super) fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(-32600, message)
    }

    pub(super) fn method_not_found(method: &str) -> Self {
        Self::new(-32601, format!("method not found: {}", clip(method)))
    }

    pub(super) fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(-32602, message)
    }
}

/// The beginning of a name that came from outside, for an error message.
pub(super) fn clip(name: &str) -> String {
    name.chars().take(64).collect()
}

/// What goes back for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// JSON text of the result.
    Result(Cow<'static, str>),
    /// An error.
    Error(RpcError),
}

/// The message that carries an answer. The result's text is spliced in as it is.
pub(super) fn render(id: Option<&RawValue>, answer: &Answer) -> String {
    let id = id.map_or("null", RawValue::get);
    match answer {
        Answer::Result(result) => format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}"),
        Answer::Error(RpcError { code, message, data }) => {
            let message = serde_json::Value::from(message.as_ref());
            let data = data.as_ref().map(|data| format!(",\"data\":{data}")).unwrap_or_default();
            format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{{\"code\":{code},\"message\":{message}{data}}}}}")
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_told_apart_from_what_is_no_message() {
        let code = |text| Message::parse(text).unwrap_err().code;
        assert_eq!(code("{"), -32700);
        assert_eq!(code("nonsense"), -32700);
        for text in [
            "1",
            "null",
            r#"{"id":1,"method":"ping"}"#,
            r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":1,"error":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#,
        ] {
            assert_eq!(code(text), -32600, "{text}");
        }
    }

    #[test]
    fn an_id_goes_back_byte_for_byte() {
        for id in ["1", "-7", "18446744073709551615", r#""a\u0041\"b""#, r#""""#] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
            let message = Message::parse(&text).unwrap();
            let answer = render(message.id(), &Answer::Result("{}".into()));
            assert_eq!(answer, format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#));
        }
    }

    #[test]
    fn a_name_from_outside_cannot_break_out_of_an_error() {
        let error = RpcError::method_not_found("\"},\"x\":{\"\n");
        let text = render(None, &Answer::Error(error));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["error"]["code"], -32601);
        assert_eq!(value["x"], serde_json::Value::Null);
    }
}
