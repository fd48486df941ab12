//! A manager serves a conversation from now on (F05), one that waits too. Audited.

use std::sync::Arc;

use yingke_shared::commands::staff::TakeOver;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::explanation::AssignedHow;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::ClientId;
use yingke_shared::views::ConversationStatus;

use super::pass_on::{PassOn, pass_on};
use super::{Moment, permitted, present};
use crate::app::App;
use crate::audit;
use crate::auth::StaffIdentity;
use crate::error::RelayError;
use crate::outcomes::{Occurrence, occurrence};
use crate::policy::{self, ConversationDeed, Deed, Relation};
use crate::store::Abort;

/// Whoever served it so far leaves; who takes part beside goes on. One's own stays as it is.
pub async fn take_over(
    app: Arc<App>,
    who: StaffIdentity,
    client_id: ClientId,
    command: TakeOver,
) -> Result<Outcome, RelayError> {
    policy::may(who.role, Deed::WatchConversation)?;
    let moment = Moment::new(app.world.as_ref());
    app.store
        .write("take over", move |tx| {
            let mut moment = moment.clone();
            let (id, me) = (&command.conversation_id, &who.agent_id);
            let given = format!("take_over {id}");
            if occurrence(tx, me, &client_id, &given, moment.now)? == Occurrence::Again {
                return Ok(());
            }
            let (row, relation) = permitted(tx, &who, id, ConversationDeed::Read)?;
            if matches!(row.status, ConversationStatus::Ended { .. }) {
                return Err(Abort::Refused(ErrorCode::ConversationEnded));
            }
            if relation == Relation::Serving {
                return Ok(());
            }
            present(tx, me)?;
            audit::record(tx, moment.now, me, "take_over", id.as_str())?;
            let change = PassOn::new(&row, me.clone(), AssignedHow::TookOver {});
            pass_on(tx, row, change, &mut moment)?;
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(Outcome::Done {})
}
