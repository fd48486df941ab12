//! Who waits, for whom, and who is next.
//!
//! Owns lanes (the pools a conversation waits for), the choice of an agent for the first in line, and
//! what those who wait are told. A conversation stands in one department's line and in at most two
//! lanes; taken from one it leaves both.

use super::Router;
use crate::conversation::{Conversation, ConversationIx, Standing, UnderWay, Waiting};
use crate::decisions::{Alert, Decision, WaitingReason};
use crate::explanation::Cause;
use crate::floor::{Agent, PoolIx, PoolKey, Ticket};
use crate::settings::{AfterHours, QueuePolicy};

/// The pools a conversation waits for, and when others are added.
struct Lanes {
    own: Option<crate::floor::AgentIx>,
    department: bool,
    pool_at: Option<u64>,
}

impl Router {
    /// Stands in line where it asks to. `outside` is what it was before; `None` finds out.
    pub(super) fn stand_in_line(&mut self, ix: ConversationIx, outside: Option<bool>) {
        let Some(conversation) = self.conversations.get(ix) else { return };
        let Standing::Waiting(waiting) = &conversation.standing else { return };
        if waiting.ticket.is_some() || conversation.under_way.is_some() {
            return;
        }
        let Some(counter) = self.departments.get(&conversation.department) else { return };
        let closes = counter.settings.after_hours == AfterHours::CloseLine;
        let was_inside = match outside {
            Some(outside) => !outside,
            None => {
                waiting.front || waiting.told.is_some_and(|(told, _)| told != WaitingReason::Closed)
            }
        };
        let outside = !counter.open && (closes || !was_inside);
        let lanes = self.lanes(conversation, waiting, outside);
        let ticket = conversation.place(ix, waiting.front);
        let (department, skill) = (conversation.department.clone(), conversation.skill.clone());
        let tries = conversation.tries;
        let own = lanes.own.map(|agent| self.floor.pool_of(&PoolKey::Own(agent)));
        let pool =
            lanes.department.then(|| self.floor.pool_of(&PoolKey::Of(department.clone(), skill)));
        let pools = match (own, pool) {
            (Some(own), pool) => [Some(own), pool],
            (None, pool) => [pool, None],
        };
        let is_particular = tries > 0 || pools.iter().flatten().count() > 1;
        for pool in pools.into_iter().flatten() {
            self.floor.enter(pool, ticket, is_particular);
        }
        self.counter(&department).line.insert(ticket);
        self.floor.to_tell.insert(ticket);
        if let Some(conversation) = self.conversations.get_mut(ix)
            && let Standing::Waiting(waiting) = &mut conversation.standing
        {
            waiting.outside = outside;
            waiting.pool_at = lanes.pool_at;
            waiting.lanes = pools;
            waiting.ticket = Some(ticket);
        }
        self.touch(ix);
    }

    /// What the queue policy says (B08).
    fn lanes(&self, conversation: &Conversation, waiting: &Waiting, outside: bool) -> Lanes {
        let nowhere = Lanes { own: None, department: false, pool_at: None };
        let Some(counter) = self.departments.get(&conversation.department) else { return nowhere };
        if outside {
            return nowhere;
        }
        let own = conversation.own.filter(|own| !conversation.excludes(own.agent));
        let Some(own) = own else { return Lanes { department: true, ..nowhere } };
        let exists = self.floor.agent(own.agent).is_some_and(Agent::exists);
        match counter.settings.policy {
            QueuePolicy::Pool => Lanes {
                own: (own.named && exists).then_some(own.agent),
                department: true,
                ..nowhere
            },
            // Only a person moves it, also when its agent is gone for good.
            QueuePolicy::Sticky => Lanes { own: exists.then_some(own.agent), ..nowhere },
            QueuePolicy::StickyThenPool { .. } if !exists => Lanes { department: true, ..nowhere },
            QueuePolicy::StickyThenPool { after_ms } => {
                let pool_at = waiting.since + after_ms;
                let is_over = pool_at <= self.now;
                Lanes {
                    own: Some(own.agent),
                    department: is_over,
                    pool_at: (!is_over).then_some(pool_at),
                }
            }
        }
    }

    /// Out of line and lanes; whether it stood there.
    pub(super) fn leave_line(&mut self, ix: ConversationIx) -> bool {
        let Some(conversation) = self.conversations.get_mut(ix) else { return false };
        let Standing::Waiting(waiting) = &mut conversation.standing else { return false };
        let Some(ticket) = waiting.ticket.take() else { return false };
        let lanes = std::mem::take(&mut waiting.lanes);
        if let Some(counter) = self.departments.get_mut(&conversation.department) {
            counter.line.remove(&ticket);
        }
        for pool in lanes.into_iter().flatten() {
            self.floor.leave(pool, &ticket);
        }
        self.floor.to_tell.remove(&ticket);
        true
    }

    /// Something that decides about its lanes changed.
    pub(super) fn renew_lanes(&mut self, ix: ConversationIx) {
        let outside = match self.conversations.get(ix).map(|known| &known.standing) {
            Some(Standing::Waiting(waiting)) => waiting.outside,
            _ => return,
        };
        if self.leave_line(ix) {
            self.stand_in_line(ix, Some(outside));
        }
    }

    /// The first in line of this pool gets the best agent it may have.
    pub(super) fn assign(&mut self, ticket: Ticket, pool_ix: PoolIx) {
        let ix = ticket.conversation;
        let found = self.conversations.get(ix).and_then(|conversation| {
            let ready = &self.floor.pool(pool_ix)?.ready;
            ready.values().copied().find(|agent| !conversation.excludes(*agent))
        });
        let Some(agent) = found else {
            self.floor.block(pool_ix, ticket);
            return;
        };
        let cause = match self.conversations.get(ix).map(|known| &known.standing) {
            Some(Standing::Waiting(waiting)) => {
                let for_ms = self.now.saturating_sub(waiting.since);
                if waiting.front {
                    Cause::Requeued { why: waiting.requeued, for_ms }
                } else {
                    Cause::Waited { for_ms }
                }
            }
            _ => Cause::Waited { for_ms: 0 },
        };
        let Some(why) = self.reasons(ix, agent, cause, &[]) else { return };
        let Some(to) = self.floor.agent(agent).map(|agent| agent.id().clone()) else { return };
        self.leave_line(ix);
        self.floor.take(agent);
        if let Some(conversation) = self.conversations.get_mut(ix) {
            conversation.attempt += 1;
            conversation.under_way = Some(UnderWay::Assign(agent));
            let (conversation, attempt) = (conversation.id.clone(), conversation.attempt);
            let why = Box::new(why);
            self.decided.push_back(Decision::Assign { conversation, agent: to, attempt, why });
        }
        self.set_due(ix, None);
    }

    /// Tells whoever stands here why, if that is not what was told last.
    pub(super) fn tell(&mut self, ticket: &Ticket) {
        let ix = ticket.conversation;
        let Some(reason) = self.reason(ix) else { return };
        let now = self.now;
        let Some(conversation) = self.conversations.get_mut(ix) else { return };
        let Standing::Waiting(waiting) = &mut conversation.standing else { return };
        if waiting.told.is_some_and(|(told, _)| told == reason) {
            return;
        }
        waiting.told = Some((reason, now));
        let conversation = conversation.id.clone();
        self.decided.push_back(Decision::Wait { conversation, reason });
        self.touch(ix);
    }

    /// Why it waits.
    pub(super) fn reason(&self, ix: ConversationIx) -> Option<WaitingReason> {
        let conversation = self.conversations.get(ix)?;
        let Standing::Waiting(waiting) = &conversation.standing else { return None };
        if waiting.outside {
            return Some(WaitingReason::Closed);
        }
        let somebody = waiting.lanes.iter().flatten().any(|pool_ix| {
            let Some(pool) = self.floor.pool(*pool_ix) else { return false };
            let excluded = conversation.had.iter().filter(|agent| {
                conversation.excludes(**agent)
                    && pool.members.contains(agent)
                    && self.floor.agent(**agent).is_some_and(|agent| agent.attends())
            });
            pool.attending > excluded.count()
        });
        Some(if somebody { WaitingReason::AllFull } else { WaitingReason::NobodyOnline })
    }

    /// Looks at one that waits: does it become a leave-message, may others take it now?
    pub(super) fn examine_waiting(&mut self, ix: ConversationIx) {
        let now = self.now;
        let Some(conversation) = self.conversations.get(ix) else { return };
        let Standing::Waiting(waiting) = &conversation.standing else { return };
        let Some(counter) = self.departments.get(&conversation.department) else { return };
        if waiting.ticket.is_none() {
            // It rested: it stands in line again, and is looked at there.
            return self.stand_in_line(ix, None);
        }
        if waiting.pool_at.is_some_and(|at| at <= now) {
            return self.renew_lanes(ix);
        }
        let filing = conversation.filing_due(waiting, &counter.settings);
        let own_is_gone = counter.settings.policy == QueuePolicy::Sticky
            && waiting.lanes == [None, None]
            && !waiting.outside;
        let due = conversation.waiting_due(waiting, &counter.settings);
        if filing.is_some_and(|at| at <= now) {
            self.leave_line(ix);
            if let Some(conversation) = self.conversations.get_mut(ix) {
                conversation.attempt += 1;
                conversation.under_way = Some(UnderWay::File);
                let (conversation, attempt) = (conversation.id.clone(), conversation.attempt);
                self.decided.push_back(Decision::File { conversation, attempt });
            }
            return self.set_due(ix, None);
        }
        if own_is_gone
            && let Some(conversation) = self.conversations.get_mut(ix)
            && !conversation.alerted
        {
            conversation.alerted = true;
            let conversation = conversation.id.clone();
            let alert = Alert::OwnAgentGone;
            self.decided.push_back(Decision::TellManagers { conversation, alert });
        }
        self.set_due(ix, due);
    }
}
