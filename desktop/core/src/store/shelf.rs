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
    /// Databases of memory by their path. Each is kept there by a connection that nobody uses.
    Memory(Arc<Mutex<BTreeMap<PathBuf, Connection>>>),
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

    pub(super) fn connect(&self, path: &Path) -> rusqlite::Result<Connection> {
        let Self::Memory(held) = self else {
            return Connection::open_with_flags(path, FLAGS);
        };
        let open = || Connection::open_with_flags_and_vfs(path, FLAGS, c"memdb");
        if let Ok(mut held) = held.lock()
            && !held.contains_key(path)
        {
            held.insert(path.to_owned(), open()?);
        }
        open()
    }

    /// Removes a database and what SQLite keeps beside it.
    pub(super) fn remove(&self, path: &Path) -> Result<(), StoreError> {
        if let Self::Memory(held) = self {
            drop(held.lock().ok().and_then(|mut held| held.remove(path)));
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
