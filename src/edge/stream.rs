//! Server-sent events. The Worker holds the client's stream and sends the keep-alives; between it and the object runs
//! a hibernatable socket, so that the object sleeps while nothing is said.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, LocalBoxFuture, pending, select};
use worker::{Delay, Env, EventStream, Headers, Request, RequestInit, ResponseBuilder, WebSocket, WebsocketEvent};

use crate::crypto;
use crate::edge::sockets::COME_BACK;
use crate::edge::{agents, fetch};
use crate::web::{Header, StreamSpec, Watch, Work};

/// Below the 25 to 30 seconds after which proxies and clients give up on a silent stream.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// On the stream of a call. A client that left is seen only by writing, at the second time; and what it left behind
/// should not run on for long.
const CALL_KEEP_ALIVE: Duration = Duration::from_secs(5);

/// How long what the object said before its reply may take to arrive after it.
const STRAGGLERS: Duration = Duration::from_secs(1);

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
    let StreamSpec { prelude, work, watch, .. } = spec;
    let (gone, end) = watch.map(Watch::begin).unzip();
    let events = async_stream::stream! {
        let guard = CloseOnDrop(socket);
        let _end = end;
        // Listen before accepting: a message that arrives in between would be lost.
        let Ok(messages) = guard.0.events() else { return };
        if guard.0.accept().is_err() {
            return;
        }
        yield Ok::<_, worker::Error>(prelude.into_bytes());
        let mut relay = Relay { messages: Some(messages), work, last: None, gone };
        while let Some(text) = relay.next().await {
            yield Ok(text.into_bytes());
        }
    };
    Ok(ResponseBuilder::new().with_status(status).with_headers(sent).from_stream(events)?.into())
}

/// What goes out on a stream: what the object says, signs of life, and in the end what the stream's own work comes to.
struct Relay<'s> {
    /// Until the object closes its side.
    messages: Option<EventStream<'s>>,
    /// Until it is done.
    work: Option<Work>,
    /// What it came to.
    last: Option<String>,
    /// Completes when the client has gone, where nothing else would tell.
    gone: Option<LocalBoxFuture<'static, ()>>,
}

enum Heard {
    Text(String),
    Nothing,
    Closed,
    Released,
    Done(Option<String>),
    Gone,
    Idle,
}

impl Relay<'_> {
    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        loop {
            // The object has closed, and there is no work or it is done.
            if self.work.is_none() && self.messages.is_none() {
                return self.last.take();
            }
            match self.hear().await {
                Heard::Text(text) => return Some(text),
                Heard::Nothing => {}
                Heard::Closed => self.messages = None,
                // The call goes on without this connection; its client comes back for the rest.
                Heard::Released | Heard::Gone => return None,
                Heard::Done(last) => {
                    self.work = None;
                    self.last = last;
                }
                // What the object said before the work was done has had its time to come.
                Heard::Idle if self.last.is_some() => self.messages = None,
                Heard::Idle => return Some(": keep-alive\n\n".to_owned()),
            }
        }
    }

    async fn hear(&mut self) -> Heard {
        let wait = match (&self.last, &self.work) {
            (Some(_), _) => STRAGGLERS,
            (None, Some(_)) => CALL_KEEP_ALIVE,
            (None, None) => KEEP_ALIVE,
        };
        let messages = async {
            match &mut self.messages {
                Some(messages) => match messages.next().await {
                    Some(Ok(WebsocketEvent::Message(message))) => message.text().map_or(Heard::Nothing, Heard::Text),
                    Some(Ok(WebsocketEvent::Close(event))) if event.code() == COME_BACK => Heard::Released,
                    Some(Ok(WebsocketEvent::Close(_)) | Err(_)) | None => Heard::Closed,
                },
                None => pending().await,
            }
        };
        let work = async {
            match &mut self.work {
                Some(Work(work)) => Heard::Done(work.await),
                None => pending().await,
            }
        };
        let gone = async {
            match &mut self.gone {
                Some(gone) => gone.await,
                None => pending().await,
            }
        };
        let either = select(Box::pin(messages), Box::pin(work));
        let nothing = select(Box::pin(gone), Box::pin(Delay::from(wait)));
        match select(either, nothing).await {
            Either::Left((Either::Left((heard, _)) | Either::Right((heard, _)), _)) => heard,
            Either::Right((Either::Left(_), _)) => Heard::Gone,
            Either::Right((Either::Right(_), _)) => Heard::Idle,
        }
    }
}

async fn connect(env: &Env, spec: &StreamSpec) -> worker::Result<Option<WebSocket>> {
    let mut init = RequestInit::new();
    let headers = Headers::new();
    headers.set("upgrade", "websocket")?;
    // Not in the URL, which is what a platform logs.
    headers.set(ATTACH, &crypto::encode(&serde_json::to_vec(&spec.attach)?))?;
    init.with_headers(headers);
    let request = Request::new_with_init("http://agent/stream", &init)?;
    let stub = agents::stub(env, &spec.agent)?;
    let answer = fetch::in_time(agents::LIMIT, stub.fetch_with_request(request)).await;
    Ok(answer.transpose()?.and_then(worker::Response::websocket))
}
