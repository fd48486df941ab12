//! A database whose structure contradicts itself, built anew: whatever row can be reached goes into a
//! fresh file, with fresh indexes. What the damage hides is lost to it and stays in the damaged file,
//! which is kept. Never decides whether that is to be done.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use yingke_shared::time::Timestamp;

use super::folder::{Folder, sync_folder};
use super::{OpenError, connection};

/// Where the new one is made that is to take the place of `database`.
pub(super) fn beside(database: &Path) -> PathBuf {
    database.with_extension("db.rebuilt")
}

/// Builds what `damaged` reads anew as the file `fresh`: on the disk, and sound. Where that fails nothing
/// is left of it.
pub(super) fn build(damaged: &Connection, fresh: &Path) -> Result<(), OpenError> {
    remove(fresh)?;
    let built = vacuum(damaged, fresh);
    if built.is_err() {
        remove(fresh)?;
    }
    built
}

fn vacuum(damaged: &Connection, fresh: &Path) -> Result<(), OpenError> {
    let name = fresh.to_str().ok_or(OpenError::Damaged("its structure"))?;
    damaged.execute("VACUUM INTO ?1", [name])?;
    let only_looks = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let built = Connection::open_with_flags(fresh, only_looks)?;
    let verdict: String = built.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(OpenError::Damaged("its structure"));
    }
    drop(built);
    File::open(fresh).and_then(|file| file.sync_all()).map_err(OpenError::file(fresh))
}

/// Puts the one that was built beside the folder's database in its place, and keeps the damaged one under
/// another name. At every moment one of the two is the database.
pub(super) fn put_in_place(
    damaged: Connection,
    folder: &Folder,
    now: Timestamp,
) -> Result<Connection, OpenError> {
    let database = folder.database();
    damaged.close().map_err(|(_, error)| error)?;
    // A write-ahead log that is still there would be played into the new one.
    if folder.wal().exists() {
        return Err(OpenError::Damaged("its structure"));
    }
    let kept = database.with_extension(format!("db.damaged-{}", now.millis()));
    std::fs::copy(&database, &kept)
        .and_then(|_| File::open(&kept)?.sync_all())
        .map_err(OpenError::file(&kept))?;
    let above = database.parent().unwrap_or(Path::new("."));
    std::fs::rename(beside(&database), &database)
        .and_then(|()| sync_folder(above))
        .map_err(OpenError::file(&database))?;
    tracing::error!(
        kept = %kept.display(),
        "the database was built anew from what could be read; the damaged one is kept"
    );
    connection::open_writer(&database)
}

fn remove(fresh: &Path) -> Result<(), OpenError> {
    match std::fs::remove_file(fresh) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(OpenError::file(fresh)(error)),
        _ => Ok(()),
    }
}
