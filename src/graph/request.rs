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
    /// A body that is not JSON, instead.
    pub content: Option<Content>,
    /// Whether sending it twice does no more than sending it once.
    pub idempotent: bool,
}

/// A body as it stands: a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// Its media type.
    pub media_type: &'static str,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// A piece of a path.
#[derive(Clone, Copy, Debug)]
pub enum Segment<'a> {
    /// A word of Graph's own, written as it is.
    Word(&'static str),
    /// Something from outside: an id, a folder, an address. Escaped as one segment.
    Value(&'a str),
    /// Names from outside, set apart by slashes, that lead down from the item before: `root:/a/b:`. Each is escaped as
    /// one segment; what follows addresses what they lead to.
    Below(&'a str),
    /// A function of Graph's with one text argument: name, parameter, text, as in `search(q='text')`.
    Call(&'static str, &'static str, &'a str),
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
        let mut below = false;
        for segment in segments {
            // A path within a drive ends with a colon where something follows it.
            let colon = if std::mem::replace(&mut below, matches!(segment, Segment::Below(_))) { ":" } else { "" };
            path.push_str(colon);
            route.push_str(colon);
            append(segment, &mut path, &mut route)?;
        }
        let idempotent = matches!(method, Method::Get | Method::Put | Method::Delete);
        Ok(Self { idempotent, ..Self::at(method, path, route) })
    }

    fn at(method: Method, path: String, route: String) -> Self {
        Self {
            method,
            path,
            route,
            query: Vec::new(),
            prefer: Vec::new(),
            headers: Vec::new(),
            body: None,
            content: None,
            idempotent: true,
        }
    }

    /// The request that a `nextLink` stands for: its path below the version, and its query, both as Graph wrote them.
    pub fn follow(path: &str, query: &str, route: &str) -> Self {
        let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        Self::at(Method::Get, path, route.to_owned())
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

    /// Asks for times by the clocks of this zone; without one Graph tells them in UTC.
    #[must_use]
    pub fn times_in(self, zone: Option<&str>) -> Self {
        match zone {
            Some(name) => self.prefer(format!("outlook.timezone=\"{name}\"")),
            None => self,
        }
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

    /// Sets a body that is not JSON.
    #[must_use]
    pub fn content(mut self, media_type: &'static str, bytes: Vec<u8>) -> Self {
        self.content = Some(Content { media_type, bytes });
        self
    }

    /// Says that sending it twice is not harmless although the method says so.
    #[must_use]
    pub const fn once(mut self) -> Self {
        self.idempotent = false;
        self
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
        if self.body.is_some() {
            headers.push(("content-type", "application/json".to_owned()));
        } else if let Some(content) = &self.content {
            headers.push(("content-type", content.media_type.to_owned()));
        }
        headers
    }
}

fn append(segment: &Segment<'_>, path: &mut String, route: &mut String) -> Result<(), InvalidSegment> {
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
        Segment::Below(names) => {
            path.push(':');
            for name in names.split('/') {
                path.extend(["/", &escape_segment(name)?]);
            }
            route.push_str(":/{path}");
        }
        Segment::Call(function, parameter, text) => {
            // A quote within the literal is doubled (OData ABNF).
            let literal = utf8_percent_encode(text, ESCAPED).to_string().replace("%27", "%27%27");
            path.extend(["/", function, "(", parameter, "='", &literal, "')"]);
            route.extend(["/", function, "()"]);
        }
    }
    Ok(())
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
#[path = "request_tests.rs"]
mod tests;
