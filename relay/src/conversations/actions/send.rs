//! Sending a message. Its row is its own idempotency record: the same actor, id and text always get
//! the same answer, also when the conversation has ended meanwhile.

use std::sync::Arc;

use yingke_shared::commands::staff::StaffSendMessage;
use yingke_shared::commands::visitor::{PageContext, VisitorAsks, VisitorSendMessage};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{ClientId, ConversationId, Position, SiteId, VisitorId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{
    Author, ConversationStatus, MessageContent, SystemNotice, WaitingReason,
};

use super::members::reveal;
use super::{Decided, Moment, NewMessage, append_message, event, notice_id, permitted};
use crate::agents;
use crate::app::App;
use crate::assignment::settings::{Arriving, described};
use crate::auth::{StaffIdentity, VisitorIdentity};
use crate::conversations::store::{self, Conversation};
use crate::error::RelayError;
use crate::events::LogBody;
use crate::policy::ConversationDeed;
use crate::store::{Abort, ReadTx, StoreError, ToValue, WriteTx};
use crate::text;
use crate::{settings, sites, visitors};

/// A visitor's message. Starts a conversation if none is open: with the site's welcome as number 1,
/// if it has one, and the message after it (A16, B14).
pub async fn send_as_visitor(
    app: Arc<App>,
    who: VisitorIdentity,
    client_id: ClientId,
    command: VisitorSendMessage,
) -> Result<Outcome, RelayError> {
    text::may_be_message(&command.text)?;
    let now = app.world.now();
    let mut opening = Opening::by_visitor(&app, who, &command.page, &command.locale, now)?;
    opening.asks = command.asks;
    let text = command.text;
    let accepted = app
        .store
        .write("send as visitor", move |tx| {
            if let Some(outcome) = sent_before(tx, &opening.visitor_id, &client_id, &text, None)? {
                return Ok(outcome);
            }
            let mut row = match store::open_of_visitor(tx, &opening.visitor_id)? {
                Some(row) => row,
                None => opening.begin_as_asked(tx)?,
            };
            let content = MessageContent::Text { text: text.clone() };
            add(tx, &mut row, client_id.clone(), Author::Visitor, content, now)
        })
        .await?;
    Ok(accepted)
}

/// An agent's message, in a conversation the agent serves.
pub async fn send_as_agent(
    app: Arc<App>,
    who: StaffIdentity,
    client_id: ClientId,
    command: StaffSendMessage,
) -> Result<Outcome, RelayError> {
    text::may_be_message(&command.text)?;
    let moment = Moment::new(app.world.as_ref());
    let accepted = app
        .store
        .write("send as agent", move |tx| {
            let mut moment = moment.clone();
            let id = &command.conversation_id;
            let before = sent_before(tx, &who.agent_id, &client_id, &command.text, Some(id))?;
            if let Some(outcome) = before {
                return Ok(outcome);
            }
            let (mut row, _) = permitted(tx, &who, id, ConversationDeed::Write)?;
            reveal(tx, &mut row, &who.agent_id, &mut moment)?;
            let author = Author::Agent { agent_id: who.agent_id.clone() };
            let content = MessageContent::Text { text: command.text.clone() };
            add(tx, &mut row, client_id.clone(), author, content, moment.now)
        })
        .await?;
    Ok(accepted)
}

/// The answer to this id, if the actor used it before; the same id for another text, or for
/// another conversation where the actor names one, is refused.
pub(super) fn sent_before(
    tx: &ReadTx<'_>,
    actor: &impl ToValue,
    client_id: &ClientId,
    text: &str,
    conversation_id: Option<&ConversationId>,
) -> Decided<Option<Outcome>> {
    match store::sent(tx, actor, client_id)? {
        None => Ok(None),
        Some(sent)
            if sent.text == text
                && conversation_id.is_none_or(|named| *named == sent.conversation_id) =>
        {
            let (conversation_id, seq, at) = (sent.conversation_id, sent.seq, sent.at);
            Ok(Some(Outcome::Accepted { conversation_id, seq, at }))
        }
        Some(_) => Err(Abort::Refused(ErrorCode::IdReused)),
    }
}

pub(super) fn add(
    tx: &mut WriteTx<'_>,
    row: &mut Conversation,
    client_id: ClientId,
    author: Author,
    content: MessageContent,
    at: Timestamp,
) -> Decided<Outcome> {
    let agent = match &author {
        Author::Agent { agent_id } => {
            // An account disabled while its command was under way writes no more.
            let card = agents::queries::writes_as(tx, agent_id)?;
            Some(card.ok_or(Abort::Refused(ErrorCode::Unauthenticated))?)
        }
        Author::Visitor | Author::System => None,
    };
    let message = append_message(tx, row, NewMessage { client_id, author, content, at, agent })?;
    Ok(Outcome::Accepted { conversation_id: row.id.clone(), seq: message.seq, at: message.at })
}

/// What a conversation has of the site's welcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Greeting {
    /// Nothing: somebody else begins it.
    Unseen,
    /// The visitor saw it, if there is one, and writes now.
    Seen,
    /// The visitor sees it and writes nothing: it is all there is, and may be empty.
    Alone,
}

/// All that a new conversation needs, made before the transaction.
pub(super) struct Opening {
    pub(super) id: ConversationId,
    pub(super) welcome_id: ClientId,
    pub(super) visitor_id: VisitorId,
    pub(super) site_id: SiteId,
    pub(super) page_url: String,
    pub(super) page_title: String,
    pub(super) locale: String,
    /// What the visitor picked before.
    pub(super) asks: VisitorAsks,
    pub(super) greeting: Greeting,
    pub(super) at: Timestamp,
}

impl Opening {
    /// Of a conversation that the visitor begins on this page.
    pub(super) fn by_visitor(
        app: &App,
        who: VisitorIdentity,
        page: &PageContext,
        locale: &str,
        at: Timestamp,
    ) -> Result<Self, RelayError> {
        Ok(Self {
            id: ConversationId::new(app.world.new_id()).map_err(|_| ErrorCode::Internal)?,
            welcome_id: notice_id(app.world.as_ref())?,
            visitor_id: who.visitor_id,
            site_id: who.site_id,
            page_url: text::page_url(&page.url).to_owned(),
            page_title: text::page_title(&page.title),
            locale: text::locale(locale).to_owned(),
            asks: VisitorAsks::default(),
            greeting: Greeting::Seen,
            at,
        })
    }

    /// Begins it if the visitor picked what must be picked (A24).
    fn begin_as_asked(&self, tx: &mut WriteTx<'_>) -> Decided<Conversation> {
        let categories = settings::queries::company(tx)?.value.categories;
        let is_picked = categories.iter().any(|category| category.name == self.asks.category);
        if is_picked || categories.is_empty() {
            self.begin(tx)
        } else {
            Err(Abort::Refused(ErrorCode::CategoryNeeded))
        }
    }

    /// Begins the conversation, waiting, with the welcome as its first message.
    pub(super) fn begin(&self, tx: &mut WriteTx<'_>) -> Decided<Conversation> {
        let site = sites::queries::settings(tx, &self.site_id)?
            .ok_or(Abort::Failed(StoreError::Corrupt("site")))?;
        if !site.enabled {
            return Err(Abort::Refused(ErrorCode::SiteDisabled));
        }
        // One who was away for so long as to be forgotten in this very moment.
        if !visitors::store::is_there(tx, &self.visitor_id)? {
            return Err(Abort::Refused(ErrorCode::Unauthenticated));
        }
        let mut row = Conversation {
            id: self.id.clone(),
            visitor_id: self.visitor_id.clone(),
            site_id: self.site_id.clone(),
            status: ConversationStatus::Waiting { reason: WaitingReason::Routing },
            agent_id: None,
            page_url: self.page_url.clone(),
            page_title: self.page_title.clone(),
            locale: self.locale.clone(),
            started_at: self.at,
            started_position: Position::ZERO,
            assigned_at: None,
            first_response_at: None,
            department_id: None,
            vip: false,
            members: Vec::new(),
            unannounced: Vec::new(),
            tries: 0,
            is_alerted: false,
        };
        let described = self.described(tx)?;
        row.started_position = tx.append(event(self.at, &row, LogBody::ConversationStarted))?;
        if !store::insert(tx, &row)? {
            // Writes are serial, so nobody can have begun one since it was looked for.
            return Err(Abort::Failed(StoreError::Corrupt("open conversation")));
        }
        store::describe(tx, &self.id, &described)?;
        // Without any message a record of it would have nothing to show: an empty welcome stands there.
        let is_greeted = self.greeting == Greeting::Seen && !site.welcome.is_empty();
        if is_greeted || self.greeting == Greeting::Alone {
            let notice = SystemNotice::Welcome { text: site.welcome };
            let welcome = NewMessage {
                client_id: self.welcome_id.clone(),
                author: Author::System,
                content: MessageContent::Notice { notice },
                at: self.at,
                agent: None,
            };
            append_message(tx, &mut row, welcome)?;
        }
        Ok(row)
    }

    /// What rules may ask about the visitor, as JSON.
    fn described(&self, tx: &ReadTx<'_>) -> Decided<String> {
        let newest = store::newest_of_visitor(tx, &self.visitor_id)?;
        let company = settings::queries::company(tx)?.value;
        let offered = sites::queries::choices(tx, &company)?;
        let asks = offered.of(&self.asks);
        let arriving = Arriving {
            site_id: &self.site_id,
            page_url: &self.page_url,
            locale: &self.locale,
            asks: &asks,
            last_agent: newest.as_ref().and_then(|row| row.agent_id.as_ref()),
            returning: newest.is_some(),
            visits: store::begun_by(tx, &self.visitor_id)?.saturating_add(1),
        };
        let described = described(&arriving);
        serde_json::to_string(&described).map_err(|_| Abort::Refused(ErrorCode::Internal))
    }
}
