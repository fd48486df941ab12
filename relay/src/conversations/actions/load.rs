//! Reading: pages of messages for staff and of history for visitors.

use std::sync::Arc;

use yingke_shared::commands::staff::LoadMessages;
use yingke_shared::commands::visitor::LoadHistory;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::explanation::Assignments;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{ClientId, ConversationId};
use yingke_shared::rest::{RecentContacts, ServedPage};
use yingke_shared::views::{ConversationRecord, HistoryPage};

use super::permitted;
use crate::agents::queries::Cards;
use crate::app::App;
use crate::auth::{StaffIdentity, VisitorIdentity};
use crate::conversations::queries::{
    message_page, recent_contacts, record_of, records_served_by, visitor_messages,
};
use crate::conversations::rules::may_be_page;
use crate::conversations::store;
use crate::error::RelayError;
use crate::events;
use crate::limits::ASSIGNMENTS_SHOWN_MAX;
use crate::policy::{self, ConversationDeed, Deed};
use crate::store::{Abort, ReadTx, StoreError};

/// A page of a conversation the member of staff may read.
pub async fn load_messages(
    app: Arc<App>,
    who: StaffIdentity,
    _client_id: ClientId,
    command: LoadMessages,
) -> Result<Outcome, RelayError> {
    let limit = may_be_page(command.limit)?;
    let page = read(&app, "load messages", move |tx| {
        let id = command.conversation_id;
        permitted(tx, &who, &id, ConversationDeed::Read)?;
        Ok(message_page(tx, id, command.before, limit)?)
    })
    .await?;
    Ok(Outcome::Messages { page })
}

/// A page of the visitor's own messages, across conversations.
pub async fn load_history(
    app: Arc<App>,
    who: VisitorIdentity,
    _client_id: ClientId,
    command: LoadHistory,
) -> Result<Outcome, RelayError> {
    let limit = may_be_page(command.limit)?;
    let page = read(&app, "load history", move |tx| {
        let before = match command.before {
            None => None,
            Some(cursor) => {
                let row = store::load(tx, &cursor.conversation_id)?
                    .ok_or(Abort::Refused(ErrorCode::NotFound))?;
                policy::visitor_may(row.visitor_id == who.visitor_id).map_err(Abort::Refused)?;
                Some((row.started_position, cursor.seq))
            }
        };
        let (messages, has_earlier) =
            visitor_messages(tx, &who.visitor_id, before, limit, &mut Cards::default())?;
        Ok(HistoryPage { messages, has_earlier })
    })
    .await?;
    Ok(Outcome::History { page })
}

/// The open conversations one serves, by id, after `after`: what did not fit into the snapshot.
pub async fn load_served(
    app: &App,
    who: &StaffIdentity,
    after: Option<ConversationId>,
) -> Result<ServedPage, RelayError> {
    policy::may(who.role, Deed::OwnAccount)?;
    let agent_id = who.agent_id.clone();
    let page = app
        .store
        .read("load served", move |tx| {
            let (_, position) = events::head(tx)?;
            let (conversations, has_more) = records_served_by(tx, &agent_id, after.as_ref())?;
            Ok(ServedPage { position, conversations, has_more })
        })
        .await?;
    Ok(page)
}

/// The record of a conversation the member of staff may read.
pub async fn load_conversation(
    app: &App,
    who: StaffIdentity,
    id: ConversationId,
) -> Result<ConversationRecord, RelayError> {
    read(app, "load conversation", move |tx| {
        permitted(tx, &who, &id, ConversationDeed::Read)?;
        let record = record_of(tx, &id, &who.agent_id)?;
        record.ok_or(Abort::Failed(StoreError::Corrupt("conversation")))
    })
    .await
}

/// Who had a conversation the member of staff may read, and why (X04).
pub async fn load_assignments(
    app: &App,
    who: StaffIdentity,
    id: ConversationId,
) -> Result<Assignments, RelayError> {
    read(app, "load assignments", move |tx| {
        permitted(tx, &who, &id, ConversationDeed::Read)?;
        let assignments = store::assignments(tx, &id, ASSIGNMENTS_SHOWN_MAX)?;
        Ok(Assignments { conversation_id: id, assignments })
    })
    .await
}

/// The visitors one had to do with last (C05).
pub async fn load_contacts(app: &App, who: StaffIdentity) -> Result<RecentContacts, RelayError> {
    policy::may(who.role, Deed::OwnAccount)?;
    let mut contacts =
        app.store.read("load contacts", move |tx| recent_contacts(tx, &who.agent_id)).await?;
    for contact in &mut contacts {
        contact.online = app.hub.visitor_online(&contact.visitor.id);
    }
    Ok(RecentContacts { contacts })
}

/// A read that may be refused.
async fn read<T: Send + 'static>(
    app: &App,
    what: &'static str,
    f: impl FnOnce(&ReadTx<'_>) -> Result<T, Abort<ErrorCode>> + Send + 'static,
) -> Result<T, RelayError> {
    let answer = app
        .store
        .read(what, move |tx| match f(tx) {
            Ok(found) => Ok(Ok(found)),
            Err(Abort::Refused(code)) => Ok(Err(code)),
            Err(Abort::Failed(error)) => Err::<_, StoreError>(error),
        })
        .await?;
    Ok(answer?)
}
