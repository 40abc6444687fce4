//! HTTP on loopback ports: metrics and health here, the page beside them, each with so many connections
//! at a time and no more, so that nobody takes the descriptors of calls.

use std::{
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, http::header, routing::get, serve::Listener};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use crate::{descriptors::MONITORS, metrics::Metrics};

/// How long a listener rests that has failed to accept.
const REST: Duration = Duration::from_millis(100);

/// A listener with so many connections at a time; who comes beyond waits in the system's queue.
#[derive(Debug)]
pub struct Bounded {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl Bounded {
    /// Listens on an address, for so many at a time.
    ///
    /// # Errors
    /// The address is taken or not of this machine.
    pub async fn bind(address: SocketAddr, places: usize) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, places: Arc::new(Semaphore::new(places)) })
    }
}

impl Listener for Bounded {
    type Io = Seated;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Seated, SocketAddr) {
        loop {
            // The semaphore is never closed.
            let seat = Arc::clone(&self.places).acquire_owned().await.ok();
            match self.listener.accept().await {
                Ok((stream, from)) => return (Seated { stream, _seat: seat }, from),
                Err(error) => {
                    tracing::warn!(kind = ?error.kind(), "an HTTP listener failed to accept");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection, which frees its place when it is closed.
#[derive(Debug)]
pub struct Seated {
    stream: TcpStream,
    _seat: Option<OwnedSemaphorePermit>,
}

impl Seated {
    fn stream(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.get_mut().stream)
    }
}

impl AsyncRead for Seated {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(cx, buffer)
    }
}

impl AsyncWrite for Seated {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}

/// Listens where metrics and health are read.
///
/// # Errors
/// The address is taken or not of this machine.
pub async fn bind(address: SocketAddr) -> io::Result<Bounded> {
    Bounded::bind(address, MONITORS).await
}

/// Serves `/metrics` and `/healthz` until the listener fails.
///
/// # Errors
/// The listener failed.
pub async fn serve(listener: Bounded, metrics: Metrics) -> io::Result<()> {
    const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
    let render = move || async move { ([(header::CONTENT_TYPE, TEXT)], metrics.render()) };
    let routes =
        Router::new().route("/metrics", get(render)).route("/healthz", get(|| async { "ok\n" }));
    axum::serve(listener, routes).await
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::timeout,
    };

    use super::*;

    #[tokio::test]
    async fn who_comes_beyond_the_places_waits_until_one_is_free() {
        let mut bounded = Bounded::bind(([127, 0, 0, 1], 0).into(), 2).await.unwrap();
        let address = bounded.local_addr().unwrap();
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(TcpStream::connect(address).await.unwrap());
        }
        let (first, _second) = (bounded.accept().await.0, bounded.accept().await.0);
        let soon = Duration::from_millis(50);
        assert!(timeout(soon, bounded.accept()).await.is_err(), "a third one is in");
        drop(first);
        let (mut third, from) = timeout(soon, bounded.accept()).await.expect("a free place");
        assert_eq!(from, clients[2].local_addr().unwrap());
        third.write_all(b"hello").await.unwrap();
        let mut heard = [0; 5];
        clients[2].read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello");
    }
}
