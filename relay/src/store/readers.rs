//! The reader threads: each has its own connection and runs one closure at a time, in a read
//! transaction, so that everything it sees is of one moment.
//!
//! There are two lanes. Whoever asks from outside waits in the common one, which can be full. The
//! spine, fan-out and assignment, reads in a lane with a thread of its own: however many sessions
//! begin or scroll, what was stored reaches its readers and who waits is assigned. The spine asks for
//! one thing at a time, so its lane needs no more.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::faults::trip;
use super::stint::Stint;
use super::threads::{self, Alarm};
use super::tx::ReadTx;
use super::{Fatal, OpenError, StoreError, connection};
use crate::limits::{READ_QUEUE_MAX, SPINE_QUEUE_MAX};
use crate::parts::Part;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Sessions and requests.
    Common,
    /// Fan-out and assignment.
    Spine,
}

/// A closure for a reader thread.
pub(super) trait ReadJob: Send {
    /// Runs it and tells the caller.
    fn run(self: Box<Self>, connection: &Connection);
}

struct TypedRead<T, F> {
    what: &'static str,
    f: F,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

/// Wraps a room's closure.
pub(super) fn typed_read<T, F>(
    what: &'static str,
    f: F,
    reply: oneshot::Sender<Result<T, StoreError>>,
) -> Box<dyn ReadJob>
where
    T: Send + 'static,
    F: FnOnce(&ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
{
    Box::new(TypedRead { what, f, reply })
}

impl<T, F> ReadJob for TypedRead<T, F>
where
    T: Send + 'static,
    F: FnOnce(&ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
{
    fn run(self: Box<Self>, connection: &Connection) {
        let Self { what, f, reply } = *self;
        if reply.is_closed() {
            return;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| in_transaction(connection, f)));
        let outcome = outcome.unwrap_or_else(|_| {
            tracing::error!(what, "a read closure panicked");
            Err(StoreError::Panicked)
        });
        // There is nothing to commit, and the engine refuses to after a page that cannot be read, also
        // where the closure went on without it. Where the engine ended it by itself, its reason counts.
        if !connection.is_autocommit()
            && let Err(error) = end(connection)
        {
            tracing::error!(what, %error, "a read did not end");
        }
        let _ = reply.send(outcome);
    }
}

fn end(connection: &Connection) -> rusqlite::Result<usize> {
    connection.prepare_cached("ROLLBACK")?.execute([])
}

fn in_transaction<T>(
    connection: &Connection,
    f: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    f(&ReadTx::new(connection))
}

struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    jobs_max: usize,
}

impl Queue {
    fn new(jobs_max: usize) -> Arc<Self> {
        let state = Mutex::new(State { jobs: VecDeque::new(), closed: false });
        Arc::new(Self { state, filled: Condvar::new(), jobs_max })
    }

    fn submit(&self, job: Box<dyn ReadJob>) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(StoreError::Closed);
        }
        if state.jobs.len() >= self.jobs_max {
            return Err(StoreError::Busy);
        }
        state.jobs.push_back(job);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    fn close(&self) {
        self.state.lock().closed = true;
        self.filled.notify_all();
    }
}

struct State {
    jobs: VecDeque<Box<dyn ReadJob>>,
    closed: bool,
}

/// The way to the reader threads.
pub(super) struct Readers {
    common: Arc<Queue>,
    spine: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    stints: Vec<Stint>,
    alarm: Alarm,
}

impl Readers {
    /// Starts `count` threads for the common lane and one for the spine.
    pub(super) fn start(database: &Path, count: usize, alarm: Alarm) -> Result<Self, OpenError> {
        let (common, spine) = (Queue::new(READ_QUEUE_MAX), Queue::new(SPINE_QUEUE_MAX));
        let threads = Mutex::new(Vec::with_capacity(count + 1));
        let stints = (0..=count).map(|_| Stint::new()).collect();
        let readers = Self { common, spine, threads, stints, alarm };
        let lanes = std::iter::once(("store-spine".to_owned(), &readers.spine))
            .chain((0..count).map(|number| (format!("store-reader-{number}"), &readers.common)));
        for ((name, queue), stint) in lanes.zip(&readers.stints) {
            readers.start_thread(database, name, queue, stint)?;
        }
        Ok(readers)
    }

    fn start_thread(
        &self,
        database: &Path,
        name: String,
        queue: &Arc<Queue>,
        stint: &Stint,
    ) -> Result<(), OpenError> {
        let connection = connection::open_reader(database)?;
        let (queue, stint) = (Arc::clone(queue), stint.clone());
        let told = self.alarm.clone();
        let thread = threads::start(Part::Reader, name, &self.alarm, move || {
            work(&queue, &connection, &told, &stint);
        })?;
        self.threads.lock().push(thread);
        Ok(())
    }

    /// What each thread is at.
    pub(super) fn stints(&self) -> &[Stint] {
        &self.stints
    }

    pub(super) fn submit(&self, lane: Lane, job: Box<dyn ReadJob>) -> Result<(), StoreError> {
        match lane {
            Lane::Common => self.common.submit(job),
            Lane::Spine => self.spine.submit(job),
        }
    }

    pub(super) fn close(&self) {
        self.ask_to_close();
        for thread in self.threads.lock().drain(..) {
            let _ = thread.join();
        }
    }

    fn ask_to_close(&self) {
        self.common.close();
        self.spine.close();
    }
}

impl Drop for Readers {
    /// A store that is dropped without being closed lets its threads end by themselves.
    fn drop(&mut self) {
        self.ask_to_close();
    }
}

fn work(queue: &Queue, connection: &Connection, alarm: &Alarm, stint: &Stint) {
    loop {
        let job = {
            let mut state = queue.state.lock();
            loop {
                if let Some(job) = state.jobs.pop_front() {
                    break job;
                }
                if state.closed {
                    return;
                }
                queue.filled.wait(&mut state);
            }
        };
        trip("panic_in_reader");
        stint.at(|| job.run(connection));
        if !connection.is_autocommit() {
            // It would read that one moment for ever, and keep the write-ahead log from starting again.
            let error = "the transaction stays open".to_owned();
            alarm.raise(Fatal::Storage { during: "ending a read", error });
            return;
        }
    }
}
