//! Who serves a conversation becomes another agent: the one place where that happens, whoever wants it:
//! a person by hand, an acceptance, an agent who leaves, or routing.

use yingke_shared::error_code::ErrorCode;
use yingke_shared::explanation::{AssignedHow, Cause};
use yingke_shared::ids::AgentId;
use yingke_shared::views::{ConversationStatus, InvitationEnd, SystemNotice};

use super::invite::{asks, close_invitations};
use super::members::{Change, announce_members, become_known};
use super::{Decided, Moment, event, say};
use crate::agents;
use crate::conversations::store::{self, Conversation};
use crate::events::{LogBody, Sight};
use crate::store::{Abort, WriteTx};

/// Who has it from now on.
#[derive(Debug, Clone)]
pub(crate) struct PassOn {
    /// Whoever it is now.
    pub(crate) to: AgentId,
    /// How it came to that agent.
    pub(crate) how: AssignedHow,
    /// Who takes part beside that agent from now on.
    pub(crate) members: Vec<AgentId>,
}

impl PassOn {
    /// To this agent; who serves it so far leaves, and who takes part beside goes on.
    pub(crate) fn new(row: &Conversation, to: AgentId, how: AssignedHow) -> Self {
        let members = row.members.iter().filter(|member| **member != to).cloned().collect();
        Self { to, how, members }
    }
}

/// Gives an open conversation to another agent, if it still is as in `row`, which was read in this
/// transaction; gives it as it is then. Capacity is not asked for: that is for whoever decides.
/// Refused with `overtaken` if that agent has it already, `agent_unavailable` for a disabled account.
pub(crate) fn pass_on(
    tx: &mut WriteTx<'_>,
    row: Conversation,
    change: PassOn,
    moment: &mut Moment,
) -> Decided<Conversation> {
    let (PassOn { to, how, members }, now) = (change, moment.now);
    let from = match &row.status {
        ConversationStatus::Waiting { .. } => None,
        ConversationStatus::Serving { agent_id } => Some(agent_id.clone()),
        ConversationStatus::Ended { .. } => return Err(Abort::Refused(ErrorCode::Overtaken)),
    };
    if from.as_ref() == Some(&to) {
        return Err(Abort::Refused(ErrorCode::Overtaken));
    }
    let agent = agents::queries::agent(tx, &to)?.filter(|agent| !agent.disabled);
    let agent = agent.ok_or(Abort::Refused(ErrorCode::AgentUnavailable))?.card();

    let takes_part = |agent_id: &AgentId| *agent_id == to || members.contains(agent_id);
    close_invitations(tx, &row, now, |invitation| {
        let over = !takes_part(&invitation.invitation.from) || asks(invitation, &to);
        over.then_some(InvitationEnd::Overtaken)
    })?;

    let (before, mut after) = (row.clone(), row);
    after.status = ConversationStatus::Serving { agent_id: to.clone() };
    after.agent_id = Some(to.clone());
    after.assigned_at = Some(now);
    after.unannounced.retain(|agent_id| members.contains(agent_id));
    after.members = members;
    let moved = matches!(&how, AssignedHow::Routing { why } if why.cause == Cause::NoAnswer {});
    after.tries = before.tries + u32::from(moved);
    if !store::hand_to(tx, from.as_ref(), &after, moved, now)? {
        return Err(Abort::Refused(ErrorCode::Overtaken));
    }
    let had_by = store::had_by(tx, &before.id)?;
    become_known(tx, &before, &to, now)?;
    store::insert_assignment(tx, &before, &to, &how, now)?;
    let sight = Sight::between(&before.seen_by(), &after.seen_by());
    for agent_id in sight.gained.iter().chain(&sight.lost).chain(from.as_ref()) {
        agents::store::set_idle_since(tx, agent_id, now)?;
    }
    agents::store::set_idle_since(tx, &to, now)?;
    let (status, agent_then) = (after.status.clone(), Some(agent.clone()));
    let body = LogBody::StatusChanged { status, agent: agent_then, sight, requeued: None };
    tx.append(event(now, &after, body))?;
    if after.members != before.members {
        announce_members(tx, &after, Change::between(&before, &after), now)?;
    }
    // Whoever met somebody else before is told that it is another one now.
    let notice = if had_by.iter().any(|agent_id| *agent_id != to) {
        SystemNotice::Transferred { agent }
    } else {
        SystemNotice::AgentJoined { agent }
    };
    say(tx, &mut after, notice, moment)?;
    Ok(after)
}
