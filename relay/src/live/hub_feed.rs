//! What fan-out does with the hub: it puts events into mailboxes and keeps what is derived from the
//! log. Part of `hub.rs`, behind the same lock and under the same rule: nothing waits, encodes or
//! reads a database here.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Bytes;
use yingke_shared::ids::{AgentId, ConversationId, Position, SiteId, VisitorId};
use yingke_shared::views::Role;

use super::{Hub, ServingNow, Session};
use crate::live::mailbox::Mailbox;

/// Puts an event into a mailbox, and the mailbox among those to be rung if it has to be.
fn put(mailbox: &Arc<Mailbox>, position: Position, json: &Bytes, rung: &mut Vec<Arc<Mailbox>>) {
    if mailbox.put_event(position, json) {
        rung.push(Arc::clone(mailbox));
    }
}

impl Hub {
    /// Whether anybody reads as this agent.
    pub(crate) fn has_agent(&self, agent_id: &AgentId) -> bool {
        self.inner.state.lock().staff.contains_key(agent_id)
    }

    /// Whether anybody reads as this visitor.
    pub(crate) fn has_visitor(&self, visitor_id: &VisitorId) -> bool {
        self.inner.state.lock().visitors.contains_key(visitor_id)
    }

    /// Puts an event into the agent's mailboxes; those in `rung` are to be rung.
    pub(crate) fn put_to_agent(
        &self,
        agent_id: &AgentId,
        position: Position,
        json: &Bytes,
        rung: &mut Vec<Arc<Mailbox>>,
    ) {
        let state = self.inner.state.lock();
        for session in state.staff_of(agent_id) {
            put(&session.mailbox, position, json, rung);
        }
    }

    /// The same for all staff.
    pub(crate) fn put_to_all_staff(
        &self,
        position: Position,
        json: &Bytes,
        rung: &mut Vec<Arc<Mailbox>>,
    ) {
        let state = self.inner.state.lock();
        for session in state.all_staff() {
            put(&session.mailbox, position, json, rung);
        }
    }

    /// The same for all staff but one agent.
    pub(crate) fn put_to_colleagues(
        &self,
        of: &AgentId,
        position: Position,
        json: &Bytes,
        rung: &mut Vec<Arc<Mailbox>>,
    ) {
        let state = self.inner.state.lock();
        let colleagues = state.staff.iter().filter(|(agent_id, _)| *agent_id != of);
        for session in colleagues.flat_map(|(_, place)| &place.sessions) {
            put(&session.mailbox, position, json, rung);
        }
    }

    /// The same for a visitor.
    pub(crate) fn put_to_visitor(
        &self,
        visitor_id: &VisitorId,
        position: Position,
        json: &Bytes,
        rung: &mut Vec<Arc<Mailbox>>,
    ) {
        let state = self.inner.state.lock();
        for session in state.of_visitor(visitor_id) {
            put(&session.mailbox, position, json, rung);
        }
    }

    /// The same for all visitors of a site.
    pub(crate) fn put_to_site(
        &self,
        site_id: &SiteId,
        position: Position,
        json: &Bytes,
        rung: &mut Vec<Arc<Mailbox>>,
    ) {
        let state = self.inner.state.lock();
        let there = state.visitors.values().filter(|place| place.site.as_deref() == Some(site_id));
        for session in there.flat_map(|place| &place.sessions) {
            put(&session.mailbox, position, json, rung);
        }
    }

    /// Who of the visitors is there.
    pub(crate) fn visitors(&self) -> Vec<VisitorId> {
        self.inner.state.lock().visitors.keys().cloned().collect()
    }

    /// Everything up to `position` is in the mailboxes.
    pub(crate) fn set_fanned(&self, position: Position) {
        self.inner.fanned.store(position.get(), Ordering::Release);
    }

    /// Fan-out follows the log from `position` on.
    pub(crate) fn begin(&self, position: Position) {
        self.set_fanned(position);
        self.inner.held_up.store(false, Ordering::Release);
        self.inner.begun.store(true, Ordering::Release);
        self.inner.begun_bell.notify_waiters();
    }

    /// Fan-out cannot read what it begins with, and tries again.
    pub(crate) fn hold_up(&self) {
        self.inner.held_up.store(true, Ordering::Release);
    }

    /// Notes who serves the visitor's conversation now; a new agent is told whether the visitor is
    /// there.
    pub(crate) fn set_serving(&self, visitor_id: &VisitorId, now: Option<&ServingNow>) {
        let mut state = self.inner.state.lock();
        let before = match now {
            Some(serving) => state.serving.insert(visitor_id.clone(), serving.clone()),
            None => state.serving.remove(visitor_id),
        };
        if before.as_ref() == now {
            return;
        }
        for before in before.iter() {
            for agent_id in &before.agents {
                let Some(served) = state.served.get_mut(agent_id) else { continue };
                served.remove(&before.conversation_id);
                if served.is_empty() {
                    state.served.remove(agent_id);
                }
            }
        }
        for serving in now.iter() {
            for agent_id in &serving.agents {
                let served = state.served.entry(agent_id.clone()).or_default();
                served.insert(serving.conversation_id.clone(), visitor_id.clone());
            }
        }
        for before in before.iter() {
            state.forget_viewers(&before.conversation_id);
        }
    }

    /// Puts an event into the mailboxes of those who watch the conversation, but of none that has it
    /// anyway.
    pub(crate) fn put_to_watchers(
        &self,
        conversation_id: &ConversationId,
        position: Position,
        json: &Bytes,
        rung: &mut Vec<Arc<Mailbox>>,
    ) {
        let state = self.inner.state.lock();
        let own = |mailbox: &Arc<Mailbox>| {
            let told =
                state.served.iter().filter(|(_, served)| served.contains_key(conversation_id));
            let mut sessions = told.flat_map(|(agent_id, _)| state.staff_of(agent_id));
            sessions.any(|session| Arc::ptr_eq(&session.mailbox, mailbox))
        };
        for mailbox in state.watching.watchers(conversation_id).filter(|mailbox| !own(mailbox)) {
            put(mailbox, position, json, rung);
        }
    }

    /// Whether anybody watches the conversation.
    pub(crate) fn is_watched(&self, conversation_id: &ConversationId) -> bool {
        self.inner.state.lock().watching.watchers(conversation_id).next().is_some()
    }

    /// Puts an event into the mailboxes of managers and admins.
    pub(crate) fn put_to_managers(
        &self,
        position: Position,
        json: &Bytes,
        rung: &mut Vec<Arc<Mailbox>>,
    ) {
        let state = self.inner.state.lock();
        let manages = |session: &&Session| {
            session.staff.as_ref().is_some_and(|staff| staff.role >= Role::Manager)
        };
        for session in state.all_staff().filter(manages) {
            put(&session.mailbox, position, json, rung);
        }
    }

    /// Tells who sees the conversation that the visitor is there, if so.
    pub(crate) fn tell_if_online(&self, visitor_id: &VisitorId) {
        let state = self.inner.state.lock();
        if state.visitors.contains_key(visitor_id) {
            state.tell_online(visitor_id, true);
        }
    }

    /// Notes whether a site has the typing preview switched on.
    pub(crate) fn set_preview(&self, site_id: &SiteId, on: bool) {
        let mut state = self.inner.state.lock();
        if on {
            state.without_preview.remove(site_id);
        } else {
            state.without_preview.insert(site_id.clone());
        }
    }

    /// The relay stops: everybody is told to come back, each at another time.
    pub(crate) fn stop(&self) {
        let mut state = self.inner.state.lock();
        state.stopped = true;
        state.send_everybody_away();
    }

    /// Something that everybody reads cannot be read: they come back and take a snapshot of what can
    /// be.
    pub(crate) fn send_everybody_away(&self) {
        self.inner.state.lock().send_everybody_away();
    }

    /// Who serves whom is about to be learned anew.
    pub(crate) fn forget_serving(&self) {
        let mut state = self.inner.state.lock();
        state.serving.clear();
        state.served.clear();
    }
}
