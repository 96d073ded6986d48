//! Where a client may be answered: which redirect URIs may be registered, and which of them a request may name.
//!
//! Stricter than the RFCs ask: `https`, or `http` to a loopback host; no user information, fragment, wildcard, control
//! or non-ASCII character; no parameter of an authorization response in its query. RFC 9700 section 2.1 demands exact
//! comparison; RFC 8252 section 7.3 lets a native client's port vary, on loopback and nowhere else.

use std::borrow::Cow;

use url::{Host, Url};

/// The most that one URI may measure.
pub const MAX_LENGTH: usize = 2048;

/// What an authorization response adds; a registered copy of one would make it appear twice.
const RESPONSE_PARAMS: &[&str] = &["code", "state", "iss", "error", "error_description", "error_uri"];

/// Whether this URI may be registered; `schemes` are the private ones that the operator allows (RFC 8252 section 7.1).
pub fn is_acceptable(text: &str, schemes: &[String]) -> bool {
    let plain =
        text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'*' | b'#' | b'"' | b'<' | b'>'));
    if !plain || text.len() > MAX_LENGTH {
        return false;
    }
    let Some((authority, _)) = split(text) else { return false };
    // A host with escapes is another one once it is decoded.
    if authority.is_empty() || authority.contains(['@', '%']) {
        return false;
    }
    let Ok(url) = Url::parse(text) else { return false };
    // As written: a URL parser takes `HTTPS:` for `https:`, and what is compared later is the text.
    if !text.starts_with(&format!("{}://", url.scheme())) {
        return false;
    }
    let scheme_fits = match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(&url),
        private => schemes.iter().any(|scheme| scheme == private),
    };
    scheme_fits && !url.query_pairs().any(|(name, _)| RESPONSE_PARAMS.contains(&name.as_ref()))
}

/// Whether a request may name `asked` where `registered` was registered: equal, or on loopback equal but for the port.
pub fn matches(registered: &str, asked: &str) -> bool {
    if registered == asked {
        return true;
    }
    if !is_acceptable(asked, &[]) || !is_loopback_only(registered) || !asked.starts_with("http://") {
        return false;
    }
    match (split(registered), split(asked)) {
        (Some((one, rest)), Some((other, same))) => host(one) == host(other) && rest == same,
        _ => false,
    }
}

/// Whether the URI leads to the user's own machine, where any program may be listening.
pub fn is_loopback_only(text: &str) -> bool {
    text.starts_with("http://") && Url::parse(text).is_ok_and(|url| is_loopback(&url))
}

/// Whether an app on the user's own device is answered: on loopback or by a private scheme.
pub fn is_on_this_device(text: &str) -> bool {
    !text.starts_with("https://")
}

/// The URI without the port that a loopback client chose for this one sign-in; any other URI as it is.
pub fn without_loopback_port(text: &str) -> Cow<'_, str> {
    let loopback = Url::parse(text).is_ok_and(|url| url.scheme() == "http" && is_loopback(&url));
    match split(text) {
        Some((authority, rest)) if loopback => Cow::Owned(format!("http://{}{rest}", host(authority))),
        Some(_) | None => Cow::Borrowed(text),
    }
}

/// Host and port as the consent page shows them, or the private scheme of an app on the user's device.
pub fn shown_host(text: &str) -> String {
    let url = Url::parse(text).ok();
    if let Some(private) = url.as_ref().map(Url::scheme).filter(|scheme| !matches!(*scheme, "http" | "https")) {
        return format!("{private}: (an app on this device)");
    }
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    match url.as_ref().and_then(Url::port) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Authority and everything after it, as written. What stands before `://` must be a scheme: URL parsers forgive missing
/// slashes, and take `https:/user@host://other` for a URI of `host`.
fn split(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    if !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')) {
        return None;
    }
    Some(rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())))
}

/// The authority without its port.
fn host(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_http_on_loopback_may_be_registered() {
        for uri in [
            "https://client.example/cb",
            "https://client.example:8443/cb?tenant=a",
            "https://claude.ai/api/mcp/auth_callback",
            "http://localhost:3000/cb",
            "http://localhost/cb",
            "http://127.0.0.1:4711/cb",
            "http://127.3.2.1/cb",
            "http://[::1]:4711/cb",
        ] {
            assert!(is_acceptable(uri, &[]), "{uri}");
        }
        let long = format!("https://client.example/{}", "a".repeat(MAX_LENGTH));
        for uri in [
            "",
            " ",
            "/cb",
            "client.example/cb",
            "//client.example/cb",
            "https:",
            "https://",
            "https:///cb",
            "https:client.example/cb",
            "https://client%2eexample/cb",
            "http://%6cocalhost/cb",
            "https:/user@evil.example://client.example/cb",
            "https:evil.example://client.example/cb",
            "http:/evil.example/http://127.0.0.1/cb",
            "http://evil.example/cb",
            "http://localhost.evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://0.0.0.0/cb",
            "http://10.0.0.1/cb",
            "http://[::2]/cb",
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "javascript://client.example/%0aalert(1)",
            "data:text/html,x",
            "DATA:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "mailto:a@b.example",
            "blob:https://client.example/x",
            "about:blank",
            "intent://x#Intent;end",
            "intent:#Intent;scheme=https;end",
            "INTENT://x",
            "about:blank#x",
            "view-source:https://client.example",
            "View-Source:javascript:alert(1)",
            "HTTPS://client.example/cb",
            "Http://127.0.0.1:4711/cb",
            "\u{1}https://client.example/cb",
            "https://client.example/\u{80}cb",
            "https://client.example/\u{9f}cb",
            "\u{feff}https://client.example/cb",
            "java\nscript:alert(1)",
            "ftp://client.example/cb",
            "ws://client.example",
            "myapp://cb",
            "com.example.app:/cb",
            " https://client.example/cb",
            "https://client.example/cb ",
            "https://client.example/c b",
            "https://client.example/\tcb",
            "https://client.example/\ncb",
            "https://client.example/\u{0}cb",
            "https://client.example/\u{7f}cb",
            "https://client.example/\u{85}cb",
            "https://client.example/cb\r\nx: y",
            "https://client.example/cb#",
            "https://client.example/cb#x",
            "https://user@client.example/cb",
            "https://user:pw@client.example/cb",
            "https://@client.example/cb",
            "https://*.client.example/cb",
            "https://client.example/*",
            "https://client.example\\@evil.example/cb",
            "https:\\\\client.example/cb",
            "https://cliént.example/cb",
            "https://client.example:99999/cb",
            "https://client.example/cb?code=1",
            "https://client.example/cb?a=1&iss=x",
            "https://client.example/cb?st%61te=x",
            long.as_str(),
        ] {
            assert!(!is_acceptable(uri, &[]), "{uri:?}");
        }
    }

    #[test]
    fn a_request_names_a_registered_uri_exactly_but_for_a_loopback_port() {
        for (registered, asked) in [
            ("https://client.example/cb", "https://client.example/cb"),
            ("http://127.0.0.1:1/cb", "http://127.0.0.1:65000/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:65000/cb"),
            ("http://127.0.0.1:1/cb", "http://127.0.0.1/cb"),
            ("http://localhost:1/cb?x=1", "http://localhost:2/cb?x=1"),
            ("http://[::1]:1/cb", "http://[::1]:2/cb"),
            ("http://[::1]/cb", "http://[::1]:2/cb"),
        ] {
            assert!(matches(registered, asked), "{registered} {asked}");
        }
        for (registered, asked) in [
            ("https://client.example/cb", "https://client.example:8443/cb"),
            ("https://client.example/cb", "https://client.example/cb/"),
            ("https://client.example/cb", "https://client.example/cb?x=1"),
            ("https://client.example/cb", "https://CLIENT.example/cb"),
            ("https://client.example/cb", "http://client.example/cb"),
            ("https://client.example/cb", "https://client.example.evil.example/cb"),
            ("http://127.0.0.1:1/cb", "http://localhost:1/cb"),
            ("http://localhost:1/cb", "http://127.0.0.1:1/cb"),
            ("http://localhost:1/cb", "http://[::1]:1/cb"),
            ("http://127.0.0.1:1/cb", "http://127.0.0.2:1/cb"),
            ("http://127.0.0.1:1/cb", "http://127.0.0.1:1/other"),
            ("http://127.0.0.1:1/cb", "https://127.0.0.1:1/cb"),
            ("http://127.0.0.1:1/cb", "http://127.0.0.1:1@evil.example/cb"),
            ("http://127.0.0.1:1/cb", "http://127.0.0.1:1/cb?x"),
            ("http://127.0.0.1:1/cb", "http://127.0.0.1:1/cb#x"),
        ] {
            assert!(!matches(registered, asked), "{registered} {asked}");
        }
    }

    #[test]
    fn a_private_scheme_counts_only_where_the_operator_allows_it() {
        let schemes = ["cursor".to_owned()];
        let uri = "cursor://anysphere.cursor-mcp/oauth/callback";
        assert!(is_acceptable(uri, &schemes));
        assert!(!is_acceptable(uri, &[]));
        for uri in ["cursorx://host/cb", "vscode://host/cb", "cursor:host", "CURSOR://host/cb", "cursor://u@host/cb"] {
            assert!(!is_acceptable(uri, &schemes), "{uri}");
        }
        assert!(is_on_this_device(uri));
        assert_eq!(shown_host(uri), "cursor: (an app on this device)");
    }
}
