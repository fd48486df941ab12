//! The data folder: where its files are, and the lock that keeps a second relay out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use parking_lot::{Mutex, MutexGuard};

use super::OpenError;

/// A data folder held by this process alone.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Locked as long as it is open; the system lets go of it whatever way the process ends.
    _lock: File,
    /// Held while the boot file is read and written: more than one thread does.
    boot_file: Mutex<()>,
}

impl Folder {
    /// Creates the folder if need be and takes it for this process.
    pub(super) fn lock(path: &Path) -> Result<Self, OpenError> {
        create_private(path).map_err(OpenError::file(path))?;
        let lock_path = path.join("relay.lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(OpenError::file(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let read = lock.read_to_string(&mut pid).is_ok();
                let known = read && !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit());
                let holder = if known { format!(" (process {pid})") } else { String::new() };
                return Err(OpenError::InUse { folder: path.to_owned(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(OpenError::file(lock_path)(error)),
        }
        let named = lock
            .set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| write!(lock, "{}", std::process::id()));
        named.map_err(OpenError::file(lock_path))?;
        Ok(Self { path: path.to_owned(), _lock: lock, boot_file: Mutex::new(()) })
    }

    /// The database file.
    pub(super) fn database(&self) -> PathBuf {
        Self::database_in(&self.path)
    }

    /// The same of a folder that is not held.
    pub(super) fn database_in(path: &Path) -> PathBuf {
        path.join("yingke.db")
    }

    /// The write-ahead log beside the database.
    pub(super) fn wal(&self) -> PathBuf {
        wal_in(&self.path)
    }

    /// The boot number kept beside the database.
    pub(super) fn boot_file(&self) -> PathBuf {
        boot_file_in(&self.path)
    }

    /// Keeps other threads from the boot file.
    pub(super) fn hold_boot_file(&self) -> MutexGuard<'_, ()> {
        self.boot_file.lock()
    }

    /// Where the copies made before migrations are, created if need be.
    pub(super) fn backups(&self) -> Result<PathBuf, OpenError> {
        let path = self.path.join("backups");
        create_private(&path).map_err(OpenError::file(&path))?;
        Ok(path)
    }

    /// Writes `bytes` to `target` in this folder so that after a crash it holds all or the old.
    pub(super) fn replace(&self, target: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let fresh = target.with_extension("new");
        write_synced(&fresh, bytes)?;
        std::fs::rename(&fresh, target)?;
        sync_folder(&self.path)
    }
}

/// Writes a new file whose content lasts.
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The database file of a data folder.
pub(super) fn database_in(data: &Path) -> PathBuf {
    data.join("yingke.db")
}

/// The write-ahead log of a data folder.
pub(super) fn wal_in(data: &Path) -> PathBuf {
    data.join("yingke.db-wal")
}

/// The boot file of a data folder.
pub(super) fn boot_file_in(data: &Path) -> PathBuf {
    data.join("boot.json")
}

/// What visitors wrote is nobody else's business: only the relay's own account may look in. A folder
/// made here has its name on the disk before anything is put into it.
pub(super) fn create_private(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = folder_above(path);
    create_private(above)?;
    let mut builder = std::fs::DirBuilder::new();
    // Not an error if someone else was faster.
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    sync_folder(above)
}

fn folder_above(path: &Path) -> &Path {
    match path.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        Some(_) => Path::new("."),
        None => path,
    }
}

/// Makes the names in `path` last.
pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    File::open(path)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
