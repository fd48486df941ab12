//! Ending a conversation, by its agent or its visitor. The outcome is kept: a repeated command ends
//! nothing else, not even a conversation begun since.

use std::sync::Arc;

use yingke_shared::commands::staff::StaffEndConversation;
use yingke_shared::commands::visitor::VisitorEndConversation;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::ClientId;
use yingke_shared::time::Timestamp;
use yingke_shared::views::{Author, ConversationStatus, EndedBy, MessageContent, SystemNotice};

use super::{Decided, NewMessage, append_message, event, notice_id, permitted};
use crate::app::App;
use crate::auth::{StaffIdentity, VisitorIdentity};
use crate::conversations::store::{self, Conversation};
use crate::error::RelayError;
use crate::events::{LogBody, Sight};
use crate::outcomes::{Occurrence, occurrence};
use crate::policy::ConversationDeed;
use crate::store::{Abort, WriteTx};

/// Ends the visitor's open conversation, if there is one.
pub async fn end_as_visitor(
    app: Arc<App>,
    who: VisitorIdentity,
    client_id: ClientId,
    _command: VisitorEndConversation,
) -> Result<Outcome, RelayError> {
    let now = app.world.now();
    let notice = notice_id(app.world.as_ref())?;
    app.store
        .write("end as visitor", move |tx| {
            let given = "end_conversation";
            if occurrence(tx, &who.visitor_id, &client_id, given, now)? == Occurrence::First
                && let Some(row) = store::open_of_visitor(tx, &who.visitor_id)?
            {
                end(tx, row, EndedBy::Visitor, notice.clone(), now)?;
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
    let now = app.world.now();
    let notice = notice_id(app.world.as_ref())?;
    app.store
        .write("end as agent", move |tx| {
            let id = &command.conversation_id;
            let given = format!("end_conversation {id}");
            if occurrence(tx, &who.agent_id, &client_id, &given, now)? == Occurrence::First {
                let (row, _) = permitted(tx, &who, id, ConversationDeed::End)?;
                end(tx, row, EndedBy::Agent, notice.clone(), now)?;
            }
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(Outcome::Done {})
}

/// The notice first, so that the last message is part of what ended.
fn end(
    tx: &mut WriteTx<'_>,
    mut row: Conversation,
    by: EndedBy,
    notice_id: ClientId,
    now: Timestamp,
) -> Decided<()> {
    let notice = NewMessage {
        client_id: notice_id,
        author: Author::System,
        content: MessageContent::Notice { notice: SystemNotice::Ended { by } },
        at: now,
        agent: None,
    };
    append_message(tx, &mut row, notice)?;
    if !store::end(tx, &row.id, by, now)? {
        return Err(Abort::Refused(ErrorCode::ConversationEnded));
    }
    let status = ConversationStatus::Ended { by, at: now };
    let sight = Sight::default();
    let body = LogBody::StatusChanged { status, agent: None, sight, requeued: None };
    tx.append(event(now, &row, body))?;
    Ok(())
}
