//! A TCP listener whose connections a handler can cut without an answer.
//!
//! The fault `unreachable` needs a peer that sees a broken connection and no status line. hyper
//! gives handlers no way to do that, so every stream carries a flag that makes its writes fail.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Accepts plain TCP and hands out [`DroppableStream`]s.
pub struct DroppableListener(pub TcpListener);

/// One connection and its cut flag.
pub struct DroppableStream {
    tcp: TcpStream,
    line: Line,
}

/// The handle by which a handler cuts its own connection.
#[derive(Clone, Debug, Default)]
pub struct Line(Arc<AtomicBool>);

impl Line {
    /// From now on every write of this connection fails.
    pub fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) {
            return Err(ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl Listener for DroppableListener {
    type Io = DroppableStream;
    type Addr = Line;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            // A failed accept (a peer that hung up, no descriptors left) must not end the emulator.
            if let Ok((tcp, _)) = self.0.accept().await {
                let _ = tcp.set_nodelay(true);
                let line = Line::default();
                return (DroppableStream { tcp, line: line.clone() }, line);
            }
            tokio::task::yield_now().await;
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(Line::default())
    }
}

impl Connected<IncomingStream<'_, DroppableListener>> for Line {
    fn connect_info(stream: IncomingStream<'_, DroppableListener>) -> Self {
        stream.remote_addr().clone()
    }
}

impl AsyncRead for DroppableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(context, buffer)
    }
}

impl AsyncWrite for DroppableStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.line.check()?;
        Pin::new(&mut self.tcp).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line.check()?;
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}
