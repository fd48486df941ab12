//! Backup while serving, and restore: one folder that holds everything, with a manifest that says
//! what it is and what its files must add up to.
//!
//! **Backup** is another process than the relay. It copies the database page by page in one read
//! transaction, so the copy is of one moment after the call began: whatever was acknowledged before
//! is in it. Nothing in that transaction waits for a disk: the copy is synced, checked and summed
//! after it, because as long as it is open the write-ahead log cannot start again. All of it is made
//! under another name; only a whole backup gets the name that was asked for.
//!
//! **Damaged data is backed up too**, page by page as it stands: whoever has a failing disk needs a copy
//! most. Pages that the disk does not give out at all become zeros in the copy (see `salvage`). What a
//! check finds in the copy is looked for in the original; what is there as well is written into the
//! manifest and said, by the backup and by each restore of it. Damage of the copy alone refuses the
//! backup.
//!
//! **Restore** checks before it touches anything, and keeps what it replaces. At every moment the
//! data folder holds the old database, the new one, or a boot file without a database, at which a
//! relay refuses to start. The restored log has a new epoch: clients drop what they cached and offer
//! again what was acknowledged since (see PROTOCOL, section 3.1).

use std::fs::{File, TryLockError};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use yingke_shared::ids::{Epoch, Position};
use yingke_shared::time::Timestamp;

use super::folder::{self, Folder, sync_folder};
use super::{
    Finding, OpenError, StoreError, connection, identity, integrity, migrations, rebuild, salvage,
};
use crate::clock::World;
use crate::limits::{BACKUP_TRIES_MAX, MANIFEST_BYTES_MAX};

/// The manifest's name in a backup.
pub(super) const MANIFEST: &str = "manifest.json";

/// How a manifest of this version is written.
const FORMAT: u32 = 1;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// How this file is to be read.
    pub format: u32,
    /// The version of the relay that made it.
    pub relay: String,
    /// The schema's number.
    pub schema: i64,
    /// When it was begun.
    pub made_at: Timestamp,
    /// Which log.
    pub epoch: Epoch,
    /// Its end.
    pub position: Position,
    /// Messages in it, as far as they can be read.
    pub messages: u64,
    /// Damage that the data had already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<Damage>,
    /// Every file beside this one.
    pub files: Vec<Summed>,
}

/// Damage that the data had when it was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// What is wrong.
    pub what: String,
    /// In how many places.
    pub count: usize,
    /// Where, for example.
    pub places: Vec<String>,
}

impl From<Finding> for Damage {
    fn from(Finding { what, count, places, .. }: Finding) -> Self {
        Self { what, count, places }
    }
}

/// A file and what it must add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summed {
    /// Its name in the folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256, in hexadecimal.
    pub sha256: String,
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Of the backup.
    pub manifest: Manifest,
    /// Where the data is that it replaced.
    pub replaced: Option<PathBuf>,
}

/// Why there is no backup, or nothing was restored. Each message says what the operator can do.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The data folder or the copy could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Copying failed.
    #[error("the database could not be copied: {0}")]
    Copy(#[from] rusqlite::Error),
    /// The target is there already.
    #[error("{0} is there already; name a folder that is not")]
    TargetExists(PathBuf),
    /// The target's name is not one.
    #[error("{0} is no name for a backup; name a folder that is not there yet")]
    TargetName(PathBuf),
    /// Another backup to the same place.
    #[error("another backup to {0} is being made")]
    Running(PathBuf),
    /// Not a backup.
    #[error("{0} is not a backup of this relay: it has no readable {MANIFEST}")]
    NoManifest(PathBuf),
    /// Of a format made later.
    #[error("the backup is from a newer version of the relay ({0}); restore it with that version")]
    Newer(String),
    /// A file is not what the manifest says.
    #[error(
        "{0} is not the file that was backed up: its length or sum differs; use another backup"
    )]
    Sum(PathBuf),
    /// Of another schema than this version's.
    #[error(
        "the data is of schema {0}, this version's is {known}; make the backup with the version that runs on it",
        known = migrations::newest()
    )]
    OtherSchema(i64),
    /// So damaged that it cannot be told what it is.
    #[error(
        "the data cannot be read as a database any more ({0}); stop the relay and copy the whole folder as it is"
    )]
    Unreadable(String),
    /// The copy breaks a rule that the original keeps.
    #[error(
        "the copy is not sound: {what}{at}; run `yingke-relay check` on the data it was made from",
        what = .0.what,
        at = .0.places.first().map(|place| format!(" ({place})")).unwrap_or_default()
    )]
    Unsound(Box<Finding>),
    /// Nothing would be left to restore from.
    #[error("{0} is the backup itself; name the relay's folder with --data")]
    Itself(PathBuf),
    /// The data folder is in use by data.
    #[error(
        "{0} holds data; with --replace it is moved aside first, or name another folder with --data"
    )]
    NotEmpty(PathBuf),
}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        Self::Open(OpenError::Stored(error))
    }
}

impl BackupError {
    /// The engine cannot read all that it wants to.
    fn is_of_reading(&self) -> bool {
        match self {
            Self::Open(OpenError::Unreadable(_)) => true,
            Self::Copy(error) => connection::is_of_reading(error),
            _ => false,
        }
    }
}

pub(super) fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> BackupError {
    let path = path.to_owned();
    move |error| BackupError::Open(OpenError::File { path, error })
}

/// Makes a whole, checked copy of the data in `data` as the new folder `to`, whether a relay runs on
/// it or not.
pub fn backup(data: &Path, to: &Path, world: &dyn World) -> Result<Manifest, BackupError> {
    let made_at = world.now();
    // Before anybody opens the database: that folds the log in, as far as it is whole.
    let mut broken_wal = integrity::broken_wal(&folder::wal_in(data));
    let source = match open_source(data) {
        Err(error) if error.is_of_reading() => None,
        opened => Some(opened?),
    };
    let is_taken = std::fs::read_dir(to).map_or(to.exists(), |mut held| held.next().is_some());
    if is_taken {
        return Err(BackupError::TargetExists(to.to_owned()));
    }
    let name = to.file_name().ok_or_else(|| BackupError::TargetName(to.to_owned()))?;
    let parent = match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    folder::create_private(parent).map_err(file_error(parent))?;
    let mut partial_name = name.to_owned();
    partial_name.push(".partial");
    let partial = Partial::begin(parent.join(partial_name), to)?;

    let database = folder::database_in(&partial.path);
    let mut missing = Vec::new();
    let source = match source.as_ref().map(|source| copy(source, &database)) {
        Some(Ok(())) => source,
        Some(Err(error)) if !error.is_of_reading() => return Err(error),
        _ => {
            missing = salvage::copy_readable(data, &partial.path, source)?;
            broken_wal = integrity::broken_wal(&folder::wal_in(&partial.path));
            None
        }
    };
    let (mut manifest, findings) = settle(&database, made_at)?;
    // Of what the disk does not give out the original cannot be asked.
    if let Some(source) = source {
        had_before(&source, &findings)?;
    }
    let found = broken_wal.into_iter().chain(findings).map(Damage::from);
    manifest.damaged = missing.into_iter().chain(found).collect();
    manifest.files.push(sum(&database, "yingke.db")?);
    let bytes = serde_json::to_vec_pretty(&manifest).map_err(std::io::Error::other);
    let path = partial.path.join(MANIFEST);
    bytes
        .and_then(|bytes| folder::write_synced(&path, &bytes))
        .and_then(|()| sync_folder(&partial.path))
        .map_err(file_error(&path))?;
    partial.finish(to, parent)?;
    Ok(manifest)
}

fn open_source(data: &Path) -> Result<Connection, BackupError> {
    let source = connection::open_beside(&folder::database_in(data))?;
    of_this_schema(&source)?;
    Ok(source)
}

fn of_this_schema(data: &Connection) -> Result<(), BackupError> {
    let schema = migrations::found(data)?;
    if schema == migrations::newest() { Ok(()) } else { Err(BackupError::OtherSchema(schema)) }
}

/// A backup that is not whole yet. Whoever drops it unfinished leaves nothing behind; whoever is
/// killed leaves a folder whose name says what it is, which the next one clears away.
struct Partial {
    path: PathBuf,
    /// Two backups of one name would write into each other's files.
    lock: Option<File>,
}

impl Partial {
    fn begin(path: PathBuf, to: &Path) -> Result<Self, BackupError> {
        folder::create_private(&path).map_err(file_error(&path))?;
        let lock_path = path.with_extension("lock");
        let lock = File::create(&lock_path).map_err(file_error(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BackupError::Running(to.to_owned())),
            Err(TryLockError::Error(error)) => return Err(file_error(&lock_path)(error)),
        }
        let partial = Self { path, lock: Some(lock) };
        let left = std::fs::read_dir(&partial.path).map_err(file_error(&partial.path))?;
        for file in left.flatten() {
            std::fs::remove_file(file.path()).map_err(file_error(&file.path()))?;
        }
        Ok(partial)
    }

    fn finish(mut self, to: &Path, parent: &Path) -> Result<(), BackupError> {
        std::fs::rename(&self.path, to).map_err(file_error(to))?;
        self.unlock();
        sync_folder(parent).map_err(file_error(parent))
    }

    fn unlock(&mut self) {
        if self.lock.take().is_some() {
            let _ = std::fs::remove_file(self.path.with_extension("lock"));
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.lock.is_some() {
            let _ = std::fs::remove_dir_all(&self.path);
            self.unlock();
        }
    }
}

/// All pages in one read transaction, at the speed of memory.
fn copy(source: &Connection, target: &Path) -> Result<(), BackupError> {
    let mut copy = Connection::open(target)?;
    copy.pragma_update(None, "journal_mode", "OFF")?;
    copy.pragma_update(None, "synchronous", "OFF")?;
    let copying = Backup::new(source, &mut copy)?;
    for _ in 0..BACKUP_TRIES_MAX {
        // Busy only while another process opens or recovers the database.
        match copying.step(-1)? {
            StepResult::Done => return Ok(()),
            _ => std::thread::sleep(std::time::Duration::from_millis(50)),
        }
    }
    Err(BackupError::Copy(rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
        Some("it was locked all the time".to_owned()),
    )))
}

/// What is wrong with the copy must be wrong with its original. Compared by kind: the original may
/// have gone on meanwhile, and each place is named in the manifest.
fn had_before(source: &Connection, findings: &[Finding]) -> Result<(), BackupError> {
    if findings.is_empty() {
        return Ok(());
    }
    let known = integrity::whole(source);
    let is_new = |found: &&Finding| !known.iter().any(|known| known.what == found.what);
    match findings.iter().find(is_new) {
        None => Ok(()),
        Some(new) => Err(BackupError::Unsound(Box::new(new.clone()))),
    }
}

/// Makes a fresh copy lasting and checks it; gives what it is, but for its sums, and what is wrong with
/// it.
fn settle(database: &Path, made_at: Timestamp) -> Result<(Manifest, Vec<Finding>), BackupError> {
    let copy = Connection::open_with_flags(
        database,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // One file, without a write-ahead log beside it.
    let unreadable = |error: String| BackupError::Unreadable(error);
    copy.pragma_update(None, "journal_mode", "DELETE").map_err(|it| unreadable(it.to_string()))?;
    of_this_schema(&copy).map_err(|error| match error {
        BackupError::Copy(error) => unreadable(error.to_string()),
        error => error,
    })?;
    let findings = integrity::whole(&copy);
    let (epoch, position) = head(&copy).map_err(|error| match error {
        error if findings.is_empty() => error,
        error => unreadable(error.to_string()),
    })?;
    let manifest = Manifest {
        format: FORMAT,
        relay: env!("CARGO_PKG_VERSION").to_owned(),
        schema: migrations::newest(),
        made_at,
        epoch,
        position,
        messages: messages_in(&copy),
        damaged: Vec::new(),
        files: Vec::new(),
    };
    drop(copy);
    File::open(database).and_then(|file| file.sync_all()).map_err(file_error(database))?;
    Ok((manifest, findings))
}

/// How many messages can be read.
fn messages_in(copy: &Connection) -> u64 {
    let counted = copy.query_row("SELECT count(*) FROM messages", [], |row| row.get::<_, i64>(0));
    if let Ok(counted) = counted {
        return counted.unsigned_abs();
    }
    // A damaged page ends the count; what stands before it is there.
    let Ok(mut statement) = copy.prepare("SELECT seq FROM messages NOT INDEXED") else { return 0 };
    let Ok(mut rows) = statement.query([]) else { return 0 };
    let mut readable = 0;
    while let Ok(Some(_)) = rows.next() {
        readable += 1;
    }
    readable
}

fn head(connection: &Connection) -> Result<(Epoch, Position), BackupError> {
    let (epoch, position) =
        connection.query_row("SELECT epoch, position FROM log_head WHERE id = 1", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        })?;
    let epoch = Epoch::new(epoch).map_err(|_| StoreError::Corrupt("epoch"))?;
    let position = Position::new(position.unsigned_abs());
    Ok((epoch, position.map_err(|_| StoreError::Corrupt("position"))?))
}

/// Nothing is wrong with it that was not when it was made.
fn sound(connection: &Connection, damaged: &[Damage]) -> Result<(), BackupError> {
    let is_new = |found: &Finding| !damaged.iter().any(|known| known.what == found.what);
    match integrity::whole(connection).into_iter().find(is_new) {
        None => Ok(()),
        Some(finding) => Err(BackupError::Unsound(Box::new(finding))),
    }
}

fn sum(path: &Path, name: &str) -> Result<Summed, BackupError> {
    let summed = || -> std::io::Result<Summed> {
        let mut file = File::open(path)?;
        let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
        let mut piece = vec![0_u8; 256 * 1_024];
        loop {
            let read = file.read(&mut piece)?;
            if read == 0 {
                break;
            }
            hash.update(piece.get(..read).unwrap_or_default());
            bytes += u64::try_from(read).unwrap_or(0);
        }
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Summed { name: name.to_owned(), bytes, sha256 })
    };
    summed().map_err(file_error(path))
}

/// Puts the backup in `from` into the folder `data`, on which no relay may run. What is there is
/// moved aside if `replace` says so.
pub fn restore(
    from: &Path,
    data: &Path,
    replace: bool,
    world: &dyn World,
) -> Result<Restored, BackupError> {
    let manifest = read_manifest(from)?;
    if from.canonicalize().is_ok_and(|from| data.canonicalize().is_ok_and(|data| from == data)) {
        return Err(BackupError::Itself(from.to_owned()));
    }
    let folder = Folder::lock(data)?;
    let is_held = holds_data(data).map_err(file_error(data))?;
    if is_held && !replace {
        return Err(BackupError::NotEmpty(data.to_owned()));
    }
    let fresh = data.join("restoring.db");
    let source = folder::database_in(from);
    copy_and_compare(&source, &fresh, &manifest)?;
    mend_structure(&fresh, &manifest.damaged)?;
    let epoch = identity::new_epoch(world)?;
    renew(&fresh, &epoch, &manifest.damaged)?;
    sync_folder(data).map_err(file_error(data))?;

    let replaced = if is_held { Some(move_aside(data, world.now())?) } else { None };
    let database = folder.database();
    std::fs::rename(&fresh, &database)
        .and_then(|()| sync_folder(data))
        .map_err(file_error(&database))?;
    let boot = boot_of(&database)?;
    let beside = identity::Beside { epoch, boot, position: manifest.position };
    identity::write_beside(&folder, &beside).map_err(file_error(&folder.boot_file()))?;
    Ok(Restored { manifest, replaced })
}

fn read_manifest(from: &Path) -> Result<Manifest, BackupError> {
    let path = from.join(MANIFEST);
    let file = File::open(&path).map_err(|_| BackupError::NoManifest(from.to_owned()))?;
    let mut text = String::new();
    let read = file.take(MANIFEST_BYTES_MAX).read_to_string(&mut text);
    let manifest: Manifest = read
        .ok()
        .and_then(|_| serde_json::from_str(&text).ok())
        .ok_or_else(|| BackupError::NoManifest(from.to_owned()))?;
    if manifest.format > FORMAT || manifest.schema > migrations::newest() {
        return Err(BackupError::Newer(manifest.relay));
    }
    Ok(manifest)
}

/// Whether something is there besides what a restore or a lock leaves.
fn holds_data(data: &Path) -> std::io::Result<bool> {
    for entry in std::fs::read_dir(data)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let is_ours = name == "relay.lock" || name.starts_with("restoring.db");
        if !is_ours && !name.starts_with(REPLACED) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How the folders begin that hold what restores replaced.
const REPLACED: &str = "replaced-";

/// The file as it was backed up, checked again where it now is.
fn copy_and_compare(source: &Path, fresh: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let wanted = manifest.files.iter().find(|file| file.name == "yingke.db");
    let wanted = wanted.ok_or_else(|| BackupError::Sum(source.to_owned()))?;
    std::fs::copy(source, fresh).map_err(file_error(source))?;
    if sum(fresh, "yingke.db")? != *wanted {
        let _ = std::fs::remove_file(fresh);
        return Err(BackupError::Sum(source.to_owned()));
    }
    Ok(())
}

/// A structure that contradicts itself is built anew, if enough of it can be read; else it stays as it is.
fn mend_structure(fresh: &Path, damaged: &[Damage]) -> Result<(), BackupError> {
    if !damaged.iter().any(|known| known.what == integrity::STRUCTURE_DAMAGED) {
        return Ok(());
    }
    let only_looks = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let copy = Connection::open_with_flags(fresh, only_looks)?;
    let rebuilt = rebuild::beside(fresh);
    let built = integrity::contradiction(&copy).and_then(|found| match found {
        Some(_) => rebuild::build(&copy, &rebuilt).map(|()| true),
        None => Ok(false),
    });
    drop(copy);
    match built {
        Ok(true) => std::fs::rename(&rebuilt, fresh).map_err(file_error(fresh)),
        Ok(false) => Ok(()),
        Err(error) => {
            tracing::warn!(%error, "the structure is restored as it is");
            Ok(())
        }
    }
}

/// Checks the copy and gives its log the new identity.
fn renew(fresh: &Path, epoch: &Epoch, damaged: &[Damage]) -> Result<(), BackupError> {
    let copy = Connection::open_with_flags(
        fresh,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    copy.pragma_update(None, "synchronous", "FULL")?;
    // Killed in the middle, it is copied again: a journal left behind would be played into that copy.
    copy.pragma_update(None, "journal_mode", "MEMORY")?;
    let checked = sound_for_its_schema(&copy, damaged).and_then(|()| {
        copy.execute("UPDATE log_head SET epoch = ?1 WHERE id = 1", [epoch.as_str()])?;
        Ok(())
    });
    drop(copy);
    if checked.is_err() {
        let _ = std::fs::remove_file(fresh);
    }
    checked?;
    File::open(fresh).and_then(|file| file.sync_all()).map_err(file_error(fresh))
}

/// A backup of an earlier schema is migrated at the next start; only its structure can be checked.
fn sound_for_its_schema(copy: &Connection, damaged: &[Damage]) -> Result<(), BackupError> {
    if migrations::found(copy)? == migrations::newest() {
        return sound(copy, damaged);
    }
    if !damaged.is_empty() {
        return Ok(());
    }
    let verdict: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(OpenError::Damaged("the backup's structure").into()) }
}

fn boot_of(database: &Path) -> Result<u64, BackupError> {
    let copy = connection::open_beside(database)?;
    let boot: i64 =
        copy.query_row("SELECT boot FROM log_head WHERE id = 1", [], |row| row.get(0))?;
    Ok(boot.unsigned_abs())
}

/// Moves the database with all that belongs to it into a folder of its own. The boot file is copied
/// and stays: without a database beside it no relay starts. The write-ahead log is copied before its
/// database goes: the engine deletes one that it finds without.
fn move_aside(data: &Path, now: Timestamp) -> Result<PathBuf, BackupError> {
    let aside = data.join(format!("{REPLACED}{}", now.millis()));
    folder::create_private(&aside).map_err(file_error(&aside))?;
    let database = folder::database_in(data);
    let boot_file = folder::boot_file_in(data);
    if boot_file.exists() {
        let copied = std::fs::copy(&boot_file, aside.join("boot.json"));
        copied.map_err(file_error(&boot_file))?;
    }
    let (wal, kept_wal) = (folder::wal_in(data), folder::wal_in(&aside));
    if wal.exists() {
        std::fs::copy(&wal, &kept_wal)
            .and_then(|_| File::open(&kept_wal)?.sync_all())
            .map_err(file_error(&kept_wal))?;
    }
    sync_folder(&aside).map_err(file_error(&aside))?;
    if database.exists() {
        let kept = folder::database_in(&aside);
        std::fs::rename(&database, &kept).map_err(file_error(&kept))?;
    }
    for left in [wal, data.join("yingke.db-shm")] {
        if left.exists() {
            std::fs::remove_file(&left).map_err(file_error(&left))?;
        }
    }
    sync_folder(&aside).and_then(|()| sync_folder(data)).map_err(file_error(&aside))?;
    Ok(aside)
}
