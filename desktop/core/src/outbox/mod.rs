//! Messages written here and not yet acknowledged by the relay: the pure part. The rows live in
//! `store::outbox`; nothing is sent before its row is on disk.
//!
//! **One lane per conversation.** A lane sends one message at a time, in the order they were
//! written; the next goes when the former was acknowledged. So order needs no trust in anything but
//! the acknowledgement. Lanes do not wait for each other; all together have a bounded number on
//! their way.
//!
//! **The id is the message.** It is made when the message is written and stays through every retry:
//! the link broke, the relay was busy, this program was killed after sending and before hearing
//! back. The relay stores an id once, so asking again is always safe. A message leaves the outbox
//! when the relay acknowledged it *or* when it is seen in the log, whichever comes first.
//!
//! ```text
//!             link up, its turn            acknowledged / seen in the log
//!   queued ───────────────────▶ sending ─────────────────────────▶ sent ──▶ (24 h kept)
//!     ▲ ▲      link broke,         │                                 │
//!     │ └───── busy, too fast ─────┤                                 │ the relay's history was
//!     │                            │ refused                         │ replaced by an older one
//!     │        the author          ▼                                 │
//!     ├──────── says so ──────── failed                              │
//!     ├──────── says so ──────── wedged ◀── queued for 6 days        │
//!     └──────────────────────────────────────────────────────────────┘
//! ```
//!
//! **What may be there is not taken back.** A message whose answer was lost may be in the relay's
//! store. From then on it cannot be discarded or edited until the relay refuses it for good (it looks
//! the id up before it refuses anything, so a refusal says that nothing is there). A restart forgets
//! what was handed out, so what the disk calls unsent counts as lost on its way.
//!
//! *Failed* and *wedged* messages do not hold up their lane: what to do about them is the author's
//! decision, and the visitor waits. Editing one is discarding it and writing another: a new id.
//! A *sent* message stays visible, as being sent, until its copy from the log replaces it: nothing
//! on the screen blinks.
//!
//! The worst case is a restored backup: the relay's history is older than what it acknowledged.
//! Then everything acknowledged in the last 24 hours is queued again under the same ids, in front
//! of what was written since; what the relay still has, it simply acknowledges again. Of a
//! conversation that waits again for an agent it refuses what it does not have: such messages fail,
//! and go again by themselves as soon as the conversation is ours. So do those of an agent who was cut
//! off for longer than the grace period, if the conversation comes back to them at once
//! ([`GOES_AGAIN_WITHIN_MS`]); later what they wrote may be out of place, and they decide.

mod message;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use yingke_shared::error_code::{ErrorCode, WireError};
use yingke_shared::ids::{ClientId, ConversationId, Seq};
use yingke_shared::limits::OUTBOX_WEDGED_AFTER_MS;
use yingke_shared::time::Timestamp;

use crate::bridge::types::{OutboxItem, OutboxState};
use crate::limits::{
    BACKOFF_MS_MAX, BACKOFF_MS_MIN, GOES_AGAIN_WITHIN_MS, SENDING_SHOWN_AFTER_MS,
    SENDS_IN_FLIGHT_MAX,
};

pub use message::{Change, Send, Standing, StoredMessage};

/// What the author may not do to a message now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotNow {
    /// There is none of this id.
    Unknown,
    /// It is on its way, or arrived.
    OnItsWay,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Queued,
    Sending {
        since: u64,
    },
    Failed(ErrorCode),
    Wedged,
    /// Acknowledged under this number, its copy from the log not yet here.
    Sent {
        seq: Seq,
    },
}

struct Entry {
    client_id: ClientId,
    text: String,
    at: Timestamp,
    age_from_ms: u64,
    state: State,
    /// See [`StoredMessage::tried`]; while it is being sent the state says so.
    tried: bool,
    /// The author takes it out: it goes nowhere while the disk is asked.
    leaving: bool,
    /// It was acknowledged once, by a history that was replaced.
    again: bool,
    /// When the relay refused it, in this run.
    refused_at: Option<u64>,
}

/// One conversation's messages, by the order they were written.
#[derive(Default)]
struct Lane {
    entries: BTreeMap<u64, Entry>,
    wait: LaneWait,
}

#[derive(Default)]
struct LaneWait {
    /// Failures of the relay in a row; decides the next wait.
    failures: u32,
    /// Nothing goes before this time.
    not_before: u64,
}

/// The machine. `now` is monotonic, `wall` is this computer's clock, both in milliseconds.
#[derive(Default)]
pub struct Outbox {
    lanes: BTreeMap<ConversationId, Lane>,
    /// Where each message is.
    places: BTreeMap<ClientId, (ConversationId, u64)>,
    in_flight: usize,
}

impl Outbox {
    /// Puts in what the disk holds: a row just written, or all rows at start. Acknowledged rows are
    /// the disk's business alone.
    pub fn put(&mut self, message: StoredMessage) {
        let state = match message.standing {
            Standing::Unsent => State::Queued,
            Standing::Failed(code) => State::Failed(code),
            Standing::Wedged => State::Wedged,
            Standing::Acked { .. } => return,
        };
        if self.places.contains_key(&message.client_id) {
            return;
        }
        let place = (message.conversation_id.clone(), message.order);
        self.places.insert(message.client_id.clone(), place);
        let lane = self.lanes.entry(message.conversation_id).or_default();
        lane.entries.insert(
            message.order,
            Entry {
                client_id: message.client_id,
                text: message.text,
                at: message.at,
                age_from_ms: message.age_from_ms,
                state,
                tried: message.tried,
                leaving: false,
                again: false,
                refused_at: None,
            },
        );
    }

    /// Puts in what the relay had acknowledged before its history was replaced.
    pub fn offer_again(&mut self, message: StoredMessage) {
        let client_id = message.client_id.clone();
        self.put(message);
        if let Some((entry, _)) = self.entry(&client_id) {
            entry.again = true;
        }
    }

    /// A conversation is ours: what was refused because it was not goes now, if it was acknowledged
    /// once or refused only a moment ago.
    pub fn gained(&mut self, conversation_id: &ConversationId, now: u64) -> Vec<Change> {
        let Some(lane) = self.lanes.get_mut(conversation_id) else { return Vec::new() };
        // What is on its way may be taken now: nothing that was written before it may come after it.
        let is_sending = |entry: &Entry| matches!(entry.state, State::Sending { .. });
        let on_its_way = lane.entries.iter().filter(|(_, entry)| is_sending(entry));
        let from = on_its_way.map(|(order, _)| *order).max().unwrap_or(0);
        let entries = lane.entries.range_mut(from..).map(|(_, entry)| entry);
        let mut changes = Vec::new();
        for entry in entries.filter(|entry| !entry.leaving) {
            let is_recent = |at: u64| now.saturating_sub(at) <= GOES_AGAIN_WITHIN_MS;
            if !entry.again && !entry.refused_at.is_some_and(is_recent) {
                continue;
            }
            if let State::Failed(ErrorCode::NotFound | ErrorCode::Forbidden) = entry.state {
                entry.state = State::Queued;
                changes.push(Change::Standing {
                    client_id: entry.client_id.clone(),
                    standing: Standing::Unsent,
                    age_from_ms: entry.age_from_ms,
                });
            }
        }
        changes
    }

    /// The messages whose turn it is, now that the link is live. They count as being sent from here.
    /// What has become too old is wedged instead.
    pub fn due(&mut self, now: u64, wall: u64) -> (Vec<Send>, Vec<Change>) {
        let mut sends = Vec::new();
        let mut changes = Vec::new();
        for (conversation_id, lane) in &mut self.lanes {
            lane.wedge_old(wall, &mut changes);
            if self.in_flight >= SENDS_IN_FLIGHT_MAX
                || now < lane.wait.not_before
                || lane.is_sending()
            {
                continue;
            }
            let next = lane.entries.values_mut().find(|entry| entry.is_waiting());
            if let Some(entry) = next {
                entry.state = State::Sending { since: now };
                self.in_flight += 1;
                sends.push(Send {
                    client_id: entry.client_id.clone(),
                    conversation_id: conversation_id.clone(),
                    text: entry.text.clone(),
                });
            }
        }
        (sends, changes)
    }

    /// When to look again: a lane's wait ends, or a mark begins to show.
    #[must_use]
    pub fn deadline(&self, now: u64) -> Option<u64> {
        let waits =
            self.lanes.values().filter(|lane| lane.wait.not_before > now && lane.has_queued());
        let shows = self.lanes.values().flat_map(|lane| lane.entries.values());
        let shows = shows.filter_map(|entry| match entry.state {
            State::Sending { since } => Some(since + SENDING_SHOWN_AFTER_MS),
            _ => None,
        });
        waits.map(|lane| lane.wait.not_before).chain(shows.filter(|at| *at > now)).min()
    }

    /// The link is gone: what was on its way is queued again, under the same ids.
    pub fn link_lost(&mut self) {
        for entry in self.lanes.values_mut().flat_map(|lane| lane.entries.values_mut()) {
            if matches!(entry.state, State::Sending { .. }) {
                entry.state = State::Queued;
                entry.tried = true;
            }
        }
        self.in_flight = 0;
    }

    /// The relay stored it. What was written before it and refused goes no more by itself: it would
    /// stand behind it.
    pub fn acked(&mut self, client_id: &ClientId, seq: Seq, wall: u64) -> Vec<Change> {
        let Some((entry, lane)) = self.entry(client_id) else { return Vec::new() };
        let was_sending = matches!(entry.state, State::Sending { .. });
        if matches!(entry.state, State::Sent { .. }) {
            return Vec::new();
        }
        entry.state = State::Sent { seq };
        let age_from_ms = entry.age_from_ms;
        *lane = LaneWait::default();
        self.in_flight -= usize::from(was_sending);
        for entry in self.before(client_id) {
            (entry.again, entry.refused_at) = (false, None);
        }
        vec![Change::Standing {
            client_id: client_id.clone(),
            standing: Standing::Acked { at_ms: wall },
            age_from_ms,
        }]
    }

    /// The relay did not take it: it failed, or it waits and goes again under the same id.
    pub fn refused(
        &mut self,
        client_id: &ClientId,
        error: WireError,
        now: u64,
        jitter: u32,
    ) -> Vec<Change> {
        let Some((entry, lane)) = self.entry(client_id) else { return Vec::new() };
        if !matches!(entry.state, State::Sending { .. }) {
            return Vec::new();
        }
        let mut changes = Vec::new();
        if error.code.can_retry() {
            entry.state = State::Queued;
            let wait = (BACKOFF_MS_MIN << lane.failures.min(16)).min(BACKOFF_MS_MAX);
            let wait = wait.max(u64::from(error.retry_after_ms.unwrap_or(0)));
            lane.failures = lane.failures.saturating_add(1);
            lane.not_before = now + wait + wait / 4 * u64::from(jitter) / u64::from(u32::MAX);
        } else {
            entry.state = State::Failed(error.code);
            entry.tried = false;
            entry.refused_at = Some(now);
            changes.push(Change::Standing {
                client_id: client_id.clone(),
                standing: Standing::Failed(error.code),
                age_from_ms: entry.age_from_ms,
            });
        }
        self.in_flight -= 1;
        changes
    }

    /// Its copy from the log is here: it is no longer ours to show, whatever we thought of it.
    pub fn seen(&mut self, client_id: &ClientId, wall: u64) -> Vec<Change> {
        let changes = self.acked(client_id, Seq::ZERO, wall);
        self.take(client_id);
        changes
    }

    /// Everything of a conversation up to this number is known from elsewhere (a snapshot, a page):
    /// what was sent under such a number is no longer ours to show.
    pub fn seen_up_to(&mut self, conversation_id: &ConversationId, upto: Seq) {
        self.take_sent(conversation_id, |seq| seq <= upto);
    }

    /// The conversation's log is no longer ours to read: what was sent shows nowhere any more.
    pub fn log_lost(&mut self, conversation_id: &ConversationId) {
        self.take_sent(conversation_id, |_| true);
    }

    /// The author says: send it again. What must reach the disk first; then [`Self::retried`]. A
    /// refusal for the id itself needs another one.
    pub fn retry(
        &self,
        client_id: &ClientId,
        wall: u64,
        new_id: ClientId,
    ) -> Result<Vec<Change>, NotNow> {
        let entry = self.find(client_id).ok_or(NotNow::Unknown)?;
        if entry.leaving {
            return Err(NotNow::OnItsWay);
        }
        let unsent = |client_id| Change::Standing {
            client_id,
            standing: Standing::Unsent,
            age_from_ms: wall,
        };
        match entry.state {
            State::Failed(ErrorCode::IdReused) => Ok(vec![
                Change::Renamed { from: client_id.clone(), to: new_id.clone() },
                unsent(new_id),
            ]),
            State::Failed(_) | State::Wedged => Ok(vec![unsent(client_id.clone())]),
            State::Queued | State::Sending { .. } | State::Sent { .. } => Err(NotNow::OnItsWay),
        }
    }

    /// What [`Self::retry`] gave is on disk.
    pub fn retried(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Renamed { from, to } => {
                    let Some((entry, _)) = self.entry(from) else { return };
                    entry.client_id = to.clone();
                    if let Some(place) = self.places.remove(from) {
                        self.places.insert(to.clone(), place);
                    }
                }
                Change::Standing { client_id, age_from_ms, .. } => {
                    let Some((entry, _)) = self.entry(client_id) else { return };
                    if matches!(entry.state, State::Failed(_) | State::Wedged) {
                        entry.state = State::Queued;
                        entry.age_from_ms = *age_from_ms;
                    }
                }
            }
        }
    }

    /// The relay's history was replaced: acknowledgements of the old one mean nothing. What is
    /// offered again comes back by [`Self::put`].
    pub fn history_replaced(&mut self) {
        let conversations: Vec<ConversationId> = self.lanes.keys().cloned().collect();
        for conversation_id in conversations {
            self.log_lost(&conversation_id);
        }
    }

    /// The author takes it out. Not while it may already be there. It goes nowhere from here; the disk
    /// comes first, then [`Self::discarded`].
    pub fn discard(&mut self, client_id: &ClientId) -> Result<(), NotNow> {
        let (entry, _) = self.entry(client_id).ok_or(NotNow::Unknown)?;
        if !entry.may_discard() {
            return Err(NotNow::OnItsWay);
        }
        entry.leaving = true;
        Ok(())
    }

    /// The disk took it out, or could not: then it stays. Says in which conversation.
    pub fn discarded(&mut self, client_id: &ClientId, done: bool) -> Option<ConversationId> {
        if done {
            return self.take(client_id);
        }
        let (entry, _) = self.entry(client_id)?;
        entry.leaving = false;
        self.conversation_of(client_id).cloned()
    }

    /// What is shown of a conversation, in order.
    #[must_use]
    pub fn items(&self, conversation_id: &ConversationId, now: u64) -> Vec<OutboxItem> {
        let entries = self.lanes.get(conversation_id).into_iter();
        let entries = entries.flat_map(|lane| lane.entries.values());
        entries.map(|entry| entry.item(conversation_id, now)).collect()
    }

    /// Unsent messages of a conversation, and whether one of them needs its author.
    #[must_use]
    pub fn count(&self, conversation_id: &ConversationId) -> (u32, bool) {
        let Some(lane) = self.lanes.get(conversation_id) else { return (0, false) };
        let unsent = lane.entries.values().filter(|entry| entry.is_unsent());
        let needs_author = |entry: &Entry| matches!(entry.state, State::Failed(_) | State::Wedged);
        let count = u32::try_from(unsent.count()).unwrap_or(u32::MAX);
        (count, lane.entries.values().any(needs_author))
    }

    /// Unsent messages over all conversations.
    #[must_use]
    pub fn total(&self) -> u32 {
        let entries = self.lanes.values().flat_map(|lane| lane.entries.values());
        u32::try_from(entries.filter(|entry| entry.is_unsent()).count()).unwrap_or(u32::MAX)
    }

    /// Conversations with something to show.
    pub fn conversations(&self) -> impl Iterator<Item = &ConversationId> {
        self.lanes.keys()
    }

    /// In which conversation a message is.
    #[must_use]
    pub fn conversation_of(&self, client_id: &ClientId) -> Option<&ConversationId> {
        self.places.get(client_id).map(|(conversation_id, _)| conversation_id)
    }

    fn find(&self, client_id: &ClientId) -> Option<&Entry> {
        let (conversation_id, order) = self.places.get(client_id)?;
        self.lanes.get(conversation_id)?.entries.get(order)
    }

    fn entry(&mut self, client_id: &ClientId) -> Option<(&mut Entry, &mut LaneWait)> {
        let (conversation_id, order) = self.places.get(client_id)?;
        let lane = self.lanes.get_mut(conversation_id)?;
        let entry = lane.entries.get_mut(order)?;
        Some((entry, &mut lane.wait))
    }

    /// What was written before it in its lane.
    fn before(&mut self, client_id: &ClientId) -> impl Iterator<Item = &mut Entry> {
        let place = self.places.get(client_id);
        let lane = place.and_then(|(id, order)| Some((self.lanes.get_mut(id)?, *order)));
        let before = lane.map(|(lane, order)| lane.entries.range_mut(..order));
        before.into_iter().flatten().map(|(_, entry)| entry)
    }

    fn take(&mut self, client_id: &ClientId) -> Option<ConversationId> {
        let (conversation_id, order) = self.places.remove(client_id)?;
        if let Some(lane) = self.lanes.get_mut(&conversation_id) {
            lane.entries.remove(&order);
            if lane.entries.is_empty() {
                self.lanes.remove(&conversation_id);
            }
        }
        Some(conversation_id)
    }

    fn take_sent(&mut self, conversation_id: &ConversationId, is_over: impl Fn(Seq) -> bool) {
        let Some(lane) = self.lanes.get(conversation_id) else { return };
        let over = lane.entries.values().filter(|entry| match entry.state {
            State::Sent { seq } => is_over(seq),
            _ => false,
        });
        let over: Vec<ClientId> = over.map(|entry| entry.client_id.clone()).collect();
        for client_id in over {
            self.take(&client_id);
        }
    }
}

impl Lane {
    fn is_sending(&self) -> bool {
        self.entries.values().any(|entry| matches!(entry.state, State::Sending { .. }))
    }

    fn has_queued(&self) -> bool {
        self.entries.values().any(Entry::is_waiting)
    }

    fn wedge_old(&mut self, wall: u64, changes: &mut Vec<Change>) {
        for entry in self.entries.values_mut() {
            let age = wall.saturating_sub(entry.age_from_ms);
            if entry.state == State::Queued && age > OUTBOX_WEDGED_AFTER_MS {
                entry.state = State::Wedged;
                changes.push(Change::Standing {
                    client_id: entry.client_id.clone(),
                    standing: Standing::Wedged,
                    age_from_ms: entry.age_from_ms,
                });
            }
        }
    }
}

impl Entry {
    fn is_unsent(&self) -> bool {
        !matches!(self.state, State::Sent { .. })
    }

    fn is_waiting(&self) -> bool {
        self.state == State::Queued && !self.leaving
    }

    fn may_discard(&self) -> bool {
        let on_its_way = matches!(self.state, State::Sending { .. } | State::Sent { .. });
        !on_its_way && !self.tried && !self.leaving
    }

    fn item(&self, conversation_id: &ConversationId, now: u64) -> OutboxItem {
        let state = match self.state {
            State::Sending { since } if now.saturating_sub(since) < SENDING_SHOWN_AFTER_MS => {
                OutboxState::Queued
            }
            State::Queued => OutboxState::Queued,
            State::Sending { .. } | State::Sent { .. } => OutboxState::Sending,
            State::Failed(code) => OutboxState::Failed { code },
            State::Wedged => OutboxState::Wedged,
        };
        OutboxItem {
            client_id: self.client_id.clone(),
            conversation_id: conversation_id.clone(),
            text: self.text.clone(),
            at: self.at,
            state,
            may_discard: self.may_discard(),
        }
    }
}
