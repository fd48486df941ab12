//! The database of the first release, as a company might have it: made from the first migration's own
//! file, with staff, a site, visitors and conversations that have ended.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use rusqlite::Connection;
use yingke_shared::ids::{ClientId, ConversationId, Seq, SiteId};
use yingke_tests::judge::{Fate, Sent};

const FIRST_SCHEMA: &str = include_str!("../../relay/migrations/sqlite/0001_spine.sql");
/// What tells the relay's files from others.
const APPLICATION_ID: i64 = 0x594b_524c;
const CONVERSATIONS: u64 = 30;
const MESSAGES: u64 = 20;

fn text(conversation: u64, seq: u64) -> String {
    format!("conversation {conversation}, message {seq} {}", "…".repeat(150))
}

/// Lays the database into the folder; gives its site.
pub(crate) fn lay_database(folder: &Path) -> Result<SiteId> {
    std::fs::create_dir_all(folder)?;
    let mut database = Connection::open(folder.join("yingke.db"))?;
    database.pragma_update(None, "application_id", APPLICATION_ID)?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    let tx = database.transaction()?;
    tx.execute_batch(FIRST_SCHEMA)?;
    tx.execute_batch(
        "CREATE TABLE schema_migrations (number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, \
         applied_at BIGINT NOT NULL) WITHOUT ROWID; \
         INSERT INTO schema_migrations VALUES (1, '0001_spine', 1); \
         INSERT INTO sites (id, name, domains, created_at) \
         VALUES ('old-site', 'Tea', '[\"http://shop.localhost\"]', 1); \
         INSERT INTO agents (id, account, account_key, nickname, role, password_hash, capacity, \
         availability, created_at) VALUES ('old-ana', 'Ana', 'ana', 'Ana', 'agent', '', 8, \
         'busy', 1)",
    )?;
    let mut position = 0;
    for conversation in 0..CONVERSATIONS {
        let id = format!("old-conversation-{conversation}");
        let visitor = format!("old-visitor-{conversation}");
        tx.execute(
            "INSERT INTO visitors (id, site_id, created_at) VALUES (?1, 'old-site', 1)",
            [&visitor],
        )?;
        tx.execute(
            "INSERT INTO conversations (id, site_id, visitor_id, state, started_at, \
             started_position, ended_at, ended_by) \
             VALUES (?1, 'old-site', ?2, 'ended', 1, ?3, 9, 'visitor')",
            rusqlite::params![id, visitor, position + 1],
        )?;
        for seq in 1..=MESSAGES {
            position += 1;
            tx.execute(
                "INSERT INTO messages (conversation_id, seq, actor_id, client_id, author, content, \
                 at, visitor_count) VALUES (?1, ?2, ?3, ?4, 'visitor', ?5, 2, ?2)",
                rusqlite::params![
                    id,
                    i64::try_from(seq)?,
                    visitor,
                    format!("old-{conversation}-{seq}"),
                    text(conversation, seq)
                ],
            )?;
            tx.execute(
                "INSERT INTO events (position, at, kind, conversation_id, seq) \
                 VALUES (?1, 2, 'message_appended', ?2, ?3)",
                rusqlite::params![position, id, i64::try_from(seq)?],
            )?;
        }
    }
    tx.execute("INSERT INTO log_head VALUES (1, 'old-epoch', ?1, 3)", [position])?;
    tx.commit()?;
    Ok(SiteId::new("old-site")?)
}

/// What its visitors had been told, for the judge.
pub(crate) fn senders() -> Result<Vec<Vec<Sent>>> {
    (0..CONVERSATIONS)
        .map(|conversation| {
            let id = ConversationId::new(format!("old-conversation-{conversation}"))?;
            (1..=MESSAGES)
                .map(|seq| {
                    Ok(Sent {
                        client_id: ClientId::new(format!("old-{conversation}-{seq}"))?,
                        text: text(conversation, seq),
                        fate: Fate::Acked(id.clone(), Seq::new(seq)?),
                    })
                })
                .collect()
        })
        .collect()
}

/// A complete copy of that database is there.
pub(crate) fn check_copy(backups: &Path) -> Result<()> {
    let path = backups.join("before-0002.db");
    ensure!(path.exists(), "the schema is newer, and there is no copy of the old");
    let copy = Connection::open(path)?;
    let verdict: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    ensure!(verdict == "ok", "the copy: {verdict}");
    let kept: i64 = copy
        .query_row("SELECT count(*) FROM messages", [], |row| row.get(0))
        .context("the copy")?;
    ensure!(kept == i64::try_from(CONVERSATIONS * MESSAGES)?, "the copy has {kept} messages");
    Ok(())
}
