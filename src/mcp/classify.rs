//! Which era a message belongs to, judged by its body first: a claim in `params._meta` decides, the version header only
//! contradicts, and `Mcp-Method` says nothing (mcp-remote sends it with legacy messages).
//!
//! Follows the classification that the specification of 2026-07-28 and its SDKs agree on; the codes of the refusals are
//! part of it, because clients choose their fallback by them.

use serde_json::value::RawValue;

use super::modern::Params;
use super::protocol::{Message, Revision, RpcError, may_hold};

/// More messages than any client sends in one batch; each may cost a call to the object.
const MAX_BATCH: usize = 32;

const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";

/// The first revision without `initialize`.
const FIRST_MODERN: &str = "2026-07-28";

/// A body, and the era it belongs to.
#[derive(Debug)]
pub(super) enum Classified<'a> {
    /// Of a revision with sessions.
    Legacy(Payload<'a>),
    /// Of a stateless revision; its params are read already. A notification need not claim it: the header may say it
    /// alone.
    Modern(Message<'a>, Params<'a>),
}

/// What a legacy body holds.
#[derive(Debug)]
pub(super) enum Payload<'a> {
    /// One message.
    Single(Message<'a>),
    /// Several, each well formed or not for itself. Only 2025-03-26 has them.
    Batch(Vec<Result<Message<'a>, RpcError>>),
}

impl<'a> Payload<'a> {
    /// Every well-formed message.
    pub(super) fn messages(&self) -> impl Iterator<Item = &Message<'a>> {
        let (single, batch) = match self {
            Self::Single(message) => (Some(message), &[][..]),
            Self::Batch(items) => (None, items.as_slice()),
        };
        single.into_iter().chain(batch.iter().filter_map(|item| item.as_ref().ok()))
    }
}

/// A body that is refused whole, with status 400.
#[derive(Debug)]
pub(super) struct Refusal<'a> {
    /// The id to echo.
    pub(super) id: Option<&'a RawValue>,
    /// The error.
    pub(super) error: RpcError,
}

impl From<RpcError> for Refusal<'_> {
    fn from(error: RpcError) -> Self {
        Self { id: None, error }
    }
}

/// Classifies a body. `version` is the `MCP-Protocol-Version` header, where the channel has one.
pub(super) fn classify<'a>(body: &'a [u8], version: Option<&str>) -> Result<Classified<'a>, Refusal<'a>> {
    let text = std::str::from_utf8(body).map_err(|_| RpcError::new(-32700, "the body is not UTF-8"))?;
    if text.trim_start().starts_with('[') {
        return batch(text);
    }
    let message = Message::parse(text)?;
    if let Some(params) = claim(text, &message).filter(|params| counts(params, &message)) {
        return Ok(Classified::Modern(message, params));
    }
    match version {
        Some(version) if Revision::parse(version).is_none() => unclaimed(version, message),
        Some(_) | None => Ok(Classified::Legacy(Payload::Single(message))),
    }
}

/// `initialize` opens a session whatever its `_meta` says, unless that is wholly in order and of a stateless revision.
fn counts(params: &Params<'_>, message: &Message<'_>) -> bool {
    !message.is_request("initialize") || params.version().is_ok_and(|version| is_modern(&version))
}

/// The header names no revision with sessions, and the body claims none without.
fn unclaimed<'a>(version: &str, message: Message<'a>) -> Result<Classified<'a>, Refusal<'a>> {
    let id = message.id();
    if !is_modern(version) {
        return Err(Refusal { id, error: RpcError::invalid_request("unsupported MCP-Protocol-Version") });
    }
    let error = match &message {
        Message::Notification { .. } => return Ok(Classified::Modern(message, Params::default())),
        Message::Request { method, .. } if method == "initialize" => {
            RpcError::new(-32020, "MCP-Protocol-Version does not go with initialize")
        }
        Message::Request { .. } => {
            RpcError::invalid_params("params._meta lacks what this MCP-Protocol-Version demands")
        }
        Message::Response { .. } => RpcError::invalid_request("this MCP-Protocol-Version has no responses"),
    };
    Err(Refusal { id, error })
}

fn is_modern(version: &str) -> bool {
    let is_date = |byte: u8| byte.is_ascii_digit() || byte == b'-';
    version.len() == FIRST_MODERN.len() && version.bytes().all(is_date) && version >= FIRST_MODERN
}

fn batch(text: &str) -> Result<Classified<'_>, Refusal<'_>> {
    let items: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|_| RpcError::new(-32700, "the body is not JSON"))?;
    if items.is_empty() {
        return Err(RpcError::invalid_request("the batch is empty").into());
    }
    if items.len() > MAX_BATCH {
        return Err(RpcError::invalid_request(format!("a batch may hold {MAX_BATCH} messages at most")).into());
    }
    let messages: Vec<_> = items.into_iter().map(|item| Message::parse(item.get())).collect();
    let mut good = messages.iter().filter_map(|message| message.as_ref().ok());
    if good.any(|message| claim(text, message).is_some() || message.is_request("initialize")) {
        return Err(RpcError::invalid_request("a batch holds neither initialize nor stateless messages").into());
    }
    Ok(Classified::Legacy(Payload::Batch(messages)))
}

/// Looks into the params only where the key occurs at all, so that legacy params are read once, by their method.
fn claim<'a>(text: &str, message: &Message<'a>) -> Option<Params<'a>> {
    if !may_hold(text, VERSION_KEY) {
        return None;
    }
    Params::claimed(message.params())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `legacy`, `batch`, `modern` or the refusal's code.
    fn verdict(body: &str, version: Option<&str>) -> String {
        match classify(body.as_bytes(), version) {
            Ok(Classified::Legacy(Payload::Single(_))) => "legacy".into(),
            Ok(Classified::Legacy(Payload::Batch(_))) => "batch".into(),
            Ok(Classified::Modern(..)) => "modern".into(),
            Err(refusal) => refusal.error.code.to_string(),
        }
    }

    #[test]
    fn the_body_decides_the_era_and_the_header_only_contradicts() {
        let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let init = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#;
        let claim = r#"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
        let escaped = claim.replace('/', "\\/");
        let in_notification = claim.replace("\"id\":1,", "");
        let init_of = |version: &str, capabilities: &str| {
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{{"_meta":{{"io.modelcontextprotocol/protocolVersion":"{version}"{capabilities}}}}}}}"#
            )
        };
        let capabilities = r#","io.modelcontextprotocol/clientCapabilities":{}"#;
        let (claimed_init, unclaimed_init) = (init_of("2026-07-28", capabilities), init_of("2026-07-28", ""));
        let claimed_earlier = init_of("2025-11-25", capabilities);
        let notification = r#"{"jsonrpc":"2.0","method":"notifications/x"}"#;
        let response = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
        let in_argument = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}}"#;
        let many = format!("[{}]", vec![ping; MAX_BATCH + 1].join(","));
        let cases: [(&str, Option<&str>, &str); 31] = [
            ("", None, "-32700"),
            ("{", None, "-32700"),
            ("[1", None, "-32700"),
            ("{}", None, "-32600"),
            ("[]", None, "-32600"),
            (" [ ] ", None, "-32600"),
            (many.as_str(), None, "-32600"),
            (ping, None, "legacy"),
            (ping, Some("2024-11-05"), "legacy"),
            (ping, Some("2025-11-25"), "legacy"),
            (ping, Some("1999-01-01"), "-32600"),
            (ping, Some("v999"), "-32600"),
            (ping, Some("2026-07-28"), "-32602"),
            (init, None, "legacy"),
            (init, Some("2026-07-28"), "-32020"),
            (claim, Some("2026-07-28"), "modern"),
            (claim, None, "modern"),
            (&escaped, Some("2026-07-28"), "modern"),
            (&escaped, None, "modern"),
            (&in_notification, None, "modern"),
            (notification, Some("2026-07-28"), "modern"),
            (notification, Some("2025-11-25"), "legacy"),
            (notification, Some("v999"), "-32600"),
            (response, Some("2026-07-28"), "-32600"),
            (&claimed_init, None, "modern"),
            (&unclaimed_init, None, "legacy"),
            (&unclaimed_init, Some("2026-07-28"), "-32020"),
            (&claimed_earlier, None, "legacy"),
            (&claimed_earlier, Some("2025-11-25"), "legacy"),
            (in_argument, None, "legacy"),
            ("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"},7]", None, "batch"),
        ];
        for (body, version, expected) in cases {
            assert_eq!(verdict(body, version), expected, "{body} under {version:?}");
        }
    }

    #[test]
    fn a_batch_holds_neither_initialize_nor_a_stateless_message() {
        let init = r#"[{"jsonrpc":"2.0","id":1,"method":"initialize"}]"#;
        let claim = r#"[{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"x"}}}]"#;
        assert_eq!(verdict(init, None), "-32600");
        assert_eq!(verdict(claim, None), "-32600");
    }

    #[test]
    fn bytes_that_are_no_text_are_no_json() {
        assert!(matches!(classify(&[0xff, 0xfe], None), Err(Refusal { error: RpcError { code: -32700, .. }, .. })));
    }
}
