//! What may pass to Graph and back: methods, paths, request headers, response headers. Allow-lists only; whatever is
//! not named is refused. Used on both sides of the gateway, because neither trusts the other.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Methods that Graph answers.
const METHODS: &[&str] = &["GET", "POST", "PATCH", "PUT", "DELETE"];

/// Request headers that a tool may set, in lower case. `host`, `cookie`, `authorization` and everything that steers
/// a proxy or impersonates are absent on purpose; `client-request-id` is written by the handler itself.
const REQUEST_HEADERS: &[&str] = &["accept", "consistencylevel", "content-type", "if-match", "if-none-match", "prefer"];

/// Response headers that go back. `www-authenticate` carries the claims challenge of continuous access evaluation.
const RESPONSE_HEADERS: &[&str] = &[
    "client-request-id",
    "content-type",
    "etag",
    "location",
    "preference-applied",
    "request-id",
    "retry-after",
    "www-authenticate",
    "x-ms-ags-diagnostic",
];

/// Longest path with query, in bytes; Graph's own next-page links stay well below.
const PATH_LIMIT: usize = 8192;

/// Longest header value, in bytes.
const VALUE_LIMIT: usize = 2048;

/// Decoding a path this often must reach its end; an honest path needs one round.
const DECODE_ROUNDS: usize = 4;

/// Whether this method may pass; upper case only.
pub fn method(name: &str) -> bool {
    METHODS.contains(&name)
}

/// Whether this request header, by its lower-case name, may pass with this value.
pub fn request_header(name: &str, value: &str) -> bool {
    let printable = value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    REQUEST_HEADERS.contains(&name) && printable && value.len() <= VALUE_LIMIT
}

/// Whether this response header, by its lower-case name, goes back to the caller.
pub fn response_header(name: &str) -> bool {
    RESPONSE_HEADERS.contains(&name)
}

/// Whether an id may be written into a header: the characters of a UUID, at most 64.
pub fn request_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Whether `path`, with its query, stays below `/<version>/` on Graph's host whatever a hop on the way decodes or
/// resolves.
pub fn path(path: &str, version: &str) -> bool {
    let below =
        path.strip_prefix('/').and_then(|rest| rest.strip_prefix(version)).and_then(|rest| rest.strip_prefix('/'));
    let Some(below) = below else { return false };
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\'));
    let (below, query) = below.split_once('?').unwrap_or((below, ""));
    path.len() <= PATH_LIMIT && plain && escapes_are_whole(below) && escapes_are_whole(query) && segments(below)
}

/// Whether every percent sign begins an escape of two hexadecimal digits.
fn escapes_are_whole(text: &str) -> bool {
    let mut parts = text.split('%');
    parts.next();
    parts.all(|part| part.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
}

/// Whether no segment is empty or climbs. A trailing slash is refused as well: Graph has none.
fn segments(path: &str) -> bool {
    path.split('/').all(|segment| !segment.is_empty() && segment_is_safe(segment))
}

/// Decodes until nothing changes, because some hop may decode once more than we do, and looks for dot segments,
/// backslashes and control characters at the end.
fn segment_is_safe(segment: &str) -> bool {
    let mut text = Cow::Borrowed(segment);
    for _ in 0..DECODE_ROUNDS {
        let Ok(decoded) = percent_decode_str(&text).decode_utf8() else { return false };
        if decoded == text {
            return is_level(&text);
        }
        text = Cow::Owned(decoded.into_owned());
    }
    false
}

/// Whether no part of a decoded segment is a dot segment, with or without path parameters (`..;x`).
fn is_level(text: &str) -> bool {
    let climbs = |part: &str| matches!(part.split(';').next(), Some("." | ".."));
    !text.contains('\\') && !text.chars().any(char::is_control) && !text.split('/').any(climbs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_leave_the_version_on_graphs_host() {
        for escaping in [
            "/v1.0",
            "/v1.0/",
            "/v1.0x/me",
            "/beta/me",
            "v1.0/me",
            "//evil.example/v1.0/me",
            "https://evil.example/v1.0/me",
            "/v1.0//me",
            "/v1.0/me//messages",
            "/v1.0/../beta/me",
            "/v1.0/./me",
            "/v1.0/me/..",
            "/v1.0/%2e%2e/beta/me",
            "/v1.0/%2E./beta/me",
            "/v1.0/%252e%252e/beta",
            "/v1.0/%25252525252e%25252525252e/beta",
            "/v1.0/me/..%2f..%2fbeta",
            "/v1.0/me/..%5cbeta",
            "/v1.0/me/..;a/beta",
            "/v1.0/%c0%ae%c0%ae/beta",
            "/v1.0/me\\messages",
            "/v1.0/me#x",
            "/v1.0/me%0d%0ahost:x",
            "/v1.0/me\r\nhost: x",
            "/v1.0/me messages",
            "/v1.0/me%",
            "/v1.0/me%2",
            "/v1.0/me%zz",
            "/v1.0/me?$search=%4",
            "/v1.0/me?x=\u{e9}",
            "/v1.0/me?x=1#y",
        ] {
            assert!(!path(escaping, "v1.0"), "{escaping:?}");
        }
        assert!(!path(&format!("/v1.0/{}", "a".repeat(PATH_LIMIT)), "v1.0"));
    }

    #[test]
    fn what_graph_and_our_own_builder_write_passes() {
        for honest in [
            "/v1.0/me",
            "/v1.0/me/messages?$top=10&$search=%22from%3A%5C%22x%22",
            "/v1.0/me/mailFolders/a%2Fb%3Fc%23d%26e/messages",
            "/v1.0/me/calendarView/delta()?$deltatoken=a.b..c",
            "/v1.0/chats/19%3Aab%40thread.v2/messages",
            "/v1.0/me/messages/AAMk.AGI..x=/attachments",
        ] {
            assert!(path(honest, "v1.0"), "{honest:?}");
        }
        assert!(path("/beta/me", "beta"));
    }

    #[test]
    fn only_named_headers_with_printable_values_pass() {
        assert!(request_header("prefer", "IdType=\"ImmutableId\""));
        for (name, value) in [
            ("host", "evil.example"),
            ("cookie", "a=b"),
            ("authorization", "Bearer x"),
            ("Prefer", "x"),
            ("x-http-method-override", "DELETE"),
            ("prefer", "a\r\nhost: evil.example"),
            ("if-match", "\u{0}"),
        ] {
            assert!(!request_header(name, value), "{name}: {value:?}");
        }
        assert!(!response_header("set-cookie") && !response_header("x-m365-handler-error"));
    }

    #[test]
    fn only_named_methods_pass() {
        assert!(method("PATCH"));
        assert!(!method("get") && !method("TRACE") && !method("CONNECT") && !method(""));
    }
}
