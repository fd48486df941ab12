//! A past day as rows tell it: who was there when, who came, who got whom.
//!
//! Reads only, and other rooms' rows: conversations, assignments, accounts and the presence log. What
//! accounts were that day is not stored, so capacities, departments and skills are those of now.

use std::collections::BTreeMap;

use yingke_routing::replay::{PastConversation, PastDay, PastFact};
use yingke_routing::{AgentSettings, Availability, Fact, SiteId};
use yingke_shared::ids::{AgentId, ConversationId, DepartmentId};
use yingke_shared::settings::{CompanySettings, DepartmentSettings, RuleSettings};
use yingke_shared::time::Timestamp;
use yingke_shared::views::EndedBy;

use super::{facts, rows, settings as converted, words};
use crate::agents;
use crate::conversations::rules::ended_by_of_word;
use crate::limits::{REPLAY_CONVERSATIONS_MAX, REPLAY_FACTS_MAX};
use crate::params;
use crate::settings::queries as company;
use crate::store::{ReadTx, Row, StoreError};

/// How long serving takes where nobody was served all day.
const USUAL_MS: u64 = 300_000;

/// No index gives it: it is asked by hand, and every conversation would pay for one.
const CAME: &str = "SELECT id, site_id, started_position, started_at, ended_at, ended_by, \
    department_id, described, \
    EXISTS (SELECT 1 FROM leave_messages l WHERE l.conversation_id = c.id AND l.is_filed = 0) \
    FROM conversations c WHERE started_at >= ? AND started_at < ? AND described <> '' \
    ORDER BY started_position LIMIT ?";
const HAD: &str = "SELECT conversation_id, at, agent_id FROM assignments \
    WHERE at >= ? AND at < ? ORDER BY at, position LIMIT ?";

/// What can be read of a day.
pub(crate) enum Found {
    /// All of it.
    Day(Box<Known>),
    /// There is no such day, or it has not come.
    NoDay,
    /// More happened than is played.
    TooMuch,
}

/// A day and the settings of now.
pub(crate) struct Known {
    pub(crate) began: Timestamp,
    pub(crate) day: PastDay,
    /// What became of those who came, by conversation.
    pub(crate) happened: BTreeMap<ConversationId, Happened>,
    pub(crate) company: CompanySettings,
    pub(crate) departments: Vec<DepartmentSettings>,
    pub(crate) rules: Vec<RuleSettings>,
}

/// What happened to one conversation.
pub(crate) struct Happened {
    pub(crate) came: Timestamp,
    pub(crate) department_id: DepartmentId,
    /// Who had it, each from when until when.
    pub(crate) had: Vec<(AgentId, Timestamp, Timestamp)>,
}

/// One conversation's row.
struct Came {
    id: ConversationId,
    site: SiteId,
    number: u64,
    at: Timestamp,
    ended_at: Option<Timestamp>,
    /// The visitor went by itself.
    left: bool,
    department_id: Option<DepartmentId>,
    described: String,
}

/// Reads the day, as far as it is over at `now`.
pub(crate) fn read(tx: &ReadTx<'_>, day: &str, now: Timestamp) -> Result<Found, StoreError> {
    let set = company::company(tx)?.value;
    let Some((began, ends)) = converted::day_of(&set.zone, day).filter(|day| day.0 <= now) else {
        return Ok(Found::NoDay);
    };
    let until = ends.min(now);
    let limit = u32::try_from(REPLAY_CONVERSATIONS_MAX + 1).unwrap_or(u32::MAX);
    let came = tx.query(CAME, params![began, until, limit], came)?;
    let facts_max = u32::try_from(REPLAY_FACTS_MAX + 1).unwrap_or(u32::MAX);
    let had = tx.query(HAD, params![began, until, facts_max], |row| {
        Ok((row.id::<ConversationId>(0)?, row.time(1)?, row.id::<AgentId>(2)?))
    })?;
    let agents = agents_of(tx, began, until)?;
    if came.len() > REPLAY_CONVERSATIONS_MAX
        || had.len() > REPLAY_FACTS_MAX
        || agents.len() > REPLAY_FACTS_MAX
    {
        return Ok(Found::TooMuch);
    }
    let mut by_conversation: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (id, at, agent_id) in had {
        by_conversation.entry(id).or_default().push((at, agent_id));
    }
    let mut happened = BTreeMap::new();
    for row in &came {
        let had = by_conversation.remove(&row.id).unwrap_or_default();
        let department_id = row.department_id.clone();
        let what = Happened {
            came: row.at,
            department_id: department_id.unwrap_or_else(|| set.default_department.clone()),
            had: spans(&had, row.ended_at.unwrap_or(until)),
        };
        happened.insert(row.id.clone(), what);
    }
    let usual = usual(&happened);
    let conversations =
        came.iter().filter_map(|row| Some(past(row, happened.get(&row.id)?, usual)));
    let day = PastDay { agents, conversations: conversations.collect(), until: until.millis() };
    Ok(Found::Day(Box::new(Known {
        began,
        day,
        happened,
        company: set,
        departments: company::departments(tx)?.value,
        rules: company::rules(tx)?.value,
    })))
}

fn came(row: &Row<'_>) -> Result<Came, StoreError> {
    let by = ended_by_of_word(&row.opt_text(5)?.unwrap_or_default());
    Ok(Came {
        id: row.id(0)?,
        site: SiteId::new(&row.text(1)?),
        number: row.position(2)?.get(),
        at: row.time(3)?,
        ended_at: row.opt_time(4)?,
        left: match by {
            Some(EndedBy::Visitor | EndedBy::LeftQueue) => true,
            Some(EndedBy::LeaveMessage) => row.flag(8)?,
            _ => false,
        },
        department_id: row.opt_id(6)?,
        described: row.text(7)?,
    })
}

/// Each has it until the next one has it, the last until the end.
fn spans(had: &[(Timestamp, AgentId)], end: Timestamp) -> Vec<(AgentId, Timestamp, Timestamp)> {
    let ends = had.iter().skip(1).map(|(at, _)| *at).chain(std::iter::once(end));
    had.iter().zip(ends).map(|((at, agent_id), end)| (agent_id.clone(), *at, end)).collect()
}

/// From when somebody had it first to the end.
fn served_ms(happened: &Happened) -> Option<u64> {
    let (_, from, _) = happened.had.first()?;
    let (_, _, to) = happened.had.last()?;
    Some(to.millis().saturating_sub(from.millis()))
}

/// The middle one of all times of serving.
fn usual(happened: &BTreeMap<ConversationId, Happened>) -> u64 {
    let mut all: Vec<_> = happened.values().filter_map(served_ms).collect();
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or(USUAL_MS)
}

fn past(row: &Came, happened: &Happened, usual: u64) -> PastConversation {
    let served_ms = served_ms(happened);
    let waited = || Some(row.ended_at?.millis().saturating_sub(row.at.millis()));
    PastConversation {
        conversation: words::conversation(&row.id),
        at: row.at.millis(),
        number: row.number,
        visitor: facts::described(&row.described, &row.site),
        served_ms: served_ms.unwrap_or(usual),
        patience_ms: if row.left && served_ms.is_none() { waited() } else { None },
    }
}

/// Who was there, from what each was when the day began.
fn agents_of(
    tx: &ReadTx<'_>,
    began: Timestamp,
    until: Timestamp,
) -> Result<Vec<PastFact>, StoreError> {
    let mut all = Vec::new();
    for agent in agents::queries::all(tx)? {
        let lines = agents::day::lines(tx, &agent.id, began, until)?;
        // Whoever left the company since was there while somebody saw them.
        if agent.disabled && lines.is_empty() {
            continue;
        }
        let known = rows::agent_settings(&agent);
        let first = AgentSettings { availability: Availability::Busy, ..known.clone() };
        all.push(PastFact { at: began.millis(), fact: Fact::AgentSet(Box::new(first)) });
        for (at, state) in lines {
            let at = at.max(began).millis();
            all.extend(been(&known, &state).into_iter().map(|fact| PastFact { at, fact }));
        }
        if all.len() > REPLAY_FACTS_MAX {
            break;
        }
    }
    all.sort_by_key(|past| past.at);
    Ok(all)
}

/// A line of the presence log.
fn been(known: &AgentSettings, state: &str) -> Vec<Fact> {
    let agent = known.agent.clone();
    let availability = match state {
        "online" => Availability::Online,
        "busy" => Availability::Busy,
        "away" => Availability::Away,
        "lost" => return vec![Fact::AgentLost { agent }],
        _ => return vec![Fact::AgentSignedOut { agent }],
    };
    let set = AgentSettings { availability, ..known.clone() };
    vec![Fact::AgentSet(Box::new(set)), Fact::AgentConnected { agent }]
}
