//! Why this agent: the reasons of an assignment, as data (X04).
//!
//! Owns the words in which "为什么是我/他" is answered. A stored reason lists the nearest candidates
//! and counts the others, so that its size does not grow with the company; a dry run lists all.

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::decisions::RequeueReason;
use crate::ids::{AgentId, DepartmentId, RuleId, SkillId};

/// Candidates listed in a stored reason beside the one taken.
pub const CANDIDATES_MAX: usize = 12;

/// Why the conversation needed somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It is new, or waited in line.
    Waited {
        /// For how long.
        for_ms: Millis,
    },
    /// It was served before and stood at the front.
    Requeued {
        /// Why.
        why: Option<RequeueReason>,
        /// For how long it waited since.
        for_ms: Millis,
    },
    /// Its agent did not answer (B13).
    NoAnswer,
    /// The one serving is gone and another member stays (F04).
    MemberStays,
    /// Its agent asked the department for somebody (F01).
    Invited,
    /// Nothing happened: somebody asked what would.
    Asked,
}

/// What spoke for or against a candidate. In the order in which it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The one taken.
    Taken,
    /// More running conversations relative to capacity (B02).
    MoreLoaded,
    /// As loaded, but idle for a shorter time (B02).
    IdleShorter,
    /// As loaded and as long idle: the smaller id decides (B02).
    LaterById,
    /// Another agent was named, or is the visitor's own (A25, B08).
    NotItsOwn,
    /// Had it before and did not answer (B13).
    HadItBefore,
    /// No free place (B06).
    Full,
    /// The store refused this agent a moment ago and nothing was heard since.
    Refused,
    /// 忙碌.
    Busy,
    /// 离开.
    Away,
    /// Not connected.
    Offline,
    /// The account is disabled.
    Removed,
    /// Has not the skill that is asked for (B03).
    LacksSkill,
    /// Answers in other departments (B03).
    NotInDepartment,
}

/// A candidate as it was at that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Considered {
    /// Who.
    pub agent: AgentId,
    /// Running conversations, with those on the way and places kept for work after an end.
    pub running: u32,
    /// Of so many.
    pub capacity: u32,
    /// When a conversation last came or went.
    pub idle_since: Millis,
    /// What spoke for or against.
    pub verdict: Verdict,
}

/// Why this agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// Why it needed somebody.
    pub cause: Cause,
    /// The rule that matched (B04).
    pub rule: Option<RuleId>,
    /// In this department.
    pub department: DepartmentId,
    /// With this skill.
    pub skill: Option<SkillId>,
    /// The agent it was meant for.
    pub own: Option<AgentId>,
    /// The one taken first, then the nearest others.
    pub candidates: Vec<Considered>,
    /// Members of the department (with the skill) that are not listed.
    pub unlisted: u32,
}
