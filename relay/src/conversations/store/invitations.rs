//! Invitations: rows that stay when they are over, so that a late answer learns it.

use yingke_shared::ids::{AgentId, ConversationId, DepartmentId, InvitationId, Position};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{Invitation, InvitationEnd, InvitationKind, Invitee};

use crate::params;
use crate::store::{ReadTx, Row, StoreError, WriteTx};

/// One invitation with what only the relay needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvitationRow {
    pub(crate) invitation: Invitation,
    /// Position of the event that offered it to the agent who is asked now.
    pub(crate) offered_position: Position,
    /// Who said no.
    pub(crate) declined: Vec<AgentId>,
    pub(crate) is_open: bool,
}

macro_rules! invitation_statement {
    ($rest:literal) => {
        concat!(
            "SELECT id, conversation_id, from_agent_id, to_agent_id, to_department_id, kind, note, ",
            "offered_to, offered_until, offered_position, declined, outcome FROM invitations ",
            $rest
        )
    };
}

fn kind_word(kind: InvitationKind) -> &'static str {
    match kind {
        InvitationKind::Transfer => "transfer",
        InvitationKind::Join => "join",
    }
}

fn end_word(end: InvitationEnd) -> &'static str {
    match end {
        InvitationEnd::Accepted => "accepted",
        InvitationEnd::Declined => "declined",
        InvitationEnd::Expired => "expired",
        InvitationEnd::Withdrawn => "withdrawn",
        InvitationEnd::AgentUnavailable => "agent_unavailable",
        InvitationEnd::NobodyFree => "nobody_free",
        InvitationEnd::Overtaken => "overtaken",
    }
}

fn invitation(row: &Row<'_>) -> Result<InvitationRow, StoreError> {
    let to_agent: Option<AgentId> = row.opt_id(3)?;
    let to_department: Option<DepartmentId> = row.opt_id(4)?;
    let to = match (to_agent, to_department) {
        (Some(agent_id), _) => Invitee::Agent { agent_id },
        (None, Some(department_id)) => Invitee::Department { department_id },
        (None, None) => return Err(StoreError::Corrupt("invitee")),
    };
    let kind = [InvitationKind::Transfer, InvitationKind::Join];
    let word = row.text(5)?;
    let kind = kind.into_iter().find(|kind| kind_word(*kind) == word);
    Ok(InvitationRow {
        invitation: Invitation {
            id: row.id(0)?,
            conversation_id: row.id(1)?,
            from: row.id(2)?,
            to,
            kind: kind.ok_or(StoreError::Corrupt("invitation kind"))?,
            note: row.text(6)?,
            offered_to: row.opt_id(7)?,
            expires_at: row.opt_time(8)?,
        },
        offered_position: row.position(9)?,
        declined: serde_json::from_str(&row.text(10)?)
            .map_err(|_| StoreError::Corrupt("invitation declined"))?,
        is_open: row.text(11)?.is_empty(),
    })
}

pub(crate) fn load_invitation(
    tx: &ReadTx<'_>,
    id: &InvitationId,
) -> Result<Option<InvitationRow>, StoreError> {
    tx.query_one(invitation_statement!("WHERE id = ?"), params![id], invitation)
}

pub(crate) const OPEN_INVITATIONS: &str =
    invitation_statement!("WHERE conversation_id = ? AND outcome = '' ORDER BY made_at, id");

/// The open ones of a conversation, in the order they were made.
pub(crate) fn open_invitations(
    tx: &ReadTx<'_>,
    conversation_id: &ConversationId,
) -> Result<Vec<InvitationRow>, StoreError> {
    tx.query(OPEN_INVITATIONS, params![conversation_id], invitation)
}

pub(crate) const INVITATIONS_TO: &str =
    invitation_statement!("WHERE offered_to = ? AND outcome = '' ORDER BY id");

/// The open ones this agent is asked by now.
pub(crate) fn invitations_to(
    tx: &ReadTx<'_>,
    agent_id: &AgentId,
) -> Result<Vec<InvitationRow>, StoreError> {
    tx.query(INVITATIONS_TO, params![agent_id], invitation)
}

/// All open ones, for routing.
pub(crate) fn all_open_invitations(tx: &ReadTx<'_>) -> Result<Vec<InvitationRow>, StoreError> {
    tx.query(
        invitation_statement!("WHERE outcome = '' ORDER BY conversation_id, made_at, id"),
        params![],
        invitation,
    )
}

/// A new one; gives whether there was none of this id.
pub(crate) fn insert_invitation(
    tx: &mut WriteTx<'_>,
    new: &Invitation,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (to_agent, to_department) = match &new.to {
        Invitee::Agent { agent_id } => (Some(agent_id), None),
        Invitee::Department { department_id } => (None, Some(department_id)),
    };
    let inserted = tx.execute(
        "INSERT INTO invitations (id, conversation_id, from_agent_id, to_agent_id, \
         to_department_id, kind, note, made_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (id) DO NOTHING",
        params![
            new.id,
            new.conversation_id,
            new.from,
            to_agent,
            to_department,
            kind_word(new.kind),
            new.note,
            now
        ],
    )?;
    Ok(inserted == 1)
}

/// Asks this agent, who is told at the position of the next event. Gives whether it was open.
pub(crate) fn offer(
    tx: &mut WriteTx<'_>,
    id: &InvitationId,
    agent_id: &AgentId,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let position = tx.next_position();
    let offered = tx.execute(
        "UPDATE invitations SET offered_to = ?, offered_until = ?, offered_position = ? \
         WHERE id = ? AND outcome = ''",
        params![agent_id, until, position, id],
    )?;
    Ok(offered == 1)
}

/// Notes that this agent said no; nobody is asked then. Gives whether this agent was asked.
pub(crate) fn decline(
    tx: &mut WriteTx<'_>,
    row: &InvitationRow,
    agent_id: &AgentId,
) -> Result<bool, StoreError> {
    let mut declined = row.declined.clone();
    declined.push(agent_id.clone());
    let declined = serde_json::to_string(&declined).map_err(|_| StoreError::Corrupt("declined"))?;
    let changed = tx.execute(
        "UPDATE invitations SET declined = ?, offered_to = NULL, offered_until = NULL \
         WHERE id = ? AND outcome = '' AND offered_to = ?",
        params![declined, row.invitation.id, agent_id],
    )?;
    Ok(changed == 1)
}

/// Ends it; gives whether it was open.
pub(crate) fn close_invitation(
    tx: &mut WriteTx<'_>,
    id: &InvitationId,
    why: InvitationEnd,
) -> Result<bool, StoreError> {
    let closed = tx.execute(
        "UPDATE invitations SET outcome = ? WHERE id = ? AND outcome = ''",
        params![end_word(why), id],
    )?;
    Ok(closed == 1)
}
