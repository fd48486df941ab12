//! Ending a conversation, by its agent, its visitor or the relay. The outcome of a command is kept: a
//! repeated one ends nothing else, not even a conversation begun since.

use std::sync::Arc;

use yingke_shared::commands::staff::StaffEndConversation;
use yingke_shared::commands::visitor::{LeaveQueue, VisitorEndConversation};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{AgentId, ClientId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{ConversationStatus, EndedBy, InvitationEnd, SystemNotice};

use super::invite::close_invitations;
use super::{Decided, Moment, event, permitted, say};
use crate::agents;
use crate::app::App;
use crate::auth::{StaffIdentity, VisitorIdentity};
use crate::conversations::store::{self, Conversation};
use crate::error::RelayError;
use crate::events::{LogBody, Sight};
use crate::outcomes::{Occurrence, occurrence};
use crate::policy::ConversationDeed;
use crate::settings;
use crate::store::{Abort, StoreError, WriteTx};

/// Ends the visitor's open conversation, if there is one.
pub async fn end_as_visitor(
    app: Arc<App>,
    who: VisitorIdentity,
    client_id: ClientId,
    _command: VisitorEndConversation,
) -> Result<Outcome, RelayError> {
    let moment = Moment::new(app.world.as_ref());
    app.store
        .write("end as visitor", move |tx| {
            let mut moment = moment.clone();
            let given = "end_conversation";
            if occurrence(tx, &who.visitor_id, &client_id, given, moment.now)? == Occurrence::First
                && let Some(row) = store::open_of_visitor(tx, &who.visitor_id)?
            {
                end(tx, row, EndedBy::Visitor, &mut moment)?;
            }
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(Outcome::Done {})
}

/// Leaves the line (A30). Who is served by now is told so.
pub async fn leave_queue(
    app: Arc<App>,
    who: VisitorIdentity,
    client_id: ClientId,
    _command: LeaveQueue,
) -> Result<Outcome, RelayError> {
    let moment = Moment::new(app.world.as_ref());
    app.store
        .write("leave queue", move |tx| {
            let mut moment = moment.clone();
            let given = "leave_queue";
            if occurrence(tx, &who.visitor_id, &client_id, given, moment.now)? == Occurrence::First
                && let Some(row) = store::open_of_visitor(tx, &who.visitor_id)?
            {
                if !matches!(row.status, ConversationStatus::Waiting { .. }) {
                    return Err(Abort::Refused(ErrorCode::Overtaken));
                }
                end(tx, row, EndedBy::LeftQueue, &mut moment)?;
            }
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(Outcome::Done {})
}

/// Ends a conversation the agent serves; its place is free at once.
pub async fn end_as_agent(
    app: Arc<App>,
    who: StaffIdentity,
    client_id: ClientId,
    command: StaffEndConversation,
) -> Result<Outcome, RelayError> {
    let moment = Moment::new(app.world.as_ref());
    app.store
        .write("end as agent", move |tx| {
            let mut moment = moment.clone();
            let id = &command.conversation_id;
            let given = format!("end_conversation {id}");
            if occurrence(tx, &who.agent_id, &client_id, &given, moment.now)? == Occurrence::First {
                let (row, _) = permitted(tx, &who, id, ConversationDeed::End)?;
                end(tx, row, EndedBy::Agent, &mut moment)?;
            }
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(Outcome::Done {})
}

/// Every end of a conversation, whoever wants it. The notice first, so that the last message is part of
/// what ended. What hangs on it ends too: invitations, the managers' alert; its places are free, the
/// serving agent's after the wrap-up. Who took part stays in the row, so that all of them hear of it.
/// Whoever ends it for a reason must have looked whether the reason still holds for `row`.
pub(crate) fn end(
    tx: &mut WriteTx<'_>,
    mut row: Conversation,
    by: EndedBy,
    moment: &mut Moment,
) -> Decided<()> {
    let now = moment.now;
    close_invitations(tx, &row, now, |_| Some(InvitationEnd::Overtaken))?;
    say(tx, &mut row, SystemNotice::Ended { by }, moment)?;
    if !store::end(tx, &row.id, by, now)? {
        return Err(Abort::Refused(ErrorCode::ConversationEnded));
    }
    if let ConversationStatus::Serving { agent_id } = &row.status {
        wrap_up(tx, &row, agent_id, now)?;
    }
    for agent_id in row.seen_by() {
        agents::store::set_idle_since(tx, &agent_id, now)?;
    }
    let status = ConversationStatus::Ended { by, at: now };
    let sight = Sight::default();
    let body = LogBody::StatusChanged { status, agent: None, sight, requeued: None };
    tx.append(event(now, &row, body))?;
    if row.is_alerted {
        store::clear_alert(tx, &row.id)?;
        tx.append(event(now, &row, LogBody::AlertCleared))?;
    }
    Ok(())
}

/// The place stays taken for as long as the department says (C15).
fn wrap_up(
    tx: &mut WriteTx<'_>,
    row: &Conversation,
    agent_id: &AgentId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = match &row.department_id {
        Some(id) => id.clone(),
        None => settings::queries::company(tx)?.value.default_department,
    };
    let departments = settings::queries::departments(tx)?.value;
    let department = departments.into_iter().find(|department| department.id == id);
    let seconds = department.map_or(0, |department| department.wrap_up_s);
    if seconds > 0 {
        let until = now.plus_millis(u64::from(seconds) * 1_000);
        store::insert_wrap_up(tx, &row.id, agent_id, until, now)?;
    }
    Ok(())
}
