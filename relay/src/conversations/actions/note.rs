//! Notes among staff (F05, X08): a whisper, a hint, a hand-over. They have no number in the stream, so
//! that nothing on the visitor's side can tell that there are any. Mentions are text.

use std::sync::Arc;

use yingke_shared::commands::staff::AddNote;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::ClientId;
use yingke_shared::views::{ConversationStatus, Note};

use super::{event, permitted};
use crate::agents;
use crate::app::App;
use crate::auth::StaffIdentity;
use crate::conversations::store;
use crate::error::RelayError;
use crate::events::LogBody;
use crate::policy::ConversationDeed;
use crate::store::Abort;
use crate::text;

/// Adds a note after the newest message. Its row is its own idempotency record.
pub async fn add_note(
    app: Arc<App>,
    who: StaffIdentity,
    client_id: ClientId,
    command: AddNote,
) -> Result<Outcome, RelayError> {
    text::may_be_message(&command.text)?;
    let now = app.world.now();
    app.store
        .write("add note", move |tx| {
            let (id, me) = (&command.conversation_id, &who.agent_id);
            if let Some((of, text)) = store::note_of(tx, me, &client_id)? {
                let same = of == *id && text == command.text;
                return if same { Ok(()) } else { Err(Abort::Refused(ErrorCode::IdReused)) };
            }
            let (row, _) = permitted(tx, &who, id, ConversationDeed::Note)?;
            if matches!(row.status, ConversationStatus::Ended { .. }) {
                return Err(Abort::Refused(ErrorCode::ConversationEnded));
            }
            // An account disabled while its command was under way writes no more.
            let agent = agents::queries::agent(tx, me)?.filter(|agent| !agent.disabled);
            agent.ok_or(Abort::Refused(ErrorCode::Unauthenticated))?;
            let note = Note {
                id: client_id.clone(),
                agent_id: me.clone(),
                text: command.text.clone(),
                at: now,
                after: store::running(tx, id)?.seq,
            };
            if !store::insert_note(tx, id, &note)? {
                return Err(Abort::Refused(ErrorCode::IdReused));
            }
            tx.append(event(now, &row, LogBody::NoteAdded))?;
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(Outcome::Done {})
}
