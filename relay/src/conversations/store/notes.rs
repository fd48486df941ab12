//! Notes: lines among staff. They stand after a message and have no number of their own, so nothing on
//! the visitor's side can tell that there are any.

use yingke_shared::ids::{AgentId, ClientId, ConversationId, Position, Seq};
use yingke_shared::views::Note;

use super::messages::{Page, Pager};
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

/// The newest notes after messages `from` to `to`, both included, oldest first.
pub(crate) fn notes_between(
    tx: &ReadTx<'_>,
    conversation_id: &ConversationId,
    from: Seq,
    to: Seq,
    rows_max: u32,
    bytes_max: usize,
) -> Result<Page<Note>, StoreError> {
    let mut pager = Pager::new(rows_max, bytes_max);
    let asked = pager.rows_asked();
    let sql = "SELECT id, agent_id, text, at, after_seq FROM notes \
         WHERE conversation_id = ? AND after_seq >= ? AND after_seq <= ? \
         ORDER BY position DESC LIMIT ?";
    tx.scan(sql, params![conversation_id, from, to, asked], |row| {
        let note = note(row)?;
        let bytes = note_bytes(&note);
        Ok(pager.take(note, bytes))
    })?;
    Ok(pager.finish())
}

/// What a note weighs as JSON: its text, and about this much around it.
pub(crate) fn note_bytes(note: &Note) -> usize {
    const AROUND: usize = 192;
    AROUND + note.text.len()
}
