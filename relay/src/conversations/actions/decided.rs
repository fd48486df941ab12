//! Carrying out what routing decides beside a first assignment. Each is one transaction that looks
//! first whether what it was decided for is still so: an agent who came back keeps what is hers, a
//! visitor who wrote is not told to write, and of two relays or two drivers that decide the same, one
//! is told that it was overtaken.

use yingke_shared::error_code::ErrorCode;
use yingke_shared::explanation::AssignedHow;
use yingke_shared::ids::{AgentId, ConversationId, DepartmentId, InvitationId, Seq};
use yingke_shared::settings::AutoReplyTexts;
use yingke_shared::views::{
    AutoReply, Availability, ConversationStatus, EndedBy, InvitationEnd, Invitee, ManagerAlertKind,
    RequeueReason, SystemNotice, WaitingReason,
};

use super::assign::{hindrance, may_be_given, named};
use super::end::end;
use super::invite::{close_invitation, offer, turn_down};
use super::members::remove_member;
use super::pass_on::{PassOn, pass_on};
use super::requeue::requeue;
use super::{Decided, Moment, event, say};
use crate::agents;
use crate::agents::presence::{is_gone, is_lost};
use crate::app::App;
use crate::auth::store::has_session;
use crate::conversations::store::{self, Asked, Conversation};
use crate::error::RelayError;
use crate::events::{LogBody, Sight};
use crate::settings;
use crate::settings::rules::INVITATION_S_MAX;
use crate::store::{Abort, ReadTx, StoreError, WriteError, WriteTx};

/// What became of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// It is so, or was so already.
    Done,
    /// The world moved on; nothing changed.
    Overtaken,
    /// The agent does not take conversations now, has no free place, or takes part in this one.
    Unfit,
}

/// Runs `f` as one transaction with one moment.
async fn carry<F>(app: &App, what: &'static str, f: F) -> Result<Carried, RelayError>
where
    F: Fn(&mut WriteTx<'_>, &mut Moment) -> Decided<Carried> + Send + 'static,
{
    let moment = Moment::new(app.world.as_ref());
    let written = app.store.write(what, move |tx| f(tx, &mut moment.clone())).await;
    match written {
        Ok(carried) => Ok(carried),
        Err(WriteError::Refused(code)) => match code {
            ErrorCode::AgentUnavailable | ErrorCode::AgentFull => Ok(Carried::Unfit),
            ErrorCode::Overtaken | ErrorCode::ConversationEnded | ErrorCode::NotFound => {
                Ok(Carried::Overtaken)
            }
            other => Err(other.into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// The conversation, if it is not over.
fn open(tx: &ReadTx<'_>, id: &ConversationId) -> Decided<Conversation> {
    let row = store::load(tx, id)?;
    let is_open = |row: &Conversation| !matches!(row.status, ConversationStatus::Ended { .. });
    row.filter(is_open).ok_or(Abort::Refused(ErrorCode::Overtaken))
}

/// The conversation and who serves it, if it is served.
fn served(tx: &ReadTx<'_>, id: &ConversationId) -> Decided<(Conversation, AgentId)> {
    let row = open(tx, id)?;
    match row.status.clone() {
        ConversationStatus::Serving { agent_id } => Ok((row, agent_id)),
        _ => Err(Abort::Refused(ErrorCode::Overtaken)),
    }
}

/// Stores what the rules said (B04): once, or again for a department that is gone.
pub(crate) async fn route(
    app: &App,
    id: ConversationId,
    asked: Asked,
    routed: String,
) -> Result<Carried, RelayError> {
    carry(app, "route", move |tx, moment| {
        let mut row = open(tx, &id)?;
        let departments = settings::queries::departments(tx)?.value;
        let is_there =
            |id: &DepartmentId| departments.iter().any(|department| department.id == *id);
        if row.department_id.as_ref().is_some_and(is_there) {
            return Ok(Carried::Overtaken);
        }
        let mut asked = asked.clone();
        if !is_there(&asked.department_id) {
            // It was taken away while this was under way: what the log says is what counts.
            asked.department_id = settings::queries::company(tx)?.value.default_department;
        }
        store::set_asked(tx, &id, &asked, &routed)?;
        row.department_id = Some(asked.department_id.clone());
        row.vip = asked.vip;
        let body = LogBody::Routed { department_id: asked.department_id, vip: asked.vip };
        tx.append(event(moment.now, &row, body))?;
        Ok(Carried::Done)
    })
    .await
}

/// Tells a waiting visitor why; gives whether that is news.
pub async fn set_waiting_reason(
    app: &App,
    id: ConversationId,
    reason: WaitingReason,
) -> Result<bool, RelayError> {
    let carried = carry(app, "set waiting reason", move |tx, moment| {
        if !store::set_waiting_reason(tx, &id, reason, moment.now)? {
            return Ok(Carried::Overtaken);
        }
        let row = open(tx, &id)?;
        let status = row.status.clone();
        let sight = Sight::default();
        let body = LogBody::StatusChanged { status, agent: None, sight, requeued: None };
        tx.append(event(moment.now, &row, body))?;
        Ok(Carried::Done)
    });
    Ok(carried.await? == Carried::Done)
}

/// Makes a waiting conversation a leave-message (H03). One in which nothing was said just ends.
pub async fn file(app: &App, id: ConversationId) -> Result<Carried, RelayError> {
    carry(app, "file", move |tx, moment| {
        let row = open(tx, &id)?;
        if !matches!(row.status, ConversationStatus::Waiting { .. }) {
            return Ok(Carried::Overtaken);
        }
        if store::talk(tx, &id)?.said == Seq::ZERO {
            end(tx, row, EndedBy::VisitorSilent, moment)?;
            return Ok(Carried::Done);
        }
        store::insert_leave_message(tx, &row.id, &row.visitor_id, None, moment.now)?;
        end(tx, row, EndedBy::LeaveMessage, moment)?;
        Ok(Carried::Done)
    })
    .await
}

/// Whether the first answer of this agent is still missing.
fn is_unanswered(tx: &ReadTx<'_>, row: &Conversation, agent_id: &AgentId) -> Decided<bool> {
    if store::running(tx, &row.id)?.unanswered_since.is_none() {
        return Ok(false);
    }
    Ok(!store::has_answered(tx, &row.id, agent_id)?)
}

/// Gives a conversation that is not answered to somebody else (B13).
pub async fn pass_unanswered(
    app: &App,
    id: ConversationId,
    from: AgentId,
    to: AgentId,
    how: AssignedHow,
) -> Result<Carried, RelayError> {
    carry(app, "pass on", move |tx, moment| {
        let (row, serving) = served(tx, &id)?;
        if serving != from || !is_unanswered(tx, &row, &from)? || row.members.contains(&to) {
            return Ok(Carried::Overtaken);
        }
        if hindrance(tx, &to, moment)?.is_some() || !may_be_given(tx, &id, &to, &how)? {
            return Ok(Carried::Unfit);
        }
        let change = PassOn::new(&row, to.clone(), named(tx, how.clone())?);
        pass_on(tx, row, change, moment)?;
        Ok(Carried::Done)
    })
    .await
}

/// Whether the agent is away, disabled, lost or signed out.
fn has_parted(tx: &ReadTx<'_>, agent_id: &AgentId, moment: &Moment) -> Result<bool, StoreError> {
    let agent = agents::queries::agent(tx, agent_id)?;
    let parted = agent.is_none_or(|it| it.disabled || it.availability == Availability::Away);
    Ok(parted || is_gone(tx, agent_id, moment.now)?)
}

/// Gives a conversation whose agent is gone to one who takes part in it already (F04).
pub async fn pass_to_member(
    app: &App,
    id: ConversationId,
    from: AgentId,
    to: AgentId,
) -> Result<Carried, RelayError> {
    carry(app, "pass to a member", move |tx, moment| {
        let (row, serving) = served(tx, &id)?;
        if serving != from || !row.members.contains(&to) || !has_parted(tx, &from, moment)? {
            return Ok(Carried::Overtaken);
        }
        let change = PassOn::new(&row, to.clone(), AssignedHow::MemberStayed {});
        pass_on(tx, row, change, moment)?;
        Ok(Carried::Done)
    })
    .await
}

/// Puts a served conversation at the front of the line, if the reason still holds.
pub async fn put_back(
    app: &App,
    id: ConversationId,
    from: AgentId,
    why: RequeueReason,
) -> Result<Carried, RelayError> {
    carry(app, "put back", move |tx, moment| {
        let (row, serving) = served(tx, &id)?;
        let holds = match why {
            RequeueReason::AgentLost => is_lost(tx, &from)?,
            RequeueReason::AgentSignedOut => !has_session(tx, &from, moment.now)?,
            RequeueReason::AgentRemoved => {
                agents::queries::agent(tx, &from)?.is_none_or(|agent| agent.disabled)
            }
            RequeueReason::NoAnswer => is_unanswered(tx, &row, &from)?,
            // Only a person decides this.
            RequeueReason::HandedOver => false,
        };
        if serving != from || !holds {
            return Ok(Carried::Overtaken);
        }
        requeue(tx, row, &from, why, moment)?;
        Ok(Carried::Done)
    })
    .await
}

/// Ends a conversation whose agent went away (B11).
pub async fn end_of_away(app: &App, id: ConversationId) -> Result<Carried, RelayError> {
    carry(app, "end of away", move |tx, moment| {
        let (row, serving) = served(tx, &id)?;
        let agent = agents::queries::agent(tx, &serving)?;
        if agent.is_none_or(|agent| agent.availability != Availability::Away) {
            return Ok(Carried::Overtaken);
        }
        end(tx, row, EndedBy::AgentAway, moment)?;
        Ok(Carried::Done)
    })
    .await
}

/// Ends a conversation whose visitor says nothing any more (B15), if nothing was said since the
/// message `said`: a new word of the agent's begins a new silence.
pub async fn end_of_silent(
    app: &App,
    id: ConversationId,
    said: Seq,
) -> Result<Carried, RelayError> {
    carry(app, "end of silent", move |tx, moment| {
        let (row, _) = served(tx, &id)?;
        if !store::talk(tx, &id)?.is_silent_since(said) {
            return Ok(Carried::Overtaken);
        }
        end(tx, row, EndedBy::VisitorSilent, moment)?;
        Ok(Carried::Done)
    })
    .await
}

/// Says by itself what an agent or the company wrote for it (D05, D06), if it is still to the point
/// and was not said before. `said` is the newest message it is about: see [`end_of_silent`].
pub async fn say_by_itself(
    app: &App,
    id: ConversationId,
    reply: AutoReply,
    said: Seq,
) -> Result<Carried, RelayError> {
    carry(app, "say", move |tx, moment| {
        let (mut row, serving) = served(tx, &id)?;
        let talk = store::talk(tx, &id)?;
        let is_due = match reply {
            AutoReply::AskVisitor => talk.is_silent_since(said) && talk.asked_at.is_none(),
            AutoReply::WarnVisitor => talk.is_silent_since(said) && talk.warned_at.is_none(),
            AutoReply::ExplainDelay => talk.unanswered_since.is_some() && !talk.explained,
        };
        if !is_due {
            return Ok(Carried::Overtaken);
        }
        let text = words_for(tx, &serving, reply)?;
        say(tx, &mut row, SystemNotice::AutoReply { reply, text }, moment)?;
        Ok(Carried::Done)
    })
    .await
}

/// The agent's own words, unless there are none or the company's replace them; empty if neither has
/// any.
fn words_for(tx: &ReadTx<'_>, agent_id: &AgentId, reply: AutoReply) -> Decided<String> {
    let company = settings::queries::auto_replies(tx)?.value;
    let of = |texts: AutoReplyTexts| match reply {
        AutoReply::AskVisitor => texts.ask_visitor,
        AutoReply::WarnVisitor => texts.warn_visitor,
        AutoReply::ExplainDelay => texts.explain_delay,
    };
    let own = agents::queries::agent(tx, agent_id)?.map(|agent| of(agent.auto_replies));
    let own = own.filter(|own| !company.forced && !own.is_empty());
    Ok(own.unwrap_or_else(|| of(company.texts)))
}

/// Tells managers that somebody should look, once.
pub async fn tell_managers(
    app: &App,
    id: ConversationId,
    what: ManagerAlertKind,
) -> Result<Carried, RelayError> {
    carry(app, "tell managers", move |tx, moment| {
        let row = open(tx, &id)?;
        let is_so = match what {
            ManagerAlertKind::NoAnswer => store::running(tx, &id)?.unanswered_since.is_some(),
            ManagerAlertKind::OwnAgentGone => {
                matches!(row.status, ConversationStatus::Waiting { .. })
            }
        };
        if !is_so || !store::set_alert(tx, &id, what, moment.now)? {
            return Ok(Carried::Overtaken);
        }
        tx.append(event(moment.now, &row, LogBody::ManagersAlerted { what }))?;
        Ok(Carried::Done)
    })
    .await
}

/// Takes a member out who is gone. Who is there again stays.
pub async fn drop_member(
    app: &App,
    id: ConversationId,
    agent_id: AgentId,
) -> Result<Carried, RelayError> {
    carry(app, "drop member", move |tx, moment| {
        let (row, _) = served(tx, &id)?;
        if !has_parted(tx, &agent_id, moment)? {
            return Ok(Carried::Overtaken);
        }
        remove_member(tx, row, &agent_id, moment)?;
        Ok(Carried::Done)
    })
    .await
}

/// Asks one of the invited department (F01). Who was asked before and said nothing is asked no more.
pub async fn offer_to(
    app: &App,
    id: InvitationId,
    agent_id: AgentId,
) -> Result<Carried, RelayError> {
    carry(app, "offer", move |tx, moment| {
        let Some(invitation) = store::load_invitation(tx, &id)? else {
            return Ok(Carried::Overtaken);
        };
        let is_of_department = matches!(invitation.invitation.to, Invitee::Department { .. });
        if !invitation.is_open || !is_of_department {
            return Ok(Carried::Overtaken);
        }
        let before = invitation.invitation.offered_to.clone();
        if before.as_ref() == Some(&agent_id) {
            return Ok(Carried::Done);
        }
        if let Some(before) = before {
            // An end that is too far away was written by a clock that was ahead.
            let at_most = moment.now.plus_millis(u64::from(INVITATION_S_MAX) * 1_000);
            let expires_at = invitation.invitation.expires_at;
            let is_over = expires_at.is_none_or(|at| at <= moment.now || at > at_most)
                || hindrance(tx, &before, moment)?.is_some();
            if !is_over {
                return Ok(Carried::Overtaken);
            }
            turn_down(tx, &invitation, &before, InvitationEnd::Expired, moment.now)?;
        }
        let row = store::load(tx, &invitation.invitation.conversation_id)?;
        let takes_part = row.is_some_and(|row| row.seen_by().contains(&agent_id));
        if takes_part || hindrance(tx, &agent_id, moment)?.is_some() {
            return Ok(Carried::Unfit);
        }
        let invitation_s = settings::queries::company(tx)?.value.invitation_s;
        let until = moment.now.plus_millis(u64::from(invitation_s) * 1_000);
        let offered = offer(tx, &id, &agent_id, until, moment.now)?;
        Ok(if offered { Carried::Done } else { Carried::Overtaken })
    })
    .await
}

/// Ends an invitation: it goes back to who made it (F03).
pub async fn give_back(
    app: &App,
    id: InvitationId,
    why: InvitationEnd,
) -> Result<Carried, RelayError> {
    carry(app, "give back", move |tx, moment| {
        let Some(invitation) = store::load_invitation(tx, &id)?.filter(|row| row.is_open) else {
            return Ok(Carried::Overtaken);
        };
        let row = store::load(tx, &invitation.invitation.conversation_id)?;
        let row = row.ok_or(Abort::Refused(ErrorCode::NotFound))?;
        let closed = close_invitation(tx, &row, &invitation, why, moment.now)?;
        Ok(if closed { Carried::Done } else { Carried::Overtaken })
    })
    .await
}
