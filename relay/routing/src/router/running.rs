//! What must happen to conversations that are served.
//!
//! Owns the consequences of an agent being away, lost or gone, of a missing answer and of a silent
//! visitor. Each follows from what is: looked at twice, the same is decided once, because what is
//! under way is remembered until the log confirms it or the store refuses.

use std::collections::BTreeSet;

use super::Router;
use crate::conversation::{Conversation, ConversationIx, Due, Served, Standing, UnderWay};
use crate::decisions::{Alert, Decision, EndReason, PassReason, Prompt, RequeueReason};
use crate::explanation::Cause;
use crate::facts::{Availability, Connection};
use crate::floor::{AgentIx, PoolKey};
use crate::settings::QueuePolicy;

/// Why an agent cannot go on serving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    Away,
    Lost(RequeueReason),
}

impl Router {
    /// Looks at one conversation and decides what is due.
    pub(super) fn examine(&mut self, ix: ConversationIx) {
        let now = self.now;
        let Some(conversation) = self.conversations.get_mut(ix) else { return };
        if conversation.under_way.is_some() {
            return self.set_due(ix, None);
        }
        if let Some(until) = conversation.resting_until {
            if now < until {
                return self.set_due(ix, Some(until));
            }
            conversation.resting_until = None;
        }
        match &conversation.standing {
            Standing::Silent => self.set_due(ix, None),
            Standing::Waiting(_) => self.examine_waiting(ix),
            Standing::Served(served) => {
                let served = served.clone();
                self.examine_served(ix, &served);
            }
        }
    }

    fn examine_served(&mut self, ix: ConversationIx, served: &Served) {
        self.part_from_members(ix, served);
        if let Some(gone) = self.is_gone(served.agent) {
            return self.part_from_agent(ix, served, gone);
        }
        let now = self.now;
        let Some(conversation) = self.conversations.get(ix) else { return };
        let Some(counter) = self.departments.get(&conversation.department) else { return };
        let clocks = conversation.clocks(served, &counter.settings, now);
        match clocks.due {
            None => self.set_due(ix, clocks.next),
            Some((_, Due::Say(prompt))) => {
                self.say(ix, prompt);
                self.touch(ix);
            }
            Some((_, Due::End(reason))) => self.end(ix, reason),
            Some((_, Due::NoAnswer)) => self.not_answered(ix, served),
        }
    }

    /// Whether and why the agent cannot go on.
    pub(super) fn is_gone(&self, ix: AgentIx) -> Option<Gone> {
        let agent = self.floor.agent(ix)?;
        if agent.removed {
            return Some(Gone::Lost(RequeueReason::AgentRemoved));
        }
        if agent.settings.availability == Availability::Away {
            return Some(Gone::Away);
        }
        match agent.connection {
            Connection::Live => None,
            // Without a grace period nothing is ever taken away.
            Connection::Out => {
                self.company.grace_ms.map(|_| Gone::Lost(RequeueReason::AgentSignedOut))
            }
            Connection::Lost(_) => self
                .grace_ends(ix)
                .filter(|at| *at <= self.now)
                .map(|_| Gone::Lost(RequeueReason::AgentLost)),
        }
    }

    /// Members who are gone leave; the conversation goes on.
    fn part_from_members(&mut self, ix: ConversationIx, served: &Served) {
        for member in &served.members {
            if served.leaving.contains(member) || self.is_gone(*member).is_none() {
                continue;
            }
            let Some(agent) = self.floor.agent(*member).map(|agent| agent.id().clone()) else {
                continue;
            };
            if let Some(conversation) = self.conversations.get_mut(ix)
                && let Standing::Served(served) = &mut conversation.standing
            {
                served.leaving.push(*member);
                let conversation = conversation.id.clone();
                self.decided.push_back(Decision::RemoveMember { conversation, agent });
            }
        }
    }

    /// The one serving is gone: another member goes on, else it ends (离开) or is in line again.
    fn part_from_agent(&mut self, ix: ConversationIx, served: &Served, gone: Gone) {
        let stays = served.members.iter().find(|member| self.is_gone(**member).is_none());
        if let Some(member) = stays {
            return self.pass_on(ix, served.agent, *member, PassReason::MemberStays);
        }
        match gone {
            Gone::Away => self.end(ix, EndReason::AgentAway),
            Gone::Lost(reason) => self.requeue(ix, served.agent, reason),
        }
    }

    /// The first answer is missing for too long (B13).
    fn not_answered(&mut self, ix: ConversationIx, served: &Served) {
        let now = self.now;
        let Some(conversation) = self.conversations.get(ix) else { return };
        let Some(counter) = self.departments.get(&conversation.department) else { return };
        let tries = conversation.tries;
        let most = counter.settings.no_answer.map_or(0, |rule| rule.transfers_max);
        let is_sticky = counter.settings.policy == QueuePolicy::Sticky;
        let key = PoolKey::Of(conversation.department.clone(), conversation.skill.clone());
        let pool = self.floor.pool_of(&key);
        let Some(conversation) = self.conversations.get(ix) else { return };
        let others = |agent: &AgentIx| may_have(conversation, served, *agent);
        let pool = self.floor.pool(pool);
        let free = pool.and_then(|pool| pool.ready.values().copied().find(others));
        let attends = |agent: &AgentIx| self.floor.agent(*agent).is_some_and(|it| it.attends());
        let somebody = pool.is_some_and(|pool| {
            let had = conversation.had.iter().chain(&served.members);
            let had: BTreeSet<_> = had.chain([&served.agent]).copied().collect();
            let had_here = had.iter().filter(|agent| pool.members.contains(agent));
            pool.attending > had_here.filter(|agent| attends(agent)).count()
        });
        if is_sticky || tries < most && !somebody {
            // Nobody to give it to: it stays, and is looked at again after another period.
            self.alert(ix, Alert::NoAnswer);
            if let Some(conversation) = self.conversations.get_mut(ix)
                && let Standing::Served(served) = &mut conversation.standing
            {
                served.looked_at = now;
            }
            return self.touch(ix);
        }
        if tries >= most {
            self.alert(ix, Alert::NoAnswer);
        } else if let Some(to) = free {
            return self.pass_on(ix, served.agent, to, PassReason::NoAnswer);
        }
        self.requeue(ix, served.agent, RequeueReason::NoAnswer);
    }

    fn say(&mut self, ix: ConversationIx, prompt: Prompt) {
        let now = self.now;
        let Some(conversation) = self.conversations.get_mut(ix) else { return };
        match prompt {
            Prompt::AskVisitor => conversation.talk.asked_at = Some(now),
            Prompt::WarnVisitor => conversation.talk.warned_at = Some(now),
            Prompt::ExplainDelay => conversation.talk.explained = true,
        }
        let (conversation, said) = (conversation.id.clone(), conversation.talk.seq);
        self.decided.push_back(Decision::Say { conversation, prompt, said });
    }

    fn alert(&mut self, ix: ConversationIx, alert: Alert) {
        let Some(conversation) = self.conversations.get_mut(ix) else { return };
        if !std::mem::replace(&mut conversation.alerted, true) {
            let conversation = conversation.id.clone();
            self.decided.push_back(Decision::TellManagers { conversation, alert });
        }
    }

    /// Something that can be refused is under way; gives its number.
    fn begin_change(&mut self, ix: ConversationIx, what: UnderWay) -> Option<u32> {
        let conversation = self.conversations.get_mut(ix)?;
        conversation.attempt += 1;
        conversation.under_way = Some(what);
        let attempt = conversation.attempt;
        self.set_due(ix, None);
        Some(attempt)
    }

    fn end(&mut self, ix: ConversationIx, reason: EndReason) {
        let Some(attempt) = self.begin_change(ix, UnderWay::End) else { return };
        let Some(conversation) = self.conversations.get(ix) else { return };
        let (conversation, said) = (conversation.id.clone(), conversation.talk.seq);
        self.decided.push_back(Decision::End { conversation, attempt, reason, said });
    }

    fn requeue(&mut self, ix: ConversationIx, from: AgentIx, reason: RequeueReason) {
        let Some(attempt) = self.begin_change(ix, UnderWay::Requeue) else { return };
        let from = self.floor.agent(from).map(|agent| agent.id().clone());
        let conversation = self.conversations.get(ix).map(|known| known.id.clone());
        let (Some(from), Some(conversation)) = (from, conversation) else { return };
        self.decided.push_back(Decision::Requeue { conversation, from, attempt, reason });
    }

    fn pass_on(&mut self, ix: ConversationIx, from: AgentIx, to: AgentIx, reason: PassReason) {
        let cause = match reason {
            PassReason::NoAnswer => Cause::NoAnswer,
            PassReason::MemberStays => Cause::MemberStays,
        };
        let Some(why) = self.reasons(ix, to, cause, &[from]) else { return };
        let Some(attempt) = self.begin_change(ix, UnderWay::PassOn(to, reason)) else { return };
        if reason == PassReason::NoAnswer {
            self.floor.take(to);
        }
        let conversation = self.conversations.get(ix).map(|known| known.id.clone());
        let from = self.floor.agent(from).map(|agent| agent.id().clone());
        let to = self.floor.agent(to).map(|agent| agent.id().clone());
        let (Some(conversation), Some(from), Some(to)) = (conversation, from, to) else { return };
        let why = Box::new(why);
        self.decided.push_back(Decision::PassOn { conversation, from, to, attempt, reason, why });
    }
}

/// Did not have it and does not take part in it.
fn may_have(conversation: &Conversation, served: &Served, agent: AgentIx) -> bool {
    agent != served.agent && !conversation.had.contains(&agent) && !served.members.contains(&agent)
}
