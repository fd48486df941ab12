//! What can go wrong in the store, by who must act: the caller, the operator, or the process itself.

use std::path::PathBuf;

use crate::parts::Part;

/// A failure of the database: never the caller's fault, never shown in detail outside.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database engine reported an error.
    #[error("database: {0}")]
    Engine(#[from] rusqlite::Error),
    /// A stored value is not what this version writes.
    #[error("stored value is damaged: {0}")]
    Corrupt(&'static str),
    /// A storage error took the whole transaction away; nothing of it remains.
    #[error("the transaction was lost: {0}")]
    TransactionLost(String),
    /// The readers' queue is full.
    #[error("the readers' queue is full")]
    Busy,
    /// A read closure panicked: a bug.
    #[error("a read closure panicked")]
    Panicked,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether the same read will fail again however often it is tried: what is stored is damaged, or
    /// the code that reads it.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        use rusqlite::Error as Engine;
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            Self::Corrupt(_) | Self::Panicked => true,
            // A value that is not of the type this version writes, and a page that makes no sense or
            // that the disk does not give out: the engine says the same of both.
            Self::Engine(
                Engine::FromSqlConversionFailure(..)
                | Engine::IntegralValueOutOfRange(..)
                | Engine::Utf8Error(..)
                | Engine::InvalidColumnType(..),
            ) => true,
            Self::Engine(error) => {
                matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
            }
            Self::TransactionLost(_) | Self::Busy | Self::Closed => false,
        }
    }
}

/// Why a closure gave up; its changes are rolled back, its neighbours in the batch are not touched.
#[derive(Debug)]
pub enum Abort<R> {
    /// A normal refusal of the room.
    Refused(R),
    /// The database failed.
    Failed(StoreError),
}

impl<R> From<StoreError> for Abort<R> {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// Why a write was not carried out. Nothing of it remains. (A write whose outcome is unknown is not
/// answered at all: the process is about to end.)
#[derive(Debug, thiserror::Error)]
pub enum WriteError<R> {
    /// The room refused.
    #[error("refused")]
    Refused(R),
    /// The writer's queue is full.
    #[error("the writer's queue is full")]
    Busy,
    /// Not stored.
    #[error("not stored: {0}")]
    Failed(StoreError),
    /// The closure panicked: a bug. Rolled back.
    #[error("a write closure panicked")]
    Panicked,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

/// The database cannot be trusted to go on in this process. A supervisor starts it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fatal {
    /// Nobody knows what the disk holds.
    #[error("{during}: {error}")]
    Storage {
        /// What was being done.
        during: &'static str,
        /// The engine's words.
        error: String,
    },
    /// One of its threads panicked.
    #[error("{0} met a bug")]
    Bug(Part),
}

/// Why the store could not be opened. Each message says what the operator can do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds the folder.
    #[error(
        "the data folder {folder} is in use by another relay{holder}; stop it first or choose another --data"
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// " (process 123)", if known.
        holder: String,
    },
    /// A file or folder could not be used.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The linked engine has known faults.
    #[error("this build contains SQLite {found}; at least {needed} is needed")]
    EngineTooOld {
        /// What is linked.
        found: &'static str,
        /// The oldest good one.
        needed: &'static str,
    },
    /// Not a database of this relay.
    #[error("{0} is not a database of this relay")]
    Foreign(PathBuf),
    /// The database's beginning, or its write-ahead log, which the engine reads first.
    #[error(
        "the database cannot be read ({0}); make a backup, which keeps what can be read, and restore it on another disk"
    )]
    Unreadable(rusqlite::Error),
    /// Made by a later release.
    #[error(
        "the database is from a newer version of the relay (schema {found}; this one knows up to {known}); install that version or restore a backup made before the upgrade"
    )]
    Newer {
        /// The schema number found.
        found: i64,
        /// The newest this build knows.
        known: i64,
    },
    /// A migration failed; the database stands as before it.
    #[error("migration {number:04} failed and was undone: {error}")]
    Migration {
        /// Which.
        number: i64,
        /// Why.
        error: rusqlite::Error,
    },
    /// The disk is full.
    #[error(
        "there is no room on the disk of {0}, and it cannot be opened without some: free space and try again; nothing is lost"
    )]
    NoRoom(PathBuf),
    /// The content contradicts itself.
    #[error("the database is damaged: {0}; restore a backup")]
    Damaged(&'static str),
    /// The engine could not open or read it.
    #[error("the database cannot be opened: {0}")]
    Engine(#[from] rusqlite::Error),
    /// A stored value is damaged.
    #[error("the database cannot be read: {0}")]
    Stored(#[from] StoreError),
}

impl OpenError {
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |error| Self::File { path, error }
    }
}
