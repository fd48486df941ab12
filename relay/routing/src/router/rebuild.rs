//! A router made from what the database holds.
//!
//! Owns the way back: everything the router knows that is not on its way to the store stands in a
//! row, so a router made from rows goes on with the same decisions.

use super::Router;
use crate::Millis;
use crate::conversation::{Served, Standing, Waiting};
use crate::facts::{AgentRow, Connection, ConversationRow, Rows, StandingRow};
use crate::ids::DepartmentId;

impl Router {
    /// A router that knows `rows`. The first step decides what is due.
    #[must_use]
    pub fn rebuild(rows: Rows) -> Self {
        let mut router = Self::new(rows.company);
        router.now = rows.now;
        router.wall_ahead_ms = rows.wall_ahead_ms;
        router.position = rows.position;
        router.rules = rows.rules;
        for department in rows.departments {
            router.department_set(department);
        }
        for agent in rows.agents {
            router.agent_found(agent);
        }
        for conversation in &rows.conversations {
            router.conversation_found(conversation);
        }
        for row in rows.invitations {
            router.invitation_known(
                row.invitation,
                &row.conversation,
                &row.from,
                row.to,
                row.offered,
                &row.declined,
            );
        }
        for (department, at) in rows.pace {
            router.pace_found(&department, at);
        }
        router
    }

    /// Somebody left the line then. That tells of its pace only if it never was empty since: if whoever
    /// waits longest waited then already.
    fn pace_found(&mut self, department: &DepartmentId, at: Millis) {
        let first = self.line(department).map(|waiting| waiting.since).min();
        if first.is_some_and(|first| first <= at) {
            self.counter(department).moved(at);
        }
    }

    fn agent_found(&mut self, row: AgentRow) {
        let ix = self.floor.agent_of(&row.settings.agent);
        let id = row.settings.agent.clone();
        self.agent_set(row.settings);
        self.floor.change(ix, |agent| {
            agent.removed = row.removed;
            agent.connection = row.connection;
            agent.idle_since = row.idle_since;
        });
        for (conversation, until) in row.wrap_ups {
            self.wrap_up(ix, &conversation, until);
        }
        if matches!(row.connection, Connection::Lost(_)) {
            self.agent_changed(&id);
        }
    }

    fn conversation_found(&mut self, row: &ConversationRow) {
        let id = row.conversation.clone();
        let ix = self.begin(id, row.number, &row.demand, row.talk);
        let had: Vec<_> = row.had.iter().map(|agent| self.floor.agent_of(agent)).collect();
        if let Some(conversation) = self.conversations.get_mut(ix) {
            conversation.had = had;
            conversation.tries = row.tries;
            conversation.alerted = row.alerted;
        }
        match &row.standing {
            StandingRow::Silent => {}
            StandingRow::Waiting { since, front, requeued, told } => {
                if let Some(conversation) = self.conversations.get_mut(ix) {
                    conversation.standing = Standing::Waiting(Waiting {
                        since: *since,
                        front: *front,
                        requeued: *requeued,
                        told: *told,
                        outside: false,
                        pool_at: None,
                        lanes: [None, None],
                        ticket: None,
                    });
                }
                self.stand_in_line(ix, None);
            }
            StandingRow::Served { agent, members, since, answered, typed_ms, typing_until } => {
                let agent = self.floor.agent_of(agent);
                let members: Vec<_> = members.iter().map(|id| self.floor.agent_of(id)).collect();
                let turn = (row.number, ix);
                self.hold(agent, turn, 0);
                for member in &members {
                    self.hold(*member, turn, 0);
                }
                // Told that nobody else is there: looked at again after another full period.
                let looked_at = if row.alerted { self.now.max(*typing_until) } else { 0 };
                if let Some(conversation) = self.conversations.get_mut(ix) {
                    conversation.remember(agent);
                    conversation.standing = Standing::Served(Served {
                        agent,
                        members,
                        leaving: Vec::new(),
                        since: *since,
                        answered: *answered,
                        typed_ms: *typed_ms,
                        typing_until: *typing_until,
                        looked_at,
                    });
                }
                self.touch(ix);
            }
        }
    }
}
