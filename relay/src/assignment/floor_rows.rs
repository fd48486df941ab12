//! What the floor reads of the database, in one transaction.

use yingke_shared::ids::{AgentId, ConversationId, VisitorId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::AgentDay;

use super::floor::Since;
use super::floor_view::Days;
use super::settings::day_began;
use crate::agents::{self, Agent};
use crate::conversations::floor::{self, Served, Waiting};
use crate::settings::queries as company;
use crate::store::{ReadTx, StoreError};

/// What is to be read.
pub(super) struct Wanted {
    pub(super) now: Timestamp,
    /// Waiting conversations of which it is not known whose they are.
    pub(super) unknown: Vec<ConversationId>,
    /// Those of the line the floor shows.
    pub(super) line: Vec<ConversationId>,
    /// Somebody looks at the floor.
    pub(super) is_watched: bool,
    /// The sums of the day are old.
    pub(super) counts_days: bool,
}

/// What was read.
pub(super) struct Rows {
    /// Everybody who is not disabled, by id.
    pub(super) agents: Vec<Agent>,
    pub(super) visitors: Vec<(ConversationId, VisitorId)>,
    pub(super) waiting: Vec<(ConversationId, Waiting)>,
    pub(super) served: Served,
    pub(super) since: Since,
    /// If they were wanted.
    pub(super) days: Option<Days>,
}

pub(super) fn read(tx: &ReadTx<'_>, wanted: &Wanted) -> Result<Rows, StoreError> {
    let mut agents = agents::queries::all(tx)?;
    agents.retain(|agent| !agent.disabled);
    let mut visitors = Vec::new();
    for id in &wanted.unknown {
        if let Some(visitor_id) = floor::visitor_of(tx, id)? {
            visitors.push((id.clone(), visitor_id));
        }
    }
    let mut waiting = Vec::new();
    for id in &wanted.line {
        if let Some(row) = floor::waiting(tx, id)? {
            waiting.push((id.clone(), row));
        }
    }
    let mut since = Since::new();
    let mut served = Served::default();
    if wanted.is_watched {
        served = floor::served(tx)?;
        for agent in &agents {
            if let Some(at) = agents::day::since(tx, &agent.id)? {
                since.insert(agent.id.clone(), at);
            }
        }
    }
    let days = if wanted.counts_days { Some(days(tx, &agents, wanted.now)?) } else { None };
    Ok(Rows { agents, visitors, waiting, served, since, days })
}

fn days(tx: &ReadTx<'_>, agents: &[Agent], now: Timestamp) -> Result<Days, StoreError> {
    let began = day_began(&company::company(tx)?.value.zone, now);
    let work = floor::work_since(tx, began)?;
    let mut days = Days::new();
    for agent in agents {
        let id: &AgentId = &agent.id;
        let of = work.get(id).copied().unwrap_or_default();
        let presence = agents::day::presence(tx, id, began, now)?;
        let day = AgentDay {
            served: of.served,
            ended: of.ended,
            first_response_ms: of.first_response_ms(),
            online_s: presence.online_s,
            busy_s: presence.busy_s,
            away_s: presence.away_s,
        };
        days.insert(id.clone(), day);
    }
    Ok(days)
}

#[cfg(test)]
#[path = "floor_tests.rs"]
mod tests;
