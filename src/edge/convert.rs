//! Between the platform's request and response and the core's.

use std::time::Duration;

use futures_util::future::select;
use js_sys::{Array, JsString};
use wasm_bindgen::prelude::*;
use web_sys::ReadableStream;
use worker::{Delay, Env};

use crate::app::BodyRefusal;
use crate::edge::{body, stream};
use crate::web::{Body, Method, READ_HEADERS, Request, Response};

#[wasm_bindgen(inline_js = r#"
export function read_headers(headers, names) {
  return names.map((name) => { const value = headers.get(name); return value === null ? "" : "=" + value; }).join("\n");
}
export function header_lines(headers) {
  const lines = [];
  for (const [name, value] of headers) lines.push(name, value);
  return lines.join("\n");
}
export function build_response(status, lines, body) {
  const pairs = [], parts = lines.split("\n");
  for (let i = 0; i + 1 < parts.length; i += 2) pairs.push([parts[i], parts[i + 1]]);
  // A copy: the bytes lie in Wasm's memory, which changes after this call.
  return new Response(body === undefined ? null : body.slice(), { status, headers: pairs });
}
"#)]
extern "C" {
    /// The values of these headers, a line each: empty for one that is absent, otherwise `=` and the value, which
    /// cannot hold a line break. One crossing instead of one per header.
    fn read_headers(headers: &web_sys::Headers, names: &Array) -> String;

    /// All headers, a line each, name and value in turn.
    fn header_lines(headers: &web_sys::Headers) -> String;

    /// A response of this status, headers (a line each, name and value in turn) and body.
    #[wasm_bindgen(catch)]
    fn build_response(status: u16, lines: &str, body: Option<&[u8]>) -> Result<web_sys::Response, JsValue>;
}

thread_local! {
    static NAMES: Array = READ_HEADERS.iter().map(|name| JsString::from(*name)).collect();
}

/// Method, path, query and the headers that the core reads.
pub(crate) fn read_head(request: &worker::Request) -> Request {
    let url = request.inner().url();
    let (path, query) = split_url(&url);
    let text = NAMES.with(|names| read_headers(&request.inner().headers(), names));
    let lines = READ_HEADERS.iter().zip(text.split('\n'));
    let headers = lines.filter_map(|(name, line)| Some((*name, line.strip_prefix('=')?.to_owned()))).collect();
    Request { method: Method::parse(request.method().as_ref()), path, query, headers, body: Vec::new() }
}

/// Every header of an answer from outside.
pub(crate) fn all_headers(headers: &web_sys::Headers) -> Vec<(String, String)> {
    let text = header_lines(headers);
    let mut lines = text.split('\n').map(str::to_owned);
    std::iter::from_fn(|| Some((lines.next()?, lines.next()?))).collect()
}

/// Path and query of an absolute URL, without parsing the rest of it.
fn split_url(url: &str) -> (String, Option<String>) {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let target = after_scheme.find('/').and_then(|slash| after_scheme.get(slash..)).unwrap_or("/");
    let target = target.split('#').next().unwrap_or(target);
    match target.split_once('?') {
        Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
        None => (target.to_owned(), None),
    }
}

/// How much of a body over the limit is still taken from the client, and for how long at most. A client that is
/// writing while it is answered may find the connection closed under it and never read the answer; so what is not
/// absurdly large is let come to its end first.
const DISCARD: usize = 4 * 1024 * 1024;
const DISCARD_TIME: Duration = Duration::from_secs(1);

/// Reads the body, but never keeps more than `limit` bytes of it.
pub(crate) async fn read_body(request: &mut worker::Request, limit: usize) -> Result<Vec<u8>, BodyRefusal> {
    let announced = request.headers().get("content-length").ok().flatten();
    let announced = announced.and_then(|text| text.parse::<usize>().ok());
    match announced {
        Some(length) if length <= limit => return request.bytes().await.map_err(|_| BodyRefusal::Broken),
        Some(length) if length - limit > DISCARD => return Err(BodyRefusal::TooLarge),
        Some(_) | None => {}
    }
    let Some(stream) = request.inner().body() else { return Ok(Vec::new()) };
    if announced.is_none()
        && let Some(bytes) = body::collect(&stream, limit).await.map_err(|_| BodyRefusal::Broken)?
    {
        return Ok(bytes);
    }
    discard(&stream).await;
    Err(BodyRefusal::TooLarge)
}

async fn discard(stream: &ReadableStream) {
    select(Box::pin(body::discard(stream, DISCARD)), Box::pin(Delay::from(DISCARD_TIME))).await;
}

/// The platform's response, built in one crossing.
pub(crate) async fn write(response: Response, env: &Env) -> worker::Result<web_sys::Response> {
    // What separates the lines may not be in them: such a header is a fault of ours and nobody's to smuggle.
    if response.headers.iter().any(|(_, value)| value.contains(['\n', '\r'])) {
        return Err(worker::Error::RustError("a header holds a line break".to_owned()));
    }
    let lines: Vec<&str> = response.headers.iter().flat_map(|(name, value)| [*name, value.as_ref()]).collect();
    let lines = lines.join("\n");
    match response.body {
        Body::Empty => Ok(build_response(response.status, &lines, None)?),
        Body::Bytes(bytes) => Ok(build_response(response.status, &lines, Some(&bytes))?),
        Body::Stream(spec) => stream::open(response.status, &response.headers, *spec, env).await,
    }
}
