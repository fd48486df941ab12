//! A past day side by side (X04): what happened, what would have happened with the settings of now,
//! and what with others. Nothing is saved.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{AgentId, DepartmentId};
use crate::settings::{CompanySettings, DepartmentSettings, RuleSettings};

/// `POST /api/routing/replay` (admin). Sections that are left out are as they are now. Refused with
/// `invalid` for a day that is none or has not come and for values out of bounds, with `too_large` if
/// more happened that day than can be played, with `busy` while another day is played.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(export, optional_fields)]
pub struct ReplayDay {
    /// By the company's clock: `2026-11-21`.
    pub day: String,
    /// The company to try.
    pub company: Option<CompanySettings>,
    /// The departments to try, all of them.
    pub departments: Option<Vec<DepartmentSettings>>,
    /// The rules to try, all of them.
    pub rules: Option<Vec<RuleSettings>>,
    /// Other capacities than agents have now.
    pub capacities: BTreeMap<AgentId, u32>,
}

/// The same day three times, the last two with all clocks of routing. Agents come and go, answer as fast
/// and talk as long as that day. Not known are pauses for typing, which members took part, and what
/// accounts were that day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ReplayAnswer {
    /// What happened.
    pub before: ReplayFigures,
    /// Played with the settings of now.
    pub as_now: ReplayFigures,
    /// Played with the settings to try.
    pub after: ReplayFigures,
}

/// A day in figures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct ReplayFigures {
    /// The whole company.
    pub all: WaitFigures,
    /// Departments to which somebody came.
    pub departments: BTreeMap<DepartmentId, WaitFigures>,
    /// By the hour on the company's wall in which they came, 24 of them.
    pub hours: Vec<HourFigures>,
    /// Agents who had a conversation.
    pub agents: BTreeMap<AgentId, WorkFigures>,
}

/// Those who came, how long those who were served waited, and for how long those who were answered, in
/// milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct WaitFigures {
    /// Conversations that visitors began.
    pub came: u32,
    /// Given to somebody that day.
    pub served: u32,
    /// Left the line, became a leave-message or waited still at the end of the day.
    pub missed: u32,
    /// All waits by their number.
    pub wait_mean_ms: u32,
    /// Half of them waited at most so long.
    pub wait_p50_ms: u32,
    /// 95 of 100.
    pub wait_p95_ms: u32,
    /// All.
    pub wait_max_ms: u32,
    /// From coming to the first answer, of those who got one.
    #[serde(default)]
    pub answer_mean_ms: u32,
    /// How often somebody else got one for want of an answer (B13).
    #[serde(default)]
    pub moved: u32,
}

/// Those who came in one hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct HourFigures {
    /// See [`WaitFigures::came`].
    pub came: u32,
    /// See [`WaitFigures::missed`].
    pub missed: u32,
    /// See [`WaitFigures::wait_mean_ms`].
    pub wait_mean_ms: u32,
}

/// An agent's day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct WorkFigures {
    /// Conversations given to the agent.
    pub served: u32,
    /// The most of them at once.
    pub at_once: u32,
}
