//! Accepting a connection: small packets leave at once; one on which nothing moves is closed, and so
//! is one that does not come to its first request; there are never more connections than the relay has
//! memory and file descriptors for, and one peer never has them all.
//!
//! HTTP/1.1 and what it is upgraded to is all that is spoken: the limits of heads, bodies and sockets
//! are made for it. A client that begins HTTP/2 unasked is let go of.

use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode, Version};
use axum_server::accept::Accept;
use futures_util::future::Either;
use ipnet::IpNet;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};
use tower::Service;

use crate::client_address::network_of;

/// What a listener allows.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    /// Connections at once.
    pub(crate) connections_max: usize,
    /// Connections at once from one peer that is no trusted proxy.
    pub(crate) per_peer_max: usize,
    /// A connection on which no byte moves for so long is closed.
    pub(crate) idle_within: Duration,
    /// From its first byte to the end of its first request's head.
    pub(crate) head_within: Duration,
    /// Peers that bring the connections of many.
    pub(crate) trusted: Arc<[IpNet]>,
}

/// Takes what the bounds allow; refuses more by closing it.
#[derive(Debug, Clone)]
pub(crate) struct Limited {
    bounds: Bounds,
    places: Arc<Semaphore>,
    peers: Arc<Peers>,
}

impl Limited {
    pub(crate) fn new(bounds: Bounds) -> Self {
        let places = Arc::new(Semaphore::new(bounds.connections_max));
        Self { bounds, places, peers: Arc::default() }
    }

    fn place(&self, stream: TcpStream) -> io::Result<Placed> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| io::Error::other("too many connections"))?;
        let address = stream.peer_addr()?.ip().to_canonical();
        let of_peer = if self.bounds.trusted.iter().any(|net| net.contains(&address)) {
            None
        } else {
            let peer = Peers::add(&self.peers, network_of(address), self.bounds.per_peer_max);
            Some(peer.ok_or_else(|| io::Error::other("too many connections of one peer"))?)
        };
        stream.set_nodelay(true)?;
        let Bounds { idle_within, head_within, .. } = self.bounds;
        Ok(Placed {
            stream,
            idle_within,
            head_within,
            moved_at: Instant::now(),
            began_at: None,
            pulse: Arc::default(),
            alarm: Box::pin(sleep(idle_within)),
            _place: place,
            _of_peer: of_peer,
        })
    }
}

impl<S> Accept<TcpStream, S> for Limited {
    type Stream = Placed;
    type Service = Watched<S>;
    type Future = Ready<io::Result<(Placed, Watched<S>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        ready(self.place(stream).map(|placed| {
            let pulse = Arc::clone(&placed.pulse);
            (placed, Watched { service, pulse })
        }))
    }
}

/// What a connection's bytes and its requests know of each other. A request carries it among its
/// extensions; whoever upgrades the connection keeps it.
#[derive(Debug, Default)]
pub struct Pulse {
    /// A whole request head came.
    asked: AtomicBool,
    /// Something was spoken that is not spoken here.
    foreign: AtomicBool,
    /// Bytes the peer's side took.
    taken: AtomicU64,
}

impl Pulse {
    /// How many bytes the connection took so far, of whatever is being written.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

/// What a connection asks, with its pulse.
#[derive(Debug, Clone)]
pub(crate) struct Watched<S> {
    service: S,
    pulse: Arc<Pulse>,
}

impl<S, B> Service<Request<B>> for Watched<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        self.pulse.asked.store(true, Ordering::Relaxed);
        if request.version() > Version::HTTP_11 {
            self.pulse.foreign.store(true, Ordering::Relaxed);
            let mut refusal = Response::new(Body::empty());
            *refusal.status_mut() = StatusCode::HTTP_VERSION_NOT_SUPPORTED;
            return Either::Right(ready(Ok(refusal)));
        }
        request.extensions_mut().insert(Arc::clone(&self.pulse));
        Either::Left(self.service.call(request))
    }
}

/// Connections of each peer that has any.
#[derive(Debug, Default)]
struct Peers(Mutex<BTreeMap<IpAddr, usize>>);

impl Peers {
    fn add(peers: &Arc<Self>, peer: IpAddr, max: usize) -> Option<OfPeer> {
        let mut counts = peers.0.lock();
        let count = counts.entry(peer).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(OfPeer { peers: Arc::clone(peers), peer })
    }
}

/// One connection in its peer's count.
#[derive(Debug)]
struct OfPeer {
    peers: Arc<Peers>,
    peer: IpAddr,
}

impl Drop for OfPeer {
    fn drop(&mut self) {
        let mut counts = self.peers.0.lock();
        if let Some(count) = counts.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.peer);
            }
        }
    }
}

/// A connection that ends when nothing moves on it, whatever is spoken on it, and gives its place
/// back when it is gone, whatever it became meanwhile.
#[derive(Debug)]
pub(crate) struct Placed {
    stream: TcpStream,
    idle_within: Duration,
    head_within: Duration,
    /// When a byte last came or went.
    moved_at: Instant,
    /// When the first one came.
    began_at: Option<Instant>,
    pulse: Arc<Pulse>,
    /// Set once for each stretch of waiting, not for each byte.
    alarm: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
    _of_peer: Option<OfPeer>,
}

impl Placed {
    /// Waits for the first byte and leaves it where it is; `None` if it never comes.
    pub(crate) async fn first_byte(&self) -> io::Result<Option<u8>> {
        let mut first = [0];
        let read = self.stream.peek(&mut first).await?;
        Ok(first.first().copied().filter(|_| read > 0))
    }

    /// Passes on what a read or write gave; one that waits fails when its time is over.
    fn watched<T>(
        &mut self,
        outcome: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.moved_at = Instant::now();
            if self.began_at.is_none() {
                self.began_at = Some(self.moved_at);
                let until = self.ends_at();
                self.alarm.as_mut().reset(until);
            }
            return outcome;
        }
        while self.alarm.as_mut().poll(context).is_ready() {
            let until = self.ends_at();
            if until <= Instant::now() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.alarm.as_mut().reset(until);
        }
        Poll::Pending
    }

    fn took(&self, written: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(bytes)) = written {
            let bytes = u64::try_from(*bytes).unwrap_or(0);
            self.pulse.taken.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// When the connection is over if nothing more comes of it.
    fn ends_at(&self) -> Instant {
        let idle_at = self.moved_at + self.idle_within;
        match self.began_at {
            Some(began_at) if !self.pulse.asked.load(Ordering::Relaxed) => {
                idle_at.min(began_at + self.head_within)
            }
            _ => idle_at,
        }
    }
}

impl AsyncRead for Placed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.pulse.foreign.load(Ordering::Relaxed) {
            return Poll::Ready(Err(io::ErrorKind::Unsupported.into()));
        }
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.watched(read, context)
    }
}

impl AsyncWrite for Placed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.took(&written);
        self.watched(written, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.took(&written);
        self.watched(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
#[path = "accept_tests.rs"]
mod tests;
