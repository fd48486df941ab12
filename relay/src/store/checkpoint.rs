//! The checkpointer: folds the write-ahead log into the database on its own connection and thread,
//! off the commit path, and keeps the log's size bounded.
//!
//! Mostly it works beside the writer (PASSIVE). Under constant load the log would then never start
//! again from its beginning, because there is always one commit more; so above a size the writer is
//! made to wait once, after a passive pass has left almost nothing to do, and never long: while a
//! backup or a check reads one old moment, the log cannot start again whoever waits, so the writer
//! goes on and the next try comes later.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode};
use yingke_shared::ids::{Epoch, Position};

use super::faults::trip;
use super::folder::Folder;
use super::threads::{self, Alarm};
use super::{Fatal, OpenError, connection, identity};
use crate::events::Tail;
use crate::limits::{
    CHECKPOINT_PAGES, CHECKPOINT_PAUSE_MS, POSITION_NOTED_EVERY_MS, STORE_BUSY_WAIT_MS,
    WAL_PAGES_MAX, WAL_RESTART_WITHIN_MS,
};
use crate::parts::Part;

#[derive(Default)]
struct Signals {
    /// Something was committed since the last look.
    committed: AtomicBool,
    stop: AtomicBool,
}

/// Tells the checkpointer that something was committed; costs the writer an atomic swap.
#[derive(Clone)]
pub(super) struct Bell {
    signals: Arc<Signals>,
    thread: Thread,
}

impl Bell {
    pub(super) fn ring(&self) {
        if !self.signals.committed.swap(true, Ordering::SeqCst) {
            self.thread.unpark();
        }
    }
}

/// The checkpointer's thread.
pub(super) struct Checkpointer {
    bell: Bell,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Checkpointer {
    pub(super) fn start(
        folder: &Arc<Folder>,
        tail: Arc<Tail>,
        alarm: Alarm,
    ) -> Result<Self, OpenError> {
        let connection = connection::open_checkpointer(&folder.database())?;
        let signals = Arc::new(Signals::default());
        let folder = Arc::clone(folder);
        let heard = Arc::clone(&signals);
        let name = "store-checkpoint".to_owned();
        let thread = threads::start(Part::Checkpointer, name, &alarm.clone(), move || {
            let (unnoted, noted) = (None, None);
            let restart_from = WAL_PAGES_MAX;
            Worker { connection, folder, tail, alarm, restart_from, unnoted, noted }.work(&heard);
        })?;
        let bell = Bell { signals, thread: thread.thread().clone() };
        Ok(Self { bell, thread: Mutex::new(Some(thread)) })
    }

    pub(super) fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// The last checkpoint: everything into the database, the write-ahead log emptied. Writer and
    /// readers have ended before.
    pub(super) fn close(&self) {
        let Some(thread) = self.thread.lock().take() else { return };
        self.stop();
        let _ = thread.join();
    }

    fn stop(&self) {
        self.bell.signals.stop.store(true, Ordering::SeqCst);
        self.bell.thread.unpark();
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Worker {
    connection: Connection,
    folder: Arc<Folder>,
    tail: Arc<Tail>,
    alarm: Alarm,
    /// From how many pages on the log is made to start again: more after a try in vain.
    restart_from: i64,
    /// What is certainly on the disk and not yet noted beside the database.
    unnoted: Option<(Epoch, Position)>,
    /// When that was done last.
    noted: Option<Instant>,
}

/// Pages in the write-ahead log, and how many of them the database has already.
struct Wal {
    was_busy: bool,
    pages: i64,
    folded: i64,
}

impl Worker {
    fn work(mut self, signals: &Signals) {
        while !signals.stop.load(Ordering::SeqCst) {
            let note_in = self.note();
            if !signals.committed.swap(false, Ordering::SeqCst) {
                match note_in {
                    None => std::thread::park(),
                    Some(time) => std::thread::park_timeout(time),
                }
                continue;
            }
            trip("panic_in_checkpointer");
            if let Err(error) = self.look()
                && self.end_if_fatal(&error)
            {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(CHECKPOINT_PAUSE_MS));
        }
        if !self.alarm.is_raised()
            && let Err(error) = self.checkpoint("TRUNCATE")
        {
            tracing::warn!(%error, "the last checkpoint failed; the next start repeats it");
        }
    }

    fn look(&mut self) -> rusqlite::Result<()> {
        let wal = self.checkpoint("NOOP")?;
        if wal.pages < WAL_PAGES_MAX {
            self.restart_from = WAL_PAGES_MAX;
        }
        if wal.pages - wal.folded < CHECKPOINT_PAGES && wal.pages < self.restart_from {
            return Ok(());
        }
        // Read before: these positions are certainly on the disk.
        let head = self.tail.head();
        let wal = self.checkpoint("PASSIVE")?;
        self.unnoted = Some(head);
        if wal.pages >= self.restart_from {
            self.start_again()?;
        }
        Ok(())
    }

    /// Notes the position beside the database, if it is time; gives when it will be. Not with every
    /// checkpoint: a file that takes another's place is two rounds of the file system's own journal,
    /// and under load commits would wait for them again and again.
    fn note(&mut self) -> Option<Duration> {
        let (epoch, position) = self.unnoted.as_ref()?;
        let pause = Duration::from_millis(POSITION_NOTED_EVERY_MS);
        let left = self.noted.map_or(Duration::ZERO, |at| pause.saturating_sub(at.elapsed()));
        if !left.is_zero() {
            return Some(left);
        }
        if let Err(error) = identity::note_position(&self.folder, epoch, *position) {
            tracing::warn!(%error, "the boot file beside the database could not be written");
        }
        self.unnoted = None;
        self.noted = Some(Instant::now());
        None
    }

    /// Makes the log start again from its beginning, if nobody reads an old moment.
    fn start_again(&mut self) -> rusqlite::Result<()> {
        let wal = self.checkpoint("PASSIVE")?;
        if wal.pages - wal.folded < CHECKPOINT_PAGES {
            // The writer waits while this does.
            self.connection.busy_timeout(Duration::from_millis(WAL_RESTART_WITHIN_MS))?;
            let restarted = self.checkpoint("RESTART");
            self.connection.busy_timeout(Duration::from_millis(STORE_BUSY_WAIT_MS))?;
            if !restarted?.was_busy {
                self.restart_from = WAL_PAGES_MAX;
                return Ok(());
            }
        }
        self.restart_from = wal.pages + WAL_PAGES_MAX / 8;
        tracing::info!(pages = wal.pages, "the write-ahead log grows while something reads");
        Ok(())
    }

    fn checkpoint(&self, mode: &'static str) -> rusqlite::Result<Wal> {
        let sql = match mode {
            "NOOP" => "PRAGMA wal_checkpoint(NOOP)",
            "PASSIVE" => "PRAGMA wal_checkpoint(PASSIVE)",
            "RESTART" => "PRAGMA wal_checkpoint(RESTART)",
            _ => "PRAGMA wal_checkpoint(TRUNCATE)",
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_row([], |row| {
            Ok(Wal { was_busy: row.get(0)?, pages: row.get(1)?, folded: row.get(2)? })
        })
    }

    /// After a failed sync nobody knows what the disk holds, and asking again may hide it.
    fn end_if_fatal(&self, error: &rusqlite::Error) -> bool {
        let fatal = error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure);
        if fatal {
            let error = error.to_string();
            self.alarm.raise(Fatal::Storage { during: "checkpointing", error });
        } else {
            tracing::warn!(%error, "a checkpoint failed; it is tried again");
        }
        fatal
    }
}
