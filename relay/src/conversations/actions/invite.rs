//! Asking a colleague or a department to take a conversation over or to join it (F01-F03, F06), the
//! answers, and the end of an invitation. An agent is asked at once; of a department routing asks one
//! after the other, by [`offer`] and [`close_invitation`]. Whatever changes who takes part closes what
//! no longer holds, by [`close_invitations`].

use std::sync::Arc;

use yingke_shared::commands::staff::{AnswerInvitation, Invite, WithdrawInvitation};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::explanation::AssignedHow;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{AgentId, ClientId, InvitationId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{
    Availability, ConversationStatus, Invitation, InvitationEnd, InvitationKind, Invitee,
};

use super::members::add_member;
use super::pass_on::{PassOn, pass_on};
use super::{Decided, Moment, event, permitted, present};
use crate::app::App;
use crate::auth::StaffIdentity;
use crate::auth::rules::sha256_hex;
use crate::conversations::store::{self, Conversation, InvitationRow};
use crate::error::RelayError;
use crate::events::{InvitationChange, LogBody};
use crate::limits::INVITATIONS_OPEN_MAX;
use crate::outcomes::{Occurrence, occurrence};
use crate::policy::ConversationDeed;
use crate::store::{Abort, StoreError, WriteTx};
use crate::{settings, text};

/// Asks an agent, who must be there, or a department. The command's id names the invitation.
pub async fn invite(
    app: Arc<App>,
    who: StaffIdentity,
    client_id: ClientId,
    command: Invite,
) -> Result<Outcome, RelayError> {
    text::may_be_remark(&command.note)?;
    let now = app.world.now();
    let id = InvitationId::new(client_id.as_str()).map_err(|_| ErrorCode::Internal)?;
    let is_connected = match &command.to {
        Invitee::Agent { agent_id } => app.hub.connected_agents().contains(agent_id),
        Invitee::Department { .. } => true,
    };
    let given = serde_json::to_string(&command).map_err(|_| ErrorCode::Internal)?;
    let given = format!("invite {}", sha256_hex(given.as_bytes()));
    app.store
        .write("invite", move |tx| {
            if occurrence(tx, &who.agent_id, &client_id, &given, now)? == Occurrence::Again {
                return Ok(());
            }
            let of = &command.conversation_id;
            let (row, _) = permitted(tx, &who, of, ConversationDeed::Invite)?;
            may_be_asked(tx, &row, &command.to, is_connected)?;
            let invitation = Invitation {
                id: id.clone(),
                conversation_id: row.id.clone(),
                from: who.agent_id.clone(),
                to: command.to.clone(),
                kind: command.kind,
                note: command.note.clone(),
                offered_to: None,
                expires_at: None,
            };
            if !store::insert_invitation(tx, &invitation, now)? {
                return Err(Abort::Refused(ErrorCode::IdReused));
            }
            let change = InvitationChange::Made { invitation_id: id.clone() };
            tx.append(event(now, &row, LogBody::InvitationsChanged { change }))?;
            if let Invitee::Agent { agent_id } = &command.to {
                let invitation_s = settings::queries::company(tx)?.value.invitation_s;
                let until = now.plus_millis(u64::from(invitation_s) * 1_000);
                offer(tx, &id, agent_id, until, now)?;
            }
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(Outcome::Done {})
}

/// May this one be asked to this conversation? Nobody twice, and nobody who is in it.
fn may_be_asked(
    tx: &WriteTx<'_>,
    row: &Conversation,
    to: &Invitee,
    is_connected: bool,
) -> Decided<()> {
    let open = store::open_invitations(tx, &row.id)?;
    if open.len() >= INVITATIONS_OPEN_MAX {
        return Err(Abort::Refused(ErrorCode::Invalid));
    }
    if open.iter().any(|row| row.invitation.to == *to) {
        return Err(Abort::Refused(ErrorCode::AlreadyExists));
    }
    match to {
        Invitee::Agent { agent_id } => {
            let asked = |row: &InvitationRow| row.invitation.offered_to.as_ref() == Some(agent_id);
            if row.seen_by().contains(agent_id) || open.iter().any(asked) {
                return Err(Abort::Refused(ErrorCode::AlreadyExists));
            }
            let agent = present(tx, agent_id)?;
            if agent.availability != Availability::Online || !is_connected {
                return Err(Abort::Refused(ErrorCode::AgentUnavailable));
            }
        }
        Invitee::Department { department_id } => {
            let departments = settings::queries::departments(tx)?.value;
            if !departments.iter().any(|department| department.id == *department_id) {
                return Err(Abort::Refused(ErrorCode::Invalid));
            }
        }
    }
    Ok(())
}

/// Asks this agent by an open invitation, until then; gives whether it was open.
pub(crate) fn offer(
    tx: &mut WriteTx<'_>,
    id: &InvitationId,
    agent_id: &AgentId,
    until: Timestamp,
    now: Timestamp,
) -> Decided<bool> {
    let Some(invitation) = store::load_invitation(tx, id)? else { return Ok(false) };
    if !store::offer(tx, id, agent_id, until)? {
        return Ok(false);
    }
    let row = conversation_of(tx, &invitation)?;
    let (invitation_id, agent_id) = (id.clone(), agent_id.clone());
    let change = InvitationChange::Offered { invitation_id, agent_id };
    tx.append(event(now, &row, LogBody::InvitationsChanged { change }))?;
    Ok(true)
}

/// Whether somebody asks this agent by it, now or when it is this one's turn.
pub(super) fn asks(row: &InvitationRow, agent_id: &AgentId) -> bool {
    let invitation = &row.invitation;
    invitation.offered_to.as_ref() == Some(agent_id)
        || matches!(&invitation.to, Invitee::Agent { agent_id: to } if to == agent_id)
}

/// Ends one invitation; gives whether it was open.
pub(crate) fn close_invitation(
    tx: &mut WriteTx<'_>,
    row: &Conversation,
    invitation: &InvitationRow,
    why: InvitationEnd,
    now: Timestamp,
) -> Decided<bool> {
    let id = &invitation.invitation.id;
    if !store::close_invitation(tx, id, why)? {
        return Ok(false);
    }
    let (invitation_id, offered_to) = (id.clone(), invitation.invitation.offered_to.clone());
    let change = InvitationChange::Closed { invitation_id, why, offered_to };
    tx.append(event(now, row, LogBody::InvitationsChanged { change }))?;
    Ok(true)
}

/// Ends those open invitations of a conversation for which `why` says so.
pub(crate) fn close_invitations(
    tx: &mut WriteTx<'_>,
    row: &Conversation,
    now: Timestamp,
    why: impl Fn(&InvitationRow) -> Option<InvitationEnd>,
) -> Decided<()> {
    for invitation in store::open_invitations(tx, &row.id)? {
        if let Some(why) = why(&invitation) {
            close_invitation(tx, row, &invitation, why, now)?;
        }
    }
    Ok(())
}

/// Nobody is asked by it any more; of a department somebody else may be, else it is over.
pub(super) fn turn_down(
    tx: &mut WriteTx<'_>,
    invitation: &InvitationRow,
    agent_id: &AgentId,
    why: InvitationEnd,
    now: Timestamp,
) -> Decided<()> {
    let row = conversation_of(tx, invitation)?;
    if let Invitee::Agent { .. } = &invitation.invitation.to {
        close_invitation(tx, &row, invitation, why, now)?;
        return Ok(());
    }
    if store::decline(tx, invitation, agent_id)? {
        let invitation_id = invitation.invitation.id.clone();
        let agent_id = agent_id.clone();
        let change = InvitationChange::Declined { invitation_id, agent_id, why };
        tx.append(event(now, &row, LogBody::InvitationsChanged { change }))?;
    }
    Ok(())
}

/// Says yes or no. Whoever comes too late is told so.
pub async fn answer(
    app: Arc<App>,
    who: StaffIdentity,
    client_id: ClientId,
    command: AnswerInvitation,
) -> Result<Outcome, RelayError> {
    let moment = Moment::new(app.world.as_ref());
    app.store
        .write("answer invitation", move |tx| {
            let mut moment = moment.clone();
            let (id, me, now) = (&command.invitation_id, &who.agent_id, moment.now);
            let given = format!("answer_invitation {id} {}", command.accept);
            if occurrence(tx, me, &client_id, &given, now)? == Occurrence::Again {
                return Ok(());
            }
            let invitation = asked(tx, id, me)?;
            if command.accept {
                accept(tx, &invitation, me, &mut moment)
            } else {
                turn_down(tx, &invitation, me, InvitationEnd::Declined, now)
            }
        })
        .await?;
    Ok(Outcome::Done {})
}

/// The open invitation by which this agent is asked now.
fn asked(tx: &WriteTx<'_>, id: &InvitationId, me: &AgentId) -> Decided<InvitationRow> {
    let row = store::load_invitation(tx, id)?.ok_or(Abort::Refused(ErrorCode::NotFound))?;
    if row.is_open && row.invitation.offered_to.as_ref() == Some(me) {
        return Ok(row);
    }
    let was_asked = asks(&row, me) || row.declined.contains(me);
    Err(Abort::Refused(if was_asked { ErrorCode::Overtaken } else { ErrorCode::NotFound }))
}

/// A transfer: whoever accepts serves it, who asked leaves, all others stay. A join: one more takes
/// part.
fn accept(
    tx: &mut WriteTx<'_>,
    invitation: &InvitationRow,
    me: &AgentId,
    moment: &mut Moment,
) -> Decided<()> {
    let row = conversation_of(tx, invitation)?;
    let from = &invitation.invitation.from;
    let ConversationStatus::Serving { agent_id: serving } = row.status.clone() else {
        return Err(Abort::Refused(ErrorCode::Overtaken));
    };
    let takes_part = row.seen_by();
    if serving == *me || !takes_part.contains(from) {
        return Err(Abort::Refused(ErrorCode::Overtaken));
    }
    present(tx, me)?;
    close_invitation(tx, &row, invitation, InvitationEnd::Accepted, moment.now)?;
    match invitation.invitation.kind {
        InvitationKind::Join if row.members.contains(me) => {}
        InvitationKind::Join => {
            add_member(tx, row, me, true, moment)?;
        }
        InvitationKind::Transfer => {
            let stays = |agent_id: &&AgentId| *agent_id != from && *agent_id != me;
            let change = PassOn {
                to: me.clone(),
                how: AssignedHow::Accepted { from: from.clone() },
                members: takes_part.iter().filter(stays).cloned().collect(),
            };
            pass_on(tx, row, change, moment)?;
        }
    }
    Ok(())
}

/// Takes an own invitation back.
pub async fn withdraw(
    app: Arc<App>,
    who: StaffIdentity,
    client_id: ClientId,
    command: WithdrawInvitation,
) -> Result<Outcome, RelayError> {
    let now = app.world.now();
    app.store
        .write("withdraw invitation", move |tx| {
            let id = &command.invitation_id;
            let given = format!("withdraw_invitation {id}");
            if occurrence(tx, &who.agent_id, &client_id, &given, now)? == Occurrence::Again {
                return Ok(());
            }
            let invitation = store::load_invitation(tx, id)?
                .filter(|row| row.invitation.from == who.agent_id)
                .ok_or(Abort::Refused(ErrorCode::NotFound))?;
            let row = conversation_of(tx, &invitation)?;
            if !close_invitation(tx, &row, &invitation, InvitationEnd::Withdrawn, now)? {
                return Err(Abort::Refused(ErrorCode::Overtaken));
            }
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(Outcome::Done {})
}

fn conversation_of(
    tx: &WriteTx<'_>,
    invitation: &InvitationRow,
) -> Result<Conversation, StoreError> {
    let row = store::load(tx, &invitation.invitation.conversation_id)?;
    row.ok_or(StoreError::Corrupt("invitation's conversation"))
}
