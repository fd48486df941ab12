//! Whether the stored data is whole: a little at every start, everything on demand, also beside a
//! running relay. Only looks; what to do about a finding is the operator's decision.
//!
//! At start the time is bounded whatever the size: the engine's own structure check only for a small
//! database, and the end of the log, where a crash would show. Pages that cannot be read, or make no sense,
//! are said there and keep nothing else from being served; a structure that contradicts itself is built
//! anew (see `rebuild`). Everything else is [`whole`]: the
//! engine's check, then each rule of [`RULES`], which are statements that give whatever breaks them.
//! Each runs in a transaction of its own, so that a long check never keeps the write-ahead log from
//! starting again for longer than its longest rule.

use std::path::Path;

use rusqlite::Connection;
use yingke_shared::ids::Position;

use super::backup::MANIFEST;
use super::{OpenError, StoreError, connection, folder, identity, migrations, sums, wal};
use crate::limits::{
    FINDINGS_SHOWN, PLACE_CHARS_MAX, START_CHECK_BYTES_MAX, START_CHECK_POSITIONS,
};

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub what: String,
    /// In how many places; of a damaged structure, as many as the engine counted.
    pub count: usize,
    /// Where, for example: ids and numbers, never what people wrote.
    pub places: Vec<String>,
    /// What to do about it.
    pub advice: &'static str,
}

/// What a check of everything found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Messages that were looked at.
    pub messages: u64,
    /// The log's end.
    pub position: Position,
    /// What is wrong; nothing, if all is well.
    pub findings: Vec<Finding>,
    /// The data is sound as far as the engine can tell, and another release's: what was looked for is not
    /// what that one keeps.
    pub other_release: Option<OtherRelease>,
}

/// Whose data it is, by the numbers of the schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherRelease {
    /// The data's.
    pub found: i64,
    /// The newest that this build knows.
    pub known: i64,
}

impl Report {
    /// Of data in which the engine can look at nothing.
    fn unreadable(broken_wal: Option<Finding>, error: &rusqlite::Error) -> Self {
        let what = "the database cannot be read; nothing else was checked".to_owned();
        let of_all = Finding { what, count: 1, places: vec![error.to_string()], advice: SALVAGE };
        let findings = broken_wal.into_iter().chain([of_all]).collect();
        Self { messages: 0, position: Position::default(), findings, other_release: None }
    }
}

const RESTORE: &str =
    "stop the relay, keep a copy of the data folder, restore the last good backup";
const STRUCTURE: &str =
    "the disk or memory may be failing: restore the last good backup on another one";
const SALVAGE: &str = "make a backup, which keeps what can be read, and restore it on another disk";
/// The engine's own verdict.
pub(super) const STRUCTURE_DAMAGED: &str = "the database's structure is damaged";
const BOOT_FILE: &str = "stop the relay and start it again: it writes the file anew";

/// A statement that gives the places (as text or a number) where something is wrong.
struct Rule {
    what: &'static str,
    sql: &'static str,
}

/// What must hold between the tables. Every statement reads a table once, in the order of its key or
/// of an index.
const RULES: &[Rule] = &[
    Rule {
        what: "the log's head is not one row",
        sql: "SELECT 'log_head' WHERE (SELECT count(*) FROM log_head) <> 1",
    },
    Rule {
        what: "the log's end is not where its head says",
        sql: "SELECT h.position FROM log_head h
              WHERE h.position <> (SELECT coalesce(max(position), 0) FROM events)",
    },
    Rule {
        what: "the log has a hole before these positions",
        sql: "SELECT position FROM
                  (SELECT position, lag(position, 1, 0) OVER (ORDER BY position) AS former
                   FROM events)
              WHERE position <> former + 1",
    },
    Rule {
        what: "an event is of a kind this version does not know, or is not readable",
        sql: "SELECT position FROM events
              WHERE kind NOT IN ('conversation_started', 'status_changed', 'message_appended',
                                 'visitor_marked', 'agent_marked', 'routed',
                                 'members_changed', 'invitations_changed',
                                 'note_added', 'managers_alerted',
                                 'alert_cleared', 'wrap_up_done',
                                 'settings_changed', 'agent_changed',
                                 'site_changed')
                 OR (body <> '' AND NOT json_valid(body))
                 OR (kind = 'message_appended') <> (seq IS NOT NULL)",
    },
    Rule {
        what: "an event is about a conversation that is not there",
        sql: "SELECT e.position FROM events e
              WHERE e.conversation_id IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM conversations c WHERE c.id = e.conversation_id)",
    },
    Rule {
        what: "an event is about a message that is not there, or is another event's",
        sql: "SELECT e.position FROM events e
              WHERE e.seq IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM messages m
                                WHERE m.conversation_id = e.conversation_id AND m.seq = e.seq
                                  AND m.position IN (0, e.position))",
    },
    Rule {
        what: "the log does not tell a conversation's messages in their order",
        sql: "SELECT position FROM
                  (SELECT position, seq, row_number()
                          OVER (PARTITION BY conversation_id ORDER BY position) AS number
                   FROM events WHERE conversation_id IS NOT NULL AND seq IS NOT NULL)
              WHERE seq <> number",
    },
    Rule {
        what: "a conversation has messages that the log does not tell of",
        sql: "SELECT m.conversation_id FROM
                  (SELECT conversation_id, count(*) AS number FROM messages
                   GROUP BY conversation_id) m
                  LEFT JOIN (SELECT conversation_id, count(seq) AS number FROM events
                   WHERE conversation_id IS NOT NULL GROUP BY conversation_id) e
                  ON e.conversation_id = m.conversation_id
              WHERE m.number IS NOT e.number",
    },
    Rule {
        what: "a conversation's messages are not numbered from 1 without holes",
        sql: "SELECT conversation_id FROM messages GROUP BY conversation_id
              HAVING min(seq) <> 1 OR max(seq) <> count(*)",
    },
    Rule {
        what: "a message's author, kind or running count is not what it must be",
        sql: "SELECT conversation_id || ' ' || seq FROM
                  (SELECT conversation_id, seq, author, actor_id, is_notice, content, visitor_count,
                          count(CASE WHEN author = 'visitor' THEN 1 END)
                              OVER (PARTITION BY conversation_id ORDER BY seq) AS number
                   FROM messages)
              WHERE visitor_count <> number
                 OR author NOT IN ('visitor', 'agent', 'system')
                 OR (author = 'system') <> (actor_id = 'system')
                 OR is_notice <> (author = 'system' AND json_valid(content))",
    },
    Rule {
        what: "a message is of a conversation that is not there",
        sql: "SELECT DISTINCT m.conversation_id FROM messages m
              WHERE NOT EXISTS (SELECT 1 FROM conversations c WHERE c.id = m.conversation_id)",
    },
    Rule {
        what: "a message's author is not there, or not of the conversation",
        sql: "SELECT m.conversation_id || ' ' || m.seq
              FROM messages m JOIN conversations c ON c.id = m.conversation_id
              WHERE (m.author = 'visitor' AND m.actor_id <> c.visitor_id)
                 OR (m.author = 'agent'
                     AND NOT EXISTS (SELECT 1 FROM agents a WHERE a.id = m.actor_id))",
    },
    Rule {
        what: "a conversation's standing contradicts itself",
        sql: "SELECT id FROM conversations
              WHERE state NOT IN ('waiting', 'serving', 'ended')
                 OR (state = 'serving' AND agent_id IS NULL)
                 OR (state = 'waiting' AND agent_id IS NOT NULL)
                 OR (state = 'ended') <> (ended_at IS NOT NULL)",
    },
    Rule {
        what: "a conversation's visitor, site or agent is not there",
        sql: "SELECT c.id FROM conversations c
              WHERE NOT EXISTS (SELECT 1 FROM visitors v
                                WHERE v.id = c.visitor_id AND v.site_id = c.site_id)
                 OR NOT EXISTS (SELECT 1 FROM sites s WHERE s.id = c.site_id)
                 OR (c.agent_id IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM agents a WHERE a.id = c.agent_id))",
    },
    Rule {
        what: "a conversation does not begin where its first event is",
        sql: "SELECT c.id FROM conversations c
              WHERE NOT EXISTS (SELECT 1 FROM events e
                                WHERE e.position = c.started_position
                                  AND e.conversation_id = c.id
                                  AND e.kind = 'conversation_started')",
    },
    Rule {
        what: "a mark is beyond its conversation's end, or of none",
        sql: "SELECT k.conversation_id || ' ' || k.reader_id FROM marks k
              WHERE max(k.delivered, k.read) >
                    (SELECT coalesce(max(seq), -1) FROM messages m
                     WHERE m.conversation_id = k.conversation_id)
                 OR k.read > k.delivered",
    },
    Rule {
        what: "an account's role or availability is not known",
        sql: "SELECT id FROM agents
              WHERE role NOT IN ('agent', 'manager', 'admin')
                 OR availability NOT IN ('online', 'busy')
                 OR disabled NOT IN (0, 1)",
    },
    Rule {
        what: "a session is of an account that is not there",
        sql: "SELECT DISTINCT s.agent_id FROM staff_sessions s
              WHERE NOT EXISTS (SELECT 1 FROM agents a WHERE a.id = s.agent_id)",
    },
    Rule {
        what: "a site's domains are not readable",
        sql: "SELECT id FROM sites WHERE NOT json_valid(domains)",
    },
    Rule {
        what: "a visitor's secret is of a visitor that is not there",
        sql: "SELECT DISTINCT t.visitor_id FROM visitor_tokens t
              WHERE NOT EXISTS (SELECT 1 FROM visitors v WHERE v.id = t.visitor_id)",
    },
];

const SERVED: &str = "what can be read is served: make a backup, run `yingke-relay check`";

/// What the engine says of the structure: lines, none if all is well, and why it said no more.
fn verdict(connection: &Connection, sql: &str) -> (Vec<String>, Option<StoreError>) {
    let mut lines = Vec::new();
    let mut ask = || -> rusqlite::Result<()> {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let said: String = row.get(0)?;
            let is_news = |line: &&str| *line != "ok" && !line.starts_with("***");
            lines.extend(said.lines().filter(is_news).map(str::to_owned));
        }
        Ok(())
    };
    let ended = ask().err().map(StoreError::from);
    (lines, ended)
}

/// Pages of which each contradicts itself: the engine may refuse to write there.
pub(super) struct Contradiction {
    /// No write does harm to what is whole.
    is_confined: bool,
}

impl Contradiction {
    /// It could not be built anew: what can be read is served if that does no harm.
    pub(super) fn bear(&self, error: &OpenError) -> Result<(), OpenError> {
        tracing::error!(%error, "the database could not be built anew");
        if self.is_confined { Ok(()) } else { Err(OpenError::Damaged("its structure")) }
    }
}

/// Looks at the structure of a small database before anything is served.
pub(super) fn structure(connection: &Connection) -> Result<Option<Contradiction>, OpenError> {
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let page_bytes: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    if pages.saturating_mul(page_bytes) > START_CHECK_BYTES_MAX {
        return Ok(None);
    }
    contradiction(connection)
}

/// What of the structure should be built anew. Pages that make no sense or that the disk does not give out
/// endanger nothing but what stands in them. Where two own one page nobody knows whose rows are in it: that
/// is neither written to nor built anew.
pub(super) fn contradiction(connection: &Connection) -> Result<Option<Contradiction>, OpenError> {
    const OF_LOST_PAGES: &[&str] = &[
        "unable to get the page",
        "failed to get page",
        "btreeInitPage() returns error",
        "overflow list length",
        // Whatever hung on them.
        "never used",
        "wrong # of entries in index",
    ];
    const OF_ONE_PAGE: &[&str] = &[
        "Fragmentation of ",
        "free space corruption",
        "Offset ",
        "Extends off end of page",
        "Rowid ",
        "Child page depth differs",
        "invalid page number",
        "size is ",
        " value in ",
        "CHECK constraint failed",
        "rowid not at end-of-record",
    ];
    // Two rows in one place: what is written to one of them changes the other.
    const OF_ROWS: &str = "Multiple uses for byte";
    let (lines, ended) = verdict(connection, "PRAGMA quick_check(10000)");
    let is_of = |line: &str, kinds: &[&str]| kinds.iter().any(|said| line.contains(said));
    let contradictions = || lines.iter().filter(|line| !is_of(line, OF_LOST_PAGES));
    let others = || contradictions().filter(|line| !is_of(line, OF_ONE_PAGE));
    if let Some(first) = others().find(|line| !line.contains(OF_ROWS)) {
        tracing::error!(verdict = first, "the database's structure is damaged");
        return Err(OpenError::Damaged("its structure"));
    }
    if let Some(first) = contradictions().next() {
        tracing::error!(verdict = first, "the database's structure is damaged");
        return Ok(Some(Contradiction { is_confined: others().next().is_none() }));
    }
    // Pages are looked at before the rows in them: whatever ends there has said all of it.
    if let Some(error) = ended.filter(|error| lines.is_empty() || !error.is_lasting()) {
        return Err(error.into());
    }
    if let Some(first) = lines.first() {
        tracing::error!(first, "pages of the database cannot be read; {SERVED}");
    }
    Ok(None)
}

/// Whether of the log's last positions some are not there, or tell of messages that are not there. It is
/// said, and what is there is served.
pub(super) fn is_log_torn(connection: &Connection) -> Result<bool, OpenError> {
    let looked = connection.query_row(
        "SELECT count(*), coalesce(min(e.position), 1), coalesce(max(e.position), 0),
                count(CASE WHEN e.seq IS NOT NULL AND m.seq IS NULL THEN 1 END)
         FROM (SELECT position, conversation_id, seq FROM events
               ORDER BY position DESC LIMIT ?1) e
         LEFT JOIN messages m ON m.conversation_id = e.conversation_id AND m.seq = e.seq",
        [START_CHECK_POSITIONS],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    );
    let (found, first, last, without): (i64, i64, i64, i64) = match looked {
        Ok(looked) => looked,
        Err(error) => {
            let error = StoreError::from(error);
            tracing::error!(%error, "the end of the log cannot be read; {SERVED}");
            return if error.is_lasting() { Ok(false) } else { Err(error.into()) };
        }
    };
    let has_holes = last - first + 1 != found || (found < START_CHECK_POSITIONS && first != 1);
    if has_holes || without > 0 {
        tracing::error!(has_holes, without, "the end of the log is damaged; {SERVED}");
    }
    Ok(has_holes || without > 0)
}

/// Checks all of the data in `data`, beside a running relay or without one.
pub fn check(data: &Path) -> Result<Report, OpenError> {
    let database = folder::database_in(data);
    // Before anybody opens the database: that folds the log in, as far as it is whole.
    let broken_wal = broken_wal(&folder::wal_in(data));
    let connection = match connection::open_beside(&database) {
        Err(OpenError::Unreadable(error)) => return Ok(Report::unreadable(broken_wal, &error)),
        opened => opened?,
    };
    let mut findings = whole(&connection);
    let is_sound = findings.iter().all(|finding| finding.what != STRUCTURE_DAMAGED);
    let (schema, known) = (migrations::found(&connection).ok(), migrations::newest());
    let other = schema.filter(|found| is_sound && *found != known);
    findings.extend(broken_wal);
    // A backup has none.
    if !data.join(MANIFEST).exists() {
        findings.extend(boot_file(&connection, &folder::boot_file_in(data)));
    }
    let count = |sql: &str| -> u64 {
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_or(0, i64::unsigned_abs)
    };
    let position = count("SELECT coalesce(max(position), 0) FROM events");
    Ok(Report {
        messages: count("SELECT count(*) FROM messages"),
        position: Position::new(position).unwrap_or_default(),
        findings,
        other_release: other.map(|found| OtherRelease { found, known }),
    })
}

/// Everything that can be said from the database alone.
pub(super) fn whole(connection: &Connection) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (lines, ended) = verdict(connection, "PRAGMA integrity_check(100)");
    let said = lines.into_iter().chain(ended.map(|error| error.to_string()));
    let Places { count, shown } = Places::of(said);
    if count > 0 {
        let what = STRUCTURE_DAMAGED.to_owned();
        findings.push(Finding { what, count, places: shown, advice: STRUCTURE });
    }
    match migrations::found(connection) {
        Ok(found) if found == migrations::newest() => {}
        Ok(found) => findings.push(Finding {
            what: format!("the schema is number {found}, this version's {}", migrations::newest()),
            count: 1,
            places: Vec::new(),
            advice: "check it with the version of the relay that runs on it",
        }),
        Err(error) => findings.push(unreadable("the schema's number", &error)),
    }
    match damaged_messages(connection) {
        Ok(Places { count: 0, .. }) => {}
        Ok(Places { count, shown }) => {
            let what = "a message is not what was stored".to_owned();
            findings.push(Finding { what, count, places: shown, advice: STRUCTURE });
        }
        Err(error) => {
            findings.push(unreadable("every message is what was stored", &error));
            findings.extend(unreadable_conversations(connection));
        }
    }
    for rule in RULES {
        match places(connection, rule.sql) {
            Ok(Places { count: 0, .. }) => {}
            Ok(Places { count, shown }) => {
                let what = rule.what.to_owned();
                findings.push(Finding { what, count, places: shown, advice: RESTORE });
            }
            Err(error) => findings.push(unreadable(rule.what, &error)),
        }
    }
    findings
}

fn unreadable(what: &str, error: &rusqlite::Error) -> Finding {
    Finding {
        what: format!("it could not be found out whether {what}"),
        count: 1,
        places: vec![error.to_string()],
        advice: STRUCTURE,
    }
}

/// In how many places something is wrong, and the first of them.
#[derive(Default)]
struct Places {
    count: usize,
    shown: Vec<String>,
}

/// The first of many places.
pub(super) fn shown(places: impl Iterator<Item = String>) -> Vec<String> {
    Places::of(places).shown
}

impl Places {
    fn of(all: impl Iterator<Item = String>) -> Self {
        let mut found = Self::default();
        all.for_each(|place| found.add(&place));
        found
    }

    fn add(&mut self, place: &str) {
        self.count += 1;
        match self.count.checked_sub(FINDINGS_SHOWN + 1) {
            // A damaged row may hold anything where an id belongs.
            None => self.shown.push(place.chars().take(PLACE_CHARS_MAX).collect()),
            Some(0) => self.shown.push("and more".to_owned()),
            Some(_) => {}
        }
    }
}

/// Messages whose sum is another.
fn damaged_messages(connection: &Connection) -> rusqlite::Result<Places> {
    let mut found = Places::default();
    sums::damaged(connection, |place| found.add(&place))?;
    Ok(found)
}

/// Conversations of which a message stands in a page that cannot be read.
fn unreadable_conversations(connection: &Connection) -> Option<Finding> {
    let look = || -> rusqlite::Result<Places> {
        let mut ids = connection.prepare("SELECT id FROM conversations ORDER BY id")?;
        let mut all = connection.prepare(
            "SELECT count(*) FROM messages WHERE conversation_id = ?1 AND content <> ''",
        )?;
        let mut rows = ids.query([])?;
        let mut found = Places::default();
        while let Some(row) = rows.next()? {
            let id: String = row.get(0)?;
            if all.query_row([&id], |_| Ok(())).is_err() {
                found.add(&id);
            }
        }
        Ok(found)
    };
    let Places { count, shown } = look().ok().filter(|found| found.count > 0)?;
    let what = "messages of these conversations cannot be read".to_owned();
    Some(Finding { what, count, places: shown, advice: SALVAGE })
}

/// What a statement gives.
fn places(connection: &Connection, sql: &str) -> rusqlite::Result<Places> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut found = Places::default();
    while let Some(row) = rows.next()? {
        found.add(&match row.get_ref(0)? {
            rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
            other => format!("({})", other.data_type()),
        });
    }
    Ok(found)
}

/// A write-ahead log with more behind its first wrong frame than a power loss leaves. It is looked at
/// twice: a running relay may start it again from its beginning at any time.
pub(super) fn broken_wal(path: &Path) -> Option<Finding> {
    let look = || wal::broken_at(path);
    let frame = match look() {
        Ok(frame) => frame?,
        Err(error) => {
            return Some(Finding {
                what: "the disk does not give out all of the write-ahead log".to_owned(),
                count: 1,
                places: vec![error.to_string()],
                advice: SALVAGE,
            });
        }
    };
    (look().ok().flatten() == Some(frame)).then(|| Finding {
        what: "the write-ahead log is damaged: what was stored last is lost from here on".to_owned(),
        count: 1,
        places: vec![format!("frame {frame}")],
        advice: "keep a copy of the data folder, start the relay: clients offer again what they had \
                 been told within a day",
    })
}

/// What stands beside the database must be readable and not be ahead of it.
fn boot_file(connection: &Connection, path: &Path) -> Option<Finding> {
    let place = vec![path.display().to_string()];
    let finding =
        |what: &str, advice| Finding { what: what.to_owned(), count: 1, places: place, advice };
    match identity::standing(connection, path) {
        Ok(identity::Standing::Same) => None,
        Ok(identity::Standing::Missing) => {
            Some(finding("the boot file beside the database is missing or not readable", BOOT_FILE))
        }
        Ok(identity::Standing::Older) => Some(finding(
            "the database is older than the boot file beside it: a copy was put in its place",
            "if that was meant, start the relay: clients notice and resync",
        )),
        Err(error) => Some(unreadable("the boot file belongs to the database", &error)),
    }
}
