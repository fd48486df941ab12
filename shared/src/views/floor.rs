//! The floor: who is at work, who waits, what runs (B09, B10, L01-L05). Live and stored nowhere: each
//! frame is the whole of it, so that a reader cannot drift; the relay sends one when something
//! changed, at most once a second.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::common::{Availability, WaitingReason};
use crate::ids::{AgentId, ConversationId, DepartmentId, SiteId, SkillId};
use crate::time::Timestamp;

/// Everything. Agents get `agents` and `departments`; the lists are for managers and admins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Floor {
    /// Every account that is not disabled, by id.
    pub agents: Vec<FloorAgent>,
    /// Every department, in its order (B17).
    pub departments: Vec<FloorDepartment>,
    /// Who waits, in line; at most 500.
    pub waiting: Vec<FloorWaiting>,
    /// How many wait in all.
    pub waiting_total: u32,
    /// What is served, the longest unanswered first; at most 500.
    pub running: Vec<FloorRunning>,
    /// How many are served in all.
    pub running_total: u32,
}

/// One agent (L03, L05, F02).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FloorAgent {
    /// Who.
    pub agent_id: AgentId,
    /// What the agent chose.
    pub availability: Availability,
    /// Whether a client is connected.
    pub connected: bool,
    /// Places taken: running conversations, those on the way, and work after an end.
    pub running: u32,
    /// Of so many.
    pub capacity: u32,
    /// Running conversations whose visitor waits for an answer.
    pub unanswered: u32,
    /// Since when the agent is in this availability, or disconnected.
    pub since: Timestamp,
    /// Today's work, by the company's clock.
    pub today: AgentDay,
}

/// An agent's work of a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct AgentDay {
    /// Conversations the agent had.
    pub served: u32,
    /// Those of them that are over.
    pub ended: u32,
    /// Mean time to the first answer, in milliseconds; `None` before there was one.
    pub first_response_ms: Option<u32>,
    /// Seconds 在线 and connected.
    pub online_s: u32,
    /// Seconds 忙碌 and connected.
    pub busy_s: u32,
    /// Seconds 离开 and connected: the rest time.
    pub away_s: u32,
}

/// One department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FloorDepartment {
    /// Which.
    pub department_id: DepartmentId,
    /// Whether it is open now (X09).
    pub open: bool,
    /// How many wait.
    pub waiting: u32,
    /// Agents online and connected.
    pub attended_by: u32,
    /// Free places of those.
    pub free: u32,
    /// Expected wait of somebody who came now, in milliseconds; `None` when nothing is known.
    pub expected_wait_ms: Option<u32>,
}

/// One who waits (B09, B16).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FloorWaiting {
    /// Which conversation.
    pub conversation_id: ConversationId,
    /// The visitor's short label.
    pub label: String,
    /// On which site.
    pub site_id: SiteId,
    /// In whose line.
    pub department_id: DepartmentId,
    /// Only agents with this skill.
    pub skill_id: Option<SkillId>,
    /// The agent it waits for, if for one.
    pub own_agent: Option<AgentId>,
    /// Since when.
    pub since: Timestamp,
    /// The place in that line, from 1.
    pub place: u32,
    /// Why, as far as it was told.
    pub reason: Option<WaitingReason>,
    /// Waits before others (B18).
    pub vip: bool,
    /// Larger is earlier (B05).
    pub priority: u8,
    /// Was served before and stands at the front.
    pub front: bool,
    /// The beginning of what was said last, at most 80 characters.
    pub text: String,
}

/// One that is served (L01, L05).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct FloorRunning {
    /// Which conversation.
    pub conversation_id: ConversationId,
    /// The visitor's short label.
    pub label: String,
    /// On which site.
    pub site_id: SiteId,
    /// For which department.
    pub department_id: DepartmentId,
    /// Who serves it.
    pub agent_id: AgentId,
    /// Who else takes part.
    pub members: Vec<AgentId>,
    /// Since when that agent has it.
    pub since: Timestamp,
    /// Since when the visitor waits for an answer.
    pub unanswered_since: Option<Timestamp>,
    /// The beginning of what was said last, at most 80 characters.
    pub text: String,
}
