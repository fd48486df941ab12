//! The reasons of one choice, gathered where it is made.
//!
//! Owns which candidates a stored reason names. The work is bounded: the nearest candidates are
//! listed, the others are counted.

use super::Router;
use crate::conversation::{Conversation, ConversationIx};
use crate::explanation::{CANDIDATES_MAX, Cause, Explanation, Verdict};
use crate::floor::{Agent, AgentIx, Pool, PoolKey};

/// Members looked at, at most, when the ready ones do not fill the list.
const LOOKED_AT_MAX: usize = 64;

impl Router {
    /// Why `taken`. Agents in `parted` are left out: the conversation is being taken from them.
    pub(super) fn reasons(
        &self,
        ix: ConversationIx,
        taken: AgentIx,
        cause: Cause,
        parted: &[AgentIx],
    ) -> Option<Explanation> {
        let conversation = self.conversations.get(ix)?;
        let best = self.floor.agent(taken)?;
        let own = conversation.own.filter(|own| !conversation.excludes(own.agent));
        let own = own.and_then(|own| Some((own.agent, self.floor.agent(own.agent)?.id().clone())));
        let is_own = own.as_ref().is_some_and(|(agent, _)| *agent == taken);
        let key = PoolKey::Of(conversation.department.clone(), conversation.skill.clone());
        let mut why = Explanation {
            cause,
            rule: conversation.rule.clone(),
            department: conversation.department.clone(),
            skill: conversation.skill.clone(),
            own: own.map(|(_, id)| id),
            candidates: Vec::with_capacity(CANDIDATES_MAX + 1),
            unlisted: 0,
        };
        why.candidates.push(best.considered(Verdict::Taken));
        let Some(pool) = self.floor.find_pool(&key) else { return Some(why) };
        let others = Others { floor: self, conversation, best, taken, is_own, parted, pool };
        others.list(&mut why);
        let listed = why.candidates.len().saturating_sub(1);
        let was_counted = usize::from(pool.members.contains(&taken));
        let unlisted = pool.members.len().saturating_sub(listed + was_counted);
        why.unlisted = u32::try_from(unlisted).unwrap_or(u32::MAX);
        Some(why)
    }
}

/// The candidates that were not taken.
struct Others<'a> {
    floor: &'a Router,
    conversation: &'a Conversation,
    best: &'a Agent,
    taken: AgentIx,
    is_own: bool,
    parted: &'a [AgentIx],
    pool: &'a Pool,
}

impl Others<'_> {
    fn list(&self, why: &mut Explanation) {
        let ready = self.pool.ready.values().take(CANDIDATES_MAX + 1 + self.parted.len());
        for ix in ready {
            self.put(*ix, why);
        }
        if self.pool.members.len() > self.pool.ready.len() {
            for ix in self.pool.members.iter().take(LOOKED_AT_MAX) {
                if self.floor.floor.agent(*ix).is_some_and(|agent| agent.hindrance().is_some()) {
                    self.put(*ix, why);
                }
            }
        }
    }

    fn put(&self, ix: AgentIx, why: &mut Explanation) {
        if ix == self.taken || self.parted.contains(&ix) || why.candidates.len() > CANDIDATES_MAX {
            return;
        }
        if let Some(agent) = self.floor.floor.agent(ix) {
            why.candidates.push(agent.considered(self.verdict(ix, agent)));
        }
    }

    fn verdict(&self, ix: AgentIx, agent: &Agent) -> Verdict {
        if let Some(hindrance) = agent.hindrance() {
            hindrance
        } else if self.conversation.excludes(ix) {
            Verdict::HadItBefore
        } else if self.is_own {
            Verdict::NotItsOwn
        } else {
            agent.behind(self.best)
        }
    }
}
