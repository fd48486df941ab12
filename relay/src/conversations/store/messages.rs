//! Messages' rows: inserted once, never changed, read by conversation and number. Their events are the
//! log's.

use std::ops::ControlFlow;

use yingke_shared::ids::{ClientId, ConversationId, Position, Seq, VisitorId};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{Author, Message, MessageContent};

use super::super::rules::Running;
use crate::params;
use crate::store::{ReadTx, Row, StoreError, ToValue, Value, WriteTx, sum_of};

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
    let author = match row.str(first + 2)? {
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
pub(super) struct Pager<T> {
    page: Page<T>,
    rows_max: usize,
    bytes_left: usize,
}

impl<T> Pager<T> {
    pub(super) fn new(rows_max: u32, bytes_max: usize) -> Self {
        let page = Page { rows: Vec::new(), has_earlier: false };
        Self { page, rows_max: rows_max as usize, bytes_left: bytes_max }
    }

    /// One more row than wanted tells whether there are earlier ones.
    pub(super) fn rows_asked(&self) -> i64 {
        i64::try_from(self.rows_max.saturating_add(1)).unwrap_or(i64::MAX)
    }

    pub(super) fn take(&mut self, row: T, bytes: usize) -> ControlFlow<()> {
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

    pub(super) fn finish(mut self) -> Page<T> {
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

pub(crate) const SAID_BEFORE: &str = "SELECT seq, client_id, author, actor_id, content, is_notice, \
     at, visitor_count, unanswered_since, sum, conversation_id FROM messages \
     WHERE conversation_id = ? AND is_notice = 0 AND position <= ? ORDER BY seq DESC LIMIT 1";

/// The newest text said up to a position of the log, whatever notices follow it.
pub(crate) fn said_before(
    tx: &ReadTx<'_>,
    conversation_id: &ConversationId,
    position: Position,
) -> Result<Option<Message>, StoreError> {
    tx.query_one(SAID_BEFORE, params![conversation_id, position], |row| message(row, 0))
}
