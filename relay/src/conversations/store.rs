//! The SQL of conversations; that of messages and of marks beside it.

use std::collections::BTreeSet;

use yingke_shared::ids::{AgentId, ConversationId, DepartmentId, Position, SiteId, VisitorId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{ConversationStatus, EndedBy, ManagerAlert, WaitingReason};

use super::rules::{
    alert_of_word, ended_by_of_word, ended_by_word, reason_of_word, reason_word, visitor_label,
};
use crate::events::members_of;
use crate::params;
use crate::settings::queries::default_department;
use crate::store::{ReadTx, Row, StoreError, WriteTx};

mod assignments;
mod invitations;
mod marks;
mod messages;
mod notes;
mod routing;
mod standing;

pub(crate) use assignments::{assignments, contacts, insert_assignment};
pub(crate) use invitations::{
    InvitationRow, all_open_invitations, close_invitation, decline, insert_invitation,
    invitations_to, load_invitation, offer, open_invitations,
};

#[cfg(test)]
pub(crate) use assignments::{ASSIGNMENTS, HAD};
#[cfg(test)]
pub(crate) use invitations::{INVITATIONS_TO, OPEN_INVITATIONS};
#[cfg(test)]
pub(crate) use marks::AGENT_MARKS;
pub(crate) use marks::{ReaderMarks, agent_marks, marks, set_marks};
#[cfg(test)]
pub(crate) use messages::{HISTORY, MESSAGES};
pub(crate) use messages::{
    INSERT_MESSAGE, RUNNING, SENT, history, insert_message, last_messages, message_bytes, messages,
    running, said_before, sent, visitor_count_at,
};
pub(crate) use notes::{insert_note, note_at, note_bytes, note_of, notes_between};
pub(crate) use routing::{
    Asked, InRouting, all_in_routing, begun_by, describe, had_by, has_answered, load_in_routing,
    newest_assignments, serving_agents, set_alert, set_asked, set_waiting_reason, talk, wrap_ups,
};
#[cfg(test)]
pub(crate) use routing::{BEGUN_BY, HAD_BY, HAS_ANSWERED, TALK};
#[cfg(test)]
pub(crate) use standing::HAS_PLACE;
pub(crate) use standing::{
    answered, clear_alert, hand_to, has_place, insert_leave_message, insert_wrap_up, note_served,
    requeue, set_members,
};

/// One conversation's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conversation {
    pub(crate) id: ConversationId,
    pub(crate) visitor_id: VisitorId,
    pub(crate) site_id: SiteId,
    pub(crate) status: ConversationStatus,
    /// Who serves it, or served it last.
    pub(crate) agent_id: Option<AgentId>,
    pub(crate) page_url: String,
    pub(crate) page_title: String,
    pub(crate) locale: String,
    pub(crate) started_at: Timestamp,
    pub(crate) started_position: Position,
    pub(crate) assigned_at: Option<Timestamp>,
    pub(crate) first_response_at: Option<Timestamp>,
    /// `None` before the rules were asked.
    pub(crate) department_id: Option<DepartmentId>,
    pub(crate) vip: bool,
    /// Who takes part beside the one who serves it.
    pub(crate) members: Vec<AgentId>,
    /// Those of them the visitor was not told of.
    pub(crate) unannounced: Vec<AgentId>,
    /// Moves for want of an answer since the last answer.
    pub(crate) tries: u32,
    /// Managers were told of it and it is neither answered nor over.
    pub(crate) is_alerted: bool,
}

impl Conversation {
    /// Who sees it live: the one who serves it and the members.
    pub(crate) fn seen_by(&self) -> Vec<AgentId> {
        match &self.status {
            ConversationStatus::Serving { agent_id } => {
                std::iter::once(agent_id).chain(&self.members).cloned().collect()
            }
            ConversationStatus::Waiting { .. } | ConversationStatus::Ended { .. } => Vec::new(),
        }
    }
}

/// What routing needs of an open conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenConversation {
    /// Which.
    pub id: ConversationId,
    /// Whose.
    pub visitor_id: VisitorId,
    /// Waiting or served.
    pub status: ConversationStatus,
    /// When the visitor began to wait, for people.
    pub started_at: Timestamp,
    /// The order of the line, whatever clocks say.
    pub started_position: Position,
    /// When the serving agent took it.
    pub assigned_at: Option<Timestamp>,
    /// Who takes part beside that agent.
    pub members: Vec<AgentId>,
}

/// A statement over `conversations` with the columns [`conversation`] reads.
macro_rules! conversation_statement {
    ($rest:literal) => {
        concat!(
            "SELECT id, visitor_id, site_id, state, waiting_reason, agent_id, ended_at, ended_by, ",
            "page_url, page_title, locale, started_at, started_position, assigned_at, ",
            "first_response_at, department_id, vip, members, alert, unannounced, tries ",
            "FROM conversations ",
            $rest
        )
    };
}

fn status_of(row: &Row<'_>) -> Result<ConversationStatus, StoreError> {
    match row.str(3)? {
        "waiting" => reason_of_word(row.str(4)?)
            .map(|reason| ConversationStatus::Waiting { reason })
            .ok_or(StoreError::Corrupt("waiting reason")),
        "serving" => Ok(ConversationStatus::Serving { agent_id: row.id(5)? }),
        "ended" => {
            let by = ended_by_of_word(&row.opt_text(7)?.unwrap_or_default())
                .ok_or(StoreError::Corrupt("ended by"))?;
            Ok(ConversationStatus::Ended { by, at: row.time(6)? })
        }
        _ => Err(StoreError::Corrupt("conversation state")),
    }
}

fn conversation(row: &Row<'_>) -> Result<Conversation, StoreError> {
    Ok(Conversation {
        id: row.id(0)?,
        visitor_id: row.id(1)?,
        site_id: row.id(2)?,
        status: status_of(row)?,
        agent_id: row.opt_id(5)?,
        page_url: row.text(8)?,
        page_title: row.text(9)?,
        locale: row.text(10)?,
        started_at: row.time(11)?,
        started_position: row.position(12)?,
        assigned_at: row.opt_time(13)?,
        first_response_at: row.opt_time(14)?,
        department_id: row.opt_id(15)?,
        vip: row.flag(16)?,
        members: members_of(row.str(17)?)?,
        is_alerted: !row.str(18)?.is_empty(),
        unannounced: members_of(row.str(19)?)?,
        tries: u32::try_from(row.int(20)?).map_err(|_| StoreError::Corrupt("tries"))?,
    })
}

pub(crate) const BY_ID: &str = conversation_statement!("WHERE id = ?");
pub(crate) const OPEN_OF_VISITOR: &str =
    conversation_statement!("WHERE visitor_id = ? AND state <> 'ended'");
pub(crate) const NEWEST_OF_VISITOR: &str =
    conversation_statement!("WHERE visitor_id = ? ORDER BY started_position DESC LIMIT 1");
pub(crate) const SERVED_BY_AGENT: &str = conversation_statement!(
    "WHERE agent_id = ? AND state = 'serving' AND id > ? ORDER BY id LIMIT ?"
);
pub(crate) const WAITING: &str = conversation_statement!(
    "WHERE state = 'waiting' AND started_position > ? ORDER BY started_position LIMIT ?"
);

pub(crate) fn load(
    tx: &ReadTx<'_>,
    id: &ConversationId,
) -> Result<Option<Conversation>, StoreError> {
    tx.query_one(BY_ID, params![id], conversation)
}

pub(crate) fn open_of_visitor(
    tx: &ReadTx<'_>,
    visitor_id: &VisitorId,
) -> Result<Option<Conversation>, StoreError> {
    tx.query_one(OPEN_OF_VISITOR, params![visitor_id], conversation)
}

pub(crate) fn newest_of_visitor(
    tx: &ReadTx<'_>,
    visitor_id: &VisitorId,
) -> Result<Option<Conversation>, StoreError> {
    tx.query_one(NEWEST_OF_VISITOR, params![visitor_id], conversation)
}

/// What the agent takes part in beside somebody else, by id. Few conversations have members at all.
pub(crate) const SHARED: &str =
    conversation_statement!("WHERE state = 'serving' AND members <> '[]' ORDER BY id");

pub(crate) fn member_of(
    tx: &ReadTx<'_>,
    agent_id: &AgentId,
) -> Result<Vec<Conversation>, StoreError> {
    let mut shared = tx.query(SHARED, params![], conversation)?;
    shared.retain(|row| row.members.contains(agent_id));
    Ok(shared)
}

/// What the agent serves now, by id, after `after`.
pub(crate) fn served_by(
    tx: &ReadTx<'_>,
    agent_id: &AgentId,
    after: &str,
    limit: usize,
) -> Result<Vec<Conversation>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    tx.query(SERVED_BY_AGENT, params![agent_id, after, limit], conversation)
}

/// Who waits, in line, after this position.
pub(crate) fn waiting(
    tx: &ReadTx<'_>,
    after: Position,
    limit: u32,
) -> Result<Vec<Conversation>, StoreError> {
    tx.query(WAITING, params![after, limit], conversation)
}

/// The position of the newest event about it that is no message.
pub(crate) const NEWEST_EVENT: &str = "SELECT position FROM v_log \
     WHERE conversation_id = ? AND seq IS NULL ORDER BY position DESC LIMIT 1";

/// The position of its newest message's event.
pub(crate) const NEWEST_MESSAGE: &str =
    "SELECT position FROM messages WHERE conversation_id = ? ORDER BY seq DESC LIMIT 1";

/// The position of the newest event about it: the record's `rev`.
pub(crate) fn rev(tx: &ReadTx<'_>, id: &ConversationId) -> Result<Position, StoreError> {
    let newest = |sql| tx.query_one(sql, params![id], |row| row.position(0));
    Ok(newest(NEWEST_EVENT)?.max(newest(NEWEST_MESSAGE)?).unwrap_or(Position::ZERO))
}

pub(crate) const EVER_SERVED: &str =
    "SELECT 1 FROM conversation_agents WHERE conversation_id = ? AND agent_id = ?";

/// Did this agent ever serve it?
pub(crate) fn ever_served(
    tx: &ReadTx<'_>,
    id: &ConversationId,
    agent_id: &AgentId,
) -> Result<bool, StoreError> {
    Ok(tx.query_one(EVER_SERVED, params![id, agent_id], |row| row.int(0))?.is_some())
}

pub(crate) const SERVED_VISITOR: &str = "SELECT 1 FROM conversations c \
     JOIN conversation_agents s ON s.conversation_id = c.id \
     WHERE c.visitor_id = ? AND s.agent_id = ? LIMIT 1";

/// Did this agent ever serve this visitor?
pub(crate) fn served_visitor(
    tx: &ReadTx<'_>,
    visitor_id: &VisitorId,
    agent_id: &AgentId,
) -> Result<bool, StoreError> {
    let found = tx.query_one(SERVED_VISITOR, params![visitor_id, agent_id], |row| row.int(0))?;
    Ok(found.is_some())
}

pub(crate) const AGENTS_OF_VISITOR: &str = "SELECT s.agent_id FROM conversations c \
     JOIN conversation_agents s ON s.conversation_id = c.id WHERE c.visitor_id = ?";

/// Who ever served this visitor.
pub(crate) fn agents_of_visitor(
    tx: &ReadTx<'_>,
    visitor_id: &VisitorId,
) -> Result<BTreeSet<AgentId>, StoreError> {
    let found = tx.query(AGENTS_OF_VISITOR, params![visitor_id], |row| row.id(0))?;
    Ok(found.into_iter().collect())
}

/// A new conversation of this visitor, waiting; gives whether there was none open (P17: the unique
/// index decides).
pub(crate) fn insert(tx: &mut WriteTx<'_>, new: &Conversation) -> Result<bool, StoreError> {
    let inserted = tx.execute(
        "INSERT INTO conversations (id, site_id, visitor_id, state, waiting_reason, page_url, \
         page_title, locale, started_at, started_position) \
         VALUES (?, ?, ?, 'waiting', ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (visitor_id) WHERE state <> 'ended' DO NOTHING",
        params![
            new.id,
            new.site_id,
            new.visitor_id,
            reason_word(WaitingReason::Routing),
            new.page_url,
            new.page_title,
            new.locale,
            new.started_at,
            new.started_position
        ],
    )?;
    Ok(inserted == 1)
}

/// A statement over `conversations` with the columns [`manager_alert`] reads.
macro_rules! alert_statement {
    ($rest:literal) => {
        concat!(
            "SELECT id, alert, alerted_at, alerted_position, visitor_id, department_id ",
            "FROM conversations WHERE state <> 'ended' AND alert <> '' ",
            $rest
        )
    };
}

fn manager_alert(row: &Row<'_>) -> Result<ManagerAlert, StoreError> {
    let visitor_id: VisitorId = row.id(4)?;
    let department_id: Option<DepartmentId> = row.opt_id(5)?;
    Ok(ManagerAlert {
        conversation_id: row.id(0)?,
        what: alert_of_word(&row.text(1)?).ok_or(StoreError::Corrupt("alert"))?,
        at: row.time(2)?,
        rev: row.position(3)?,
        label: visitor_label(&visitor_id),
        department_id: department_id.map_or_else(default_department, Ok)?,
    })
}

pub(crate) const ALERT: &str = alert_statement!("AND id = ?");

/// What managers are told of this conversation, if nobody has seen to it.
pub(crate) fn alert(
    tx: &ReadTx<'_>,
    id: &ConversationId,
) -> Result<Option<ManagerAlert>, StoreError> {
    tx.query_one(ALERT, params![id], manager_alert)
}

/// What managers are told of and nobody has seen to, the newest first.
pub(crate) fn alerts(tx: &ReadTx<'_>, limit: u32) -> Result<Vec<ManagerAlert>, StoreError> {
    tx.query(
        alert_statement!("ORDER BY alerted_position DESC LIMIT ?"),
        params![limit],
        manager_alert,
    )
}

/// Ends an open conversation; gives whether it was open.
pub(crate) fn end(
    tx: &mut WriteTx<'_>,
    id: &ConversationId,
    by: EndedBy,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let ended = tx.execute(
        "UPDATE conversations SET state = 'ended', waiting_reason = '', ended_at = ?, ended_by = ? \
         WHERE id = ? AND state <> 'ended'",
        params![now, ended_by_word(by), id],
    )?;
    Ok(ended == 1)
}

/// Notes when an agent first wrote; later calls change nothing.
pub(crate) fn set_first_response(
    tx: &mut WriteTx<'_>,
    id: &ConversationId,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE conversations SET first_response_at = ? \
         WHERE id = ? AND first_response_at IS NULL",
        params![at, id],
    )?;
    Ok(())
}
