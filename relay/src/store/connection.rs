//! Opening connections: the engine's settings, each with its reason, in one place.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::OpenError;
use crate::limits::{
    READER_CACHE_KIB, STATEMENTS_CACHED, STORE_BUSY_WAIT_MS, WAL_KEPT_BYTES, WRITER_CACHE_KIB,
};

/// "YKRL" in the database's header: tells our file from any other program's.
pub(super) const APPLICATION_ID: i32 = 0x594b_524c;

/// Versions before this can corrupt a database when a checkpoint meets a commit.
const ENGINE_NEEDED: &str = "3.51.3";
const ENGINE_NEEDED_NUMBER: i32 = 3_051_003;

/// Refuses an engine with known faults. The engine is linked in, so this can only fail in a build
/// that was made to use another.
pub(super) fn check_engine_version() -> Result<(), OpenError> {
    if rusqlite::version_number() < ENGINE_NEEDED_NUMBER {
        return Err(OpenError::EngineTooOld { found: rusqlite::version(), needed: ENGINE_NEEDED });
    }
    Ok(())
}

const CREATE: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE
    .union(OpenFlags::SQLITE_OPEN_CREATE)
    .union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// A database of this process's memory; it is there as long as somebody has it open.
pub(super) fn open_memory(path: &Path) -> Result<Connection, OpenError> {
    Ok(Connection::open_with_flags_and_vfs(path, CREATE, c"memdb")?)
}

/// The one connection that writes. Creates the file if there is none.
pub(super) fn open_writer(path: &Path) -> Result<Connection, OpenError> {
    as_writer(open(path, CREATE)?, path)
}

/// Makes a connection the one that writes.
pub(super) fn as_writer(connection: Connection, path: &Path) -> Result<Connection, OpenError> {
    check_ours(&connection, path)?;
    common(&connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // An acknowledged message is on the disk: each commit syncs the write-ahead log.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Checkpoints run on their own connection, never inside a commit.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", WAL_KEPT_BYTES)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    Ok(connection)
}

/// A connection that can only look.
pub(super) fn open_reader(path: &Path) -> Result<Connection, OpenError> {
    let connection = open_existing(path)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    Ok(connection)
}

/// The connection that folds the write-ahead log into the database.
pub(super) fn open_checkpointer(path: &Path) -> Result<Connection, OpenError> {
    let connection = open_existing(path)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    Ok(connection)
}

/// A connection that looks at a database of ours which another process may be writing: it changes
/// nothing, not even when it is the last to close.
pub(super) fn open_beside(path: &Path) -> Result<Connection, OpenError> {
    let file = std::fs::metadata(path).map_err(OpenError::file(path))?;
    let connection = open_existing(path)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let id: i32 = connection
        .query_row("PRAGMA application_id", [], |row| row.get(0))
        .map_err(not_known(path))?;
    if file.len() == 0 || id != APPLICATION_ID {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    Ok(connection)
}

fn open_existing(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags)?;
    common(&connection)?;
    Ok(connection)
}

/// What every connection needs.
pub(super) fn common(connection: &Connection) -> Result<(), OpenError> {
    connection.busy_timeout(Duration::from_millis(STORE_BUSY_WAIT_MS))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    // The plan of a statement depends on the schema alone. Without this the engine compiles a
    // statement again whenever a value is bound that might fit a partial index.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Savepoints keep the pages they may have to give back in memory, not in a file.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // A damaged schema must not run anything.
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(())
}

/// An empty file becomes ours; one that holds something must say that it is.
fn check_ours(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let id: i32 = connection
        .query_row("PRAGMA application_id", [], |row| row.get(0))
        .map_err(not_known(path))?;
    if id == APPLICATION_ID {
        return Ok(());
    }
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(not_known(path))?;
    if tables > 0 || id != 0 {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    Ok(())
}

/// Whose file it is cannot be told: it is no database, or its beginning or its write-ahead log, which the
/// engine reads first, is damaged or not given out by the disk.
fn not_known(path: &Path) -> impl Fn(rusqlite::Error) -> OpenError {
    move |error| match error {
        error if has_no_room(&error) => OpenError::NoRoom(path.to_owned()),
        error if is_of_reading(&error) => OpenError::Unreadable(error),
        _ => OpenError::Foreign(path.to_owned()),
    }
}

/// Reads the file's first bytes.
fn open(path: &Path, flags: OpenFlags) -> Result<Connection, OpenError> {
    Connection::open_with_flags(path, flags).map_err(|error| match is_of_reading(&error) {
        true => OpenError::Unreadable(error),
        false => error.into(),
    })
}

/// What a read met: a page that makes no sense, or one that the disk does not give out.
pub(super) fn is_of_reading(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    let is_of_either =
        matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::SystemIoFailure));
    is_of_either && !has_no_room(error)
}

/// A start needs a little room beside the database, also to read it.
fn has_no_room(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_FULL, SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_WRITE};
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(SQLITE_FULL | SQLITE_IOERR_SHMSIZE | SQLITE_IOERR_WRITE))
}
