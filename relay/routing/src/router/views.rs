//! What others may ask: who waits where, for how long still, and who has how much to do.
//!
//! Owns answers and changes nothing. Places are not stored: a place is how many are in front, so
//! places are dense by construction.

use std::cmp::Reverse;

use super::Router;
use crate::Millis;
use crate::conversation::{Conversation, Standing};
use crate::decisions::WaitingReason;
use crate::explanation::Considered;
use crate::explanation::Verdict;
use crate::ids::{AgentId, ConversationId, DepartmentId};
use crate::rules::Class;
use crate::settings::Department;

/// One in line (A30, B09).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InLine {
    /// Which.
    pub conversation: ConversationId,
    /// In which department's line.
    pub department: DepartmentId,
    /// The first is 1.
    pub place: u64,
    /// Since when.
    pub since: Millis,
    /// Who waits before whom.
    pub class: Class,
    /// It was served before and stands at the front.
    pub front: bool,
    /// What it was told.
    pub told: Option<WaitingReason>,
    /// How long it will still wait, if the line goes on as it went.
    pub expected_ms: Option<Millis>,
}

/// How a list of those in line is sorted (B16).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineOrder {
    /// The longest first.
    Wait,
    /// The highest class first.
    Priority,
    /// Departments as they are listed (B17), each in its order.
    Department,
    /// The first places of all departments first.
    Place,
}

/// A colleague with the load (F02, L05).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Colleague {
    /// Who, with load.
    pub agent: Considered,
    /// At work: offered for transfers.
    pub online: bool,
}

impl Router {
    /// Everybody in the line of one department, first one first.
    pub fn line(&self, department: &DepartmentId) -> impl Iterator<Item = InLine> {
        let counter = self.departments.get(department);
        let tickets = counter.into_iter().flat_map(|counter| counter.line.iter());
        tickets.zip(1_u64..).filter_map(move |(ticket, place)| {
            let conversation = self.conversations.get(ticket.conversation)?;
            let Standing::Waiting(waiting) = &conversation.standing else { return None };
            Some(InLine {
                conversation: conversation.id.clone(),
                department: conversation.department.clone(),
                place,
                since: waiting.since,
                class: conversation.class,
                front: waiting.front,
                told: waiting.told.map(|(told, _)| told),
                expected_ms: counter.and_then(|counter| counter.expected_wait(place, self.now)),
            })
        })
    }

    /// Everybody in line, sorted (B16); among equals as they are served.
    #[must_use]
    pub fn lines(&self, order: LineOrder) -> Vec<InLine> {
        let all = self.departments_listed();
        let mut lines: Vec<_> = all.iter().flat_map(|it| self.line(&it.id)).collect();
        match order {
            LineOrder::Wait => lines.sort_by_key(|it| it.since),
            LineOrder::Priority => lines.sort_by_key(|it| (!it.front, Reverse(it.class))),
            LineOrder::Department => {}
            LineOrder::Place => lines.sort_by_key(|it| it.place),
        }
        lines
    }

    /// The departments as they are listed (B17).
    #[must_use]
    pub fn departments_listed(&self) -> Vec<&Department> {
        crate::settings::listed(self.departments.values().map(|counter| &counter.settings))
    }

    /// How many wait (B10).
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.departments.values().map(|counter| counter.line.len()).sum()
    }

    /// Whether a department is open now.
    #[must_use]
    pub fn is_open(&self, department: &DepartmentId) -> bool {
        self.departments.get(department).is_none_or(|counter| counter.open)
    }

    /// How long somebody who came now would wait in the line of a department, if it goes on as it
    /// went.
    #[must_use]
    pub fn expected_wait(&self, department: &DepartmentId) -> Option<Millis> {
        let counter = self.departments.get(department)?;
        let place = u64::try_from(counter.line.len()).ok()?.saturating_add(1);
        counter.expected_wait(place, self.now)
    }

    /// How many places of an agent are taken: running conversations, those on the way, offers, and
    /// work after an end.
    #[must_use]
    pub fn running(&self, agent: &AgentId) -> u32 {
        let known = self.floor.find(agent).and_then(|ix| self.floor.agent(ix));
        known.map_or(0, |agent| agent.running)
    }

    /// All agents by id, each with the load and what keeps it from taking a conversation.
    pub fn colleagues(&self) -> impl Iterator<Item = Colleague> {
        self.floor.agents().map(|(_, agent)| Colleague {
            agent: agent.considered(agent.hindrance().unwrap_or(Verdict::Taken)),
            online: agent.attends(),
        })
    }

    /// Who has the conversation, if anybody.
    #[must_use]
    pub fn holder(&self, conversation: &ConversationId) -> Option<&AgentId> {
        match &self.known(conversation)?.standing {
            Standing::Served(served) => Some(self.floor.agent(served.agent)?.id()),
            _ => None,
        }
    }

    fn known(&self, id: &ConversationId) -> Option<&Conversation> {
        self.conversations.get(self.find(id)?)
    }
}
