//! What each fact changes in what is known.
//!
//! Owns the standing of conversations and the places they take. Every place that is taken for a
//! conversation is given back here when it leaves that standing. Decides nothing.

use super::{Router, Turn};
use crate::conversation::{
    Conversation, ConversationIx, LOOK_AGAIN_MS, Served, Standing, TYPING_LASTS_MS, UnderWay,
    Waiting,
};
use crate::decisions::{Decision, PassReason, RequeueReason};
use crate::facts::{Arrival, Asks, Connection, Fact, Refusal, Talk};
use crate::floor::AgentIx;
use crate::ids::{AgentId, ConversationId};
use crate::rules::{Circumstances, Demand, PASSED_OVER_MAX, route};

impl Router {
    pub(super) fn take_note(&mut self, fact: Fact) {
        match fact {
            Fact::ConversationWaiting(arrival) => self.arrives(*arrival),
            Fact::ConversationServed { conversation, agent } => self.served(&conversation, &agent),
            Fact::ConversationRequeued { conversation, why } => self.requeued(&conversation, why),
            Fact::ConversationRerouted { conversation, demand } => {
                if let Some(ix) = self.find(&conversation) {
                    self.ask_for(ix, &demand);
                }
            }
            Fact::ConversationOver { conversation } => self.over(&conversation),
            Fact::VisitorWrote { conversation, seq, number } => {
                self.visitor_wrote(&conversation, seq, number);
            }
            Fact::AgentWrote { conversation, agent, seq } => {
                self.agent_wrote(&conversation, &agent, seq);
            }
            Fact::MemberJoined { conversation, agent } => self.joined(&conversation, &agent),
            Fact::MemberLeft { conversation, agent } => self.left(&conversation, &agent),
            Fact::InvitationMade { invitation, conversation, from, to } => {
                self.invited(invitation, &conversation, &from, to);
            }
            Fact::InvitationDeclined { invitation, agent } => self.declined(&invitation, &agent),
            Fact::InvitationClosed { invitation } => self.close(&invitation),
            Fact::WrapUpDone { conversation, agent } => self.wrapped_up(&agent, &conversation),
            Fact::AgentSet(settings) => self.agent_set(*settings),
            Fact::AgentRemoved { agent } => self.agent_removed(&agent),
            Fact::DepartmentSet(settings) => self.department_set(*settings),
            Fact::DepartmentRemoved { department } => self.department_removed(&department),
            Fact::RulesSet { rules } => self.rules = rules,
            Fact::CompanySet(company) => self.company_set(*company),
            Fact::AgentConnected { agent } => self.connection_changed(&agent, Connection::Live),
            Fact::AgentLost { agent } => {
                self.connection_changed(&agent, Connection::Lost(self.now));
            }
            Fact::AgentSignedOut { agent } => self.connection_changed(&agent, Connection::Out),
            Fact::AgentTypes { conversation, agent } => self.types(&conversation, &agent),
            Fact::Refused { conversation, attempt, why } => {
                self.refused(&conversation, attempt, why);
            }
            Fact::WallClock { ahead_ms } => self.wall_clock(ahead_ms),
            Fact::GoOn => {}
        }
    }

    pub(super) fn find(&self, id: &ConversationId) -> Option<ConversationIx> {
        self.by_id.get(id).copied()
    }

    fn arrives(&mut self, arrival: Arrival) {
        if let Some(ix) = self.find(&arrival.conversation) {
            // Told as one that enters what was served: it is in line again.
            let standing = self.conversations.get(ix).map(|known| &known.standing);
            if matches!(standing, Some(Standing::Served(_))) {
                self.back_in_line(ix, RequeueReason::AgentRemoved);
            }
            return;
        }
        let demand = match arrival.asks {
            Asks::Demand(demand) => demand,
            Asks::Described(visitor) => {
                let is_open = |id: &_| self.departments.get(id).is_none_or(|known| known.open);
                let of = Circumstances {
                    visitor: &visitor,
                    utc: self.utc(),
                    zone: &self.company.zone,
                    is_open: &is_open,
                };
                let routed = route(&self.rules, &self.company, &of, PASSED_OVER_MAX);
                let demand = routed.demand.clone();
                let (conversation, routed) = (arrival.conversation.clone(), Box::new(routed));
                self.decided.push_back(Decision::Route { conversation, routed });
                demand
            }
        };
        let site_wants = |site| self.company.seats_for_silent.contains(site);
        let may_enter = arrival.has_written || arrival.let_in;
        let enters = may_enter || arrival.site.as_ref().is_some_and(site_wants);
        let unanswered_since = arrival.has_written.then_some(self.now);
        let talk = Talk { unanswered_since, ..Talk::default() };
        let ix = self.begin(arrival.conversation, arrival.number, &demand, talk);
        if enters {
            self.enter_line(ix, self.now, false, None);
        }
    }

    /// A conversation that is now known, standing nowhere yet.
    pub(super) fn begin(
        &mut self,
        id: ConversationId,
        number: u64,
        demand: &Demand,
        talk: Talk,
    ) -> ConversationIx {
        let own = demand.own.as_ref().map(|own| crate::conversation::Own {
            agent: self.floor.agent_of(&own.agent),
            named: own.named,
        });
        self.counter(&demand.department);
        let ix = self.conversations.insert(Conversation {
            id: id.clone(),
            number,
            department: demand.department.clone(),
            skill: demand.skill.clone(),
            own,
            class: demand.class,
            rule: demand.rule.clone(),
            had: Vec::new(),
            tries: 0,
            alerted: false,
            talk,
            standing: Standing::Silent,
            attempt: 0,
            under_way: None,
            resting_until: None,
            due: None,
        });
        self.by_id.insert(id, ix);
        ix
    }

    /// It asks for something else from now on.
    pub(super) fn ask_for(&mut self, ix: ConversationIx, demand: &Demand) {
        if self.demand_of(ix).as_ref() == Some(demand) {
            return;
        }
        let own = demand.own.as_ref().map(|own| crate::conversation::Own {
            agent: self.floor.agent_of(&own.agent),
            named: own.named,
        });
        self.counter(&demand.department);
        let was_in_line = self.leave_line(ix);
        if let Some(conversation) = self.conversations.get_mut(ix) {
            conversation.department = demand.department.clone();
            conversation.skill = demand.skill.clone();
            conversation.own = own;
            conversation.class = demand.class;
            conversation.rule = demand.rule.clone();
        }
        if was_in_line {
            self.stand_in_line(ix, None);
        }
        self.touch(ix);
    }

    /// Takes what is known of its standing away, and gives back the places it took.
    fn detach(&mut self, ix: ConversationIx) -> Option<Standing> {
        self.leave_line(ix);
        let now = self.now;
        let conversation = self.conversations.get_mut(ix)?;
        let turn = (conversation.number, ix);
        conversation.resting_until = None;
        let under_way = conversation.under_way.take();
        let standing = std::mem::replace(&mut conversation.standing, Standing::Silent);
        // It never reached that agent: the place is free and the agent as idle as before.
        if let Some(to) = under_way.and_then(UnderWay::place_at) {
            self.floor.free(to);
        }
        if let Standing::Served(served) = &standing {
            self.let_go(served.agent, turn, now);
            for member in &served.members {
                self.let_go(*member, turn, now);
            }
        }
        Some(standing)
    }

    fn let_go(&mut self, agent: AgentIx, turn: Turn, now: u64) {
        if let Some(held) = self.held.get_mut(&agent) {
            held.remove(&turn);
        }
        self.floor.change(agent, |agent| {
            agent.running = agent.running.saturating_sub(1);
            agent.idle_since = agent.idle_since.max(now);
            agent.doubted = false;
        });
    }

    pub(super) fn hold(&mut self, agent: AgentIx, turn: Turn, now: u64) {
        self.held.entry(agent).or_default().insert(turn);
        self.floor.change(agent, |agent| {
            agent.running += 1;
            agent.idle_since = agent.idle_since.max(now);
        });
    }

    fn served(&mut self, id: &ConversationId, agent: &AgentId) {
        let agent = self.floor.agent_of(agent);
        let ix = match self.find(id) {
            Some(ix) => ix,
            // Never heard of: somebody has it, so a place is taken all the same.
            None => {
                let demand = Demand::of(self.company.default_department.clone());
                self.begin(id.clone(), 0, &demand, Talk::default())
            }
        };
        let Some(conversation) = self.conversations.get(ix) else { return };
        if matches!(&conversation.standing, Standing::Served(served) if served.agent == agent) {
            return;
        }
        let was_moved =
            conversation.under_way == Some(UnderWay::PassOn(agent, PassReason::NoAnswer));
        let turn = (conversation.number, ix);
        let before = self.detach(ix);
        self.came_in(ix, agent);
        let mut members = Vec::new();
        match before {
            Some(Standing::Waiting(waiting)) => {
                let now = self.now;
                if waiting.told.is_some()
                    && let Some(department) =
                        self.conversations.get(ix).map(|known| known.department.clone())
                {
                    self.counter(&department).moved(now);
                }
            }
            Some(Standing::Served(served)) => {
                members = served.members;
                members.retain(|member| *member != agent);
            }
            _ => {}
        }
        self.hold(agent, turn, self.now);
        for member in &members {
            self.hold(*member, turn, 0);
        }
        if let Some(conversation) = self.conversations.get_mut(ix) {
            conversation.tries += u32::from(was_moved);
            conversation.hand_to(agent, members, self.now);
        }
        self.touch(ix);
    }

    fn requeued(&mut self, id: &ConversationId, why: RequeueReason) {
        let Some(ix) = self.find(id) else { return };
        let Some(conversation) = self.conversations.get(ix) else { return };
        if matches!(conversation.standing, Standing::Served(_)) {
            self.back_in_line(ix, why);
        }
    }

    fn back_in_line(&mut self, ix: ConversationIx, why: RequeueReason) {
        self.detach(ix);
        if let Some(conversation) = self.conversations.get_mut(ix) {
            conversation.tries += u32::from(why == RequeueReason::NoAnswer);
            if why == RequeueReason::HandedOver {
                conversation.own = None;
            }
        }
        self.enter_line(ix, self.now, true, Some(why));
        self.overtake_invitations(ix);
    }

    /// It is in line from now on.
    pub(super) fn enter_line(
        &mut self,
        ix: ConversationIx,
        since: u64,
        front: bool,
        requeued: Option<RequeueReason>,
    ) {
        if let Some(conversation) = self.conversations.get_mut(ix) {
            conversation.standing = Standing::Waiting(Waiting {
                since,
                front,
                requeued,
                told: None,
                outside: false,
                pool_at: None,
                lanes: [None, None],
                ticket: None,
            });
        }
        self.stand_in_line(ix, None);
    }

    fn over(&mut self, id: &ConversationId) {
        let Some(ix) = self.find(id) else { return };
        let before = self.detach(ix);
        self.set_due(ix, None);
        self.overtake_invitations(ix);
        let Some(conversation) = self.conversations.remove(ix) else { return };
        self.by_id.remove(id);
        self.to_examine.remove(&(conversation.number, ix));
        if let Some(Standing::Served(served)) = before {
            let now = self.now;
            let wrap_up_ms = self.counter(&conversation.department).settings.wrap_up_ms;
            if wrap_up_ms > 0 {
                self.wrap_up(served.agent, id, now + wrap_up_ms);
            }
        }
    }

    fn visitor_wrote(&mut self, id: &ConversationId, seq: u64, number: u64) {
        let now = self.now;
        let Some(ix) = self.find(id) else { return };
        let Some(conversation) = self.conversations.get_mut(ix) else { return };
        let talk = &mut conversation.talk;
        if seq <= talk.seq {
            return;
        }
        talk.seq = seq;
        (talk.last_word_at, talk.asked_at, talk.warned_at) = (None, None, None);
        if talk.unanswered_since.is_none() {
            talk.unanswered_since = Some(now);
            talk.explained = false;
            if let Standing::Served(served) = &mut conversation.standing {
                served.typed_ms = 0;
                served.looked_at = 0;
            }
        }
        if matches!(conversation.standing, Standing::Silent) {
            conversation.number = number;
            self.enter_line(ix, now, false, None);
        }
        self.touch(ix);
    }

    fn agent_wrote(&mut self, id: &ConversationId, agent: &AgentId, seq: u64) {
        let now = self.now;
        let agent = self.floor.find(agent);
        let Some(ix) = self.find(id) else { return };
        let Some(conversation) = self.conversations.get_mut(ix) else { return };
        let talk = &mut conversation.talk;
        if seq <= talk.seq {
            return;
        }
        *talk = Talk { seq, last_word_at: Some(now), ..Talk::default() };
        conversation.tries = 0;
        conversation.alerted = false;
        if let Standing::Served(served) = &mut conversation.standing {
            served.answered |= Some(served.agent) == agent;
            served.typed_ms = 0;
            // What was typed is sent.
            served.typing_until = 0;
            served.looked_at = 0;
        }
        if matches!(conversation.standing, Standing::Waiting(_)) {
            // Whom it may go to depends on the tries.
            self.renew_lanes(ix);
        }
        self.touch(ix);
    }

    /// The clock of the missing answer stands still until some time after the last key (B13).
    fn types(&mut self, id: &ConversationId, agent: &AgentId) {
        let (now, agent) = (self.now, self.floor.find(agent));
        let Some(ix) = self.find(id) else { return };
        let Some(conversation) = self.conversations.get_mut(ix) else { return };
        let Standing::Served(served) = &conversation.standing else { return };
        let Some(counter) = self.departments.get(&conversation.department) else { return };
        let is_awaited = conversation.talk.unanswered_since.is_some() && !served.answered;
        let runs_out = conversation.no_answer_at(served, &counter.settings);
        // A key pressed after the time ran out comes too late.
        if Some(served.agent) != agent || !is_awaited || runs_out.is_some_and(|at| at <= now) {
            return;
        }
        let Standing::Served(served) = &mut conversation.standing else { return };
        let until = now + TYPING_LASTS_MS;
        let typed = until.saturating_sub(served.typing_until.max(now));
        served.typed_ms += typed;
        if served.looked_at > 0 {
            // The period that began then is longer by as much.
            served.looked_at += typed;
        }
        served.typing_until = until;
        self.touch(ix);
    }

    fn joined(&mut self, id: &ConversationId, agent: &AgentId) {
        let agent = self.floor.agent_of(agent);
        let Some(ix) = self.find(id) else { return };
        let now = self.now;
        let Some(conversation) = self.conversations.get_mut(ix) else { return };
        let turn = (conversation.number, ix);
        let Standing::Served(served) = &mut conversation.standing else { return };
        if served.agent == agent || served.members.contains(&agent) {
            return;
        }
        served.members.push(agent);
        conversation.remember(agent);
        self.came_in(ix, agent);
        self.hold(agent, turn, now);
        self.touch(ix);
    }

    fn left(&mut self, id: &ConversationId, agent: &AgentId) {
        let agent = self.floor.agent_of(agent);
        let Some(ix) = self.find(id) else { return };
        let now = self.now;
        let Some(conversation) = self.conversations.get_mut(ix) else { return };
        let turn = (conversation.number, ix);
        let Standing::Served(served) = &mut conversation.standing else { return };
        if !served.members.contains(&agent) {
            return;
        }
        served.members.retain(|member| *member != agent);
        served.leaving.retain(|member| *member != agent);
        self.let_go(agent, turn, now);
        self.touch(ix);
    }

    fn refused(&mut self, id: &ConversationId, attempt: u32, why: Refusal) {
        let now = self.now;
        let Some(ix) = self.find(id) else { return };
        let Some(conversation) = self.conversations.get_mut(ix) else { return };
        if conversation.attempt != attempt {
            return;
        }
        let Some(under_way) = conversation.under_way.take() else { return };
        if why == Refusal::Overtaken {
            // News is on the way; if none comes, it is decided again.
            conversation.resting_until = Some(now + LOOK_AGAIN_MS);
        }
        if let Some(to) = under_way.place_at() {
            self.floor.change(to, |agent| {
                agent.running = agent.running.saturating_sub(1);
                agent.doubted |= why == Refusal::AgentUnfit;
            });
        }
        let stands_again = matches!(under_way, UnderWay::Assign(_) | UnderWay::File);
        if stands_again && why != Refusal::Overtaken {
            self.stand_in_line(ix, None);
        }
        self.touch(ix);
    }
}

impl Conversation {
    pub(super) fn remember(&mut self, agent: AgentIx) {
        if !self.had.contains(&agent) {
            self.had.push(agent);
        }
    }

    fn hand_to(&mut self, agent: AgentIx, members: Vec<AgentIx>, now: u64) {
        self.remember(agent);
        if self.own.is_none_or(|own| own.agent != agent) {
            self.own = Some(crate::conversation::Own { agent, named: false });
        }
        self.standing = Standing::Served(Served {
            agent,
            members,
            leaving: Vec::new(),
            since: now,
            answered: false,
            typed_ms: 0,
            typing_until: 0,
            looked_at: 0,
        });
    }
}
