//! What the bench holds the store against: the engine with our schema and settings and nothing
//! around it. No queue, no savepoints, no log in memory, one caller. Never used by the product.

use std::path::Path;

use rusqlite::Connection;

use super::folder::Folder;
use super::{OpenError, StoreError, Value, connection};

/// One connection to a database that was made by [`super::Store`].
pub struct Bare {
    connection: Connection,
    /// Keeps a relay out.
    _folder: Folder,
}

impl Bare {
    /// Opens the database of a data folder with the writer's settings, so that the same rows cost
    /// the same. Checkpoints happen inside commits, as the engine does it by itself.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let folder = Folder::lock(folder)?;
        let connection = connection::open_writer(&folder.database())?;
        connection.pragma_update(None, "wal_autocheckpoint", 1_000)?;
        Ok(Self { connection, _folder: folder })
    }

    /// Gives up the promise that a commit is on the disk: for filling a database that can be made
    /// again.
    pub fn forget_syncs(&self) -> Result<(), StoreError> {
        Ok(self.connection.pragma_update(None, "synchronous", "OFF")?)
    }

    /// Begins a transaction.
    pub fn begin(&self) -> Result<(), StoreError> {
        self.execute("BEGIN IMMEDIATE", &[])
    }

    /// Commits it: from here on it is on the disk.
    pub fn commit(&self) -> Result<(), StoreError> {
        self.execute("COMMIT", &[])
    }

    /// Runs a statement.
    pub fn execute(&self, sql: &str, params: &[Value<'_>]) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.execute(rusqlite::params_from_iter(params))?;
        Ok(())
    }

    /// The first column of the first row, if it is a number.
    pub fn look(&self, sql: &str, params: &[Value<'_>]) -> Result<Option<i64>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        let Some(row) = rows.next()? else { return Ok(None) };
        Ok(row.get_ref(0)?.as_i64().ok())
    }
}
