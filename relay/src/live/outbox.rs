//! Frames that wait for room on one socket, before the next delivery: replies, signals, what a
//! session begins with. Replies are bounded by number, and large ones by bytes together with what a
//! session begins with: a client that asks and does not read ends its own session instead of filling
//! the relay's memory.

use std::collections::VecDeque;

use yingke_shared::error_code::ErrorCode;

use crate::limits::{ANSWERS_WAITING_BYTES_MAX, REPLIES_WAITING_MAX, SMALL_REPLY_BYTES};

/// What a frame is to the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The answer to a command that was carried out or tried: when it is taken, its place among the
    /// commands under way is free again.
    Answer,
    /// A command was not even tried.
    Refusal,
    /// Part of what a session begins with.
    Opening,
    /// Passed on; the mailbox bounds these.
    Signal,
}

impl Kind {
    fn is_reply(self) -> bool {
        matches!(self, Self::Answer | Self::Refusal)
    }

    /// What a frame counts of the bytes that are bounded.
    fn bytes_of(self, frame: &str) -> usize {
        match self {
            Self::Signal => 0,
            Self::Answer | Self::Refusal if frame.len() <= SMALL_REPLY_BYTES => 0,
            Self::Answer | Self::Refusal | Self::Opening => frame.len(),
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// Takes no memory while empty.
    frames: VecDeque<(Kind, String)>,
    replies: usize,
    openings: usize,
    /// Of both, but for small replies.
    bytes: usize,
}

impl Outbox {
    /// Whether a reply of this size may wait; what nothing large waits before may have any size.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        let is_small = bytes <= SMALL_REPLY_BYTES;
        is_small || self.bytes == 0 || self.bytes + bytes <= ANSWERS_WAITING_BYTES_MAX
    }

    /// Puts a frame in. What is no signal is refused when too much waits already.
    pub(crate) fn put(&mut self, kind: Kind, frame: String) -> Result<(), ErrorCode> {
        let is_one_more = kind.is_reply() && self.replies >= REPLIES_WAITING_MAX;
        if is_one_more || (kind != Kind::Signal && !self.has_room(frame.len())) {
            return Err(ErrorCode::TooFast);
        }
        self.bytes += kind.bytes_of(&frame);
        self.replies += usize::from(kind.is_reply());
        self.openings += usize::from(kind == Kind::Opening);
        self.frames.push_back((kind, frame));
        Ok(())
    }

    /// The oldest frame.
    pub(crate) fn take(&mut self) -> Option<(Kind, String)> {
        let Some((kind, frame)) = self.frames.pop_front() else {
            self.frames = VecDeque::new();
            return None;
        };
        self.bytes -= kind.bytes_of(&frame);
        self.replies -= usize::from(kind.is_reply());
        self.openings -= usize::from(kind == Kind::Opening);
        Some((kind, frame))
    }

    /// Whether the client has yet to read how its session began.
    pub(crate) fn is_opening(&self) -> bool {
        self.openings > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::SNAPSHOT_BYTES_MAX;

    #[test]
    fn replies_are_bounded_by_bytes_and_by_number() {
        let mut outbox = Outbox::default();
        let half = "x".repeat(ANSWERS_WAITING_BYTES_MAX / 2);
        assert_eq!(outbox.put(Kind::Answer, half.clone()), Ok(()));
        assert_eq!(outbox.put(Kind::Answer, half.clone()), Ok(()));
        let page = "x".repeat(SMALL_REPLY_BYTES + 1);
        assert!(!outbox.has_room(page.len()));
        assert_eq!(outbox.put(Kind::Answer, page), Err(ErrorCode::TooFast));
        assert_eq!(outbox.take(), Some((Kind::Answer, half)));
        for _ in 1..REPLIES_WAITING_MAX {
            assert_eq!(outbox.put(Kind::Refusal, "x".into()), Ok(()));
        }
        assert_eq!(outbox.put(Kind::Refusal, "x".into()), Err(ErrorCode::TooFast));
    }

    /// A resume and pages were once bounded each for itself.
    #[test]
    fn what_a_session_begins_with_and_replies_are_bounded_together() {
        for kinds in [[Kind::Opening, Kind::Answer], [Kind::Answer, Kind::Opening]] {
            let mut outbox = Outbox::default();
            let page = "x".repeat(SNAPSHOT_BYTES_MAX);
            let mut held = 0;
            for kind in kinds.into_iter().cycle() {
                if outbox.put(kind, page.clone()).is_err() {
                    break;
                }
                held += page.len();
            }
            assert!((page.len()..=ANSWERS_WAITING_BYTES_MAX).contains(&held), "{held}");
            // Beside the largest page small answers still wait.
            assert_eq!(outbox.put(Kind::Answer, "{}".into()), Ok(()));
        }
    }

    #[test]
    fn a_snapshot_may_have_any_size_and_signals_are_no_replies() {
        let mut outbox = Outbox::default();
        let snapshot = "x".repeat(4 * ANSWERS_WAITING_BYTES_MAX);
        assert_eq!(outbox.put(Kind::Signal, "{}".into()), Ok(()));
        assert_eq!(outbox.put(Kind::Opening, snapshot.clone()), Ok(()));
        assert_eq!(outbox.put(Kind::Signal, "{}".into()), Ok(()));
        assert!(!outbox.has_room(SMALL_REPLY_BYTES + 1));
        assert_eq!(outbox.take().map(|(kind, _)| kind), Some(Kind::Signal));
        assert!(outbox.is_opening());
        assert_eq!(outbox.take(), Some((Kind::Opening, snapshot)));
        assert!(!outbox.is_opening());
        assert_eq!(outbox.put(Kind::Answer, "{}".into()), Ok(()));
        assert_eq!(outbox.take().map(|(kind, _)| kind), Some(Kind::Signal));
        assert_eq!(outbox.take().map(|(kind, _)| kind), Some(Kind::Answer));
        assert_eq!(outbox.take(), None);
    }
}
