//! A copy of a database of which the disk does not give out every page: all that can be read, with
//! zeros for the rest. The engine's own copy ends at the first of them.
//!
//! The files are read as they lie, the database and then its write-ahead log. Beside a relay that
//! holds together because of a read transaction: as long as it is open nobody starts the log again,
//! and whatever a checkpoint writes into the database stands in the log. Where the engine cannot read
//! at all, no relay may run.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use rusqlite::Connection;

use super::backup::{BackupError, Damage, file_error};
use super::folder::{self, Folder};
use super::integrity;

/// What is read at once: one of the engine's pages, and what a disk gives out or does not.
const PAGE_BYTES: u64 = 4_096;

/// Copies the database and its log from the folder `data` into the folder `to`, as far as they can be
/// read; gives what cannot. `source` is the database as the engine opened it, if it could.
pub(super) fn copy_readable(
    data: &Path,
    to: &Path,
    source: Option<Connection>,
) -> Result<Vec<Damage>, BackupError> {
    let source =
        source.filter(|source| source.execute_batch("BEGIN; PRAGMA schema_version").is_ok());
    let _alone = match source {
        Some(_) => None,
        None => Some(Folder::lock(data)?),
    };
    let mut damaged = Vec::new();
    // Closed after the engine's own: the system would let go of its locks on the same files.
    let mut files = Vec::new();
    for path in [folder::database_in(data), folder::wal_in(data)] {
        let Some(name) = path.file_name().filter(|_| path.exists()) else { continue };
        let mut file = File::open(&path).map_err(file_error(&path))?;
        let missing = copy(&mut file, &to.join(name)).map_err(file_error(&path))?;
        files.push(file);
        if !missing.is_empty() {
            damaged.push(Damage {
                what: format!(
                    "the disk does not give out these pages of {}: the copy has zeros instead",
                    name.display()
                ),
                count: missing.len(),
                places: integrity::shown(missing.iter().map(u64::to_string)),
            });
        }
    }
    drop(source);
    drop(files);
    Ok(damaged)
}

/// Copies what can be read; gives the numbers of the pages, from 1, that cannot.
fn copy(from: &mut File, to: &Path) -> io::Result<Vec<u64>> {
    let bytes = from.metadata()?.len();
    let mut target = io::BufWriter::new(File::create(to)?);
    let mut missing = Vec::new();
    let mut page = Vec::new();
    for number in 1..=bytes.div_ceil(PAGE_BYTES) {
        let at = (number - 1) * PAGE_BYTES;
        page.clear();
        let read = from
            .seek(SeekFrom::Start(at))
            .and_then(|_| io::Read::by_ref(from).take(PAGE_BYTES).read_to_end(&mut page));
        if read.is_err() {
            missing.push(number);
            page.clear();
            page.resize(usize::try_from(PAGE_BYTES.min(bytes - at)).unwrap_or_default(), 0);
        }
        target.write_all(&page)?;
    }
    target.into_inner()?.sync_all()?;
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_read_is_copied_to_the_last_byte() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        for bytes in [0, 1, 4_096, 10_000] {
            let held: Vec<u8> = (0..bytes).map(|byte: u32| byte.to_le_bytes()[0]).collect();
            std::fs::write(&from, &held).unwrap();
            assert!(copy(&mut File::open(&from).unwrap(), &to).unwrap().is_empty());
            assert_eq!(std::fs::read(&to).unwrap(), held);
        }
    }
}
