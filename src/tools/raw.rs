//! Reading any allowed path of Graph, for what no other tool covers. Never a write: every request is a GET that is
//! built here, and no part of the argument becomes a method, a header or a host. Which paths are allowed is `path`.

mod path;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Answer, UNTRUSTED, clean};
use super::arguments::{bounded, several};
use super::call::Call;
use super::outbox::IMMUTABLE;
use super::page;
use super::{Input, Kind, Outcome, Preset, Tool, handle, schema};
use crate::graph::GraphRequest;
use crate::identity::Scope;
use path::Path;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "graphRequest",
    title: "Read from Microsoft Graph",
    description: "GET any allowed Graph v1.0 path for which no other tool serves; several go as one batch.",
    kind: Kind::Read,
    preset: Preset::Raw,
    // What the token allows is what it reads: Graph itself refuses the rest.
    needs: &[],
    also: &[Scope::UserRead],
    on_use: &[],
    example: r#"{"paths":["/me/drive?$select=quota"]}"#,
    schema: schema::of::<GraphGet>,
    handler: handle::<GraphGet>,
}];

/// Paths of one call: the requests that one batch takes.
const MOST: usize = 20;
/// Members that are left out at any depth: bytes, links that open a file to whoever holds them, and notes on the form.
const LEFT_OUT: [&str; 7] = [
    "contentBytes",
    "@microsoft.graph.downloadUrl",
    "@content.downloadUrl",
    "uploadUrl",
    "@odata.context",
    "@odata.etag",
    "@odata.deltaLink",
];

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GraphGet {
    /// e.g. /me/drive?$select=quota
    paths: Vec<String>,
    /// ConsistencyLevel: eventual
    eventual: Option<bool>,
    #[schemars(range(min = 1, max = 100_000), extend("default" = 16000))]
    max_chars: Option<u32>,
}

#[derive(Serialize)]
struct Answers {
    untrusted: &'static str,
    answers: Vec<Answered>,
    truncated: bool,
}

/// What came of one path, in the order of the paths.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    /// The beginning of a body that was too long, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
    /// The path of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
}

#[async_trait(?Send)]
impl Input for GraphGet {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let most = usize::try_from(bounded("maxChars", self.max_chars, 16_000, 100_000)?).unwrap_or(usize::MAX);
        several("paths", &self.paths, MOST)?;
        let paths = self.paths.iter().map(|text| Path::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let eventual = self.eventual == Some(true);
        let requests: Vec<_> = paths.iter().map(|path| request(path, eventual)).collect();
        let outcomes = call.batch::<Value>(&requests).await?;
        let alone = outcomes.len() == 1;
        let mut left = most;
        let mut answers = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            answers.push(match outcome {
                Err(error) if alone => return Err(error),
                Err(error) => Answered::failed(call.report(&error)),
                Ok(body) => Answered::of(call, body, &mut left),
            });
        }
        let truncated = answers.iter().any(|answer| answer.truncated);
        Ok(Answer::of(&Answers { untrusted: UNTRUSTED, answers, truncated }))
    }
}

/// Log lines name the first segment alone: what follows is the caller's.
fn request(path: &Path, eventual: bool) -> GraphRequest {
    let request = GraphRequest::follow(&path.path, &path.query, path.route).prefer(IMMUTABLE);
    if eventual { request.header("consistencylevel", "eventual") } else { request }
}

impl Answered {
    fn failed(error: Value) -> Self {
        Self { body: None, text: None, truncated: false, next: None, error: Some(error) }
    }

    /// The body as far as `left` characters go, which it takes from it.
    fn of(call: &Call<'_>, mut body: Value, left: &mut usize) -> Self {
        let link = body.as_object_mut().and_then(|object| object.remove("@odata.nextLink"));
        // Only what this tool would take as a path is offered as one.
        let next = link.as_ref().and_then(Value::as_str).and_then(|link| page::relative(call, link));
        let next = next.filter(|next| Path::parse(next).is_ok());
        scrub(&mut body);
        let written = body.to_string();
        let length = written.chars().count();
        if length <= *left {
            *left -= length;
            return Self { body: Some(body), text: None, truncated: false, next, error: None };
        }
        let text = written.chars().take(*left).collect();
        *left = 0;
        Self { body: None, text: Some(text), truncated: true, next, error: None }
    }
}

/// Takes out what is left out and what nobody can see. As deep as the parser goes, which has a bound.
fn scrub(value: &mut Value) {
    match value {
        Value::String(text) => *text = clean(text, usize::MAX),
        Value::Array(items) => items.iter_mut().for_each(scrub),
        Value::Object(object) => {
            object.retain(|name, _| !LEFT_OUT.iter().any(|out| name.eq_ignore_ascii_case(out)));
            object.values_mut().for_each(scrub);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bytes_and_links_that_open_files_are_left_out_at_any_depth() {
        let mut body = json!({"value": [{"name": "a\u{202E}b", "@microsoft.graph.downloadUrl": "https://x",
            "attachments": [{"contentBytes": "AAAA", "size": 3}]}], "@odata.context": "x"});
        scrub(&mut body);
        assert_eq!(body, json!({"value": [{"name": "ab", "attachments": [{"size": 3}]}]}));
    }
}
