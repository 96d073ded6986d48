//! Building a Graph request. All escaping of what a model or a user wrote happens here: a path is a list of
//! segments, a query a list of pairs, and neither can climb out of its place.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// Everything but RFC 3986's unreserved characters is escaped, in paths and queries alike.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An HTTP method of Graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates or acts.
    Post,
    /// Changes.
    Patch,
    /// Replaces.
    Put,
    /// Removes.
    Delete,
}

impl Method {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// One request to Graph, without its host, version and credential.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphRequest {
    /// Method.
    pub method: Method,
    /// Path below the version, as escaped text beginning with a slash.
    path: String,
    /// The path with identifiers replaced, for log lines.
    route: String,
    query: Vec<(&'static str, String)>,
    /// Preferences, joined into one `Prefer` header.
    prefer: Vec<String>,
    /// Further headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// JSON body.
    pub body: Option<Value>,
    /// Whether sending it twice does no more than sending it once.
    pub idempotent: bool,
}

/// A piece of a path.
#[derive(Clone, Copy, Debug)]
pub enum Segment<'a> {
    /// A word of Graph's own, written as it is.
    Word(&'static str),
    /// Something from outside: an id, a folder, an address. Escaped as one segment.
    Value(&'a str),
    /// The host of a site that is found by its path, which the colon behind it begins.
    Host(&'a str),
}

/// A path segment from outside cannot be one that URL parsers resolve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not usable as an identifier")]
pub struct InvalidSegment;

impl GraphRequest {
    /// A request for this path. Refuses empty values, `.` and `..` in any encoding, and control characters.
    pub fn new(method: Method, segments: &[Segment<'_>]) -> Result<Self, InvalidSegment> {
        let mut path = String::new();
        let mut route = String::new();
        for segment in segments {
            match segment {
                Segment::Word(word) => {
                    path.extend(["/", word]);
                    route.extend(["/", word]);
                }
                Segment::Value(value) => {
                    path.extend(["/", &escape_segment(value)?]);
                    route.push_str("/{id}");
                }
                Segment::Host(host) => {
                    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
                    if !host.bytes().all(plain) || host.len() > 253 {
                        return Err(InvalidSegment);
                    }
                    path.extend(["/", &escape_segment(host)?, ":"]);
                    route.push_str("/{id}:");
                }
            }
        }
        let idempotent = matches!(method, Method::Get | Method::Put | Method::Delete);
        Ok(Self {
            method,
            path,
            route,
            query: Vec::new(),
            prefer: Vec::new(),
            headers: Vec::new(),
            body: None,
            idempotent,
        })
    }

    /// The request that a `nextLink` stands for: its path below the version, and its query, both as Graph wrote them.
    pub fn follow(path: &str, query: &str, route: &str) -> Self {
        let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        Self {
            method: Method::Get,
            path,
            route: route.to_owned(),
            query: Vec::new(),
            prefer: Vec::new(),
            headers: Vec::new(),
            body: None,
            idempotent: true,
        }
    }

    /// Adds a query option such as `$top`.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Adds a preference such as `IdType="ImmutableId"`.
    #[must_use]
    pub fn prefer(mut self, preference: impl Into<String>) -> Self {
        self.prefer.push(preference.into());
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sets the JSON body.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Sets a body of HTML, which goes on the wire as it is.
    #[must_use]
    pub fn html(mut self, html: String) -> Self {
        self.headers.push(("content-type", "text/html; charset=utf-8".to_owned()));
        self.body = Some(Value::String(html));
        self
    }

    /// The body as it goes on the wire. No JSON body of Graph's is a bare text: that is what [`Self::html`] set.
    pub fn content(&self) -> Option<String> {
        self.body.as_ref().map(|body| body.as_str().map_or_else(|| body.to_string(), str::to_owned))
    }

    /// Says that sending it twice is harmless although the method does not.
    #[must_use]
    pub const fn repeatable(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Path and query below the version, escaped: what goes on the wire after `/v1.0`.
    pub fn path_and_query(&self) -> String {
        let mut text = self.path.clone();
        for (index, (name, value)) in self.query.iter().enumerate() {
            text.push(if index == 0 { '?' } else { '&' });
            text.push_str(name);
            text.push('=');
            text.extend(utf8_percent_encode(value, ESCAPED));
        }
        text
    }

    /// The preferences, for a request that continues this one.
    pub fn preferences(&self) -> &[String] {
        &self.prefer
    }

    /// The path for log lines: no identifier, no query.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// All headers of the request, `Prefer` and `content-type` included.
    pub fn all_headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = self.headers.clone();
        if !self.prefer.is_empty() {
            headers.push(("prefer", self.prefer.join(", ")));
        }
        if self.body.is_some() && !headers.iter().any(|(name, _)| *name == "content-type") {
            headers.push(("content-type", "application/json".to_owned()));
        }
        headers
    }
}

/// Whether [`GraphRequest::new`] takes this as a segment from outside.
pub fn is_segment(value: &str) -> bool {
    escape_segment(value).is_ok()
}

/// Escapes one segment. A dot segment is refused in any number of encodings, because some hop on the way may decode
/// before it resolves.
fn escape_segment(value: &str) -> Result<String, InvalidSegment> {
    let mut dots = value.to_ascii_lowercase();
    while dots.contains("%25") {
        dots = dots.replace("%25", "%");
    }
    let dots = dots.replace("%2e", ".").replace("%2f", "/").replace("%5c", "\\");
    let climbs = matches!(dots.as_str(), "" | "." | "..") || dots.split(['/', '\\']).any(|part| part == "..");
    if climbs || value.chars().any(char::is_control) || value.len() > 2048 {
        return Err(InvalidSegment);
    }
    Ok(utf8_percent_encode(value, ESCAPED).to_string())
}

/// Escapes text for a string literal in `$filter`: a quote is doubled (`OData` ABNF).
pub fn filter_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Text between the one pair of double quotes that `$search` takes: quotes and backslashes within are escaped, so that
/// it cannot end early.
pub fn quoted_phrase(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;

    fn path(folder: &str) -> Result<String, InvalidSegment> {
        let segments =
            [Segment::Word("me"), Segment::Word("mailFolders"), Segment::Value(folder), Segment::Word("messages")];
        GraphRequest::new(Method::Get, &segments).map(|request| request.query("$top", "10").path_and_query())
    }

    #[test]
    fn a_segment_from_outside_cannot_leave_its_place() {
        for climbing in [
            "..",
            ".",
            "",
            "%2e%2e",
            "%2E.",
            "%252e%252e",
            "../users",
            "a/../b",
            "a\\..\\b",
            "a\nb",
            "..%2f",
            "%2525252e.",
        ] {
            let outcome = path(climbing);
            assert!(outcome.is_err() || !outcome.unwrap().contains("../"), "{climbing:?}");
        }
        assert_eq!(path("../x"), Err(InvalidSegment));
        assert_eq!(path("a/b?c#d&e").unwrap(), "/me/mailFolders/a%2Fb%3Fc%23d%26e/messages?$top=10");
    }

    #[test]
    fn a_host_is_one_and_its_colon_is_ours() {
        let at = |host| {
            let segments = [Segment::Word("sites"), Segment::Host(host), Segment::Value("a b")];
            GraphRequest::new(Method::Get, &segments).map(|request| request.path_and_query())
        };
        assert_eq!(at("contoso.sharepoint.example").unwrap(), "/sites/contoso.sharepoint.example:/a%20b");
        for wrong in ["", ".", "..", "a/b", "a:b", "a?b", "a%2f", "a b", "\u{e9}"] {
            assert!(at(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn html_goes_out_as_it_is_and_says_so() {
        let request = GraphRequest::new(Method::Post, &[Segment::Word("me")]).unwrap().html("<p>\"</p>".to_owned());
        assert_eq!(request.content().unwrap(), "<p>\"</p>");
        assert_eq!(request.all_headers(), [("content-type", "text/html; charset=utf-8".to_owned())]);
        assert_eq!(request.body(serde_json::json!([1])).content().unwrap(), "[1]");
    }

    #[test]
    fn preferences_share_one_header() {
        let request = GraphRequest::new(Method::Get, &[Segment::Word("me")]).unwrap().prefer("a").prefer("b");
        assert_eq!(request.all_headers(), [("prefer", "a, b".to_owned())]);
    }

    #[test]
    fn a_quote_cannot_end_a_search_phrase() {
        assert_eq!(quoted_phrase(r#"x" OR from:"boss"#), r#""x\" OR from:\"boss""#);
        assert_eq!(quoted_phrase(r#"x\" y"#), r#""x\\\" y""#);
    }

    #[test]
    fn a_quote_cannot_end_a_filter_literal() {
        assert_eq!(filter_literal("o'hara"), "'o''hara'");
    }
}
