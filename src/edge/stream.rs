//! Server-sent events. The Worker holds the client's stream and sends the keep-alives; between it and the object runs
//! a hibernatable socket, so that the object sleeps while nothing is said.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use worker::{Delay, Env, Headers, Request, RequestInit, ResponseBuilder, WebSocket, WebsocketEvent};

use crate::crypto;
use crate::edge::agents;
use crate::web::{Header, StreamSpec};

/// Below the 25 to 30 seconds after which proxies and clients give up on a silent stream.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// The header in which the object is told how its stream is taken up: base64url of JSON.
pub(crate) const ATTACH: &str = "x-attach";

/// Closes the socket when the client's stream is dropped, so that the object learns of it.
struct CloseOnDrop(WebSocket);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        let _ = self.0.close(Some(1000), Some("stream ended"));
    }
}

/// Opens the socket to the object and hands what comes of it, framed already, to the client.
pub(crate) async fn open(
    status: u16,
    headers: &[Header],
    spec: StreamSpec,
    env: &Env,
) -> worker::Result<web_sys::Response> {
    let Some(socket) = connect(env, &spec).await? else {
        return Ok(worker::Response::error("the stream could not be opened; try again", 503)?.into());
    };
    let sent = Headers::new();
    for (name, value) in headers {
        sent.append(name, value)?;
    }
    let events = async_stream::stream! {
        let guard = CloseOnDrop(socket);
        // Listen before accepting: a message that arrives in between would be lost.
        let Ok(mut messages) = guard.0.events() else { return };
        if guard.0.accept().is_err() {
            return;
        }
        yield Ok::<_, worker::Error>(spec.prelude.into_bytes());
        loop {
            match select(messages.next(), Box::pin(Delay::from(KEEP_ALIVE))).await {
                Either::Left((Some(Ok(WebsocketEvent::Message(message))), _)) => {
                    if let Some(text) = message.text() {
                        yield Ok(text.into_bytes());
                    }
                }
                Either::Left((Some(Ok(WebsocketEvent::Close(_)) | Err(_)) | None, _)) => break,
                Either::Right(((), _)) => yield Ok(b": keep-alive\n\n".to_vec()),
            }
        }
    };
    Ok(ResponseBuilder::new().with_status(status).with_headers(sent).from_stream(events)?.into())
}

async fn connect(env: &Env, spec: &StreamSpec) -> worker::Result<Option<WebSocket>> {
    let mut init = RequestInit::new();
    let headers = Headers::new();
    headers.set("upgrade", "websocket")?;
    // Not in the URL, which is what a platform logs.
    headers.set(ATTACH, &crypto::encode(&serde_json::to_vec(&spec.attach)?))?;
    init.with_headers(headers);
    let request = Request::new_with_init("http://agent/stream", &init)?;
    Ok(agents::stub(env, &spec.agent)?.fetch_with_request(request).await?.websocket())
}
