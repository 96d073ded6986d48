//! What a `client_id` says: registered here, registered by the operator, or the address of the client's own document
//! (draft-ietf-oauth-client-id-metadata-document section 3).
//!
//! An address is fetched because a stranger wrote it into a link, so the rule is narrow: one spelling per address, a
//! public host name, nothing that two parsers could read in two ways.

use url::{Host, Url};

/// base64url of 128 random bits.
const RANDOM_LENGTH: usize = 22;

/// What the ids of the operator's clients begin with.
pub const OPERATOR_PREFIX: &str = "pre-";

/// The most that an address may measure.
const MAX_URL: usize = 512;

/// Names that resolve on the machine or the network that asks (RFC 6761, RFC 6762, RFC 8375, and by custom).
const LOCAL_NAMES: &[&str] =
    &["localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "arpa"];

/// Where a client comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It registered itself.
    Dynamic,
    /// The operator registered it.
    Operator,
    /// Its id is the address of its document.
    Document,
}

/// A `client_id` that no client can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdError {
    /// Nothing that this server ever handed out.
    Foreign,
    /// An address that is not fetched.
    Address,
}

/// Reads an id. What is no id of ours is not even looked up, so a stranger cannot choose KV keys.
pub fn parse(client_id: &str) -> Result<Origin, IdError> {
    if is_random(client_id) {
        return Ok(Origin::Dynamic);
    }
    if client_id.strip_prefix(OPERATOR_PREFIX).is_some_and(is_random) {
        return Ok(Origin::Operator);
    }
    // No id of ours holds a colon, so this was meant as an address.
    if !client_id.contains(':') {
        return Err(IdError::Foreign);
    }
    if is_public_address(client_id) { Ok(Origin::Document) } else { Err(IdError::Address) }
}

/// The host of the client's document, for the person who is asked.
pub fn document_host(client_id: &str) -> Option<String> {
    (parse(client_id) == Ok(Origin::Document)).then(|| Url::parse(client_id).ok()?.host_str().map(str::to_owned))?
}

fn is_random(text: &str) -> bool {
    text.len() == RANDOM_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether this is `https://host/path` and nothing else: the default port, no user information, query, fragment, dot
/// segment, backslash or space, a host name with a dot that is not local, and exactly as a URL parser writes it. A query
/// is refused beyond the draft ("SHOULD NOT"), because ids stand in log lines and queries may not.
pub fn is_public_address(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'@' | b'#' | b'?'));
    if !plain || text.len() > MAX_URL || text.to_ascii_lowercase().contains("%2e") {
        return false;
    }
    let Ok(url) = Url::parse(text) else { return false };
    let names_a_document = url.scheme() == "https" && url.path() != "/" && url.port().is_none();
    names_a_document && url.as_str() == text && matches!(url.host(), Some(Host::Domain(name)) if is_public_name(name))
}

fn is_public_name(name: &str) -> bool {
    let top = name.rsplit('.').next().unwrap_or_default();
    name.contains('.') && !top.is_empty() && !LOCAL_NAMES.contains(&top)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_with_a_public_name_and_a_path_and_has_one_spelling() {
        for id in [
            "https://app.contoso.example/client.json",
            "https://claude.ai/oauth/claude-code-client-metadata",
            "https://chatgpt.com/oauth/tU1UVEq8rRTK/client.json",
            "https://a.b.contoso.example/x/",
            "https://app.contoso.example/a%20b",
            "https://xn--bcher-kva.example/client",
        ] {
            assert_eq!(parse(id), Ok(Origin::Document), "{id}");
        }
        let long = format!("https://app.contoso.example/{}", "a".repeat(MAX_URL));
        for id in [
            "http://app.contoso.example/client.json",
            "HTTPS://app.contoso.example/client.json",
            "ftp://app.contoso.example/client.json",
            "https://app.contoso.example",
            "https://app.contoso.example/",
            "https://App.contoso.example/client.json",
            "https://user@app.contoso.example/client.json",
            "https://user:pw@app.contoso.example/client.json",
            "https://app.contoso.example/@client.json",
            "https://app.contoso.example/client.json#x",
            "https://app.contoso.example/client.json#",
            "https://app.contoso.example/client.json?",
            "https://app.contoso.example/client.json?x=1",
            "https://app.contoso.example/./client.json",
            "https://app.contoso.example/a/../client.json",
            "https://app.contoso.example/a/..",
            "https://app.contoso.example/%2e/client.json",
            "https://app.contoso.example/%2E%2e/client.json",
            "https://app.contoso.example/a%2Eb",
            "https://app.contoso.example/.%2e/client.json",
            "https://app.contoso.example\\client.json",
            "https://app.contoso.example/a\\b",
            "https:\\\\app.contoso.example/client.json",
            "https://app.contoso.example/cli ent.json",
            " https://app.contoso.example/client.json",
            "https://app.contoso.example/client.json ",
            "https://app.contoso.example/\tclient.json",
            "https://app.contoso.example/\nclient.json",
            "https://app.contoso.example/\u{0}client.json",
            "https://app.contoso.example/\u{7f}client.json",
            "https://app.contoso.example/\u{a0}client.json",
            "https://bücher.example/client.json",
            "https://app.contoso.example/bücher",
            "https://app.contoso.example:443/client.json",
            "https://app.contoso.example:8443/client.json",
            "https://app.contoso.example:/client.json",
            "https:///client.json",
            "https:/app.contoso.example/client.json",
            "https://127.0.0.1/client.json",
            "https://wiki/client.json",
            "https://127.1/client.json",
            "https://2130706433/client.json",
            "https://0x7f000001/client.json",
            "https://0177.0.0.1/client.json",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/client.json",
            "https://[::ffff:127.0.0.1]/client.json",
            "https://192.0.2.1/client.json",
            "https://localhost/client.json",
            "https://app.localhost/client.json",
            "https://printer.local/client.json",
            "https://metadata.google.internal/client.json",
            "https://nas.lan/client.json",
            "https://router.home.arpa/client.json",
            "https://wiki/client.json",
            "https://app.contoso.example./client.json",
            "https://localhost./client.json",
            long.as_str(),
        ] {
            assert_eq!(parse(id), Err(IdError::Address), "{id:?}");
        }
    }

    #[test]
    fn what_was_never_handed_out_is_no_id() {
        assert_eq!(parse("AAAAAAAAAAAAAAAAAAAAAA"), Ok(Origin::Dynamic));
        assert_eq!(parse("pre-AAAAAAAAAAAAAAAAAAAAAA"), Ok(Origin::Operator));
        for id in ["", "x", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA/", "pre-x", "PRE-AAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(parse(id), Err(IdError::Foreign), "{id}");
        }
    }

    #[test]
    fn only_a_document_has_a_host() {
        assert_eq!(document_host("https://app.contoso.example/c").as_deref(), Some("app.contoso.example"));
        assert_eq!(document_host("AAAAAAAAAAAAAAAAAAAAAA"), None);
    }
}
