//! Connections that a fault can cut in the middle of an answer.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

const HALF: u8 = 1;
const NOTHING: u8 = 2;

/// Ends the connection of one request early; comes to handlers as `ConnectInfo<Cut>`.
#[derive(Clone, Default)]
pub struct Cut(Arc<AtomicU8>);

impl Cut {
    /// Not a byte more.
    pub fn now(&self) {
        self.0.store(NOTHING, Ordering::Relaxed);
    }

    /// The next piece is written up to the middle of its body, then not a byte more.
    pub fn half(&self) {
        self.0.store(HALF, Ordering::Relaxed);
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Cut {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().cut.clone()
    }
}

/// A TCP listener whose connections can be [`Cut`].
pub struct CuttableListener(pub TcpListener);

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        let _ = stream.set_nodelay(true);
        (CuttableStream { stream, cut: Cut::default() }, peer)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// See [`CuttableListener`].
pub struct CuttableStream {
    stream: TcpStream,
    cut: Cut,
}

impl AsyncRead for CuttableStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.cut.0.load(Ordering::Relaxed) {
            NOTHING => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            HALF => {
                let head = buf.windows(4).position(|w| w == b"\r\n\r\n").map_or(0, |at| at + 4);
                let body = buf.len() - head;
                let written = Pin::new(&mut self.stream).poll_write(cx, &buf[..head + body / 2]);
                if body > 0 && written.is_ready() {
                    self.cut.now();
                }
                written
            }
            _ => Pin::new(&mut self.stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
