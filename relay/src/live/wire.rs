//! A WebSocket whose reading and writing go on side by side in one task: a few small frames, or a
//! large one, are under way to the kernel together, and waiting for them never keeps the task from
//! reading or from being told to end. What waits for nothing holds no buffer in either direction.

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use yingke_shared::error_code::{ErrorCode, WireError};

use super::codec::{self, Heard, Reader};
use super::frames;
use crate::accept::Pulse;
use crate::limits::{
    BYE_WITHIN_MS, SOCKET_FRAME_BYTES_MAX, SOCKET_READ_BYTES, SOCKET_WRITE_BUFFER_BYTES_MAX,
    WRITTEN_TOGETHER_BYTES,
};

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
#[derive(Debug)]
pub(crate) struct Wire<C> {
    connection: C,
    reader: Reader,
    /// Frames that were started. Given back when all of it is in the kernel's hands.
    out: Vec<u8>,
    /// So many bytes of `out` the connection took.
    written: usize,
    /// The newest ping that was not answered for want of room.
    pong: Option<Box<[u8]>>,
    /// The peer said its last.
    is_closed: bool,
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
    /// The peer closes; its word is answered by [`Link::close_too`].
    Closing,
    /// The peer is gone.
    Gone,
}

/// The connection broke.
#[derive(Debug)]
struct Broken;

/// `1000`, the code of an end that is none of an error.
const NORMAL: [u8; 2] = 1_000_u16.to_be_bytes();

impl<C: AsyncRead + AsyncWrite + Unpin> Wire<C> {
    pub(crate) fn new(connection: C, pulse: Option<Arc<Pulse>>) -> Self {
        Self {
            connection,
            reader: Reader::new(SOCKET_FRAME_BYTES_MAX),
            out: Vec::new(),
            written: 0,
            pong: None,
            is_closed: false,
            pulse,
        }
    }

    fn room(&self) -> bool {
        self.out.len() < WRITTEN_TOGETHER_BYTES
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Io> {
        let was_full = !self.room();
        match self.poll_written(context) {
            // Nobody waits for anything else than room.
            Poll::Ready(Ok(())) if was_full => return Poll::Ready(Io::Written),
            Poll::Ready(Ok(())) | Poll::Pending => {}
            Poll::Ready(Err(Broken)) => return Poll::Ready(Io::Gone),
        }
        let heard = ready!(self.poll_heard(context)).unwrap_or(Heard::Wrong);
        Poll::Ready(self.io(heard))
    }

    /// Hands everything that was started to the kernel.
    fn poll_written(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        while !self.out.is_empty() {
            while let Some(rest @ [_, ..]) = self.out.get(self.written..) {
                match ready!(Pin::new(&mut self.connection).poll_write(context, rest)) {
                    Ok(bytes @ 1..) => self.written += bytes,
                    Ok(0) | Err(_) => return Poll::Ready(Err(Broken)),
                }
            }
            let flushed = Pin::new(&mut self.connection).poll_flush(context);
            ready!(flushed).map_err(|_| Broken)?;
            self.out = Vec::new();
            self.written = 0;
            if let Some(body) = self.pong.take() {
                codec::put_pong(&mut self.out, &body);
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads until the peer has said something.
    fn poll_heard(&mut self, context: &mut Context<'_>) -> Poll<Result<Heard, Broken>> {
        let mut heard = self.reader.next();
        while heard.is_none() {
            let mut bytes = [MaybeUninit::uninit(); SOCKET_READ_BYTES];
            let mut bytes = ReadBuf::uninit(&mut bytes);
            let read = Pin::new(&mut self.connection).poll_read(context, &mut bytes);
            ready!(read).map_err(|_| Broken)?;
            if bytes.filled().is_empty() {
                return Poll::Ready(Err(Broken));
            }
            heard = self.reader.take(bytes.filled());
        }
        Poll::Ready(heard.ok_or(Broken))
    }

    fn io(&mut self, heard: Heard) -> Io {
        if self.is_closed {
            return Io::Gone;
        }
        match heard {
            Heard::Text(text) => Io::Text(text.into()),
            Heard::NotText => Io::Refused(ErrorCode::BadFrame),
            Heard::TooLarge => Io::Refused(ErrorCode::TooLarge),
            Heard::Ping(body) => {
                if self.room() {
                    codec::put_pong(&mut self.out, &body);
                } else {
                    self.pong = Some(body);
                }
                Io::Alive
            }
            Heard::Pong => Io::Alive,
            Heard::Close(code) => {
                self.is_closed = true;
                codec::put_close(&mut self.out, code);
                Io::Closing
            }
            Heard::Wrong => Io::Gone,
        }
    }
}

impl<C: AsyncRead + AsyncWrite + Send + Unpin + 'static> Link for Wire<C> {
    fn has_room(&self) -> bool {
        self.room()
    }

    fn is_written(&self) -> bool {
        self.out.is_empty()
    }

    fn start_text(&mut self, text: String) -> Result<(), ErrorCode> {
        if self.out.len() + text.len() > SOCKET_WRITE_BUFFER_BYTES_MAX {
            return Err(ErrorCode::Unavailable);
        }
        codec::put_text(&mut self.out, &text);
        Ok(())
    }

    fn start_ping(&mut self) -> Result<(), ErrorCode> {
        codec::put_ping(&mut self.out);
        Ok(())
    }

    fn taken(&self) -> u64 {
        self.pulse.as_ref().map_or(0, |pulse| pulse.taken())
    }

    async fn next(&mut self) -> Io {
        poll_fn(|context| self.poll_next(context)).await
    }

    async fn say_bye(mut self, error: WireError) {
        let farewell = async {
            codec::put_text(&mut self.out, &frames::bye(error));
            codec::put_close(&mut self.out, Some(NORMAL));
            while !matches!(self.next().await, Io::Closing | Io::Gone) {}
        };
        // Whether the word arrived changes nothing here.
        let _ = tokio::time::timeout(Duration::from_millis(BYE_WITHIN_MS), farewell).await;
    }

    async fn close_too(mut self) {
        // The answer is ready.
        let written = poll_fn(|context| self.poll_written(context));
        let _ = tokio::time::timeout(Duration::from_millis(BYE_WITHIN_MS), written).await;
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
