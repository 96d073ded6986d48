//! Plain HTTPS out of the Worker: no redirect is followed, every call has a time limit and a size limit.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use wasm_bindgen::JsValue;
use worker::{AbortController, Delay, Fetch, Headers, Method, Request, RequestInit, RequestRedirect};

use crate::edge::{body, convert, platform};
use crate::ports::{OutboundRequest, OutboundResponse, Upstream, UpstreamError};

/// Larger answers are refused: they would fill the isolate's memory.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// `fetch`.
pub(crate) struct WorkerFetch;

#[async_trait(?Send)]
impl Upstream for WorkerFetch {
    fn is_strictly_public(&self) -> bool {
        platform::has_compatibility_flag("global_fetch_strictly_public")
    }

    async fn send(&self, request: OutboundRequest, limit_ms: u64) -> Result<OutboundResponse, UpstreamError> {
        let largest = request.max_answer.unwrap_or(LARGEST_ANSWER);
        let request = build(&request).map_err(|_| UpstreamError::Unreachable)?;
        let abort = AbortController::default();
        let signal = abort.signal();
        let exchange = async {
            let response = Fetch::Request(request).send_with_signal(&signal).await;
            read_at_most(response.map_err(|_| UpstreamError::Unreachable)?.into(), largest).await
        };
        within(limit_ms, exchange, || abort.abort()).await
    }
}

/// Runs `exchange` for at most `limit_ms`. What takes longer or fails is aborted: the far end must not go on sending
/// what nobody reads.
pub(crate) async fn within<T>(
    limit_ms: u64,
    exchange: impl Future<Output = Result<T, UpstreamError>>,
    abort: impl FnOnce(),
) -> Result<T, UpstreamError> {
    let outcome = in_time(Duration::from_millis(limit_ms), exchange).await.unwrap_or(Err(UpstreamError::Timeout));
    if outcome.is_err() {
        abort();
    }
    outcome
}

/// What the work comes to, unless it takes longer.
pub(crate) async fn in_time<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    match select(Box::pin(work), Box::pin(Delay::from(limit))).await {
        Either::Left((outcome, _)) => Some(outcome),
        Either::Right(((), _)) => None,
    }
}

fn build(request: &OutboundRequest) -> worker::Result<Request> {
    let headers = Headers::new();
    for (name, value) in &request.headers {
        headers.set(name, value)?;
    }
    let mut init = RequestInit::new();
    init.with_method(Method::from(request.method.clone())).with_headers(headers);
    init.with_redirect(RequestRedirect::Manual);
    if let Some(body) = &request.body {
        init.with_body(Some(JsValue::from(js_sys::Uint8Array::from(body.as_slice()))));
    }
    Request::new_with_init(&request.url, &init)
}

/// Status, headers and the whole body.
pub(crate) async fn read(response: web_sys::Response) -> Result<OutboundResponse, UpstreamError> {
    read_at_most(response, LARGEST_ANSWER).await
}

async fn read_at_most(response: web_sys::Response, largest: usize) -> Result<OutboundResponse, UpstreamError> {
    let (status, headers) = (response.status(), convert::all_headers(&response.headers()));
    let announced = announced_length(&headers);
    if announced.is_some_and(|length| length > largest) {
        return Err(UpstreamError::TooLarge);
    }
    let stream = if announced.is_none() { response.body() } else { None };
    let body = match stream {
        Some(stream) => {
            let read = body::collect(&stream, largest).await.map_err(|_| UpstreamError::Unreachable)?;
            read.ok_or(UpstreamError::TooLarge)?
        }
        None => worker::Response::from(response).bytes().await.map_err(|_| UpstreamError::Unreachable)?,
    };
    Ok(OutboundResponse { status, headers, body })
}

/// The length that HTTP itself holds the body to. It says nothing of a body that is decompressed on its way in.
fn announced_length(headers: &[(String, String)]) -> Option<usize> {
    let value = |name| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    if value("content-encoding").is_some() {
        return None;
    }
    value("content-length")?.parse().ok()
}
