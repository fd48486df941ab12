//! `outbox.db`: what was written here and is not yet, or only just, acknowledged; and the drafts.
//! It outlives cache, sign-out and restart, and every change is on stable storage before anyone is
//! told of it (`synchronous = FULL`).
//!
//! Beside each lane stands its conversation's record as last known, so that an unsent message can
//! still be shown and decided about when the cache is gone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::TransactionBehavior::Immediate;
use rusqlite::{Connection, OptionalExtension, Row, params};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{ClientId, ConversationId, Epoch};
use yingke_shared::limits::REOFFER_WITHIN_MS;
use yingke_shared::time::Timestamp;
use yingke_shared::views::ConversationRecord;

use super::cache::from_json;
use super::{Shelf, StoreError, signed, unsigned};
use crate::outbox::{Change, Standing, StoredMessage};

// The exclusive lock is taken by the first write and held until the file is closed.
const PRAGMAS: &str = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;
    PRAGMA cache_size = -1024;";

const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE facts (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE messages (
        n INTEGER PRIMARY KEY AUTOINCREMENT,
        client_id TEXT NOT NULL UNIQUE,
        conversation_id TEXT NOT NULL,
        text TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        age_from_ms INTEGER NOT NULL,
        standing TEXT NOT NULL CHECK (standing IN ('unsent', 'failed', 'wedged', 'acked')),
        code TEXT NOT NULL,
        acked_at_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE lanes (conversation_id TEXT NOT NULL PRIMARY KEY, record TEXT NOT NULL)
        STRICT, WITHOUT ROWID;
    CREATE TABLE drafts (conversation_id TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL)
        STRICT, WITHOUT ROWID;
",
    "
    -- What was kept before says nothing of members and invitations.
    UPDATE lanes SET record = json_insert(record,
        '$.vip', json('false'), '$.members', json('[]'), '$.invitations', json('[]'));
",
];

const COLUMNS: &str =
    "n, client_id, conversation_id, text, at_ms, age_from_ms, standing, code, acked_at_ms";

/// Everything in the file that concerns a running client.
#[derive(Default)]
pub(crate) struct OutboxContents {
    /// Neither acknowledged nor taken out, in the order they were written.
    pub(crate) messages: Vec<StoredMessage>,
    /// The records of their conversations.
    pub(crate) records: Vec<ConversationRecord>,
    /// Drafts by conversation.
    pub(crate) drafts: BTreeMap<ConversationId, String>,
    /// The relay's history that gave the acknowledgements.
    pub(crate) epoch: Option<Epoch>,
}

/// What goes once more because the relay's history is another one.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Reoffer {
    /// Acknowledged by the history before.
    pub(crate) messages: Vec<StoredMessage>,
    /// The records of their conversations, and of others: the relay may know nothing of them, and
    /// whoever wrote must see what becomes of it.
    pub(crate) records: Vec<ConversationRecord>,
}

/// A message about to be written.
#[derive(Clone)]
pub(crate) struct NewMessage {
    pub(crate) client_id: ClientId,
    pub(crate) conversation_id: ConversationId,
    pub(crate) text: String,
    pub(crate) at: Timestamp,
    pub(crate) record: Box<ConversationRecord>,
}

/// The open file.
pub(crate) struct OutboxFile {
    db: Connection,
    path: PathBuf,
    shelf: Shelf,
}

impl OutboxFile {
    /// Opens the outbox, forgets what was acknowledged too long ago to matter, and reads the rest.
    pub(crate) fn open(
        shelf: &Shelf,
        folder: &Path,
        wall_ms: u64,
    ) -> Result<(Self, OutboxContents), StoreError> {
        let path = folder.join("outbox.db");
        let db = super::open(shelf, &path, "outbox.db", PRAGMAS, MIGRATIONS)?;
        let mut file = Self { db, path, shelf: shelf.clone() };
        file.forget_old(wall_ms, u32::MAX)?;
        let contents = file.contents()?;
        Ok((file, contents))
    }

    /// Forgets what was acknowledged too long ago to matter, the oldest first and at most so many.
    pub(crate) fn forget_old(&mut self, wall_ms: u64, rows_max: u32) -> Result<(), StoreError> {
        let doing = StoreError::sqlite("clean the outbox");
        let oldest = signed(wall_ms.saturating_sub(REOFFER_WITHIN_MS));
        let tx = self.db.transaction_with_behavior(Immediate).map_err(&doing)?;
        run(
            &tx,
            "DELETE FROM messages WHERE n IN (SELECT n FROM messages
                 WHERE standing = 'acked' AND acked_at_ms <= ?1 ORDER BY n LIMIT ?2)",
            params![oldest, rows_max],
        )
        .map_err(&doing)?;
        run(
            &tx,
            "DELETE FROM lanes WHERE conversation_id NOT IN
                 (SELECT conversation_id FROM messages)",
            [],
        )
        .map_err(&doing)?;
        tx.commit().map_err(&doing)
    }

    /// Closes the file.
    pub(super) fn close(self) {
        self.shelf.park(&self.path, self.db);
    }

    /// Writes a message down, and its conversation's draft away. From here on it cannot be lost. An id
    /// that is there already stays as it is: whoever asked did not hear the answer.
    pub(crate) fn add(&mut self, message: &NewMessage) -> Result<StoredMessage, StoreError> {
        let doing = StoreError::sqlite("write a message to the outbox");
        let record = serde_json::to_string(&message.record)
            .map_err(|_| StoreError::BadRow { table: "lanes" })?;
        let tx = self.db.transaction().map_err(&doing)?;
        let conversation_id = message.conversation_id.as_str();
        let at_ms = signed(message.at.millis());
        run(&tx, "DELETE FROM drafts WHERE conversation_id = ?1", [conversation_id])
            .map_err(&doing)?;
        let known = tx
            .prepare_cached(&format!("SELECT {COLUMNS} FROM messages WHERE client_id = ?1"))
            .and_then(|mut query| {
                let id = [message.client_id.as_str()];
                query.query_row(id, |row| Ok(message_of(row))).optional()
            })
            .map_err(&doing)?;
        if let Some(known) = known {
            tx.commit().map_err(&doing)?;
            return known;
        }
        run(
            &tx,
            "INSERT INTO messages (client_id, conversation_id, text, at_ms, age_from_ms, standing,
                 code, acked_at_ms) VALUES (?1, ?2, ?3, ?4, ?4, 'unsent', '', 0)",
            params![message.client_id.as_str(), conversation_id, message.text, at_ms],
        )
        .map_err(&doing)?;
        let order = unsigned(tx.last_insert_rowid());
        run(
            &tx,
            "INSERT OR REPLACE INTO lanes (conversation_id, record) VALUES (?1, ?2)",
            [conversation_id, &record],
        )
        .map_err(&doing)?;
        tx.commit().map_err(&doing)?;
        Ok(StoredMessage {
            order,
            client_id: message.client_id.clone(),
            conversation_id: message.conversation_id.clone(),
            text: message.text.clone(),
            at: message.at,
            age_from_ms: message.at.millis(),
            standing: Standing::Unsent,
            tried: false,
        })
    }

    /// Writes changes of standing, all or none.
    pub(crate) fn change(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let doing = StoreError::sqlite("change the outbox");
        let tx = self.db.transaction().map_err(&doing)?;
        for change in changes {
            match change {
                Change::Standing { client_id, standing, age_from_ms } => {
                    let (name, code, acked) = columns_of(*standing);
                    run(
                        &tx,
                        "UPDATE messages SET standing = ?2, code = ?3, acked_at_ms = ?4,
                             age_from_ms = ?5 WHERE client_id = ?1",
                        params![client_id.as_str(), name, code, acked, signed(*age_from_ms)],
                    )
                    .map_err(&doing)?;
                }
                Change::Renamed { from, to } => {
                    run(
                        &tx,
                        "UPDATE messages SET client_id = ?2 WHERE client_id = ?1",
                        [from.as_str(), to.as_str()],
                    )
                    .map_err(&doing)?;
                }
            }
        }
        tx.commit().map_err(&doing)
    }

    /// Takes a message out for good.
    pub(crate) fn discard(&mut self, client_id: &ClientId) -> Result<(), StoreError> {
        run(&self.db, "DELETE FROM messages WHERE client_id = ?1", [client_id.as_str()])
            .map(|_| ())
            .map_err(StoreError::sqlite("take a message out of the outbox"))
    }

    /// Keeps a draft; an empty one is removed.
    pub(crate) fn set_draft(
        &mut self,
        conversation_id: &ConversationId,
        text: &str,
    ) -> Result<(), StoreError> {
        let id = conversation_id.as_str();
        let done = if text.is_empty() {
            run(&self.db, "DELETE FROM drafts WHERE conversation_id = ?1", [id])
        } else {
            run(
                &self.db,
                "INSERT OR REPLACE INTO drafts (conversation_id, text) VALUES (?1, ?2)",
                [id, text],
            )
        };
        done.map(|_| ()).map_err(StoreError::sqlite("keep a draft"))
    }

    /// Remembers the relay's history from now on. If it is another one than before, what was
    /// acknowledged in the last 24 h is unsent again; returns all of that.
    pub(crate) fn enter_epoch(
        &mut self,
        epoch: &Epoch,
        wall_ms: u64,
    ) -> Result<Reoffer, StoreError> {
        let doing = StoreError::sqlite("offer messages again");
        let is_another = self.epoch()?.is_some_and(|known| known != *epoch);
        let oldest = signed(wall_ms.saturating_sub(REOFFER_WITHIN_MS));
        let mut again = Reoffer::default();
        if is_another {
            again.records = self.records()?;
        }
        let tx = self.db.transaction().map_err(&doing)?;
        if is_another {
            {
                let sql = format!(
                    "SELECT {COLUMNS} FROM messages
                     WHERE standing = 'acked' AND acked_at_ms > ?1 ORDER BY n"
                );
                let mut query = tx.prepare_cached(&sql).map_err(&doing)?;
                let mut rows = query.query([oldest]).map_err(&doing)?;
                while let Some(row) = rows.next().map_err(&doing)? {
                    let message = message_of(row)?;
                    again.messages.push(StoredMessage {
                        standing: Standing::Unsent,
                        age_from_ms: wall_ms,
                        ..message
                    });
                }
            }
            run(
                &tx,
                "UPDATE messages SET standing = 'unsent', acked_at_ms = 0, age_from_ms = ?2
                 WHERE standing = 'acked' AND acked_at_ms > ?1",
                [oldest, signed(wall_ms)],
            )
            .map_err(&doing)?;
        }
        run(
            &tx,
            "INSERT OR REPLACE INTO facts (name, value) VALUES ('epoch', ?1)",
            [epoch.as_str()],
        )
        .map_err(&doing)?;
        tx.commit().map_err(&doing)?;
        Ok(again)
    }

    fn epoch(&self) -> Result<Option<Epoch>, StoreError> {
        let text: Option<String> = self
            .db
            .prepare_cached("SELECT value FROM facts WHERE name = 'epoch'")
            .and_then(|mut query| query.query_row([], |row| row.get(0)).optional())
            .map_err(StoreError::sqlite("read the outbox"))?;
        Ok(text.and_then(|text| Epoch::new(text).ok()))
    }

    fn contents(&self) -> Result<OutboxContents, StoreError> {
        let doing = StoreError::sqlite("read the outbox");
        let mut contents = OutboxContents { epoch: self.epoch()?, ..OutboxContents::default() };
        let sql = format!("SELECT {COLUMNS} FROM messages WHERE standing != 'acked' ORDER BY n");
        let mut query = self.db.prepare_cached(&sql).map_err(&doing)?;
        let mut rows = query.query([]).map_err(&doing)?;
        while let Some(row) = rows.next().map_err(&doing)? {
            contents.messages.push(message_of(row)?);
        }
        contents.records = self.records()?;
        let mut query =
            self.db.prepare_cached("SELECT conversation_id, text FROM drafts").map_err(&doing)?;
        let mut rows = query.query([]).map_err(&doing)?;
        while let Some(row) = rows.next().map_err(&doing)? {
            let id: String = row.get(0).map_err(&doing)?;
            let id = ConversationId::new(id).map_err(|_| StoreError::BadRow { table: "drafts" })?;
            contents.drafts.insert(id, row.get(1).map_err(&doing)?);
        }
        Ok(contents)
    }

    /// Conversations as they were when something was written to them.
    fn records(&self) -> Result<Vec<ConversationRecord>, StoreError> {
        let doing = StoreError::sqlite("read the outbox");
        let mut records = Vec::new();
        let mut query = self
            .db
            .prepare_cached("SELECT record FROM lanes ORDER BY conversation_id")
            .map_err(&doing)?;
        let mut rows = query.query([]).map_err(&doing)?;
        while let Some(row) = rows.next().map_err(&doing)? {
            let text: String = row.get(0).map_err(&doing)?;
            // Only for showing: one that another version wrote keeps nobody from what is unsent. The
            // next snapshot brings it anew.
            match from_json(&text, "lanes") {
                Ok(record) => records.push(record),
                Err(error) => {
                    tracing::warn!(%error, "a conversation is not shown until it is read");
                }
            }
        }
        Ok(records)
    }
}

/// Compiled once for each connection.
fn run(db: &Connection, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<usize> {
    db.prepare_cached(sql)?.execute(params)
}

fn columns_of(standing: Standing) -> (&'static str, String, i64) {
    match standing {
        Standing::Unsent => ("unsent", String::new(), 0),
        Standing::Failed(code) => ("failed", code_to_text(code), 0),
        Standing::Wedged => ("wedged", String::new(), 0),
        Standing::Acked { at_ms } => ("acked", String::new(), signed(at_ms)),
    }
}

fn message_of(row: &Row<'_>) -> Result<StoredMessage, StoreError> {
    let doing = StoreError::sqlite("read the outbox");
    let bad = || StoreError::BadRow { table: "messages" };
    let text_at = |column: usize| row.get::<_, String>(column).map_err(&doing);
    let number_at = |column: usize| row.get::<_, i64>(column).map(unsigned).map_err(&doing);
    let standing = match text_at(6)?.as_str() {
        "unsent" => Standing::Unsent,
        "failed" => Standing::Failed(code_from_text(&text_at(7)?)),
        "wedged" => Standing::Wedged,
        "acked" => Standing::Acked { at_ms: number_at(8)? },
        _ => return Err(bad()),
    };
    Ok(StoredMessage {
        order: number_at(0)?,
        client_id: ClientId::new(text_at(1)?).map_err(|_| bad())?,
        conversation_id: ConversationId::new(text_at(2)?).map_err(|_| bad())?,
        text: text_at(3)?,
        at: Timestamp::from_millis(number_at(4)?).map_err(|_| bad())?,
        age_from_ms: number_at(5)?,
        standing,
        // Only a refusal says that the relay does not have it.
        tried: !matches!(standing, Standing::Failed(_)),
    })
}

/// As on the wire, so that the file reads the same in every version.
fn code_to_text(code: ErrorCode) -> String {
    let text = serde_json::to_string(&code).unwrap_or_default();
    text.trim_matches('"').to_owned()
}

/// A code this version does not know was a refusal all the same.
fn code_from_text(text: &str) -> ErrorCode {
    serde_json::from_str(&format!("\"{text}\"")).unwrap_or(ErrorCode::Forbidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_another_version_keeps_nobody_from_what_is_unsent() {
        let folder = tempfile::tempdir().unwrap();
        let (mut file, _) = OutboxFile::open(&Shelf::Disk, folder.path(), 0).unwrap();
        let record = crate::replica::tests::record("c1");
        let message = NewMessage {
            client_id: ClientId::new("m1").unwrap(),
            conversation_id: record.id.clone(),
            text: "unsent".to_owned(),
            at: Timestamp::from_millis(5).unwrap(),
            record: Box::new(record),
        };
        file.add(&message).unwrap();
        file.db.execute("UPDATE lanes SET record = json_remove(record, '$.rev')", []).unwrap();
        drop(file);
        let (_, contents) = OutboxFile::open(&Shelf::Disk, folder.path(), 0).unwrap();
        let texts: Vec<&str> = contents.messages.iter().map(|kept| kept.text.as_str()).collect();
        assert_eq!((texts, contents.records), (vec!["unsent"], Vec::new()));
    }
}
