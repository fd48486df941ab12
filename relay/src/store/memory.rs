//! A database in memory that outlives the stores opened on it, as a disk outlives a process: what was
//! committed is there for the next one. For simulation.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::folder::Folder;
use super::{OpenError, ReadTx, StoreError, connection};

/// See the module. The small files beside the database are real ones in `path`, whose name also is
/// the database's: it must be used by one at a time.
#[derive(Debug)]
pub struct MemoryFolder {
    path: PathBuf,
    /// Keeps the database there.
    held: Connection,
}

impl MemoryFolder {
    /// An empty database for the folder of this absolute path.
    pub fn new(path: &Path) -> Result<Self, OpenError> {
        let held = connection::open_memory(&Folder::database_in(path))?;
        Ok(Self { path: path.to_owned(), held })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes this database a copy of another; no store may be open on it.
    pub fn copy_from(&mut self, other: &Self) -> Result<(), OpenError> {
        let backup = Backup::new(&other.held, &mut self.held)?;
        backup.step(-1)?;
        Ok(())
    }

    /// Changes stored values by hand, beside every store.
    pub fn change(&self, sql: &str) -> Result<(), OpenError> {
        Ok(self.held.execute_batch(sql)?)
    }

    /// Looks at what is committed, beside every store.
    pub fn look<T>(
        &self,
        f: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let tx = self.held.unchecked_transaction()?;
        let found = f(&ReadTx::new(&tx));
        tx.rollback()?;
        found
    }

    pub(super) fn open(&self) -> Result<Connection, OpenError> {
        let path = Folder::database_in(&self.path);
        connection::as_writer(connection::open_memory(&path)?, &path)
    }
}
