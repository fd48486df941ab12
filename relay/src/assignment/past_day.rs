//! A past day as rows tell it: who was there when, who came, who got whom, what was said when.
//!
//! Reads only, and other rooms' rows: conversations, assignments, messages without their texts, accounts
//! and the presence log. What accounts were that day is not stored, so capacities, departments and
//! skills are those of now.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use yingke_routing::replay::{PastDay, PastFact};
use yingke_routing::{AgentSettings, Availability, Fact, Millis, SiteId};
use yingke_shared::ids::{AgentId, ConversationId, DepartmentId};
use yingke_shared::settings::{CompanySettings, DepartmentSettings, RuleSettings};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{EndedBy, SystemNotice};

use super::past_talk::{Got, HandedOver, Held, Lived, Usual};
use super::{facts, rows, settings as converted, words};
use crate::agents;
use crate::conversations::rules::ended_by_of_word;
use crate::limits::{REPLAY_CONVERSATIONS_MAX, REPLAY_FACTS_MAX, REPLAY_MESSAGES_MAX};
use crate::params;
use crate::settings::queries as company;
use crate::store::{ReadTx, Row, StoreError};

/// Everything that was open at any time of the day. No index gives it: it is asked by hand, and every
/// conversation would pay for one.
const OPEN: &str = "SELECT id, site_id, started_position, started_at, ended_at, ended_by, \
    department_id, described, \
    EXISTS (SELECT 1 FROM leave_messages l WHERE l.conversation_id = c.id AND l.is_filed = 0) \
    FROM conversations c WHERE started_at < ? AND (ended_at IS NULL OR ended_at > ?) \
    ORDER BY started_position LIMIT ?";
const GOT: &str = "SELECT conversation_id, at, agent_id, how FROM assignments \
    WHERE at >= ? AND at < ? ORDER BY at, position LIMIT ?";
/// Who had one when the day began, and whether it went back in line since.
const HAD_BEFORE: &str = "SELECT at, agent_id, how FROM assignments \
    WHERE conversation_id = ? AND at < ? ORDER BY position DESC LIMIT 1";
const NOTICES_BEFORE: &str = "SELECT content FROM messages \
    WHERE conversation_id = ? AND is_notice = 1 AND at >= ? AND at < ? ORDER BY seq";
/// The stretch of the log that holds the day: from the last conversation that began before it to the
/// first one after it.
const STRETCH: &str = "SELECT \
    coalesce((SELECT max(started_position) FROM conversations WHERE started_at < ?), 0), \
    coalesce((SELECT min(started_position) FROM conversations WHERE started_at >= ?), \
    (SELECT position + 1 FROM log_head WHERE id = 1))";
/// Without what people wrote.
const SAID: &str = "SELECT conversation_id, at, author, \
    CASE WHEN is_notice = 1 THEN content ELSE '' END FROM messages \
    WHERE position >= ? AND position < ? AND at >= ? AND at < ? ORDER BY position LIMIT ?";
const WRAPPED_UP: &str = "SELECT conversation_id, at FROM events WHERE position >= ? \
    AND position < ? AND at >= ? AND at < ? AND kind = 'wrap_up_done' ORDER BY position LIMIT ?";

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
    /// What became of those that were open, by conversation.
    pub(crate) happened: BTreeMap<ConversationId, Happened>,
    pub(crate) company: CompanySettings,
    pub(crate) departments: Vec<DepartmentSettings>,
    pub(crate) rules: Vec<RuleSettings>,
}

/// What happened to one conversation.
pub(crate) struct Happened {
    /// The visitor began it that day.
    pub(crate) counts: bool,
    pub(crate) came: Timestamp,
    pub(crate) department_id: DepartmentId,
    /// Who had it, each from when until when.
    pub(crate) had: Vec<Held>,
    /// How long after it came it was answered.
    pub(crate) answer_ms: Option<Millis>,
    /// How often somebody else got it for want of an answer.
    pub(crate) moved: u64,
}

/// The day and a little of the log around it.
#[derive(Clone, Copy)]
struct Stretch {
    began: Timestamp,
    until: Timestamp,
    first: i64,
    after: i64,
}

/// Reads the day, as far as it is over at `now`.
pub(crate) fn read(tx: &ReadTx<'_>, day: &str, now: Timestamp) -> Result<Found, StoreError> {
    let set = company::company(tx)?.value;
    let Some((began, ends)) = converted::day_of(&set.zone, day).filter(|day| day.0 <= now) else {
        return Ok(Found::NoDay);
    };
    let until = ends.min(now);
    let Some(lived) = lived(tx, began, until, &set.default_department)? else {
        return Ok(Found::TooMuch);
    };
    let handed_over = lived.iter().flat_map(|lived| lived.handed_over(until)).collect();
    let agents = agents_of(tx, began, until, &handed_over)?;
    if agents.len() > REPLAY_FACTS_MAX {
        return Ok(Found::TooMuch);
    }
    let usual = Usual::of(&lived, until);
    let conversations = lived.iter().map(|lived| lived.past(&usual, until, &handed_over)).collect();
    let happened = lived.iter().map(|lived| (lived.id.clone(), happened(lived, until))).collect();
    let agent = |(id, ms): (&AgentId, &Millis)| (words::agent(id), *ms);
    let day = PastDay {
        agents,
        conversations,
        answers: usual.answers.iter().map(agent).collect(),
        answer_ms: usual.answer_ms,
        until: until.millis(),
    };
    Ok(Found::Day(Box::new(Known {
        began,
        day,
        happened,
        company: set,
        departments: company::departments(tx)?.value,
        rules: company::rules(tx)?.value,
    })))
}

fn happened(lived: &Lived, until: Timestamp) -> Happened {
    let answered_at = lived.answered_at();
    Happened {
        counts: lived.counts,
        came: lived.came,
        department_id: lived.department_id.clone(),
        had: lived.held(until),
        answer_ms: answered_at.map(|at| at.millis().saturating_sub(lived.came.millis())),
        moved: lived.moved(),
    }
}

/// Everything that was open that day; `None` if it is too much.
fn lived(
    tx: &ReadTx<'_>,
    began: Timestamp,
    until: Timestamp,
    default: &DepartmentId,
) -> Result<Option<Vec<Lived>>, StoreError> {
    let limit = |most: usize| u32::try_from(most + 1).unwrap_or(u32::MAX);
    let came = |row: &Row<'_>| lived_of(row, began, until, default);
    let mut all = tx.query(OPEN, params![until, began, limit(REPLAY_CONVERSATIONS_MAX)], came)?;
    let got = tx.query(GOT, params![began, until, limit(REPLAY_FACTS_MAX)], |row| {
        Ok((row.id::<ConversationId>(0)?, got(row, 1)?))
    })?;
    if all.len() > REPLAY_CONVERSATIONS_MAX || got.len() > REPLAY_FACTS_MAX {
        return Ok(None);
    }
    for lived in all.iter_mut().filter(|lived| lived.came == began) {
        lived.got.extend(had_before(tx, &lived.id, began)?);
    }
    let nth: BTreeMap<_, _> =
        all.iter().enumerate().map(|(nth, lived)| (lived.id.clone(), nth)).collect();
    let mut of = |id: &ConversationId, note: &mut dyn FnMut(&mut Lived)| {
        if let Some(lived) = nth.get(id).and_then(|nth| all.get_mut(*nth)) {
            note(lived);
        }
    };
    for (id, got) in got {
        let mut got = Some(got);
        of(&id, &mut |lived| lived.got.extend(got.take()));
    }
    let (first, after) = tx
        .query_one(STRETCH, params![began, until], |row| Ok((row.int(0)?, row.int(1)?)))?
        .unwrap_or_default();
    let stretch = Stretch { began, until, first, after };
    let is_all = said(tx, stretch, &mut of)?;
    let Stretch { began, until, first, after } = stretch;
    let most = limit(REPLAY_FACTS_MAX);
    let done = tx.query(WRAPPED_UP, params![first, after, began, until, most], |row| {
        Ok((row.id::<ConversationId>(0)?, row.time(1)?))
    })?;
    let fits = done.len() <= REPLAY_FACTS_MAX;
    for (id, at) in done {
        of(&id, &mut |lived| lived.wrapped_up = Some(at));
    }
    Ok((is_all && fits).then_some(all))
}

/// Notes in `of` what was said and when conversations went back in line; whether that is all.
fn said(
    tx: &ReadTx<'_>,
    stretch: Stretch,
    of: &mut impl FnMut(&ConversationId, &mut dyn FnMut(&mut Lived)),
) -> Result<bool, StoreError> {
    let Stretch { began, until, first, after } = stretch;
    let most = u32::try_from(REPLAY_MESSAGES_MAX + 1).unwrap_or(u32::MAX);
    let mut count = 0;
    tx.scan(SAID, params![first, after, began, until, most], |row| {
        count += 1;
        let (id, at, author) = (row.id::<ConversationId>(0)?, row.time(1)?, row.text(2)?);
        let by_visitor = author == "visitor";
        if by_visitor || author == "agent" {
            of(&id, &mut |lived| lived.wrote.push((at, by_visitor)));
        } else if let Some(SystemNotice::Requeued { why }) = notice(&row.text(3)?) {
            of(&id, &mut |lived| lived.requeued.push((at, why)));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(count <= REPLAY_MESSAGES_MAX)
}

/// What the relay said; one that is damaged said nothing.
fn notice(content: &str) -> Option<SystemNotice> {
    serde_json::from_str(content).ok()
}

fn got(row: &Row<'_>, first: usize) -> Result<Got, StoreError> {
    let how = serde_json::from_str(&row.text(first + 2)?).ok();
    Ok(Got { at: row.time(first)?, agent_id: row.id(first + 1)?, how })
}

/// Who had it when the day began, as of that moment.
fn had_before(
    tx: &ReadTx<'_>,
    id: &ConversationId,
    began: Timestamp,
) -> Result<Option<Got>, StoreError> {
    let Some(had) = tx.query_one(HAD_BEFORE, params![id, began], |row| got(row, 0))? else {
        return Ok(None);
    };
    let notices = tx.query(NOTICES_BEFORE, params![id, had.at, began], |row| row.text(0))?;
    let back = |content: &String| matches!(notice(content), Some(SystemNotice::Requeued { .. }));
    Ok((!notices.iter().any(back)).then_some(Got { at: began, ..had }))
}

fn lived_of(
    row: &Row<'_>,
    began: Timestamp,
    until: Timestamp,
    default: &DepartmentId,
) -> Result<Lived, StoreError> {
    let started = row.time(3)?;
    let described = row.text(7)?;
    let by: Option<EndedBy> = ended_by_of_word(&row.opt_text(5)?.unwrap_or_default());
    let department_id: Option<DepartmentId> = row.opt_id(6)?;
    Ok(Lived {
        id: row.id(0)?,
        number: row.position(2)?.get(),
        visitor: facts::described(&described, &SiteId::new(&row.text(1)?)),
        counts: started >= began && !described.is_empty(),
        department_id: department_id.unwrap_or_else(|| default.clone()),
        came: started.max(began),
        ended: row.opt_time(4)?.filter(|at| *at < until).map(|at| (at, by)),
        left_message: row.flag(8)?,
        got: Vec::new(),
        requeued: Vec::new(),
        wrote: Vec::new(),
        wrapped_up: None,
    })
}

/// Who was there, from what each was when the day began.
fn agents_of(
    tx: &ReadTx<'_>,
    began: Timestamp,
    until: Timestamp,
    handed_over: &HandedOver,
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
        let fact = Fact::AgentSet(Box::new(first));
        all.push(PastFact { at: began.millis(), fact, hands_over: false });
        for (at, state) in lines {
            let hands_over = state == "away" && handed_over.contains(&(agent.id.clone(), at));
            let at = at.max(began).millis();
            let past = |fact| PastFact { at, fact, hands_over };
            all.extend(been(&known, &state).into_iter().map(past));
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
