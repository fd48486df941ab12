//! An agent goes away (B11): what follows for everything the agent serves, takes part in, asked others
//! for and is asked for, in the transaction of the choice itself.

use yingke_shared::explanation::AssignedHow;
use yingke_shared::ids::AgentId;
use yingke_shared::views::{EndedBy, InvitationEnd, RequeueReason};

use super::end::end;
use super::invite::turn_down;
use super::members::{first_at_work, remove_member};
use super::pass_on::{PassOn, pass_on};
use super::requeue::requeue;
use super::{Decided, Moment};
use crate::conversations::store;
use crate::store::WriteTx;

/// What the agent serves goes to whoever else takes part, else it ends, or goes back to the front of
/// the line with `hand_over`. To be called when the account's row says already that the agent is away.
pub(crate) fn part_from_all(
    tx: &mut WriteTx<'_>,
    agent_id: &AgentId,
    hand_over: bool,
    moment: &mut Moment,
) -> Decided<()> {
    for invitation in store::invitations_to(tx, agent_id)? {
        turn_down(tx, &invitation, agent_id, InvitationEnd::AgentUnavailable, moment.now)?;
    }
    for row in store::served_by(tx, agent_id, "", usize::MAX)? {
        if let Some(stays) = first_at_work(tx, &row)? {
            let change = PassOn::new(&row, stays, AssignedHow::MemberStayed {});
            pass_on(tx, row, change, moment)?;
        } else if hand_over {
            requeue(tx, row, agent_id, RequeueReason::HandedOver, moment)?;
        } else {
            end(tx, row, EndedBy::AgentAway, moment)?;
        }
    }
    for row in store::member_of(tx, agent_id)? {
        remove_member(tx, row, agent_id, moment)?;
    }
    Ok(())
}
