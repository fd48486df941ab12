//! The two SQLite files of an account, each on a thread of its own: `cache` (can be thrown away) and
//! `outbox` (cannot). The loop sends jobs and hears events; no SQL runs on it.
//!
//! Rules of both: strict tables, explicit columns, no defaults that hide a forgotten value, a
//! generation number that is refused when it is newer than this program. The account's folder has
//! mode 0700. The outbox is held exclusively while it is open: two programs cannot send from it.

pub(crate) mod cache;
pub(crate) mod outbox;
mod shelf;
#[cfg(test)]
mod tests;
pub(crate) mod thread;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use yingke_shared::ids::AgentId;

use crate::address::ServerAddress;
use crate::limits::DATABASE_BUSY_MS;

pub(crate) use shelf::Shelf;
pub(crate) use thread::{StoreEvent, StoreThreads, Ticket};

/// Compiled statements that a connection keeps: more than a file has distinct ones.
const STATEMENTS_CACHED: usize = 64;

/// Why local files could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Written by a later version of this program.
    #[error(
        "{file} was written by a newer version of Yingke (generation {found}, this one knows \
         {known}): update this program"
    )]
    NewerGeneration {
        /// Which file.
        file: &'static str,
        /// Its generation.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// Another program, or another window of this one, has the account open.
    #[error("the account is already open in another program")]
    InUse,
    /// SQLite said no.
    #[error("{doing}: {source}")]
    Sqlite {
        /// What was attempted.
        doing: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file system said no.
    #[error("{doing}: {source}")]
    Files {
        /// What was attempted.
        doing: &'static str,
        /// What it said.
        source: std::io::Error,
    },
    /// The storage thread hangs or is gone.
    #[error("the storage thread is stuck or gone")]
    Stuck,
    /// A row holds what no version of this program wrote.
    #[error("a row of {table} cannot be read")]
    BadRow {
        /// Of which table.
        table: &'static str,
    },
}

impl StoreError {
    fn sqlite(doing: &'static str) -> impl Fn(rusqlite::Error) -> Self {
        move |source| match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse,
            _ => Self::Sqlite { doing, source },
        }
    }

    fn files(doing: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |source| Self::Files { doing, source }
    }
}

/// The folder of one account: per server *and* per member of staff, so that nothing of one is ever
/// read or sent as another.
pub(crate) fn account_folder(data: &Path, server: &ServerAddress, own: &AgentId) -> PathBuf {
    data.join("accounts").join(format!("{}-{own}", server.slug()))
}

/// Makes a folder that only its owner may enter.
pub(crate) fn make_private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// One step from a generation to the next.
type Migration = &'static str;

/// Opens a database and brings it to the newest generation.
fn open(
    shelf: &Shelf,
    path: &Path,
    file: &'static str,
    pragmas: &str,
    migrations: &[Migration],
) -> Result<Connection, StoreError> {
    let doing = StoreError::sqlite("open a database");
    let (mut db, is_new) = shelf.connect(path).map_err(&doing)?;
    db.busy_timeout(Duration::from_millis(DATABASE_BUSY_MS)).map_err(&doing)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    if is_new {
        db.execute_batch(pragmas).map_err(&doing)?;
    }
    let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(&doing)?;
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::NewerGeneration { file, found, known });
    }
    let migrating = StoreError::sqlite("bring a database to the newest generation");
    let done = usize::try_from(found).unwrap_or(0);
    for (generation, migration) in (found + 1..).zip(migrations.iter().skip(done)) {
        let tx =
            db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&migrating)?;
        tx.execute_batch(migration).map_err(&migrating)?;
        tx.pragma_update(None, "user_version", generation).map_err(&migrating)?;
        tx.commit().map_err(&migrating)?;
    }
    Ok(db)
}

/// Milliseconds and counters never reach 2^63.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
