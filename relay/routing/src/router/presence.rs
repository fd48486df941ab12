//! Agents come, go, change what they chose, and are lost.
//!
//! Owns what a change of an agent means for what the agent holds: nothing is decided here, all of it
//! is looked at again.

use super::{Deadline, Router};
use crate::Millis;
use crate::conversation::Standing;
use crate::facts::{AgentSettings, Connection};
use crate::floor::AgentIx;
use crate::ids::{AgentId, ConversationId};

impl Router {
    pub(super) fn agent_set(&mut self, settings: AgentSettings) {
        let ix = self.floor.agent_of(&settings.agent);
        let Some(known) = self.floor.agent(ix) else { return };
        let returns = !known.exists();
        let moves = known.settings.departments != settings.departments
            || known.settings.skills != settings.skills;
        let id = settings.agent.clone();
        self.floor.change(ix, |agent| {
            agent.settings = settings;
            agent.removed = false;
            agent.doubted = false;
        });
        if moves {
            self.floor.place(ix);
        }
        if returns {
            self.renew_those_meant_for(ix);
        }
        self.agent_changed(&id);
    }

    pub(super) fn agent_removed(&mut self, id: &AgentId) {
        let ix = self.floor.agent_of(id);
        if self.floor.agent(ix).is_some_and(|agent| agent.removed) {
            return;
        }
        self.floor.change(ix, |agent| agent.removed = true);
        self.renew_those_meant_for(ix);
        self.agent_changed(id);
    }

    pub(super) fn connection_changed(&mut self, id: &AgentId, connection: Connection) {
        let ix = self.floor.agent_of(id);
        let Some(known) = self.floor.agent(ix).map(|agent| agent.connection) else { return };
        let connection = match (known, connection) {
            // Lost once is lost then. Who signed out and in again, and does not come, is lost from now on.
            (Connection::Lost(_), Connection::Lost(_)) => return,
            (_, connection) => connection,
        };
        self.floor.change(ix, |agent| {
            agent.connection = connection;
            agent.doubted &= connection != Connection::Live;
        });
        self.agent_changed(id);
    }

    /// Looks again at everything the agent holds or is asked for.
    pub(super) fn agent_changed(&mut self, id: &AgentId) {
        let Some(ix) = self.floor.find(id) else { return };
        let is_there = self.is_gone(ix).is_none();
        if let Some(held) = self.held.get(&ix) {
            self.to_examine.extend(held);
            for (_, held) in held.iter().filter(|_| is_there) {
                // Back in time: what was decided finds a member who is there, and changes nothing.
                if let Some(conversation) = self.conversations.get_mut(*held)
                    && let Standing::Served(served) = &mut conversation.standing
                {
                    served.leaving.retain(|member| *member != ix);
                }
            }
        }
        let asked = self.invitations.iter().filter(|(_, invitation)| invitation.is_offered_to(ix));
        let asked: Vec<_> = asked.map(|(id, _)| id.clone()).collect();
        self.to_answer.extend(asked);
        if let Some(at) = self.grace_ends(ix)
            && at > self.now
        {
            self.deadlines.insert((at, Deadline::Grace(id.clone())));
        }
    }

    /// When a lost agent's conversations wait no longer.
    pub(super) fn grace_ends(&self, ix: AgentIx) -> Option<Millis> {
        match self.floor.agent(ix)?.connection {
            Connection::Lost(since) => self.company.grace_ms.map(|grace| since + grace),
            Connection::Live | Connection::Out => None,
        }
    }

    /// Conversations in line that are meant for an agent who went for good, or returned.
    fn renew_those_meant_for(&mut self, ix: AgentIx) {
        let all = self.conversations.iter();
        let meant = all.filter(|(_, conversation)| {
            conversation.own.is_some_and(|own| own.agent == ix)
                && matches!(conversation.standing, Standing::Waiting(_))
        });
        let mut meant: Vec<_> = meant.map(|(ix, c)| (c.number, ix)).collect();
        meant.sort_unstable();
        for (_, ix) in meant {
            self.renew_lanes(ix);
        }
    }

    /// A place stays taken until `until`.
    pub(super) fn wrap_up(&mut self, ix: AgentIx, conversation: &ConversationId, until: Millis) {
        let Some(agent) = self.floor.agent(ix) else { return };
        let id = agent.id().clone();
        self.floor.change(ix, |agent| {
            if agent.wrap_ups.insert(conversation.clone(), until).is_none() {
                agent.running += 1;
            }
        });
        self.deadlines.insert((until, Deadline::WrapUp(id, conversation.clone())));
    }

    /// The work after an end is done.
    pub(super) fn wrapped_up(&mut self, id: &AgentId, conversation: &ConversationId) {
        let now = self.now;
        let Some(ix) = self.floor.find(id) else { return };
        let Some(agent) = self.floor.agent(ix) else { return };
        let Some(until) = agent.wrap_ups.get(conversation).copied() else { return };
        self.deadlines.remove(&(until, Deadline::WrapUp(id.clone(), conversation.clone())));
        self.floor.change(ix, |agent| {
            agent.wrap_ups.remove(conversation);
            agent.running = agent.running.saturating_sub(1);
            agent.idle_since = agent.idle_since.max(now);
        });
    }
}
