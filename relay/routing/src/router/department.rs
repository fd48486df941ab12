//! Departments: opening hours, who stands in line there, and how fast the line moves.
//!
//! Owns one counter for each department. A department that was never set counts as one with all
//! defaults, so that no conversation is lost because facts came in another order.

use std::collections::{BTreeSet, VecDeque};

use super::{Deadline, Router};
use crate::Millis;
use crate::conversation::Standing;
use crate::decisions::Decision;
use crate::floor::Ticket;
use crate::ids::DepartmentId;
use crate::rules::{Demand, DepartmentBy, OwnAgent, Routed};
use crate::settings::{Company, Department};

/// Assignments from the line that are remembered for the expected wait.
const PACE_MAX: usize = 17;
/// Fewer say nothing about the pace.
const PACE_MIN: usize = 3;

/// A department with its line.
#[derive(Debug, Clone)]
pub(super) struct Counter {
    pub(super) settings: Department,
    pub(super) open: bool,
    /// Its entry among the deadlines.
    changes_at: Option<Millis>,
    /// Everybody who stands in line here, also those for whom it is closed.
    pub(super) line: BTreeSet<Ticket>,
    /// When the last few left the line by being assigned, as long as somebody always waited.
    pub(super) pace: VecDeque<Millis>,
}

impl Counter {
    fn new(id: &DepartmentId) -> Self {
        Self {
            settings: Department::new(id.clone()),
            open: true,
            changes_at: None,
            line: BTreeSet::new(),
            pace: VecDeque::new(),
        }
    }

    /// One left the line by being assigned.
    pub(super) fn moved(&mut self, at: Millis) {
        self.pace.push_back(at);
        if self.pace.len() > PACE_MAX {
            self.pace.pop_front();
        }
        if self.line.is_empty() {
            self.pace.clear();
        }
    }

    /// How long whoever stands at `place` will still wait, if the line goes on as it went.
    pub(super) fn expected_wait(&self, place: u64, now: Millis) -> Option<Millis> {
        if self.pace.len() < PACE_MIN {
            return None;
        }
        let (first, last) = (*self.pace.front()?, *self.pace.back()?);
        let moves = u64::try_from(self.pace.len()).ok()?.saturating_sub(1).max(1);
        let gap = last.saturating_sub(first) / moves;
        // The next one is due by now, at best: a line that stands still brings nobody nearer.
        Some((gap * place).saturating_sub(now.saturating_sub(last).min(gap)))
    }
}

impl Router {
    /// The counter of a department, made if it was never heard of.
    pub(super) fn counter(&mut self, id: &DepartmentId) -> &mut Counter {
        // Looked up first: the name is cloned once in its life.
        if !self.departments.contains_key(id) {
            self.departments.insert(id.clone(), Counter::new(id));
        }
        self.departments.entry(id.clone()).or_insert_with(|| Counter::new(id))
    }

    pub(super) fn department_set(&mut self, settings: Department) {
        let id = settings.id.clone();
        self.counter(&id).settings = settings;
        self.look_at_hours(&id);
        self.renew_line(&id);
        self.touch_all_of(&id);
    }

    /// Its conversations go to the company's default department.
    pub(super) fn department_removed(&mut self, id: &DepartmentId) {
        if *id == self.company.default_department || !self.departments.contains_key(id) {
            return;
        }
        let all = self.conversations.iter();
        let mut its: Vec<_> = all
            .filter(|(_, conversation)| conversation.department == *id)
            .map(|(ix, conversation)| (conversation.number, ix))
            .collect();
        its.sort_unstable();
        for (_, ix) in its {
            let Some(demand) = self.demand_of(ix) else { continue };
            let demand = Demand { department: self.company.default_department.clone(), ..demand };
            let Some(conversation) = self.conversations.get(ix) else { continue };
            let routed = Routed {
                demand: demand.clone(),
                department_by: DepartmentBy::Company,
                passed_over: Vec::new(),
            };
            let conversation = conversation.id.clone();
            self.decided.push_back(Decision::Route { conversation, routed: Box::new(routed) });
            self.ask_for(ix, &demand);
        }
        if let Some(counter) = self.departments.remove(id)
            && let Some(at) = counter.changes_at
        {
            self.deadlines.remove(&(at, Deadline::Department(id.clone())));
        }
    }

    pub(super) fn company_set(&mut self, company: Company) {
        self.company = company;
        let agents: Vec<_> = self.floor.agents().map(|(_, agent)| agent.id().clone()).collect();
        for agent in agents {
            self.agent_changed(&agent);
        }
    }

    pub(super) fn wall_clock(&mut self, ahead_ms: i64) {
        self.wall_ahead_ms = ahead_ms;
        let all: Vec<_> = self.departments.keys().cloned().collect();
        for id in all {
            self.look_at_hours(&id);
        }
    }

    /// Opens or closes it, and finds when it does so next.
    pub(super) fn look_at_hours(&mut self, id: &DepartmentId) {
        let (utc, now) = (self.utc(), self.now);
        let Some(counter) = self.departments.get_mut(id) else { return };
        let hours = counter.settings.hours.as_ref();
        let open = hours.is_none_or(|hours| hours.is_open(utc));
        let in_ms = hours.and_then(|hours| hours.next_change(utc)).map(|at| at - utc);
        let changes_at = in_ms.map(|in_ms| now + in_ms);
        if let Some(before) = std::mem::replace(&mut counter.changes_at, changes_at) {
            self.deadlines.remove(&(before, Deadline::Department(id.clone())));
        }
        let changed = std::mem::replace(&mut counter.open, open) != open;
        if let Some(at) = changes_at {
            self.deadlines.insert((at, Deadline::Department(id.clone())));
        }
        if changed {
            self.renew_line(id);
        }
    }

    /// Everybody in line stands where the settings of now put them.
    fn renew_line(&mut self, id: &DepartmentId) {
        let Some(counter) = self.departments.get(id) else { return };
        let tickets: Vec<Ticket> = counter.line.iter().copied().collect();
        for ticket in tickets {
            self.renew_lanes(ticket.conversation);
        }
    }

    /// Settings its running conversations are measured by changed.
    fn touch_all_of(&mut self, id: &DepartmentId) {
        let all = self.conversations.iter();
        let its =
            all.filter(|(_, c)| c.department == *id && matches!(c.standing, Standing::Served(_)));
        let turns: Vec<_> = its.map(|(ix, c)| (c.number, ix)).collect();
        self.to_examine.extend(turns);
    }

    /// What the conversation asks for.
    pub(super) fn demand_of(&self, ix: crate::conversation::ConversationIx) -> Option<Demand> {
        let conversation = self.conversations.get(ix)?;
        let own = conversation.own.and_then(|own| {
            let agent = self.floor.agent(own.agent)?.id().clone();
            Some(OwnAgent { agent, named: own.named })
        });
        Some(Demand {
            department: conversation.department.clone(),
            skill: conversation.skill.clone(),
            own,
            class: conversation.class,
            rule: conversation.rule.clone(),
        })
    }
}
