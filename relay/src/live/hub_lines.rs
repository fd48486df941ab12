//! How lines stand, told to those who wait and to staff: places, and how many wait (A30, B10). Part of
//! `hub.rs`, behind the same lock and under the same rule: nothing waits or reads a database here. What
//! was told last is kept, so that only changes are told, and who connects learns it after the welcome.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use yingke_shared::frame::{StaffFrame, StaffSignal, VisitorFrame, VisitorSignal};
use yingke_shared::ids::{AgentId, ConversationId, VisitorId};

use super::Hub;
use crate::live::frames;
use crate::live::mailbox::Mailbox;

/// See the module.
#[derive(Default)]
pub(super) struct Lines {
    lengths: BTreeMap<AgentId, u32>,
    places: Arc<BTreeMap<VisitorId, LinePlace>>,
}

/// Where a waiting visitor stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LinePlace {
    pub(crate) conversation_id: ConversationId,
    /// From 1.
    pub(crate) place: u32,
    /// Milliseconds.
    pub(crate) expected_wait_ms: Option<u32>,
    /// Since when. Not told; but whoever was served for a moment is told the same place again.
    pub(crate) since: u64,
}

impl LinePlace {
    fn frame(&self) -> Option<Bytes> {
        let signal = VisitorSignal::Place {
            conversation_id: self.conversation_id.clone(),
            place: self.place,
            expected_wait_ms: self.expected_wait_ms,
        };
        frames::shared(&VisitorFrame::Signal { signal })
    }
}

fn length_frame(waiting: u32) -> Option<Bytes> {
    frames::shared(&StaffFrame::Signal { signal: StaffSignal::QueueLength { waiting } })
}

impl Hub {
    /// How many wait for each agent now. Whose number is another is told it.
    pub(crate) fn tell_lengths(&self, lengths: BTreeMap<AgentId, u32>) {
        // Nearly everybody sees the same numbers: each is encoded once.
        let mut frames: BTreeMap<u32, Option<Bytes>> = BTreeMap::new();
        for waiting in lengths.values() {
            frames.entry(*waiting).or_insert_with(|| length_frame(*waiting));
        }
        let mut state = self.inner.state.lock();
        let before = std::mem::replace(&mut state.lines.lengths, lengths);
        for (agent_id, waiting) in &state.lines.lengths {
            if before.get(agent_id) != Some(waiting)
                && let Some(Some(frame)) = frames.get(waiting)
            {
                state.staff_of(agent_id).for_each(|session| session.mailbox.put_standing(frame));
            }
        }
    }

    /// After the welcome: how many wait.
    pub(crate) fn tell_length(&self, agent_id: &AgentId, mailbox: &Mailbox) {
        let state = self.inner.state.lock();
        if let Some(frame) = state.lines.lengths.get(agent_id).and_then(|it| length_frame(*it)) {
            mailbox.put_standing(&frame);
        }
    }

    /// Where everybody who waits stands now. Whose place is another, and who is there, is told it.
    pub(crate) fn tell_places(&self, places: BTreeMap<VisitorId, LinePlace>) {
        let places = Arc::new(places);
        let before =
            std::mem::replace(&mut self.inner.state.lock().lines.places, Arc::clone(&places));
        // From here on whoever connects is told the new place; compared and encoded without the lock.
        let changed = places.iter().filter(|(id, place)| before.get(*id) != Some(*place));
        for (visitor_id, place) in changed {
            if !self.has_visitor(visitor_id) {
                continue;
            }
            let Some(frame) = place.frame() else { continue };
            let state = self.inner.state.lock();
            state.of_visitor(visitor_id).for_each(|session| session.mailbox.put_standing(&frame));
        }
    }

    /// After the welcome: where the visitor stands, if in line.
    pub(crate) fn tell_place(&self, visitor_id: &VisitorId, mailbox: &Mailbox) {
        let state = self.inner.state.lock();
        if let Some(frame) = state.lines.places.get(visitor_id).and_then(LinePlace::frame) {
            mailbox.put_standing(&frame);
        }
    }
}
