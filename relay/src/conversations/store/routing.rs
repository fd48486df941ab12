//! The SQL of what routing keeps: what a conversation asks for, how it waits, what was said to whom by
//! the relay itself. All of it is read again when the relay starts; each change is conditional.

use std::ops::ControlFlow;

use yingke_shared::ids::{
    AgentId, ConversationId, DepartmentId, Position, RuleId, Seq, SiteId, SkillId, VisitorId,
};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{
    AutoReply, ManagerAlertKind, RequeueReason, SystemNotice, WaitingReason,
};

use super::super::rules::{alert_word, reason_of_word, reason_word, requeue_of_word};
use super::standing::kept_at_most;
use crate::events::members_of;
use crate::params;
use crate::store::{ReadTx, Row, StoreError, WriteTx};

/// What a conversation asks for, as the rules or a person said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) department_id: DepartmentId,
    pub(crate) skill_id: Option<SkillId>,
    pub(crate) rule_id: Option<RuleId>,
    pub(crate) own_agent_id: Option<AgentId>,
    /// A rule or the visitor named that agent.
    pub(crate) own_named: bool,
    pub(crate) vip: bool,
    pub(crate) priority: u8,
}

/// What routing keeps of one open conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InRouting {
    pub(crate) id: ConversationId,
    pub(crate) site_id: SiteId,
    pub(crate) started_at: Timestamp,
    pub(crate) started_position: Position,
    /// `None` while it waits.
    pub(crate) agent_id: Option<AgentId>,
    pub(crate) assigned_at: Option<Timestamp>,
    pub(crate) members: Vec<AgentId>,
    /// JSON; empty if nobody asked for it to be routed.
    pub(crate) described: String,
    /// `None` before the rules were asked.
    pub(crate) asked: Option<Asked>,
    pub(crate) waiting_reason: WaitingReason,
    pub(crate) waiting_since: Option<Timestamp>,
    pub(crate) told_at: Option<Timestamp>,
    pub(crate) front: bool,
    pub(crate) requeued: Option<RequeueReason>,
    pub(crate) tries: u32,
    pub(crate) is_alerted: bool,
}

/// A statement over `conversations` with the columns [`in_routing`] reads.
macro_rules! routing_statement {
    ($rest:literal) => {
        concat!(
            "SELECT id, site_id, started_at, started_position, state, agent_id, assigned_at, ",
            "members, described, department_id, skill_id, rule_id, own_agent_id, own_named, vip, ",
            "priority, waiting_reason, waiting_since, told_at, front, tries, alert, requeue_reason ",
            "FROM conversations ",
            $rest
        )
    };
}

fn in_routing(row: &Row<'_>) -> Result<InRouting, StoreError> {
    let is_serving = row.text(4)? == "serving";
    let department_id: Option<DepartmentId> = row.opt_id(9)?;
    let asked = match department_id {
        None => None,
        Some(department_id) => Some(Asked {
            department_id,
            skill_id: row.opt_id(10)?,
            rule_id: row.opt_id(11)?,
            own_agent_id: row.opt_id(12)?,
            own_named: row.flag(13)?,
            vip: row.flag(14)?,
            priority: u8::try_from(row.int(15)?).unwrap_or(u8::MAX),
        }),
    };
    Ok(InRouting {
        id: row.id(0)?,
        site_id: row.id(1)?,
        started_at: row.time(2)?,
        started_position: row.position(3)?,
        agent_id: if is_serving { row.opt_id(5)? } else { None },
        assigned_at: row.opt_time(6)?,
        members: members_of(&row.text(7)?)?,
        described: row.text(8)?,
        asked,
        waiting_reason: reason_of_word(&row.text(16)?).unwrap_or(WaitingReason::Routing),
        waiting_since: row.opt_time(17)?,
        told_at: row.opt_time(18)?,
        front: row.flag(19)?,
        tries: u32::try_from(row.int(20)?).unwrap_or(u32::MAX),
        is_alerted: !row.text(21)?.is_empty(),
        requeued: requeue_of_word(&row.text(22)?),
    })
}

pub(crate) const SERVED_IN_ROUTING: &str =
    routing_statement!("WHERE state = 'serving' ORDER BY agent_id, id");
pub(crate) const WAITING_IN_ROUTING: &str =
    routing_statement!("WHERE state = 'waiting' ORDER BY started_position");

/// All that are not over: those who wait in the order they began, then those who are served. A row
/// that is damaged is named in the log and left out: without the others nobody is served.
pub(crate) fn all_in_routing(tx: &ReadTx<'_>) -> Result<Vec<InRouting>, StoreError> {
    let mut all = Vec::new();
    for sql in [WAITING_IN_ROUTING, SERVED_IN_ROUTING] {
        tx.scan(sql, params![], |row| {
            match in_routing(row) {
                Ok(found) => all.push(found),
                Err(error) => tracing::error!(%error, "a stored conversation is damaged"),
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(all)
}

/// One that is not over.
pub(crate) fn load_in_routing(
    tx: &ReadTx<'_>,
    id: &ConversationId,
) -> Result<Option<InRouting>, StoreError> {
    let sql = routing_statement!("WHERE id = ? AND state <> 'ended'");
    tx.query_one(sql, params![id], in_routing)
}

/// Who serves anything now.
pub(crate) fn serving_agents(tx: &ReadTx<'_>) -> Result<Vec<AgentId>, StoreError> {
    let sql = "SELECT DISTINCT agent_id FROM conversations WHERE state = 'serving'";
    tx.query(sql, params![], |row| row.id(0))
}

pub(crate) const HAD_BY: &str =
    "SELECT agent_id FROM conversation_agents WHERE conversation_id = ? ORDER BY agent_id";

/// Who ever had it.
pub(crate) fn had_by(tx: &ReadTx<'_>, id: &ConversationId) -> Result<Vec<AgentId>, StoreError> {
    tx.query(HAD_BY, params![id], |row| row.id(0))
}

pub(crate) const BEGUN_BY: &str = "SELECT count(*) FROM conversations WHERE visitor_id = ?";

/// How many conversations the visitor had.
pub(crate) fn begun_by(tx: &ReadTx<'_>, visitor_id: &VisitorId) -> Result<u32, StoreError> {
    let count = tx.query_one(BEGUN_BY, params![visitor_id], |row| row.int(0))?;
    Ok(u32::try_from(count.unwrap_or(0)).unwrap_or(u32::MAX))
}

/// What is known of the visitor, for the rules.
pub(crate) fn describe(
    tx: &mut WriteTx<'_>,
    id: &ConversationId,
    described: &str,
) -> Result<(), StoreError> {
    tx.execute("UPDATE conversations SET described = ? WHERE id = ?", params![described, id])?;
    Ok(())
}

/// Stores what the rules said. `routed` is their answer with its reasons, JSON.
pub(crate) fn set_asked(
    tx: &mut WriteTx<'_>,
    id: &ConversationId,
    asked: &Asked,
    routed: &str,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE conversations SET department_id = ?, skill_id = ?, rule_id = ?, own_agent_id = ?, \
         own_named = ?, vip = ?, priority = ?, routed = ? WHERE id = ?",
        params![
            asked.department_id,
            asked.skill_id,
            asked.rule_id,
            asked.own_agent_id,
            asked.own_named,
            asked.vip,
            u32::from(asked.priority),
            routed,
            id
        ],
    )?;
    Ok(())
}

/// Gives whether it waits for another reason now.
pub(crate) fn set_waiting_reason(
    tx: &mut WriteTx<'_>,
    id: &ConversationId,
    reason: WaitingReason,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let word = reason_word(reason);
    let changed = tx.execute(
        "UPDATE conversations SET waiting_reason = ?, told_at = ? \
         WHERE id = ? AND state = 'waiting' AND waiting_reason <> ?",
        params![word, now, id, word],
    )?;
    Ok(changed == 1)
}

/// Managers are told at the position of the next event. Gives whether they were not yet.
pub(crate) fn set_alert(
    tx: &mut WriteTx<'_>,
    id: &ConversationId,
    what: ManagerAlertKind,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let position = tx.next_position();
    let changed = tx.execute(
        "UPDATE conversations SET alert = ?, alerted_at = ?, alerted_position = ? \
         WHERE id = ? AND state <> 'ended' AND alert = ''",
        params![alert_word(what), now, position, id],
    )?;
    Ok(changed == 1)
}

/// What clocks need to know of what was said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Talk {
    /// Number of the newest message.
    pub(crate) seq: Seq,
    /// Number of the newest one that a person wrote.
    pub(crate) said: Seq,
    /// The first message of the visitor that nobody answered.
    pub(crate) unanswered_since: Option<Timestamp>,
    /// The agent's last text, if it is the last word.
    pub(crate) last_word_at: Option<Timestamp>,
    /// The visitor was asked in this silence.
    pub(crate) asked_at: Option<Timestamp>,
    /// The visitor was warned in this silence.
    pub(crate) warned_at: Option<Timestamp>,
    /// The missing answer was explained in this chain of unanswered messages.
    pub(crate) explained: bool,
}

impl Talk {
    /// The visitor waits for no answer, and nobody wrote since the message `said`.
    pub(crate) fn is_silent_since(&self, said: Seq) -> bool {
        self.unanswered_since.is_none() && self.said <= said
    }
}

pub(crate) const TALK: &str = "SELECT seq, author, content, is_notice, at, unanswered_since \
     FROM messages WHERE conversation_id = ? ORDER BY seq DESC";

/// Reads back from the newest message to the agent's last word, or to the last one before the first
/// unanswered. By the order of messages alone: clocks may have been set meanwhile.
pub(crate) fn talk(tx: &ReadTx<'_>, id: &ConversationId) -> Result<Talk, StoreError> {
    let mut talk = Talk::default();
    let (mut is_newest, mut was_said) = (true, false);
    tx.scan(TALK, params![id], |row| {
        if std::mem::replace(&mut is_newest, false) {
            talk.seq = row.seq(0)?;
            talk.unanswered_since = row.opt_time(5)?;
        }
        let at = row.time(4)?;
        if talk.unanswered_since.is_some() && row.opt_time(5)?.is_none() {
            return Ok(ControlFlow::Break(()));
        }
        if row.flag(3)? {
            // One of a later version says nothing here.
            let notice = serde_json::from_str(&row.text(2)?).ok();
            if let Some(SystemNotice::AutoReply { reply, .. }) = notice {
                match reply {
                    AutoReply::AskVisitor if !was_said => talk.asked_at = Some(at),
                    AutoReply::WarnVisitor if !was_said => talk.warned_at = Some(at),
                    AutoReply::ExplainDelay => talk.explained = true,
                    AutoReply::AskVisitor | AutoReply::WarnVisitor => {}
                }
            }
            return Ok(ControlFlow::Continue(()));
        }
        if !std::mem::replace(&mut was_said, true) {
            talk.said = row.seq(0)?;
            let is_agents = row.text(1)? == "agent";
            talk.last_word_at = is_agents.then_some(at);
        }
        let goes_on = talk.unanswered_since.is_some();
        Ok(if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok(talk)
}

pub(crate) const HAS_ANSWERED: &str = "SELECT 1 FROM messages WHERE conversation_id = ? \
     AND author = 'agent' AND actor_id = ? AND position >= coalesce((SELECT max(position) \
     FROM assignments WHERE conversation_id = ?), 0) LIMIT 1";

/// Whether this agent answered since somebody got the conversation last. By the log's order: clocks
/// may have been set meanwhile.
pub(crate) fn has_answered(
    tx: &ReadTx<'_>,
    id: &ConversationId,
    agent_id: &AgentId,
) -> Result<bool, StoreError> {
    Ok(tx.query_one(HAS_ANSWERED, params![id, agent_id, id], |row| row.int(0))?.is_some())
}

/// Places still kept after an end: whose, of which conversation, until when.
pub(crate) fn wrap_ups(
    tx: &ReadTx<'_>,
    now: Timestamp,
) -> Result<Vec<(AgentId, ConversationId, Timestamp)>, StoreError> {
    tx.query(
        "SELECT agent_id, conversation_id, until FROM wrap_ups WHERE until > ? AND until <= ? \
         ORDER BY conversation_id",
        params![now, kept_at_most(now)],
        |row| Ok((row.id(0)?, row.id(1)?, row.time(2)?)),
    )
}

/// The newest assignments of all: where, when, how (JSON); the newest first.
pub(crate) fn newest_assignments(
    tx: &ReadTx<'_>,
    after: Timestamp,
    rows_max: u32,
) -> Result<Vec<(DepartmentId, Timestamp, String)>, StoreError> {
    tx.query(
        "SELECT department_id, at, how FROM assignments \
         WHERE at > ? AND department_id IS NOT NULL ORDER BY at DESC LIMIT ?",
        params![after, rows_max],
        |row| Ok((row.id(0)?, row.time(1)?, row.text(2)?)),
    )
}
