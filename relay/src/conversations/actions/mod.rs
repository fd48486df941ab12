//! The verbs of conversations. Each loads, decides, records and announces in one transaction; ids and
//! times are made before it, so that it may run again. Commands take everything by value: a session
//! has several under way at once.

mod assign;
mod assign_by_hand;
mod begin;
mod decided;
mod end;
mod hand_back;
mod invite;
mod leave_message;
mod load;
mod mark;
mod members;
mod note;
mod part;
mod pass_on;
mod requeue;
mod send;
mod start;
mod take_over;
mod watch;

pub use assign::{ClaimOutcome, claim};
pub use assign_by_hand::assign_by_hand;
pub use begin::begin;
pub(crate) use decided::route;
pub use decided::{
    Carried, drop_member, end_of_away, end_of_silent, file, give_back, offer_to, pass_to_member,
    pass_unanswered, put_back, say_by_itself, set_waiting_reason, tell_managers,
};
pub use end::{end_as_agent, end_as_visitor, leave_queue};
pub use hand_back::hand_back;
pub use invite::{answer, invite, withdraw};
pub use leave_message::leave_message;
pub use load::{load_assignments, load_contacts, load_conversation};
pub use load::{load_history, load_messages, load_served};
pub use mark::{mark_as_agent, mark_as_visitor};
pub use members::{enter, leave};
pub use note::add_note;
pub(crate) use part::part_from_all;
pub use send::{send_as_agent, send_as_visitor};
pub use start::start;
pub use take_over::take_over;
pub use watch::{unwatch, watch, watch_floor};

use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{AgentId, ClientId, ConversationId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{
    AgentCard, Author, Availability, ConversationStatus, Message, MessageContent, SystemNotice,
};

use super::rules::relation;
use super::store::{self, Conversation};
use crate::agents::{self, Agent};
use crate::auth::StaffIdentity;
use crate::clock::World;
use crate::error::RelayError;
use crate::events::{LogBody, NewEvent, Subject};
use crate::policy::{ConversationDeed, Relation, may_with_conversation};
use crate::store::{Abort, ReadTx, StoreError, WriteTx};

/// A refusal or a failure inside a transaction.
type Decided<T> = Result<T, Abort<ErrorCode>>;

/// What all changes of one transaction share: the time, and ids for the messages the relay writes by
/// itself. Made before the transaction, which takes a copy each time it runs.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(crate) now: Timestamp,
    id: String,
    taken: u32,
}

impl Moment {
    /// Now.
    pub(crate) fn new(world: &dyn World) -> Self {
        Self { now: world.now(), id: world.new_id(), taken: 0 }
    }

    fn notice_id(&mut self) -> Decided<ClientId> {
        self.taken += 1;
        let id = ClientId::new(format!("{}-{}", self.id, self.taken));
        id.map_err(|_| Abort::Refused(ErrorCode::Internal))
    }
}

/// Writes a notice into an open conversation.
pub(crate) fn say(
    tx: &mut WriteTx<'_>,
    row: &mut Conversation,
    notice: SystemNotice,
    moment: &mut Moment,
) -> Decided<()> {
    let new = NewMessage {
        client_id: moment.notice_id()?,
        author: Author::System,
        content: MessageContent::Notice { notice },
        at: moment.now,
        agent: None,
    };
    append_message(tx, row, new)?;
    Ok(())
}

/// The account, if it may take part in conversations now: neither away nor disabled.
fn present(tx: &ReadTx<'_>, agent_id: &AgentId) -> Decided<Agent> {
    let agent = agents::queries::agent(tx, agent_id)?;
    let present = |it: &Agent| !it.disabled && it.availability != Availability::Away;
    agent.filter(present).ok_or(Abort::Refused(ErrorCode::AgentUnavailable))
}

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
    // Looked up only where it can matter: whoever had it or is asked may read.
    let relation = match relation(&row.status, &row.members, &who.agent_id) {
        Relation::Unrelated if store::ever_served(tx, id, &who.agent_id)? => Relation::Served,
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
    if matches!(message.author, Author::Agent { .. }) && (row.is_alerted || row.tries > 0) {
        store::answered(tx, &row.id)?;
        row.tries = 0;
        if std::mem::take(&mut row.is_alerted) {
            tx.append(event(new.at, row, LogBody::AlertCleared))?;
        }
    }
    Ok(message)
}
