//! Where an account's files are: on disk, or in memory for simulation, where they outlive the client
//! that has them open as a disk outlives a process.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OpenFlags};

use super::{StoreError, make_private_folder};

const FLAGS: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE
    .union(OpenFlags::SQLITE_OPEN_CREATE)
    .union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// See the module.
#[derive(Clone, Default)]
pub(crate) enum Shelf {
    /// Files.
    #[default]
    Disk,
    /// Databases of memory by their path.
    Memory(Arc<Mutex<BTreeMap<PathBuf, InMemory>>>),
}

/// A database of memory.
pub(crate) struct InMemory {
    /// Keeps it there.
    _held: Connection,
    /// Of a client that ended; the next one goes on with it. What was compiled stays so.
    parked: Option<Connection>,
}

impl Shelf {
    /// Room for files in memory. Their paths must be absolute and nobody else's in this process.
    pub(crate) fn memory() -> Self {
        Self::Memory(Arc::default())
    }

    pub(super) fn make_folder(&self, path: &Path) -> std::io::Result<()> {
        match self {
            Self::Disk => make_private_folder(path),
            Self::Memory(_) => Ok(()),
        }
    }

    /// Opens a database; whether the connection is a new one.
    pub(super) fn connect(&self, path: &Path) -> rusqlite::Result<(Connection, bool)> {
        let Self::Memory(all) = self else {
            return Ok((Connection::open_with_flags(path, FLAGS)?, true));
        };
        let open = || Connection::open_with_flags_and_vfs(path, FLAGS, c"memdb");
        if let Ok(mut all) = all.lock() {
            match all.get_mut(path).map(|kept| kept.parked.take()) {
                Some(Some(parked)) => return Ok((parked, false)),
                Some(None) => {}
                None => {
                    all.insert(path.to_owned(), InMemory { _held: open()?, parked: None });
                }
            }
        }
        Ok((open()?, true))
    }

    /// Takes back the connection of a client that ended. As a crash leaves it: what was not committed
    /// never was.
    pub(super) fn park(&self, path: &Path, connection: Connection) {
        let Self::Memory(all) = self else { return };
        let is_clean = connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok();
        if let Ok(mut all) = all.lock()
            && let Some(kept) = all.get_mut(path).filter(|_| is_clean)
        {
            kept.parked = Some(connection);
        }
    }

    /// Makes every database of memory as empty as a new one.
    pub(crate) fn clear(&self) -> rusqlite::Result<()> {
        let Self::Memory(all) = self else { return Ok(()) };
        let Ok(mut all) = all.lock() else { return Ok(()) };
        // One that nobody parked is made anew with its tables.
        all.retain(|_, kept| kept.parked.is_some());
        for kept in all.values() {
            let Some(db) = &kept.parked else { continue };
            db.execute_batch("BEGIN IMMEDIATE")?;
            let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
            let names: Vec<String> = {
                let mut tables = db.prepare_cached(sql)?;
                tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
            };
            for name in names {
                db.prepare_cached(&format!("DELETE FROM \"{name}\""))?.execute([])?;
            }
            db.execute_batch("COMMIT")?;
        }
        Ok(())
    }

    /// Removes a database and what SQLite keeps beside it.
    pub(super) fn remove(&self, path: &Path) -> Result<(), StoreError> {
        if let Self::Memory(all) = self {
            drop(all.lock().ok().and_then(|mut all| all.remove(path)));
            return Ok(());
        }
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            match std::fs::remove_file(PathBuf::from(name)) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(StoreError::files("remove a database")(error)),
            }
        }
        Ok(())
    }
}
