//! What waits to be written to one socket, bounded by bytes.
//!
//! Whoever puts something in never waits: a mailbox that is full ends its session instead, so a
//! reader that stalls costs a bounded amount of memory and nobody any time.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use axum::body::Bytes;
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::ids::{ConversationId, Position};

use crate::limits::{OUTBOUND_AROUND_BYTES, OUTBOUND_BYTES_MAX, SIGNAL_BYTES_MAX};
use crate::store::faults::{Passage, linger, passage};

/// One thing to be written; its bytes are shared between all readers.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// An event, as JSON.
    Event(Position, Bytes),
    /// A whole signal frame.
    Signal(Bytes),
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    state: Mutex<State>,
    /// It was rung and nobody has heard it yet.
    rung: AtomicBool,
    /// The session: the only one that ever listens.
    session: AtomicWaker,
}

#[derive(Debug, Default)]
struct State {
    /// In the order in which they are sent. Takes no memory while empty.
    items: VecDeque<Item>,
    bytes: usize,
    /// Fan-out put something in and has not rung for it yet.
    awaits_ring: bool,
    /// What visitors type now, by conversation: the newest of each, sent after the items. Takes no
    /// memory while empty.
    previews: Vec<(ConversationId, Bytes)>,
    /// The newest floor, sent when there is nothing else. Not counted.
    floor: Option<Bytes>,
    /// The session is over; the last word to the client.
    ending: Option<WireError>,
}

impl Mailbox {
    /// Puts an event in without ringing: fan-out rings once for many, when all of them may be taken.
    /// Gives whether that ring is still to be noted.
    #[must_use]
    pub(crate) fn put_event(&self, position: Position, json: &Bytes) -> bool {
        linger(|| self.state.lock().bytes);
        let mut state = self.state.lock();
        if state.ending.is_some() {
            return false;
        }
        let item = Item::Event(position, json.clone());
        let is_put = match passage(json) {
            Passage::Good => state.put(item),
            Passage::Lost => true,
            Passage::Twice => state.put(item.clone()) && state.put(item),
            Passage::Early => state.put_before_last(item),
        };
        if !is_put {
            drop(state);
            self.knock();
            return false;
        }
        !std::mem::replace(&mut state.awaits_ring, true)
    }

    /// Puts a signal in that says how something stands, and rings. It must arrive, for nothing
    /// repeats it: a reader too far behind for it ends and begins again with how everything stands.
    pub(crate) fn put_standing(&self, frame: &Bytes) {
        let mut state = self.state.lock();
        if state.ending.is_some() {
            return;
        }
        state.put(Item::Signal(frame.clone()));
        drop(state);
        self.ring();
    }

    /// Puts a passing signal in and rings. A reader that is behind does without: it expires.
    pub(crate) fn put_signal(&self, frame: &Bytes) {
        let mut state = self.state.lock();
        if state.ending.is_some() || state.bytes + frame.len() > SIGNAL_BYTES_MAX {
            return;
        }
        let signal = Item::Signal(frame.clone());
        state.bytes += signal.weight();
        state.items.push_back(signal);
        drop(state);
        self.ring();
    }

    /// Puts in what a visitor types now, and rings. It takes the place of what of that conversation still
    /// waits, so that a reader that is behind gets the newest, and one that types fast hides nobody
    /// else. A reader with too many of them waiting does without: they expire.
    pub(crate) fn put_preview(&self, conversation_id: &ConversationId, frame: &Bytes) {
        let mut state = self.state.lock();
        if state.ending.is_some() {
            return;
        }
        state.previews.retain(|(of, _)| of != conversation_id);
        let waiting: usize = state.previews.iter().map(|(_, frame)| frame.len()).sum();
        if waiting + frame.len() > SIGNAL_BYTES_MAX {
            return;
        }
        state.previews.push((conversation_id.clone(), frame.clone()));
        drop(state);
        self.ring();
    }

    /// Puts the whole floor in and rings. It takes the place of one that still waits, so that a reader
    /// that is behind costs one frame however large it is, and gets the newest.
    pub(crate) fn put_floor(&self, frame: &Bytes) {
        let mut state = self.state.lock();
        if state.ending.is_some() {
            return;
        }
        state.floor = Some(frame.clone());
        drop(state);
        self.ring();
    }

    /// Ends the session; the first reason counts. What still waits is not sent.
    pub(crate) fn end(&self, error: WireError) {
        self.state.lock().end(error);
        self.ring();
    }

    /// Why the session is over, if it is.
    pub(crate) fn ending(&self) -> Option<WireError> {
        self.state.lock().ending
    }

    /// Takes what goes into the next frames: about `bytes_max`, at least one item if there is one, but
    /// no event above `fanned`. What one entry of the log tells a reader may be several events: they
    /// are taken together or not at all, for nobody who has the position gets the rest later.
    pub(crate) fn take(&self, bytes_max: usize, fanned: Position) -> Vec<Item> {
        let mut state = self.state.lock();
        let mut taken = Vec::new();
        let mut size = 0;
        let mut last = None;
        while let Some(item) = state.items.front() {
            let is_too_much = size > 0 && size + item.len() > bytes_max;
            let is_whole = || last.is_none() || state.items.iter().find_map(Item::position) != last;
            let position = item.position();
            if (is_too_much && is_whole()) || position.is_some_and(|position| position > fanned) {
                break;
            }
            last = position.or(last);
            size += item.len();
            state.bytes -= item.weight();
            taken.extend(state.items.pop_front());
        }
        if state.items.is_empty() {
            // An idle socket keeps no buffer.
            state.items = VecDeque::new();
            let previews = std::mem::take(&mut state.previews);
            taken.extend(previews.into_iter().map(|(_, frame)| Item::Signal(frame)));
            taken.extend(state.floor.take().map(Item::Signal));
        }
        taken
    }

    /// Whether anything waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.state.lock().is_empty()
    }

    /// Wakes the session, unless it has taken everything by itself meanwhile.
    pub(crate) fn ring(&self) {
        let mut state = self.state.lock();
        state.awaits_ring = false;
        if !state.is_empty() || state.ending.is_some() {
            drop(state);
            self.knock();
        }
    }

    fn knock(&self) {
        self.rung.store(true, Ordering::Release);
        self.session.wake();
    }

    /// Waits for a ring since the last one waited for.
    pub(crate) async fn rung(&self) {
        poll_fn(|context| {
            if !self.rung.swap(false, Ordering::AcqRel) {
                self.session.register(context.waker());
                if !self.rung.swap(false, Ordering::AcqRel) {
                    return Poll::Pending;
                }
            }
            Poll::Ready(())
        })
        .await;
    }
}

impl State {
    fn is_empty(&self) -> bool {
        self.items.is_empty() && self.previews.is_empty() && self.floor.is_none()
    }

    /// Adds an item; ends the session instead if that is too much.
    fn put(&mut self, item: Item) -> bool {
        self.bytes += item.weight();
        if self.bytes > OUTBOUND_BYTES_MAX {
            self.end(WireError { code: ErrorCode::Unavailable, retry_after_ms: None });
            return false;
        }
        self.items.push_back(item);
        true
    }

    /// A flaw of test builds: see [`crate::store::faults`].
    fn put_before_last(&mut self, item: Item) -> bool {
        let is_put = self.put(item);
        if let [.., before, last] = self.items.make_contiguous() {
            std::mem::swap(before, last);
        }
        is_put
    }

    fn end(&mut self, error: WireError) {
        self.ending.get_or_insert(error);
        self.items = VecDeque::new();
        self.previews = Vec::new();
        self.floor = None;
        self.bytes = 0;
    }
}

impl Item {
    fn position(&self) -> Option<Position> {
        match self {
            Self::Event(position, _) => Some(*position),
            Self::Signal(_) => None,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Event(_, bytes) | Self::Signal(bytes) => bytes.len(),
        }
    }

    /// What it takes of memory while it waits.
    fn weight(&self) -> usize {
        OUTBOUND_AROUND_BYTES + self.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(n: u64) -> Position {
        Position::new(n).unwrap()
    }

    /// Everything is fanned out.
    fn take(mailbox: &Mailbox, bytes_max: usize) -> Vec<Item> {
        mailbox.take(bytes_max, position(1_000))
    }

    #[test]
    fn a_full_mailbox_ends_its_session_and_takes_no_memory() {
        let mailbox = Mailbox::default();
        let big = Bytes::from(vec![b'x'; OUTBOUND_BYTES_MAX / 2 - OUTBOUND_AROUND_BYTES]);
        assert!(mailbox.put_event(position(1), &big));
        assert!(!mailbox.put_event(position(2), &big), "the ring is noted already");
        assert!(mailbox.ending().is_none());
        assert!(!mailbox.put_event(position(3), &Bytes::new()), "it takes memory all the same");
        assert_eq!(mailbox.ending().map(|error| error.code), Some(ErrorCode::Unavailable));
        assert!(mailbox.is_empty());
        assert!(!mailbox.put_event(position(4), &big));
        assert!(mailbox.is_empty());
    }

    #[test]
    fn items_are_taken_in_order_and_in_portions() {
        let mailbox = Mailbox::default();
        for n in 1..=3 {
            assert_eq!(mailbox.put_event(position(n), &Bytes::from_static(b"12345678")), n == 1);
        }
        assert_eq!(take(&mailbox, 20).len(), 2);
        assert_eq!(take(&mailbox, 1).len(), 1);
        assert!(take(&mailbox, 1).is_empty());
    }

    /// Taken apart, the second would come to a reader who has the position, and be dropped.
    #[test]
    fn what_one_entry_tells_is_taken_together() {
        let mailbox = Mailbox::default();
        let event = Bytes::from_static(b"12345678");
        for (n, rings) in [(1, true), (2, false), (2, false), (3, false)] {
            assert_eq!(mailbox.put_event(position(n), &event), rings);
        }
        assert_eq!(take(&mailbox, 16).len(), 3, "both of 2");
        assert!(mailbox.take(100, position(2)).is_empty(), "3 is not all there yet");
        mailbox.ring();
        assert!(mailbox.put_event(position(3), &event), "rung since, so this one needs another");
        assert_eq!(mailbox.take(100, position(3)).len(), 2);
        assert!(mailbox.is_empty());
    }

    #[test]
    fn of_floors_that_wait_the_newest_is_sent_after_everything_else() {
        let mailbox = Mailbox::default();
        let huge = Bytes::from(vec![b'x'; 2 * OUTBOUND_BYTES_MAX]);
        mailbox.put_floor(&huge);
        mailbox.put_floor(&Bytes::from_static(b"new"));
        assert!(!mailbox.is_empty());
        let _ = mailbox.put_event(position(1), &Bytes::from_static(b"12345678"));
        let _ = mailbox.put_event(position(2), &Bytes::from_static(b"12345678"));
        assert!(mailbox.ending().is_none());
        assert!(matches!(take(&mailbox, 8).as_slice(), [Item::Event(..)]));
        let rest = take(&mailbox, 100);
        assert!(
            matches!(rest.as_slice(), [Item::Event(..), Item::Signal(floor)] if floor == "new")
        );
        assert!(mailbox.is_empty() && take(&mailbox, 100).is_empty());
    }

    #[test]
    fn of_what_a_visitor_types_the_newest_is_sent_however_far_behind_a_reader_is() {
        let mailbox = Mailbox::default();
        let [vera, viktor] = ["vera", "viktor"].map(|id| ConversationId::new(id).unwrap());
        let _ = mailbox.put_event(position(1), &Bytes::from(vec![b'x'; SIGNAL_BYTES_MAX]));
        for typed in ["v", "ve", "ver"] {
            mailbox.put_preview(&vera, &Bytes::from_static(typed.as_bytes()));
            mailbox.put_preview(&viktor, &Bytes::from_static(b"hello"));
        }
        let taken = take(&mailbox, usize::MAX);
        let shown = taken.iter().filter_map(|item| match item {
            Item::Signal(frame) => Some(&frame[..]),
            Item::Event(..) => None,
        });
        assert_eq!(shown.collect::<Vec<_>>(), [&b"ver"[..], b"hello"]);
        assert!(mailbox.is_empty());
        // And they are bounded.
        for number in 0..100 {
            let conversation = ConversationId::new(format!("c{number}")).unwrap();
            mailbox.put_preview(&conversation, &Bytes::from(vec![b'x'; SIGNAL_BYTES_MAX / 10]));
        }
        assert_eq!(take(&mailbox, usize::MAX).len(), 10);
        mailbox.put_preview(&vera, &Bytes::from_static(b"v"));
        mailbox.end(WireError { code: ErrorCode::Unavailable, retry_after_ms: None });
        assert!(mailbox.is_empty());
    }

    #[test]
    fn a_reader_that_is_behind_gets_no_signals() {
        let mailbox = Mailbox::default();
        let _ = mailbox.put_event(position(1), &Bytes::from(vec![b'x'; SIGNAL_BYTES_MAX]));
        mailbox.put_signal(&Bytes::from_static(b"{}"));
        assert_eq!(take(&mailbox, usize::MAX).len(), 1);
    }
}
