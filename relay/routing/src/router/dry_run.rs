//! What would happen to a visitor who came now (B04).
//!
//! Owns the same question as the real assignment, asked the slow way: every agent is looked at and
//! named, and nothing changes. The simulation holds both answers against each other.

use super::Router;
use crate::Millis;
use crate::decisions::WaitingReason;
use crate::explanation::{Cause, Explanation, Verdict};
use crate::floor::{Agent, AgentIx};
use crate::rules::{Circumstances, Demand, Routed, route};
use crate::settings::QueuePolicy;
use crate::visitor::Described;

/// What would happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRun {
    /// What the rules say, with every rule that was passed over.
    pub routed: Routed,
    /// Who would take it.
    pub outcome: DryRunOutcome,
}

/// Who would take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DryRunOutcome {
    /// The first candidate; all others follow with what spoke against them.
    Assigned(Explanation),
    /// Nobody now.
    Waits {
        /// Why.
        reason: WaitingReason,
        /// Where it would stand.
        place: u64,
        /// When the department opens, in UTC, if it is closed.
        opens_at: Option<Millis>,
        /// Everybody with what speaks against.
        candidates: Explanation,
    },
}

impl Router {
    /// Describes what would happen to `visitor` at this moment. Changes nothing.
    #[must_use]
    pub fn dry_run(&self, visitor: &Described) -> DryRun {
        let is_open = |id: &_| self.is_open(id);
        let of =
            Circumstances { visitor, utc: self.utc(), zone: &self.company.zone, is_open: &is_open };
        let routed = route(&self.rules, &self.company, &of, usize::MAX);
        let outcome = self.outcome(&routed.demand);
        DryRun { routed, outcome }
    }

    fn outcome(&self, demand: &Demand) -> DryRunOutcome {
        let counter = self.departments.get(&demand.department);
        let is_open = self.is_open(&demand.department);
        let policy = counter.map(|it| it.settings.policy).unwrap_or_default();
        let own = demand.own.as_ref().and_then(|own| self.floor.find(&own.agent));
        let named = demand.own.as_ref().is_some_and(|own| own.named);
        let own_exists = own.is_some_and(|ix| self.floor.agent(ix).is_some_and(Agent::exists));
        // The pools it would wait for.
        let (own_lane, pool_lane) = match (policy, &demand.own) {
            _ if !is_open => (None, false),
            (_, None) => (None, true),
            (QueuePolicy::Pool, Some(_)) => (own.filter(|_| named && own_exists), true),
            (QueuePolicy::Sticky, Some(_)) => (own.filter(|_| own_exists), false),
            (QueuePolicy::StickyThenPool { after_ms }, Some(_)) => {
                (own.filter(|_| own_exists), !own_exists || after_ms == 0)
            }
        };
        let mut all: Vec<_> = self.floor.agents().collect();
        all.sort_by_cached_key(|(_, agent)| agent.rank());
        let is_candidate = |ix: AgentIx, agent: &Agent| {
            own_lane == Some(ix) || pool_lane && left_out(agent, demand).is_none()
        };
        let free = |(ix, agent): &&(AgentIx, &Agent)| {
            is_candidate(*ix, agent) && agent.hindrance().is_none()
        };
        let own_free = all.iter().filter(free).find(|(ix, _)| own_lane == Some(*ix));
        let taken = own_free.or_else(|| all.iter().find(free));
        let verdict = |ix: AgentIx, agent: &Agent| match taken {
            Some((best, _)) if *best == ix => Verdict::Taken,
            _ if own_lane.is_some() && own_lane != Some(ix) && !pool_lane => Verdict::NotItsOwn,
            _ => {
                let out = if own_lane == Some(ix) { None } else { left_out(agent, demand) };
                let against = out.or_else(|| agent.hindrance());
                against.unwrap_or_else(|| match taken {
                    Some((best, _)) if own_lane == Some(*best) => Verdict::NotItsOwn,
                    Some((_, best)) => agent.behind(best),
                    None => Verdict::NotItsOwn,
                })
            }
        };
        let mut candidates: Vec<_> =
            all.iter().map(|(ix, agent)| agent.considered(verdict(*ix, agent))).collect();
        candidates.sort_by_key(|candidate| candidate.verdict);
        let explanation = Explanation {
            cause: Cause::Asked,
            rule: demand.rule.clone(),
            department: demand.department.clone(),
            skill: demand.skill.clone(),
            own: demand.own.as_ref().map(|own| own.agent.clone()),
            candidates,
            unlisted: 0,
        };
        if taken.is_some() {
            return DryRunOutcome::Assigned(explanation);
        }
        let attends = all.iter().any(|(ix, agent)| is_candidate(*ix, agent) && agent.attends());
        let reason = match (is_open, attends) {
            (false, _) => WaitingReason::Closed,
            (true, true) => WaitingReason::AllFull,
            (true, false) => WaitingReason::NobodyOnline,
        };
        let before = counter.map_or(0, |counter| {
            let stays_before =
                |ticket: &&crate::floor::Ticket| !ticket.new || ticket.class.0 >= demand.class;
            counter.line.iter().filter(stays_before).count()
        });
        let utc = self.utc();
        let hours = counter.and_then(|counter| counter.settings.hours.as_ref());
        let opens_at = hours.filter(|_| !is_open).and_then(|hours| hours.next_change(utc));
        let place = u64::try_from(before).unwrap_or(u64::MAX).saturating_add(1);
        DryRunOutcome::Waits { reason, place, opens_at, candidates: explanation }
    }
}

/// Why the agent is in none of the pools, if so.
fn left_out(agent: &Agent, demand: &Demand) -> Option<Verdict> {
    let settings = &agent.settings;
    if !settings.departments.contains(&demand.department) {
        return Some(Verdict::NotInDepartment);
    }
    match &demand.skill {
        Some(skill) if !settings.skills.contains(skill) => Some(Verdict::LacksSkill),
        _ => None,
    }
}
