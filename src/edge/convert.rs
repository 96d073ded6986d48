//! Between the platform's request and response and the core's.

use futures_util::StreamExt;
use worker::{Env, Headers, ResponseBuilder};

use crate::app::BodyRefusal;
use crate::edge::stream;
use crate::web::{Body, Method, READ_HEADERS, Request, Response};

/// Method, path, query and the headers that the core reads.
pub(crate) fn read_head(request: &worker::Request) -> worker::Result<Request> {
    let url = request.inner().url();
    let (path, query) = split_url(&url);
    let source = request.headers();
    let mut headers = Vec::with_capacity(READ_HEADERS.len());
    for name in READ_HEADERS {
        if let Some(value) = source.get(name)? {
            headers.push((*name, value));
        }
    }
    Ok(Request { method: Method::parse(request.method().as_ref()), path, query, headers, body: Vec::new() })
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

/// Reads the body, but never more than `limit` bytes of it.
pub(crate) async fn read_body(request: &mut worker::Request, limit: usize) -> Result<Vec<u8>, BodyRefusal> {
    if request.inner().body().is_none() {
        return Ok(Vec::new());
    }
    let announced = request.headers().get("content-length").ok().flatten();
    if let Some(length) = announced.and_then(|text| text.parse::<usize>().ok()) {
        return if length > limit {
            Err(BodyRefusal::TooLarge)
        } else {
            request.bytes().await.map_err(|_| BodyRefusal::Broken)
        };
    }
    let mut stream = request.stream().map_err(|_| BodyRefusal::Broken)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend(chunk.map_err(|_| BodyRefusal::Broken)?);
        if bytes.len() > limit {
            return Err(BodyRefusal::TooLarge);
        }
    }
    Ok(bytes)
}

/// The platform's response.
pub(crate) async fn write(response: Response, env: &Env) -> worker::Result<worker::Response> {
    let headers = Headers::new();
    for (name, value) in &response.headers {
        headers.append(name, value)?;
    }
    let builder = ResponseBuilder::new().with_status(response.status).with_headers(headers);
    match response.body {
        Body::Empty => Ok(builder.empty()),
        Body::Bytes(bytes) => Ok(builder.fixed(bytes.into_owned())),
        Body::Stream(spec) => stream::open(builder, spec, env).await,
    }
}
