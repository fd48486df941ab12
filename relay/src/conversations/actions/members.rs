//! Who takes part in a conversation beside the one who serves it (F03-F06): entering, leaving, and the
//! one place where the list changes while somebody goes on serving.
//!
//! A manager who enters while the company does not announce it takes part unannounced: the visitor
//! sees neither a notice nor a name. With the first message the manager writes that is over: the
//! visitor sees who writes, so notice and list come before it.

use std::sync::Arc;

use yingke_shared::commands::staff::{EnterConversation, LeaveConversation};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::explanation::AssignedHow;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{AgentId, ClientId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{
    AgentCard, Availability, ConversationStatus, InvitationEnd, SystemNotice,
};

use super::invite::{asks, close_invitations};
use super::mark::show_marks;
use super::pass_on::{PassOn, pass_on};
use super::{Decided, Moment, event, permitted, present, say};
use crate::app::App;
use crate::auth::StaffIdentity;
use crate::conversations::store::{self, Conversation};
use crate::error::RelayError;
use crate::events::{LogBody, Sight};
use crate::limits::MEMBERS_MAX;
use crate::outcomes::{Occurrence, occurrence};
use crate::policy::{self, ConversationDeed, Deed, Relation};
use crate::store::{Abort, ReadTx, StoreError, WriteTx};
use crate::{agents, audit, settings};

/// A manager takes part from now on (F05). One who does already changes nothing.
pub async fn enter(
    app: Arc<App>,
    who: StaffIdentity,
    client_id: ClientId,
    command: EnterConversation,
) -> Result<Outcome, RelayError> {
    policy::may(who.role, Deed::WatchConversation)?;
    let moment = Moment::new(app.world.as_ref());
    app.store
        .write("enter conversation", move |tx| {
            let mut moment = moment.clone();
            let id = &command.conversation_id;
            let given = format!("enter_conversation {id}");
            if occurrence(tx, &who.agent_id, &client_id, &given, moment.now)? == Occurrence::Again {
                return Ok(());
            }
            let (row, relation) = permitted(tx, &who, id, ConversationDeed::Read)?;
            if matches!(relation, Relation::Serving | Relation::Member) {
                return Ok(());
            }
            match row.status {
                ConversationStatus::Serving { .. } => {}
                // Nobody is there to be joined: whoever wants it takes it over.
                ConversationStatus::Waiting { .. } => {
                    return Err(Abort::Refused(ErrorCode::Overtaken));
                }
                ConversationStatus::Ended { .. } => {
                    return Err(Abort::Refused(ErrorCode::ConversationEnded));
                }
            }
            audit::record(tx, moment.now, &who.agent_id, "enter", id.as_str())?;
            let announced = settings::queries::company(tx)?.value.announce_entering;
            add_member(tx, row, &who.agent_id, announced, &mut moment)?;
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(Outcome::Done {})
}

/// Leaves a conversation that others go on with (F04). If the one who serves it leaves, the first of
/// the others who is at work serves it then.
pub async fn leave(
    app: Arc<App>,
    who: StaffIdentity,
    client_id: ClientId,
    command: LeaveConversation,
) -> Result<Outcome, RelayError> {
    let moment = Moment::new(app.world.as_ref());
    app.store
        .write("leave conversation", move |tx| {
            let mut moment = moment.clone();
            let id = &command.conversation_id;
            let given = format!("leave_conversation {id}");
            if occurrence(tx, &who.agent_id, &client_id, &given, moment.now)? == Occurrence::Again {
                return Ok(());
            }
            let (row, relation) = permitted(tx, &who, id, ConversationDeed::Leave)?;
            if relation == Relation::Member {
                remove_member(tx, row, &who.agent_id, &mut moment)?;
                return Ok(());
            }
            let stays = first_at_work(tx, &row)?.ok_or(Abort::Refused(ErrorCode::Forbidden))?;
            let change = PassOn::new(&row, stays, AssignedHow::MemberStayed {});
            pass_on(tx, row, change, &mut moment)?;
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(Outcome::Done {})
}

/// The first who takes part and is neither away nor disabled: whoever goes on when the one who serves
/// it leaves.
pub(crate) fn first_at_work(
    tx: &ReadTx<'_>,
    row: &Conversation,
) -> Result<Option<AgentId>, StoreError> {
    for member in &row.members {
        let agent = agents::queries::agent(tx, member)?;
        if agent.is_some_and(|it| !it.disabled && it.availability != Availability::Away) {
            return Ok(Some(member.clone()));
        }
    }
    Ok(None)
}

/// Lets an agent take part in a served conversation beside those who do. What asked the agent is over.
pub(crate) fn add_member(
    tx: &mut WriteTx<'_>,
    row: Conversation,
    agent_id: &AgentId,
    announced: bool,
    moment: &mut Moment,
) -> Decided<Conversation> {
    let now = moment.now;
    if row.members.len() >= MEMBERS_MAX {
        return Err(Abort::Refused(ErrorCode::Invalid));
    }
    let agent = present(tx, agent_id)?.card();
    close_invitations(tx, &row, now, |invitation| {
        asks(invitation, agent_id).then_some(InvitationEnd::Overtaken)
    })?;
    let (before, mut after) = (row.clone(), row);
    after.members.push(agent_id.clone());
    if announced {
        become_known(tx, &after, agent_id, now)?;
    } else {
        after.unannounced.push(agent_id.clone());
    }
    store::set_members(tx, &after)?;
    agents::store::set_idle_since(tx, agent_id, now)?;
    let mut change = Change::between(&before, &after);
    change.sight = Sight::between(&before.seen_by(), &after.seen_by());
    announce_members(tx, &after, change, now)?;
    if announced {
        say(tx, &mut after, SystemNotice::MemberJoined { agent }, moment)?;
    }
    Ok(after)
}

/// Takes somebody out who takes part beside the one who serves it; others go on. What the agent asked
/// others for is over.
pub(crate) fn remove_member(
    tx: &mut WriteTx<'_>,
    row: Conversation,
    agent_id: &AgentId,
    moment: &mut Moment,
) -> Decided<Conversation> {
    let now = moment.now;
    if !row.members.contains(agent_id) {
        return Err(Abort::Refused(ErrorCode::Overtaken));
    }
    close_invitations(tx, &row, now, |row| {
        (row.invitation.from == *agent_id).then_some(InvitationEnd::Overtaken)
    })?;
    let (before, mut after) = (row.clone(), row);
    after.members.retain(|member| member != agent_id);
    after.unannounced.retain(|member| member != agent_id);
    store::set_members(tx, &after)?;
    agents::store::set_idle_since(tx, agent_id, now)?;
    let mut change = Change::between(&before, &after);
    change.sight = Sight::between(&before.seen_by(), &after.seen_by());
    announce_members(tx, &after, change, now)?;
    if !before.unannounced.contains(agent_id) {
        let agent = card(tx, agent_id)?;
        say(tx, &mut after, SystemNotice::MemberLeft { agent }, moment)?;
    }
    Ok(after)
}

/// The visitor is about to see who writes: whoever took part unannounced no longer does.
pub(super) fn reveal(
    tx: &mut WriteTx<'_>,
    row: &mut Conversation,
    agent_id: &AgentId,
    moment: &mut Moment,
) -> Decided<()> {
    if !row.unannounced.contains(agent_id) {
        return Ok(());
    }
    row.unannounced.retain(|member| member != agent_id);
    store::set_members(tx, row)?;
    become_known(tx, row, agent_id, moment.now)?;
    let unannounced = row.unannounced.clone();
    announce_members(tx, row, Change { unannounced, ..Change::default() }, moment.now)?;
    let agent = card(tx, agent_id)?;
    say(tx, row, SystemNotice::MemberJoined { agent }, moment)
}

/// From now on the visitor knows that this agent has it or takes part.
pub(super) fn become_known(
    tx: &mut WriteTx<'_>,
    row: &Conversation,
    agent_id: &AgentId,
    now: Timestamp,
) -> Decided<()> {
    if store::note_served(tx, &row.id, agent_id, now)? {
        show_marks(tx, row, agent_id, now)?;
    }
    Ok(())
}

/// What became another in who takes part.
#[derive(Debug, Default)]
pub(super) struct Change {
    joined: Option<AgentId>,
    left: Option<AgentId>,
    unannounced: Vec<AgentId>,
    /// Nobody if another event says it.
    sight: Sight,
}

impl Change {
    /// What changed in who takes part; who begins or ceases to serve did not join or leave by that.
    pub(super) fn between(before: &Conversation, after: &Conversation) -> Self {
        let serves = |agent_id: &AgentId| after.agent_id.as_ref() == Some(agent_id);
        let new = |member: &&AgentId| !before.members.contains(member);
        let gone = |member: &&AgentId| !after.members.contains(member) && !serves(member);
        let mut unannounced = before.unannounced.clone();
        unannounced.extend(after.unannounced.iter().cloned());
        unannounced.dedup();
        Self {
            joined: after.members.iter().find(new).cloned(),
            left: before.members.iter().find(gone).cloned(),
            unannounced,
            sight: Sight::default(),
        }
    }
}

/// Tells who takes part now.
pub(super) fn announce_members(
    tx: &mut WriteTx<'_>,
    row: &Conversation,
    change: Change,
    now: Timestamp,
) -> Decided<()> {
    let members = row.members.iter().map(|id| card(tx, id)).collect::<Result<_, _>>()?;
    let Change { joined, left, unannounced, sight } = change;
    let body = LogBody::MembersChanged { members, joined, left, unannounced, sight };
    tx.append(event(now, row, body))?;
    Ok(())
}

fn card(tx: &ReadTx<'_>, agent_id: &AgentId) -> Result<AgentCard, StoreError> {
    let agent = agents::queries::agent(tx, agent_id)?;
    Ok(agent.ok_or(StoreError::Corrupt("agent"))?.card())
}
