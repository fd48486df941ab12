//! The store: every query once, in plain synchronous closures over a small transaction.
//!
//! Knows no nouns. Rooms write SQL of the common dialect and never name a driver; only this folder
//! does.
//!
//! The happy path: a closure joins the writer's queue, the writer takes what queued while its last
//! commit ran, gives each closure a savepoint, commits once with a sync to the disk, shows the new
//! events to the readers of the log, answers all, then wakes the readers. The worst case: a storage error takes the
//! whole transaction away in the middle of a batch. Then nothing more runs in it, and every closure
//! of it runs again alone; whoever fails again is told so. If the outcome of a commit cannot be
//! known, nobody is answered and the process ends (see [`Store::failed`]).

mod backup;
mod bare;
mod batch;
mod checkpoint;
mod connection;
mod error;
pub(crate) mod faults;
mod folder;
mod identity;
mod inline;
mod integrity;
mod memory;
mod migrations;
mod readers;
mod rebuild;
mod salvage;
mod statements;
mod stint;
mod sums;
mod threads;
mod tx;
mod value;
mod wal;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};
use yingke_shared::ids::{Epoch, Position};

pub use backup::{BackupError, Damage, Manifest, Restored, Summed, backup, restore};
pub use bare::Bare;
pub use error::{Abort, Fatal, OpenError, StoreError, WriteError};
pub use faults::{Fate, Faults, Point};
pub use integrity::{Finding, OtherRelease, Report, check};
pub use memory::MemoryFolder;
pub use sums::{SUMMED_COLUMNS, sum_of};
pub use tx::{ReadTx, WriteTx};
pub use value::{Row, ToValue, Value};

use crate::clock::World;
use crate::events::{LogReader, Tail};
use crate::limits::READERS_MAX;
use batch::{Engine, WriteJob, typed_job};
use checkpoint::Checkpointer;
use faults::NamedByTests;
use folder::Folder;
use inline::Inline;
use memory::Parking;
use readers::{Lane, Readers, typed_read};
use stint::Stint;
use threads::Alarm;
use writer::Writer;

/// A handle to the store; cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    executor: Executor,
    /// The end of the log in memory: what fan-out and the driver read.
    tail: Arc<Tail>,
    /// Set once when the database cannot be trusted to go on.
    fatal: watch::Receiver<Option<Fatal>>,
    /// What the folder's lock and the boot file belong to; held until the store is gone.
    folder: Arc<Folder>,
    /// The log was found to be older than a client's within this boot, and has a new identity.
    /// Held while it is given one.
    renewed: tokio::sync::Mutex<bool>,
}

/// What the disk does not let end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stalled {
    /// A batch of writes.
    Writing,
    /// A read.
    Reading,
}

/// Who runs the closures.
enum Executor {
    /// The product: one writer thread, some reader threads, one checkpointer thread.
    Threads { writer: Writer, readers: Readers, checkpointer: Checkpointer },
    /// Simulation and small tools: the caller's own thread, the same batch code.
    Inline(Inline),
}

impl Store {
    /// Opens, and if need be creates or migrates, the database in `folder`; starts its threads.
    pub fn open(folder: &Path, world: &dyn World) -> Result<Self, OpenError> {
        let (folder, opened) = Opened::on_disk(folder, world)?;
        let Opened { connection, epoch, head } = opened;
        let tail = Arc::new(Tail::new(epoch, head));
        let (alarm, fatal) = Alarm::new();
        let engine = Engine::new(connection, head, Arc::clone(&tail), Box::new(NamedByTests));
        let checkpointer = Checkpointer::start(&folder, Arc::clone(&tail), alarm.clone())?;
        let readers = Readers::start(&folder.database(), READERS_MAX, alarm.clone())?;
        let writer = Writer::start(engine, checkpointer.bell(), alarm)?;
        let executor = Executor::Threads { writer, readers, checkpointer };
        Ok(Self::with(executor, tail, fatal, folder))
    }

    /// The same without threads: every closure runs at once on the caller's thread.
    pub fn open_inline(folder: &Path, world: &dyn World) -> Result<Self, OpenError> {
        let (folder, opened) = Opened::on_disk(folder, world)?;
        Ok(Self::inline(folder, opened, None, Box::new(NamedByTests)))
    }

    /// The same for simulation: the database is one of memory that outlives this store, closures run
    /// when [`Store::turn`] says so, and `faults` says what goes wrong.
    pub fn open_by_turns(
        folder: &MemoryFolder,
        world: &dyn World,
        faults: Box<dyn Faults>,
    ) -> Result<Self, OpenError> {
        let locked = Arc::new(Folder::lock(folder.path())?);
        let (mut connection, parking) = folder.open()?;
        migrations::apply(&mut connection, &locked, world.now())?;
        let opened = Opened::begin(connection, &locked, world, false)?;
        Ok(Self::inline(locked, opened, Some(parking), faults))
    }

    fn inline(
        folder: Arc<Folder>,
        opened: Opened,
        by_turns: Option<Parking>,
        faults: Box<dyn Faults>,
    ) -> Self {
        let Opened { connection, epoch, head } = opened;
        let tail = Arc::new(Tail::new(epoch, head));
        let (alarm, fatal) = Alarm::new();
        let engine = Engine::new(connection, head, Arc::clone(&tail), faults);
        let executor = Executor::Inline(Inline::new(engine, by_turns, alarm));
        Self::with(executor, tail, fatal, folder)
    }

    fn with(
        executor: Executor,
        tail: Arc<Tail>,
        fatal: watch::Receiver<Option<Fatal>>,
        folder: Arc<Folder>,
    ) -> Self {
        let renewed = tokio::sync::Mutex::new(false);
        Self { inner: Arc::new(Inner { executor, tail, fatal, folder, renewed }) }
    }

    /// Waits until something waits for its turn. Only of a store opened by turns does it end.
    pub async fn queued(&self) {
        match &self.inner.executor {
            Executor::Threads { .. } => std::future::pending().await,
            Executor::Inline(inline) => inline.queued().await,
        }
    }

    /// Runs one batch of at most `writes` waiting closures, then at most `reads` waiting reads.
    /// Threads need nobody to tell them.
    pub fn turn(&self, writes: usize, reads: usize) {
        if let Executor::Inline(inline) = &self.inner.executor {
            inline.turn(writes, reads);
        }
    }

    /// Runs `f` in the writer's next batch and answers after the commit. `f` may run more than once
    /// (a batch can die) and has no effect but on `tx`: ids, times and hashes are made before.
    /// `what` names it in logs.
    pub async fn write<T, R, F>(&self, what: &'static str, f: F) -> Result<T, WriteError<R>>
    where
        T: Send + 'static,
        R: Send + 'static,
        F: Fn(&mut WriteTx<'_>) -> Result<T, Abort<R>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Box<dyn WriteJob> = typed_job(what, f, reply);
        match &self.inner.executor {
            Executor::Threads { writer, .. } => writer.submit(job)?,
            Executor::Inline(inline) => inline.write(job)?,
        }
        answer.await.unwrap_or(Err(WriteError::Closed))
    }

    /// Runs `f` on a reader connection, in one read transaction.
    pub async fn read<T, F>(&self, what: &'static str, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.read_in(Lane::Common, what, f).await
    }

    /// The same for fan-out and assignment, in the lane kept for them: it never waits behind what
    /// sessions and requests read.
    pub async fn read_for_spine<T, F>(&self, what: &'static str, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.read_in(Lane::Spine, what, f).await
    }

    async fn read_in<T, F>(&self, lane: Lane, what: &'static str, f: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = typed_read(what, f, reply);
        match &self.inner.executor {
            Executor::Threads { readers, .. } => readers.submit(lane, job)?,
            Executor::Inline(inline) => inline.read(job)?,
        }
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// The log's identity and the newest position shown to followers: everything that writers were
    /// answered.
    #[must_use]
    pub fn head(&self) -> (Epoch, Position) {
        self.inner.tail.head()
    }

    /// A reader of the log that starts after `from`.
    #[must_use]
    pub fn subscribe(&self, from: Position) -> LogReader {
        LogReader::new(self.clone(), Arc::clone(&self.inner.tail), from)
    }

    /// The same, woken less often: messages and marks alone may wait a little.
    #[must_use]
    pub fn subscribe_to_news(&self, from: Position) -> LogReader {
        LogReader::of_news(self.clone(), Arc::clone(&self.inner.tail), from)
    }

    /// A trusted client holds positions of this epoch that the log never reached: its history was
    /// replaced by an older copy. Gives the log a new identity, at most once a boot, so that no
    /// client can make others start over again and again.
    pub async fn renew_epoch(&self, world: &dyn World) -> Result<Epoch, WriteError<StoreError>> {
        let mut renewed = self.inner.renewed.lock().await;
        if *renewed {
            return Ok(self.head().0);
        }
        let epoch = identity::new_epoch(world).map_err(WriteError::Failed)?;
        let chosen = epoch.clone();
        let boot =
            self.write("renew epoch", move |tx| Ok(identity::write_epoch(tx, &chosen)?)).await?;
        *renewed = true;
        let position = self.head().1;
        self.inner.tail.set_epoch(epoch.clone());
        let folder = Arc::clone(&self.inner.folder);
        let beside = identity::Beside { epoch: epoch.clone(), boot, position };
        if let Err(error) = identity::write_beside(&folder, &beside) {
            tracing::warn!(%error, "the boot file beside the database could not be written");
        }
        tracing::warn!("a client is ahead of the log: restored data; the log has a new epoch");
        Ok(epoch)
    }

    /// Ends only when the database cannot go on: a commit's outcome is unknown, a sync failed, a
    /// thread met a bug. The process must then end; nobody concerned was answered.
    pub async fn failed(&self) -> Fatal {
        let mut fatal = self.inner.fatal.clone();
        loop {
            if let Some(reason) = fatal.borrow_and_update().clone() {
                return reason;
            }
            if fatal.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Whether [`Store::failed`] has ended.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.inner.fatal.borrow().is_some()
    }

    /// With what it has ended.
    #[must_use]
    pub fn failure(&self) -> Option<Fatal> {
        self.inner.fatal.borrow().clone()
    }

    /// What has been under way for longer than `limit`: the disk does not answer, and what waits behind it
    /// does not move.
    #[must_use]
    pub fn stalled(&self, limit: Duration) -> Option<Stalled> {
        let Executor::Threads { writer, readers, .. } = &self.inner.executor else { return None };
        let is_over = |stint: &Stint| stint.lasts().is_some_and(|lasts| lasts > limit);
        if is_over(writer.stint()) {
            Some(Stalled::Writing)
        } else {
            readers.stints().iter().any(is_over).then_some(Stalled::Reading)
        }
    }

    /// Finishes what is queued, ends the threads, folds the write-ahead log into the database.
    /// Afterwards every call answers "closed".
    pub async fn close(&self) {
        if let Executor::Threads { writer, .. } = &self.inner.executor {
            writer.ask_to_close().await;
        }
        let store = self.clone();
        if tokio::task::spawn_blocking(move || store.wait_until_closed()).await.is_err() {
            tracing::error!("closing the store failed");
        }
    }

    fn wait_until_closed(&self) {
        match &self.inner.executor {
            Executor::Threads { writer, readers, checkpointer } => {
                writer.join();
                self.inner.tail.close();
                readers.close();
                checkpointer.close();
            }
            Executor::Inline(inline) => {
                inline.close();
                self.inner.tail.close();
            }
        }
        let (epoch, position) = self.head();
        if let Err(error) = identity::note_position(&self.inner.folder, &epoch, position) {
            tracing::warn!(%error, "the boot file beside the database could not be written");
        }
    }
}

/// The engine is about to forget whatever stands behind the first wrong frame of the write-ahead log.
/// If that is more than a power loss takes, it is said, and a copy is kept for whoever can read it.
/// The relay goes on: clients that saw more notice, and offer again what was acknowledged.
fn keep_broken_wal(folder: &Folder, world: &dyn World) {
    let path = folder.wal();
    let frame = match wal::broken_at(&path) {
        Ok(None) => return,
        Ok(Some(frame)) => frame,
        Err(error) => {
            tracing::error!(%error, "the write-ahead log could not be read");
            return;
        }
    };
    let kept = path.with_extension(format!("db-wal.damaged-{}", world.now().millis()));
    let copied = std::fs::copy(&path, &kept).map(|_| kept.display().to_string());
    tracing::error!(
        frame,
        kept = copied.unwrap_or_else(|error| format!("not kept: {error}")),
        "the write-ahead log is damaged: what was stored last is lost from here on"
    );
}

/// Whether a relay was ever started on this folder, or an account added.
#[must_use]
pub fn is_begun(data: &Path) -> bool {
    folder::database_in(data).exists()
}

/// A database that is ours, of our schema, and counted as started once more.
struct Opened {
    connection: Connection,
    epoch: Epoch,
    head: Position,
}

impl Opened {
    fn on_disk(folder: &Path, world: &dyn World) -> Result<(Arc<Folder>, Self), OpenError> {
        connection::check_engine_version()?;
        let folder = Arc::new(Folder::lock(folder)?);
        if folder.boot_file().exists() && !folder.database().exists() {
            // Before a new one is made (see `identity`).
            return Err(OpenError::Damaged("boot.json tells of a database that is not there"));
        }
        keep_broken_wal(&folder, world);
        let mut connection = connection::open_writer(&folder.database())?;
        migrations::apply(&mut connection, &folder, world.now())?;
        let contradiction = integrity::structure(&connection)?;
        let mut is_rebuilt = false;
        if let Some(contradiction) = contradiction {
            match rebuild::build(&connection, &rebuild::beside(&folder.database())) {
                Ok(()) => {
                    connection = rebuild::put_in_place(connection, &folder, world.now())?;
                    is_rebuilt = true;
                }
                Err(error) => contradiction.bear(&error)?,
            }
        }
        let opened = Self::begin(connection, &folder, world, is_rebuilt)?;
        Ok((folder, opened))
    }

    /// With a schema of this version. What was rebuilt may have lost something.
    fn begin(
        mut connection: Connection,
        folder: &Folder,
        world: &dyn World,
        is_rebuilt: bool,
    ) -> Result<Self, OpenError> {
        let has_lost = integrity::is_log_torn(&connection)? || is_rebuilt;
        let (epoch, head) = identity::begin_boot(&mut connection, folder, world, has_lost)?;
        Ok(Self { connection, epoch, head })
    }
}
