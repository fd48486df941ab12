//! What an admin sets: the company, its departments, and how they queue.
//!
//! Owns the meaning and the defaults of each setting; the router only reads them. A setting that is
//! `None` is switched off.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::hours::{Hours, Zone};
use crate::ids::{DepartmentId, SiteId};

/// How long a lost agent's conversations stay with the agent (B11).
pub const GRACE_MS: Millis = 60_000;
/// How long an invitation is open (F03).
pub const INVITATION_MS: Millis = 60_000;
/// How long a first answer may be missing (B13), and its bounds in settings.
pub const NO_ANSWER_MS: Millis = 180_000;
/// Transfers because of a missing answer, at most (B13).
pub const NO_ANSWER_TRANSFERS: u32 = 3;
/// How long a visitor stays in line with nobody there before it becomes a leave-message.
pub const FILE_AFTER_MS: Millis = 600_000;

/// Settings of the whole company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Company {
    /// Where the company's clock hangs, for rules that ask the time.
    pub zone: Zone,
    /// How long a lost agent's conversations wait for the agent; `None` for ever.
    pub grace_ms: Option<Millis>,
    /// How long an invitation is open.
    pub invitation_ms: Millis,
    /// Where a conversation goes if nothing else is said.
    pub default_department: DepartmentId,
    /// Departments by the category a visitor picked (A24).
    pub categories: BTreeMap<String, DepartmentId>,
    /// Departments by site.
    pub sites: BTreeMap<SiteId, DepartmentId>,
    /// Sites where opening the window is enough to take a seat (B14).
    pub seats_for_silent: BTreeSet<SiteId>,
}

impl Company {
    /// All defaults, with this department for whoever asks for none.
    #[must_use]
    pub fn new(default_department: DepartmentId) -> Self {
        Self {
            zone: Zone::default(),
            grace_ms: Some(GRACE_MS),
            invitation_ms: INVITATION_MS,
            default_department,
            categories: BTreeMap::new(),
            sites: BTreeMap::new(),
            seats_for_silent: BTreeSet::new(),
        }
    }
}

/// Who in a department may take a conversation that has its own agent (B08).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueuePolicy {
    /// Any eligible agent; one that was named is preferred if free at that moment.
    #[default]
    Pool,
    /// Its own agent alone; only a person moves it.
    Sticky,
    /// Its own agent for so long, then any.
    StickyThenPool {
        /// How long.
        after_ms: Millis,
    },
}

/// What happens to the line when a department closes (X09).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterHours {
    /// Who is in line is still served while somebody is there; nobody new enters.
    #[default]
    ServeLine,
    /// Who is in line is told that it is closed.
    CloseLine,
}

/// What follows a missing first answer (B13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoAnswer {
    /// How long it may be missing.
    pub after_ms: Millis,
    /// Transfers at most; then the front of the line and an alert.
    pub transfers_max: u32,
}

impl Default for NoAnswer {
    fn default() -> Self {
        Self { after_ms: NO_ANSWER_MS, transfers_max: NO_ANSWER_TRANSFERS }
    }
}

/// What follows a visitor's silence (D05-2, then B15). Each time counts from the agent's last word;
/// where nothing was said at all, from when an agent has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Ask the visitor, once a silence.
    pub ask_ms: Option<Millis>,
    /// Warn that the conversation will end; not before it was asked.
    pub warn_ms: Option<Millis>,
    /// End it so long after the warning, or after the last word if there is no warning.
    pub end_ms: Option<Millis>,
}

/// A department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Department {
    /// Which.
    pub id: DepartmentId,
    /// The larger, the earlier it is listed (B17).
    pub order: i64,
    /// Who may take what has its own agent.
    pub policy: QueuePolicy,
    /// When it answers; `None` always.
    pub hours: Option<Hours>,
    /// What happens to the line at closing time.
    pub after_hours: AfterHours,
    /// What follows a missing first answer.
    pub no_answer: Option<NoAnswer>,
    /// How long a place stays taken after an end; 0 frees it at once (C15).
    pub wrap_up_ms: Millis,
    /// What follows a visitor's silence.
    pub silence: Silence,
    /// Explain a missing answer to the visitor, once a chain of unanswered messages (D05-3).
    pub explain_ms: Option<Millis>,
    /// How long with nobody there until a waiting conversation becomes a leave-message.
    pub file_after_ms: Option<Millis>,
    /// How long anybody waits at most, then the same.
    pub wait_ms_max: Option<Millis>,
}

impl Department {
    /// All defaults.
    #[must_use]
    pub fn new(id: DepartmentId) -> Self {
        Self {
            id,
            order: 0,
            policy: QueuePolicy::default(),
            hours: None,
            after_hours: AfterHours::default(),
            no_answer: Some(NoAnswer::default()),
            wrap_up_ms: 0,
            silence: Silence::default(),
            explain_ms: None,
            file_after_ms: Some(FILE_AFTER_MS),
            wait_ms_max: None,
        }
    }
}

/// Departments as they are listed: the larger number first, then by id (B17).
#[must_use]
pub fn listed<'a>(departments: impl Iterator<Item = &'a Department>) -> Vec<&'a Department> {
    let mut listed: Vec<_> = departments.collect();
    listed.sort_by(|a, b| b.order.cmp(&a.order).then_with(|| a.id.cmp(&b.id)));
    listed
}
