//! One Graph request: version, decoded segments, preferences, body; and the answer to it.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::error::GraphError;
use crate::call::{Call, Pairs};
use crate::entra::sessions::Consent;

/// Bytes of a request in JSON.
const LARGEST: usize = 4 * 1024 * 1024;

/// What the `Prefer` header asks for.
#[derive(Clone, Debug, Default)]
pub struct Prefer {
    /// Bodies as text instead of HTML.
    pub text_body: bool,
    /// Zone of event times.
    pub zone: Option<String>,
    /// Ids that survive a move.
    pub immutable: bool,
}

impl Prefer {
    fn parse(call: &Call) -> Self {
        let mut prefer = Self::default();
        let lines = call.headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        for one in lines.flat_map(|line| line.split(',')) {
            let (name, value) = one.trim().split_once('=').unwrap_or((one.trim(), ""));
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "outlook.body-content-type" => {
                    prefer.text_body = value.eq_ignore_ascii_case("text");
                }
                "outlook.timezone" => prefer.zone = Some(value.to_owned()),
                "idtype" => prefer.immutable = value == "ImmutableId",
                _ => {}
            }
        }
        prefer
    }

    /// `Preference-Applied` for what was honoured.
    pub fn applied(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.text_body {
            parts.push("outlook.body-content-type=\"text\"".to_owned());
        }
        if let Some(zone) = &self.zone {
            parts.push(format!("outlook.timezone=\"{zone}\""));
        }
        if self.immutable {
            parts.push("IdType=\"ImmutableId\"".to_owned());
        }
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// A request whose token was found good.
pub struct Request<'a> {
    /// As it came.
    pub call: &'a Call,
    /// `v1.0` or `beta`.
    pub version: &'static str,
    /// Decoded segments after the version.
    pub segments: Vec<String>,
    /// Decoded query.
    pub query: Pairs,
    /// Who asks, with which scopes.
    pub consent: &'a Consent,
    /// Preferences.
    pub prefer: Prefer,
}

impl<'a> Request<'a> {
    /// Reads a request; a path with an empty or dotted segment is not found, never resolved.
    pub fn parse(call: &'a Call, consent: &'a Consent) -> Result<Self, GraphError> {
        let mut raw = call.path.trim_start_matches('/').split('/');
        if call.path.starts_with("//") {
            return Err(GraphError::no_segment(""));
        }
        let version = match raw.next() {
            Some("v1.0") => "v1.0",
            Some("beta") => "beta",
            other => {
                let message = format!("Invalid version: {}", other.unwrap_or(""));
                return Err(GraphError::bad(&message));
            }
        };
        let mut segments = Vec::new();
        for one in raw {
            let decoded =
                percent_decode_str(one).decode_utf8().map_err(|_| GraphError::bad("The path is not UTF-8."))?;
            if matches!(decoded.as_ref(), "" | "." | "..") || decoded.contains(['/', '\\', '\0']) {
                return Err(GraphError::no_segment(&decoded));
            }
            segments.push(decoded.into_owned());
        }
        let query = call.query_pairs();
        Ok(Self { call, version, segments, query, consent, prefer: Prefer::parse(call) })
    }

    /// The body, which must be a JSON object of the right content type.
    pub fn object(&self) -> Result<Value, GraphError> {
        let kind = self.call.header("content-type").unwrap_or("");
        if !kind.to_ascii_lowercase().starts_with("application/json") {
            return Err(GraphError::new(
                415,
                "UnsupportedMediaType",
                "Write requests must contain the Content-Type header declaration with application/json.",
            ));
        }
        if self.call.body.len() > LARGEST {
            return Err(GraphError::new(413, "RequestEntityTooLarge", "The maximum request length supported is 4MB."));
        }
        match self.call.json() {
            Some(body) if body.is_object() => Ok(body),
            _ => Err(GraphError::bad(
                "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
            )),
        }
    }

    /// Refuses unless one of the scopes was granted; the refusal is of the family's kind.
    pub fn require(&self, any: &[&str], family: Family) -> Result<(), GraphError> {
        if self.consent.scopes.iter().any(|granted| any.contains(&granted.as_str())) {
            return Ok(());
        }
        Err(match family {
            Family::Outlook => {
                GraphError::new(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
            }
            Family::Files => GraphError::new(403, "accessDenied", "Access denied"),
            Family::Directory => GraphError::new(
                403,
                "Authorization_RequestDenied",
                "Insufficient privileges to complete the operation.",
            ),
            Family::Teams => {
                let message = format!(
                    "Missing scope permissions on the request. API requires one of '{}'. Scopes on the request '{}'",
                    any.join(", "),
                    self.consent.scopes.join(", ")
                );
                GraphError::new(403, "Forbidden", &message)
            }
        })
    }

    /// Address of a path under this version.
    pub fn url(&self, path: &str) -> String {
        format!("https://graph.microsoft.com/{}/{path}", self.version)
    }
}

/// Which workload refuses.
#[derive(Clone, Copy, Debug)]
pub enum Family {
    /// Mail, calendar, contacts.
    Outlook,
    /// Drives.
    Files,
    /// People and groups.
    Directory,
    /// Teams, chats, meetings.
    Teams,
}

/// A successful answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON body.
    pub body: Option<Value>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

impl Answer {
    /// 200 with a body.
    pub fn ok(body: Value) -> Self {
        Self { status: 200, body: Some(body), headers: Vec::new() }
    }

    /// 201 with the new resource and its address.
    pub fn created(body: Value, location: String) -> Self {
        Self { status: 201, body: Some(body), headers: vec![("location", location)] }
    }

    /// A status without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, body: None, headers: Vec::new() }
    }
}
