//! Everything the routing core must know when it begins, read in one transaction.
//!
//! Nothing of it is counted on the way: clocks and places follow from rows, so a relay that starts
//! again goes on where it was. Times in rows are a wall clock's, which may have been ahead: what was
//! written then did not happen later than now, and does not end later than if it began now. Only what
//! was being typed is forgotten: whoever types when the relay goes gets a moment to show it when it is
//! back.

use std::collections::BTreeMap;

use yingke_routing::{
    self as routing, AgentRow, AgentSettings, Connection, ConversationRow, Fact, InvitationRow,
    Rows, StandingRow, Talk,
};
use yingke_shared::explanation::{AssignedHow, Cause};
use yingke_shared::ids::{DepartmentId, Position};
use yingke_shared::settings::RuleSettings;
use yingke_shared::time::Timestamp;

use super::{facts, settings, words};
use crate::agents::{self, Agent};
use crate::conversations::queries::{self, InRouting};
use crate::events;
use crate::limits::AGENTS_RETURN_WITHIN_MS;
use crate::settings::queries as company;
use crate::store::{ReadTx, StoreError};

/// Assignments looked at for how fast lines move, and how old they may be.
const PACE_ROWS_MAX: u32 = 2_000;
const PACE_WITHIN_MS: u64 = 3_600_000;
/// Of one department: as many as the core remembers.
const PACE_MAX: usize = 17;
/// Whoever was assigned at once stood in no line.
const STOOD_IN_LINE_MS: u32 = 500;

/// From the start until whoever was typing is back and was seen to type.
const TYPING_SHOWS_MS: u64 = AGENTS_RETURN_WITHIN_MS + routing::TYPING_LASTS_MS;

/// What the database holds at one position of the log.
pub(crate) struct Known {
    pub(crate) position: Position,
    pub(crate) rows: Rows,
    /// Who waits and whose rules were not asked yet.
    pub(crate) arrivals: Vec<Fact>,
}

/// What an admin set, in the words of the core.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) company: routing::Company,
    pub(crate) departments: Vec<routing::Department>,
    pub(crate) rules: Vec<routing::rules::Rule>,
}

/// Reads what an admin set.
pub(crate) fn settings(tx: &ReadTx<'_>, now: Timestamp) -> Result<Settings, StoreError> {
    let set = company::company(tx)?.value;
    let departments = company::departments(tx)?.value;
    let department = |of| settings::department(of, &set.zone, now);
    Ok(Settings {
        company: settings::company(&set, now),
        departments: departments.iter().map(department).collect(),
        rules: company::rules(tx)?.value.iter().map(rule).collect(),
    })
}

/// When something in a row happened.
fn happened(at: Timestamp, now: Timestamp) -> u64 {
    at.min(now).millis()
}

fn rule(set: &RuleSettings) -> routing::rules::Rule {
    settings::rule(set)
}

/// Reads everything assignment needs to know.
pub(crate) fn everything(tx: &ReadTx<'_>, now: Timestamp) -> Result<Known, StoreError> {
    let (_, position) = events::head(tx)?;
    let Settings { company, departments, rules } = settings(tx, now)?;
    let mut wrap_ups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (agent_id, conversation_id, until) in queries::wrap_ups(tx, now)? {
        let kept = (words::conversation(&conversation_id), until.millis());
        wrap_ups.entry(agent_id).or_default().push(kept);
    }
    let mut agents = Vec::new();
    for agent in agents::queries::all(tx)? {
        let wrap_ups = wrap_ups.remove(&agent.id).unwrap_or_default();
        agents.push(agent_row(&agent, wrap_ups, now));
    }
    let (mut conversations, mut arrivals) = (Vec::new(), Vec::new());
    let row_of = |row: &InRouting, demand: routing::rules::Demand| {
        let department = departments.iter().find(|it| it.id == demand.department);
        conversation_row(tx, row, demand, department.and_then(|it| it.no_answer), now)
    };
    for row in queries::all_in_routing(tx)? {
        let read = match &row.asked {
            None if row.agent_id.is_none() => facts::arrival(tx, &row).map(|it| arrivals.push(it)),
            // Begun by an agent: whoever takes it over later finds it where everybody goes.
            None => {
                let demand = routing::rules::Demand::of(company.default_department.clone());
                row_of(&row, demand).map(|it| conversations.push(it))
            }
            Some(asked) => row_of(&row, words::demand(asked)).map(|it| conversations.push(it)),
        };
        match read {
            Err(error) if error.is_lasting() => {
                tracing::error!(%error, conversation.id = %row.id, "a stored conversation is damaged; assignment begins without it");
            }
            read => read?,
        }
    }
    let mut invitations = Vec::new();
    for row in queries::all_open_invitations(tx)? {
        let invitation = row.invitation;
        let at_most = now.plus_millis(company.invitation_ms);
        let until = invitation.expires_at.map_or(now, |at| at.min(at_most)).millis();
        invitations.push(InvitationRow {
            invitation: words::invitation(&invitation.id),
            conversation: words::conversation(&invitation.conversation_id),
            from: words::agent(&invitation.from),
            to: words::invitee(&invitation.to),
            offered: invitation.offered_to.as_ref().map(|id| (words::agent(id), until)),
            declined: row.declined.iter().map(words::agent).collect(),
        });
    }
    let rows = Rows {
        now: now.millis(),
        wall_ahead_ms: 0,
        position: position.get(),
        company,
        departments,
        rules,
        agents,
        conversations,
        invitations,
        pace: pace(tx, now)?,
    };
    Ok(Known { position, rows, arrivals })
}

fn agent_row(
    agent: &Agent,
    wrap_ups: Vec<(routing::ConversationId, u64)>,
    now: Timestamp,
) -> AgentRow {
    AgentRow {
        settings: agent_settings(agent),
        removed: agent.disabled,
        connection: Connection::Lost(happened(agent.lost_at.unwrap_or(now), now)),
        idle_since: happened(agent.idle_since, now),
        wrap_ups,
    }
}

/// An account as the core knows it.
pub(crate) fn agent_settings(agent: &Agent) -> AgentSettings {
    AgentSettings {
        agent: words::agent(&agent.id),
        capacity: agent.capacity,
        availability: words::availability(agent.availability),
        departments: agent.departments.iter().map(words::department).collect(),
        skills: agent.skills.iter().map(|id| routing::SkillId::new(id.as_str())).collect(),
    }
}

fn conversation_row(
    tx: &ReadTx<'_>,
    row: &InRouting,
    demand: routing::rules::Demand,
    no_answer: Option<routing::NoAnswer>,
    now: Timestamp,
) -> Result<ConversationRow, StoreError> {
    let talk = queries::talk(tx, &row.id)?;
    let millis = |at: Option<Timestamp>| at.map(|at| happened(at, now));
    let was_served = row.agent_id.is_some() || row.front || row.tries > 0;
    let had = if was_served { queries::had_by(tx, &row.id)? } else { Vec::new() };
    let standing = match &row.agent_id {
        Some(agent_id) => {
            let since = happened(row.assigned_at.unwrap_or(row.started_at), now);
            // Only where a clock hangs on it.
            let answered =
                talk.unanswered_since.is_some() && queries::has_answered(tx, &row.id, agent_id)?;
            let awaited = millis(talk.unanswered_since).filter(|_| !answered);
            let ends = awaited.zip(no_answer).map(|(at, rule)| at.max(since) + rule.after_ms);
            let shown = now.millis() + TYPING_SHOWS_MS;
            StandingRow::Served {
                agent: words::agent(agent_id),
                members: row.members.iter().map(words::agent).collect(),
                since,
                answered,
                typed_ms: ends.map_or(0, |ends| shown.saturating_sub(ends)),
                typing_until: 0,
            }
        }
        None => {
            let since = row.waiting_since.unwrap_or(row.started_at);
            let told_at = happened(row.told_at.unwrap_or(since), now);
            StandingRow::Waiting {
                since: happened(since, now),
                front: row.front,
                requeued: row.requeued.map(words::requeue_reason),
                told: words::told(row.waiting_reason).map(|reason| (reason, told_at)),
            }
        }
    };
    Ok(ConversationRow {
        conversation: words::conversation(&row.id),
        number: row.started_position.get(),
        demand,
        had: had.iter().map(words::agent).collect(),
        tries: row.tries,
        alerted: row.is_alerted,
        talk: Talk {
            seq: talk.seq.get(),
            unanswered_since: millis(talk.unanswered_since),
            last_word_at: millis(talk.last_word_at),
            asked_at: millis(talk.asked_at),
            warned_at: millis(talk.warned_at),
            explained: talk.explained,
        },
        standing,
    })
}

/// When the last few left each line by being assigned, oldest first.
fn pace(tx: &ReadTx<'_>, now: Timestamp) -> Result<Vec<(routing::DepartmentId, u64)>, StoreError> {
    let after = now.millis().saturating_sub(PACE_WITHIN_MS);
    let after = Timestamp::from_millis(after).unwrap_or_default();
    let mut counts: BTreeMap<DepartmentId, usize> = BTreeMap::new();
    let mut pace = Vec::new();
    for (department_id, at, how) in queries::newest_assignments(tx, after, PACE_ROWS_MAX)? {
        let waited = match serde_json::from_str(&how) {
            Ok(AssignedHow::Routing { why }) => match why.cause {
                Cause::Waited { for_ms } | Cause::Requeued { for_ms, .. } => for_ms,
                _ => 0,
            },
            _ => 0,
        };
        let count = counts.entry(department_id.clone()).or_default();
        if waited >= STOOD_IN_LINE_MS && *count < PACE_MAX {
            *count += 1;
            pace.push((words::department(&department_id), happened(at, now)));
        }
    }
    pace.reverse();
    Ok(pace)
}
