//! A leave-message (H03): what a visitor leaves when nobody is there. It ends a conversation that
//! waits, or is one by itself; the text is a message of it like any other.

use std::sync::Arc;

use yingke_shared::commands::visitor::LeaveMessage;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::ClientId;
use yingke_shared::limits::{CONTACT_CHARS_MAX, NAME_CHARS_MAX};
use yingke_shared::views::{Author, ConversationStatus, EndedBy, MessageContent};

use super::Moment;
use super::end::end;
use super::send::{Opening, add, sent_before};
use crate::app::App;
use crate::auth::VisitorIdentity;
use crate::conversations::store;
use crate::error::RelayError;
use crate::store::Abort;
use crate::text;

/// Stores it once: its message is the record that it was. Who is served by now is told so, and can
/// send the text as a message.
pub async fn leave_message(
    app: Arc<App>,
    who: VisitorIdentity,
    client_id: ClientId,
    command: LeaveMessage,
) -> Result<Outcome, RelayError> {
    text::may_be_message(&command.text)?;
    let name = text::line(&command.name, NAME_CHARS_MAX)?;
    let contact = text::line(&command.contact, CONTACT_CHARS_MAX)?;
    let moment = Moment::new(app.world.as_ref());
    let now = moment.now;
    let opening = Opening::by_visitor(&app, who, &command.page, &command.locale, now)?;
    let text = command.text;
    app.store
        .write("leave message", move |tx| {
            let (mut moment, visitor_id) = (moment.clone(), &opening.visitor_id);
            if sent_before(tx, visitor_id, &client_id, &text, None)?.is_some() {
                return Ok(());
            }
            let mut row = match store::open_of_visitor(tx, visitor_id)? {
                Some(row) => row,
                None => opening.begin(tx)?,
            };
            if !matches!(row.status, ConversationStatus::Waiting { .. }) {
                return Err(Abort::Refused(ErrorCode::Overtaken));
            }
            let content = MessageContent::Text { text: text.clone() };
            add(tx, &mut row, client_id.clone(), Author::Visitor, content, now)?;
            let form = Some((name.as_str(), contact.as_str()));
            store::insert_leave_message(tx, &row.id, visitor_id, form, now)?;
            end(tx, row, EndedBy::LeaveMessage, &mut moment)
        })
        .await?;
    Ok(Outcome::Done {})
}
