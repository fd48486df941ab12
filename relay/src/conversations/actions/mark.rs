//! Marks: how far a reader has come. Merged by maximum, never past the last message; what moves
//! nothing writes nothing and announces nothing, so a mark may be repeated at will.

use std::sync::Arc;

use yingke_shared::commands::staff::StaffMark;
use yingke_shared::commands::visitor::VisitorMark;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{AgentId, ClientId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::Marks;

use super::{Decided, event, permitted};
use crate::app::App;
use crate::auth::{StaffIdentity, VisitorIdentity};
use crate::conversations::rules::marked;
use crate::conversations::store::{self, Conversation, ReaderMarks};
use crate::error::RelayError;
use crate::events::LogBody;
use crate::policy::{self, ConversationDeed, Relation};
use crate::store::{Abort, ToValue, WriteTx};

/// What a visitor's device stored and the visitor viewed, in any own conversation.
pub async fn mark_as_visitor(
    app: Arc<App>,
    who: VisitorIdentity,
    _client_id: ClientId,
    command: VisitorMark,
) -> Result<Outcome, RelayError> {
    let now = app.world.now();
    app.store
        .write("mark as visitor", move |tx| {
            let row = store::load(tx, &command.conversation_id)?
                .ok_or(Abort::Refused(ErrorCode::NotFound))?;
            policy::visitor_may(row.visitor_id == who.visitor_id).map_err(Abort::Refused)?;
            let said = Marks { delivered: command.delivered, read: command.read };
            if let Some(after) = move_marks(tx, &row, &who.visitor_id, said)? {
                tx.append(event(now, &row, LogBody::VisitorMarked { marks: after.marks }))?;
            }
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(Outcome::Done {})
}

/// What the serving agent's device stored and the agent viewed. From anyone else who may read the
/// conversation it changes nothing: what the visitor sees as "read" is the serving agent's doing.
pub async fn mark_as_agent(
    app: Arc<App>,
    who: StaffIdentity,
    _client_id: ClientId,
    command: StaffMark,
) -> Result<Outcome, RelayError> {
    let now = app.world.now();
    app.store
        .write("mark as agent", move |tx| {
            let id = &command.conversation_id;
            let (row, relation) = permitted(tx, &who, id, ConversationDeed::Mark)?;
            if !matches!(relation, Relation::Serving | Relation::Member) {
                return Ok(());
            }
            let said = Marks { delivered: command.delivered, read: command.read };
            if let Some(after) = move_marks(tx, &row, &who.agent_id, said)? {
                let hidden = !store::ever_served(tx, id, &who.agent_id)?;
                tx.append(event(now, &row, agent_marked(&who.agent_id, hidden, after)))?;
            }
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(Outcome::Done {})
}

/// The visitor knows now who reads: what one has read unseen so far is no secret any more.
pub(super) fn show_marks(
    tx: &mut WriteTx<'_>,
    row: &Conversation,
    agent_id: &AgentId,
    now: Timestamp,
) -> Decided<()> {
    let held = store::marks(tx, &row.id, agent_id)?;
    if held != ReaderMarks::default() {
        tx.append(event(now, row, agent_marked(agent_id, false, held)))?;
    }
    Ok(())
}

fn agent_marked(agent_id: &AgentId, hidden: bool, of: ReaderMarks) -> LogBody {
    LogBody::AgentMarked { agent_id: agent_id.clone(), hidden, marks: of.marks, read: of.read() }
}

/// Stores the reader's marks if they moved; gives them then.
fn move_marks(
    tx: &mut WriteTx<'_>,
    row: &Conversation,
    reader: &impl ToValue,
    said: Marks,
) -> Decided<Option<ReaderMarks>> {
    let before = store::marks(tx, &row.id, reader)?;
    let last = store::running(tx, &row.id)?.seq;
    let marks = marked(before.marks, said, last);
    if marks == before.marks {
        return Ok(None);
    }
    let read_visitor_count = if marks.read == before.marks.read {
        before.read_visitor_count
    } else {
        store::visitor_count_at(tx, &row.id, marks.read)?
    };
    let after = ReaderMarks { marks, read_visitor_count };
    store::set_marks(tx, &row.id, reader, after)?;
    Ok(Some(after))
}
