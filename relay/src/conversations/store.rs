//! The SQL of conversations and messages; that of marks in `marks.rs`.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use yingke_shared::ids::{AgentId, ClientId, ConversationId, Position, Seq, SiteId, VisitorId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{
    Author, ConversationStatus, EndedBy, Message, MessageContent, WaitingReason,
};

use super::rules::{Running, ended_by_of_word, ended_by_word, reason_of_word, reason_word};
use crate::params;
use crate::store::{ReadTx, Row, StoreError, ToValue, Value, WriteTx, sum_of};

mod marks;

pub(crate) use marks::{ReaderMarks, agent_marks, marks, set_marks};

/// One conversation's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conversation {
    pub(crate) id: ConversationId,
    pub(crate) visitor_id: VisitorId,
    pub(crate) site_id: SiteId,
    pub(crate) status: ConversationStatus,
    /// Who serves it, or served it last.
    pub(crate) agent_id: Option<AgentId>,
    pub(crate) page_url: String,
    pub(crate) page_title: String,
    pub(crate) locale: String,
    pub(crate) started_at: Timestamp,
    pub(crate) started_position: Position,
    pub(crate) assigned_at: Option<Timestamp>,
    pub(crate) first_response_at: Option<Timestamp>,
}

/// What routing needs of an open conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenConversation {
    /// Which.
    pub id: ConversationId,
    /// Whose.
    pub visitor_id: VisitorId,
    /// Waiting or served.
    pub status: ConversationStatus,
    /// When the visitor began to wait, for people.
    pub started_at: Timestamp,
    /// The order of the line, whatever clocks say.
    pub started_position: Position,
    /// When the serving agent took it.
    pub assigned_at: Option<Timestamp>,
}

/// A statement over `conversations` with the columns [`conversation`] reads.
macro_rules! conversation_statement {
    ($rest:literal) => {
        concat!(
            "SELECT id, visitor_id, site_id, state, waiting_reason, agent_id, ended_at, ended_by, ",
            "page_url, page_title, locale, started_at, started_position, assigned_at, ",
            "first_response_at FROM conversations ",
            $rest
        )
    };
}

fn status_of(row: &Row<'_>) -> Result<ConversationStatus, StoreError> {
    match row.text(3)?.as_str() {
        "waiting" => reason_of_word(&row.text(4)?)
            .map(|reason| ConversationStatus::Waiting { reason })
            .ok_or(StoreError::Corrupt("waiting reason")),
        "serving" => Ok(ConversationStatus::Serving { agent_id: row.id(5)? }),
        "ended" => {
            let by = ended_by_of_word(&row.opt_text(7)?.unwrap_or_default())
                .ok_or(StoreError::Corrupt("ended by"))?;
            Ok(ConversationStatus::Ended { by, at: row.time(6)? })
        }
        _ => Err(StoreError::Corrupt("conversation state")),
    }
}

fn conversation(row: &Row<'_>) -> Result<Conversation, StoreError> {
    Ok(Conversation {
        id: row.id(0)?,
        visitor_id: row.id(1)?,
        site_id: row.id(2)?,
        status: status_of(row)?,
        agent_id: row.opt_id(5)?,
        page_url: row.text(8)?,
        page_title: row.text(9)?,
        locale: row.text(10)?,
        started_at: row.time(11)?,
        started_position: row.position(12)?,
        assigned_at: row.opt_time(13)?,
        first_response_at: row.opt_time(14)?,
    })
}

pub(crate) const BY_ID: &str = conversation_statement!("WHERE id = ?");
pub(crate) const OPEN_OF_VISITOR: &str =
    conversation_statement!("WHERE visitor_id = ? AND state <> 'ended'");
pub(crate) const NEWEST_OF_VISITOR: &str =
    conversation_statement!("WHERE visitor_id = ? ORDER BY started_position DESC LIMIT 1");
pub(crate) const SERVED_BY_AGENT: &str = conversation_statement!(
    "WHERE agent_id = ? AND state = 'serving' AND id > ? ORDER BY id LIMIT ?"
);
pub(crate) const WAITING: &str = conversation_statement!(
    "WHERE state = 'waiting' AND started_position > ? ORDER BY started_position LIMIT ?"
);

pub(crate) fn load(
    tx: &ReadTx<'_>,
    id: &ConversationId,
) -> Result<Option<Conversation>, StoreError> {
    tx.query_one(BY_ID, params![id], conversation)
}

pub(crate) fn open_of_visitor(
    tx: &ReadTx<'_>,
    visitor_id: &VisitorId,
) -> Result<Option<Conversation>, StoreError> {
    tx.query_one(OPEN_OF_VISITOR, params![visitor_id], conversation)
}

pub(crate) fn newest_of_visitor(
    tx: &ReadTx<'_>,
    visitor_id: &VisitorId,
) -> Result<Option<Conversation>, StoreError> {
    tx.query_one(NEWEST_OF_VISITOR, params![visitor_id], conversation)
}

/// What the agent serves now, by id, after `after`.
pub(crate) fn served_by(
    tx: &ReadTx<'_>,
    agent_id: &AgentId,
    after: &str,
    limit: usize,
) -> Result<Vec<Conversation>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    tx.query(SERVED_BY_AGENT, params![agent_id, after, limit], conversation)
}

/// Who waits, in line, after this position.
pub(crate) fn waiting(
    tx: &ReadTx<'_>,
    after: Position,
    limit: u32,
) -> Result<Vec<Conversation>, StoreError> {
    tx.query(WAITING, params![after, limit], conversation)
}

/// The position of the newest event about it that is no message.
pub(crate) const NEWEST_EVENT: &str = "SELECT position FROM v_log \
     WHERE conversation_id = ? AND seq IS NULL ORDER BY position DESC LIMIT 1";

/// The position of its newest message's event.
pub(crate) const NEWEST_MESSAGE: &str =
    "SELECT position FROM messages WHERE conversation_id = ? ORDER BY seq DESC LIMIT 1";

/// The position of the newest event about it: the record's `rev`.
pub(crate) fn rev(tx: &ReadTx<'_>, id: &ConversationId) -> Result<Position, StoreError> {
    let newest = |sql| tx.query_one(sql, params![id], |row| row.position(0));
    Ok(newest(NEWEST_EVENT)?.max(newest(NEWEST_MESSAGE)?).unwrap_or(Position::ZERO))
}

pub(crate) const EVER_SERVED: &str =
    "SELECT 1 FROM conversation_agents WHERE conversation_id = ? AND agent_id = ?";

/// Did this agent ever serve it?
pub(crate) fn ever_served(
    tx: &ReadTx<'_>,
    id: &ConversationId,
    agent_id: &AgentId,
) -> Result<bool, StoreError> {
    Ok(tx.query_one(EVER_SERVED, params![id, agent_id], |row| row.int(0))?.is_some())
}

pub(crate) const SERVED_VISITOR: &str = "SELECT 1 FROM conversations c \
     JOIN conversation_agents s ON s.conversation_id = c.id \
     WHERE c.visitor_id = ? AND s.agent_id = ? LIMIT 1";

/// Did this agent ever serve this visitor?
pub(crate) fn served_visitor(
    tx: &ReadTx<'_>,
    visitor_id: &VisitorId,
    agent_id: &AgentId,
) -> Result<bool, StoreError> {
    let found = tx.query_one(SERVED_VISITOR, params![visitor_id, agent_id], |row| row.int(0))?;
    Ok(found.is_some())
}

pub(crate) const AGENTS_OF_VISITOR: &str = "SELECT s.agent_id FROM conversations c \
     JOIN conversation_agents s ON s.conversation_id = c.id WHERE c.visitor_id = ?";

/// Who ever served this visitor.
pub(crate) fn agents_of_visitor(
    tx: &ReadTx<'_>,
    visitor_id: &VisitorId,
) -> Result<BTreeSet<AgentId>, StoreError> {
    let found = tx.query(AGENTS_OF_VISITOR, params![visitor_id], |row| row.id(0))?;
    Ok(found.into_iter().collect())
}

/// A new conversation of this visitor, waiting; gives whether there was none open (P17: the unique
/// index decides).
pub(crate) fn insert(tx: &mut WriteTx<'_>, new: &Conversation) -> Result<bool, StoreError> {
    let inserted = tx.execute(
        "INSERT INTO conversations (id, site_id, visitor_id, state, waiting_reason, page_url, \
         page_title, locale, started_at, started_position) \
         VALUES (?, ?, ?, 'waiting', ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (visitor_id) WHERE state <> 'ended' DO NOTHING",
        params![
            new.id,
            new.site_id,
            new.visitor_id,
            reason_word(WaitingReason::Routing),
            new.page_url,
            new.page_title,
            new.locale,
            new.started_at,
            new.started_position
        ],
    )?;
    Ok(inserted == 1)
}

/// Gives a waiting conversation to an agent who may take one more. Nothing changes unless all of it
/// is true now.
pub(crate) const CLAIM: &str = "UPDATE conversations SET state = 'serving', agent_id = ?, \
     waiting_reason = '', assigned_at = ? WHERE id = ? AND state = 'waiting' AND EXISTS (\
     SELECT 1 FROM agents a WHERE a.id = ? AND a.disabled = 0 AND a.availability = 'online' \
     AND a.capacity > (SELECT count(*) FROM conversations s \
     WHERE s.agent_id = ? AND s.state = 'serving'))";

pub(crate) fn claim(
    tx: &mut WriteTx<'_>,
    id: &ConversationId,
    agent_id: &AgentId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let claimed = tx.execute(CLAIM, params![agent_id, now, id, agent_id, agent_id])?;
    if claimed == 1 {
        tx.execute(
            "INSERT INTO conversation_agents (conversation_id, agent_id, first_at) \
             VALUES (?, ?, ?) ON CONFLICT (conversation_id, agent_id) DO NOTHING",
            params![id, agent_id, now],
        )?;
    }
    Ok(claimed == 1)
}

/// Gives whether it waits for another reason now.
pub(crate) fn set_waiting_reason(
    tx: &mut WriteTx<'_>,
    id: &ConversationId,
    reason: WaitingReason,
) -> Result<bool, StoreError> {
    let word = reason_word(reason);
    let changed = tx.execute(
        "UPDATE conversations SET waiting_reason = ? \
         WHERE id = ? AND state = 'waiting' AND waiting_reason <> ?",
        params![word, id, word],
    )?;
    Ok(changed == 1)
}

/// Puts a served conversation back in line; gives whether that agent served it.
pub(crate) fn release(
    tx: &mut WriteTx<'_>,
    id: &ConversationId,
    agent_id: &AgentId,
) -> Result<bool, StoreError> {
    let released = tx.execute(
        "UPDATE conversations SET state = 'waiting', waiting_reason = ?, agent_id = NULL, \
         assigned_at = NULL WHERE id = ? AND state = 'serving' AND agent_id = ?",
        params![reason_word(WaitingReason::Routing), id, agent_id],
    )?;
    Ok(released == 1)
}

/// Ends an open conversation; gives whether it was open.
pub(crate) fn end(
    tx: &mut WriteTx<'_>,
    id: &ConversationId,
    by: EndedBy,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let ended = tx.execute(
        "UPDATE conversations SET state = 'ended', waiting_reason = '', ended_at = ?, ended_by = ? \
         WHERE id = ? AND state <> 'ended'",
        params![now, ended_by_word(by), id],
    )?;
    Ok(ended == 1)
}

/// Notes when an agent first wrote; later calls change nothing.
pub(crate) fn set_first_response(
    tx: &mut WriteTx<'_>,
    id: &ConversationId,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE conversations SET first_response_at = ? \
         WHERE id = ? AND first_response_at IS NULL",
        params![at, id],
    )?;
    Ok(())
}

// ---- messages ----

/// The actor of the relay's own messages.
const SYSTEM_ACTOR: &str = "system";

/// Who wrote a message, as the row says it.
fn author_columns<'a>(author: &'a Author, visitor_id: &'a VisitorId) -> (&'static str, Value<'a>) {
    match author {
        Author::Visitor => ("visitor", visitor_id.to_value()),
        Author::Agent { agent_id } => ("agent", agent_id.to_value()),
        Author::System => ("system", Value::Text(SYSTEM_ACTOR)),
    }
}

pub(crate) const INSERT_MESSAGE: &str = "INSERT INTO messages (conversation_id, seq, actor_id, \
     client_id, author, content, is_notice, at, visitor_count, unanswered_since, sum, position) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// Adds a message's row; its event is the next one appended.
pub(crate) fn insert_message(
    tx: &mut WriteTx<'_>,
    conversation_id: &ConversationId,
    visitor_id: &VisitorId,
    message: &Message,
) -> Result<(), StoreError> {
    let (author, actor) = author_columns(&message.author, visitor_id);
    let notice;
    let (content, is_notice) = match &message.content {
        MessageContent::Text { text } => (text, false),
        MessageContent::Notice { notice: said } => {
            notice = serde_json::to_string(said).map_err(|_| StoreError::Corrupt("notice"))?;
            (&notice, true)
        }
        MessageContent::Unknown => return Err(StoreError::Corrupt("content")),
    };
    let position = tx.next_position();
    let mut row = [
        conversation_id.to_value(),
        message.seq.to_value(),
        actor,
        message.client_id.to_value(),
        Value::Text(author),
        Value::Text(content),
        is_notice.to_value(),
        message.at.to_value(),
        message.visitor_count.to_value(),
        message.unanswered_since.to_value(),
        Value::Null,
        position.to_value(),
    ];
    let [columns @ .., sum, _] = &mut row;
    *sum = Value::Int(sum_of(columns));
    tx.execute(INSERT_MESSAGE, &row)?;
    Ok(())
}

/// A message the actor sent under this id before.
pub(crate) struct Sent {
    pub(crate) conversation_id: ConversationId,
    pub(crate) seq: Seq,
    pub(crate) at: Timestamp,
    pub(crate) text: String,
}

pub(crate) const SENT: &str = "SELECT conversation_id, seq, at, content FROM messages \
     WHERE actor_id = ? AND client_id = ?";

pub(crate) fn sent(
    tx: &ReadTx<'_>,
    actor: &impl ToValue,
    client_id: &ClientId,
) -> Result<Option<Sent>, StoreError> {
    tx.query_one(SENT, params![actor, client_id], |row| {
        Ok(Sent {
            conversation_id: row.id(0)?,
            seq: row.seq(1)?,
            at: row.time(2)?,
            text: row.text(3)?,
        })
    })
}

pub(crate) const RUNNING: &str = "SELECT seq, visitor_count, unanswered_since FROM messages \
     WHERE conversation_id = ? ORDER BY seq DESC LIMIT 1";

/// Where the conversation's numbers stand.
pub(crate) fn running(tx: &ReadTx<'_>, id: &ConversationId) -> Result<Running, StoreError> {
    let running = tx.query_one(RUNNING, params![id], |row| {
        Ok(Running {
            seq: row.seq(0)?,
            visitor_count: row.seq(1)?,
            unanswered_since: row.opt_time(2)?,
        })
    })?;
    Ok(running.unwrap_or_default())
}

/// The visitor's messages up to and including this one.
pub(crate) fn visitor_count_at(
    tx: &ReadTx<'_>,
    id: &ConversationId,
    seq: Seq,
) -> Result<Seq, StoreError> {
    let count = tx.query_one(
        "SELECT visitor_count FROM messages WHERE conversation_id = ? AND seq = ?",
        params![id, seq],
        |row| row.seq(0),
    )?;
    Ok(count.unwrap_or_default())
}

/// Columns of a message, from column `first` on; the last two are its sum and its conversation. A row
/// that is damaged is shown in its place without what it said: the page around it is sound.
fn message(row: &Row<'_>, first: usize) -> Result<Message, StoreError> {
    // As they are summed: the conversation first.
    let places = [10, 0, 3, 1, 2, 4, 5, 6, 7, 8].map(|place| first + place);
    let found = match row.is_sound(places, first + 9) {
        true => sound_message(row, first),
        false => Err(StoreError::Corrupt("a message has another sum than it was given")),
    };
    found.or_else(|error| {
        let conversation = row.text(first + 10).unwrap_or_default();
        let seq = row.seq(first)?;
        tracing::error!(%error, conversation.id = conversation, seq = seq.get(), "a stored message is damaged");
        damaged_message(row, first, seq)
    })
}

/// What can still be said of it.
fn damaged_message(row: &Row<'_>, first: usize, seq: Seq) -> Result<Message, StoreError> {
    let client_id = row.id(first + 1).or_else(|_| {
        ClientId::new(format!("damaged-{seq}")).map_err(|_| StoreError::Corrupt("id"))
    })?;
    let author = match (row.text(first + 2).as_deref(), row.id(first + 3)) {
        (Ok("visitor"), _) => Author::Visitor,
        (Ok("agent"), Ok(agent_id)) => Author::Agent { agent_id },
        _ => Author::System,
    };
    Ok(Message {
        seq,
        client_id,
        author,
        content: MessageContent::Unknown,
        at: row.time(first + 6).unwrap_or_default(),
        visitor_count: row.seq(first + 7).unwrap_or_default(),
        unanswered_since: None,
    })
}

fn sound_message(row: &Row<'_>, first: usize) -> Result<Message, StoreError> {
    let author = match row.text(first + 2)?.as_str() {
        "visitor" => Author::Visitor,
        "agent" => Author::Agent { agent_id: row.id(first + 3)? },
        "system" => Author::System,
        _ => return Err(StoreError::Corrupt("author")),
    };
    let content = row.text(first + 4)?;
    let content = if row.flag(first + 5)? {
        let notice = serde_json::from_str(&content).map_err(|_| StoreError::Corrupt("notice"))?;
        MessageContent::Notice { notice }
    } else {
        MessageContent::Text { text: content }
    };
    Ok(Message {
        seq: row.seq(first)?,
        client_id: row.id(first + 1)?,
        author,
        content,
        at: row.time(first + 6)?,
        visitor_count: row.seq(first + 7)?,
        unanswered_since: row.opt_time(first + 8)?,
    })
}

pub(crate) const MESSAGES: &str = "SELECT seq, client_id, author, actor_id, content, is_notice, \
     at, visitor_count, unanswered_since, sum, conversation_id FROM messages \
     WHERE conversation_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?";

/// A list read newest first, bounded in rows and bytes, given oldest first.
pub(crate) struct Page<T> {
    pub(crate) rows: Vec<T>,
    pub(crate) has_earlier: bool,
}

/// Takes rows, newest first, until either bound is met; at least one row is taken.
struct Pager<T> {
    page: Page<T>,
    rows_max: usize,
    bytes_left: usize,
}

impl<T> Pager<T> {
    fn new(rows_max: u32, bytes_max: usize) -> Self {
        let page = Page { rows: Vec::new(), has_earlier: false };
        Self { page, rows_max: rows_max as usize, bytes_left: bytes_max }
    }

    /// One more row than wanted tells whether there are earlier ones.
    fn rows_asked(&self) -> i64 {
        i64::try_from(self.rows_max.saturating_add(1)).unwrap_or(i64::MAX)
    }

    fn take(&mut self, row: T, bytes: usize) -> ControlFlow<()> {
        let full = self.page.rows.len() >= self.rows_max
            || (bytes > self.bytes_left && !self.page.rows.is_empty());
        if full {
            self.page.has_earlier = true;
            return ControlFlow::Break(());
        }
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        self.page.rows.push(row);
        ControlFlow::Continue(())
    }

    fn finish(mut self) -> Page<T> {
        self.page.rows.reverse();
        self.page
    }
}

/// What a message weighs as JSON: its text, and about this much around it.
pub(crate) fn message_bytes(message: &Message) -> usize {
    const AROUND: usize = 256;
    AROUND
        + match &message.content {
            MessageContent::Text { text } => text.len(),
            MessageContent::Notice { .. } | MessageContent::Unknown => AROUND,
        }
}

/// The newest messages before `before`.
pub(crate) fn messages(
    tx: &ReadTx<'_>,
    id: &ConversationId,
    before: Option<Seq>,
    rows_max: u32,
    bytes_max: usize,
) -> Result<Page<Message>, StoreError> {
    let mut pager = Pager::new(rows_max, bytes_max);
    let before = before.map_or(i64::MAX, |seq| i64::try_from(seq.get()).unwrap_or(i64::MAX));
    let asked = pager.rows_asked();
    tx.scan(MESSAGES, params![id, before, asked], |row| {
        let message = message(row, 0)?;
        let bytes = message_bytes(&message);
        Ok(pager.take(message, bytes))
    })?;
    Ok(pager.finish())
}

/// The newest message, and the newest text if that one is a notice: one walk back from the end,
/// as far as there are notices. A conversation has at least one message.
pub(crate) fn last_messages(
    tx: &ReadTx<'_>,
    id: &ConversationId,
) -> Result<(Message, Option<Message>), StoreError> {
    let mut newest = None;
    let mut said = None;
    tx.scan(MESSAGES, params![id, i64::MAX, i64::MAX], |row| {
        let message = message(row, 0)?;
        let is_notice = matches!(message.content, MessageContent::Notice { .. });
        if newest.is_none() {
            newest = Some(message);
        } else if !is_notice {
            said = Some(message);
        }
        Ok(if is_notice { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    let newest = newest.ok_or(StoreError::Corrupt("a conversation without messages"))?;
    Ok((newest, said))
}

/// Conversations of a visitor begin one after another, so the pair (beginning, number) orders all
/// messages.
pub(crate) const HISTORY: &str = "SELECT m.conversation_id, m.seq, m.client_id, m.author, \
     m.actor_id, m.content, m.is_notice, m.at, m.visitor_count, m.unanswered_since, \
     m.sum, m.conversation_id FROM conversations c JOIN messages m ON m.conversation_id = c.id \
     WHERE c.visitor_id = ? AND c.started_position <= ? \
     AND (c.started_position < ? OR m.seq < ?) \
     ORDER BY c.started_position DESC, m.seq DESC LIMIT ?";

/// The visitor's newest messages before message `before.1` of the conversation that began at
/// `before.0`, across conversations.
pub(crate) fn history(
    tx: &ReadTx<'_>,
    visitor_id: &VisitorId,
    before: Option<(Position, Seq)>,
    rows_max: u32,
    bytes_max: usize,
) -> Result<Page<(ConversationId, Message)>, StoreError> {
    let mut pager = Pager::new(rows_max, bytes_max);
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let (position, seq) = before.map_or((i64::MAX, i64::MAX), |(position, seq)| {
        (number(position.get()), number(seq.get()))
    });
    let asked = pager.rows_asked();
    tx.scan(HISTORY, params![visitor_id, position, position, seq, asked], |row| {
        let message = message(row, 1)?;
        let bytes = message_bytes(&message);
        Ok(pager.take((row.id(0)?, message), bytes))
    })?;
    Ok(pager.finish())
}
