//! A WebSocket whose reading and writing go on side by side in one task: a few small frames, or a
//! large one, are under way to the kernel together, and waiting for them never keeps the task from
//! reading or from being told to end.

use std::error::Error as _;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use futures_util::{Sink, Stream};
use tokio_tungstenite::tungstenite;
use yingke_shared::error_code::{ErrorCode, WireError};

use super::frames;
use crate::accept::Pulse;
use crate::limits::{BYE_WITHIN_MS, WRITTEN_TOGETHER_BYTES};

/// What a session reads and writes: the WebSocket, or whatever simulation puts in its place. Nothing
/// here waits but `next` and the goodbyes.
pub trait Link: Send + 'static {
    /// Whether the next frame can be started.
    fn has_room(&self) -> bool;
    /// Whether everything started is in the kernel's hands.
    fn is_written(&self) -> bool {
        self.has_room()
    }
    /// Starts a text frame; only when there is room.
    fn start_text(&mut self, text: String) -> Result<(), ErrorCode>;
    /// Starts a ping; only when there is room.
    fn start_ping(&mut self) -> Result<(), ErrorCode>;
    /// How many bytes the peer's side took so far: a frame under way may be large, and a peer that
    /// takes it in small pieces reads all the same. A link that cannot tell says nothing.
    fn taken(&self) -> u64 {
        0
    }
    /// The next thing that happens. Nothing is lost when the waiting is given up.
    fn next(&mut self) -> impl Future<Output = Io> + Send;
    /// The last word: says why, closes, and waits a little for the peer to close too, so that the
    /// word arrives.
    fn say_bye(self, error: WireError) -> impl Future<Output = ()> + Send;
    /// The peer closes: lets the answer to that go out.
    fn close_too(self) -> impl Future<Output = ()> + Send;
}

/// See the module.
pub(crate) struct Wire {
    socket: WebSocket,
    /// Bytes of the frames that were started and are not yet in the kernel's hands.
    started: usize,
    /// Of the connection below, if it is one of the listener's.
    pulse: Option<Arc<Pulse>>,
}

/// What the socket brought.
#[derive(Debug)]
pub enum Io {
    /// There is room again.
    Written,
    /// A text frame.
    Text(Utf8Bytes),
    /// A ping or pong: the peer lives.
    Alive,
    /// Something this protocol does not know; said before closing.
    Refused(ErrorCode),
    /// The peer closes; its word is answered by [`Wire::close_too`].
    Closing,
    /// The peer is gone.
    Gone,
}

impl Wire {
    pub(crate) fn new(socket: WebSocket, pulse: Option<Arc<Pulse>>) -> Self {
        Self { socket, started: 0, pulse }
    }

    fn start(&mut self, message: Message) -> Result<(), ErrorCode> {
        // A frame without a body counts too.
        self.started += 1 + message_bytes(&message);
        Pin::new(&mut self.socket).start_send(message).map_err(|_| ErrorCode::Unavailable)
    }

    /// Waits until everything that was started is in the kernel's hands.
    async fn flushed(&mut self) -> Result<(), axum::Error> {
        poll_fn(|context| Pin::new(&mut self.socket).poll_flush(context)).await?;
        self.started = 0;
        Ok(())
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Io> {
        if self.started > 0 {
            match Pin::new(&mut self.socket).poll_flush(context) {
                Poll::Ready(Ok(())) => {
                    let was_full = !self.has_room();
                    self.started = 0;
                    // Nobody waits for anything else than room.
                    if was_full {
                        return Poll::Ready(Io::Written);
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(gone(&error)),
                Poll::Pending => {}
            }
        }
        match Pin::new(&mut self.socket).poll_next(context) {
            Poll::Ready(Some(Ok(message))) => Poll::Ready(match message {
                Message::Text(text) => Io::Text(text),
                Message::Binary(_) => Io::Refused(ErrorCode::BadFrame),
                Message::Ping(_) | Message::Pong(_) => Io::Alive,
                Message::Close(_) => Io::Closing,
            }),
            Poll::Ready(Some(Err(error))) => Poll::Ready(refusal_of(&error)),
            Poll::Ready(None) => Poll::Ready(Io::Gone),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Link for Wire {
    fn has_room(&self) -> bool {
        self.started < WRITTEN_TOGETHER_BYTES
    }

    fn is_written(&self) -> bool {
        self.started == 0
    }

    fn start_text(&mut self, text: String) -> Result<(), ErrorCode> {
        self.start(Message::Text(text.into()))
    }

    fn start_ping(&mut self) -> Result<(), ErrorCode> {
        self.start(Message::Ping(axum::body::Bytes::new()))
    }

    fn taken(&self) -> u64 {
        self.pulse.as_ref().map_or(0, |pulse| pulse.taken())
    }

    async fn next(&mut self) -> Io {
        poll_fn(|context| self.poll_next(context)).await
    }

    async fn say_bye(mut self, error: WireError) {
        let farewell = async {
            // What was started first: the buffer may have no room for more.
            self.flushed().await.ok()?;
            let reason = CloseFrame { code: close_code::NORMAL, reason: Utf8Bytes::default() };
            self.start_text(frames::bye(error)).ok()?;
            self.start(Message::Close(Some(reason))).ok()?;
            while !matches!(self.next().await, Io::Closing | Io::Gone | Io::Refused(_)) {}
            Some(())
        };
        // Whether the word arrived changes nothing here.
        let _ = tokio::time::timeout(Duration::from_millis(BYE_WITHIN_MS), farewell).await;
    }

    async fn close_too(mut self) {
        // The library has the answer ready.
        let _ = tokio::time::timeout(Duration::from_millis(BYE_WITHIN_MS), self.flushed()).await;
    }
}

fn message_bytes(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    }
}

fn refusal_of(error: &axum::Error) -> Io {
    match error.source().and_then(|cause| cause.downcast_ref::<tungstenite::Error>()) {
        Some(tungstenite::Error::Capacity(_)) => Io::Refused(ErrorCode::TooLarge),
        Some(tungstenite::Error::Utf8(_)) => Io::Refused(ErrorCode::BadFrame),
        _ => gone(error),
    }
}

/// Whoever looks for the cause of broken connections finds it in the log; the session just ends.
fn gone(error: &axum::Error) -> Io {
    tracing::debug!(%error, "a connection broke");
    Io::Gone
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
