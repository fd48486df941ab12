//! A past day with other settings (X04).
//!
//! Owns the question "what would have happened", and what is taken from the day: agents came and went
//! as they did, visitors came as they did and were as patient, agents took as long to answer as they
//! did that day, talks went on as they went. Who got whom and when, what followed a missing answer,
//! a silence or an agent who was gone is decided anew, by the router the real day ran on, with all its
//! clocks. Pure: the same day and settings give the same figures.

mod figures;
mod play;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::facts::Fact;
use crate::ids::{AgentId, ConversationId, DepartmentId};
use crate::rules::Rule;
use crate::settings::{Company, Department};
use crate::visitor::Described;
use play::Play;

/// How a conversation of the past began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// With the visitor's first message.
    Written,
    /// By opening the window (B14).
    Opened {
        /// How long after that the visitor wrote first, if ever.
        wrote_after_ms: Option<Millis>,
    },
    /// This agent had it: it ran already when the day began, or the agent wrote first. It takes its
    /// place and counts in no figure of those who came.
    With {
        /// Who.
        agent: AgentId,
        /// Of which department.
        department: DepartmentId,
    },
    /// It stood in line already when the day began: counts in no figure either.
    InLine,
}

impl Entry {
    /// The visitor began it that day.
    #[must_use]
    pub fn counts(&self) -> bool {
        matches!(self, Self::Written | Self::Opened { .. })
    }
}

/// When a visitor whom nobody answered that day gave up, after coming.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Patience {
    /// In line: stays if it is served by then.
    InLine(Millis),
    /// With an agent who said nothing: stays if it is answered by then.
    ForAnswer(Millis),
}

/// A word after the first answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// How long after the first answer.
    pub after_ms: Millis,
    /// Else the agent's.
    pub by_visitor: bool,
}

/// What people did with it by hand. It is done again where the conversation stands as it stood then,
/// and whoever gets it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hand {
    /// Who had it; `None` for nobody: it waited.
    pub from: Option<AgentId>,
    /// Who got it; `None` for the line.
    pub to: Option<AgentId>,
    /// After it came, of one that waited; else after it was first served.
    pub after_ms: Millis,
}

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
    /// How it began.
    pub entry: Entry,
    /// Who had it until it was answered, and how long each took for the answer; `None` for who did not
    /// answer.
    pub holders: Vec<(AgentId, Option<Millis>)>,
    /// How long serving it takes if nobody answers.
    pub served_ms: Millis,
    /// What was said after the first answer, in order of time.
    pub words: Vec<Word>,
    /// From the first answer to the end; `None` if only a silence ended it.
    pub ends_after_ms: Option<Millis>,
    /// When the visitor gave up without an answer, if so.
    pub patience: Option<Patience>,
    /// What people did with it, in order of time.
    pub hands: Vec<Hand>,
    /// Who was done with the work after its end early, and how long after.
    pub wrapped_up: Option<(AgentId, Millis)>,
}

/// What agents did in the past: [`Fact::AgentSet`] and coming and going.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastFact {
    /// When.
    pub at: Millis,
    /// What.
    pub fact: Fact,
    /// It is 离开, and the agent handed over before what was running.
    pub hands_over: bool,
}

/// A past day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastDay {
    /// In order of time.
    pub agents: Vec<PastFact>,
    /// In order of time.
    pub conversations: Vec<PastConversation>,
    /// How long each agent usually took for a first answer.
    pub answers: BTreeMap<AgentId, Millis>,
    /// The same of all: for an agent who gave no answer that day. `None` if nobody did.
    pub answer_ms: Option<Millis>,
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
    /// The visitor opened the window and never asked for a place: counts as none that came.
    Silent,
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
    /// Those who were answered, and how long after they came, together.
    pub answered: u64,
    /// See above.
    pub answer_sum_ms: Millis,
    /// How often somebody else got one for want of an answer (B13).
    pub moved: u64,
}

/// What would have happened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// By conversation, of those who came.
    pub fates: BTreeMap<ConversationId, Fate>,
    /// How long after they came the answered ones were.
    pub answers: BTreeMap<ConversationId, Millis>,
    /// By department.
    pub departments: BTreeMap<DepartmentId, Figures>,
    /// Of the company.
    pub all: Figures,
    /// Conversations served by agent, and the most at once.
    pub loads: BTreeMap<AgentId, (u64, u32)>,
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
    Play::of(day, settings).through(go_on)
}

/// Two settings side by side.
#[must_use]
pub fn compare(day: &PastDay, settings: &[Settings]) -> Vec<Replayed> {
    settings.iter().map(|settings| replay(day, settings)).collect()
}
