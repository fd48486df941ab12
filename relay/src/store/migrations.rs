//! Migrations: numbered, forward only, one transaction each, never edited once landed. The rules
//! stand in `migrations/README.md`.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};
use yingke_shared::time::Timestamp;

use super::folder::{Folder, sync_folder};
use super::{OpenError, connection};

/// One step of the schema.
#[derive(Debug, Clone, Copy)]
pub(super) struct Migration {
    pub(super) number: i64,
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
}

macro_rules! migrations {
    ($($number:literal $name:literal),* $(,)?) => {
        &[$(Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../../migrations/sqlite/", $name, ".sql")),
        }),*]
    };
}

/// All of them, in order.
pub(super) const MIGRATIONS: &[Migration] = migrations![
    1 "0001_spine",
    2 "0002_shown",
    3 "0003_messages_by_time",
    4 "0004_sums",
    5 "0005_positions",
    6 "0006_routing",
    7 "0007_as_written",
    8 "0008_seen",
    9 "0009_unheard",
];

/// Brings the database to the newest schema, after a copy of an existing one.
pub(super) fn apply(
    connection: &mut Connection,
    folder: &Folder,
    now: Timestamp,
) -> Result<(), OpenError> {
    apply_all(connection, folder, now, MIGRATIONS)
}

/// The same with a list of the caller's; tests bring their own.
pub(super) fn apply_all(
    connection: &mut Connection,
    folder: &Folder,
    now: Timestamp,
    known: &[Migration],
) -> Result<(), OpenError> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_migrations (
             number BIGINT NOT NULL PRIMARY KEY,
             name TEXT NOT NULL,
             applied_at BIGINT NOT NULL
         ) WITHOUT ROWID",
    )?;
    let found = found(connection)?;
    let newest = known.last().map_or(0, |migration| migration.number);
    if found > newest {
        return Err(OpenError::Newer { found, known: newest });
    }
    let mut backed_up = found == 0;
    for migration in known.iter().filter(|migration| migration.number > found) {
        if !backed_up {
            backup(connection, folder, migration)?;
            backed_up = true;
        }
        step(connection, migration, now)
            .map_err(|error| OpenError::Migration { number: migration.number, error })?;
        tracing::info!(migration = migration.name, "schema migrated");
    }
    Ok(())
}

/// The schema's number.
pub(super) fn found(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .query_row("SELECT coalesce(max(number), 0) FROM schema_migrations", [], |row| row.get(0))
}

/// The newest number this build knows.
pub(super) fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.number)
}

fn step(
    connection: &mut Connection,
    migration: &Migration,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(migration.sql)?;
    tx.execute(
        "INSERT INTO schema_migrations (number, name, applied_at) VALUES (?1, ?2, ?3)",
        rusqlite::params![
            migration.number,
            migration.name,
            i64::try_from(now.millis()).unwrap_or(i64::MAX)
        ],
    )?;
    tx.commit()
}

/// A complete, checked copy beside the database, named after what comes next. A copy left by an
/// earlier try of the same step is replaced: that try changed nothing.
fn backup(connection: &Connection, folder: &Folder, next: &Migration) -> Result<(), OpenError> {
    let backups = folder.backups()?;
    let target = backups.join(format!("before-{:04}.db", next.number));
    let fresh = target.with_extension("new");
    if fresh.exists() {
        std::fs::remove_file(&fresh).map_err(OpenError::file(&fresh))?;
    }
    let path = fresh.to_str().ok_or(OpenError::Damaged("the data folder's path is not text"))?;
    connection.execute("VACUUM INTO ?1", [path])?;
    check_copy(&fresh)?;
    std::fs::File::open(&fresh)
        .and_then(|file| file.sync_all())
        .and_then(|()| std::fs::rename(&fresh, &target))
        .and_then(|()| sync_folder(&backups))
        .map_err(OpenError::file(&target))?;
    tracing::info!(before = next.name, "the database was copied before its migration");
    Ok(())
}

fn check_copy(path: &Path) -> Result<(), OpenError> {
    let copy = connection::open_reader(path)?;
    let verdict: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(OpenError::Damaged("its copy fails the check")) }
}
