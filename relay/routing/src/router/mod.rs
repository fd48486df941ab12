//! The value that decides.
//!
//! Owns what is known and the order in which things are decided: first what is running, then
//! invitations, then who gets a place, then what those who wait are told. The files beside this one
//! hold one verb each; all of them work on this value.

mod department;
mod dry_run;
mod invitations;
mod line;
mod notes;
mod presence;
mod reasons;
mod rebuild;
mod running;
mod views;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::Millis;
use crate::conversation::{Conversation, ConversationIx};
use crate::decisions::Decision;
use crate::facts::Fact;
use crate::floor::{AgentIx, Floor};
use crate::ids::{AgentId, ConversationId, DepartmentId, InvitationId};
use crate::rules::Rule;
use crate::settings::Company;
use crate::slab::Slab;
use department::Counter;
pub use dry_run::{DryRun, DryRunOutcome};
use invitations::Invitation;
pub use views::{Colleague, InLine, LineOrder};

/// Decisions of one step at most; what is left comes with [`Fact::GoOn`]. Large enough that a step
/// is rarely cut, small enough that one step never keeps its caller from reading the next fact.
pub const DECISIONS_MAX: usize = 64;

/// A conversation in the order in which several are looked at.
type Turn = (u64, ConversationIx);

/// What a deadline is about. The order decides between equal times.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Deadline {
    /// It opens or closes.
    Department(DepartmentId),
    /// The grace of a lost agent is over.
    Grace(AgentId),
    /// A place kept after an end is free.
    WrapUp(AgentId, ConversationId),
    /// A clock of a conversation runs out.
    Conversation(Turn),
    /// An invitation was open long enough.
    Invitation(InvitationId),
}

/// The queue and who answers it. See the crate.
#[derive(Debug, Clone)]
pub struct Router {
    now: Millis,
    wall_ahead_ms: i64,
    /// The log up to here is known.
    position: u64,
    company: Company,
    departments: BTreeMap<DepartmentId, Counter>,
    rules: Vec<Rule>,
    floor: Floor,
    /// Every conversation that is not over.
    conversations: Slab<Conversation>,
    by_id: BTreeMap<ConversationId, ConversationIx>,
    /// What an agent serves or takes part in.
    held: BTreeMap<AgentIx, BTreeSet<Turn>>,
    invitations: BTreeMap<InvitationId, Invitation>,
    /// Conversations about which something may have to be decided.
    to_examine: BTreeSet<Turn>,
    /// Invitations about which something may have to be decided.
    to_answer: BTreeSet<InvitationId>,
    /// Decided while a fact was noted.
    decided: VecDeque<Decision>,
    deadlines: BTreeSet<(Millis, Deadline)>,
}

impl Router {
    /// A router that knows nothing yet but the company.
    #[must_use]
    pub fn new(company: Company) -> Self {
        Self {
            now: 0,
            wall_ahead_ms: 0,
            position: 0,
            company,
            departments: BTreeMap::new(),
            rules: Vec::new(),
            floor: Floor::default(),
            conversations: Slab::default(),
            by_id: BTreeMap::new(),
            held: BTreeMap::new(),
            invitations: BTreeMap::new(),
            to_examine: BTreeSet::new(),
            to_answer: BTreeSet::new(),
            decided: VecDeque::new(),
            deadlines: BTreeSet::new(),
        }
    }

    /// Like [`Router::step`], for a fact that stands at `position` of the log. What stands at or
    /// before a known position is known and changes nothing.
    pub fn heard(&mut self, position: u64, now: Millis, fact: Fact) -> Vec<Decision> {
        if position <= self.position {
            return self.step(now, Fact::GoOn);
        }
        self.position = position;
        self.step(now, fact)
    }

    /// Takes note of `fact`, which became true by `now`, and decides, at most [`DECISIONS_MAX`].
    pub fn step(&mut self, now: Millis, fact: Fact) -> Vec<Decision> {
        self.note(now, fact);
        self.decide()
    }

    /// Takes note of `fact` without deciding: for being told a whole company at once. The first
    /// step afterwards decides.
    pub fn note(&mut self, now: Millis, fact: Fact) {
        self.advance(now);
        self.take_note(fact);
    }

    /// Whether the last step was cut short: [`Fact::GoOn`] would decide more.
    #[must_use]
    pub fn has_more(&self) -> bool {
        !(self.decided.is_empty()
            && self.to_examine.is_empty()
            && self.to_answer.is_empty()
            && self.floor.to_tell.is_empty()
            && self.floor.first_pair().is_none())
    }

    /// When [`Fact::GoOn`] must be told at the latest, if nothing happens before. Right after a
    /// step that was not cut short.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Millis> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// The clock went on: what ran out is to be looked at.
    fn advance(&mut self, now: Millis) {
        self.now = self.now.max(now);
        while let Some((at, deadline)) = self.deadlines.pop_first() {
            if at > self.now {
                self.deadlines.insert((at, deadline));
                break;
            }
            match deadline {
                Deadline::Department(id) => self.look_at_hours(&id),
                Deadline::Grace(id) => self.agent_changed(&id),
                Deadline::WrapUp(agent, conversation) => self.wrapped_up(&agent, &conversation),
                Deadline::Conversation(turn) => {
                    self.to_examine.insert(turn);
                }
                Deadline::Invitation(id) => {
                    self.to_answer.insert(id);
                }
            }
        }
    }

    fn decide(&mut self) -> Vec<Decision> {
        let mut decisions = Vec::new();
        while decisions.len() < DECISIONS_MAX {
            if let Some(decision) = self.decided.pop_front() {
                decisions.push(decision);
            } else if let Some((_, conversation)) = self.to_examine.pop_first() {
                self.examine(conversation);
            } else if let Some(invitation) = self.to_answer.pop_first() {
                self.answer(&invitation);
            } else if let Some((ticket, pool)) = self.floor.first_pair() {
                self.assign(ticket, pool);
            } else if let Some(ticket) = self.floor.to_tell.pop_first() {
                self.tell(&ticket);
            } else {
                break;
            }
        }
        decisions
    }

    /// Something about this conversation changed: it is looked at before the step ends.
    fn touch(&mut self, ix: ConversationIx) {
        if let Some(conversation) = self.conversations.get(ix) {
            self.to_examine.insert((conversation.number, ix));
        }
    }

    /// Sets the one deadline of a conversation.
    fn set_due(&mut self, ix: ConversationIx, due: Option<Millis>) {
        let Some(conversation) = self.conversations.get_mut(ix) else { return };
        let turn = (conversation.number, ix);
        if let Some(before) = std::mem::replace(&mut conversation.due, due) {
            self.deadlines.remove(&(before, Deadline::Conversation(turn)));
        }
        if let Some(at) = due {
            self.deadlines.insert((at, Deadline::Conversation(turn)));
        }
    }

    /// What the clocks on walls show, in UTC.
    fn utc(&self) -> Millis {
        self.now.saturating_add_signed(self.wall_ahead_ms)
    }
}
