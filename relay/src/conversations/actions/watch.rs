//! Watching: a manager follows a conversation unseen, on one socket (F05, L01). Beginning it is audited;
//! it ends with the socket.

use std::future::{Ready, ready};
use std::sync::Arc;

use yingke_shared::commands::staff::{UnwatchConversation, WatchConversation, WatchFloor};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::frame::Outcome;
use yingke_shared::views::ConversationStatus;

use super::permitted;
use crate::app::App;
use crate::audit;
use crate::auth::StaffIdentity;
use crate::conversations::queries::record_of;
use crate::error::RelayError;
use crate::live::Seat;
use crate::policy::{self, ConversationDeed, Deed};
use crate::store::{Abort, StoreError};

/// From the answer's record on, what happens in the conversation comes to this socket.
pub async fn watch(
    app: Arc<App>,
    who: StaffIdentity,
    seat: Seat,
    command: WatchConversation,
) -> Result<Outcome, RelayError> {
    policy::may(who.role, Deed::WatchConversation)?;
    let now = app.world.now();
    let id = command.conversation_id;
    // Before the record is read: what commits between the two comes twice rather than not at all, and
    // an event the record has changes nothing.
    let is_new = app.hub.watch(&seat, &id)?;
    let of = id.clone();
    let read = app.store.write("watch conversation", move |tx| {
        let (row, _) = permitted(tx, &who, &of, ConversationDeed::Read)?;
        if matches!(row.status, ConversationStatus::Ended { .. }) {
            return Err(Abort::Refused(ErrorCode::ConversationEnded));
        }
        audit::record(tx, now, &who.agent_id, "watch", of.as_str())?;
        let record = record_of(tx, &of, &who.agent_id)?;
        record.ok_or(Abort::Failed(StoreError::Corrupt("conversation")))
    });
    match read.await {
        Ok(record) => {
            app.hub.tell_watcher(&seat, &id, &record.visitor.id);
            Ok(Outcome::Watched { record: Box::new(record) })
        }
        Err(error) => {
            // Who watches already goes on.
            if is_new {
                app.hub.unwatch(&seat, &id);
            }
            Err(error.into())
        }
    }
}

/// No longer.
pub fn unwatch(
    app: &App,
    seat: &Seat,
    command: &UnwatchConversation,
) -> Ready<Result<Outcome, RelayError>> {
    app.hub.unwatch(seat, &command.conversation_id);
    ready(Ok(Outcome::Done {}))
}

/// The floor comes to this socket whenever it changes, or no longer.
pub fn watch_floor(
    app: &App,
    who: &StaffIdentity,
    seat: &Seat,
    command: &WatchFloor,
) -> Ready<Result<Outcome, RelayError>> {
    app.hub.watch_floor(seat, who.role, command.on);
    ready(Ok(Outcome::Done {}))
}
