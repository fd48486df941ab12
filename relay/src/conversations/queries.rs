//! What sessions, fan-out and the driver read: records, snapshots, pages, who waits.
//!
//! Everything takes one transaction, so that a record and the log's head read beside it are of the
//! same moment.

use std::collections::BTreeMap;

use yingke_shared::events::{StaffEventBody, VisitorEvent, VisitorEventBody};
use yingke_shared::ids::{AgentId, ConversationId, InvitationId, Position, Seq, SiteId, VisitorId};
use yingke_shared::limits::{SNAPSHOT_CONVERSATIONS_MAX, SNAPSHOT_MESSAGES_MAX};
use yingke_shared::rest::RecentContact;
use yingke_shared::snapshot::{StaffSnapshot, VisitorSnapshot};
use yingke_shared::views::{
    Author, ConversationRecord, ConversationStatus, IncomingInvitation, Invitation, InvitationOver,
    ManagerAlert, MessageContent, MessagePage, Note, Role, VisitorCard, VisitorConversation,
    VisitorMessage, VisitorSelf,
};

use super::rules::visitor_label;
use super::store::{self, Conversation, OpenConversation};
pub(crate) use super::store::{
    InRouting, all_in_routing, all_open_invitations, had_by, has_answered, load_in_routing,
    newest_assignments, talk, wrap_ups,
};
use super::views::{staff_body, visitor_message, visitor_status};
use crate::agents::queries::Cards;
use crate::events::{Entry, InvitationChange, LogBody};
use crate::limits::{
    CONTACT_TEXT_CHARS, CONTACTS_MAX, NOTES_OF_PAGE_MAX, SNAPSHOT_ALERTS_MAX, SNAPSHOT_BYTES_MAX,
};
use crate::sites::queries::Names;
use crate::store::{ReadTx, StoreError};
use crate::{agents, settings, sites};

/// Whether the visitor ever had a conversation.
pub(crate) fn has_had_any(tx: &ReadTx<'_>, visitor_id: &VisitorId) -> Result<bool, StoreError> {
    Ok(store::newest_of_visitor(tx, visitor_id)?.is_some())
}

/// Everything a member of staff sees now.
pub fn staff_snapshot(tx: &ReadTx<'_>, agent_id: &AgentId) -> Result<StaffSnapshot, StoreError> {
    let mut own = None;
    let mut colleagues = BTreeMap::new();
    for agent in agents::queries::all(tx)? {
        if agent.id == *agent_id {
            own = Some((agent.own_card(), agent.role));
        } else {
            colleagues.insert(agent.id.clone(), agent.colleague());
        }
    }
    let (own, role) = own.ok_or(StoreError::Corrupt("agent"))?;
    let (mut records, has_more) = records_served_by(tx, agent_id, None)?;
    // The few in which the reader takes part beside somebody else always fit.
    let mut names = Names::default();
    for row in store::member_of(tx, agent_id)? {
        records.extend(sound_record(tx, row, agent_id, &mut names)?);
    }
    let conversations = records.into_iter().map(|record| (record.id.clone(), record)).collect();
    let alerts =
        if role >= Role::Manager { store::alerts(tx, SNAPSHOT_ALERTS_MAX)? } else { Vec::new() };
    Ok(StaffSnapshot {
        own,
        colleagues,
        sites: sites::queries::all(tx)?,
        company: settings::queries::for_staff(tx)?,
        invitations: incoming_to(tx, agent_id)?,
        alerts: alerts.into_iter().map(|alert| (alert.conversation_id.clone(), alert)).collect(),
        conversations,
        has_more,
    })
}

/// The open invitations this agent is asked by.
pub fn incoming_to(
    tx: &ReadTx<'_>,
    agent_id: &AgentId,
) -> Result<BTreeMap<InvitationId, IncomingInvitation>, StoreError> {
    let mut names = Names::default();
    let mut incoming = BTreeMap::new();
    for row in store::invitations_to(tx, agent_id)? {
        let conversation = store::load(tx, &row.invitation.conversation_id)?
            .ok_or(StoreError::Corrupt("invitation's conversation"))?;
        incoming
            .insert(row.invitation.id.clone(), incoming_of(tx, row, &conversation, &mut names)?);
    }
    Ok(incoming)
}

/// The invitation if this agent is asked by it now.
pub fn incoming(
    tx: &ReadTx<'_>,
    id: &InvitationId,
    agent_id: &AgentId,
) -> Result<Option<IncomingInvitation>, StoreError> {
    let Some(row) = store::load_invitation(tx, id)? else { return Ok(None) };
    if !row.is_open || row.invitation.offered_to.as_ref() != Some(agent_id) {
        return Ok(None);
    }
    let conversation = store::load(tx, &row.invitation.conversation_id)?
        .ok_or(StoreError::Corrupt("invitation's conversation"))?;
    incoming_of(tx, row, &conversation, &mut Names::default()).map(Some)
}

fn incoming_of(
    tx: &ReadTx<'_>,
    row: store::InvitationRow,
    conversation: &Conversation,
    names: &mut Names,
) -> Result<IncomingInvitation, StoreError> {
    // What was said when it was offered: so that the same invitation reads the same at any time.
    let said = store::said_before(tx, &conversation.id, row.offered_position)?;
    let visitor = visitor_card(tx, conversation, names)?;
    Ok(IncomingInvitation { rev: row.offered_position, invitation: row.invitation, visitor, said })
}

/// The open invitations of a conversation, as those who see it see them.
pub fn open_invitations(
    tx: &ReadTx<'_>,
    id: &ConversationId,
) -> Result<Vec<Invitation>, StoreError> {
    Ok(store::open_invitations(tx, id)?.into_iter().map(|row| row.invitation).collect())
}

/// The note told at this position, if there is one.
pub fn note_at(
    tx: &ReadTx<'_>,
    id: &ConversationId,
    position: Position,
) -> Result<Option<Note>, StoreError> {
    store::note_at(tx, id, position)
}

/// What managers are told of this conversation, if it still needs a look.
pub fn alert_of(tx: &ReadTx<'_>, id: &ConversationId) -> Result<Option<ManagerAlert>, StoreError> {
    store::alert(tx, id)
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
        let Some(record) = sound_record(tx, row, agent_id, &mut names)? else { continue };
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
        Some(row) if row.seen_by().contains(agent_id) => {
            record(tx, row, agent_id, &mut Names::default()).map(Some)
        }
        _ => Ok(None),
    }
}

/// The record of any conversation, as this reader sees it: for whoever watches or opens one.
pub fn record_of(
    tx: &ReadTx<'_>,
    id: &ConversationId,
    reader: &AgentId,
) -> Result<Option<ConversationRecord>, StoreError> {
    let row = store::load(tx, id)?;
    row.map(|row| record(tx, row, reader, &mut Names::default())).transpose()
}

/// The visitors an agent had to do with last, the latest first (C05). Whether they are there is for
/// whoever knows.
pub fn recent_contacts(
    tx: &ReadTx<'_>,
    agent_id: &AgentId,
) -> Result<Vec<RecentContact>, StoreError> {
    let (mut names, mut contacts) = (Names::default(), Vec::new());
    for (visitor_id, conversation_id) in store::contacts(tx, agent_id, CONTACTS_MAX)? {
        let row = store::load(tx, &conversation_id)?;
        let row = row.ok_or(StoreError::Corrupt("contact's conversation"))?;
        let newest = store::newest_of_visitor(tx, &visitor_id)?;
        let newest = newest.ok_or(StoreError::Corrupt("contact's conversation"))?;
        let (last, said) = store::last_messages(tx, &conversation_id)?;
        let said = said.unwrap_or(last);
        let text = match said.content {
            MessageContent::Text { text } => text.chars().take(CONTACT_TEXT_CHARS).collect(),
            MessageContent::Notice { .. } | MessageContent::Unknown => String::new(),
        };
        contacts.push(RecentContact {
            visitor: visitor_card(tx, &row, &mut names)?,
            online: false,
            conversation_id,
            is_open: !matches!(newest.status, ConversationStatus::Ended { .. }),
            last_at: said.at,
            text,
        });
    }
    Ok(contacts)
}

/// One among many. A damaged one is named in the log and left out: its reader has the others.
fn sound_record(
    tx: &ReadTx<'_>,
    row: Conversation,
    reader: &AgentId,
    names: &mut Names,
) -> Result<Option<ConversationRecord>, StoreError> {
    let id = row.id.clone();
    match record(tx, row, reader, names) {
        Err(error) if error.is_lasting() => {
            tracing::error!(%error, conversation.id = %id, "a stored conversation is damaged");
            Ok(None)
        }
        read => read.map(Some),
    }
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
        visitor: visitor_card(tx, &row, names)?,
        invitations: open_invitations(tx, &row.id)?,
        department_id: row.department_id,
        vip: row.vip,
        members: row.members,
        id: row.id,
        status: row.status,
        started_at: row.started_at,
        assigned_at: row.assigned_at,
        first_response_at: row.first_response_at,
    })
}

fn visitor_card(
    tx: &ReadTx<'_>,
    row: &Conversation,
    names: &mut Names,
) -> Result<VisitorCard, StoreError> {
    Ok(VisitorCard {
        id: row.visitor_id.clone(),
        site_id: row.site_id.clone(),
        site_name: names.get(tx, &row.site_id)?,
        label: visitor_label(&row.visitor_id),
        page_url: row.page_url.clone(),
        page_title: row.page_title.clone(),
        locale: row.locale.clone(),
    })
}

/// What those who see the conversation are told by an entry of the log; what it needs is read from
/// rows.
pub fn for_seeing(tx: &ReadTx<'_>, entry: &Entry) -> Result<Option<StaffEventBody>, StoreError> {
    let Some(subject) = &entry.subject else { return Ok(None) };
    let conversation_id = subject.conversation_id.clone();
    Ok(match &entry.body {
        LogBody::InvitationsChanged { change } => {
            let invitations = open_invitations(tx, &conversation_id)?;
            let over = match change {
                InvitationChange::Closed { invitation_id, why, .. } => {
                    invitation(tx, invitation_id)?
                        .map(|invitation| Box::new(InvitationOver { invitation, why: *why }))
                }
                _ => None,
            };
            Some(StaffEventBody::InvitationsChanged { conversation_id, invitations, over })
        }
        LogBody::NoteAdded => store::note_at(tx, &conversation_id, entry.position)?
            .map(|note| StaffEventBody::NoteAdded { conversation_id, note }),
        _ => staff_body(entry),
    })
}

/// What agents who are or were asked by an invitation are told by an entry of the log.
pub fn for_invited(
    tx: &ReadTx<'_>,
    entry: &Entry,
) -> Result<Vec<(AgentId, StaffEventBody)>, StoreError> {
    let LogBody::InvitationsChanged { change } = &entry.body else { return Ok(Vec::new()) };
    let closed = |agent_id: &AgentId, invitation_id: &InvitationId, why| {
        let invitation_id = invitation_id.clone();
        vec![(agent_id.clone(), StaffEventBody::InvitationClosed { invitation_id, why })]
    };
    Ok(match change {
        InvitationChange::Made { .. } => Vec::new(),
        InvitationChange::Offered { invitation_id, agent_id } => {
            let incoming = incoming(tx, invitation_id, agent_id)?;
            let offered = incoming.map(|incoming| {
                let incoming = Box::new(incoming);
                (agent_id.clone(), StaffEventBody::InvitationOffered { incoming })
            });
            offered.into_iter().collect()
        }
        InvitationChange::Declined { invitation_id, agent_id, why } => {
            closed(agent_id, invitation_id, *why)
        }
        InvitationChange::Closed { invitation_id, why, offered_to } => match offered_to {
            Some(agent_id) => closed(agent_id, invitation_id, *why),
            None => Vec::new(),
        },
    })
}

/// What managers and admins are told by an entry of the log, whether they see the conversation or not.
pub fn for_managers(tx: &ReadTx<'_>, entry: &Entry) -> Result<Option<StaffEventBody>, StoreError> {
    let Some(subject) = &entry.subject else { return Ok(None) };
    Ok(match &entry.body {
        LogBody::ManagersAlerted { .. } => alert_of(tx, &subject.conversation_id)?
            .map(|alert| StaffEventBody::ManagersAlerted { alert }),
        LogBody::AlertCleared => {
            let conversation_id = subject.conversation_id.clone();
            Some(StaffEventBody::AlertCleared { conversation_id })
        }
        _ => None,
    })
}

/// Whether [`for_seeing`], [`for_invited`] or [`for_managers`] read rows for this entry, or the entry
/// itself says all.
#[must_use]
pub fn needs_rows(entry: &Entry) -> bool {
    matches!(
        entry.body,
        LogBody::InvitationsChanged { .. }
            | LogBody::NoteAdded
            | LogBody::ManagersAlerted { .. }
            | LogBody::AlertCleared
    )
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
        let body = VisitorEventBody::SiteChanged { site: Box::new(site) };
        news.push(VisitorEvent { position, body });
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

/// The newest messages of a conversation before a point, with the notes that stand among them: as many as
/// a page may have and weigh. The rest is in the pages before it, but of the notes after a single message
/// no more are given than fit.
pub(crate) fn message_page(
    tx: &ReadTx<'_>,
    id: ConversationId,
    before: Option<Seq>,
    rows_max: u32,
) -> Result<MessagePage, StoreError> {
    let found = store::messages(tx, &id, before, rows_max, SNAPSHOT_BYTES_MAX)?;
    let mut page = MessagePage {
        conversation_id: id,
        messages: Vec::with_capacity(found.rows.len()),
        notes: Vec::new(),
        has_earlier: found.has_earlier,
    };
    let Some((first, last)) = found.rows.first().zip(found.rows.last()) else { return Ok(page) };
    // Notes made before the first message of all stand after number zero.
    let from = if found.has_earlier { first.seq } else { Seq::ZERO };
    let (rows, bytes) = (NOTES_OF_PAGE_MAX, SNAPSHOT_BYTES_MAX);
    let notes = store::notes_between(tx, &page.conversation_id, from, last.seq, rows, bytes)?;
    // Up to there notes may be missing.
    let torn = notes.rows.first().filter(|_| notes.has_earlier).map(|oldest| oldest.after);
    let mut notes = notes.rows.into_iter().rev().peekable();
    let mut bytes_left = SNAPSHOT_BYTES_MAX;
    for message in found.rows.into_iter().rev() {
        let own: Vec<_> =
            std::iter::from_fn(|| notes.next_if(|note| note.after >= message.seq)).collect();
        let alone = store::message_bytes(&message);
        let bytes = alone + own.iter().map(store::note_bytes).sum::<usize>();
        let is_too_much = bytes > bytes_left || torn.is_some_and(|torn| message.seq <= torn);
        if is_too_much && !page.messages.is_empty() {
            page.has_earlier = true;
            break;
        }
        bytes_left = bytes_left.saturating_sub(alone);
        take_notes(&mut page.notes, own, &mut bytes_left);
        page.messages.push(message);
    }
    if !page.has_earlier {
        take_notes(&mut page.notes, notes, &mut bytes_left);
    }
    page.messages.reverse();
    page.notes.reverse();
    Ok(page)
}

/// Those of `newest_first` that fit.
fn take_notes(
    notes: &mut Vec<Note>,
    newest_first: impl IntoIterator<Item = Note>,
    bytes_left: &mut usize,
) {
    for note in newest_first {
        let Some(left) = bytes_left.checked_sub(store::note_bytes(&note)) else { return };
        *bytes_left = left;
        notes.push(note);
    }
}

/// The newest messages of a visitor before a point, oldest first, and whether there are earlier ones.
pub(crate) fn visitor_messages(
    tx: &ReadTx<'_>,
    visitor_id: &VisitorId,
    before: Option<(Position, Seq)>,
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

/// The invitation, open or not.
pub(crate) fn invitation(
    tx: &ReadTx<'_>,
    id: &InvitationId,
) -> Result<Option<Invitation>, StoreError> {
    Ok(store::load_invitation(tx, id)?.map(|row| row.invitation))
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
        members: row.members,
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
    let announced = row.members.iter().filter(|id| !row.unannounced.contains(id));
    let members = announced.map(|id| cards.get(tx, id)).collect::<Result<_, _>>()?;
    Ok(VisitorConversation {
        members,
        rev: store::rev(tx, &row.id)?,
        status: visitor_status(&row.status, agent).ok_or(StoreError::Corrupt("status"))?,
        agent_marks: store::agent_marks(tx, &row.id)?,
        own_marks: store::marks(tx, &row.id, &row.visitor_id)?.marks,
        last_seq: store::running(tx, &row.id)?.seq,
        id: row.id,
    })
}
