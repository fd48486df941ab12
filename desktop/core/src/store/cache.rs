//! `cache.db`: what the relay told us, so that the workbench opens without it. Everything in it can
//! be had again: a broken one is dropped and built anew from a snapshot.
//!
//! Rows and the position they stand for are written in one transaction, so after a crash the place
//! to resume from never claims more than what is held.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use yingke_shared::frame::ResumePoint;
use yingke_shared::ids::{AgentId, ConversationId, Epoch, InvitationId, Position, Seq, SiteId};
use yingke_shared::views::{
    ColleagueCard, Company, ConversationRecord, IncomingInvitation, ManagerAlert, Message, Note,
    OwnCard, ReadMark, SiteSettings,
};

use super::{Shelf, StoreError, signed, unsigned};
use crate::limits::PAST_CONVERSATIONS_MAX;

const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
    PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -4096;";

const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE facts (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE colleagues (id TEXT NOT NULL PRIMARY KEY, card TEXT NOT NULL)
        STRICT, WITHOUT ROWID;
    CREATE TABLE sites (id TEXT NOT NULL PRIMARY KEY, settings TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE conversations (
        id TEXT NOT NULL PRIMARY KEY,
        held INTEGER NOT NULL,
        rev INTEGER NOT NULL,
        record TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE messages (
        conversation_id TEXT NOT NULL,
        seq INTEGER NOT NULL,
        message TEXT NOT NULL,
        PRIMARY KEY (conversation_id, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE marks (
        conversation_id TEXT NOT NULL PRIMARY KEY,
        read_seq INTEGER NOT NULL,
        read_visitor_count INTEGER NOT NULL,
        delivered_seq INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    "
    -- Records of before do not say what was said last: a snapshot brings them anew.
    DELETE FROM facts WHERE name = 'position';
",
    "
    CREATE TABLE notes (
        conversation_id TEXT NOT NULL,
        id TEXT NOT NULL,
        after_seq INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        note TEXT NOT NULL,
        PRIMARY KEY (conversation_id, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX notes_by_place ON notes (conversation_id, after_seq, at_ms, id);
    -- What was kept before says nothing of departments, members and invitations.
    UPDATE conversations SET record = json_insert(record,
        '$.vip', json('false'), '$.members', json('[]'), '$.invitations', json('[]'));
    UPDATE colleagues SET card = json_insert(card,
        '$.departments', json('[]'), '$.skills', json('[]'));
    UPDATE facts SET value = json_insert(value, '$.departments', json('[]'),
        '$.skills', json('[]'), '$.auto_replies', json('{}')) WHERE name = 'own';
",
    "
    CREATE INDEX IF NOT EXISTS past_by_age ON conversations (rev DESC, id) WHERE held = 0;
",
];

/// Beyond the newest so many that left the inbox.
const PAST_TOO_MANY: &str = "SELECT id FROM conversations WHERE held = 0
     ORDER BY rev DESC, id LIMIT -1 OFFSET ?1";

/// Conversations of a table that are not kept: a page may come after its conversation was forgotten.
/// Each is looked up once, whatever the table holds of it.
fn strays_of(table: &str) -> String {
    format!(
        "WITH RECURSIVE ids (id) AS (
             SELECT MIN(conversation_id) FROM {table}
             UNION ALL
             SELECT (SELECT MIN(conversation_id) FROM {table} WHERE conversation_id > ids.id)
             FROM ids WHERE ids.id IS NOT NULL)
         SELECT id FROM ids WHERE id IS NOT NULL AND id NOT IN (SELECT id FROM conversations)"
    )
}

/// What this program can read. Raised with every kind of content, notice, author or standing it
/// learns: an earlier version kept what it had no words for as unknown, so what it kept is had again
/// from the relay.
const READS: &str = "3";

/// A stretch of messages without holes, from `low` to `high`, that ends with the newest held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tail {
    pub(crate) low: Seq,
    pub(crate) high: Seq,
}

/// This device's marks in a conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct KeptMarks {
    /// What was viewed here, told to the relay or not.
    pub(crate) read: ReadMark,
    /// Up to here the relay knows that we hold the messages.
    pub(crate) delivered: Seq,
}

/// What happens to the conversations that were held before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Reset {
    /// They stay.
    #[default]
    Nothing,
    /// A snapshot lists all that are held now; the messages stay.
    Held,
    /// The relay's history is another one: nothing stays.
    Everything,
}

/// Rows and the position they stand for.
#[derive(Clone, Default)]
pub(crate) struct CacheWrite {
    pub(crate) reset: Reset,
    pub(crate) place: Option<ResumePoint>,
    /// With a place: whether conversations of the inbox are still missing.
    pub(crate) partial: bool,
    pub(crate) own: Option<OwnCard>,
    pub(crate) colleagues: Vec<ColleagueCard>,
    pub(crate) sites: Option<Vec<SiteSettings>>,
    pub(crate) company: Option<Company>,
    pub(crate) invitations: Option<BTreeMap<InvitationId, IncomingInvitation>>,
    pub(crate) alerts: Option<BTreeMap<ConversationId, ManagerAlert>>,
    /// Records, and whether they are in the inbox.
    pub(crate) conversations: Vec<(ConversationRecord, bool)>,
    pub(crate) messages: Vec<(ConversationId, Message)>,
    pub(crate) notes: Vec<(ConversationId, Note)>,
    pub(crate) marks: Vec<(ConversationId, KeptMarks)>,
}

/// A conversation as it was kept.
#[derive(Clone)]
pub(crate) struct KeptConversation {
    pub(crate) record: ConversationRecord,
    pub(crate) held: bool,
    pub(crate) tail: Option<Tail>,
}

/// Everything but the messages.
#[derive(Clone, Default)]
pub(crate) struct CacheContents {
    pub(crate) place: Option<ResumePoint>,
    /// Conversations of the inbox were still missing.
    pub(crate) partial: bool,
    pub(crate) own: Option<OwnCard>,
    pub(crate) colleagues: BTreeMap<AgentId, ColleagueCard>,
    pub(crate) sites: Vec<SiteSettings>,
    pub(crate) company: Company,
    pub(crate) invitations: BTreeMap<InvitationId, IncomingInvitation>,
    pub(crate) alerts: BTreeMap<ConversationId, ManagerAlert>,
    pub(crate) conversations: Vec<KeptConversation>,
    pub(crate) marks: BTreeMap<ConversationId, KeptMarks>,
}

/// Messages without holes, and the notes among them.
#[derive(Clone, Default)]
pub(crate) struct Page {
    pub(crate) messages: Vec<Message>,
    pub(crate) notes: Vec<Note>,
}

/// The open file.
pub(crate) struct Cache {
    db: Connection,
    path: PathBuf,
    shelf: Shelf,
}

impl Cache {
    /// Opens the cache and reads what it holds. A broken one is dropped and made anew; one of a
    /// newer generation is refused.
    pub(crate) fn open(shelf: &Shelf, folder: &Path) -> Result<(Self, CacheContents), StoreError> {
        let path = folder.join("cache.db");
        match Self::try_open(shelf, &path) {
            Err(error @ (StoreError::NewerGeneration { .. } | StoreError::InUse)) => Err(error),
            Err(error) => {
                tracing::warn!(%error, "the cache is broken and is built anew");
                shelf.remove(&path)?;
                Self::try_open(shelf, &path)
            }
            opened => opened,
        }
    }

    fn try_open(shelf: &Shelf, path: &Path) -> Result<(Self, CacheContents), StoreError> {
        let db = super::open(shelf, path, "cache.db", PRAGMAS, MIGRATIONS)?;
        let cache = Self { db, path: path.to_owned(), shelf: shelf.clone() };
        cache.forget_what_was_read_otherwise()?;
        cache.forget_strays()?;
        let contents = cache.contents()?;
        Ok((cache, contents))
    }

    /// See [`READS`]. Records stay to be shown; the next snapshot brings them anew.
    fn forget_what_was_read_otherwise(&self) -> Result<(), StoreError> {
        if self.fact("reads")?.as_deref() == Some(READS) {
            return Ok(());
        }
        let sql = format!(
            "BEGIN IMMEDIATE; DELETE FROM messages; DELETE FROM notes; DELETE FROM facts WHERE name = 'position';
             INSERT OR REPLACE INTO facts (name, value) VALUES ('reads', '{READS}'); COMMIT;"
        );
        self.db.execute_batch(&sql).map_err(StoreError::sqlite("forget what was read otherwise"))
    }

    /// See [`strays_of`].
    fn forget_strays(&self) -> Result<(), StoreError> {
        let doing = StoreError::sqlite("forget what belongs to nothing");
        for table in ["messages", "notes", "marks"] {
            let strays = ids(&self.db, &strays_of(table), []).map_err(&doing)?;
            for id in strays {
                let sql = format!("DELETE FROM {table} WHERE conversation_id = ?1");
                let delete = self.db.prepare_cached(&sql);
                delete.and_then(|mut delete| delete.execute([id])).map_err(&doing)?;
            }
        }
        Ok(())
    }

    /// Drops the file and starts an empty one.
    pub(crate) fn rebuild(self) -> Result<Self, StoreError> {
        let shelf = self.shelf.clone();
        let path = self.wipe()?;
        Ok(Self::try_open(&shelf, &path)?.0)
    }

    /// Drops the file. Says where it was.
    pub(crate) fn wipe(self) -> Result<PathBuf, StoreError> {
        let Self { db, path, shelf } = self;
        drop(db);
        shelf.remove(&path)?;
        Ok(path)
    }

    /// Closes the file.
    pub(super) fn close(self) {
        self.shelf.park(&self.path, self.db);
    }

    /// Writes all of it or nothing.
    pub(crate) fn write(&mut self, write: &CacheWrite) -> Result<(), StoreError> {
        let doing = StoreError::sqlite("write the cache");
        let tx = self.db.transaction().map_err(&doing)?;
        apply(&tx, write).map_err(&doing)?;
        tx.commit().map_err(&doing)
    }

    /// Up to `limit` messages without holes, oldest first, the newest of them just below `before`
    /// (or the newest of all); and the notes that stand after one of them.
    pub(crate) fn page(
        &self,
        conversation_id: &ConversationId,
        before: Option<Seq>,
        limit: u32,
    ) -> Result<Page, StoreError> {
        let messages = self.messages(conversation_id, before, limit)?;
        let notes = match messages.first() {
            Some(first) => self.notes(conversation_id, first.seq, before)?,
            None => Vec::new(),
        };
        Ok(Page { messages, notes })
    }

    /// The notes from a message on. Those before the first message of all come with it.
    fn notes(
        &self,
        conversation_id: &ConversationId,
        first: Seq,
        before: Option<Seq>,
    ) -> Result<Vec<Note>, StoreError> {
        let doing = StoreError::sqlite("read notes");
        let from = if first <= Seq::ZERO.next() { 0 } else { signed(first.get()) };
        let below = before.map_or(i64::MAX, |seq| signed(seq.get()));
        let mut query = self
            .db
            .prepare_cached(
                "SELECT note FROM notes WHERE conversation_id = ?1 AND after_seq >= ?2
                 AND after_seq < ?3 ORDER BY after_seq, at_ms, id",
            )
            .map_err(&doing)?;
        let rows = query
            .query_map(params![conversation_id.as_str(), from, below], |row| row.get(0))
            .map_err(&doing)?;
        let rows: Vec<String> = rows.collect::<rusqlite::Result<_>>().map_err(&doing)?;
        rows.iter().map(|text| from_json(text, "notes")).collect()
    }

    fn messages(
        &self,
        conversation_id: &ConversationId,
        before: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let doing = StoreError::sqlite("read messages");
        let mut query = self
            .db
            .prepare_cached(
                "SELECT seq, message FROM messages WHERE conversation_id = ?1 AND seq < ?2
                 ORDER BY seq DESC LIMIT ?3",
            )
            .map_err(&doing)?;
        let below = before.map_or(i64::MAX, |seq| signed(seq.get()));
        let mut rows =
            query.query(params![conversation_id.as_str(), below, limit]).map_err(&doing)?;
        let mut expected = before.map(|_| below - 1);
        let mut page = Vec::new();
        while let Some(row) = rows.next().map_err(&doing)? {
            let seq: i64 = row.get(0).map_err(&doing)?;
            if expected.is_some_and(|expected| expected != seq) {
                break;
            }
            expected = Some(seq - 1);
            let text: String = row.get(1).map_err(&doing)?;
            page.push(from_json(&text, "messages")?);
        }
        page.reverse();
        Ok(page)
    }

    /// The stretch that ends with the newest message held.
    pub(crate) fn tail(
        &self,
        conversation_id: &ConversationId,
    ) -> Result<Option<Tail>, StoreError> {
        let doing = StoreError::sqlite("read messages");
        let id = conversation_id.as_str();
        let high: Option<i64> = self
            .db
            .prepare_cached("SELECT MAX(seq) FROM messages WHERE conversation_id = ?1")
            .and_then(|mut query| query.query_row([id], |row| row.get(0)))
            .map_err(&doing)?;
        let Some(high) = high else { return Ok(None) };
        let low: i64 = self
            .db
            .prepare_cached(
                "SELECT seq FROM messages AS m WHERE conversation_id = ?1 AND NOT EXISTS (
                     SELECT 1 FROM messages AS p
                     WHERE p.conversation_id = m.conversation_id AND p.seq = m.seq - 1)
                 ORDER BY seq DESC LIMIT 1",
            )
            .and_then(|mut query| query.query_row([id], |row| row.get(0)))
            .map_err(&doing)?;
        Ok(Some(Tail { low: seq(low, "messages")?, high: seq(high, "messages")? }))
    }

    fn contents(&self) -> Result<CacheContents, StoreError> {
        let doing = StoreError::sqlite("read the cache");
        let epoch = self.fact("epoch")?.and_then(|text| Epoch::new(text).ok());
        let position = self.fact("position")?.and_then(|text| text.parse().ok());
        let position = position.and_then(|value| Position::new(value).ok());
        let own = self.fact("own")?.map(|text| from_json(&text, "facts")).transpose()?;
        let company = self.json_fact("company")?;
        let (invitations, alerts) = (self.json_fact("invitations")?, self.json_fact("alerts")?);
        let mut conversations = Vec::new();
        for (text, held) in
            self.rows("SELECT record, held FROM conversations ORDER BY id").map_err(&doing)?
        {
            let record: ConversationRecord = from_json(&text, "conversations")?;
            let tail = self.tail(&record.id)?;
            conversations.push(KeptConversation { record, held: held != 0, tail });
        }
        let mut colleagues = BTreeMap::new();
        for (text, _) in self.rows("SELECT card, 0 FROM colleagues ORDER BY id").map_err(&doing)? {
            let colleague: ColleagueCard = from_json(&text, "colleagues")?;
            colleagues.insert(colleague.card.id.clone(), colleague);
        }
        let sites = self.rows("SELECT settings, 0 FROM sites ORDER BY id").map_err(&doing)?;
        let sites = sites.iter().map(|(text, _)| from_json(text, "sites"));
        Ok(CacheContents {
            place: epoch.zip(position).map(|(epoch, position)| ResumePoint { epoch, position }),
            partial: self.fact("partial")?.is_some_and(|text| !text.is_empty()),
            own,
            colleagues,
            sites: sites.collect::<Result<_, _>>()?,
            company,
            invitations,
            alerts,
            conversations,
            marks: self.marks()?,
        })
    }

    fn marks(&self) -> Result<BTreeMap<ConversationId, KeptMarks>, StoreError> {
        let doing = StoreError::sqlite("read the cache");
        let mut query = self
            .db
            .prepare_cached(
                "SELECT conversation_id, read_seq, read_visitor_count, delivered_seq FROM marks",
            )
            .map_err(&doing)?;
        let rows = query
            .query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .map_err(&doing)?;
        let mut marks = BTreeMap::new();
        for row in rows {
            let (id, read, count, delivered): (String, i64, i64, i64) = row.map_err(&doing)?;
            let id = ConversationId::new(id).map_err(|_| StoreError::BadRow { table: "marks" })?;
            let read = ReadMark { seq: seq(read, "marks")?, visitor_count: seq(count, "marks")? };
            marks.insert(id, KeptMarks { read, delivered: seq(delivered, "marks")? });
        }
        Ok(marks)
    }

    fn fact(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.db
            .prepare_cached("SELECT value FROM facts WHERE name = ?1")
            .and_then(|mut query| query.query_row([name], |row| row.get(0)).optional())
            .map_err(StoreError::sqlite("read the cache"))
    }

    fn json_fact<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T, StoreError> {
        self.fact(name)?.map_or_else(|| Ok(T::default()), |text| from_json(&text, "facts"))
    }

    fn rows(&self, sql: &str) -> rusqlite::Result<Vec<(String, i64)>> {
        let mut query = self.db.prepare_cached(sql)?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }
}

fn apply(tx: &Transaction<'_>, write: &CacheWrite) -> rusqlite::Result<()> {
    match write.reset {
        Reset::Nothing => {}
        Reset::Held => {
            tx.prepare_cached("UPDATE conversations SET held = 0")?.execute([])?;
            tx.prepare_cached("DELETE FROM colleagues")?.execute([])?;
        }
        Reset::Everything => tx.execute_batch(
            "DELETE FROM facts WHERE name <> 'reads'; DELETE FROM colleagues; DELETE FROM sites; DELETE FROM marks;
             DELETE FROM conversations; DELETE FROM messages; DELETE FROM notes;",
        )?,
    }
    if let Some(place) = &write.place {
        set_fact(tx, "epoch", place.epoch.as_str())?;
        set_fact(tx, "position", &place.position.to_string())?;
        set_fact(tx, "partial", if write.partial { "1" } else { "" })?;
    }
    if let Some(own) = &write.own {
        set_fact(tx, "own", &json(own)?)?;
    }
    if let Some(company) = &write.company {
        set_fact(tx, "company", &json(company)?)?;
    }
    if let Some(invitations) = &write.invitations {
        set_fact(tx, "invitations", &json(invitations)?)?;
    }
    if let Some(alerts) = &write.alerts {
        set_fact(tx, "alerts", &json(alerts)?)?;
    }
    for colleague in &write.colleagues {
        tx.prepare_cached("INSERT OR REPLACE INTO colleagues (id, card) VALUES (?1, ?2)")?
            .execute(params![colleague.card.id.as_str(), json(colleague)?])?;
    }
    if let Some(sites) = &write.sites {
        tx.prepare_cached("DELETE FROM sites")?.execute([])?;
        for site in sites {
            let id: &SiteId = &site.id;
            tx.prepare_cached("INSERT OR REPLACE INTO sites (id, settings) VALUES (?1, ?2)")?
                .execute(params![id.as_str(), json(site)?])?;
        }
    }
    for (record, held) in &write.conversations {
        tx.prepare_cached(
            "INSERT OR REPLACE INTO conversations (id, held, rev, record) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            record.id.as_str(),
            i64::from(*held),
            signed(record.rev.get()),
            json(record)?
        ])?;
    }
    for (conversation_id, message) in &write.messages {
        tx.prepare_cached(
            "INSERT OR REPLACE INTO messages (conversation_id, seq, message) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![
            conversation_id.as_str(),
            signed(message.seq.get()),
            json(message)?
        ])?;
    }
    for (conversation_id, note) in &write.notes {
        tx.prepare_cached(
            "INSERT OR REPLACE INTO notes (conversation_id, id, after_seq, at_ms, note)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            conversation_id.as_str(),
            note.id.as_str(),
            signed(note.after.get()),
            signed(note.at.millis()),
            json(note)?
        ])?;
    }
    for (conversation_id, marks) in &write.marks {
        tx.prepare_cached(
            "INSERT OR REPLACE INTO marks
                 (conversation_id, read_seq, read_visitor_count, delivered_seq)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            conversation_id.as_str(),
            signed(marks.read.seq.get()),
            signed(marks.read.visitor_count.get()),
            signed(marks.delivered.get())
        ])?;
    }
    if write.conversations.iter().any(|(_, held)| !held) || write.reset == Reset::Held {
        forget_oldest_past(tx)?;
    }
    Ok(())
}

/// Of the conversations that left the inbox, the newest are kept. Only what goes is read.
fn forget_oldest_past(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let keep = i64::try_from(PAST_CONVERSATIONS_MAX).unwrap_or(i64::MAX);
    for id in ids(tx, PAST_TOO_MANY, [keep])? {
        for sql in [
            "DELETE FROM conversations WHERE id = ?1",
            "DELETE FROM messages WHERE conversation_id = ?1",
            "DELETE FROM notes WHERE conversation_id = ?1",
            "DELETE FROM marks WHERE conversation_id = ?1",
        ] {
            tx.prepare_cached(sql)?.execute([&id])?;
        }
    }
    Ok(())
}

fn ids(db: &Connection, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<Vec<String>> {
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map(params, |row| row.get(0))?;
    rows.collect()
}

fn set_fact(tx: &Transaction<'_>, name: &str, value: &str) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT OR REPLACE INTO facts (name, value) VALUES (?1, ?2)")?
        .execute([name, value])
        .map(|_| ())
}

fn json<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

pub(super) fn from_json<T: DeserializeOwned>(
    text: &str,
    table: &'static str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::BadRow { table })
}

fn seq(value: i64, table: &'static str) -> Result<Seq, StoreError> {
    Seq::new(unsigned(value)).map_err(|_| StoreError::BadRow { table })
}
