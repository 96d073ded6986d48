//! A stream on which its client only listens: when that client has gone, and the log line of the stream's end.
//!
//! The response's own line is written when its head goes out, which may be hours before.

use std::fmt;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;

use super::Context;
use crate::exchange::Exchange;
use crate::log::{Event, Kind};
use crate::ports::{Clock, Log};

/// To be begun once the stream is open.
pub struct Watch {
    gone: LocalBoxFuture<'static, ()>,
    clock: Rc<dyn Clock>,
    log: Rc<dyn Log>,
    context: Context,
    route: &'static str,
    grant: Option<String>,
}

impl Watch {
    /// Of this request, on this route, to a stream of this grant's.
    pub fn new(exchange: &Exchange, route: &'static str, grant: Option<String>) -> Self {
        let (ports, context) = (&exchange.ports, exchange.context.clone());
        let connection = Rc::clone(&ports.connection);
        let gone = Box::pin(async move { connection.closed().await });
        Self { gone, clock: Rc::clone(&ports.clock), log: Rc::clone(&ports.log), context, route, grant }
    }

    /// What completes when the client has gone, and what writes the line when it is dropped.
    pub fn begin(self) -> (LocalBoxFuture<'static, ()>, StreamEnd) {
        let Self { gone, clock, log, context, route, grant } = self;
        let started = clock.now_ms();
        (gone, StreamEnd { clock, log, context, route, grant, started })
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

/// The end of a stream, which is logged however it comes about.
pub struct StreamEnd {
    clock: Rc<dyn Clock>,
    log: Rc<dyn Log>,
    context: Context,
    route: &'static str,
    grant: Option<String>,
    started: u64,
}

impl Drop for StreamEnd {
    fn drop(&mut self) {
        self.log.write(&Event {
            route: Some(self.route),
            grant_id: self.grant.take(),
            duration_ms: Some(self.clock.now_ms().saturating_sub(self.started)),
            ..self.context.event(Kind::McpStream)
        });
    }
}
