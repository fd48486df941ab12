//! What sessions, fan-out and the driver read: records, snapshots, pages, who waits.
//!
//! Everything takes one transaction, so that a record and the log's head read beside it are of the
//! same moment.

use std::collections::BTreeMap;

use yingke_shared::events::{VisitorEvent, VisitorEventBody};
use yingke_shared::ids::{AgentId, ConversationId, Position, SiteId, VisitorId};
use yingke_shared::limits::{SNAPSHOT_CONVERSATIONS_MAX, SNAPSHOT_MESSAGES_MAX};
use yingke_shared::snapshot::{StaffSnapshot, VisitorSnapshot};
use yingke_shared::views::{
    Author, ConversationRecord, ConversationStatus, VisitorCard, VisitorConversation,
    VisitorMessage, VisitorSelf,
};

use super::rules::{relation, visitor_label};
use super::store::{self, Conversation, OpenConversation};
use super::views::{visitor_message, visitor_status};
use crate::agents::queries::Cards;
use crate::limits::SNAPSHOT_BYTES_MAX;
use crate::policy::Relation;
use crate::sites::queries::Names;
use crate::store::{ReadTx, StoreError};
use crate::{agents, sites};

/// Everything a member of staff sees now.
pub fn staff_snapshot(tx: &ReadTx<'_>, agent_id: &AgentId) -> Result<StaffSnapshot, StoreError> {
    let mut own = None;
    let mut colleagues = BTreeMap::new();
    for agent in agents::queries::all(tx)? {
        if agent.id == *agent_id {
            own = Some(agent.own_card());
        } else {
            colleagues.insert(agent.id.clone(), agent.colleague());
        }
    }
    let own = own.ok_or(StoreError::Corrupt("agent"))?;
    let (records, has_more) = records_served_by(tx, agent_id, None)?;
    let conversations = records.into_iter().map(|record| (record.id.clone(), record)).collect();
    Ok(StaffSnapshot { own, colleagues, sites: sites::queries::all(tx)?, conversations, has_more })
}

/// The open conversations an agent serves, by id, after `after`: at most 500 and 256 KiB, and
/// whether there are more.
pub fn records_served_by(
    tx: &ReadTx<'_>,
    agent_id: &AgentId,
    after: Option<&ConversationId>,
) -> Result<(Vec<ConversationRecord>, bool), StoreError> {
    let after = after.map_or("", ConversationId::as_str);
    let rows = store::served_by(tx, agent_id, after, SNAPSHOT_CONVERSATIONS_MAX + 1)?;
    let mut names = Names::default();
    let mut records = Vec::new();
    let mut bytes_left = SNAPSHOT_BYTES_MAX;
    for row in rows {
        let record = record(tx, row, agent_id, &mut names)?;
        let bytes = record_bytes(&record);
        let full = records.len() >= SNAPSHOT_CONVERSATIONS_MAX
            || (bytes > bytes_left && !records.is_empty());
        if full {
            return Ok((records, true));
        }
        bytes_left = bytes_left.saturating_sub(bytes);
        records.push(record);
    }
    Ok((records, false))
}

/// What a record weighs as JSON, roughly.
fn record_bytes(record: &ConversationRecord) -> usize {
    const AROUND: usize = 512;
    let visitor = &record.visitor;
    AROUND
        + store::message_bytes(&record.last_message)
        + record.last_said.as_ref().map_or(0, store::message_bytes)
        + visitor.page_url.len()
        + visitor.page_title.len()
        + visitor.site_name.len()
}

/// The record of a conversation this agent serves now; `None` if it is not so (any more).
pub fn record_for(
    tx: &ReadTx<'_>,
    id: &ConversationId,
    agent_id: &AgentId,
) -> Result<Option<ConversationRecord>, StoreError> {
    match store::load(tx, id)? {
        Some(row) if serves(&row.status, agent_id) => {
            record(tx, row, agent_id, &mut Names::default()).map(Some)
        }
        _ => Ok(None),
    }
}

fn serves(status: &ConversationStatus, reader: &AgentId) -> bool {
    matches!(status, ConversationStatus::Serving { agent_id } if agent_id == reader)
}

/// How a member of staff stands to a conversation; `None` if there is none of this id.
pub fn relation_of(
    tx: &ReadTx<'_>,
    id: &ConversationId,
    agent_id: &AgentId,
) -> Result<Option<Relation>, StoreError> {
    let Some(row) = store::load(tx, id)? else { return Ok(None) };
    let ever_served = store::ever_served(tx, id, agent_id)?;
    Ok(Some(relation(&row.status, agent_id, ever_served)))
}

/// The agent who serves the conversation now, if one does: who gets previews.
pub fn serving_agent(tx: &ReadTx<'_>, id: &ConversationId) -> Result<Option<AgentId>, StoreError> {
    Ok(match store::load(tx, id)?.map(|row| row.status) {
        Some(ConversationStatus::Serving { agent_id }) => Some(agent_id),
        _ => None,
    })
}

fn record(
    tx: &ReadTx<'_>,
    row: Conversation,
    reader: &AgentId,
    names: &mut Names,
) -> Result<ConversationRecord, StoreError> {
    let (last_message, last_said) = store::last_messages(tx, &row.id)?;
    Ok(ConversationRecord {
        rev: store::rev(tx, &row.id)?,
        last_message,
        last_said,
        visitor_marks: store::marks(tx, &row.id, &row.visitor_id)?.marks,
        own_read: store::marks(tx, &row.id, reader)?.read(),
        visitor: VisitorCard {
            label: visitor_label(&row.visitor_id),
            site_name: names.get(tx, &row.site_id)?,
            id: row.visitor_id,
            site_id: row.site_id,
            page_url: row.page_url,
            page_title: row.page_title,
            locale: row.locale,
        },
        id: row.id,
        status: row.status,
        started_at: row.started_at,
        assigned_at: row.assigned_at,
        first_response_at: row.first_response_at,
    })
}

/// Everything a visitor sees now.
pub fn visitor_snapshot(
    tx: &ReadTx<'_>,
    visitor_id: &VisitorId,
    site_id: &SiteId,
) -> Result<VisitorSnapshot, StoreError> {
    let mut cards = Cards::default();
    let conversation = match store::newest_of_visitor(tx, visitor_id)? {
        Some(row) => Some(visitor_view(tx, row, &mut cards)?),
        None => None,
    };
    let (messages, has_earlier) =
        visitor_messages(tx, visitor_id, None, SNAPSHOT_MESSAGES_MAX, &mut cards)?;
    Ok(VisitorSnapshot {
        visitor: VisitorSelf { id: visitor_id.clone() },
        site: sites::queries::for_visitor(tx, site_id)?,
        conversation,
        messages,
        has_earlier,
    })
}

/// What changed of names and site on the screen of a visitor who last saw `after`, as all of it is
/// now, in order: of the agents who ever served the visitor, for nobody else's name is held.
pub fn visitor_news(
    tx: &ReadTx<'_>,
    visitor_id: &VisitorId,
    site_id: &SiteId,
    after: Position,
) -> Result<Vec<VisitorEvent>, StoreError> {
    let mut news = Vec::new();
    if let Some((position, site)) = sites::queries::shown(tx, site_id)? {
        news.push(VisitorEvent { position, body: VisitorEventBody::SiteChanged { site } });
    }
    for agent_id in store::agents_of_visitor(tx, visitor_id)? {
        if let Some((position, agent)) = agents::queries::named(tx, &agent_id)? {
            news.push(VisitorEvent { position, body: VisitorEventBody::AgentChanged { agent } });
        }
    }
    news.retain(|event| event.position > after);
    news.sort_by_key(|event| event.position);
    Ok(news)
}

/// Those of `visitors` whom the agent ever served: whose screens may hold the agent's name.
pub fn served_of(
    tx: &ReadTx<'_>,
    agent_id: &AgentId,
    visitors: &[VisitorId],
) -> Result<Vec<VisitorId>, StoreError> {
    let mut served = Vec::new();
    for visitor_id in visitors {
        if store::served_visitor(tx, visitor_id, agent_id)? {
            served.push(visitor_id.clone());
        }
    }
    Ok(served)
}

/// The newest messages of a visitor before a point, oldest first, and whether there are earlier ones.
pub(crate) fn visitor_messages(
    tx: &ReadTx<'_>,
    visitor_id: &VisitorId,
    before: Option<(Position, yingke_shared::ids::Seq)>,
    rows_max: u32,
    cards: &mut Cards,
) -> Result<(Vec<VisitorMessage>, bool), StoreError> {
    let page = store::history(tx, visitor_id, before, rows_max, SNAPSHOT_BYTES_MAX)?;
    let mut messages = Vec::with_capacity(page.rows.len());
    for (conversation_id, message) in page.rows {
        let agent = match &message.author {
            Author::Agent { agent_id } => Some(cards.get(tx, agent_id)?),
            Author::Visitor | Author::System => None,
        };
        let view = visitor_message(conversation_id, &message, agent);
        messages.push(view.ok_or(StoreError::Corrupt("author"))?);
    }
    Ok((messages, page.has_earlier))
}

/// A conversation as its visitor sees it.
pub fn visitor_conversation(
    tx: &ReadTx<'_>,
    id: &ConversationId,
) -> Result<Option<VisitorConversation>, StoreError> {
    store::load(tx, id)?.map(|row| visitor_view(tx, row, &mut Cards::default())).transpose()
}

/// The visitor's open conversation, if there is one.
pub fn open_conversation_of_visitor(
    tx: &ReadTx<'_>,
    visitor_id: &VisitorId,
) -> Result<Option<OpenConversation>, StoreError> {
    Ok(store::open_of_visitor(tx, visitor_id)?.map(open))
}

/// What an agent serves now, by id.
pub fn serving_of_agent(
    tx: &ReadTx<'_>,
    agent_id: &AgentId,
) -> Result<Vec<OpenConversation>, StoreError> {
    let rows = store::served_by(tx, agent_id, "", SNAPSHOT_CONVERSATIONS_MAX)?;
    Ok(rows.into_iter().map(open).collect())
}

/// Who waits, in line, after this position; at most `limit`.
pub fn waiting(
    tx: &ReadTx<'_>,
    after: Position,
    limit: u32,
) -> Result<Vec<OpenConversation>, StoreError> {
    Ok(store::waiting(tx, after, limit)?.into_iter().map(open).collect())
}

fn open(row: Conversation) -> OpenConversation {
    OpenConversation {
        id: row.id,
        visitor_id: row.visitor_id,
        status: row.status,
        started_at: row.started_at,
        started_position: row.started_position,
        assigned_at: row.assigned_at,
    }
}

fn visitor_view(
    tx: &ReadTx<'_>,
    row: Conversation,
    cards: &mut Cards,
) -> Result<VisitorConversation, StoreError> {
    let agent = match &row.status {
        ConversationStatus::Serving { agent_id } => Some(cards.get(tx, agent_id)?),
        _ => None,
    };
    Ok(VisitorConversation {
        rev: store::rev(tx, &row.id)?,
        status: visitor_status(&row.status, agent).ok_or(StoreError::Corrupt("status"))?,
        agent_marks: store::agent_marks(tx, &row.id, &row.visitor_id)?,
        own_marks: store::marks(tx, &row.id, &row.visitor_id)?.marks,
        last_seq: store::running(tx, &row.id)?.seq,
        id: row.id,
    })
}
