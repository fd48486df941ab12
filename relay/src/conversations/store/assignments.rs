//! Who had a conversation and why (X04), and whom an agent had to do with lately (C05).

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use yingke_shared::explanation::{AssignedHow, Assignment};
use yingke_shared::ids::{AgentId, ConversationId, VisitorId};
use yingke_shared::time::Timestamp;

use super::Conversation;
use crate::limits::CONTACT_CONVERSATIONS_READ_MAX;
use crate::params;
use crate::store::{ReadTx, StoreError, WriteTx};

/// Notes who has it and why; its event is the next one appended.
pub(crate) fn insert_assignment(
    tx: &mut WriteTx<'_>,
    row: &Conversation,
    agent_id: &AgentId,
    how: &AssignedHow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let position = tx.next_position();
    let how = serde_json::to_string(how).map_err(|_| StoreError::Corrupt("assignment"))?;
    tx.execute(
        "INSERT INTO assignments (conversation_id, position, at, agent_id, department_id, how) \
         VALUES (?, ?, ?, ?, ?, ?)",
        params![row.id, position, now, agent_id, row.department_id, how],
    )?;
    Ok(())
}

pub(crate) const ASSIGNMENTS: &str = "SELECT at, agent_id, how FROM assignments \
     WHERE conversation_id = ? ORDER BY position DESC LIMIT ?";

/// The newest assignments of a conversation, oldest first.
pub(crate) fn assignments(
    tx: &ReadTx<'_>,
    id: &ConversationId,
    rows_max: u32,
) -> Result<Vec<Assignment>, StoreError> {
    let mut found = tx.query(ASSIGNMENTS, params![id, rows_max], |row| {
        let how: AssignedHow =
            serde_json::from_str(&row.text(2)?).map_err(|_| StoreError::Corrupt("assignment"))?;
        Ok(Assignment { at: row.time(0)?, agent_id: row.id(1)?, how })
    })?;
    found.reverse();
    Ok(found)
}

/// Conversations an agent had a part in, the newest first: their ids sort by creation.
pub(crate) const HAD: &str = "SELECT s.conversation_id, c.visitor_id FROM conversation_agents s \
     JOIN conversations c ON c.id = s.conversation_id \
     WHERE s.agent_id = ? ORDER BY s.conversation_id DESC LIMIT ?";

/// The visitors this agent had to do with last, each with the newest conversation of the two.
pub(crate) fn contacts(
    tx: &ReadTx<'_>,
    agent_id: &AgentId,
    visitors_max: usize,
) -> Result<Vec<(VisitorId, ConversationId)>, StoreError> {
    let (mut known, mut found) = (BTreeSet::new(), Vec::new());
    tx.scan(HAD, params![agent_id, CONTACT_CONVERSATIONS_READ_MAX], |row| {
        let (conversation_id, visitor_id): (ConversationId, VisitorId) = (row.id(0)?, row.id(1)?);
        if known.insert(visitor_id.clone()) {
            found.push((visitor_id, conversation_id));
        }
        let is_full = found.len() >= visitors_max;
        Ok(if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(found)
}
