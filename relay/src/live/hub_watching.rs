//! What single sockets of staff asked to see beside what is theirs: conversations they watch (F05), the
//! floor, and which conversation each has open (X10). Part of `hub.rs`, behind the same lock and under
//! the same rule: nothing waits or reads a database here, and only small signs are encoded. All of it ends with the socket.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Bytes;
use tokio::sync::watch;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::frame::{StaffFrame, StaffSignal};
use yingke_shared::ids::{AgentId, ConversationId, VisitorId};
use yingke_shared::views::Role;

use super::{Hub, Seat, State};
use crate::limits::WATCHED_PER_SOCKET_MAX;
use crate::live::frames;
use crate::live::mailbox::Mailbox;

/// See the module. Sockets are named by their number.
#[derive(Default)]
pub(super) struct Watching {
    watched: BTreeMap<ConversationId, BTreeMap<u64, Arc<Mailbox>>>,
    floor: BTreeMap<u64, Onlooker>,
    /// Rings when a socket asks for the floor.
    floor_asked: watch::Sender<u64>,
    viewing: BTreeMap<u64, Viewer>,
}

/// A socket that asked for the floor.
struct Onlooker {
    role: Role,
    mailbox: Arc<Mailbox>,
    /// It has the newest one.
    is_told: bool,
}

impl Onlooker {
    fn manages(&self) -> bool {
        self.role >= Role::Manager
    }
}

struct Viewer {
    agent_id: AgentId,
    conversation_id: ConversationId,
    mailbox: Arc<Mailbox>,
}

impl Watching {
    /// The sockets that watch a conversation.
    pub(super) fn watchers(&self, id: &ConversationId) -> impl Iterator<Item = &Arc<Mailbox>> {
        self.watched.get(id).into_iter().flat_map(BTreeMap::values)
    }

    /// A socket is gone.
    pub(super) fn leave(&mut self, number: u64) {
        self.watched.retain(|_, seats| {
            seats.remove(&number);
            !seats.is_empty()
        });
        self.floor.remove(&number);
        if let Some(viewer) = self.viewing.remove(&number) {
            self.tell_viewers(&viewer.conversation_id, None);
        }
    }

    fn watches(&self, number: u64, id: &ConversationId) -> bool {
        self.watched.get(id).is_some_and(|seats| seats.contains_key(&number))
    }

    fn viewers(&self, id: &ConversationId) -> impl Iterator<Item = &Viewer> {
        self.viewing.values().filter(move |viewer| viewer.conversation_id == *id)
    }

    /// Tells everybody who has the conversation open who else has, and who of them types.
    fn tell_viewers(&self, id: &ConversationId, typing: Option<&AgentId>) {
        let reading: BTreeSet<_> = self.viewers(id).map(|viewer| &viewer.agent_id).collect();
        for viewer in self.viewers(id) {
            let others = reading.iter().filter(|agent_id| ***agent_id != viewer.agent_id);
            let typing = typing.filter(|agent_id| **agent_id != viewer.agent_id);
            let signal = StaffSignal::Colleagues {
                conversation_id: id.clone(),
                reading: others.map(|agent_id| (*agent_id).clone()).collect(),
                typing: typing.into_iter().cloned().collect(),
            };
            if let Some(frame) = frames::shared(&StaffFrame::Signal { signal }) {
                viewer.mailbox.put_standing(&frame);
            }
        }
    }
}

impl State {
    /// Whoever no longer sees a conversation does not have it open either: others are told so, and
    /// the one is told nothing more of them.
    pub(super) fn forget_viewers(&mut self, id: &ConversationId) {
        let State { served, watching, .. } = self;
        let Watching { watched, viewing, .. } = watching;
        let before = viewing.len();
        viewing.retain(|number, viewer| {
            let sees = || {
                served.get(&viewer.agent_id).is_some_and(|served| served.contains_key(id))
                    || watched.get(id).is_some_and(|seats| seats.contains_key(number))
            };
            viewer.conversation_id != *id || sees()
        });
        if viewing.len() < before {
            watching.tell_viewers(id, None);
        }
    }

    /// An agent types in a conversation: those who have it open too see it.
    pub(super) fn tell_typing(&self, agent_id: &AgentId, id: &ConversationId) {
        let is_alone = self.watching.viewers(id).all(|viewer| viewer.agent_id == *agent_id);
        if !is_alone {
            self.watching.tell_viewers(id, Some(agent_id));
        }
    }
}

impl Hub {
    /// From now on this socket gets what happens in the conversation. To be called before its record is
    /// read. Gives whether it did not before.
    pub(crate) fn watch(&self, seat: &Seat, id: &ConversationId) -> Result<bool, ErrorCode> {
        let mut state = self.inner.state.lock();
        if state.watching.watches(seat.number, id) {
            return Ok(false);
        }
        let watched = &mut state.watching.watched;
        let many = watched.values().filter(|seats| seats.contains_key(&seat.number)).count();
        if many >= WATCHED_PER_SOCKET_MAX {
            return Err(ErrorCode::TooFast);
        }
        let seats = watched.entry(id.clone()).or_default();
        seats.insert(seat.number, Arc::clone(&seat.mailbox));
        Ok(true)
    }

    /// No longer.
    pub(crate) fn unwatch(&self, seat: &Seat, id: &ConversationId) {
        let mut state = self.inner.state.lock();
        let watched = &mut state.watching.watched;
        let Some(seats) = watched.get_mut(id) else { return };
        seats.remove(&seat.number);
        if seats.is_empty() {
            watched.remove(id);
        }
        state.forget_viewers(id);
    }

    /// It is over: nobody watches it any more.
    pub(crate) fn forget_watched(&self, id: &ConversationId) {
        let mut state = self.inner.state.lock();
        state.watching.watched.remove(id);
        state.forget_viewers(id);
    }

    /// From now on this socket gets the floor when it changes, or no longer.
    pub(crate) fn watch_floor(&self, seat: &Seat, role: Role, on: bool) {
        let watching = &mut self.inner.state.lock().watching;
        let floor = &mut watching.floor;
        if !on {
            floor.remove(&seat.number);
            return;
        }
        let mailbox = Arc::clone(&seat.mailbox);
        floor.insert(seat.number, Onlooker { role, mailbox, is_told: false });
        watching.floor_asked.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Rings when a socket asks for the floor.
    pub(crate) fn floor_bell(&self) -> watch::Receiver<u64> {
        self.inner.state.lock().watching.floor_asked.subscribe()
    }

    /// Whether a socket looks at the floor: of a manager, and of an agent.
    pub(crate) fn floor_asked(&self) -> (bool, bool) {
        let state = self.inner.state.lock();
        let seats = || state.watching.floor.values();
        (seats().any(Onlooker::manages), seats().any(|seat| !seat.manages()))
    }

    /// The floor to the sockets that asked for it: whole for managers and admins, less for agents. A
    /// frame that `is_new` goes to all of them, another to those who have none yet.
    pub(crate) fn put_floor(&self, managers: Option<&Bytes>, agents: Option<&Bytes>, is_new: bool) {
        let mut state = self.inner.state.lock();
        for seat in state.watching.floor.values_mut() {
            let frame = if seat.manages() { managers } else { agents };
            if let Some(frame) = frame
                && (is_new || !seat.is_told)
            {
                seat.mailbox.put_floor(frame);
                seat.is_told = true;
            }
        }
    }

    /// This socket has the conversation open, or none: only one that is served, taken part in or
    /// watched.
    pub(crate) fn viewing(
        &self,
        seat: &Seat,
        agent_id: &AgentId,
        id: Option<&ConversationId>,
    ) -> Result<(), ErrorCode> {
        let mut state = self.inner.state.lock();
        if let Some(before) = state.watching.viewing.remove(&seat.number) {
            state.watching.tell_viewers(&before.conversation_id, None);
        }
        let Some(id) = id else { return Ok(()) };
        let is_served = state.served.get(agent_id).is_some_and(|served| served.contains_key(id));
        if !is_served && !state.watching.watches(seat.number, id) {
            return Err(ErrorCode::NotFound);
        }
        let viewer = Viewer {
            agent_id: agent_id.clone(),
            conversation_id: id.clone(),
            mailbox: Arc::clone(&seat.mailbox),
        };
        state.watching.viewing.insert(seat.number, viewer);
        state.watching.tell_viewers(id, None);
        Ok(())
    }

    /// Whether a watched conversation's visitor is there, told to the one socket.
    pub(crate) fn tell_watcher(&self, seat: &Seat, id: &ConversationId, visitor_id: &VisitorId) {
        let state = self.inner.state.lock();
        if state.visitors.contains_key(visitor_id)
            && let Some(frame) = super::online_frame(id, true)
        {
            seat.mailbox.put_standing(&frame);
        }
    }
}
