//! What the floor shows of conversations (B09, L01): who waits, what is served, what was said last.
//! Read only while somebody looks at it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use yingke_shared::ids::{AgentId, ConversationId, DepartmentId, SiteId, SkillId, VisitorId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{FloorRunning, MessageContent};

use super::rules::visitor_label;
use super::store;
use crate::events::members_of;
use crate::limits::{FLOOR_ROWS_MAX, FLOOR_TEXT_CHARS};
use crate::params;
use crate::settings::queries::default_department;
use crate::store::{ReadTx, StoreError};

/// What a row of the line needs beside what the core knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) label: String,
    pub(crate) site_id: SiteId,
    pub(crate) skill_id: Option<SkillId>,
    pub(crate) own_agent: Option<AgentId>,
    pub(crate) text: String,
}

/// Whose conversation it is, if there is one.
pub(crate) fn visitor_of(
    tx: &ReadTx<'_>,
    id: &ConversationId,
) -> Result<Option<VisitorId>, StoreError> {
    let sql = "SELECT visitor_id FROM conversations WHERE id = ?";
    tx.query_one(sql, params![id], |row| row.id(0))
}

/// One that waits. `None` if it does not any more.
pub(crate) fn waiting(tx: &ReadTx<'_>, id: &ConversationId) -> Result<Option<Waiting>, StoreError> {
    let sql = "SELECT visitor_id, site_id, skill_id, own_agent_id FROM conversations \
         WHERE id = ? AND state = 'waiting'";
    let found = tx.query_one(sql, params![id], |row| {
        let visitor_id: VisitorId = row.id(0)?;
        Ok(Waiting {
            label: visitor_label(&visitor_id),
            site_id: row.id(1)?,
            skill_id: row.opt_id(2)?,
            own_agent: row.opt_id(3)?,
            text: String::new(),
        })
    })?;
    let Some(waiting) = found else { return Ok(None) };
    Ok(Some(Waiting { text: said_last(tx, id)?, ..waiting }))
}

/// What is served now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Served {
    /// The longest unanswered first, then those an agent has longest; at most 500.
    pub(crate) shown: Vec<FloorRunning>,
    /// How many in all.
    pub(crate) total: usize,
    /// How many of each agent's wait for an answer.
    pub(crate) unanswered: BTreeMap<AgentId, u32>,
}

pub(crate) const SERVED: &str = "SELECT id, visitor_id, site_id, department_id, agent_id, members, \
     assigned_at, started_at, (SELECT unanswered_since FROM messages m \
     WHERE m.conversation_id = c.id ORDER BY seq DESC LIMIT 1) \
     FROM conversations c WHERE state = 'serving' ORDER BY agent_id, id";

/// Reads what is served now.
pub(crate) fn served(tx: &ReadTx<'_>) -> Result<Served, StoreError> {
    let mut served = Served::default();
    let first_department = default_department()?;
    tx.scan(SERVED, params![], |row| {
        let (visitor_id, agent_id): (VisitorId, AgentId) = (row.id(1)?, row.id(4)?);
        let department_id: Option<DepartmentId> = row.opt_id(3)?;
        let started_at = row.time(7)?;
        let unanswered_since = row.opt_time(8)?;
        if unanswered_since.is_some() {
            *served.unanswered.entry(agent_id.clone()).or_default() += 1;
        }
        served.shown.push(FloorRunning {
            conversation_id: row.id(0)?,
            label: visitor_label(&visitor_id),
            site_id: row.id(2)?,
            department_id: department_id.unwrap_or_else(|| first_department.clone()),
            agent_id,
            members: members_of(&row.text(5)?)?,
            since: row.opt_time(6)?.unwrap_or(started_at),
            unanswered_since,
            text: String::new(),
        });
        Ok(ControlFlow::Continue(()))
    })?;
    served.total = served.shown.len();
    served.shown.sort_by(|a, b| order(a).cmp(&order(b)));
    served.shown.truncate(FLOOR_ROWS_MAX);
    for row in &mut served.shown {
        row.text = said_last(tx, &row.conversation_id)?;
    }
    Ok(served)
}

fn order(row: &FloorRunning) -> (bool, Option<Timestamp>, Timestamp, &ConversationId) {
    (row.unanswered_since.is_none(), row.unanswered_since, row.since, &row.conversation_id)
}

/// The beginning of what was said last, in one line.
fn said_last(tx: &ReadTx<'_>, id: &ConversationId) -> Result<String, StoreError> {
    let (newest, said) = store::last_messages(tx, id)?;
    Ok(match said.unwrap_or(newest).content {
        MessageContent::Text { text } => text.chars().take(FLOOR_TEXT_CHARS).collect(),
        MessageContent::Notice { .. } | MessageContent::Unknown => String::new(),
    })
}

/// What an agent did with conversations since some moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) served: u32,
    pub(crate) ended: u32,
    pub(crate) answered: u32,
    /// From getting each of those to the first answer, in milliseconds.
    pub(crate) answered_after_ms: u64,
}

impl Work {
    /// Mean time to the first answer; `None` before there was one.
    pub(crate) fn first_response_ms(&self) -> Option<u32> {
        let mean = self.answered_after_ms.checked_div(u64::from(self.answered))?;
        Some(u32::try_from(mean).unwrap_or(u32::MAX))
    }
}

/// One conversation of the day: who got it when, oldest first; whether it is over; the first answer.
#[derive(Debug, Default)]
struct Had {
    by: Vec<(AgentId, Timestamp)>,
    is_over: bool,
    first_response_at: Option<Timestamp>,
}

pub(crate) const HAD_SINCE: &str = "SELECT a.conversation_id, a.agent_id, a.at, c.state, \
     c.first_response_at FROM assignments a JOIN conversations c ON c.id = a.conversation_id \
     WHERE a.at >= ? ORDER BY a.at, a.position";

/// What everybody did since then, by agent. The first answer counts for who had it at that time, from
/// when it came to that agent: the time in line is nobody's.
pub(crate) fn work_since(
    tx: &ReadTx<'_>,
    since: Timestamp,
) -> Result<BTreeMap<AgentId, Work>, StoreError> {
    let mut all: BTreeMap<ConversationId, Had> = BTreeMap::new();
    tx.scan(HAD_SINCE, params![since], |row| {
        let had = all.entry(row.id(0)?).or_default();
        had.by.push((row.id(1)?, row.time(2)?));
        had.is_over = row.text(3)? == "ended";
        had.first_response_at = row.opt_time(4)?;
        Ok(ControlFlow::Continue(()))
    })?;
    let mut work: BTreeMap<AgentId, Work> = BTreeMap::new();
    for had in all.into_values() {
        let answered = had.first_response_at.and_then(|answered_at| {
            let got = had.by.iter().rev().find(|(_, at)| *at <= answered_at)?;
            Some((got.0.clone(), answered_at.millis() - got.1.millis()))
        });
        if let Some((agent_id, after_ms)) = answered {
            let of = work.entry(agent_id).or_default();
            of.answered += 1;
            of.answered_after_ms = of.answered_after_ms.saturating_add(after_ms);
        }
        let by: std::collections::BTreeSet<_> = had.by.into_iter().map(|(by, _)| by).collect();
        for agent_id in by {
            let of = work.entry(agent_id).or_default();
            of.served += 1;
            of.ended += u32::from(had.is_over);
        }
    }
    Ok(work)
}
