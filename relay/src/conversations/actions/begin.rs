//! A conversation that begins because the window was opened, on a site where that takes a seat (B14).
//! Nothing was said: nobody waits for an answer, and no clock of one runs.

use std::sync::Arc;

use yingke_shared::commands::visitor::BeginConversation;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::ClientId;

use super::send::{Greeting, Opening};
use crate::app::App;
use crate::auth::VisitorIdentity;
use crate::conversations::store;
use crate::error::RelayError;
use crate::sites;
use crate::store::Abort;

/// Begins one unless one is open, however often and from however many tabs it is asked for. A widget
/// cannot know what was set in this instant: where none begins any more, that is no error.
pub async fn begin(
    app: Arc<App>,
    who: VisitorIdentity,
    _client_id: ClientId,
    command: BeginConversation,
) -> Result<Outcome, RelayError> {
    let now = app.world.now();
    let mut opening = Opening::by_visitor(&app, who, &command.page, &command.locale, now)?;
    opening.greeting = Greeting::Alone;
    app.store
        .write("begin conversation", move |tx| {
            let is_open = store::open_of_visitor(tx, &opening.visitor_id)?.is_some();
            let site = sites::queries::for_visitor(tx, &opening.site_id)?;
            if !is_open && site.begins_on_open {
                opening.begin(tx)?;
            }
            Ok::<_, Abort<ErrorCode>>(())
        })
        .await?;
    Ok(Outcome::Done {})
}
