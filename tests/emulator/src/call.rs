//! One HTTP request as the services see it, with its path and query still escaped.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// A request, wholly read.
#[derive(Clone, Debug)]
pub struct Call {
    /// The HTTP method.
    pub method: Method,
    /// Path as sent, still escaped.
    pub path: String,
    /// Query as sent, without `?`, still escaped.
    pub query: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Call {
    /// A header's value, when it is there once and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The query's pairs in order.
    pub fn query_pairs(&self) -> Pairs {
        Pairs::parse(&self.query)
    }

    /// The body's pairs, when it is a form.
    pub fn form(&self) -> Pairs {
        Pairs::parse(&String::from_utf8_lossy(&self.body))
    }

    /// The body as JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Decoded `application/x-www-form-urlencoded` pairs.
#[derive(Clone, Debug, Default)]
pub struct Pairs(pub Vec<(String, String)>);

impl Pairs {
    /// Decodes a query or a form.
    pub fn parse(raw: &str) -> Self {
        let decode = |part: &str| {
            let spaced = part.replace('+', " ");
            percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
        };
        Self(
            raw.split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// The first value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A value that is present and not empty.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// The first name that occurs twice.
    pub fn repeated(&self) -> Option<&str> {
        self.0.iter().enumerate().find_map(|(at, (name, _))| {
            let again = self.0.iter().skip(at + 1).any(|(other, _)| other == name);
            again.then_some(name.as_str())
        })
    }
}
