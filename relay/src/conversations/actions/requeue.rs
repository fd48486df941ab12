//! A served conversation goes back to the front of the line: the one place where that happens.

use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::AgentId;
use yingke_shared::views::{
    ConversationStatus, InvitationEnd, RequeueReason, SystemNotice, WaitingReason,
};

use super::invite::close_invitations;
use super::members::{Change, announce_members};
use super::{Decided, Moment, event, say};
use crate::agents;
use crate::conversations::store::{self, Conversation};
use crate::events::{LogBody, Sight};
use crate::store::{Abort, WriteTx};

/// Puts a conversation that `from` serves at the front of the line. Nobody takes part in it then, its
/// invitations are over, and the visitor is told. Refused with `overtaken` if `from` does not serve it.
pub(crate) fn requeue(
    tx: &mut WriteTx<'_>,
    row: Conversation,
    from: &AgentId,
    why: RequeueReason,
    moment: &mut Moment,
) -> Decided<Conversation> {
    let now = moment.now;
    if !store::requeue(tx, &row.id, from, why, now)? {
        return Err(Abort::Refused(ErrorCode::Overtaken));
    }
    close_invitations(tx, &row, now, |_| Some(InvitationEnd::Overtaken))?;
    let lost = row.seen_by();
    for agent_id in &lost {
        agents::store::set_idle_since(tx, agent_id, now)?;
    }
    let (before, mut after) = (row.clone(), row);
    after.status = ConversationStatus::Waiting { reason: WaitingReason::Routing };
    (after.agent_id, after.assigned_at) = (None, None);
    (after.members, after.unannounced) = (Vec::new(), Vec::new());
    after.tries = before.tries + u32::from(why == RequeueReason::NoAnswer);
    let body = LogBody::StatusChanged {
        status: after.status.clone(),
        agent: None,
        sight: Sight { gained: Vec::new(), lost },
        requeued: Some(why),
    };
    tx.append(event(now, &after, body))?;
    if !before.members.is_empty() {
        announce_members(tx, &after, Change::default(), now)?;
    }
    say(tx, &mut after, SystemNotice::Requeued { why }, moment)?;
    Ok(after)
}
