//! WebSocket frames (RFC 6455) as a server reads and writes them, as values: no socket, no clock.
//!
//! What was read is kept only as far as a frame is not yet whole, so an idle connection costs no
//! buffer. Extensions are not spoken: a frame that uses one is wrong.

use std::ops::Range;

/// What the bytes of a peer say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// A whole text message.
    Text(String),
    /// Something that is no text.
    NotText,
    /// A frame or a message above the limit; what is left of the frame is skipped.
    TooLarge,
    /// To be answered with the same bytes.
    Ping(Box<[u8]>),
    /// The peer lives.
    Pong,
    /// The peer closes, with this code.
    Close(Option<[u8; 2]>),
    /// No frame of a client, or none that may come here: nothing after it means anything.
    Wrong,
}

/// The reading half.
#[derive(Debug)]
pub(super) struct Reader {
    /// The largest message, in bytes.
    max: usize,
    /// What came and was not looked at yet. Takes no memory while empty.
    pending: Vec<u8>,
    /// So much of `pending` is done with.
    done: usize,
    message: Message,
}

/// The message under way.
#[derive(Debug, Default)]
struct Message {
    /// What came of one in pieces.
    pieces: Option<Pieces>,
    /// So many bytes of a frame that was too large are still to come.
    skip: u64,
}

#[derive(Debug)]
struct Pieces {
    is_text: bool,
    bytes: Vec<u8>,
}

const CONTINUED: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
const LAST: u8 = 0x80;
const EXTENSIONS: u8 = 0x70;
const KIND: u8 = 0x0F;
const MASKED: u8 = 0x80;
/// Room for an answer and the delivery of the same message: allocators hand out up to so much quickly.
const USUALLY_TOGETHER: usize = 1_000;
/// What a control frame may hold.
pub(super) const CONTROL_BYTES_MAX: usize = 125;

impl Reader {
    /// Reads messages of at most `max` bytes.
    pub(super) fn new(max: usize) -> Self {
        Self { max, pending: Vec::new(), done: 0, message: Message::default() }
    }

    /// Takes what came; gives the first thing it says. [`Reader::next`] gives the others.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Option<Heard> {
        if self.pending.is_empty() {
            // Nearly always these are whole frames.
            let (used, heard) = self.message.read(bytes, self.max);
            self.pending.extend_from_slice(bytes.get(used..).unwrap_or_default());
            return heard;
        }
        self.pending.drain(..std::mem::take(&mut self.done));
        self.pending.extend_from_slice(bytes);
        self.next()
    }

    /// The next thing that was said by what came so far.
    pub(super) fn next(&mut self) -> Option<Heard> {
        if self.pending.is_empty() {
            return None;
        }
        let rest = self.pending.get(self.done..).unwrap_or_default();
        let (used, heard) = self.message.read(rest, self.max);
        self.done += used;
        if self.done >= self.pending.len() {
            self.pending = Vec::new();
            self.done = 0;
        }
        heard
    }
}

impl Message {
    /// Reads frames of `bytes` until one says something; gives how many bytes are done with.
    fn read(&mut self, bytes: &[u8], max: usize) -> (usize, Option<Heard>) {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            if self.skip > 0 {
                let skipped = rest.len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
                self.skip -= skipped as u64;
                used += skipped;
                if self.skip > 0 {
                    return (used, None);
                }
                continue;
            }
            let Some(head) = Head::read(rest) else { return (used, None) };
            let head = match head {
                Ok(head) => head,
                Err(Unreadable) => return (bytes.len(), Some(Heard::Wrong)),
            };
            let has = self.pieces.as_ref().map_or(0, |pieces| pieces.bytes.len());
            if head.length > max.saturating_sub(has) as u64 {
                used += head.bytes;
                self.skip = head.length;
                self.pieces = None;
                return (used, Some(Heard::TooLarge));
            }
            let Some(body) = head.body().and_then(|body| rest.get(body)) else {
                return (used, None);
            };
            used += head.bytes + body.len();
            if let Some(heard) = self.frame(&head, body) {
                return (used, Some(heard));
            }
        }
    }

    /// A whole frame; gives what it says, if it does not only go on.
    fn frame(&mut self, head: &Head, body: &[u8]) -> Option<Heard> {
        let bytes = unmasked(body, head.mask);
        match head.kind {
            PING => Some(Heard::Ping(bytes.into_boxed_slice())),
            PONG => Some(Heard::Pong),
            CLOSE => Some(match (bytes.first_chunk(), bytes.is_empty()) {
                (_, true) => Heard::Close(None),
                (Some(code), _) => Heard::Close(Some(*code)),
                (None, _) => Heard::Wrong,
            }),
            CONTINUED => {
                let Some(mut pieces) = self.pieces.take() else { return Some(Heard::Wrong) };
                pieces.bytes.extend_from_slice(&bytes);
                self.more(pieces, head.is_last)
            }
            kind => {
                if self.pieces.is_some() {
                    return Some(Heard::Wrong);
                }
                self.more(Pieces { is_text: kind == TEXT, bytes }, head.is_last)
            }
        }
    }

    fn more(&mut self, pieces: Pieces, is_last: bool) -> Option<Heard> {
        if !is_last {
            self.pieces = Some(pieces);
            return None;
        }
        let text = pieces.is_text.then(|| String::from_utf8(pieces.bytes).ok()).flatten();
        Some(text.map_or(Heard::NotText, Heard::Text))
    }
}

/// What stands before a frame's body.
struct Head {
    is_last: bool,
    kind: u8,
    mask: [u8; 4],
    /// Of the body.
    length: u64,
    /// Of the head itself.
    bytes: usize,
}

struct Unreadable;

impl Head {
    /// `None` while it is not whole.
    fn read(bytes: &[u8]) -> Option<Result<Self, Unreadable>> {
        let [first, second, rest @ ..] = bytes else { return None };
        let kind = first & KIND;
        let is_last = first & LAST != 0;
        let is_control = kind >= CLOSE;
        let short = second & !MASKED;
        let may_be = first & EXTENSIONS == 0
            && matches!(kind, CONTINUED | TEXT | BINARY | CLOSE | PING | PONG)
            && second & MASKED != 0
            && (!is_control || (is_last && usize::from(short) <= CONTROL_BYTES_MAX));
        if !may_be {
            return Some(Err(Unreadable));
        }
        let (length, rest) = match short {
            126 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u64::from(u16::from_be_bytes(*length)), rest)
            }
            127 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u64::from_be_bytes(*length), rest)
            }
            short => (u64::from(short), rest),
        };
        let (mask, rest) = rest.split_first_chunk()?;
        let bytes = bytes.len() - rest.len();
        Some(Ok(Self { is_last, kind, mask: *mask, length, bytes }))
    }

    /// Where the body is.
    fn body(&self) -> Option<Range<usize>> {
        let end = self.bytes.checked_add(usize::try_from(self.length).ok()?)?;
        Some(self.bytes..end)
    }
}

fn unmasked(body: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut bytes = body.to_vec();
    let (whole, rest) = bytes.as_chunks_mut::<8>();
    for eight in whole {
        *eight = (u64::from_ne_bytes(*eight) ^ wide).to_ne_bytes();
    }
    rest.iter_mut().zip(mask.into_iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    bytes
}

/// Appends a text frame.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, TEXT, text.as_bytes());
}

/// Appends a ping without a body.
pub(super) fn put_ping(out: &mut Vec<u8>) {
    put(out, PING, &[]);
}

/// Appends the answer to a ping.
pub(super) fn put_pong(out: &mut Vec<u8>, body: &[u8]) {
    put(out, PONG, body);
}

/// Appends the last frame.
pub(super) fn put_close(out: &mut Vec<u8>, code: Option<[u8; 2]>) {
    put(out, CLOSE, code.as_ref().map_or(&[], <[u8; 2]>::as_slice));
}

/// One frame, whole, without a mask.
fn put(out: &mut Vec<u8>, kind: u8, body: &[u8]) {
    const LONGEST_HEAD: usize = 10;
    let bytes = LONGEST_HEAD + body.len();
    // What goes out together grows only once.
    out.reserve(if out.is_empty() { bytes.max(USUALLY_TOGETHER) } else { bytes });
    out.push(LAST | kind);
    match (u8::try_from(body.len()), u16::try_from(body.len())) {
        (Ok(short @ ..126), _) => out.push(short),
        (_, Ok(length)) => {
            out.push(126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(body.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(body);
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
