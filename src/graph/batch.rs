//! `$batch`: up to twenty requests in one (Graph's "JSON batching"). The status of the whole says nothing of its parts;
//! each has its own, found by its id, in whatever order they come back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::request::{GraphRequest, InvalidSegment, Method, Segment};
use super::response::{Failure, GraphResponse, Origin};

/// Requests that one batch takes.
pub const MOST: usize = 20;

/// A part as it goes out.
#[derive(Serialize)]
struct Part<'a> {
    id: String,
    method: &'static str,
    url: String,
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    headers: serde_json::Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a Value>,
}

/// A part as it comes back.
#[derive(Deserialize)]
struct Answered {
    id: String,
    status: u16,
    #[serde(default)]
    headers: serde_json::Map<String, Value>,
    #[serde(default)]
    body: Value,
}

#[derive(Deserialize)]
struct Answers {
    responses: Vec<Answered>,
}

/// The one request that carries these; at most [`MOST`] of them, which is the caller's to see to.
pub fn build(parts: &[GraphRequest]) -> Result<GraphRequest, InvalidSegment> {
    let requests: Vec<_> = parts
        .iter()
        .enumerate()
        .map(|(at, part)| Part {
            id: at.to_string(),
            method: part.method.name(),
            url: part.path_and_query(),
            headers: headers(part),
            body: part.body.as_ref(),
        })
        .collect();
    let request = GraphRequest::new(Method::Post, &[Segment::Word("$batch")])?;
    let request = request.body(serde_json::json!({ "requests": requests }));
    Ok(if parts.iter().all(|part| part.idempotent) { request.repeatable() } else { request })
}

fn headers(part: &GraphRequest) -> serde_json::Map<String, Value> {
    let mut headers = serde_json::Map::new();
    for (name, value) in part.all_headers() {
        headers.insert(name.to_owned(), value.into());
    }
    headers
}

/// What became of each of `parts`, in their order; an answer of 400 and more is a failure, by `classify`. A part without
/// an answer is one of which nobody knows what became.
pub fn read(
    parts: &[GraphRequest],
    response: &GraphResponse,
    classify: impl Fn(&GraphResponse) -> Failure,
) -> Result<Vec<Result<GraphResponse, Failure>>, Failure> {
    let Answers { mut responses } = response.json()?;
    let found = parts.iter().enumerate().map(|(at, part)| {
        let id = at.to_string();
        let Some(place) = responses.iter().position(|answer| answer.id == id) else {
            let lost = Failure::of(Origin::Graph, "NoAnswerInBatch");
            return Err(if part.method == Method::Get { lost } else { lost.maybe_acted() });
        };
        let answer = responses.swap_remove(place).into_response();
        if answer.status < 400 {
            return Ok(answer);
        }
        let failure = classify(&answer);
        let may_have_acted = failure.may_have_acted && part.method != Method::Get;
        Err(Failure { may_have_acted, ..failure })
    });
    Ok(found.collect())
}

impl Answered {
    fn into_response(self) -> GraphResponse {
        let headers =
            self.headers.into_iter().filter_map(|(name, value)| Some((name.to_ascii_lowercase(), word(&value)?)));
        let body = if self.body.is_null() { Vec::new() } else { self.body.to_string().into_bytes() };
        GraphResponse { status: self.status, headers: headers.collect(), body }
    }
}

/// Header values are texts; Graph has been seen to send Retry-After as a number.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod tests {
    use serde_json::json;

    use super::*;

    fn part(method: Method, id: &str) -> GraphRequest {
        let path = [Segment::Word("me"), Segment::Word("messages"), Segment::Value(id)];
        GraphRequest::new(method, &path).unwrap()
    }

    fn classify(answer: &GraphResponse) -> Failure {
        Failure { status: Some(answer.status), ..Failure::of(Origin::Graph, "x") }.maybe_acted()
    }

    #[test]
    fn a_part_carries_its_own_headers_and_cannot_leave_its_place() {
        let parts = [
            part(Method::Get, "a/b?c").prefer("IdType=\"ImmutableId\""),
            part(Method::Patch, "x").body(json!({"isRead": true})),
        ];
        let whole = build(&parts).unwrap();
        assert_eq!(whole.path_and_query(), "/$batch");
        assert!(!whole.idempotent);
        assert_eq!(
            whole.body.unwrap(),
            json!({"requests": [
                {"id": "0", "method": "GET", "url": "/me/messages/a%2Fb%3Fc", "headers": {"prefer": "IdType=\"ImmutableId\""}},
                {"id": "1", "method": "PATCH", "url": "/me/messages/x", "headers": {"content-type": "application/json"},
                 "body": {"isRead": true}},
            ]})
        );
        assert!(build(&parts[..1]).unwrap().idempotent);
    }

    #[test]
    fn every_part_has_its_own_outcome_whatever_the_order() {
        let parts =
            [part(Method::Get, "a"), part(Method::Patch, "b"), part(Method::Delete, "c"), part(Method::Get, "d")];
        let body = json!({"responses": [
            {"id": "1", "status": 429, "headers": {"Retry-After": 7}, "body": {"error": {}}},
            {"id": "0", "status": 200, "body": {"id": "a"}},
            {"id": "3", "status": 500, "body": {"error": {}}},
        ]});
        let response = GraphResponse { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() };
        let outcome = read(&parts, &response, classify).unwrap();
        assert_eq!(outcome[0].as_ref().unwrap().json::<Value>().unwrap(), json!({"id": "a"}));
        assert_eq!(outcome[1].as_ref().unwrap_err().status, Some(429));
        let lost = outcome[2].as_ref().unwrap_err();
        assert_eq!((lost.code.as_str(), lost.may_have_acted), ("NoAnswerInBatch", true));
        // A read leaves nothing behind, so there is nothing to doubt.
        assert!(!outcome[3].as_ref().unwrap_err().may_have_acted);
    }

    #[test]
    fn an_answer_that_is_none_is_a_failure() {
        let response = GraphResponse { status: 200, headers: Vec::new(), body: b"{}".to_vec() };
        assert!(read(&[part(Method::Get, "a")], &response, classify).is_err());
    }
}
