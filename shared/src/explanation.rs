//! Why this agent (X04) and what would happen (B04): the reasons of routing, as data that readers put
//! into words.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ts_rs::TS;

use crate::ids::{AgentId, ConversationId, DepartmentId, RuleId, SiteId, SkillId};
use crate::settings::{Condition, NumberOf, TextOf};
use crate::time::Timestamp;
use crate::views::{RequeueReason, WaitingReason};

/// `GET /api/conversations/{id}/assignments`, for whoever may read the conversation: who had it and
/// why, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Assignments {
    /// Of which.
    pub conversation_id: ConversationId,
    /// At most 100, the newest.
    pub assignments: Vec<Assignment>,
}

/// One assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Assignment {
    /// When.
    pub at: Timestamp,
    /// To whom.
    pub agent_id: AgentId,
    /// How it came to that agent.
    pub how: AssignedHow,
}

/// How a conversation came to an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export)]
pub enum AssignedHow {
    /// Routing decided.
    Routing {
        /// Why.
        why: Explanation,
    },
    /// By hand (B09).
    ByHand {
        /// Who did it.
        by: AgentId,
    },
    /// The agent accepted an invitation to take over (F01).
    Accepted {
        /// Of whom.
        from: AgentId,
    },
    /// The agent before left, and this one took part already (F04).
    MemberStayed {},
    /// A manager took it over (F05).
    TookOver {},
    /// The agent wrote first (C05).
    Started {},
}

/// Why this agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Explanation {
    /// Why it needed somebody.
    pub cause: Cause,
    /// The rule that matched, with its name then; `None`: no rule did.
    pub rule: Option<RuleName>,
    /// In this department.
    pub department_id: DepartmentId,
    /// With this skill.
    pub skill_id: Option<SkillId>,
    /// The agent it was meant for.
    pub own_agent: Option<AgentId>,
    /// The one taken first, then the nearest others.
    pub candidates: Vec<Candidate>,
    /// Members of the department (with the skill) that are not listed.
    pub unlisted: u32,
}

/// A rule as it is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RuleName {
    /// Which.
    pub id: RuleId,
    /// Its name; empty if it is gone.
    pub name: String,
}

/// Why a conversation needed somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export)]
pub enum Cause {
    /// It is new, or waited in line.
    Waited {
        /// For so many milliseconds.
        for_ms: u32,
    },
    /// It was served before and stood at the front.
    Requeued {
        /// Why, if that is still known.
        why: Option<RequeueReason>,
        /// For so many milliseconds since.
        for_ms: u32,
    },
    /// Its agent did not answer (B13).
    NoAnswer {},
    /// The one who served it is gone and another member stays (F04).
    MemberStays {},
    /// Its agent asked the department for somebody (F01).
    Invited {},
    /// Nothing happened: somebody asked what would.
    Asked {},
}

/// An agent as looked at in that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Candidate {
    /// Who.
    pub agent_id: AgentId,
    /// Places taken then.
    pub running: u32,
    /// Of so many.
    pub capacity: u32,
    /// When a conversation last came or went.
    pub idle_since: Timestamp,
    /// What spoke for or against.
    pub verdict: Verdict,
}

/// What spoke for or against a candidate, in the order in which it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
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
    /// The store refused this agent a moment before.
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

/// `POST /api/routing/dry-run` (admin): a visitor as rules see one. What is left out is not known.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(export, optional_fields)]
pub struct DryRun {
    /// The website.
    pub site_id: Option<SiteId>,
    /// Texts known of the visitor, at most 2,048 characters each.
    pub texts: BTreeMap<TextOf, String>,
    /// Fields of forms, at most 30.
    pub fields: BTreeMap<String, String>,
    /// Numbers known.
    pub numbers: BTreeMap<NumberOf, u32>,
    /// Was here before.
    pub returning: bool,
    /// Has a signed identity.
    pub identified: bool,
    /// Waits before others.
    pub vip: bool,
    /// The department the visitor picked.
    pub department_id: Option<DepartmentId>,
    /// The agent the visitor picked.
    pub agent_id: Option<AgentId>,
    /// The agent who served this visitor last.
    pub last_agent_id: Option<AgentId>,
}

/// What would happen to that visitor now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct DryRunAnswer {
    /// The rules that were passed over, in order, and why.
    pub passed_over: Vec<PassedOver>,
    /// What said which department.
    pub department_by: DepartmentBy,
    /// Who would take it, with everybody looked at; the first is the one taken unless `waits`.
    pub why: Explanation,
    /// Nobody now.
    pub waits: Option<WouldWait>,
}

/// See [`DryRunAnswer::waits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct WouldWait {
    /// Why.
    pub reason: WaitingReason,
    /// Where it would stand.
    pub place: u32,
    /// When the department opens, if it is closed.
    pub opens_at: Option<Timestamp>,
}

/// A rule that did not match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct PassedOver {
    /// Which.
    pub rule: RuleName,
    /// The first of its conditions that did not hold; `None`: it is switched off.
    pub unmet: Option<Condition>,
}

/// What said which department.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum DepartmentBy {
    /// The rule.
    Rule,
    /// The visitor picked it (A25).
    Visitor,
    /// The category form (A24).
    Category,
    /// The site's department.
    Site,
    /// Nothing else said one.
    Company,
}
