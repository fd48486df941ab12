//! The ordered rules: which department, skill, agent and priority a conversation asks for (B04).
//!
//! Owns the answer and its reasons. Rules are looked at in their order and the first that matches
//! wins; what it leaves open is filled by the visitor's own choice, the category form, the site and
//! the company, in this order. Pure: the same visitor at the same time gets the same answer.

mod condition;

use serde::{Deserialize, Serialize};

pub use condition::{CONDITION_DEPTH_MAX, Circumstances, Condition, NumberOf, TextIs, TextOf};

use crate::ids::{AgentId, DepartmentId, RuleId, SkillId};
use crate::settings::Company;

/// Rules that were passed over and are told in a stored reason; a dry run tells all.
pub const PASSED_OVER_MAX: usize = 20;

/// One line of the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which.
    pub id: RuleId,
    /// Switched off rules are passed over.
    pub enabled: bool,
    /// When it matches.
    pub when: Condition,
    /// What follows.
    pub then: Outcome,
}

/// What a rule decides; what is `None` is left open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outcome {
    /// To this department.
    pub department: Option<DepartmentId>,
    /// To those with this skill.
    pub skill: Option<SkillId>,
    /// To this agent.
    pub agent: Option<AgentId>,
    /// Larger is earlier.
    pub priority: Option<u8>,
}

/// Who waits before whom: VIPs before others (B18), then by the rule's priority (B05). Larger is
/// earlier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Class {
    /// A VIP.
    pub vip: bool,
    /// From the rule; 0 if none said so.
    pub priority: u8,
}

/// The agent a conversation is meant for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnAgent {
    /// Who.
    pub agent: AgentId,
    /// A rule or the visitor named the agent; else it is who served before.
    pub named: bool,
}

/// What a conversation asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// The department whose line it stands in.
    pub department: DepartmentId,
    /// Only agents with this skill.
    pub skill: Option<SkillId>,
    /// The agent it is meant for; the queue policy says how much that counts.
    pub own: Option<OwnAgent>,
    /// Who waits before whom.
    pub class: Class,
    /// The rule that said so.
    pub rule: Option<RuleId>,
}

impl Demand {
    /// Anybody of a department, in order of arrival.
    #[must_use]
    pub fn of(department: DepartmentId) -> Self {
        Self { department, skill: None, own: None, class: Class::default(), rule: None }
    }
}

/// Why a rule did not match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassedOver {
    /// It is switched off.
    Disabled(RuleId),
    /// This part of its condition did not hold.
    Unmet(RuleId, Condition),
}

/// What said which department.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

/// The answer of the rules with its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routed {
    /// What the conversation asks for.
    pub demand: Demand,
    /// What said which department.
    pub department_by: DepartmentBy,
    /// The rules before the one that matched, in order.
    pub passed_over: Vec<PassedOver>,
}

/// Asks the rules. `told_max` bounds the reasons, not the rules.
#[must_use]
pub fn route(rules: &[Rule], company: &Company, of: &Circumstances<'_>, told_max: usize) -> Routed {
    let mut passed_over = Vec::new();
    let mut matched = None;
    for rule in rules {
        let unmet = if rule.enabled { rule.when.unmet(of) } else { None };
        if rule.enabled && unmet.is_none() {
            matched = Some(rule);
            break;
        }
        if passed_over.len() < told_max {
            let id = rule.id.clone();
            passed_over.push(match unmet {
                Some(condition) => PassedOver::Unmet(id, condition.clone()),
                None => PassedOver::Disabled(id),
            });
        }
    }
    let outcome = matched.map(|rule| &rule.then);
    let (department, department_by) = department(outcome, company, of);
    let named = outcome.and_then(|then| then.agent.clone()).or_else(|| of.visitor.agent.clone());
    let own = match named {
        Some(agent) => Some(OwnAgent { agent, named: true }),
        None => of.visitor.last_agent.clone().map(|agent| OwnAgent { agent, named: false }),
    };
    let priority = outcome.and_then(|then| then.priority).unwrap_or(0);
    let demand = Demand {
        department,
        skill: outcome.and_then(|then| then.skill.clone()),
        own,
        class: Class { vip: of.visitor.vip, priority },
        rule: matched.map(|rule| rule.id.clone()),
    };
    Routed { demand, department_by, passed_over }
}

fn department(
    outcome: Option<&Outcome>,
    company: &Company,
    of: &Circumstances<'_>,
) -> (DepartmentId, DepartmentBy) {
    let by_site = || of.visitor.site.as_ref().and_then(|site| company.sites.get(site));
    let chosen = [
        (outcome.and_then(|then| then.department.as_ref()), DepartmentBy::Rule),
        (of.visitor.department.as_ref(), DepartmentBy::Visitor),
        (company.categories.get(&of.visitor.category), DepartmentBy::Category),
        (by_site(), DepartmentBy::Site),
    ];
    let first = chosen.into_iter().find_map(|(department, by)| Some((department?.clone(), by)));
    first.unwrap_or_else(|| (company.default_department.clone(), DepartmentBy::Company))
}
