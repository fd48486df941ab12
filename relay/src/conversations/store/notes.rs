//! Notes: lines among staff. They stand after a message and have no number of their own, so nothing on
//! the visitor's side can tell that there are any.

use yingke_shared::ids::{AgentId, ClientId, ConversationId, Position, Seq};
use yingke_shared::views::Note;

use crate::params;
use crate::store::{ReadTx, Row, StoreError, WriteTx};

/// Adds a note; its event is the next one appended. Gives whether there was none of this id by this
/// agent.
pub(crate) fn insert_note(
    tx: &mut WriteTx<'_>,
    conversation_id: &ConversationId,
    note: &Note,
) -> Result<bool, StoreError> {
    let position = tx.next_position();
    let inserted = tx.execute(
        "INSERT INTO notes (conversation_id, position, after_seq, id, agent_id, text, at) \
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, agent_id) DO NOTHING",
        params![conversation_id, position, note.after, note.id, note.agent_id, note.text, note.at],
    )?;
    Ok(inserted == 1)
}

fn note(row: &Row<'_>) -> Result<Note, StoreError> {
    Ok(Note {
        id: row.id(0)?,
        agent_id: row.id(1)?,
        text: row.text(2)?,
        at: row.time(3)?,
        after: row.seq(4)?,
    })
}

/// The note told at this position.
pub(crate) fn note_at(
    tx: &ReadTx<'_>,
    conversation_id: &ConversationId,
    position: Position,
) -> Result<Option<Note>, StoreError> {
    tx.query_one(
        "SELECT id, agent_id, text, at, after_seq FROM notes \
         WHERE conversation_id = ? AND position = ?",
        params![conversation_id, position],
        note,
    )
}

/// The note this agent made under this id, and of which conversation.
pub(crate) fn note_of(
    tx: &ReadTx<'_>,
    agent_id: &AgentId,
    id: &ClientId,
) -> Result<Option<(ConversationId, String)>, StoreError> {
    tx.query_one(
        "SELECT conversation_id, text FROM notes WHERE id = ? AND agent_id = ?",
        params![id, agent_id],
        |row| Ok((row.id(0)?, row.text(1)?)),
    )
}

/// Notes of one conversation in a page at most: more than that among its messages are cut at the old
/// end.
const NOTES_MAX: i64 = 200;

/// The notes after messages `from` to `to`, both included, in order.
pub(crate) fn notes_between(
    tx: &ReadTx<'_>,
    conversation_id: &ConversationId,
    from: Seq,
    to: Seq,
) -> Result<Vec<Note>, StoreError> {
    let mut notes = tx.query(
        "SELECT id, agent_id, text, at, after_seq FROM notes \
         WHERE conversation_id = ? AND after_seq >= ? AND after_seq <= ? \
         ORDER BY position DESC LIMIT ?",
        params![conversation_id, from, to, NOTES_MAX],
        note,
    )?;
    notes.reverse();
    Ok(notes)
}
