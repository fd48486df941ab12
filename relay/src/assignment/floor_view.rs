//! The floor as a value: what the core knows and what rows add, put together. Pure.

use std::collections::{BTreeMap, BTreeSet};

use yingke_routing::{Considered, InLine};
use yingke_shared::ids::{AgentId, ConversationId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{
    AgentDay, Availability, Floor, FloorAgent, FloorDepartment, FloorWaiting,
};

use super::questions::{Counter, Overview};
use super::words;
use crate::agents::Agent;
use crate::conversations::floor::{Served, Waiting};
use crate::limits::FLOOR_ROWS_MAX;

/// Each agent's work of the day.
pub(super) type Days = BTreeMap<AgentId, AgentDay>;

/// An expected wait as it is told: whole ten seconds up to two minutes, then whole minutes. A more
/// exact one would pretend to be known, and would be told anew every second.
pub(super) fn rounded(wait_ms: u64) -> u32 {
    let step = if wait_ms <= 120_000 { 10_000 } else { 60_000 };
    u32::try_from(wait_ms.div_ceil(step).saturating_mul(step)).unwrap_or(u32::MAX)
}

/// How many wait, by department.
pub(super) fn lengths(overview: &Overview) -> BTreeMap<&str, u32> {
    let mut lengths: BTreeMap<&str, u32> = BTreeMap::new();
    for it in &overview.lines {
        *lengths.entry(it.department.as_str()).or_default() += 1;
    }
    lengths
}

/// Those of the line that are shown.
pub(super) fn shown(overview: &Overview) -> Vec<ConversationId> {
    let ids = overview.lines.iter().filter_map(|it| words::conversation_id(&it.conversation));
    ids.take(FLOOR_ROWS_MAX).collect()
}

/// Agents and departments, without the lists.
pub(super) fn floor(
    overview: &Overview,
    agents: &[Agent],
    since: impl Fn(&Agent) -> Timestamp,
    connected: &BTreeSet<AgentId>,
    days: &Days,
) -> Floor {
    let loads: BTreeMap<&str, &Considered> =
        overview.agents.iter().map(|load| (load.agent.as_str(), load)).collect();
    let running = |agent: &Agent| loads.get(agent.id.as_str()).map_or(0, |load| load.running);
    let attends = |agent: &&Agent| {
        agent.availability == Availability::Online && connected.contains(&agent.id)
    };
    let attending: Vec<_> = agents.iter().filter(attends).collect();
    let agent = |agent: &Agent| FloorAgent {
        agent_id: agent.id.clone(),
        availability: agent.availability,
        connected: connected.contains(&agent.id),
        running: running(agent),
        capacity: agent.capacity,
        unanswered: 0,
        since: since(agent),
        today: days.get(&agent.id).copied().unwrap_or_default(),
    };
    let lengths = lengths(overview);
    let department = |counter: &Counter| {
        let department_id = words::department_id(&counter.department)?;
        let waiting = lengths.get(counter.department.as_str()).copied().unwrap_or(0);
        let of: Vec<_> =
            attending.iter().filter(|it| it.departments.contains(&department_id)).collect();
        let free: u32 = of.iter().map(|it| it.capacity.saturating_sub(running(it))).sum();
        let is_served_at_once = counter.open && free > 0 && waiting == 0;
        let expected_wait_ms =
            if is_served_at_once { Some(0) } else { counter.expected_ms.map(rounded) };
        Some(FloorDepartment {
            department_id,
            open: counter.open,
            waiting,
            attended_by: count(of.len()),
            free,
            expected_wait_ms,
        })
    };
    Floor {
        agents: agents.iter().map(agent).collect(),
        departments: overview.departments.iter().filter_map(department).collect(),
        waiting: Vec::new(),
        waiting_total: count(overview.lines.len()),
        running: Vec::new(),
        running_total: 0,
    }
}

/// The same with who waits and what is served.
pub(super) fn with_lists(
    mut floor: Floor,
    overview: &Overview,
    waiting: Vec<(ConversationId, Waiting)>,
    served: Served,
) -> Floor {
    for agent in &mut floor.agents {
        agent.unanswered = served.unanswered.get(&agent.agent_id).copied().unwrap_or(0);
    }
    let mut rows: BTreeMap<ConversationId, Waiting> = waiting.into_iter().collect();
    let waiting = overview.lines.iter().filter_map(|it| {
        let conversation_id = words::conversation_id(&it.conversation)?;
        let row = rows.remove(&conversation_id)?;
        waits(it, conversation_id, row)
    });
    floor.waiting = waiting.collect();
    floor.running_total = count(served.total);
    floor.running = served.shown;
    floor
}

fn waits(it: &InLine, conversation_id: ConversationId, row: Waiting) -> Option<FloorWaiting> {
    Some(FloorWaiting {
        conversation_id,
        label: row.label,
        site_id: row.site_id,
        department_id: words::department_id(&it.department)?,
        skill_id: row.skill_id,
        own_agent: row.own_agent,
        since: Timestamp::from_millis(it.since).unwrap_or_default(),
        place: u32::try_from(it.place).unwrap_or(u32::MAX),
        reason: it.told.map(words::waiting),
        vip: it.class.vip,
        priority: it.class.priority,
        front: it.front,
        text: row.text,
    })
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
