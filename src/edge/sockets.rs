//! The object's hibernatable sockets, tagged with their stream and its session. Each carries its place, so that the
//! newest of a stream is known also after the object slept.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use worker::{State, WebSocket};

use crate::agent::{Attach, StreamName, Subscription};
use crate::ports::Sockets;

/// The open sockets of this object.
pub(crate) struct ObjectSockets(pub(crate) Rc<State>);

impl Sockets for ObjectSockets {
    fn send(&self, stream: &str, text: &str) -> bool {
        let mut sockets = self.0.get_websockets_with_tag(stream);
        sockets.sort_by_key(|socket| std::cmp::Reverse(place(socket)));
        sockets.iter().any(|socket| socket.send_with_str(text).is_ok())
    }

    fn is_open(&self, stream: &str) -> bool {
        !self.0.get_websockets_with_tag(stream).is_empty()
    }

    fn close(&self, stream_or_session: &str) {
        close(&self.0.get_websockets_with_tag(stream_or_session), OVER, "the stream is over");
    }

    fn release(&self, stream: &str) {
        close(&self.0.get_websockets_with_tag(stream), COME_BACK, "the stream goes on later");
    }

    fn listeners(&self) -> Vec<(StreamName, Subscription)> {
        let notes = self.0.get_websockets().into_iter().filter_map(|socket| note(&socket));
        notes.filter_map(|note| Some((note.stream, note.listens?))).collect()
    }

    fn close_all(&self) {
        close(&self.0.get_websockets(), OVER, "the grant is over");
    }
}

/// RFC 6455 section 7.4.1: a normal end.
const OVER: u16 = 1000;

/// Of the codes that are left to applications: the connection ends, the stream does not.
pub(crate) const COME_BACK: u16 = 4000;

/// What a socket keeps of itself while the object sleeps.
#[derive(Serialize, Deserialize)]
struct Note {
    place: u32,
    stream: StreamName,
    listens: Option<Subscription>,
}

/// Takes a socket as the newest of its stream.
pub(crate) fn accept(state: &State, socket: &WebSocket, attach: Attach) -> worker::Result<()> {
    let Attach { stream, listens, .. } = attach;
    let newest = state.get_websockets_with_tag(stream.as_str()).iter().map(place).max().unwrap_or_default();
    state.accept_websocket_with_tags(socket, &[stream.as_str(), stream.session()]);
    socket.serialize_attachment(Note { place: newest.saturating_add(1), stream, listens })
}

fn note(socket: &WebSocket) -> Option<Note> {
    socket.deserialize_attachment().ok().flatten()
}

fn place(socket: &WebSocket) -> u32 {
    note(socket).map_or(0, |note| note.place)
}

fn close(sockets: &[WebSocket], code: u16, reason: &str) {
    for socket in sockets {
        // One that is closed already is none of ours any more.
        let _ = socket.close(Some(code), Some(reason));
    }
}
