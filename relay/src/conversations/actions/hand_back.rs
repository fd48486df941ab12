//! A served conversation back to the front of the line, by the one who serves it or a manager.

use std::sync::Arc;

use yingke_shared::commands::staff::HandBack;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::ClientId;
use yingke_shared::views::{ConversationStatus, RequeueReason};

use super::requeue::requeue;
use super::{Moment, permitted};
use crate::app::App;
use crate::audit;
use crate::auth::StaffIdentity;
use crate::error::RelayError;
use crate::outcomes::{Occurrence, occurrence};
use crate::policy::{ConversationDeed, Relation};
use crate::store::Abort;

/// Whoever takes part in it leaves. A manager's doing is audited.
pub async fn hand_back(
    app: Arc<App>,
    who: StaffIdentity,
    client_id: ClientId,
    command: HandBack,
) -> Result<Outcome, RelayError> {
    let moment = Moment::new(app.world.as_ref());
    app.store
        .write("hand back", move |tx| {
            let mut moment = moment.clone();
            let id = &command.conversation_id;
            let given = format!("hand_back {id}");
            if occurrence(tx, &who.agent_id, &client_id, &given, moment.now)? == Occurrence::Again {
                return Ok(());
            }
            let (row, relation) = permitted(tx, &who, id, ConversationDeed::HandBack)?;
            let from = match &row.status {
                ConversationStatus::Serving { agent_id } => agent_id.clone(),
                ConversationStatus::Waiting { .. } => {
                    return Err(Abort::Refused(ErrorCode::Overtaken));
                }
                ConversationStatus::Ended { .. } => {
                    return Err(Abort::Refused(ErrorCode::ConversationEnded));
                }
            };
            if relation != Relation::Serving {
                audit::record(tx, moment.now, &who.agent_id, "hand_back", id.as_str())?;
            }
            requeue(tx, row, &from, RequeueReason::HandedOver, &mut moment)?;
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(Outcome::Done {})
}
