//! An agent writes first (C05), to a visitor the agent had to do with before.

use std::sync::Arc;

use yingke_shared::commands::staff::StartConversation;
use yingke_shared::commands::visitor::VisitorAsks;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::explanation::AssignedHow;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{ClientId, ConversationId};
use yingke_shared::views::{Author, ConversationStatus, MessageContent};

use super::pass_on::{PassOn, pass_on};
use super::send::{Greeting, Opening, add, sent_before};
use super::{Decided, Moment, notice_id, present};
use crate::app::App;
use crate::auth::StaffIdentity;
use crate::conversations::store::{self, Conversation};
use crate::error::RelayError;
use crate::store::{Abort, WriteTx};
use crate::text;

/// The text joins the visitor's open conversation if the sender serves it; one that waits is taken,
/// and without an open one another begins. Its message is the record that it was carried out.
pub async fn start(
    app: Arc<App>,
    who: StaffIdentity,
    client_id: ClientId,
    command: StartConversation,
) -> Result<Outcome, RelayError> {
    text::may_be_message(&command.text)?;
    let moment = Moment::new(app.world.as_ref());
    let id = ConversationId::new(app.world.new_id()).map_err(|_| ErrorCode::Internal)?;
    let welcome_id = notice_id(app.world.as_ref())?;
    let accepted = app
        .store
        .write("start conversation", move |tx| {
            let (mut moment, me) = (moment.clone(), &who.agent_id);
            let StartConversation { visitor_id, text } = &command;
            if let Some(outcome) = sent_before(tx, me, &client_id, text, None)? {
                return Ok(outcome);
            }
            let newest = store::newest_of_visitor(tx, visitor_id)?;
            let newest = newest.ok_or(Abort::Refused(ErrorCode::NotFound))?;
            if !store::served_visitor(tx, visitor_id, me)? {
                return Err(Abort::Refused(ErrorCode::NotFound));
            }
            present(tx, me)?;
            let begun = match newest.status {
                ConversationStatus::Ended { .. } => {
                    let opening = Opening {
                        id: id.clone(),
                        welcome_id: welcome_id.clone(),
                        visitor_id: visitor_id.clone(),
                        site_id: newest.site_id,
                        page_url: newest.page_url,
                        page_title: newest.page_title,
                        locale: newest.locale,
                        asks: VisitorAsks::default(),
                        greeting: Greeting::Unseen,
                        at: moment.now,
                    };
                    opening.begin(tx)?
                }
                ConversationStatus::Waiting { .. } | ConversationStatus::Serving { .. } => newest,
            };
            let mut row = own(tx, begun, &who, &mut moment)?;
            let author = Author::Agent { agent_id: me.clone() };
            let content = MessageContent::Text { text: text.clone() };
            add(tx, &mut row, client_id.clone(), author, content, moment.now)
        })
        .await?;
    Ok(accepted)
}

/// The conversation, served by the sender.
fn own(
    tx: &mut WriteTx<'_>,
    row: Conversation,
    who: &StaffIdentity,
    moment: &mut Moment,
) -> Decided<Conversation> {
    match &row.status {
        ConversationStatus::Serving { agent_id } if *agent_id == who.agent_id => Ok(row),
        ConversationStatus::Waiting { .. } => {
            let change = PassOn::new(&row, who.agent_id.clone(), AssignedHow::Started {});
            pass_on(tx, row, change, moment)
        }
        ConversationStatus::Serving { .. } | ConversationStatus::Ended { .. } => {
            Err(Abort::Refused(ErrorCode::Overtaken))
        }
    }
}
