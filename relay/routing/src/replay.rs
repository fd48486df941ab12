//! A past day with other settings (X04).
//!
//! Owns the question "what would have happened": agents came and went as they did, visitors came as
//! they did, were as patient as they were, and needed as much time once they were served; only who
//! got whom and when is decided anew. Pure: the same day and settings give the same figures.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::decisions::Decision;
use crate::facts::{AgentSettings, Arrival, Asks, Fact};
use crate::ids::{AgentId, ConversationId, DepartmentId};
use crate::rules::Rule;
use crate::settings::{Company, Department};
use crate::visitor::Described;
use crate::{Millis, Router};

/// One conversation of the past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastConversation {
    /// Which.
    pub conversation: ConversationId,
    /// When it came.
    pub at: Millis,
    /// Its number in line.
    pub number: u64,
    /// Who came.
    pub visitor: Described,
    /// How long serving it took, if it was served; else what is usual.
    pub served_ms: Millis,
    /// How long the visitor waited before leaving the line; `None` if the visitor did not leave.
    pub patience_ms: Option<Millis>,
}

/// What agents did in the past: [`Fact::AgentSet`] and coming and going.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastFact {
    /// When.
    pub at: Millis,
    /// What.
    pub fact: Fact,
}

/// A past day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastDay {
    /// In order of time.
    pub agents: Vec<PastFact>,
    /// In order of time.
    pub conversations: Vec<PastConversation>,
    /// When it ended.
    pub until: Millis,
}

/// The settings to try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The company.
    pub company: Company,
    /// Its departments.
    pub departments: Vec<Department>,
    /// Its rules.
    pub rules: Vec<Rule>,
    /// Other capacities than the agents had.
    pub capacities: BTreeMap<AgentId, u32>,
}

/// What would have become of one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Served after so long, by this agent.
    Served {
        /// How long it waited.
        after_ms: Millis,
        /// By whom.
        agent: AgentId,
    },
    /// The visitor left the line.
    Left,
    /// It became a leave-message.
    Filed,
    /// It waited still when the day ended.
    StillWaiting,
}

/// Figures of one department, or of the company.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Conversations that came.
    pub came: u64,
    /// Served.
    pub served: u64,
    /// Missed: left, filed, or still waiting.
    pub missed: u64,
    /// Waits of those served: together, half of them at most, 95 of 100 at most, all at most.
    pub wait_sum_ms: Millis,
    /// See above.
    pub wait_p50_ms: Millis,
    /// See above.
    pub wait_p95_ms: Millis,
    /// See above.
    pub wait_max_ms: Millis,
}

/// What would have happened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// By conversation.
    pub fates: BTreeMap<ConversationId, Fate>,
    /// By department.
    pub departments: BTreeMap<DepartmentId, Figures>,
    /// Of the company.
    pub all: Figures,
    /// Conversations served by agent, and the most at once.
    pub loads: BTreeMap<AgentId, (u64, u32)>,
}

/// What happens in a replay, at one time in this order.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    /// Ends come first: a freed place is there for whoever comes at the same time.
    Over(ConversationId),
    Agent(usize),
    Comes(usize),
    Leaves(ConversationId),
}

/// Plays `day` with `settings`.
#[must_use]
pub fn replay(day: &PastDay, settings: &Settings) -> Replayed {
    replay_while(day, settings, || true).unwrap_or_default()
}

/// The same as long as `go_on` says so, asked before each thing that happens; `None` if it did not to
/// the end.
#[must_use]
pub fn replay_while(
    day: &PastDay,
    settings: &Settings,
    go_on: impl Fn() -> bool,
) -> Option<Replayed> {
    let mut router = Router::new(settings.company.clone());
    for department in &settings.departments {
        // What follows an answer that is missing or a silence is not played: who says what when is
        // not known of another day.
        let department = Department {
            no_answer: None,
            silence: crate::settings::Silence::default(),
            explain_ms: None,
            ..department.clone()
        };
        router.note(0, Fact::DepartmentSet(Box::new(department)));
    }
    router.note(0, Fact::RulesSet { rules: settings.rules.clone() });
    let mut play = Play {
        day,
        settings,
        router,
        agenda: BTreeSet::new(),
        came: BTreeMap::new(),
        replayed: Replayed::default(),
    };
    play.through(go_on)?;
    Some(play.replayed)
}

/// Two settings side by side.
#[must_use]
pub fn compare(day: &PastDay, settings: &[Settings]) -> Vec<Replayed> {
    settings.iter().map(|settings| replay(day, settings)).collect()
}

struct Play<'a> {
    day: &'a PastDay,
    settings: &'a Settings,
    router: Router,
    agenda: BTreeSet<(Millis, Happening)>,
    /// When it came, how long it takes, and for which department.
    came: BTreeMap<ConversationId, (Millis, Millis, DepartmentId)>,
    replayed: Replayed,
}

impl Play<'_> {
    fn through(&mut self, go_on: impl Fn() -> bool) -> Option<()> {
        let agents = self.day.agents.iter().enumerate();
        self.agenda.extend(agents.map(|(nth, past)| (past.at, Happening::Agent(nth))));
        let all = self.day.conversations.iter().enumerate();
        self.agenda.extend(all.map(|(nth, past)| (past.at, Happening::Comes(nth))));
        loop {
            let next = self.agenda.first().map(|(at, _)| *at);
            let deadline = self.router.next_deadline();
            let Some(at) = next.into_iter().chain(deadline).min() else { break };
            if at > self.day.until {
                break;
            }
            if !go_on() {
                return None;
            }
            let fact = match self.agenda.pop_first() {
                Some((when, happening)) if when <= at => self.fact(when, happening),
                Some(later) => {
                    self.agenda.insert(later);
                    Fact::GoOn
                }
                None => Fact::GoOn,
            };
            self.step(at, fact);
        }
        self.sum_up();
        Some(())
    }

    fn fact(&mut self, at: Millis, happening: Happening) -> Fact {
        match happening {
            Happening::Over(conversation) => Fact::ConversationOver { conversation },
            Happening::Agent(nth) => {
                let past = self.day.agents.get(nth).map(|past| past.fact.clone());
                match past {
                    Some(Fact::AgentSet(settings)) => Fact::AgentSet(self.with_capacity(*settings)),
                    Some(fact) => fact,
                    None => Fact::GoOn,
                }
            }
            Happening::Comes(nth) => {
                let Some(past) = self.day.conversations.get(nth) else { return Fact::GoOn };
                let department = self.settings.company.default_department.clone();
                self.came.insert(past.conversation.clone(), (at, past.served_ms, department));
                self.replayed.fates.insert(past.conversation.clone(), Fate::StillWaiting);
                if let Some(patience) = past.patience_ms {
                    let leaves = Happening::Leaves(past.conversation.clone());
                    self.agenda.insert((at + patience, leaves));
                }
                Fact::ConversationWaiting(Box::new(Arrival {
                    conversation: past.conversation.clone(),
                    number: past.number,
                    site: past.visitor.site.clone(),
                    has_written: true,
                    asks: Asks::Described(Box::new(past.visitor.clone())),
                }))
            }
            Happening::Leaves(conversation) => {
                match self.replayed.fates.get_mut(&conversation) {
                    Some(fate @ Fate::StillWaiting) => *fate = Fate::Left,
                    _ => return Fact::GoOn,
                }
                Fact::ConversationOver { conversation }
            }
        }
    }

    fn with_capacity(&self, mut settings: AgentSettings) -> Box<AgentSettings> {
        if let Some(capacity) = self.settings.capacities.get(&settings.agent) {
            settings.capacity = *capacity;
        }
        Box::new(settings)
    }

    /// Everything that is decided is carried out at once.
    fn step(&mut self, at: Millis, fact: Fact) {
        let mut decisions = self.router.step(at, fact);
        while !decisions.is_empty() || self.router.has_more() {
            for decision in std::mem::take(&mut decisions) {
                if let Some(fact) = self.carry_out(at, decision) {
                    decisions.extend(self.router.step(at, fact));
                }
            }
            if decisions.is_empty() && self.router.has_more() {
                decisions = self.router.step(at, Fact::GoOn);
            }
        }
    }

    fn carry_out(&mut self, at: Millis, decision: Decision) -> Option<Fact> {
        match decision {
            Decision::Route { conversation, routed } => {
                let came = self.came.get_mut(&conversation)?;
                came.2 = routed.demand.department.clone();
                None
            }
            Decision::Assign { conversation, agent, .. } => {
                let (came, served_ms, _) = self.came.get(&conversation)?;
                let fate = self.replayed.fates.get_mut(&conversation)?;
                if !matches!(fate, Fate::Served { .. }) {
                    *fate = Fate::Served { after_ms: at - came, agent: agent.clone() };
                    let over = Happening::Over(conversation.clone());
                    self.agenda.insert((at + served_ms, over));
                }
                let load = self.replayed.loads.entry(agent.clone()).or_default();
                load.0 += 1;
                load.1 = load.1.max(self.router.running(&agent));
                Some(Fact::ConversationServed { conversation, agent })
            }
            Decision::File { conversation, .. } => {
                let fate = self.replayed.fates.get_mut(&conversation)?;
                if *fate == Fate::StillWaiting {
                    *fate = Fate::Filed;
                }
                Some(Fact::ConversationOver { conversation })
            }
            Decision::PassOn { conversation, to, .. } => {
                Some(Fact::ConversationServed { conversation, agent: to })
            }
            Decision::Requeue { conversation, reason, .. } => {
                Some(Fact::ConversationRequeued { conversation, why: reason })
            }
            Decision::End { conversation, .. } => Some(Fact::ConversationOver { conversation }),
            Decision::RemoveMember { conversation, agent } => {
                Some(Fact::MemberLeft { conversation, agent })
            }
            Decision::Return { invitation, .. } => Some(Fact::InvitationClosed { invitation }),
            Decision::Wait { .. }
            | Decision::Say { .. }
            | Decision::TellManagers { .. }
            | Decision::Offer { .. } => None,
        }
    }

    fn sum_up(&mut self) {
        let mut waits: BTreeMap<DepartmentId, Vec<Millis>> = BTreeMap::new();
        let mut all = Vec::new();
        for (conversation, fate) in &self.replayed.fates {
            let Some((_, _, department)) = self.came.get(conversation) else { continue };
            let figures = self.replayed.departments.entry(department.clone()).or_default();
            for figures in [figures, &mut self.replayed.all] {
                figures.came += 1;
                match fate {
                    Fate::Served { .. } => figures.served += 1,
                    Fate::Left | Fate::Filed | Fate::StillWaiting => figures.missed += 1,
                }
            }
            if let Fate::Served { after_ms, .. } = fate {
                waits.entry(department.clone()).or_default().push(*after_ms);
                all.push(*after_ms);
            }
        }
        self.replayed.all.wait(all);
        for (department, waits) in waits {
            self.replayed.departments.entry(department).or_default().wait(waits);
        }
    }
}

impl Figures {
    /// Of so many who came, those who were served after these waits.
    #[must_use]
    pub fn of(came: u64, waits: Vec<Millis>) -> Self {
        let served = waits.len() as u64;
        let mut figures =
            Self { came, served, missed: came.saturating_sub(served), ..Self::default() };
        figures.wait(waits);
        figures
    }

    fn wait(&mut self, mut waits: Vec<Millis>) {
        waits.sort_unstable();
        let at = |hundredths: usize| {
            let index = (waits.len() * hundredths).div_ceil(100).saturating_sub(1);
            waits.get(index).copied().unwrap_or(0)
        };
        self.wait_sum_ms = waits.iter().sum();
        self.wait_p50_ms = at(50);
        self.wait_p95_ms = at(95);
        self.wait_max_ms = at(100);
    }
}
