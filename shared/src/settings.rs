//! What an admin sets about routing, queues and what the relay says by itself, as it crosses the wire
//! and as forms show it. The routing core has its own types; the relay converts. Each section is saved
//! as a whole, against the version it was read at.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::ids::{AgentId, DepartmentId, RuleId, SiteId, SkillId};
use crate::views::SkillCard;

/// Everything, as `GET /api/settings` gives it (admin).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Settings {
    /// The company.
    pub company: Versioned<CompanySettings>,
    /// At least one, in their order (B17).
    pub departments: Versioned<Vec<DepartmentSettings>>,
    /// At most 200.
    pub skills: Versioned<Vec<SkillCard>>,
    /// In the order they are asked (B04); at most 200.
    pub rules: Versioned<Vec<RuleSettings>>,
    /// The company's words for each state (A15).
    pub prompts: Versioned<VisitorPrompts>,
    /// The company's words for what the relay says by itself (D05, D06).
    pub auto_replies: Versioned<AutoReplySettings>,
    /// The origin people and pages reach the relay by, if its configuration names one: what stands in
    /// the pages' snippet and in chat links. Set by the operator, not here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub public_url: Option<String>,
}

/// A section with the number that a change must name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Versioned<T> {
    /// Grows by one with each change; 0 before the first.
    pub version: u32,
    /// What is set.
    pub value: T,
}

/// `PUT /api/settings` (admin). Refused with `changed` if the section is not at `base` any more,
/// `invalid` for a value out of bounds or a name of nothing, `in_use` for taking away what another
/// section names. Live at once for everybody (J03) and audited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct SaveSettings {
    /// The version this change was made from.
    pub base: u32,
    /// What it is now.
    pub section: SettingsSection,
}

/// One section, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "name", content = "value", rename_all = "snake_case", deny_unknown_fields)]
#[ts(export)]
pub enum SettingsSection {
    /// The company.
    Company(CompanySettings),
    /// All departments.
    Departments(Vec<DepartmentSettings>),
    /// All skills.
    Skills(Vec<SkillCard>),
    /// All rules, in order.
    Rules(Vec<RuleSettings>),
    /// The company's words for each state.
    Prompts(VisitorPrompts),
    /// The company's words for what the relay says by itself.
    AutoReplies(AutoReplySettings),
}

/// Settings of the whole company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct CompanySettings {
    /// Where the company's clock hangs: a name of the time zone database, `Asia/Shanghai`.
    pub zone: String,
    /// How long a lost agent's conversations wait for the agent (B11), in seconds, 5 to 3,600.
    pub grace_s: u32,
    /// How long an invitation is open (F03), in seconds, 10 to 600.
    pub invitation_s: u32,
    /// Where a conversation goes if nothing else is said.
    pub default_department: DepartmentId,
    /// The category form, in its order (A24); empty for no form. At most 30.
    pub categories: Vec<Category>,
    /// Departments by site.
    pub sites: BTreeMap<SiteId, DepartmentId>,
    /// Sites where opening the window is enough to take a seat (B14).
    pub seats_for_silent: Vec<SiteId>,
    /// The visitor may pick a department (A25).
    pub choose_department: bool,
    /// The visitor may pick an agent (A25).
    pub choose_agent: bool,
    /// Visitors are told when a manager enters (F05).
    pub announce_entering: bool,
    /// When what waits asks louder.
    pub attention: Attention,
}

/// A line of the category form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Category {
    /// 1 to 64 characters: 售前, 售后.
    pub name: String,
    /// Where it leads.
    pub department_id: DepartmentId,
}

/// When a message that waits for an answer asks louder (C07, X05), each counted from the visitor's
/// first unanswered message, in seconds, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Attention {
    /// The waiting clock turns to a warning, and the alert sounds again.
    pub warn_s: u32,
    /// It turns red, and the alert is louder.
    pub red_s: u32,
}

impl Default for Attention {
    fn default() -> Self {
        Self { warn_s: 60, red_s: 180 }
    }
}

/// One department (B03, B08, B13, B15, B17, X09).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct DepartmentSettings {
    /// Made by the client for a new one.
    pub id: DepartmentId,
    /// 1 to 64 characters; empty only for the one every company begins with.
    pub name: String,
    /// The larger, the earlier it is listed (B17); -1,000,000 to 1,000,000.
    pub order: i32,
    /// Who may take what has its own agent (B08).
    pub policy: QueuePolicy,
    /// When it answers (X09); `None` always.
    pub hours: Option<BusinessHours>,
    /// Who is in line at closing time is told so, instead of being served while somebody is there.
    pub close_line: bool,
    /// What follows a missing first answer (B13); `None` nothing.
    pub no_answer: Option<NoAnswer>,
    /// How long a place stays taken after an end, in seconds, 0 to 3,600; 0 frees it at once (C15).
    pub wrap_up_s: u32,
    /// What follows a visitor's silence (D05-2, B15).
    pub silence: Silence,
    /// Explain a missing answer to the visitor after so many seconds, 10 to 7,200 (D05-3).
    pub explain_s: Option<u32>,
    /// With nobody there, a waiting conversation becomes a leave-message after so many seconds, 10 to
    /// 86,400 (H03).
    pub file_after_s: Option<u32>,
    /// How long anybody waits at most, in seconds, 10 to 86,400; then the same.
    pub wait_s_max: Option<u32>,
}

/// Who in a department may take a conversation that has its own agent (B08).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[ts(export)]
pub enum QueuePolicy {
    /// Any eligible agent.
    #[default]
    Pool,
    /// Its own agent alone; only assigning by hand moves it.
    Sticky,
    /// Its own agent for so long, then any.
    StickyThenPool {
        /// Seconds, 1 to 86,400.
        after_s: u32,
    },
}

/// When a department answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct BusinessHours {
    /// Where its clock hangs; empty for the company's.
    pub zone: String,
    /// Monday first; seven days of at most six spans each.
    pub week: Vec<Vec<Span>>,
    /// Holidays, and working days made up for them; at most 366.
    pub special: Vec<SpecialDay>,
}

/// Part of a day in minutes since midnight, the end not included; 1440 is the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Span {
    /// First minute.
    pub from: u16,
    /// First minute after it.
    pub to: u16,
}

/// A day that is not like its weekday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct SpecialDay {
    /// `2026-10-01`.
    pub date: String,
    /// When it is open all the same; empty is a holiday.
    pub spans: Vec<Span>,
}

/// What follows a missing first answer (B13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct NoAnswer {
    /// How long it may be missing, in seconds, 10 to 7,200.
    pub after_s: u32,
    /// Transfers at most, 0 to 20; then the front of the line and an alert.
    pub transfers_max: u32,
}

/// What follows a visitor's silence, each counted from the agent's last word, in seconds, 10 to 86,400.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Silence {
    /// Ask the visitor, once a silence.
    pub ask_s: Option<u32>,
    /// Warn that the conversation will end.
    pub warn_s: Option<u32>,
    /// End it so long after the warning, or after the last word if there is no warning.
    pub end_s: Option<u32>,
}

/// One routing rule (B04). The first that matches wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct RuleSettings {
    /// Made by the client for a new one.
    pub id: RuleId,
    /// 1 to 64 characters.
    pub name: String,
    /// Switched off rules are passed over.
    pub enabled: bool,
    /// All of these must hold; none is asked: holds. At most 20.
    pub when: Vec<Condition>,
    /// To this department.
    pub department_id: Option<DepartmentId>,
    /// To those with this skill.
    pub skill_id: Option<SkillId>,
    /// To this agent.
    pub agent_id: Option<AgentId>,
    /// Larger is earlier, 0 to 255 (B05).
    pub priority: Option<u8>,
}

/// A question about a visitor, or its opposite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct Condition {
    /// It must not hold.
    pub not: bool,
    /// The question.
    pub ask: Ask,
}

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[ts(export)]
pub enum Ask {
    /// A text known of the visitor compares so, without regard to case.
    Text {
        /// Which text.
        of: TextOf,
        /// The name of the form's field, for [`TextOf::Field`]; else empty.
        field: String,
        /// How.
        is: TextIs,
        /// With one of these, 1 to 50 of at most 200 characters; none for [`TextIs::Known`].
        values: Vec<String>,
    },
    /// A number known of the visitor is in this range, both ends included.
    Number {
        /// Which number.
        of: NumberOf,
        /// Not smaller.
        from: u32,
        /// Not larger.
        to: u32,
    },
    /// Was here before.
    Returning,
    /// Is a VIP.
    Vip,
    /// Has a signed identity.
    Identified,
    /// The company's clock shows one of these days (Monday is 0; none is every day) and a minute of the
    /// span.
    Time {
        /// Days.
        days: Vec<u8>,
        /// Part of the day.
        span: Span,
    },
    /// The department is open now (X09).
    Open {
        /// Which.
        department_id: DepartmentId,
    },
}

/// See [`Ask::Text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
#[allow(missing_docs, reason = "each is the text of the same name known of a visitor")]
pub enum TextOf {
    Site,
    Channel,
    Page,
    Landing,
    Referrer,
    Keyword,
    Language,
    Country,
    Province,
    City,
    Device,
    Os,
    Browser,
    Contact,
    Group,
    Category,
    Product,
    ProductCategory,
    Field,
}

/// See [`Ask::Text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum TextIs {
    /// Equal to one of the values.
    OneOf,
    /// Contains one of them.
    Contains,
    /// Begins with one of them.
    StartsWith,
    /// Ends with one of them.
    EndsWith,
    /// Like one of these patterns: `*` stands for anything, also nothing.
    Like,
    /// Not empty.
    Known,
}

/// See [`Ask::Number`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum NumberOf {
    /// Visits so far, this one included.
    Visits,
    /// Level of the contact.
    Level,
}

/// The company's own words for what the visitor's window says in each state (A15), at most 500
/// characters each; empty for the window's own. `{place}` and `{wait}` stand for the place in line and
/// the expected wait, `{agent}` for the agent's name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(export)]
pub struct VisitorPrompts {
    /// An agent is being looked for.
    pub waiting: String,
    /// In line.
    pub queued: String,
    /// Nobody is there.
    pub nobody_online: String,
    /// The department is closed.
    pub closed: String,
    /// An agent took the conversation.
    pub agent_joined: String,
    /// Another agent took it over.
    pub agent_changed: String,
    /// The agent ended it.
    pub agent_ended: String,
    /// It ended because the visitor was silent.
    pub timed_out: String,
    /// The agent went away: the visitor must apply again.
    pub agent_away: String,
    /// The link is being made again.
    pub reconnecting: String,
    /// There is no link.
    pub offline: String,
    /// A leave-message was stored.
    pub message_left: String,
}

/// Words for what the relay says by itself, at most 500 characters each; empty for the next in line:
/// the agent's, the company's, the window's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields, default)]
#[ts(export)]
pub struct AutoReplyTexts {
    /// Asks a silent visitor (D05-2).
    pub ask_visitor: String,
    /// Warns a silent visitor of the end (B15).
    pub warn_visitor: String,
    /// Explains a missing answer (D05-3).
    pub explain_delay: String,
}

/// The company's words, and whether they replace every agent's own (D06).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export)]
pub struct AutoReplySettings {
    /// They do.
    pub forced: bool,
    /// The words.
    pub texts: AutoReplyTexts,
}
