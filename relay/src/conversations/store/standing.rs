//! The SQL of who has a conversation: handing it on, putting it back in line, who takes part, and what
//! hangs on it. Each is conditional on what was true when it was decided.

use yingke_shared::ids::{AgentId, ConversationId, VisitorId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{RequeueReason, WaitingReason};

use super::super::rules::{reason_word, requeue_word};
use super::Conversation;
use crate::params;
use crate::settings::rules::WRAP_UP_S_MAX;
use crate::store::{ReadTx, StoreError, WriteTx};

/// Gives a conversation to an agent if it still is with `from`; `None`: if it still waits.
pub(crate) const HAND_TO: &str = "UPDATE conversations SET state = 'serving', agent_id = ?, \
     waiting_reason = '', assigned_at = ?, members = ?, unannounced = ?, front = 0, \
     requeue_reason = '', tries = tries + ?, \
     own_named = CASE WHEN own_agent_id = ? THEN own_named ELSE 0 END, own_agent_id = ? \
     WHERE id = ? AND state = ? AND coalesce(agent_id, '') = ?";

/// Gives the conversation to `after.agent_id` with `after.members` if it still is with `from`, and
/// whether it was so. It is meant for that agent from now on. `moved` counts a move for want of an answer.
pub(crate) fn hand_to(
    tx: &mut WriteTx<'_>,
    from: Option<&AgentId>,
    after: &Conversation,
    moved: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let state = if from.is_some() { "serving" } else { "waiting" };
    let changed = tx.execute(
        HAND_TO,
        params![
            after.agent_id,
            now,
            ids(&after.members)?,
            ids(&after.unannounced)?,
            moved,
            after.agent_id,
            after.agent_id,
            after.id,
            state,
            from.map_or("", AgentId::as_str)
        ],
    )?;
    Ok(changed == 1)
}

/// Puts a served conversation at the front of the line, without anybody who took part; gives whether
/// that agent served it. One that was handed over waits for nobody in particular.
pub(crate) fn requeue(
    tx: &mut WriteTx<'_>,
    id: &ConversationId,
    from: &AgentId,
    why: RequeueReason,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = tx.execute(
        "UPDATE conversations SET state = 'waiting', waiting_reason = ?, agent_id = NULL, \
         assigned_at = NULL, members = '[]', unannounced = '[]', waiting_since = ?, front = 1, \
         requeue_reason = ?, told_at = NULL, tries = tries + ?, \
         own_agent_id = CASE WHEN ? THEN NULL ELSE own_agent_id END, \
         own_named = CASE WHEN ? THEN 0 ELSE own_named END \
         WHERE id = ? AND state = 'serving' AND agent_id = ?",
        params![
            reason_word(WaitingReason::Routing),
            now,
            requeue_word(why),
            why == RequeueReason::NoAnswer,
            why == RequeueReason::HandedOver,
            why == RequeueReason::HandedOver,
            id,
            from
        ],
    )?;
    Ok(changed == 1)
}

/// Who takes part beside the one who serves it, and whom of them the visitor was not told of.
pub(crate) fn set_members(tx: &mut WriteTx<'_>, row: &Conversation) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE conversations SET members = ?, unannounced = ? WHERE id = ?",
        params![ids(&row.members)?, ids(&row.unannounced)?, row.id],
    )?;
    Ok(())
}

fn ids(agents: &[AgentId]) -> Result<String, StoreError> {
    serde_json::to_string(agents).map_err(|_| StoreError::Corrupt("members"))
}

/// Notes that the agent had it or takes part: the agent may read it from now on, and the visitor
/// knows the agent's name. Gives whether that is new.
pub(crate) fn note_served(
    tx: &mut WriteTx<'_>,
    id: &ConversationId,
    agent_id: &AgentId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let noted = tx.execute(
        "INSERT INTO conversation_agents (conversation_id, agent_id, first_at) \
         VALUES (?, ?, ?) ON CONFLICT (conversation_id, agent_id) DO NOTHING",
        params![id, agent_id, now],
    )?;
    Ok(noted == 1)
}

pub(crate) const HAS_PLACE: &str = "SELECT 1 FROM agents a WHERE a.id = ? AND a.capacity > ? \
     + (SELECT count(*) FROM conversations s WHERE s.agent_id = ? AND s.state = 'serving') \
     + (SELECT count(*) FROM wrap_ups w WHERE w.agent_id = ? AND w.until > ? AND w.until <= ?)";

/// No place is kept for longer than until then: what says so was written by a clock that was ahead, and
/// counts as over.
pub(super) fn kept_at_most(now: Timestamp) -> Timestamp {
    now.plus_millis(u64::from(WRAP_UP_S_MAX) * 1_000)
}

/// Whether fewer places of the agent are taken than the capacity has (B06): by what the agent serves,
/// takes part in, or has still to do after an end.
pub(crate) fn has_place(
    tx: &ReadTx<'_>,
    agent_id: &AgentId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let takes_part = i64::try_from(super::member_of(tx, agent_id)?.len()).unwrap_or(i64::MAX);
    let found = tx.query_one(
        HAS_PLACE,
        params![agent_id, takes_part, agent_id, agent_id, now, kept_at_most(now)],
        |row| row.int(0),
    )?;
    Ok(found.is_some())
}

/// An agent answered: nothing was moved for want of it, and managers need not look.
pub(crate) fn answered(tx: &mut WriteTx<'_>, id: &ConversationId) -> Result<(), StoreError> {
    tx.execute("UPDATE conversations SET tries = 0, alert = '' WHERE id = ?", params![id])?;
    Ok(())
}

/// Managers need not look any more.
pub(crate) fn clear_alert(tx: &mut WriteTx<'_>, id: &ConversationId) -> Result<(), StoreError> {
    tx.execute("UPDATE conversations SET alert = '' WHERE id = ?", params![id])?;
    Ok(())
}

/// The agent's place stays taken until then (C15). Places that are free by now are forgotten.
pub(crate) fn insert_wrap_up(
    tx: &mut WriteTx<'_>,
    id: &ConversationId,
    agent_id: &AgentId,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM wrap_ups WHERE agent_id = ? AND (until <= ? OR until > ?)",
        params![agent_id, now, kept_at_most(now)],
    )?;
    tx.execute(
        "INSERT INTO wrap_ups (conversation_id, agent_id, until) VALUES (?, ?, ?) \
         ON CONFLICT (conversation_id) DO NOTHING",
        params![id, agent_id, until],
    )?;
    Ok(())
}

/// What a visitor left when nobody was there (H03): by a form with a name and a contact, or `None` by
/// waiting for too long.
pub(crate) fn insert_leave_message(
    tx: &mut WriteTx<'_>,
    id: &ConversationId,
    visitor_id: &VisitorId,
    form: Option<(&str, &str)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (name, contact) = form.unwrap_or_default();
    tx.execute(
        "INSERT INTO leave_messages (conversation_id, visitor_id, name, contact, at, is_filed) \
         VALUES (?, ?, ?, ?, ?, ?)",
        params![id, visitor_id, name, contact, now, form.is_none()],
    )?;
    Ok(())
}
