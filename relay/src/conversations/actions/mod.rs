//! The verbs of conversations. Each loads, decides, records and announces in one transaction; ids and
//! times are made before it, so that it may run again. Commands take everything by value: a session
//! has several under way at once.

mod assign;
mod end;
mod load;
mod mark;
mod send;
mod watch;

pub use assign::{ClaimOutcome, claim, release_from_disabled, set_waiting_reason};
pub use end::{end_as_agent, end_as_visitor};
pub use load::{load_history, load_messages, load_served};
pub use mark::{mark_as_agent, mark_as_visitor};
pub use send::{send_as_agent, send_as_visitor};
pub use watch::{unwatch, watch, watch_floor};

use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{AgentId, ClientId, ConversationId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{AgentCard, Author, ConversationStatus, Message, MessageContent};

use super::rules::relation;
use super::store::{self, Conversation};
use crate::auth::StaffIdentity;
use crate::clock::World;
use crate::error::RelayError;
use crate::events::{LogBody, NewEvent, Subject};
use crate::policy::{ConversationDeed, Relation, may_with_conversation};
use crate::store::{Abort, ReadTx, StoreError, WriteTx};

/// A refusal or a failure inside a transaction.
type Decided<T> = Result<T, Abort<ErrorCode>>;

/// An id for a message the relay writes itself.
fn notice_id(world: &dyn World) -> Result<ClientId, RelayError> {
    ClientId::new(world.new_id()).map_err(|_| ErrorCode::Internal.into())
}

/// The conversation, if this member of staff may do that with it, and how they stand to it.
fn permitted(
    tx: &ReadTx<'_>,
    who: &StaffIdentity,
    id: &ConversationId,
    deed: ConversationDeed,
) -> Decided<(Conversation, Relation)> {
    let row = store::load(tx, id)?.ok_or(Abort::Refused(ErrorCode::NotFound))?;
    let ever_served = store::ever_served(tx, id, &who.agent_id)?;
    let relation = relation(&row.status, &row.members, &who.agent_id, ever_served);
    // Looked at only where it can matter: whoever is asked may read.
    let relation = match relation {
        Relation::Unrelated if is_invited(tx, id, &who.agent_id)? => Relation::Invited,
        known => known,
    };
    match may_with_conversation(who.role, relation, deed) {
        Ok(()) => Ok((row, relation)),
        // Whoever may know of it learns that it is over rather than that it is not theirs.
        Err(ErrorCode::Forbidden) if matches!(row.status, ConversationStatus::Ended { .. }) => {
            Err(Abort::Refused(ErrorCode::ConversationEnded))
        }
        Err(code) => Err(Abort::Refused(code)),
    }
}

fn is_invited(
    tx: &ReadTx<'_>,
    id: &ConversationId,
    agent_id: &AgentId,
) -> Result<bool, StoreError> {
    let open = store::open_invitations(tx, id)?;
    Ok(open.iter().any(|row| row.invitation.offered_to.as_ref() == Some(agent_id)))
}

fn subject(row: &Conversation) -> Subject {
    Subject {
        conversation_id: row.id.clone(),
        visitor_id: row.visitor_id.clone(),
        agent_id: row.agent_id.clone(),
        members: row.members.clone(),
    }
}

fn event(at: Timestamp, row: &Conversation, body: LogBody) -> NewEvent {
    NewEvent { at, subject: Some(subject(row)), body }
}

/// A message about to be added.
struct NewMessage {
    client_id: ClientId,
    author: Author,
    content: MessageContent,
    at: Timestamp,
    /// Its author's card, if an agent wrote it.
    agent: Option<AgentCard>,
}

/// Adds a message to an open conversation: its row, its number, its event.
fn append_message(
    tx: &mut WriteTx<'_>,
    row: &mut Conversation,
    new: NewMessage,
) -> Result<Message, StoreError> {
    let running = store::running(tx, &row.id)?.after(&new.author, new.at);
    if row.first_response_at.is_none() && matches!(new.author, Author::Agent { .. }) {
        store::set_first_response(tx, &row.id, new.at)?;
        row.first_response_at = Some(new.at);
    }
    let message = Message {
        seq: running.seq,
        client_id: new.client_id,
        author: new.author,
        content: new.content,
        at: new.at,
        visitor_count: running.visitor_count,
        unanswered_since: running.unanswered_since,
    };
    store::insert_message(tx, &row.id, &row.visitor_id, &message)?;
    let body = LogBody::MessageAppended {
        message: Box::new(message.clone()),
        agent: new.agent,
        first_response_at: row.first_response_at,
    };
    tx.append(event(new.at, row, body))?;
    Ok(message)
}
