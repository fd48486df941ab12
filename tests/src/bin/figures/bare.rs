//! The floor to compare with: the same rows by the same statements, written by a bare rusqlite loop
//! with the relay's schema and settings, nothing around it.

use std::time::{Duration, Instant};

use anyhow::Result;
use rusqlite::{Connection, params};

const SCHEMA: &str = include_str!("../../../../relay/migrations/sqlite/0001_spine.sql");
const CONVERSATIONS: i64 = 100;

/// A database with some open conversations in it.
pub(crate) struct Bare {
    db: Connection,
    next: i64,
    _folder: tempfile::TempDir,
}

impl Bare {
    pub(crate) fn open() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let db = Connection::open(folder.path().join("bare.db"))?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.execute_batch(SCHEMA)?;
        db.set_prepared_statement_cache_capacity(32);
        let mut bare = Self { db, next: 0, _folder: folder };
        for _ in 0..CONVERSATIONS {
            let number = bare.next;
            bare.next += 1;
            bare.db.execute(
                "INSERT INTO conversations (id, site_id, visitor_id, state, page_url, page_title, \
                 locale, started_at, started_position) VALUES (?, 's', ?, 'serving', '', '', '', 1, ?)",
                params![conversation(number), visitor(number), number],
            )?;
            bare.db.execute(
                "INSERT INTO messages (conversation_id, seq, actor_id, client_id, author, content, \
                 is_notice, at, visitor_count) VALUES (?, 1, ?, ?, 'visitor', 'x', 0, 1, 1)",
                params![conversation(number), visitor(number), format!("first-{number}")],
            )?;
        }
        Ok(bare)
    }

    /// Messages a second in transactions of `batch` messages each, for about this long.
    pub(crate) fn messages_per_second(&mut self, batch: i64, time: Duration) -> Result<f64> {
        let begun = Instant::now();
        let mut written = 0_i64;
        while begun.elapsed() < time {
            self.db.execute_batch("BEGIN IMMEDIATE")?;
            for _ in 0..batch {
                self.message()?;
            }
            let position = self.next;
            self.db
                .prepare_cached("UPDATE log_head SET position = ? WHERE id = 1")?
                .execute(params![position])?;
            self.db.execute_batch("COMMIT")?;
            written += batch;
        }
        Ok(written as f64 / begun.elapsed().as_secs_f64())
    }

    /// Only the message's own row, one transaction each: what any store of messages must do.
    pub(crate) fn raw_inserts_per_second(&mut self, time: Duration) -> Result<f64> {
        let begun = Instant::now();
        let mut written = 0_i64;
        while begun.elapsed() < time {
            let number = self.next % CONVERSATIONS;
            self.next += 1;
            self.insert_message(number, 1_000_000 + self.next)?;
            written += 1;
        }
        // These rows are no part of the conversations' numbering.
        self.db.execute("DELETE FROM messages WHERE seq > 1000000", [])?;
        Ok(written as f64 / begun.elapsed().as_secs_f64())
    }

    /// One message as the relay stores it: was it sent before, which conversation is open, how does
    /// it stand after the newest message, the row, the event.
    fn message(&mut self) -> Result<()> {
        let number = self.next % CONVERSATIONS;
        self.next += 1;
        let visitor = visitor(number);
        let before = self
            .db
            .prepare_cached(
                "SELECT conversation_id, seq, at, content FROM messages \
                 WHERE actor_id = ? AND client_id = ?",
            )?
            .exists(params![visitor, uuid::Uuid::now_v7().to_string()])?;
        anyhow::ensure!(!before);
        let open: String = self
            .db
            .prepare_cached(
                "SELECT id, visitor_id, site_id, state, waiting_reason, agent_id, ended_at, \
                 ended_by, page_url, page_title, locale, started_at, started_position, assigned_at, \
                 first_response_at FROM conversations WHERE visitor_id = ? AND state <> 'ended'",
            )?
            .query_row(params![visitor], |row| row.get(0))?;
        let newest: i64 = self
            .db
            .prepare_cached(
                "SELECT seq, visitor_count, unanswered_since FROM messages \
                 WHERE conversation_id = ? ORDER BY seq DESC LIMIT 1",
            )?
            .query_row(params![open], |row| row.get(0))?;
        self.insert_message(number, newest + 1)?;
        self.db
            .prepare_cached(
                "INSERT INTO events (position, at, kind, conversation_id, seq, body) \
                 VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                self.next,
                1_700_000_000_000_i64,
                "message",
                open,
                newest + 1,
                "{}"
            ])?;
        Ok(())
    }

    fn insert_message(&self, number: i64, seq: i64) -> Result<()> {
        self.db
            .prepare_cached(
                "INSERT INTO messages (conversation_id, seq, actor_id, client_id, author, content, \
                 is_notice, at, visitor_count, unanswered_since) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                conversation(number),
                seq,
                visitor(number),
                uuid::Uuid::now_v7().to_string(),
                "visitor",
                super::durable::TEXT,
                0,
                1_700_000_000_000_i64,
                seq,
                1_700_000_000_000_i64
            ])?;
        Ok(())
    }
}

fn conversation(number: i64) -> String {
    format!("0190a5b2-0000-7000-8000-{number:012}")
}

fn visitor(number: i64) -> String {
    format!("0190a5b2-1111-7000-8000-{number:012}")
}
