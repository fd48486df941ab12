//! Giving a waiting conversation to an agent by hand (B09): of two who do it at once one is told that
//! it was overtaken.

use std::sync::Arc;

use yingke_shared::commands::staff::Assign;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::explanation::AssignedHow;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::ClientId;
use yingke_shared::views::{Availability, ConversationStatus};

use super::pass_on::{PassOn, pass_on};
use super::{Moment, permitted, present};
use crate::app::App;
use crate::audit;
use crate::auth::StaffIdentity;
use crate::conversations::store;
use crate::error::RelayError;
use crate::outcomes::{Occurrence, occurrence};
use crate::policy::{self, ConversationDeed, Deed};
use crate::store::Abort;

/// Gives it to an agent who is online; over capacity only if that is meant.
pub async fn assign_by_hand(
    app: Arc<App>,
    who: StaffIdentity,
    client_id: ClientId,
    command: Assign,
) -> Result<Outcome, RelayError> {
    policy::may(who.role, Deed::AssignByHand)?;
    let moment = Moment::new(app.world.as_ref());
    let is_connected = app.hub.connected_agents().contains(&command.agent_id);
    app.store
        .write("assign by hand", move |tx| {
            let mut moment = moment.clone();
            let Assign { conversation_id: id, agent_id: to, over_capacity } = &command;
            let given = format!("assign {id} {to} {over_capacity}");
            if occurrence(tx, &who.agent_id, &client_id, &given, moment.now)? == Occurrence::Again {
                return Ok(());
            }
            let (row, _) = permitted(tx, &who, id, ConversationDeed::Read)?;
            if !matches!(row.status, ConversationStatus::Waiting { .. }) {
                return Err(Abort::Refused(ErrorCode::Overtaken));
            }
            if present(tx, to)?.availability != Availability::Online || !is_connected {
                return Err(Abort::Refused(ErrorCode::AgentUnavailable));
            }
            if !over_capacity && !store::has_place(tx, to, moment.now)? {
                return Err(Abort::Refused(ErrorCode::AgentFull));
            }
            audit::record(tx, moment.now, &who.agent_id, "assign", id.as_str())?;
            let how = AssignedHow::ByHand { by: who.agent_id.clone() };
            let change = PassOn::new(&row, to.clone(), how);
            pass_on(tx, row, change, &mut moment)?;
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(Outcome::Done {})
}
