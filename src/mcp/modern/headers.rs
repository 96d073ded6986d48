//! The standard headers, which let a proxy route without reading the body: each must say what the body says.
//!
//! SEP-2243. A value is compared as it is, but for the wrapping `=?base64?…?=`, in which a client sends a name that a
//! header cannot hold. Only a name: whoever routes by `Mcp-Method` reads it as it is.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::envelope::{Params, text};
use super::tasks::TaskMethod;
use super::{HEADER_MISMATCH, REVISION, UNSUPPORTED_VERSION};
use crate::mcp::protocol::RpcError;
use crate::web::Request;

/// The revision: the header's must be the body's, and it must be one that is served.
pub(super) fn check_version(request: &Request, version: &str) -> Result<(), RpcError> {
    let header = request.header("mcp-protocol-version");
    if header.is_some_and(|header| header != version) {
        return Err(mismatch("MCP-Protocol-Version differs from params._meta"));
    }
    if version != REVISION {
        let data = serde_json::json!({"supported": [REVISION], "requested": version}).to_string();
        let error = RpcError::new(UNSUPPORTED_VERSION, "unsupported protocol version");
        return Err(RpcError { data: Some(data), ..error });
    }
    if header.is_none() {
        return Err(mismatch("MCP-Protocol-Version is missing"));
    }
    Ok(())
}

/// `Mcp-Method`, and `Mcp-Name` where the method has one.
pub(super) fn check_routing(request: &Request, method: &str, params: &Params<'_>) -> Result<(), RpcError> {
    if request.header("mcp-method") != Some(method) {
        return Err(mismatch("Mcp-Method is missing or differs from the body's method"));
    }
    #[cfg(feature = "conformance")]
    super::parameters::check(request, params.name.and_then(text).as_deref(), params.arguments)?;
    let named = match method {
        "tools/call" | "prompts/get" => params.name,
        "resources/read" => params.uri,
        method if TaskMethod::parse(method).is_some() => params.task_id,
        _ => return Ok(()),
    };
    // A name that is no string is the method's to refuse; no header can equal it.
    let (sent, named) = (value(request, "mcp-name")?, named.and_then(text));
    if sent == named { Ok(()) } else { Err(mismatch("Mcp-Name is missing or differs from the body")) }
}

pub(super) fn value<'a>(request: &'a Request, name: &'static str) -> Result<Option<Cow<'a, str>>, RpcError> {
    request.header(name).map(|value| decode(value).ok_or_else(|| mismatch("a header is wrongly encoded"))).transpose()
}

fn decode(value: &str) -> Option<Cow<'_, str>> {
    let Some(wrapped) = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) else {
        return Some(value.into());
    };
    let bytes = STANDARD.decode(wrapped).ok()?;
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

pub(super) fn mismatch(message: &'static str) -> RpcError {
    RpcError::new(HEADER_MISMATCH, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_literal_unless_it_is_wrapped_whole() {
        let cases = [
            ("getEmails", Some("getEmails")),
            ("=?base64?SGVsbG8=?=", Some("Hello")),
            ("=?base64??=", Some("")),
            ("=?base64?SGVsbG8?=", None),
            ("=?base64?SGVs!!!bG8=?=", None),
            ("=?base64?/w==?=", None),
            ("SGVsbG8=", Some("SGVsbG8=")),
            ("=?base64?SGVsbG8=", Some("=?base64?SGVsbG8=")),
            ("SGVsbG8=?=", Some("SGVsbG8=?=")),
        ];
        for (value, expected) in cases {
            assert_eq!(decode(value).as_deref(), expected, "{value}");
        }
    }
}
