//! The SQL of marks: how far each reader of a conversation has come.

use yingke_shared::ids::{ConversationId, Seq};
use yingke_shared::views::{Marks, ReadMark};

use crate::params;
use crate::store::{ReadTx, StoreError, ToValue, WriteTx};

/// A reader's marks in a conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ReaderMarks {
    pub(crate) marks: Marks,
    pub(crate) read_visitor_count: Seq,
}

impl ReaderMarks {
    pub(crate) fn read(self) -> ReadMark {
        ReadMark { seq: self.marks.read, visitor_count: self.read_visitor_count }
    }
}

pub(crate) fn marks(
    tx: &ReadTx<'_>,
    id: &ConversationId,
    reader: &impl ToValue,
) -> Result<ReaderMarks, StoreError> {
    let found = tx.query_one(
        "SELECT delivered, read, read_visitor_count FROM marks \
         WHERE conversation_id = ? AND reader_id = ?",
        params![id, reader],
        |row| {
            Ok(ReaderMarks {
                marks: Marks { delivered: row.seq(0)?, read: row.seq(1)? },
                read_visitor_count: row.seq(2)?,
            })
        },
    )?;
    Ok(found.unwrap_or_default())
}

pub(crate) const AGENT_MARKS: &str = "SELECT m.delivered, m.read FROM conversation_agents s \
     JOIN marks m ON m.conversation_id = s.conversation_id AND m.reader_id = s.agent_id \
     WHERE s.conversation_id = ?";

/// The marks of all of whom the visitor knows, merged: what the visitor is shown.
pub(crate) fn agent_marks(tx: &ReadTx<'_>, id: &ConversationId) -> Result<Marks, StoreError> {
    let all = tx.query(AGENT_MARKS, params![id], |row| {
        Ok(Marks { delivered: row.seq(0)?, read: row.seq(1)? })
    })?;
    Ok(all.into_iter().fold(Marks::default(), Marks::merge))
}

pub(crate) fn set_marks(
    tx: &mut WriteTx<'_>,
    id: &ConversationId,
    reader: &impl ToValue,
    marks: ReaderMarks,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO marks (conversation_id, reader_id, delivered, read, read_visitor_count) \
         VALUES (?, ?, ?, ?, ?) ON CONFLICT (conversation_id, reader_id) DO UPDATE SET \
         delivered = excluded.delivered, read = excluded.read, \
         read_visitor_count = excluded.read_visitor_count",
        params![id, reader, marks.marks.delivered, marks.marks.read, marks.read_visitor_count],
    )?;
    Ok(())
}
