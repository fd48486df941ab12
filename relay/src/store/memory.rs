//! A database in memory that outlives the stores opened on it, as a disk outlives a process: what was
//! committed is there for the next one. For simulation.
//!
//! A simulated life is short, and most of it would be spent in opening databases and compiling SQL. So
//! a store that ends hands its connection back, and the next one goes on with it; and one database is
//! made a copy of another row by row, which leaves every compiled statement in force.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;
use rusqlite::backup::Backup;
use rusqlite::types::Value as Stored;

use super::folder::Folder;
use super::{OpenError, ReadTx, StoreError, connection};

/// See the module. The small files beside the database are real ones in `path`, whose name also is
/// the database's: it must be used by one at a time.
#[derive(Debug)]
pub struct MemoryFolder {
    path: PathBuf,
    /// Keeps the database there.
    held: Connection,
    parking: Parking,
}

/// Where the connection of a store that ended waits for the next one.
#[derive(Debug, Clone, Default)]
pub(super) struct Parking(Arc<Mutex<Option<Connection>>>);

impl Parking {
    /// As when a process ends: what is open is not committed. The rest of the connection stays.
    pub(super) fn park(&self, connection: Connection) {
        let is_clean = connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok();
        if is_clean {
            *self.0.lock() = Some(connection);
        }
    }
}

impl MemoryFolder {
    /// An empty database for the folder of this absolute path.
    pub fn new(path: &Path) -> Result<Self, OpenError> {
        let held = connection::open_memory(&Folder::database_in(path))?;
        connection::common(&held)?;
        Ok(Self { path: path.to_owned(), held, parking: Parking::default() })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes this database a copy of another; no store may be open on it.
    pub fn copy_from(&mut self, other: &Self) -> Result<(), OpenError> {
        let tables = other.tables()?;
        if self.tables()? == tables {
            return self.copy_rows(other, &tables);
        }
        // It brings the schema, too.
        let backup = Backup::new(&other.held, &mut self.held)?;
        backup.step(-1)?;
        Ok(())
    }

    /// What there is a name for, and how it was made.
    fn tables(&self) -> Result<Vec<(String, String)>, OpenError> {
        let sql = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND type = 'table'
                   ORDER BY name";
        let mut tables = self.held.prepare_cached(sql)?;
        let rows = tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn copy_rows(&self, other: &Self, tables: &[(String, String)]) -> Result<(), OpenError> {
        let run = |sql: &str| self.held.prepare_cached(sql)?.execute([]).map(|_| ());
        run("BEGIN IMMEDIATE")?;
        let copied = tables.iter().try_for_each(|(name, _)| -> rusqlite::Result<()> {
            run(&format!("DELETE FROM \"{name}\""))?;
            let mut from = other.held.prepare_cached(&format!("SELECT * FROM \"{name}\""))?;
            let places = vec!["?"; from.column_count()].join(", ");
            let sql = format!("INSERT INTO \"{name}\" VALUES ({places})");
            let columns = from.column_count();
            let mut rows = from.query([])?;
            while let Some(row) = rows.next()? {
                let values = (0..columns).map(|column| row.get::<_, Stored>(column));
                let values = values.collect::<rusqlite::Result<Vec<_>>>()?;
                self.held.prepare_cached(&sql)?.execute(rusqlite::params_from_iter(values))?;
            }
            Ok(())
        });
        run(if copied.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        Ok(copied?)
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
        self.held.prepare_cached("BEGIN")?.execute([])?;
        let found = f(&ReadTx::new(&self.held));
        self.held.prepare_cached("ROLLBACK")?.execute([])?;
        found
    }

    /// The connection of a store, and where it goes when that ends.
    pub(super) fn open(&self) -> Result<(Connection, Parking), OpenError> {
        let parked = self.parking.0.lock().take();
        let connection = match parked {
            Some(connection) => connection,
            None => {
                let path = Folder::database_in(&self.path);
                connection::as_writer(connection::open_memory(&path)?, &path)?
            }
        };
        Ok((connection, self.parking.clone()))
    }
}
