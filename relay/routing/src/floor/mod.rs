//! The floor: agents, pools of agents, and the lines in front of the pools.
//!
//! Owns the indexes that make a decision cheap: every change of an agent or a line updates the few
//! pools it touches, and the next possible pair of the whole company is the first of one ordered
//! set. It does not decide; it is told, and asked.

mod agent;
mod pool;

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{AgentId, DepartmentId, SkillId};
use crate::slab::{Ix, Slab};
pub(crate) use agent::Agent;
pub(crate) use pool::{Pool, Ticket};

pub(crate) type AgentIx = Ix<Agent>;
pub(crate) type PoolIx = Ix<Pool>;

/// What a pool is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PoolKey {
    /// One agent alone.
    Own(AgentIx),
    /// Those of a department, with a skill if one is asked for.
    Of(DepartmentId, Option<SkillId>),
}

/// All agents heard of and all pools in use.
#[derive(Debug, Clone, Default)]
pub(crate) struct Floor {
    agents: Slab<Agent>,
    by_id: BTreeMap<AgentId, AgentIx>,
    pools: Slab<Pool>,
    by_key: BTreeMap<PoolKey, PoolIx>,
    /// Pools with somebody in line and somebody ready, the earliest ticket first; for the same
    /// ticket the pool of one agent comes first.
    pairs: BTreeSet<(Ticket, bool, PoolIx)>,
    /// Those in line whose reason for waiting may have changed.
    pub(crate) to_tell: BTreeSet<Ticket>,
}

impl Floor {
    /// The agent of this name, made if it was never heard of.
    pub(crate) fn agent_of(&mut self, id: &AgentId) -> AgentIx {
        if let Some(ix) = self.by_id.get(id) {
            return *ix;
        }
        let ix = self.agents.insert(Agent::unknown(id.clone()));
        self.by_id.insert(id.clone(), ix);
        ix
    }

    pub(crate) fn find(&self, id: &AgentId) -> Option<AgentIx> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn agent(&self, ix: AgentIx) -> Option<&Agent> {
        self.agents.get(ix)
    }

    /// By id.
    pub(crate) fn agents(&self) -> impl Iterator<Item = (AgentIx, &Agent)> {
        self.by_id.values().filter_map(|ix| Some((*ix, self.agents.get(*ix)?)))
    }

    pub(crate) fn pool(&self, ix: PoolIx) -> Option<&Pool> {
        self.pools.get(ix)
    }

    pub(crate) fn find_pool(&self, key: &PoolKey) -> Option<&Pool> {
        self.pools.get(*self.by_key.get(key)?)
    }

    /// The pool of `key`, made with its members when it is first asked for.
    pub(crate) fn pool_of(&mut self, key: &PoolKey) -> PoolIx {
        if let Some(ix) = self.by_key.get(key) {
            return *ix;
        }
        let is_own = matches!(key, PoolKey::Own(_));
        let ix = self.pools.insert(Pool { is_own, ..Pool::default() });
        self.by_key.insert(key.clone(), ix);
        let members: Vec<AgentIx> = match key {
            PoolKey::Own(agent) => vec![*agent],
            PoolKey::Of(department, skill) => {
                let wanted = |agent: &Agent| is_in(agent, department, skill.as_ref());
                let all = self.agents.iter();
                all.filter(|(_, agent)| wanted(agent)).map(|(agent, _)| agent).collect()
            }
        };
        for member in members {
            self.change(member, |agent| agent.pools.push(ix));
        }
        ix
    }

    /// Changes what is known of an agent and puts it where it belongs in each of its pools.
    pub(crate) fn change(&mut self, ix: AgentIx, change: impl FnOnce(&mut Agent)) {
        let Some(agent) = self.agents.get_mut(ix) else { return };
        let was_ready = agent.hindrance().is_none().then(|| agent.rank());
        let attended = agent.attends();
        let pools_before = agent.pools.len();
        change(agent);
        let ready = agent.hindrance().is_none().then(|| agent.rank());
        let attends = agent.attends();
        if was_ready == ready && attended == attends && pools_before == agent.pools.len() {
            return;
        }
        // Pools are only ever added here: those before were told the old state.
        for (nth, pool_ix) in agent.pools.iter().enumerate() {
            let Some(pool) = self.pools.get_mut(*pool_ix) else { continue };
            let is_new = nth >= pools_before;
            if is_new {
                pool.members.insert(ix);
            }
            let (was_ready, attended) =
                if is_new { (None, false) } else { (was_ready.as_ref(), attended) };
            if was_ready != ready.as_ref() {
                if let Some(rank) = was_ready {
                    pool.ready.remove(rank);
                }
                if let Some(rank) = &ready {
                    pool.ready.insert(rank.clone(), ix);
                }
                if was_ready.is_none() && !pool.blocked.is_empty() {
                    let blocked = std::mem::take(&mut pool.blocked);
                    pool.line.extend(blocked);
                }
            }
            if attended != attends {
                let had_any = pool.attending > 0;
                pool.attending = pool.attending + usize::from(attends) - usize::from(attended);
                if had_any == (pool.attending > 0) {
                    self.to_tell.extend(&pool.particular);
                } else {
                    self.to_tell.extend(&pool.line);
                    self.to_tell.extend(&pool.blocked);
                }
            }
            renew(&mut self.pairs, *pool_ix, pool);
        }
    }

    /// Gives an agent other departments and skills.
    pub(crate) fn place(&mut self, ix: AgentIx) {
        let Some(agent) = self.agents.get(ix) else { return };
        let keys = self.by_key.iter().filter(|(key, _)| match key {
            PoolKey::Own(own) => *own == ix,
            PoolKey::Of(department, skill) => is_in(agent, department, skill.as_ref()),
        });
        let mut pools: Vec<PoolIx> = keys.map(|(_, pool)| *pool).collect();
        let (mut before, now) = (agent.pools.clone(), pools.clone());
        pools.sort_unstable();
        before.sort_unstable();
        if pools == before {
            return;
        }
        // Out of all, as someone who is not there; then into the new ones as before.
        let removed = agent.removed;
        self.change(ix, |agent| agent.removed = true);
        for pool_ix in before {
            if let Some(pool) = self.pools.get_mut(pool_ix) {
                pool.members.remove(&ix);
                self.to_tell.extend(&pool.particular);
            }
        }
        if let Some(agent) = self.agents.get_mut(ix) {
            agent.pools.clear();
        }
        self.change(ix, |agent| agent.pools = now);
        self.change(ix, |agent| agent.removed = removed);
    }

    /// A place of `ix` is taken from now on.
    pub(crate) fn take(&mut self, ix: AgentIx) {
        self.change(ix, |agent| agent.running += 1);
    }

    /// A place of `ix` is free again.
    pub(crate) fn free(&mut self, ix: AgentIx) {
        self.change(ix, |agent| agent.running = agent.running.saturating_sub(1));
    }

    pub(crate) fn enter(&mut self, pool_ix: PoolIx, ticket: Ticket, is_particular: bool) {
        let Some(pool) = self.pools.get_mut(pool_ix) else { return };
        pool.line.insert(ticket);
        if is_particular {
            pool.particular.insert(ticket);
        }
        renew(&mut self.pairs, pool_ix, pool);
    }

    pub(crate) fn leave(&mut self, pool_ix: PoolIx, ticket: &Ticket) {
        let Some(pool) = self.pools.get_mut(pool_ix) else { return };
        pool.line.remove(ticket);
        pool.blocked.remove(ticket);
        pool.particular.remove(ticket);
        renew(&mut self.pairs, pool_ix, pool);
    }

    /// The ticket has nobody ready in this pool who may take it.
    pub(crate) fn block(&mut self, pool_ix: PoolIx, ticket: Ticket) {
        let Some(pool) = self.pools.get_mut(pool_ix) else { return };
        if pool.line.remove(&ticket) {
            pool.blocked.insert(ticket);
        }
        renew(&mut self.pairs, pool_ix, pool);
    }

    /// The earliest ticket with somebody ready in one of its pools, and that pool.
    pub(crate) fn first_pair(&self) -> Option<(Ticket, PoolIx)> {
        self.pairs.first().map(|(ticket, _, pool)| (*ticket, *pool))
    }
}

fn renew(pairs: &mut BTreeSet<(Ticket, bool, PoolIx)>, ix: PoolIx, pool: &mut Pool) {
    let pair = pool.possible_pair();
    if pair == pool.pair {
        return;
    }
    if let Some(before) = pool.pair {
        pairs.remove(&(before, !pool.is_own, ix));
    }
    if let Some(now) = pair {
        pairs.insert((now, !pool.is_own, ix));
    }
    pool.pair = pair;
}

fn is_in(agent: &Agent, department: &DepartmentId, skill: Option<&SkillId>) -> bool {
    agent.settings.departments.contains(department)
        && skill.is_none_or(|skill| agent.settings.skills.contains(skill))
}
