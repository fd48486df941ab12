//! Which "delivered" and "read" marks the relay still has to hear from this device. Pure.
//!
//! A mark is a target, not a queue: newer values replace older ones while they wait, at most one
//! goes out per conversation and second, and after a broken link whatever the relay did not answer
//! goes again (larger wins there, so twice is harmless).

use std::collections::BTreeMap;

use yingke_shared::ids::{ClientId, ConversationId, Seq};
use yingke_shared::views::ReadMark;

use crate::limits::{MARK_EVERY_MS, MARKS_IN_FLIGHT_MAX};
use crate::store::cache::KeptMarks;

/// A mark to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MarkDue {
    pub(crate) conversation_id: ConversationId,
    pub(crate) delivered: Seq,
    pub(crate) read: Seq,
}

#[derive(Default)]
struct Lane {
    /// What should be known there.
    delivered: Seq,
    read: ReadMark,
    /// What is known there.
    known_delivered: Seq,
    known_read: Seq,
    on_its_way: Option<(ClientId, Seq, Seq)>,
    not_before: u64,
}

/// The machine. Times are monotonic milliseconds.
#[derive(Default)]
pub(crate) struct Marks {
    lanes: BTreeMap<ConversationId, Lane>,
}

impl Marks {
    /// What an earlier run of this device kept.
    pub(crate) fn restore(&mut self, conversation_id: ConversationId, kept: KeptMarks) {
        let lane = self.lanes.entry(conversation_id).or_default();
        lane.read = lane.read.merge(kept.read);
        lane.delivered = lane.delivered.max(kept.delivered);
        lane.known_delivered = lane.known_delivered.max(kept.delivered);
    }

    /// Everything up to here is stored on this device.
    pub(crate) fn stored(&mut self, conversation_id: &ConversationId, upto: Seq) {
        let lane = self.lanes.entry(conversation_id.clone()).or_default();
        lane.delivered = lane.delivered.max(upto);
    }

    /// The agent viewed everything up to here. Says whether that is news.
    pub(crate) fn viewed(&mut self, conversation_id: &ConversationId, read: ReadMark) -> bool {
        let lane = self.lanes.entry(conversation_id.clone()).or_default();
        let is_news = read.seq > lane.read.seq;
        lane.read = lane.read.merge(read);
        is_news
    }

    /// The relay's own record of what the agent viewed, on any device.
    pub(crate) fn known(&mut self, conversation_id: &ConversationId, read: ReadMark) {
        let lane = self.lanes.entry(conversation_id.clone()).or_default();
        lane.read = lane.read.merge(read);
        lane.known_read = lane.known_read.max(read.seq);
        // Viewed implies delivered.
        lane.known_delivered = lane.known_delivered.max(read.seq);
    }

    /// How far the agent viewed a conversation, told to the relay or not.
    pub(crate) fn read(&self, conversation_id: &ConversationId) -> ReadMark {
        self.lanes.get(conversation_id).map(|lane| lane.read).unwrap_or_default()
    }

    /// What to keep on disk.
    pub(crate) fn kept(&self, conversation_id: &ConversationId) -> KeptMarks {
        let lane = self.lanes.get(conversation_id);
        lane.map(|lane| KeptMarks { read: lane.read, delivered: lane.known_delivered })
            .unwrap_or_default()
    }

    /// The conversation is no longer this reader's.
    pub(crate) fn forget(&mut self, conversation_id: &ConversationId) {
        self.lanes.remove(conversation_id);
    }

    /// The marks whose time it is; `new_id` names their commands.
    pub(crate) fn due(
        &mut self,
        now: u64,
        mut new_id: impl FnMut() -> ClientId,
    ) -> Vec<(ClientId, MarkDue)> {
        let mut places = self.places();
        let mut due = Vec::new();
        for (conversation_id, lane) in &mut self.lanes {
            if places == 0 {
                break;
            }
            if !lane.is_behind() || lane.on_its_way.is_some() || now < lane.not_before {
                continue;
            }
            places -= 1;
            let id = new_id();
            let (delivered, read) = (lane.delivered.max(lane.read.seq), lane.read.seq);
            lane.on_its_way = Some((id.clone(), delivered, read));
            lane.not_before = now + MARK_EVERY_MS;
            due.push((id, MarkDue { conversation_id: conversation_id.clone(), delivered, read }));
        }
        due
    }

    /// When to look again. While no place is free, only an answer changes anything.
    pub(crate) fn deadline(&self) -> Option<u64> {
        if self.places() == 0 {
            return None;
        }
        let waiting = |lane: &&Lane| lane.is_behind() && lane.on_its_way.is_none();
        self.lanes.values().filter(waiting).map(|lane| lane.not_before).min()
    }

    fn places(&self) -> usize {
        let on_their_way = self.lanes.values().filter(|lane| lane.on_its_way.is_some()).count();
        MARKS_IN_FLIGHT_MAX.saturating_sub(on_their_way)
    }

    /// The relay answered a mark. One it refused is not sent again: only a new one would be.
    pub(crate) fn answered(&mut self, conversation_id: &ConversationId, may_retry: bool) {
        let Some(lane) = self.lanes.get_mut(conversation_id) else { return };
        let Some((_, delivered, read)) = lane.on_its_way.take() else { return };
        if !may_retry {
            lane.known_delivered = lane.known_delivered.max(delivered);
            lane.known_read = lane.known_read.max(read);
        }
    }

    /// The link is gone: what was not answered goes again.
    pub(crate) fn link_lost(&mut self) {
        for lane in self.lanes.values_mut() {
            lane.on_its_way = None;
        }
    }
}

impl Lane {
    fn is_behind(&self) -> bool {
        self.read.seq > self.known_read || self.delivered.max(self.read.seq) > self.known_delivered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seq(n: u64) -> Seq {
        Seq::new(n).unwrap()
    }

    fn read(n: u64) -> ReadMark {
        ReadMark { seq: seq(n), visitor_count: seq(n / 2) }
    }

    fn conversation(n: u32) -> ConversationId {
        ConversationId::new(format!("c{n}")).unwrap()
    }

    fn due(marks: &mut Marks, now: u64) -> Vec<(u64, u64)> {
        let mut next = 0;
        let due = marks.due(now, || {
            next += 1;
            ClientId::new(format!("m{now}-{next}")).unwrap()
        });
        due.iter().map(|(_, due)| (due.delivered.get(), due.read.get())).collect()
    }

    #[test]
    fn marks_are_merged_and_go_once_a_second() {
        let mut marks = Marks::default();
        let c = conversation(1);
        marks.stored(&c, seq(3));
        assert_eq!(due(&mut marks, 0), [(3, 0)]);
        marks.stored(&c, seq(4));
        marks.viewed(&c, read(4));
        marks.viewed(&c, read(2));
        assert_eq!(due(&mut marks, 500), [], "one is on its way");
        marks.answered(&c, false);
        assert_eq!(due(&mut marks, 999), []);
        assert_eq!(marks.deadline(), Some(1_000));
        assert_eq!(due(&mut marks, 1_000), [(4, 4)]);
        marks.answered(&c, false);
        assert_eq!(due(&mut marks, 9_000), [], "nothing new to say");
    }

    #[test]
    fn an_unanswered_mark_goes_again_and_a_refused_one_does_not() {
        let mut marks = Marks::default();
        let c = conversation(1);
        marks.viewed(&c, read(7));
        assert_eq!(due(&mut marks, 0), [(7, 7)]);
        marks.link_lost();
        assert_eq!(due(&mut marks, 2_000), [(7, 7)]);
        marks.answered(&c, true);
        assert_eq!(due(&mut marks, 4_000), [(7, 7)], "busy: again");
        marks.answered(&c, false);
        assert_eq!(due(&mut marks, 8_000), []);
    }

    #[test]
    fn what_the_relay_knows_already_is_not_said_again() {
        let mut marks = Marks::default();
        let c = conversation(1);
        marks.restore(c.clone(), KeptMarks { read: read(5), delivered: seq(9) });
        marks.known(&c, read(5));
        marks.stored(&c, seq(9));
        assert_eq!(due(&mut marks, 0), []);
        marks.stored(&c, seq(10));
        assert_eq!(due(&mut marks, 0), [(10, 5)]);
    }

    #[test]
    fn only_so_many_are_on_their_way_at_once() {
        let mut marks = Marks::default();
        for n in 0..10 {
            marks.stored(&conversation(n), seq(1));
        }
        assert_eq!(due(&mut marks, 0).len(), MARKS_IN_FLIGHT_MAX);
        assert_eq!(due(&mut marks, 0).len(), 0);
        assert_eq!(marks.deadline(), None, "looking again would find no place");
        marks.answered(&conversation(0), false);
        assert_eq!(marks.deadline(), Some(0));
        assert_eq!(due(&mut marks, 0).len(), 1);
    }
}
